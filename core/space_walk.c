// SPDX-License-Identifier: BSD-2-Clause
/*
 * Walking: from an address to the run of entries that covers it, and the
 * search for free addresses.
 */
#include "base/assert.h"
#include "base/atomic.h"
#include "core/space_priv.h"

static bool are_eight(const uint64_t *w, uint64_t word)
{
    return w[0] == word && w[1] == word && w[2] == word && w[3] == word && w[4] == word &&
           w[5] == word && w[6] == word && w[7] == word;
}

/* Entries from words[0] on, at most `limit`, that are the same word: eight at a time, as runs
 * are often as long as their table.  Hardware that marks one meanwhile may end the run there. */
static unsigned same_run(const uint64_t *words, unsigned limit)
{
    const uint64_t first = words[0], *at = words + 1, *end = words + limit;
    while (end - at >= 8 && are_eight(at, first)) {
        at += 8;
    }
    while (at < end && *at == first) {
        at++;
    }
    return (unsigned)(at - words);
}

/* How many entries from `address` on the span takes: of a leaf table all that were asked for,
 * above it one that is asked for in part, or a run of whole ones that are alike. */
static unsigned span_entries(const struct span *span, virt_addr_t end)
{
    uint64_t bytes = entry_bytes(span->level), offset = span->address & (bytes - 1);
    unsigned in_table = MMU_TABLE_ENTRIES - span->first;
    uint64_t asked = (end - span->address) >> entry_shift(span->level);
    unsigned limit = asked < in_table ? (unsigned)asked : in_table;
    if (span->level == 0) {
        return limit;
    }
    return offset != 0 || limit <= 1 ? 1 : same_run(span->words, limit);
}

void span_find_below(struct core_cpu *cpu, struct cursor *cursor, virt_addr_t address,
                     virt_addr_t end, struct span *span)
{
    ASSERT(address < end && end <= CAD_USER_END);
    frame_no_t table = cursor->top;
    unsigned level = cursor->level;
    for (;;) {
        unsigned index = entry_index(address, level);
        uint64_t *words = &table_words(cpu, table)[index];
        uint64_t word = atomic_load_relaxed(words);
        span->path[level] = table;
        if (level == 0 || entry_state(word) != ENTRY_TABLE) {
            span->words = words;
            span->first = index;
            break;
        }
        table = entry_value(word);
        virt_addr_t base = address & ~(entry_bytes(level) - 1);
        if (cursor->reached <= base || cursor->reached == cursor->start) {
            cursor_lock_table(cpu, cursor, table); /* the cursor's first look into it */
        }
        level--;
    }
    span->address = address;
    span->level = level;
    span->count = span_entries(span, end);
    uint64_t bytes = entry_bytes(level);
    virt_addr_t reach = (address & ~(bytes - 1)) + span->count * bytes;
    span->next = reach < end ? reach : end;
    cursor->reached = cursor->reached < span->next ? span->next : cursor->reached;
}

/* Entries agree in a bit where their OR and their AND do. */
struct state_run state_run_of_many(const uint64_t *words, unsigned limit)
{
    ASSERT(limit > 0);
    uint64_t first = words[0];
    struct state_run run = { .count = same_run(words, limit), .any = first, .all = first };
    for (; limit - run.count >= 8; run.count += 8) {
        const uint64_t *w = &words[run.count];
        uint64_t any = run.any | w[0], all = run.all & w[0];
        any |= w[1], all &= w[1];
        any |= w[2], all &= w[2];
        any |= w[3], all &= w[3];
        any |= w[4], all &= w[4];
        any |= w[5], all &= w[5];
        any |= w[6], all &= w[6];
        any |= w[7], all &= w[7];
        if (((any ^ all) & ENTRY_STATE_MASK) != 0) {
            break;
        }
        run.any = any;
        run.all = all;
    }
    while (run.count < limit && ((words[run.count] ^ first) & ENTRY_STATE_MASK) == 0) {
        run.any |= words[run.count];
        run.all &= words[run.count];
        run.count++;
    }
    return run;
}

uint64_t *table_companion(const struct core_cpu *cpu, frame_no_t table)
{
    frame_no_t companion = frame_of(cpu, table)->detail;
    return companion == FRAME_NONE ? NULL : table_words(cpu, companion);
}

uint32_t space_mapping_at(struct core_cpu *cpu, struct cursor *cursor, virt_addr_t address)
{
    struct span span;
    span_find(cpu, cursor, address, address + PAGE_SIZE, &span);
    ASSERT(span.level == 0 && entry_state(span.words[0]) == ENTRY_BORROWED);
    const uint64_t *mappings = table_companion(cpu, span.path[0]);
    CHECK_VALUE(mappings != NULL, span.path[0]);
    return (uint32_t)mappings[span.first];
}

/* A search under way: [start, ...) has been NONE so far. */
struct hole {
    virt_addr_t start;
    uint64_t bytes, alignment;
};

static bool hole_fits(const struct hole *hole, virt_addr_t free_until)
{
    return free_until > hole->start && free_until - hole->start >= hole->bytes;
}

static void hole_restart(struct hole *hole, virt_addr_t after)
{
    hole->start = (after + hole->alignment - 1) & ~(hole->alignment - 1);
}

/* An entry that somebody may be changing. */
struct peek {
    uint64_t word;
    virt_addr_t end;  /* of what the entry covers, and others behind it that are NONE as well; of
                       * a leaf table's: of the table's; at most CAD_SYSTEM_BASE */
    unsigned level;
    frame_no_t table;
};

