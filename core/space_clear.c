// SPDX-License-Identifier: BSD-2-Clause
/*
 * Clearing: entries become NONE, what they held goes its way, tables that are
 * left empty come out of the tree.  Unmapping of every kind, and teardown.
 */
#include "base/assert.h"
#include "base/atomic.h"
#include "core/space_priv.h"

void work_flush(struct space_work *work, virt_addr_t start, virt_addr_t end)
{
    if (!work->flush || start < work->start) {
        work->start = start;
    }
    if (!work->flush || end > work->end) {
        work->end = end;
    }
    work->flush = true;
}

/* The hardware may be marking a page meanwhile, but whose frame goes needs no marks, and the
 * frame's number changes under the lock alone: so a plain store will do. */
void anon_drop(struct core_cpu *cpu, frame_no_t table, uint64_t *words, unsigned count,
               uint64_t keep, uint64_t bits, struct space_work *work)
{
    while (count > 0) {
        frame_no_t first = entry_value(words[0]);
        unsigned run = 0;
        for (; run < count && entry_value(words[run]) == first + run; run++) {
            atomic_store_relaxed(&words[run], (words[run] & keep) | bits);
        }
        frame_run_quarantine(cpu, &work->chain, first, run, table);
        words += run;
        count -= run;
    }
}

static void clear_borrowed(struct core_cpu *cpu, uint32_t space, const struct span *span,
                           unsigned at, unsigned count, struct space_change *change)
{
    struct frame_table *frames = &cpu->cadastre->frames;
    frame_no_t table = span->path[0], companion = frame_of(cpu, table)->detail;
    uint64_t *mappings = table_companion(cpu, table);
    CHECK_VALUE(mappings != NULL, table);
    for (unsigned i = at; i < at + count; i++) {
        uint64_t old = atomic_exchange(&span->words[i], 0);
        if (entry_is_present(old)) {
            frame_unmap(frames, entry_value(old), FRAME_OBJECT);
        }
        mappings[span->first + i] = ID_NONE;
    }
    frame_unmap_many(frames, companion, FRAME_KERNEL, count);
    if (frame_of(cpu, companion)->maps == 0) {
        frame_set_companion(frames, table, FRAME_NONE);
        frame_release_zero(cpu, companion, space);
        change->table_pages--;
    }
}

static void clear_system(struct core_cpu *cpu, uint32_t space, uint64_t *words, unsigned count,
                         struct space_work *work)
{
    for (unsigned i = 0; i < count; i++) {
        frame_no_t frame = entry_value(atomic_exchange(&words[i], 0));
        frame_unmap(&cpu->cadastre->frames, frame, FRAME_KERNEL);
        frame_quarantine(cpu, &work->chain, frame, FRAME_KERNEL, space);
    }
}

/* Entries [at, at + count) of a leaf span, all in `state`. */
static void clear_run(struct core_cpu *cpu, uint32_t space, const struct span *span, unsigned at,
                      unsigned count, enum entry_state state, struct space_change *change,
                      struct space_work *work)
{
    uint64_t *words = &span->words[at];
    switch (state) {
    case ENTRY_NONE:
        return;
    case ENTRY_GUARD:
        words_fill(words, count, 0);
        break;
    case ENTRY_RESERVED:
        words_fill(words, count, 0);
        change->virtual_pages -= count;
        break;
    case ENTRY_COMMITTED:
        words_fill(words, count, 0);
        change->virtual_pages -= count;
        change->committed_pages -= count;
        break;
    case ENTRY_RESIDENT:
    case ENTRY_HIDDEN:
        anon_drop(cpu, span->path[0], words, count, 0, 0, work);
        change->virtual_pages -= count;
        change->committed_pages -= count;
        change->resident_pages -= count;
        break;
    case ENTRY_BORROWED:
        clear_borrowed(cpu, space, span, at, count, change);
        change->virtual_pages -= count;
        change->borrowed_pages -= count;
        break;
    case ENTRY_SYSTEM:
        clear_system(cpu, space, words, count, work);
        change->system_pages -= count;
        break;
    case ENTRY_TABLE:
        CHECK_VALUE(false, span->path[0]);
    }
    if (entry_transition(state, ENTRY_OP_TEARDOWN)->frame != FRAME_KEEP) {
        virt_addr_t start = span->address + ((uint64_t)at << PAGE_SHIFT);
        work_flush(work, start, start + ((uint64_t)count << PAGE_SHIFT));
    }
    frame_unmap_many(&cpu->cadastre->frames, span->path[0], FRAME_KERNEL, count);
}

/* Uniform entries above the leaf tables, covered whole. */
static void clear_upper(struct core_cpu *cpu, uint32_t space, const struct span *span,
                        struct space_change *change, struct space_work *work)
{
    enum entry_state state = entry_state(span->words[0]);
    ASSERT(span->next - span->address == span->count * entry_bytes(span->level) ||
           state == ENTRY_NONE);
    if (state == ENTRY_NONE) {
        return;
    }
    if (state != ENTRY_GUARD) {
        change->virtual_pages -= (span->next - span->address) >> PAGE_SHIFT;
    }
    if (entry_is_committed(span->words[0])) {
        large_span_drop(cpu, space, span, 0, change, work);
    } else {
        CHECK_VALUE(state == ENTRY_RESERVED || state == ENTRY_GUARD, span->path[span->level]);
        words_fill(span->words, span->count, 0);
    }
    frame_unmap_many(&cpu->cadastre->frames, span->path[span->level], FRAME_KERNEL, span->count);
}

void table_unlink(struct core_cpu *cpu, uint32_t space, frame_no_t parent, uint64_t *word,
                  virt_addr_t address, struct space_change *change, struct space_work *work)
{
    uint64_t old = atomic_exchange(word, 0);
    frame_no_t table = entry_value(old);
    CHECK_VALUE(entry_state(old) == ENTRY_TABLE && frame_of(cpu, table)->maps == 0, table);
    frame_unmap(&cpu->cadastre->frames, parent, FRAME_KERNEL);
    table_lock_gone(cpu, table);
    frame_quarantine_zero(cpu, &work->chain, table, space);
    change->table_pages--;
    /* Hardware may hold the path to the table even where no page was present. */
    work_flush(work, address, address + PAGE_SIZE);
}

/* Tables without entries, from the span's upwards to below level `top`. */
static void tables_prune(struct core_cpu *cpu, uint32_t space, const struct span *span,
                         unsigned top, struct space_change *change, struct space_work *work)
{
    for (unsigned level = span->level;
         level < top && frame_of(cpu, span->path[level])->maps == 0; level++) {
        frame_no_t parent = span->path[level + 1];
        uint64_t *word = &table_words(cpu, parent)[entry_index(span->address, level + 1)];
        table_unlink(cpu, space, parent, word, span->address, change, work);
    }
}

void span_clear(struct core_cpu *cpu, uint32_t space, const struct span *span, unsigned top,
                struct space_change *change, struct space_work *work)
{
    if (span->level > 0) {
        clear_upper(cpu, space, span, change, work);
    } else {
        const struct frame *table = frame_of(cpu, span->path[0]);
        unsigned i = 0;
        while (i < span->count && table->maps > 0) {
            enum entry_state state = entry_state(span->words[i]);
            unsigned run = state_run(&span->words[i], span->count - i).count;
            clear_run(cpu, space, span, i, run, state, change, work);
            window_at(cpu, i, i + run);
            i += run;
        }
    }
    tables_prune(cpu, space, span, top, change, work);
}
