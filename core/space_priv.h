// SPDX-License-Identifier: BSD-2-Clause
/*
 * Inside of core/space*.c: how a range is walked, planned and changed.
 *
 *   cursor a locked range: the tables that it holds
 *   span   a run of entries of one table, found by one walk from the cursor's
 *          top: many of a leaf table, or one of a larger level
 *   plan   one range operation: its cursor, what the check found, what was
 *          reserved for the commit (charges, and frames for tables and
 *          companions), and what the commit has changed
 *
 * An operation is: plan_check, plan_reserve, then for each plan_span its
 * change, then plan_close.  plan_span splits larger entries with the frames
 * that plan_reserve took, so the commit has nothing left that can fail.
 *
 * Counters and charges are one fact: a space's ledger is charged
 *   virtual    virtual_pages
 *   committed  committed_pages
 *   metadata   CHARGE_SPACE + (table_pages + system_pages) * CHARGE_FRAME
 * plan_reserve charges the most that the commit may add; plan_close adds what it did add,
 * and releases the rest.  Nobody reads a counter to decide something.
 */
#ifndef CORE_SPACE_PRIV_H
#define CORE_SPACE_PRIV_H

#include "base/atomic.h"
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

/* --- space_cursor.c --- */

/* A range of one space that nobody else reads or changes, from enter to leave.  It holds
 * `top`, the lowest table that spans the range, and each table below that [start, reached)
 * touches; the check of a plan locks them as it goes.  Locks: tables.  Needs: this CPU has
 * the space loaded, or is among those that a round asks (kernel/tlb.h). */
struct cursor {
    uint32_t space;
    unsigned level;      /* of `top` */
    frame_no_t top;
    bool holds_below;    /* tables below it too */
    virt_addr_t start, reached;
};
void cursor_enter(struct core_cpu *cpu, struct cursor *cursor, uint32_t space, virt_addr_t start,
                  virt_addr_t end);
void cursor_leave(struct core_cpu *cpu, const struct cursor *cursor);
/* Takes out `top`, which was left empty, and what becomes empty by it.  Needs: left. */
void cursor_prune(struct core_cpu *cpu, const struct cursor *cursor, struct space_work *work);
/* Of a space that nobody else sees: holds nothing, is not left. */
static inline struct cursor cursor_unlocked(const struct core_cpu *cpu, uint32_t space)
{
    return (struct cursor){ .space = space, .level = LEVEL_ROOT, .top = space_of(cpu, space)->root,
                            .start = CAD_USER_BASE, .reached = CAD_USER_END };
}
/* `table`, which it holds below `top`, becomes `top`; the one above is let go. */
void cursor_descend(struct core_cpu *cpu, struct cursor *cursor, frame_no_t table);
/* A table that one of the cursor's names joins them. */
void cursor_lock_table(struct core_cpu *cpu, struct cursor *cursor, frame_no_t table);
/* A table that nobody can see yet does; one that is about to be taken out. */
void cursor_lock_new(struct core_cpu *cpu, struct cursor *cursor, frame_no_t table);
void table_lock_gone(struct core_cpu *cpu, frame_no_t table);

/* --- space_walk.c --- */

struct span {
    virt_addr_t address, next;    /* [address, next), clipped to what was asked */
    unsigned level, first, count; /* entries [first, first + count); alike if level > 0 */
    uint64_t *words;              /* of entry `first` */
    frame_no_t path[MMU_LEVELS];  /* tables from the cursor's top down to `level` */
};

/* Needs: [address, end) inside the cursor's range.  Locks what it enters at cursor->reached,
 * which follows to span->next. */
void span_find_below(struct core_cpu *cpu, struct cursor *cursor, virt_addr_t address,
                     virt_addr_t end, struct span *span);
static inline void span_find(struct core_cpu *cpu, struct cursor *cursor, virt_addr_t address,
                             virt_addr_t end, struct span *span)
{
    if (cursor->level > 0) {
        span_find_below(cpu, cursor, address, end, span);
        return;
    }
    span->address = address;
    span->next = cursor->reached = end;
    span->level = 0;
    span->first = entry_index(address, 0);
    span->count = (unsigned)((end - address) >> PAGE_SHIFT);
    span->words = &table_words(cpu, cursor->top)[span->first];
    span->path[0] = cursor->top;
}
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
/* Entries that no hardware looks at become `word`; who searches for room may look at them. */
static inline void words_fill(uint64_t *words, unsigned count, uint64_t word)
{
    uint64_t *end = words + count;
    for (; end - words >= 4; words += 4) {
        atomic_store_relaxed(&words[0], word);
        atomic_store_relaxed(&words[1], word);
        atomic_store_relaxed(&words[2], word);
        atomic_store_relaxed(&words[3], word);
    }
    for (; words < end; words++) {
        atomic_store_relaxed(words, word);
    }
}
/* The mapping ids of a leaf table's entries, NULL if it has no companion. */
uint64_t *table_companion(const struct core_cpu *cpu, frame_no_t table);
/* Mapping id of a BORROWED entry's page, inside the cursor's range. */
uint32_t space_mapping_at(struct core_cpu *cpu, struct cursor *cursor, virt_addr_t address);
/* Gives: false if no run of NONE is long enough.  Cost: O(entries from `search` to the run). */
bool space_find_free(const struct core_cpu *cpu, uint32_t space, uint64_t pages,
                     virt_addr_t *address);
