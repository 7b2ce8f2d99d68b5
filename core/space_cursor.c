// SPDX-License-Identifier: BSD-2-Clause
/*
 * Range locks of a space (AS6): docs/decisions/0009-range-locks.md says why this is enough.
 *
 * The lock of a table is its frame's kind: TABLE is free, TABLE_HELD is held.  State, kind
 * and pins are one word, so one compare-and-exchange takes the lock and proves that the
 * frame is a table still: a table is taken out by whoever holds it, and leaves the kind by
 * leaving the state.
 */
#include "base/assert.h"
#include "base/atomic.h"
#include "core/space_priv.h"

/* Any word of memory: what lies in it is a struct frame's first four bytes. */
typedef uint32_t __attribute__((may_alias)) frame_head_t;

static frame_head_t *table_head(const struct core_cpu *cpu, frame_no_t table)
{
    COMPILE_ASSERT(offsetof(struct frame, state) == 0 && offsetof(struct frame, kind) == 1 &&
                       offsetof(struct frame, pins) == 2,
                   head_is_state_kind_pins);
    return (frame_head_t *)(void *)frame_of(cpu, table);
}

/* A table leaves for QUARANTINE by one store of state and kind; and if it were two, neither alone
 * would look like a table. */
COMPILE_ASSERT(FRAME_KIND_TABLE != 0 && FRAME_KIND_TABLE != FRAME_QUARANTINE_ZERO,
               no_frame_looks_like_a_table_on_its_way_out);
/* Little-endian, as both machines are. */
#define TABLE_HEAD(kind) ((uint32_t)FRAME_KERNEL | (uint32_t)(kind) << 8)

static void tables_held_change(struct core_cpu *cpu, int by)
{
#ifdef CONFIG_ASSERT
    cpu->tables_held += (uint32_t)by;
#else
    (void)cpu;
    (void)by;
#endif
}

static void table_order_check(struct core_cpu *cpu)
{
#ifdef CONFIG_ASSERT
    if (cpu->cadastre->host.table_check != NULL) {
        cpu->cadastre->host.table_check(cpu);
    }
#else
    (void)cpu;
#endif
}

/* The exchange pairs with the store of the unlock before it: what the last holder wrote is seen. */
static inline bool table_try_lock(struct core_cpu *cpu, frame_head_t *head)
{
    frame_head_t seen = TABLE_HEAD(FRAME_KIND_TABLE);
    if (!atomic_compare_exchange(head, &seen, TABLE_HEAD(FRAME_KIND_TABLE_HELD))) {
        return false;
    }
    tables_held_change(cpu, 1);
    return true;
}

/* Gives: false if the frame is not a table any more. */
__attribute__((noinline)) static bool table_lock_slowly(struct core_cpu *cpu, frame_head_t *head)
{
    while (!table_try_lock(cpu, head)) {
        frame_head_t seen = atomic_load_relaxed(head);
        if (seen == TABLE_HEAD(FRAME_KIND_TABLE_HELD)) {
            HOST(cpu, table_wait)(cpu);
        } else if (seen != TABLE_HEAD(FRAME_KIND_TABLE)) {
            return false;
        }
    }
    return true;
}

static inline bool table_lock(struct core_cpu *cpu, frame_no_t table)
{
    frame_head_t *head = table_head(cpu, table);
    table_order_check(cpu);
    return LIKELY(table_try_lock(cpu, head)) || table_lock_slowly(cpu, head);
}

static void table_unlock(struct core_cpu *cpu, frame_no_t table)
{
    ASSERT(atomic_load_relaxed(table_head(cpu, table)) == TABLE_HEAD(FRAME_KIND_TABLE_HELD));
    tables_held_change(cpu, -1);
    atomic_store_release(table_head(cpu, table), TABLE_HEAD(FRAME_KIND_TABLE));
}

