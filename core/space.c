// SPDX-License-Identifier: BSD-2-Clause
/*
 * Creation, and the operations of VirtualMemory.  Each is plan_check,
 * plan_reserve, and below the commit line one loop over the range's spans, and plan_close; in
 * leaf tables it goes run by run of equal states, so that the innermost loops
 * have no state left to look at.
 */
#include "core/space.h"

#include "base/assert.h"
#include "base/atomic.h"
#include "core/charge.h"
#include "core/space_priv.h"

status_t space_create(struct core_cpu *cpu, uint32_t ledger, uint32_t *out)
{
    struct space_table *table = &cpu->cadastre->spaces;
    uint32_t space;
    status_t status =
        ledger_reserve(cpu, ledger, CAD_RESOURCE_METADATA, CHARGE_SPACE + CHARGE_FRAME);
    if (status != CAD_OK) {
        return status;
    }
    if (!id_pool_take(cpu, &table->ids, &space)) {
        ledger_release(cpu, ledger, CAD_RESOURCE_METADATA, CHARGE_SPACE + CHARGE_FRAME);
        return CAD_PRESSURE;
    }
    frame_no_t root = frame_take_kernel(cpu, FRAME_KIND_TABLE, space, FRAME_NONE);
    if (root == FRAME_NONE) {
        id_pool_put(&table->ids, space);
        ledger_release(cpu, ledger, CAD_RESOURCE_METADATA, CHARGE_SPACE + CHARGE_FRAME);
        return CAD_PRESSURE;
    }
    /* commit */
    ledger_take(cpu, ledger);
    table->spaces[space] = (struct space){
        .root = root, .ledger = ledger, .table_pages = 1, .search = CAD_SEARCH_BASE };
    *out = space;
    return CAD_OK;
}

/* NONE becomes `word`, at whatever level the span is. */
static void fill_none(struct core_cpu *cpu, const struct span *span, uint64_t word)
{
    words_fill(span->words, span->count, word);
    frame_map_many(&cpu->cadastre->frames, span->path[span->level], FRAME_KERNEL, span->count);
}

static void plan_fill_none(struct core_cpu *cpu, struct range_plan *plan, enum entry_state state)
{
    uint64_t word = entry_make_absent(state, plan->protection, 0);
    for (plan_first(cpu, plan); plan_is_inside(plan); plan_next(cpu, plan)) {
        fill_none(cpu, &plan->span, word);
    }
}

status_t space_reserve(struct core_cpu *cpu, uint32_t space, virt_addr_t *address, uint64_t pages,
                       uint32_t protection)
{
    struct range_plan plan;
    status_t status = plan_check_chosen(cpu, &plan, space, ENTRY_OP_RESERVE, protection,
                                        (struct user_range){ .start = *address, .pages = pages });
    if (status == CAD_OK) {
        status = plan_reserve(cpu, &plan, pages, 0);
    }
    if (status != CAD_OK) {
        return status;
    }
    /* commit */
    plan_fill_none(cpu, &plan, ENTRY_RESERVED);
    plan.change.virtual_pages = pages;
    plan_close(cpu, &plan, NULL);
    space_chose(cpu, &plan, *address);
    *address = plan.start;
    return CAD_OK;
}

status_t space_guard(struct core_cpu *cpu, uint32_t space, virt_addr_t address, uint64_t pages)
{
    struct range_plan plan;
    status_t status = plan_check(cpu, &plan, space, ENTRY_OP_GUARD, CAD_PROT_NONE,
                                 (struct user_range){ .start = address, .pages = pages });
    if (status == CAD_OK) {
        status = plan_reserve(cpu, &plan, 0, 0);
    }
    if (status != CAD_OK) {
        return status;
    }
    /* commit */
    plan_fill_none(cpu, &plan, ENTRY_GUARD);
    plan_close(cpu, &plan, NULL);
    return CAD_OK;
}

/* --- commit --- */

/* Entries of a leaf table that have no frame.  Gives: how many became RESIDENT at once. */
static unsigned commit_run(struct core_cpu *cpu, frame_no_t table, unsigned first, uint64_t *words,
                           unsigned count, uint32_t protection, bool eager)
{
    uint64_t absent = entry_make_absent(ENTRY_COMMITTED, protection, 0);
    unsigned i = 0;
    if (eager && protection != CAD_PROT_NONE) {
        uint64_t present = entry_make_page(cpu->cadastre->format, ENTRY_RESIDENT, protection, 0);
        for (; i < count; i++) {
            frame_no_t frame = frame_take_anon(cpu, table, first + i);
            if (frame == FRAME_NONE) {
                break;
            }
            atomic_store_release(&words[i], present | frame_address(frame));
            window_at(cpu, i, i + 1);
        }
    }
    words_fill(&words[i], count - i, absent);
    return i;
}

