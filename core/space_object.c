// SPDX-License-Identifier: BSD-2-Clause
/*
 * Objects in a space: BORROWED entries, their mapping ids in the companions of
 * leaf tables, and the mapping records they name.
 */
#include "base/assert.h"
#include "base/atomic.h"
#include "core/space_priv.h"

static struct mapping *mapping_of(const struct core_cpu *cpu, uint32_t mapping)
{
    return &cpu->cadastre->mappings.mappings[mapping];
}

static virt_addr_t mapping_end(const struct mapping *mapping)
{
    return mapping->address + ((uint64_t)mapping->pages << PAGE_SHIFT);
}

/* --- map --- */

static status_t request_check(const struct core_cpu *cpu, const struct object_map_request *request)
{
    const struct object *object = &cpu->cadastre->objects.objects[request->object];
    if (request->pages == 0 || request->first_page >= object->pages ||
        request->pages > object->pages - request->first_page) {
        return CAD_INVALID;
    }
    status_t status = protection_check(request->protection);
    if (status != CAD_OK) {
        return status;
    }
    bool is_within = (protection_normal(request->protection) & ~request->ceiling) == 0;
    return is_within ? CAD_OK : CAD_NO_RIGHT;
}

/* Entries [0, count) of the span become pages of the object from `page` on. */
static void populate(struct core_cpu *cpu, uint64_t *words, unsigned count, uint32_t object,
                     uint32_t page, uint32_t protection)
{
    uint64_t bits = entry_make_page(cpu->cadastre->format, ENTRY_BORROWED, protection, 0);
    frame_no_t frames[WINDOW_STEPS];
    for (unsigned done = 0, some; done < count; done += some) {
        some = count - done < WINDOW_STEPS ? count - done : WINDOW_STEPS;
        some = object_page_run(cpu, object, page + done, some, frames);
        for (unsigned i = 0; i < some; i++) {
            frame_map(&cpu->cadastre->frames, frames[i], FRAME_OBJECT);
            atomic_store_release(&words[done + i], bits | frame_address(frames[i]));
        }
        window_at(cpu, done, done + some);
    }
}

static void map_span(struct core_cpu *cpu, struct range_plan *plan,
                     const struct object_map_request *request, uint32_t mapping)
{
    struct frame_table *frames = &cpu->cadastre->frames;
    const struct span *span = &plan->span;
    ASSERT(span->level == 0);
    uint64_t *mappings = plan_companion(cpu, plan);
    for (unsigned i = 0; i < span->count; i++) {
        mappings[span->first + i] = mapping;
    }
    if (request->populate && plan->protection != CAD_PROT_NONE) {
        populate(cpu, span->words, span->count, request->object,
                 mapping_page(mapping_of(cpu, mapping), span->address), plan->protection);
    } else {
        uint64_t word = entry_make_absent(ENTRY_BORROWED, plan->protection, mapping);
        for (unsigned i = 0; i < span->count; i++) {
            span->words[i] = word;
        }
    }
    frame_map_many(frames, span->path[0], FRAME_KERNEL, span->count);
    frame_map_many(frames, frame_of(cpu, span->path[0])->detail, FRAME_KERNEL, span->count);
}

/* Everything that can fail; gives the plan and the record. */
static status_t map_reserve(struct core_cpu *cpu, uint32_t space,
                            const struct object_map_request *request, struct range_plan *plan,
                            uint32_t *mapping)
{
    struct user_range range = { .start = request->address, .pages = request->pages };
    status_t status = request_check(cpu, request);
    if (status != CAD_OK) {
        return status;
    }
    status = plan_check_chosen(cpu, plan, space, ENTRY_OP_MAP_OBJECT, request->protection, range);
    if (status == CAD_OK) {
        status = plan_reserve(cpu, plan, range.pages, 0);
    }
    if (status != CAD_OK) {
        return status;
    }
    status = mapping_create(cpu, request->object, space, plan->start, request->first_page,
                            (uint32_t)range.pages, request->ceiling, mapping);
    if (status != CAD_OK) {
        plan_cancel(cpu, plan);
    }
    return status;
}

status_t space_map_object(struct core_cpu *cpu, uint32_t space,
                          const struct object_map_request *request, virt_addr_t *address)
{
    struct range_plan plan;
    uint32_t mapping;
    status_t status = map_reserve(cpu, space, request, &plan, &mapping);
    if (status != CAD_OK) {
        return status;
    }
    /* commit */
    for (plan_first(cpu, &plan); plan_is_inside(&plan); plan_next(cpu, &plan)) {
        map_span(cpu, &plan, request, mapping);
    }
    plan.change.virtual_pages = plan.change.borrowed_pages = request->pages;
    plan_close(cpu, &plan, NULL);
    space_chose(cpu, &plan, request->address);
    *address = plan.start;
    return CAD_OK;
}