void cursor_lock_new(struct core_cpu *cpu, struct cursor *cursor, frame_no_t table)
{
    cursor->holds_below = true;
    ASSERT(atomic_load_relaxed(table_head(cpu, table)) == TABLE_HEAD(FRAME_KIND_TABLE));
    tables_held_change(cpu, 1);
    atomic_store_relaxed(table_head(cpu, table), TABLE_HEAD(FRAME_KIND_TABLE_HELD));
}

void table_lock_gone(struct core_cpu *cpu, frame_no_t table)
{
    if (atomic_load_relaxed(table_head(cpu, table)) == TABLE_HEAD(FRAME_KIND_TABLE_HELD)) {
        tables_held_change(cpu, -1);
    }
}

/* From the root, without locks, to the lowest table over `start` that there is, but not below
 * level `lowest`.  What is read is a table's word: tables are zero when taken out, and no round
 * ends before this CPU answers, which it does not before it has the lock. */
static inline frame_no_t span_walk(const struct core_cpu *cpu, uint32_t space, virt_addr_t start,
                                   unsigned lowest, unsigned *level)
{
    const uint8_t *memory = cpu->cadastre->host.direct_map;
    phys_addr_t table = frame_address(space_of(cpu, space)->root);
    unsigned at = LEVEL_ROOT;
#pragma GCC unroll 3
    for (; at > lowest; at--) {
        const uint64_t *words = (const void *)(memory + table);
        uint64_t word = atomic_load_acquire(&words[entry_index(start, at)]);
        if ((word & ENTRY_STATE_MASK) != (uint64_t)ENTRY_TABLE << ENTRY_STATE_SHIFT) {
            break;
        }
        table = word & MMU_ADDRESS_MASK;
    }
    *level = at;
    return address_frame(table);
}

bool space_try_read(const struct core_cpu *cpu, uint32_t space, virt_addr_t address,
                    uint32_t *value)
{
    const uint8_t *memory = cpu->cadastre->host.direct_map;
    unsigned level;
    if (address >= CAD_USER_END) {
        return false;
    }
    frame_no_t table = span_walk(cpu, space, address, 0, &level);
    if (level != 0) {
        return false;
    }
    uint64_t word = atomic_load_acquire(&table_words(cpu, table)[entry_index(address, 0)]);
    if (!entry_is_present(word) || (word & cpu->cadastre->format->accessed) == 0) {
        return false; /* what is present may be read */
    }
    phys_addr_t at = frame_address(entry_value(word)) + (address & (PAGE_SIZE - 1));
    *value = atomic_load_acquire((const uint32_t *)(const void *)(memory + at));
    return true;
}

/* The lowest level at which a table spans the range, if there is one. */
static unsigned spanning_level(virt_addr_t start, virt_addr_t end)
{
    virt_addr_t differ = (start ^ (end - 1)) >> entry_shift(1);
    unsigned level = 0;
    for (; differ != 0; differ >>= MMU_INDEX_BITS) {
        level++;
    }
    return level;
}

static inline void cursor_begin(struct cursor *cursor, uint32_t space, virt_addr_t start,
                                frame_no_t top, unsigned level)
{
    cursor->space = space;
    cursor->level = level;
    cursor->top = top;
    cursor->holds_below = false;
    cursor->start = cursor->reached = start;
}

__attribute__((noinline)) static void cursor_enter_above(struct core_cpu *cpu,
                                                         struct cursor *cursor, uint32_t space,
                                                         virt_addr_t start, unsigned lowest)
{
    for (;;) {
        unsigned level;
        frame_no_t table = span_walk(cpu, space, start, lowest, &level);
        if (!table_lock(cpu, table)) {
            continue;
        }
        if (level > lowest) {
            uint64_t word = atomic_load_relaxed(
                &table_words(cpu, table)[entry_index(start, level)]);
            if (entry_state(word) == ENTRY_TABLE) {
                table_unlock(cpu, table); /* split meanwhile */
                continue;
            }
        }
        cursor_begin(cursor, space, start, table, level);
        return;
    }
}