/* RESERVED entries of level 1, whole.  Gives: pages that became RESIDENT at once. */
static unsigned commit_large(struct core_cpu *cpu, struct range_plan *plan, bool eager)
{
    const struct span *span = &plan->span;
    unsigned resident_pages = 0;
    for (unsigned i = 0; i < span->count; i++) {
        uint64_t *word = &span->words[i];
        large_commit(cpu, word, plan->protection, spare_pop(cpu, &plan->spare_tables));
        plan->change.table_pages++;
        if (!eager || plan->protection == CAD_PROT_NONE) {
            continue;
        }
        if (large_fill(cpu, word)) {
            resident_pages += MMU_TABLE_ENTRIES;
        } else {
            frame_no_t table = large_split(cpu, &plan->cursor, word);
            resident_pages += commit_run(cpu, table, 0, table_words(cpu, table),
                                         MMU_TABLE_ENTRIES, plan->protection, eager);
        }
    }
    return resident_pages;
}

/* `all_new`: the check found every page of the range RESERVED. */
static unsigned commit_span(struct core_cpu *cpu, struct range_plan *plan, bool eager,
                            bool all_new)
{
    const struct span *span = &plan->span;
    unsigned resident_pages = 0;
    if (span->level > 0) {
        bool is_new = entry_state(span->words[0]) == ENTRY_RESERVED;
        return is_new ? commit_large(cpu, plan, eager) : 0;
    }
    if (all_new) {
        return commit_run(cpu, span->path[0], span->first, span->words, span->count,
                          plan->protection, eager);
    }
    unsigned i = 0;
    while (i < span->count) {
        unsigned run = state_run(&span->words[i], span->count - i).count;
        if (entry_state(span->words[i]) == ENTRY_RESERVED) {
            resident_pages += commit_run(cpu, span->path[0], span->first + i, &span->words[i], run,
                                         plan->protection, eager);
        }
        i += run;
    }
    return resident_pages;
}

status_t space_commit(struct core_cpu *cpu, uint32_t space, virt_addr_t address, uint64_t pages,
                      uint32_t protection, uint32_t flags)
{
    struct range_plan plan;
    status_t status = plan_check(cpu, &plan, space, ENTRY_OP_COMMIT, protection,
                                 (struct user_range){ .start = address, .pages = pages });
    bool all_new = status == CAD_OK && plan.reserved_pages == pages;
    if (status == CAD_OK && (flags & CAD_COMMIT_NEW) != 0 && !all_new) {
        plan_cancel(cpu, &plan);
        status = CAD_OVERLAP;
    }
    if (status == CAD_OK) {
        plan.is_small = (flags & CAD_COMMIT_SMALL) != 0;
        status = plan_reserve(cpu, &plan, 0, plan.reserved_pages);
    }
    if (status != CAD_OK) {
        return status;
    }
    /* commit */
    for (plan_first(cpu, &plan); plan_is_inside(&plan); plan_next(cpu, &plan)) {
        plan.change.resident_pages += commit_span(cpu, &plan, (flags & CAD_COMMIT_EAGER) != 0,
                                                   all_new);
    }
    plan.change.committed_pages = plan.reserved_pages;
    plan_close(cpu, &plan, NULL);
    return CAD_OK;
}

/* --- decommit --- */

static void decommit_committed(uint64_t *words, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        words[i] = (words[i] & ENTRY_PROTECTION_MASK) | entry_make_absent(ENTRY_RESERVED, 0, 0);
    }
}

static void decommit_upper(struct core_cpu *cpu, uint32_t space, const struct span *span,
                           struct space_change *change, struct space_work *work)
{
    uint64_t word = span->words[0];
    if (entry_is_committed(word)) {
        large_span_drop(cpu, space, span,
                        entry_make_absent(ENTRY_RESERVED, entry_protection(word), 0), change,
                        work);
    }
}

static void decommit_span(struct core_cpu *cpu, const struct span *span,
                          struct space_change *change, struct space_work *work)
{
    for (unsigned i = 0, run; i < span->count; i += run) {
        enum entry_state state = entry_state(span->words[i]);
        run = state_run(&span->words[i], span->count - i).count;
        if (state == ENTRY_COMMITTED) {
            decommit_committed(&span->words[i], run);
            change->committed_pages -= run;
        } else if (state == ENTRY_RESIDENT || state == ENTRY_HIDDEN) {
            anon_drop(cpu, span->path[0], &span->words[i], run, ENTRY_PROTECTION_MASK,
                      entry_make_absent(ENTRY_RESERVED, 0, 0), work);
            change->committed_pages -= run;
            change->resident_pages -= run;
            virt_addr_t start = span->address + ((uint64_t)i << PAGE_SHIFT);
            work_flush(work, start, start + ((uint64_t)run << PAGE_SHIFT));
        }
        window_at(cpu, i, i + run);
    }
}

status_t space_decommit(struct core_cpu *cpu, uint32_t space, virt_addr_t address, uint64_t pages,
                        struct space_work *work)
{
    struct range_plan plan;
    work_init(work);
    status_t status = plan_check(cpu, &plan, space, ENTRY_OP_DECOMMIT, CAD_PROT_NONE,
                                 (struct user_range){ .start = address, .pages = pages });
    if (status == CAD_OK) {
        status = plan_reserve(cpu, &plan, 0, 0);
    }
    if (status != CAD_OK) {
        return status;
    }
    /* commit */
    for (plan_first(cpu, &plan); plan_is_inside(&plan); plan_next(cpu, &plan)) {
        if (plan.span.level == 0) {
            decommit_span(cpu, &plan.span, &plan.change, work);
        } else {
            decommit_upper(cpu, space, &plan.span, &plan.change, work);
        }
    }
    plan_close(cpu, &plan, work);
    return CAD_OK;
}

