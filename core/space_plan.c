// SPDX-License-Identifier: BSD-2-Clause
/*
 * Planning: decode and check a range operation, reserve what its commit needs,
 * and split larger entries on the way through the commit.
 */
#include "base/assert.h"
#include "base/atomic.h"
#include "core/charge.h"
#include "core/space_priv.h"

static bool is_system_operation(enum entry_operation operation)
{
    return operation == ENTRY_OP_MAP_SYSTEM || operation == ENTRY_OP_UNMAP_SYSTEM;
}

status_t space_check_range(struct user_range range, enum entry_operation operation)
{
    if (!is_page_aligned(range.start) || range.pages == 0 || range.start < CAD_USER_BASE ||
        range.start >= CAD_USER_END ||
        range.pages > (CAD_USER_END - range.start) >> PAGE_SHIFT) {
        return CAD_INVALID;
    }
    virt_addr_t end = range.start + (range.pages << PAGE_SHIFT);
    if (is_system_operation(operation)) {
        return range.start < CAD_SYSTEM_BASE ? CAD_INVALID : CAD_OK;
    }
    return end > CAD_SYSTEM_BASE ? CAD_PROTECTED_RANGE : CAD_OK;
}

/* True if the operation changes an entry of a level above 0 from what it is. */
static bool upper_entry_changes(const struct range_plan *plan, uint64_t word)
{
    enum entry_state state = entry_state(word);
    if (entry_transition(state, plan->operation)->to != state) {
        return true;
    }
    bool is_protect = plan->operation == ENTRY_OP_PROTECT || plan->operation == ENTRY_OP_HIDE;
    return is_protect && entry_protection(word) != plan->protection;
}

/* The highest level at which the entry can become what the operation makes of it. */
static unsigned upper_entry_level_max(const struct range_plan *plan, uint64_t word)
{
    enum entry_state state = entry_state(word);
    enum entry_state to = entry_transition(state, plan->operation)->to;
    unsigned level = entry_state_level_max(to);
    return plan->is_small && to != state && level == LEVEL_LARGE ? 0 : level;
}

static bool span_is_part_of_entry(const struct span *span)
{
    return span->next - span->address != span->count * entry_bytes(span->level);
}

/* Tables to add below entries of `level` so that [start, end), inside one or whole ones, is
 * made of whole entries; if `all`, of level 0, or of level 1 with a table that stands by each. */
static uint32_t tables_below(unsigned level, virt_addr_t start, virt_addr_t end, bool all)
{
    uint32_t tables = 0;
    for (unsigned above = 1; above <= level; above++) {
        uint64_t first = start >> entry_shift(above), last = (end - 1) >> entry_shift(above);
        bool cuts_head = (start & (entry_bytes(above) - 1)) != 0;
        bool cuts_tail = (end & (entry_bytes(above) - 1)) != 0;
        if (all) {
            tables += (uint32_t)(last - first + 1);
        } else {
            tables += (cuts_head || cuts_tail ? 1 : 0) +
                      (cuts_head && cuts_tail && first != last ? 1 : 0);
        }
    }
    return tables;
}

static uint32_t upper_entry_tables(const struct range_plan *plan, const struct span *span)
{
    uint64_t word = span->words[0];
    if (entry_is_committed(word)) {
        return 0; /* a large page has its table */
    }
    bool all = upper_entry_level_max(plan, word) <= LEVEL_LARGE;
    return all || upper_entry_changes(plan, word)
               ? tables_below(span->level, span->address, span->next, all)
               : 0;
}

static status_t plan_check_upper(struct range_plan *plan, const struct span *span)
{
    uint64_t word = span->words[0];
    enum entry_state state = entry_state(word);
    status_t refusal = entry_transition(state, plan->operation)->refusal;
    if (refusal != CAD_OK) {
        return refusal;
    }
    if (state == ENTRY_RESERVED) {
        plan->reserved_pages += (span->next - span->address) >> PAGE_SHIFT;
    }
    plan->tables += upper_entry_tables(plan, span);
    if (plan->operation == ENTRY_OP_MAP_OBJECT) {
        plan->companions += (uint32_t)(((span->next - 1) >> entry_shift(1)) -
                                       (span->address >> entry_shift(1)) + 1);
    }
    return CAD_OK;
}

