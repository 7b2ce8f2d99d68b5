// SPDX-License-Identifier: BSD-2-Clause
/*
 * Large pages (AS7): an entry of level 1 that is COMMITTED, RESIDENT or HIDDEN as a whole.
 *
 * The leaf table that its 512 pages would need is charged and taken with it, and stands by:
 * empty, and named by no entry above it.  So part of a large page can change without anything
 * that can fail, and its frames are owned as those of small pages are: frame i of it is
 * ANON(that table, i), before and after it is split.  A COMMITTED entry's value is the table;
 * of the others it is the first frame, whose owner is the table.
 *
 * Nobody but the holder of the level 1 table can come to a table that stands by.
 */
#include "base/assert.h"
#include "base/atomic.h"
#include "core/space_priv.h"

COMPILE_ASSERT(FRAMES_LARGE == MMU_TABLE_ENTRIES, a_large_page_is_one_table_of_pages);

frame_no_t large_table(const struct core_cpu *cpu, uint64_t word)
{
    frame_no_t value = entry_value(word);
    return entry_state(word) == ENTRY_COMMITTED ? value : frame_of(cpu, value)->owner;
}

void large_commit(struct core_cpu *cpu, uint64_t *word, uint32_t protection, frame_no_t table)
{
    frame_set_companion(&cpu->cadastre->frames, table, FRAME_NONE);
    atomic_store_relaxed(word, entry_make_absent(ENTRY_COMMITTED, protection, table));
}

bool large_fill(struct core_cpu *cpu, uint64_t *word)
{
    uint64_t old = *word;
    ASSERT(entry_state(old) == ENTRY_COMMITTED && entry_protection(old) != CAD_PROT_NONE);
    frame_no_t first = frame_large_take_anon(cpu, large_table(cpu, old));
    if (first == FRAME_NONE) {
        return false;
    }
    /* Orders the zeroed pages before the hardware can reach them. */
    atomic_store_release(word, entry_make_large(cpu->cadastre->format, entry_protection(old),
                                                first));
    return true;
}

/* The words of its 512 pages.  Gives: the large page's word, that they were made of. */
static uint64_t small_words(const struct core_cpu *cpu, const uint64_t *word, uint64_t *words)
{
    const struct mmu_format *format = cpu->cadastre->format;
    uint64_t old = atomic_load_relaxed(word), first = old, step = PAGE_SIZE;
    if (entry_state(old) == ENTRY_COMMITTED) {
        first = entry_make_absent(ENTRY_COMMITTED, entry_protection(old), 0);
        step = 0;
    } else if (entry_is_present(old)) {
        first = entry_make_page(format, ENTRY_RESIDENT, entry_protection(old), entry_value(old)) |
                entry_marks(format, old);
    }
    for (unsigned i = 0; i < MMU_TABLE_ENTRIES; i++) {
        words[i] = first + i * step;
    }
    return old;
}

frame_no_t large_split(struct core_cpu *cpu, struct cursor *cursor, uint64_t *word)
{
    frame_no_t table = large_table(cpu, *word);
    CHECK_VALUE(frame_of(cpu, table)->maps == 0, table);
    uint64_t old = small_words(cpu, word, table_words(cpu, table));
    frame_map_many(&cpu->cadastre->frames, table, FRAME_KERNEL, MMU_TABLE_ENTRIES);
    cursor_lock_new(cpu, cursor, table);
    /* The hardware may be marking the page; no mark is lost (TL5).  Orders the words, and the
     * lock, before anybody can find them. */
    while (!atomic_compare_exchange(word, &old, entry_make_table(cpu->cadastre->format, table))) {
        old = small_words(cpu, word, table_words(cpu, table));
    }
    return table;
}

static void large_drop(struct core_cpu *cpu, uint32_t space, uint64_t old,
                       struct space_change *change, struct space_work *work)
{
    frame_no_t table = large_table(cpu, old);
    if (entry_state(old) != ENTRY_COMMITTED) {
        frame_run_quarantine(cpu, &work->chain, entry_value(old), MMU_TABLE_ENTRIES, table);
        change->resident_pages -= MMU_TABLE_ENTRIES;
    }
    /* No translation went through it, so nothing is to be waited for. */
    frame_release_zero(cpu, table, space);
    change->table_pages--;
    change->committed_pages -= MMU_TABLE_ENTRIES;
}

void large_span_drop(struct core_cpu *cpu, uint32_t space, const struct span *span, uint64_t left,
                     struct space_change *change, struct space_work *work)
{
    if (entry_state(span->words[0]) != ENTRY_COMMITTED) {
        work_flush(work, span->address, span->next);
    }
    for (unsigned i = 0; i < span->count; i++) {
        large_drop(cpu, space, atomic_exchange(&span->words[i], left), change, work);
    }
}