/* --- protect --- */

/* RESIDENT entries get the rights that `bits` have.  The hardware may be setting accessed and
 * dirty meanwhile: none is lost (TL5). */
static void protect_resident(const struct mmu_format *format, uint64_t *words, unsigned count,
                             uint64_t bits)
{
    uint64_t keep = MMU_ADDRESS_MASK | format->accessed | format->dirty;
    for (unsigned i = 0; i < count; i++) {
        uint64_t old = atomic_load_relaxed(&words[i]);
        while (!atomic_compare_exchange(&words[i], &old, (old & keep) | bits)) {
        }
    }
}

static void unhide(const struct mmu_format *format, uint64_t *words, unsigned count,
                   uint64_t bits)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t kept = (words[i] & MMU_ADDRESS_MASK) | entry_marks(format, words[i]);
        atomic_store_release(&words[i], bits | kept);
    }
}

static void hide(const struct mmu_format *format, uint64_t *words, unsigned count)
{
    uint64_t keep = MMU_ADDRESS_MASK | format->accessed | format->dirty;
    uint64_t bits = entry_make_absent(ENTRY_HIDDEN, CAD_PROT_NONE, 0);
    for (unsigned i = 0; i < count; i++) {
        uint64_t old = atomic_load_relaxed(&words[i]);
        while (!atomic_compare_exchange(&words[i], &old, (old & keep) | bits)) {
        }
    }
}

/* Gives: true if a flush is owed. */
static bool protect_run(const struct mmu_format *format, unsigned level, uint64_t *words,
                        const struct state_run *run, uint32_t protection)
{
    enum entry_state state = entry_state(words[0]);
    if (state == ENTRY_RESERVED || state == ENTRY_COMMITTED) {
        words_fill(words, run->count, entry_make_absent(state, protection, entry_value(words[0])));
        return false;
    }
    ASSERT(state == ENTRY_RESIDENT || state == ENTRY_HIDDEN);
    if (protection != CAD_PROT_NONE) {
        uint64_t bits = level == 0 ? entry_make_page(format, ENTRY_RESIDENT, protection, 0)
                                   : entry_make_large(format, protection, 0);
        if (state == ENTRY_HIDDEN) {
            unhide(format, words, run->count, bits);
        } else {
            protect_resident(format, words, run->count, bits);
        }
    } else if (state == ENTRY_RESIDENT) {
        hide(format, words, run->count);
    }
    return rights_need_flush(run, protection);
}

static void protect_span(const struct mmu_format *format, const struct span *span,
                         uint32_t protection, struct space_work *work)
{
    for (unsigned i = 0; i < span->count;) {
        struct state_run run = state_run(&span->words[i], span->count - i);
        if (protect_run(format, span->level, &span->words[i], &run, protection)) {
            virt_addr_t start = span->address + i * entry_bytes(span->level);
            work_flush(work, start, start + run.count * entry_bytes(span->level));
        }
        i += run.count;
    }
}

status_t space_protect(struct core_cpu *cpu, uint32_t space, virt_addr_t address, uint64_t pages,
                       uint32_t protection, struct space_work *work)
{
    enum entry_operation operation =
        protection == CAD_PROT_NONE ? ENTRY_OP_HIDE : ENTRY_OP_PROTECT;
    struct range_plan plan;
    work_init(work);
    status_t status = plan_check(cpu, &plan, space, operation, protection,
                                 (struct user_range){ .start = address, .pages = pages });
    if (status == CAD_OK) {
        status = plan_reserve(cpu, &plan, 0, 0);
    }
    if (status != CAD_OK) {
        return status;
    }
    /* commit */
    for (plan_first(cpu, &plan); plan_is_inside(&plan); plan_next(cpu, &plan)) {
        protect_span(cpu->cadastre->format, &plan.span, plan.protection, work);
    }
    plan_close(cpu, &plan, work);
    return CAD_OK;
}

/* --- unmap --- */

status_t space_unmap(struct core_cpu *cpu, uint32_t space, virt_addr_t address, uint64_t pages,
                     struct space_work *work)
{
    struct range_plan plan;
    work_init(work);
    status_t status = plan_check(cpu, &plan, space, ENTRY_OP_UNMAP, CAD_PROT_NONE,
                                 (struct user_range){ .start = address, .pages = pages });
    if (status == CAD_OK) {
        status = plan_reserve(cpu, &plan, 0, 0);
    }
    if (status != CAD_OK) {
        return status;
    }
    /* commit */
    for (plan_first(cpu, &plan); plan_is_inside(&plan); plan_next(cpu, &plan)) {
        span_clear(cpu, space, &plan.span, plan.cursor.level, &plan.change, work);
    }
    plan_close(cpu, &plan, work);
    space_search_from(space_of(cpu, space), plan.start);
    return CAD_OK;
}