static status_t plan_check_leaf(const struct core_cpu *cpu, struct range_plan *plan,
                                const struct span *span)
{
    const struct entry_transition *column = entry_operation_column(plan->operation);
    unsigned i = 0;
    while (i < span->count) {
        enum entry_state state = entry_state(span->words[i]);
        if (column[state].refusal != CAD_OK) {
            return column[state].refusal;
        }
        unsigned run = state_run(&span->words[i], span->count - i).count;
        plan->reserved_pages += state == ENTRY_RESERVED ? run : 0;
        i += run;
    }
    if (plan->operation == ENTRY_OP_MAP_OBJECT &&
        frame_of(cpu, span->path[0])->detail == FRAME_NONE) {
        plan->companions++;
    }
    return CAD_OK;
}

static status_t plan_check_spans(struct core_cpu *cpu, struct range_plan *plan)
{
    struct span *span = &plan->span;
    status_t status;
    virt_addr_t at = plan->start;
    for (;;) {
        span_find(cpu, &plan->cursor, at, plan->end, span);
        status = span->level == 0 ? plan_check_leaf(cpu, plan, span)
                                  : plan_check_upper(plan, span);
        at = span->next;
        if (status != CAD_OK || at >= plan->end) {
            return status;
        }
        HOST(cpu, interrupt_window)(cpu);
    }
}

/* All but `span`, which the check sets. */
static void plan_init(struct range_plan *plan, uint32_t space, enum entry_operation operation,
                      uint32_t protection, struct user_range range)
{
    plan->space = space;
    plan->operation = operation;
    plan->protection = protection_normal(protection);
    plan->start = range.start;
    plan->end = range.start + (range.pages << PAGE_SHIFT);
    plan->reserved_pages = 0;
    plan->tables = plan->companions = 0;
    plan->spare_tables = plan->spare_companions = FRAME_NONE;
    plan->charged = (struct space_charges){ .virtual_pages = 0 };
    plan->change = (struct space_change){ .virtual_pages = 0 };
    plan->is_small = false;
    plan->split_start = plan->split_end = 0;
}

status_t plan_check(struct core_cpu *cpu, struct range_plan *plan, uint32_t space,
                    enum entry_operation operation, uint32_t protection, struct user_range range)
{
    status_t status = space_check_range(range, operation);
    if (status == CAD_OK) {
        status = protection_check(protection);
    }
    if (status != CAD_OK) {
        return status;
    }
    plan_init(plan, space, operation, protection, range);
    cursor_enter(cpu, &plan->cursor, space, plan->start, plan->end);
    status = plan_check_spans(cpu, plan);
    plan->is_leaf = plan->cursor.level == 0;
    if (status != CAD_OK) {
        cursor_leave(cpu, &plan->cursor);
    }
    return status;
}

/* Another thread may be faster to take what a search found: then it searches again. */
status_t plan_check_chosen(struct core_cpu *cpu, struct range_plan *plan, uint32_t space,
                           enum entry_operation operation, uint32_t protection,
                           struct user_range range)
{
    if (range.start != 0 || range.pages == 0) {
        return range.start == 0 ? CAD_INVALID
                                : plan_check(cpu, plan, space, operation, protection, range);
    }
    status_t status;
    do {
        if (!space_find_free(cpu, space, range.pages, &range.start)) {
            return CAD_NO_SPACE;
        }
        status = plan_check(cpu, plan, space, operation, protection, range);
    } while (status == CAD_OVERLAP);
    return status;
}