#ifdef CONFIG_FAULT_POINTS /* as in core/fault_calls.h */
#define space_find_free(cpu, space, pages, address)                                                \
    FAULT_CALL(cpu, space_find_free, CAD_NO_SPACE, false,                                          \
               (space_find_free)(cpu, space, pages, address))
#endif
/* Addresses from `start` on became free: the next search sees them.  A hint: a lost one costs
 * a search from the start. */
static inline void space_search_from(struct space *record, virt_addr_t start)
{
    if (start >= CAD_SEARCH_BASE && start < atomic_load_relaxed(&record->search)) {
        atomic_store_relaxed(&record->search, start);
    }
}

/* --- space_large.c --- */

#define LEVEL_LARGE 1
/* Of a level above 0: a large page (or, at level 0, a page) that is committed. */
static inline bool entry_is_committed(uint64_t word)
{
    enum entry_state state = entry_state(word);
    return state == ENTRY_COMMITTED || state == ENTRY_RESIDENT || state == ENTRY_HIDDEN;
}
/* The table that stands by for a large page. */
frame_no_t large_table(const struct core_cpu *cpu, uint64_t word);
/* A RESERVED entry becomes COMMITTED, and `table`, a new one, stands by for it. */
void large_commit(struct core_cpu *cpu, uint64_t *word, uint32_t protection, frame_no_t table);
/* COMMITTED becomes RESIDENT.  Gives: false if no run of frames is free; unchanged. */
bool large_fill(struct core_cpu *cpu, uint64_t *word);
/* The entry becomes a table of 512 pages that are what it was; the cursor holds it.  Who split a
 * present one owes a flush of it.  Gives: the table. */
frame_no_t large_split(struct core_cpu *cpu, struct cursor *cursor, uint64_t *word);
struct space_change;
/* The span's entries become `left`, RESERVED or NONE: their tables go, their frames join the
 * chain. */
void large_span_drop(struct core_cpu *cpu, uint32_t space, const struct span *span, uint64_t left,
                     struct space_change *change, struct space_work *work);

/* --- space_plan.c --- */

/* What an operation has done to the counters so far; what it lost is added modulo 2^n. */
struct space_change {
    uint64_t virtual_pages, committed_pages, resident_pages, borrowed_pages;
    uint32_t table_pages, system_pages;
};
/* What it was charged before. */
struct space_charges {
    uint64_t virtual_pages, committed_pages;
    uint64_t metadata_frames; /* tables, companions, system pages */
};
/* The counters follow; what was charged and not used, or is used no more, is released. */
void space_settle(struct core_cpu *cpu, uint32_t space, const struct space_charges *charged,
                  const struct space_change *change);

struct range_plan {
    uint32_t space;
    enum entry_operation operation;
    uint32_t protection;               /* normal form; what entries will owe */
    virt_addr_t start, end;
    uint64_t reserved_pages;           /* found RESERVED */
    uint32_t tables, companions;       /* frames the commit will need */
    frame_no_t spare_tables, spare_companions; /* those frames, chained by `detail` */
    struct space_charges charged;      /* by plan_reserve */
    struct space_change change;        /* by the commit */
    struct cursor cursor;
    struct span span;                  /* where the walk is: see plan_first */
    bool is_leaf;                      /* the range is inside one leaf table, and span is it */
    bool is_small;                     /* commit: no large pages */
    virt_addr_t split_start, split_end; /* of present large pages that the commit split */
};

/* Fails: INVALID, PROTECTED_RANGE; see space.h. */
MUST_CHECK status_t space_check_range(struct user_range range, enum entry_operation operation);
/* Range, protection, and every entry's transition; fills the plan, and locks the range.
 * Fails, with nothing locked: INVALID, WRITE_EXECUTE, PROTECTED_RANGE, and the table's
 * refusals. */
MUST_CHECK status_t plan_check(struct core_cpu *cpu, struct range_plan *plan, uint32_t space,
                               enum entry_operation operation, uint32_t protection,
                               struct user_range range);