/* Without locks: nobody's table is reused while this CPU looks (kernel/tlb.h), and who takes
 * what was found looks again under its lock.  Looks no further than `enough`. */
static void peek_at(const struct core_cpu *cpu, frame_no_t root, virt_addr_t address,
                    virt_addr_t enough, struct peek *peek)
{
    uint64_t *words;
    peek->table = root;
    peek->level = LEVEL_ROOT;
    for (;;) {
        words = table_words(cpu, peek->table);
        peek->word = atomic_load_acquire(&words[entry_index(address, peek->level)]);
        if (peek->level == 0 || entry_state(peek->word) != ENTRY_TABLE) {
            break;
        }
        peek->table = entry_value(peek->word);
        peek->level--;
    }
    uint64_t bytes = entry_bytes(peek->level == 0 ? 1 : peek->level);
    virt_addr_t end = (address & ~(bytes - 1)) + bytes;
    if (peek->level > 0 && peek->word == 0) {
        unsigned next = entry_index(address, peek->level) + 1;
        for (; next < MMU_TABLE_ENTRIES && end < enough; next++, end += bytes) {
            if (atomic_load_relaxed(&words[next]) != 0) {
                break;
            }
        }
    }
    peek->end = end < CAD_SYSTEM_BASE ? end : CAD_SYSTEM_BASE;
}

/* How many entries from words[0] on are NONE, at most `limit`: eight at a time. */
static unsigned none_run(const uint64_t *words, unsigned limit)
{
    unsigned run = 0;
    for (; limit - run >= 8; run += 8) {
        const uint64_t *w = &words[run];
        uint64_t any = atomic_load_relaxed(&w[0]) | atomic_load_relaxed(&w[1]) |
                       atomic_load_relaxed(&w[2]) | atomic_load_relaxed(&w[3]) |
                       atomic_load_relaxed(&w[4]) | atomic_load_relaxed(&w[5]) |
                       atomic_load_relaxed(&w[6]) | atomic_load_relaxed(&w[7]);
        if (any != 0) {
            break;
        }
    }
    while (run < limit && atomic_load_relaxed(&words[run]) == 0) {
        run++;
    }
    return run;
}

/* Leaf entries from `at` on, unless the table is known to be full.
 * Gives: true when the hole fits. */
static bool hole_scan_leaf(const struct core_cpu *cpu, struct hole *hole, const struct peek *peek,
                           virt_addr_t at)
{
    if (atomic_load_relaxed(&frame_of(cpu, peek->table)->maps) == MMU_TABLE_ENTRIES) {
        hole_restart(hole, peek->end);
        return false;
    }
    const uint64_t *words = table_words(cpu, peek->table);
    while (at < peek->end) {
        virt_addr_t enough = hole->start + hole->bytes;
        virt_addr_t end = enough < peek->end ? enough : peek->end;
        unsigned limit = (unsigned)((end - at) >> PAGE_SHIFT);
        unsigned run = none_run(&words[entry_index(at, 0)], limit);
        if (run == limit) {
            return end == enough;
        }
        hole_restart(hole, at + (run + 1) * PAGE_SIZE);
        at = hole->start;
    }
    return false;
}

#define SEARCH_STEPS 8u /* entries, or leaf tables as wholes, from one window to the next */

static bool hole_find(const struct core_cpu *cpu, frame_no_t root, struct hole *hole,
                      virt_addr_t from)
{
    hole_restart(hole, from);
    virt_addr_t at = hole->start;
    for (unsigned steps = 1; CAD_SYSTEM_BASE - hole->bytes >= hole->start; steps++) {
        struct peek peek;
        if (steps % SEARCH_STEPS == 0) {
            HOST(cpu, interrupt_window)(cpu); /* no walk: each peek begins at the root */
        }
        at = at > hole->start ? at : hole->start;
        peek_at(cpu, root, at, hole->start + hole->bytes, &peek);
        if (peek.level == 0) {
            if (hole_scan_leaf(cpu, hole, &peek, at)) {
                return true;
            }
        } else if (entry_state(peek.word) != ENTRY_NONE) {
            hole_restart(hole, peek.end);
        } else if (hole_fits(hole, peek.end)) {
            return true;
        }
        at = peek.end;
    }
    return false;
}

/* The largest level whose entries the request is made of, so that it becomes entries of it. */
static uint64_t hole_alignment(uint64_t bytes)
{
    unsigned level = LEVEL_ROOT - 1;
    while (level > 0 && (bytes & (entry_bytes(level) - 1)) != 0) {
        level--;
    }
    return entry_bytes(level);
}

#undef space_find_free
bool space_find_free(const struct core_cpu *cpu, uint32_t space, uint64_t pages,
                     virt_addr_t *address)
{
    const struct space *record = space_of(cpu, space);
    if (pages > (CAD_SYSTEM_BASE - CAD_USER_BASE) >> PAGE_SHIFT) {
        return false;
    }
    uint64_t bytes = pages << PAGE_SHIFT;
    struct hole hole = { .bytes = bytes, .alignment = hole_alignment(bytes) };
    if (!hole_find(cpu, record->root, &hole, atomic_load_relaxed(&record->search)) &&
        !hole_find(cpu, record->root, &hole, CAD_USER_BASE)) {
        return false;
    }
    *address = hole.start;
    return true;
}
