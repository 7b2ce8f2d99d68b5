// SPDX-License-Identifier: BSD-2-Clause
/*
 * Inside of core/space*.c: how a range is walked, planned and changed.
 *
 *   span   a run of entries of one table, found by one walk from the root:
 *          many of a leaf table, or one of a larger level
 *   plan   one range operation: what the check found, and what was reserved
 *          for the commit (charges, and frames for tables and companions)
 *
 * An operation is: plan_check, plan_reserve, then for each plan_span its
 * change, then plan_settle.  plan_span splits larger entries with the frames
 * that plan_reserve took, so the commit has nothing left that can fail.
 *
 * Counters and charges are one fact: a space's ledger is charged
 *   virtual    virtual_pages
 *   committed  committed_pages
 *   metadata   CHARGE_SPACE + (table_pages + system_pages) * CHARGE_FRAME
 * plan_reserve charges what the commit may add to the counters, plan_settle
 * releases what is charged beyond them in the end.
 */
#ifndef CORE_SPACE_PRIV_H
#define CORE_SPACE_PRIV_H

#include "core/cadastre.h"

#define LEVEL_ROOT (MMU_LEVELS - 1)

static inline unsigned entry_shift(unsigned level)
{
    return PAGE_SHIFT + MMU_INDEX_BITS * level;
}
static inline uint64_t entry_bytes(unsigned level)
{
    return UINT64_C(1) << entry_shift(level);
}
static inline unsigned entry_index(virt_addr_t address, unsigned level)
{
    return (unsigned)(address >> entry_shift(level)) & (MMU_TABLE_ENTRIES - 1);
}

static inline struct space *space_of(const struct core_cpu *cpu, uint32_t space)
{
    return &cpu->cadastre->spaces.spaces[space];
}
static inline struct frame *frame_of(const struct core_cpu *cpu, frame_no_t frame)
{
    return &cpu->cadastre->frames.frames[frame];
}

/* --- space_walk.c --- */

struct span {
    virt_addr_t address, next;    /* [address, next), clipped to what was asked */
    unsigned level, first, count; /* entries [first, first + count); alike if level > 0 */
    uint64_t *words;              /* of entry `first` */
    frame_no_t path[MMU_LEVELS];  /* tables from the root down to `level` */
};

/* Needs: address < end, both page-aligned user addresses. */
void span_find(const struct core_cpu *cpu, frame_no_t root, virt_addr_t address, virt_addr_t end,
               struct span *span);
/* Entries from words[0] on, at most `limit`, that have its state.  Needs: limit > 0. */
struct state_run {
    unsigned count;    /* > 0 */
    uint64_t any, all; /* OR and AND of their words */
};
struct state_run state_run_of_many(const uint64_t *words, unsigned limit);
static inline struct state_run state_run(const uint64_t *words, unsigned limit)
{
    if (limit == 1) {
        return (struct state_run){ .count = 1, .any = words[0], .all = words[0] };
    }
    return state_run_of_many(words, limit);
}
/* Entries that no hardware looks at become `word`. */
static inline void words_fill(uint64_t *words, unsigned count, uint64_t word)
{
    unsigned i = 0;
    for (; count - i >= 4; i += 4) {
        words[i] = words[i + 1] = words[i + 2] = words[i + 3] = word;
    }
    for (; i < count; i++) {
        words[i] = word;
    }
}
/* The mapping ids of a leaf table's entries, NULL if it has no companion. */
uint64_t *table_companion(const struct core_cpu *cpu, frame_no_t table);
/* Mapping id of a BORROWED entry's page. */
uint32_t space_mapping_at(const struct core_cpu *cpu, frame_no_t root, virt_addr_t address);
/* Gives: false if no run of NONE is long enough.  Cost: O(entries from `search` to the run). */
bool space_find_free(const struct core_cpu *cpu, uint32_t space, uint64_t pages,
                     virt_addr_t *address);
#ifdef CONFIG_FAULT_POINTS /* as in core/fault_calls.h */
#define space_find_free(cpu, space, pages, address)                                                \
    FAULT_CALL(cpu, space_find_free, CAD_NO_SPACE, false,                                          \
               (space_find_free)(cpu, space, pages, address))
#endif
/* Addresses from `start` on became free: the next search sees them. */
static inline void space_search_from(struct space *record, virt_addr_t start)
{
    if (start >= CAD_SEARCH_BASE && start < record->search) {
        record->search = start;
    }
}

