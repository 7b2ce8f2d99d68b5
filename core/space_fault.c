// SPDX-License-Identifier: BSD-2-Clause
/*
 * Touches: one walk, one look at what the entry owes, one change at most; and
 * the kernel's own pages in a space (system pages).
 */
#include "base/assert.h"
#include "base/atomic.h"
#include "core/space_priv.h"

/* COMMITTED becomes RESIDENT, in a leaf table. */
static inline void fill_anon(struct core_cpu *cpu, uint32_t space, uint64_t *word,
                             frame_no_t page)
{
    const struct mmu_format *format = cpu->cadastre->format;
    /* Orders the zeroed page before the hardware can reach it. */
    atomic_store_release(word, entry_make_page(format, ENTRY_RESIDENT, entry_protection(*word),
                                               page));
    space_note_filled(cpu, space, 1);
}

static frame_no_t large_frame(uint64_t word, virt_addr_t address)
{
    return entry_value(word) + entry_index(address, 0);
}

/* All of a large page; where no run of frames is free, the one page of it: the cursor then holds
 * their table in place of the one above. */
static status_t fill_large(struct core_cpu *cpu, struct cursor *cursor, struct span *span,
                           frame_no_t *frame)
{
    if (large_fill(cpu, span->words)) {
        space_note_filled(cpu, cursor->space, MMU_TABLE_ENTRIES);
        *frame = large_frame(span->words[0], span->address);
        return CAD_OK;
    }
    *frame = frame_take_anon(cpu, large_table(cpu, span->words[0]), entry_index(span->address, 0));
    if (*frame == FRAME_NONE) {
        return CAD_PRESSURE;
    }
    cursor_descend(cpu, cursor, large_split(cpu, cursor, span->words));
    span_find(cpu, cursor, cursor->start, cursor->start + PAGE_SIZE, span);
    fill_anon(cpu, cursor->space, span->words, *frame);
    return CAD_OK;
}

static inline status_t fill(struct core_cpu *cpu, struct cursor *cursor, struct span *span,
                            frame_no_t *frame)
{
    if (span->level == LEVEL_LARGE) {
        return fill_large(cpu, cursor, span, frame);
    }
    *frame = frame_take_anon(cpu, span->path[0], span->first);
    if (*frame == FRAME_NONE) {
        return CAD_PRESSURE;
    }
    fill_anon(cpu, cursor->space, span->words, *frame);
    return CAD_OK;
}

/* An absent BORROWED page becomes present: every page of an object exists. */
static void fill_borrowed(struct core_cpu *cpu, uint32_t space, const struct span *span,
                          uint64_t word, frame_no_t *frame)
{
    const struct mmu_format *format = cpu->cadastre->format;
    uint32_t id = entry_value(word);
    const struct mapping *mapping = &cpu->cadastre->mappings.mappings[id];
    CHECK_VALUE(mapping->space == space && span->address - mapping->address <
                                               (uint64_t)mapping->pages << PAGE_SHIFT, id);
    frame_no_t page = object_page(cpu, mapping->object, mapping_page(mapping, span->address));
    frame_map(&cpu->cadastre->frames, page, FRAME_OBJECT);
    uint64_t present = entry_make_page(format, ENTRY_BORROWED, entry_protection(word), page);
    atomic_store_release(&span->words[0], present | entry_marks(format, word));
    *frame = page;
}

/* The entry of the cursor's one page: checks the access against what it owes, fills it if it is
 * absent. */
ALWAYS_INLINE static inline status_t touch_entry(struct core_cpu *cpu, struct cursor *cursor,
                                                 uint32_t access, struct span *span,
                                                 frame_no_t *frame)
{
    span_find(cpu, cursor, cursor->start, cursor->start + PAGE_SIZE, span);
    uint64_t word = atomic_load_relaxed(&span->words[0]);
    enum entry_state state = entry_state(word);
    status_t refusal = entry_transition(state, ENTRY_OP_FAULT)->refusal;
    if (refusal != CAD_OK) {
        return refusal;
    }
    if ((entry_protection(word) & access) == 0) {
        return CAD_BAD_ADDRESS;
    }
    ASSERT(span->level <= LEVEL_LARGE);
    if (entry_is_present(word)) {
        *frame = span->level == 0 ? entry_value(word) : large_frame(word, span->address);
        return CAD_OK;
    }
    if (state == ENTRY_COMMITTED) {
        return fill(cpu, cursor, span, frame);
    }
    CHECK_VALUE(state == ENTRY_BORROWED, span->path[0]);
    fill_borrowed(cpu, cursor->space, span, word, frame);
    return CAD_OK;
}