/* --- unmap and protect: only where every page maps the same object --- */

/* Needs: a plan whose check found BORROWED pages only.
 * Fails: WRONG_OBJECT; NO_RIGHT: protection above a mapping's ceiling. */
static status_t mappings_check(struct core_cpu *cpu, struct range_plan *plan, uint32_t object)
{
    virt_addr_t at = plan->start;
    while (at < plan->end) {
        const struct mapping *mapping = mapping_of(cpu, space_mapping_at(cpu, &plan->cursor, at));
        if (mapping->object != object) {
            return CAD_WRONG_OBJECT;
        }
        if ((plan->protection & ~mapping->ceiling) != 0) {
            return CAD_NO_RIGHT;
        }
        CHECK_VALUE(at >= mapping->address && at < mapping_end(mapping), mapping->object);
        at = mapping_end(mapping);
    }
    return CAD_OK;
}

/* Entries of [start, end) name `mapping` from now on. */
static void mapping_rename(struct core_cpu *cpu, struct cursor *cursor, virt_addr_t start,
                           virt_addr_t end, uint32_t mapping)
{
    struct span span;
    for (virt_addr_t at = start; at < end; at = span.next) {
        span_find(cpu, cursor, at, end, &span);
        ASSERT(span.level == 0);
        uint64_t *mappings = table_companion(cpu, span.path[0]);
        CHECK_VALUE(mappings != NULL, span.path[0]);
        for (unsigned i = 0; i < span.count; i++) {
            uint64_t word = span.words[i];
            mappings[span.first + i] = mapping;
            if (!entry_is_present(word)) {
                span.words[i] =
                    entry_make_absent(ENTRY_BORROWED, entry_protection(word), mapping) |
                    entry_marks(cpu->cadastre->format, word);
            }
        }
    }
}

/* A record that stays is about to change, and faults of its other pages read it under their own
 * tables' locks: the cursor takes in all its pages. */
static void hold_mappings(struct core_cpu *cpu, struct range_plan *plan)
{
    const struct mapping *first =
        mapping_of(cpu, space_mapping_at(cpu, &plan->cursor, plan->start));
    const struct mapping *last =
        mapping_of(cpu, space_mapping_at(cpu, &plan->cursor, plan->end - PAGE_SIZE));
    if (first->address < plan->start || mapping_end(last) > plan->end) {
        plan_widen(cpu, plan, first->address, mapping_end(last));
    }
}

/* A hole in the middle of one mapping needs a record for what is behind it: the
 * one thing of an unmap that can fail. */
static status_t mapping_cut(struct core_cpu *cpu, struct range_plan *plan)
{
    uint32_t mapping = space_mapping_at(cpu, &plan->cursor, plan->start);
    virt_addr_t address = mapping_of(cpu, mapping)->address;
    virt_addr_t end = mapping_end(mapping_of(cpu, mapping));
    if (address == plan->start || end <= plan->end) {
        return CAD_OK;
    }
    uint32_t tail;
    status_t status =
        mapping_split(cpu, mapping, (uint32_t)((plan->end - address) >> PAGE_SHIFT), &tail);
    if (status == CAD_OK) {
        mapping_rename(cpu, &plan->cursor, plan->end, end, tail);
    }
    return status;
}

/* The record of a mapping whose pages [start, end) are gone: an end of it, or all. */
static void mapping_shrink(struct core_cpu *cpu, uint32_t mapping, virt_addr_t start,
                           virt_addr_t end, struct space_work *work)
{
    const struct mapping *record = mapping_of(cpu, mapping);
    uint32_t pages = (uint32_t)((end - start) >> PAGE_SHIFT), object = record->object;
    if (pages < record->pages && start == record->address) {
        mapping_trim_head(cpu, mapping, pages);
    } else if (pages < record->pages) {
        ASSERT(end == mapping_end(record));
        mapping_trim_tail(cpu, mapping, pages);
    } else if (mapping_destroy(cpu, mapping)) {
        CHECK_VALUE(work->dead_count < SPACE_DEAD_OBJECTS_MAX, object);
        work->dead_objects[work->dead_count++] = object;
    }
}