void plan_widen(struct core_cpu *cpu, struct range_plan *plan, virt_addr_t start, virt_addr_t end)
{
    struct span span;
    cursor_leave(cpu, &plan->cursor);
    cursor_enter(cpu, &plan->cursor, plan->space, start, end);
    for (virt_addr_t at = start; at < end; at = span.next) {
        span_find(cpu, &plan->cursor, at, end, &span);
    }
    plan->is_leaf = false; /* plan->span is another's by now */
}

static status_t charge(struct core_cpu *cpu, uint32_t ledger, enum cad_resource what,
                       uint64_t amount)
{
    return amount == 0 ? CAD_OK : ledger_reserve(cpu, ledger, what, amount);
}

static status_t charge_all(struct core_cpu *cpu, uint32_t ledger, uint64_t virtual_pages,
                           uint64_t committed_pages, uint64_t metadata_bytes)
{
    status_t status = charge(cpu, ledger, CAD_RESOURCE_VIRTUAL, virtual_pages);
    if (status != CAD_OK) {
        return status;
    }
    status = charge(cpu, ledger, CAD_RESOURCE_COMMITTED, committed_pages);
    if (status == CAD_OK) {
        status = charge(cpu, ledger, CAD_RESOURCE_METADATA, metadata_bytes);
        if (status != CAD_OK) {
            ledger_release(cpu, ledger, CAD_RESOURCE_COMMITTED, committed_pages);
        }
    }
    if (status != CAD_OK) {
        ledger_release(cpu, ledger, CAD_RESOURCE_VIRTUAL, virtual_pages);
    }
    return status;
}

/* Puts `count` frames on a chain of spares.  Gives: false when memory is short. */
static bool spares_take(struct core_cpu *cpu, frame_no_t *chain, enum frame_kind kind,
                        uint32_t space, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        frame_no_t frame = frame_take_kernel(cpu, kind, space, *chain);
        if (frame == FRAME_NONE) {
            return false;
        }
        *chain = frame;
        window_at(cpu, i, i + 1);
    }
    return true;
}

frame_no_t spare_pop(struct core_cpu *cpu, frame_no_t *chain)
{
    frame_no_t frame = *chain;
    CHECK(frame != FRAME_NONE); /* the check counted what the commit needs */
    *chain = frame_of(cpu, frame)->detail;
    return frame;
}

static void spares_put(struct core_cpu *cpu, frame_no_t *chain, uint32_t space)
{
    while (*chain != FRAME_NONE) {
        frame_no_t frame = spare_pop(cpu, chain);
        frame_release_zero(cpu, frame, space);
    }
}

/* Nothing was charged, and no counter changed. */
static bool plan_is_free(const struct range_plan *plan)
{
    return plan->tables == 0 &&
           (plan->operation == ENTRY_OP_PROTECT || plan->operation == ENTRY_OP_HIDE ||
            plan->operation == ENTRY_OP_PROTECT_OBJECT);
}

void plan_close(struct core_cpu *cpu, struct range_plan *plan, struct space_work *work)
{
    ASSERT(plan->spare_tables == FRAME_NONE && plan->spare_companions == FRAME_NONE);
    ASSERT(plan->split_end == 0 || work != NULL);
    const struct cursor *cursor = &plan->cursor;
    if (!plan_is_free(plan)) {
        space_settle(cpu, plan->space, &plan->charged, &plan->change);
    }
    bool is_empty = cursor->level < LEVEL_ROOT && frame_of(cpu, cursor->top)->maps == 0;
    if (work != NULL) {
        if (plan->split_end != 0) {
            work_flush(work, plan->split_start, plan->split_end);
        }
        work_owe(work);
    }
    cursor_leave(cpu, cursor);
    if (is_empty && work != NULL) {
        cursor_prune(cpu, cursor, work);
    }
}

void plan_cancel(struct core_cpu *cpu, struct range_plan *plan)
{
    spares_put(cpu, &plan->spare_tables, plan->space);
    spares_put(cpu, &plan->spare_companions, plan->space);
    space_settle(cpu, plan->space, &plan->charged, &plan->change);
    cursor_leave(cpu, &plan->cursor);
}