void cursor_enter(struct core_cpu *cpu, struct cursor *cursor, uint32_t space, virt_addr_t start,
                  virt_addr_t end)
{
    ASSERT(start < end && end <= CAD_USER_END);
    unsigned lowest = spanning_level(start, end);
    if (lowest == 0) { /* mostly there, and free */
        unsigned level;
        frame_no_t table = span_walk(cpu, space, start, 0, &level);
        table_order_check(cpu);
        if (level == 0 && LIKELY(table_try_lock(cpu, table_head(cpu, table)))) {
            cursor_begin(cursor, space, start, table, 0);
            return;
        }
    }
    cursor_enter_above(cpu, cursor, space, start, lowest);
}

void cursor_lock_table(struct core_cpu *cpu, struct cursor *cursor, frame_no_t table)
{
    cursor->holds_below = true;
    bool is_table = table_lock(cpu, table);
    CHECK_VALUE(is_table, table); /* its parent is held, and names it */
}

void cursor_descend(struct core_cpu *cpu, struct cursor *cursor, frame_no_t table)
{
    ASSERT(cursor->level == 1);
    table_unlock(cpu, cursor->top);
    cursor->top = table;
    cursor->level = 0;
    cursor->holds_below = false;
}

/* The tables below `table` that [start, reached) touches, and it. */
static void unlock_from(struct core_cpu *cpu, const struct cursor *cursor, frame_no_t table,
                        unsigned level, virt_addr_t base)
{
    virt_addr_t end = base + entry_bytes(level) * MMU_TABLE_ENTRIES;
    unsigned first = cursor->start > base ? entry_index(cursor->start, level) : 0;
    unsigned last = cursor->reached < end ? entry_index(cursor->reached - 1, level)
                                          : MMU_TABLE_ENTRIES - 1;
    const uint64_t *words = table_words(cpu, table);
    for (unsigned i = first; level > 0 && i <= last; i++) {
        if (entry_state(words[i]) == ENTRY_TABLE) {
            unlock_from(cpu, cursor, entry_value(words[i]), level - 1,
                        base + i * entry_bytes(level));
        }
    }
    if (level == 1) {
        HOST(cpu, interrupt_window)(cpu);
    }
    table_unlock(cpu, table);
}

void cursor_leave(struct core_cpu *cpu, const struct cursor *cursor)
{
    if (!cursor->holds_below) {
        table_unlock(cpu, cursor->top);
        return;
    }
    virt_addr_t base = cursor->start & ~(entry_bytes(cursor->level) * MMU_TABLE_ENTRIES - 1);
    unlock_from(cpu, cursor, cursor->top, cursor->level, base);
}

/* The table at level `floor` - 1 over `address`, if it is there and empty still.
 * Gives: whether its parent was left empty too. */
static bool prune_one(struct core_cpu *cpu, uint32_t space, virt_addr_t address, unsigned floor,
                      struct space_work *work)
{
    struct cursor cursor;
    cursor_enter_above(cpu, &cursor, space, address, floor);
    uint64_t *word = &table_words(cpu, cursor.top)[entry_index(address, floor)];
    bool is_left = cursor.level == floor && entry_state(*word) == ENTRY_TABLE;
    bool goes_on = false;
    if (is_left) {
        frame_no_t table = entry_value(*word);
        cursor_lock_table(cpu, &cursor, table);
        if (frame_of(cpu, table)->maps == 0) {
            struct space_change change = { .table_pages = 0 };
            table_unlink(cpu, space, cursor.top, word, address, &change, work);
            space_settle(cpu, space, &(struct space_charges){ .metadata_frames = 0 }, &change);
            goes_on = floor < LEVEL_ROOT && frame_of(cpu, cursor.top)->maps == 0;
        } else {
            table_unlock(cpu, table);
        }
    }
    work_owe(work);
    table_unlock(cpu, cursor.top);
    return goes_on;
}

void cursor_prune(struct core_cpu *cpu, const struct cursor *cursor, struct space_work *work)
{
    unsigned floor = cursor->level + 1;
    while (prune_one(cpu, cursor->space, cursor->start, floor, work)) {
        floor++;
    }
}