status_t space_unmap_object(struct core_cpu *cpu, uint32_t space, uint32_t object,
                            virt_addr_t address, uint64_t pages, struct space_work *work)
{
    struct range_plan plan;
    work_init(work);
    status_t status = plan_check(cpu, &plan, space, ENTRY_OP_UNMAP_OBJECT, CAD_PROT_NONE,
                                 (struct user_range){ .start = address, .pages = pages });
    if (status != CAD_OK) {
        return status;
    }
    status = mappings_check(cpu, &plan, object);
    if (status == CAD_OK) {
        hold_mappings(cpu, &plan);
        status = mapping_cut(cpu, &plan);
    }
    if (status != CAD_OK) {
        plan_cancel(cpu, &plan);
        return status;
    }
    /* commit: every entry is in a leaf table already, so there is nothing to reserve */
    virt_addr_t at = plan.start;
    while (at < plan.end) {
        uint32_t mapping = space_mapping_at(cpu, &plan.cursor, at);
        virt_addr_t start = at, end = mapping_end(mapping_of(cpu, mapping));
        end = end < plan.end ? end : plan.end;
        struct span span;
        for (; at < end; at = span.next) {
            span_find(cpu, &plan.cursor, at, end, &span);
            span_clear(cpu, space, &span, plan.cursor.level, &plan.change, work);
        }
        mapping_shrink(cpu, mapping, start, end, work);
    }
    plan_close(cpu, &plan, work);
    space_search_from(space_of(cpu, space), plan.start);
    return CAD_OK;
}

/* To no access: nothing stays present. */
static void borrowed_hide(struct core_cpu *cpu, uint64_t *words, const uint64_t *mappings,
                          unsigned count)
{
    const struct mmu_format *format = cpu->cadastre->format;
    for (unsigned i = 0; i < count; i++) {
        uint64_t word = entry_make_absent(ENTRY_BORROWED, CAD_PROT_NONE, (uint32_t)mappings[i]);
        uint64_t old = atomic_load_relaxed(&words[i]);
        while (!atomic_compare_exchange(&words[i], &old, word | entry_marks(format, old))) {
        }
        if (entry_is_present(old)) {
            frame_unmap(&cpu->cadastre->frames, entry_value(old), FRAME_OBJECT);
        }
    }
}

static void borrowed_protect(const struct mmu_format *format, uint64_t *words,
                             const uint64_t *mappings, unsigned count, uint32_t protection)
{
    uint64_t keep = MMU_ADDRESS_MASK | format->accessed | format->dirty;
    uint64_t bits = entry_make_page(format, ENTRY_BORROWED, protection, 0);
    for (unsigned i = 0; i < count; i++) {
        uint64_t old = atomic_load_relaxed(&words[i]);
        if (!entry_is_present(old)) {
            words[i] = entry_make_absent(ENTRY_BORROWED, protection, (uint32_t)mappings[i]) |
                       entry_marks(format, old);
            continue;
        }
        while (!atomic_compare_exchange(&words[i], &old, (old & keep) | bits)) {
        }
    }
}

static void protect_object_span(struct core_cpu *cpu, const struct span *span, uint32_t protection,
                                struct space_work *work)
{
    ASSERT(span->level == 0);
    const uint64_t *mappings = table_companion(cpu, span->path[0]);
    CHECK_VALUE(mappings != NULL, span->path[0]);
    struct state_run run = state_run(span->words, span->count);
    CHECK_VALUE(run.count == span->count, span->path[0]);
    if (rights_need_flush(&run, protection)) {
        work_flush(work, span->address, span->next);
    }
    if (protection == CAD_PROT_NONE) {
        borrowed_hide(cpu, span->words, &mappings[span->first], span->count);
    } else {
        borrowed_protect(cpu->cadastre->format, span->words, &mappings[span->first], span->count,
                         protection);
    }
}

status_t space_protect_object(struct core_cpu *cpu, uint32_t space, uint32_t object,
                              virt_addr_t address, uint64_t pages, uint32_t protection,
                              struct space_work *work)
{
    struct range_plan plan;
    work_init(work);
    status_t status = plan_check(cpu, &plan, space, ENTRY_OP_PROTECT_OBJECT, protection,
                                 (struct user_range){ .start = address, .pages = pages });
    if (status != CAD_OK) {
        return status;
    }
    status = mappings_check(cpu, &plan, object);
    if (status != CAD_OK) {
        plan_cancel(cpu, &plan);
        return status;
    }
    /* commit: as above */
    for (plan_first(cpu, &plan); plan_is_inside(&plan); plan_next(cpu, &plan)) {
        protect_object_span(cpu, &plan.span, plan.protection, work);
    }
    plan_close(cpu, &plan, work);
    return CAD_OK;
}