/* Holds the cursor if it succeeds. */
ALWAYS_INLINE static inline status_t touch(struct core_cpu *cpu, struct cursor *cursor,
                                           uint32_t space, virt_addr_t address, uint32_t access,
                                           struct span *span, frame_no_t *frame)
{
    ASSERT(access == CAD_PROT_READ || access == CAD_PROT_WRITE || access == CAD_PROT_EXECUTE);
    if (address < CAD_USER_BASE || address >= CAD_USER_END) {
        return CAD_BAD_ADDRESS;
    }
    virt_addr_t page = address & ~(virt_addr_t)(PAGE_SIZE - 1);
    cursor_enter(cpu, cursor, space, page, page + PAGE_SIZE);
    status_t status = touch_entry(cpu, cursor, access, span, frame);
    if (status != CAD_OK) {
        cursor_leave(cpu, cursor);
    }
    return status;
}

status_t space_fault(struct core_cpu *cpu, uint32_t space, virt_addr_t address, uint32_t access)
{
    struct cursor cursor;
    struct span span;
    frame_no_t frame;
    status_t status = touch(cpu, &cursor, space, address, access, &span, &frame);
    if (status == CAD_OK) {
        cursor_leave(cpu, &cursor);
    }
    return status;
}

status_t space_hold(struct core_cpu *cpu, uint32_t space, virt_addr_t address, uint32_t access,
                    struct space_hold *hold)
{
    const struct mmu_format *format = cpu->cadastre->format;
    struct cursor cursor;
    struct span span;
    status_t status = touch(cpu, &cursor, space, address, access, &span, &hold->frame);
    if (status == CAD_OK) {
        /* The kernel's access goes past the hardware: leave the marks it would have left. */
        uint64_t marks = format->accessed | (access == CAD_PROT_WRITE ? format->dirty : 0);
        if ((atomic_load_relaxed(&span.words[0]) & marks) != marks) {
            atomic_fetch_or(&span.words[0], marks);
        }
        hold->table = cursor.top; /* the entry's, and all that the cursor holds */
    }
    return status;
}

void space_let_go(struct core_cpu *cpu, const struct space_hold *hold)
{
    const struct cursor cursor = { .top = hold->table };
    cursor_leave(cpu, &cursor);
}

/* --- system pages --- */

status_t space_map_system(struct core_cpu *cpu, uint32_t space, virt_addr_t address,
                          uint32_t protection, frame_no_t *frame)
{
    struct range_plan plan;
    status_t status = plan_check(cpu, &plan, space, ENTRY_OP_MAP_SYSTEM, protection,
                                 (struct user_range){ .start = address, .pages = 1 });
    if (status == CAD_OK && plan.protection == CAD_PROT_NONE) {
        plan_cancel(cpu, &plan);
        return CAD_INVALID;
    }
    if (status == CAD_OK) {
        status = plan_reserve(cpu, &plan, 0, 0);
    }
    if (status != CAD_OK) {
        return status;
    }
    frame_no_t page = frame_take_kernel(cpu, FRAME_KIND_SYSTEM, space, FRAME_NONE);
    if (page == FRAME_NONE) {
        plan_cancel(cpu, &plan);
        return CAD_PRESSURE;
    }
    /* commit */
    plan_first(cpu, &plan);
    frame_map(&cpu->cadastre->frames, page, FRAME_KERNEL);
    frame_map(&cpu->cadastre->frames, plan.span.path[0], FRAME_KERNEL);
    atomic_store_release(&plan.span.words[0], entry_make_page(cpu->cadastre->format, ENTRY_SYSTEM,
                                                         plan.protection, page));
    plan.change.system_pages = 1;
    plan_close(cpu, &plan, NULL);
    *frame = page;
    return CAD_OK;
}

status_t space_unmap_system(struct core_cpu *cpu, uint32_t space, virt_addr_t address,
                            struct space_work *work)
{
    struct range_plan plan;
    work_init(work);
    status_t status = plan_check(cpu, &plan, space, ENTRY_OP_UNMAP_SYSTEM, CAD_PROT_NONE,
                                 (struct user_range){ .start = address, .pages = 1 });
    if (status == CAD_OK) {
        status = plan_reserve(cpu, &plan, 0, 0);
    }
    if (status != CAD_OK) {
        return status;
    }
    /* commit */
    plan_first(cpu, &plan);
    span_clear(cpu, space, &plan.span, plan.cursor.level, &plan.change, work);
    plan_close(cpu, &plan, work);
    return CAD_OK;
}