/* --- space_plan.c --- */

/* What the ledger is charged for, as the counters say it. */
struct space_charges {
    uint64_t virtual_pages, committed_pages;
    uint64_t metadata_frames; /* tables, companions, system pages */
};

struct range_plan {
    uint32_t space;
    enum entry_operation operation;
    uint32_t protection;               /* normal form; what entries will owe */
    virt_addr_t start, end;
    uint64_t pages[ENTRY_STATE_COUNT]; /* pages of the range by the state found */
    uint32_t tables, companions;       /* frames the commit will need */
    frame_no_t spare_tables, spare_companions; /* those frames, chained by `detail` */
    struct space_charges charged;      /* since plan_reserve, what the commit may add included */
    struct span span;                  /* where the walk is: see plan_first */
    bool is_leaf;                      /* the range is inside one leaf table, and span is it */
};

/* Fails: INVALID, PROTECTED_RANGE; see space.h. */
MUST_CHECK status_t space_check_range(struct user_range range, enum entry_operation operation);
/* Range, protection, and every entry's transition; fills the plan.
 * Fails: INVALID, WRITE_EXECUTE, PROTECTED_RANGE, and the table's refusals. */
MUST_CHECK status_t plan_check(const struct core_cpu *cpu, struct range_plan *plan, uint32_t space,
                               enum entry_operation operation, uint32_t protection,
                               struct user_range range);
/* Fails: QUOTA_VIRTUAL, QUOTA_COMMITTED, QUOTA_METADATA, PRESSURE; state unchanged. */
MUST_CHECK status_t plan_reserve(struct core_cpu *cpu, struct range_plan *plan,
                                 uint64_t virtual_pages, uint64_t committed_pages);
/* Undoes plan_reserve; nothing was committed. */
void plan_cancel(struct core_cpu *cpu, struct range_plan *plan);
/* The commit's last step: releases what is charged beyond what the counters say now. */
void plan_settle(struct core_cpu *cpu, const struct range_plan *plan);
/* The commit's walk leaves each span in plan->span, after splitting what must change in part
 * or lives in leaf tables only:
 *     for (plan_first(cpu, &plan); plan_is_inside(&plan); plan_next(cpu, &plan))
 * A range inside one leaf table was walked by the check, and is not walked again. */
void plan_span(struct core_cpu *cpu, struct range_plan *plan, virt_addr_t address);
static inline void plan_first(struct core_cpu *cpu, struct range_plan *plan)
{
    if (!plan->is_leaf) {
        plan_span(cpu, plan, plan->start);
    }
}
static inline bool plan_is_inside(const struct range_plan *plan)
{
    return plan->span.address < plan->end;
}
static inline void plan_next(struct core_cpu *cpu, struct range_plan *plan)
{
    if (plan->span.next < plan->end) {
        plan_span(cpu, plan, plan->span.next);
    } else {
        plan->span.address = plan->end;
    }
}
/* The companion of the span's leaf table, from the spares if it had none. */
uint64_t *plan_companion(struct core_cpu *cpu, struct range_plan *plan);

/* --- space_clear.c --- */

void work_init(struct space_work *work);
void work_flush(struct space_work *work, virt_addr_t start, virt_addr_t end);
/* True if translations of the run may not outlive its change to `protection`: some page
 * loses a right, or gains execution (AS3). */
static inline bool rights_need_flush(const struct state_run *old, uint32_t protection)
{
    uint32_t lost = entry_protection(old->any) & ~protection;
    uint32_t gained = protection & ~entry_protection(old->all);
    return lost != 0 || (gained & CAD_PROT_EXECUTE) != 0;
}
/* Every entry of the span becomes NONE, whatever it was; counters follow, frames
 * join the chain, and tables left empty are taken out. */
void span_clear(struct core_cpu *cpu, uint32_t space, const struct span *span,
                struct space_work *work);
/* What the counters say is charged; and the release of what `charged` has beyond it. */
static inline struct space_charges space_charges(const struct core_cpu *cpu, uint32_t space)
{
    const struct space *record = space_of(cpu, space);
    return (struct space_charges){
        .virtual_pages = record->virtual_pages,
        .committed_pages = record->committed_pages,
        .metadata_frames = (uint64_t)record->table_pages + record->system_pages,
    };
}
void space_settle(struct core_cpu *cpu, uint32_t space, const struct space_charges *charged);

#endif