status_t plan_charge(struct core_cpu *cpu, struct range_plan *plan, uint64_t virtual_pages,
                     uint64_t committed_pages)
{
    uint64_t system = plan->operation == ENTRY_OP_MAP_SYSTEM ? 1 : 0;
    uint64_t frames = (uint64_t)plan->tables + plan->companions + system;
    status_t status = charge_all(cpu, space_of(cpu, plan->space)->ledger, virtual_pages,
                                 committed_pages, frames * CHARGE_FRAME);
    if (status != CAD_OK) {
        cursor_leave(cpu, &plan->cursor);
        return status;
    }
    plan->charged = (struct space_charges){ virtual_pages, committed_pages, frames };
    if (!spares_take(cpu, &plan->spare_tables, FRAME_KIND_TABLE, plan->space, plan->tables) ||
        !spares_take(cpu, &plan->spare_companions, FRAME_KIND_COMPANION, plan->space,
                     plan->companions)) {
        plan_cancel(cpu, plan);
        return CAD_PRESSURE;
    }
    return CAD_OK;
}

static void plan_split_large(struct core_cpu *cpu, struct range_plan *plan,
                             const struct span *span)
{
    if (entry_is_present(span->words[0])) {
        virt_addr_t base = span->address & ~(entry_bytes(LEVEL_LARGE) - 1);
        plan->split_start = plan->split_end == 0 ? base : plan->split_start;
        plan->split_end = base + entry_bytes(LEVEL_LARGE);
    }
    large_split(cpu, &plan->cursor, span->words);
}

/* The span's first entry, an upper one, becomes a table of entries like it. */
static void entry_split(struct core_cpu *cpu, struct range_plan *plan, const struct span *span)
{
    struct frame_table *frames = &cpu->cadastre->frames;
    uint64_t word = span->words[0];
    frame_no_t child = spare_pop(cpu, &plan->spare_tables);
    frame_set_companion(frames, child, FRAME_NONE);
    if (entry_state(word) == ENTRY_NONE) {
        frame_map(frames, span->path[span->level], FRAME_KERNEL);
    } else {
        uint64_t *words = table_words(cpu, child);
        for (unsigned i = 0; i < MMU_TABLE_ENTRIES; i++) {
            words[i] = word;
        }
        frame_map_many(frames, child, FRAME_KERNEL, MMU_TABLE_ENTRIES);
    }
    cursor_lock_new(cpu, &plan->cursor, child);
    /* Orders the child's entries, and its lock, before anybody can find them. */
    atomic_store_release(&span->words[0], entry_make_table(cpu->cadastre->format, child));
    plan->change.table_pages++;
}

void plan_span(struct core_cpu *cpu, struct range_plan *plan, virt_addr_t address)
{
    struct span *span = &plan->span;
    HOST(cpu, interrupt_window)(cpu);
    span_find(cpu, &plan->cursor, address, plan->end, span);
    while (span->level > 0) {
        uint64_t word = span->words[0];
        bool is_part = span_is_part_of_entry(span) && upper_entry_changes(plan, word);
        if (!is_part && span->level <= upper_entry_level_max(plan, word)) {
            break;
        }
        if (entry_is_committed(word)) {
            plan_split_large(cpu, plan, span);
        } else {
            entry_split(cpu, plan, span);
        }
        span_find(cpu, &plan->cursor, address, plan->end, span);
    }
}

uint64_t *plan_companion(struct core_cpu *cpu, struct range_plan *plan)
{
    frame_no_t table = plan->span.path[0];
    if (frame_of(cpu, table)->detail == FRAME_NONE) {
        frame_no_t companion = spare_pop(cpu, &plan->spare_companions);
        frame_of(cpu, companion)->detail = table;
        frame_set_companion(&cpu->cadastre->frames, table, companion);
        plan->change.table_pages++;
    }
    return table_companion(cpu, table);
}