/* The same, for a range that the space chooses if its start is 0.  Fails: NO_SPACE too. */
MUST_CHECK status_t plan_check_chosen(struct core_cpu *cpu, struct range_plan *plan,
                                      uint32_t space, enum entry_operation operation,
                                      uint32_t protection, struct user_range range);
/* Once it succeeded: the next search starts behind what was chosen for `asked`. */
static inline void space_chose(struct core_cpu *cpu, const struct range_plan *plan,
                               virt_addr_t asked)
{
    if (asked == 0) {
        atomic_store_relaxed(&space_of(cpu, plan->space)->search, plan->end);
    }
}
/* The plan's cursor, once more for [start, end) around its range.  Needs: what was checked cannot
 * change meanwhile, and needs no tables. */
void plan_widen(struct core_cpu *cpu, struct range_plan *plan, virt_addr_t start,
                virt_addr_t end);
/* Fails, with nothing locked: QUOTA_VIRTUAL, QUOTA_COMMITTED, QUOTA_METADATA, PRESSURE; state
 * unchanged. */
MUST_CHECK status_t plan_charge(struct core_cpu *cpu, struct range_plan *plan,
                                uint64_t virtual_pages, uint64_t committed_pages);
static inline status_t plan_reserve(struct core_cpu *cpu, struct range_plan *plan,
                                    uint64_t virtual_pages, uint64_t committed_pages)
{
    if ((virtual_pages | committed_pages | plan->tables | plan->companions) == 0 &&
        plan->operation != ENTRY_OP_MAP_SYSTEM) {
        return CAD_OK;
    }
    return plan_charge(cpu, plan, virtual_pages, committed_pages);
}
/* Undoes plan_check, and plan_reserve; nothing was committed. */
void plan_cancel(struct core_cpu *cpu, struct range_plan *plan);
/* The commit's last step: charges and counters follow what was changed, a round that is owed
 * (large pages that were split owe one) is announced, the range is let go.  `work` NULL: nothing
 * was weakened. */
void plan_close(struct core_cpu *cpu, struct range_plan *plan, struct space_work *work);
/* The commit's walk leaves each span in plan->span, after splitting what must change in part
 * or lives further down only:
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
/* A frame that plan_reserve took. */
frame_no_t spare_pop(struct core_cpu *cpu, frame_no_t *chain);
/* The companion of the span's leaf table, from the spares if it had none. */
uint64_t *plan_companion(struct core_cpu *cpu, struct range_plan *plan);

/* --- space_clear.c --- */

/* Empty, but for the host's own. */
static inline void work_init(struct space_work *work)
{
    work->flush = work->more = work->announced = false;
    work->chain = (struct frame_chain){ .head = FRAME_NONE };
    work->dead_count = 0;
}
void work_flush(struct space_work *work, virt_addr_t start, virt_addr_t end);
/* Others will know of the round, once the range's locks are dropped. */
static inline void work_owe(struct space_work *work)
{
    if (work->flush && !work->announced && work->rounds_owed != NULL) {
        (void)atomic_fetch_add(work->rounds_owed, 1);
        work->announced = true;
    }
}
/* True if translations of the run may not outlive its change to `protection`: some page
 * loses a right, or gains execution (AS3). */
static inline bool rights_need_flush(const struct state_run *old, uint32_t protection)
{
    uint32_t lost = entry_protection(old->any) & ~protection;
    uint32_t gained = protection & ~entry_protection(old->all);
    return lost != 0 || (gained & CAD_PROT_EXECUTE) != 0;
}
/* RESIDENT or HIDDEN entries of a leaf table give up their frames, neighbours together: each
 * keeps the bits `keep` of its word and gets `bits`. */
void anon_drop(struct core_cpu *cpu, frame_no_t table, uint64_t *words, unsigned count,
               uint64_t keep, uint64_t bits, struct space_work *work);
/* Every entry of the span becomes NONE, whatever it was; `change` follows, frames
 * join the chain, and tables below level `top` left empty are taken out. */
void span_clear(struct core_cpu *cpu, uint32_t space, const struct span *span, unsigned top,
                struct space_change *change, struct space_work *work);
/* The empty table that `word` of its parent names, over `address`.  Needs: both are held, or
 * nobody else sees the space. */
void table_unlink(struct core_cpu *cpu, uint32_t space, frame_no_t parent, uint64_t *word,
                  virt_addr_t address, struct space_change *change, struct space_work *work);

/* --- space_count.c --- */

/* Pages of the space that became present, by this CPU's count. */
static inline void space_note_filled(struct core_cpu *cpu, uint32_t space, uint32_t pages)
{
    if (cpu->filled_space != space) {
        space_cpu_leave(cpu);
        atomic_store_relaxed(&cpu->filled_space, space);
    }
    atomic_store_relaxed(&cpu->filled_pages, cpu->filled_pages + pages);
}

#endif
