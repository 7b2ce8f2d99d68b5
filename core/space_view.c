// SPDX-License-Identifier: BSD-2-Clause
/*
 * Looking: runs of equal entries for people, and the check that counters,
 * tables and entries agree.
 */
#include "base/assert.h"
#include "base/atomic.h"
#include "core/space_priv.h"

/* One entry, as far as runs care. */
struct view {
    virt_addr_t start, end;
    uint64_t word;
    unsigned level;
    uint32_t mapping;
};

static void view_at(struct core_cpu *cpu, uint32_t space, virt_addr_t address, struct view *view)
{
    struct cursor cursor;
    struct span span;
    virt_addr_t page = address & ~(virt_addr_t)(PAGE_SIZE - 1);
    cursor_enter(cpu, &cursor, space, page, page + PAGE_SIZE);
    span_find(cpu, &cursor, page, page + PAGE_SIZE, &span);
    view->word = atomic_load_relaxed(&span.words[0]);
    view->level = span.level;
    view->start = page & ~(entry_bytes(span.level) - 1);
    view->end = view->start + entry_bytes(span.level);
    view->mapping = ID_NONE;
    if (entry_state(view->word) == ENTRY_BORROWED) {
        view->mapping = space_mapping_at(cpu, &cursor, page);
    }
    cursor_leave(cpu, &cursor);
}

static bool view_is_alike(const struct view *a, const struct view *b)
{
    return entry_state(a->word) == entry_state(b->word) &&
           entry_protection(a->word) == entry_protection(b->word) && a->mapping == b->mapping;
}

/* The run around an entry: at most SPACE_RUN_STEPS entries each way. */
static void run_around(struct core_cpu *cpu, uint32_t space, const struct view *seed,
                       bool backwards, struct space_run *run)
{
    struct view first = *seed, last = *seed, next;
    for (unsigned i = 0; backwards && i < SPACE_RUN_STEPS && first.start > CAD_USER_BASE; i++) {
        view_at(cpu, space, first.start - PAGE_SIZE, &next);
        if (!view_is_alike(seed, &next)) {
            break;
        }
        first = next;
    }
    unsigned level = first.level;
    for (unsigned i = 0; i < SPACE_RUN_STEPS && last.end < CAD_USER_END; i++) {
        view_at(cpu, space, last.end, &next);
        if (!view_is_alike(seed, &next)) {
            break;
        }
        last = next;
        level = next.level > level ? next.level : level;
    }
    enum entry_state state = entry_state(first.word);
    bool has_frame = entry_is_present(first.word) || state == ENTRY_HIDDEN;
    run->start = first.start > CAD_USER_BASE ? first.start : CAD_USER_BASE;
    run->pages = ((last.end < CAD_USER_END ? last.end : CAD_USER_END) - run->start) >> PAGE_SHIFT;
    run->state = state;
    run->protection = entry_protection(first.word);
    run->level = level;
    run->mapping = first.mapping;
    run->first_frame = has_frame ? entry_value(first.word) : FRAME_NONE;
}

void space_query(struct core_cpu *cpu, uint32_t space, virt_addr_t address,
                 struct space_run *run)
{
    ASSERT(address >= CAD_USER_BASE && address < CAD_USER_END);
    struct view view;
    view_at(cpu, space, address, &view);
    run_around(cpu, space, &view, true, run);
}

bool space_next_run(struct core_cpu *cpu, uint32_t space, virt_addr_t address,
                    struct space_run *run)
{
    virt_addr_t at = address < CAD_USER_BASE ? CAD_USER_BASE : address;
    while (at < CAD_USER_END) {
        struct view view;
        view_at(cpu, space, at, &view);
        if (entry_state(view.word) != ENTRY_NONE) {
            run_around(cpu, space, &view, false, run);
            return true;
        }
        at = view.end;
    }
    return false;
}

uint64_t space_entry(struct core_cpu *cpu, uint32_t space, virt_addr_t address)
{
    if (address < CAD_USER_BASE || address >= CAD_USER_END) {
        return 0;
    }
    struct view view;
    view_at(cpu, space, address, &view);
    bool has_frames = entry_is_present(view.word) || entry_state(view.word) == ENTRY_HIDDEN;
    uint64_t page = address & ~(uint64_t)(PAGE_SIZE - 1);
    return view.word + (has_frames ? page - view.start : 0);
}

/* --- invariants --- */

/* What a walk over all entries finds. */
struct census {
    uint64_t pages[ENTRY_STATE_COUNT]; /* by state, an upper entry for all it covers */
    uint64_t tables, companions;
};

static void check_anon(const struct core_cpu *cpu, frame_no_t table, unsigned index,
                       frame_no_t frame)
{
    const struct frame *record = frame_of(cpu, frame);
    CHECK_VALUE(frame_exists(&cpu->cadastre->frames, frame), frame);
    CHECK_VALUE(record->state == FRAME_ANON && record->owner == table, frame);
    CHECK_VALUE(record->detail == index && record->maps == 0, frame);
}

static void check_borrowed(const struct core_cpu *cpu, uint32_t space, frame_no_t table,
                           virt_addr_t address, uint64_t word)
{
    const struct mapping_table *mappings = &cpu->cadastre->mappings;
    CHECK_VALUE(frame_of(cpu, table)->detail != FRAME_NONE, table);
    uint32_t id = (uint32_t)table_companion(cpu, table)[entry_index(address, 0)];
    CHECK_VALUE(id_is_live(&mappings->ids, id), id);
    const struct mapping *mapping = &mappings->mappings[id];
    CHECK_VALUE(mapping->space == space && address >= mapping->address, id);
    CHECK_VALUE((address - mapping->address) >> PAGE_SHIFT < mapping->pages, id);
    CHECK_VALUE((entry_protection(word) & ~mapping->ceiling) == 0, id);
    if (!entry_is_present(word)) {
        CHECK_VALUE(entry_value(word) == id, id);
        return;
    }
    frame_no_t frame = object_page(cpu, mapping->object, mapping_page(mapping, address));
    CHECK_VALUE(entry_value(word) == frame && frame_of(cpu, frame)->maps > 0, frame);
}

/* The table that stands by, and who owns the frames. */
static void check_large(const struct core_cpu *cpu, uint32_t space, uint64_t word)
{
    frame_no_t table = large_table(cpu, word);
    const struct frame *record = frame_of(cpu, table);
    CHECK_VALUE(record->state == FRAME_KERNEL && record->kind == FRAME_KIND_TABLE &&
                    record->owner == space,
                table);
    CHECK_VALUE(record->maps == 0 && record->detail == FRAME_NONE, table);
    if (entry_state(word) != ENTRY_COMMITTED) {
        frame_no_t first = entry_value(word);
        CHECK_VALUE((first & (MMU_TABLE_ENTRIES - 1)) == 0, first);
        for (unsigned i = 0; i < MMU_TABLE_ENTRIES; i++) {
            check_anon(cpu, table, i, first + i);
        }
    }
}

/* An entry that names no lower table. */
static void check_leaf(const struct core_cpu *cpu, uint32_t space, frame_no_t table,
                       unsigned level, virt_addr_t address, uint64_t word)
{
    const struct mmu_format *format = cpu->cadastre->format;
    enum entry_state state = entry_state(word);
    uint32_t protection = entry_protection(word);
    CHECK_VALUE(protection_check(protection) == CAD_OK, address);
    CHECK_VALUE(protection == protection_normal(protection), address);
    CHECK_VALUE(level <= entry_state_level_max(state), address);
    if (entry_is_present(word)) {
        CHECK_VALUE(protection != CAD_PROT_NONE, address);
        uint64_t made = level == 0 ? entry_make_page(format, state, protection, entry_value(word))
                                   : entry_make_large(format, protection, entry_value(word));
        CHECK_VALUE((word & ~(format->accessed | format->dirty)) ==
                        (made & ~(format->accessed | format->dirty)),
                    address);
    }
    bool must = state == ENTRY_RESIDENT || state == ENTRY_SYSTEM;
    CHECK_VALUE(entry_is_present(word) == must || state == ENTRY_BORROWED, address);
    if (level > 0) {
        if (entry_is_committed(word)) {
            check_large(cpu, space, word);
        }
    } else if (state == ENTRY_RESIDENT || state == ENTRY_HIDDEN) {
        check_anon(cpu, table, entry_index(address, 0), entry_value(word));
    } else if (state == ENTRY_BORROWED) {
        check_borrowed(cpu, space, table, address, word);
    } else if (state == ENTRY_SYSTEM) {
        const struct frame *frame = frame_of(cpu, entry_value(word));
        CHECK_VALUE(frame->state == FRAME_KERNEL && frame->kind == FRAME_KIND_SYSTEM &&
                        frame->owner == space && frame->maps == 1,
                    entry_value(word));
    }
}

static void check_companion(const struct core_cpu *cpu, uint32_t space, frame_no_t table,
                            uint32_t borrowed, struct census *census)
{
    frame_no_t companion = frame_of(cpu, table)->detail;
    CHECK_VALUE((companion != FRAME_NONE) == (borrowed > 0), table);
    if (companion == FRAME_NONE) {
        return;
    }
    const struct frame *record = frame_of(cpu, companion);
    CHECK_VALUE(record->state == FRAME_KERNEL && record->kind == FRAME_KIND_COMPANION &&
                    record->owner == space,
                companion);
    CHECK_VALUE(record->detail == table && record->maps == borrowed, companion);
    const uint64_t *words = table_words(cpu, table), *mappings = table_words(cpu, companion);
    for (unsigned i = 0; i < MMU_TABLE_ENTRIES; i++) {
        bool is_borrowed = entry_state(atomic_load_relaxed(&words[i])) == ENTRY_BORROWED;
        CHECK_VALUE(is_borrowed || mappings[i] == ID_NONE, companion);
    }
    census->companions++;
}

/* A table and all below it.  Recursion is as deep as there are levels. */
static void check_table(const struct core_cpu *cpu, uint32_t space, frame_no_t table,
                        unsigned level, virt_addr_t base, struct census *census)
{
    const struct frame *record = frame_of(cpu, table);
    const uint64_t *words = table_words(cpu, table);
    unsigned end = level == LEVEL_ROOT ? entry_index(CAD_USER_END - 1, LEVEL_ROOT) + 1
                                       : MMU_TABLE_ENTRIES;
    uint32_t used = 0, borrowed = 0;
    CHECK_VALUE(record->state == FRAME_KERNEL && record->kind == FRAME_KIND_TABLE &&
                    record->owner == space,
                table);
    census->tables++;
    for (unsigned i = 0; i < end; i++) {
        uint64_t word = atomic_load_relaxed(&words[i]);
        virt_addr_t address = base + i * entry_bytes(level);
        enum entry_state state = entry_state(word);
        if (word == 0) {
            continue;
        }
        CHECK_VALUE(state != ENTRY_NONE && (unsigned)state < ENTRY_STATE_COUNT, address);
        used++;
        if (state == ENTRY_TABLE) {
            CHECK_VALUE(level > 0 && entry_is_present(word), table);
            check_table(cpu, space, entry_value(word), level - 1, address, census);
            continue;
        }
        check_leaf(cpu, space, table, level, address, word);
        census->pages[state] += entry_bytes(level) >> PAGE_SHIFT;
        census->tables += level > 0 && entry_is_committed(word) ? 1 : 0;
        borrowed += state == ENTRY_BORROWED ? 1 : 0;
    }
    CHECK_VALUE(record->maps == used, table);
    CHECK_VALUE(level == LEVEL_ROOT || used > 0, table);
    check_companion(cpu, space, table, borrowed, census);
}

void space_check_invariants(const struct core_cpu *cpu, uint32_t space)
{
    const struct space *record = space_of(cpu, space);
    struct census census = { .tables = 0 };
    CHECK_VALUE(id_is_live(&cpu->cadastre->spaces.ids, space), space);
    check_table(cpu, space, record->root, LEVEL_ROOT, 0, &census);
    uint64_t resident = census.pages[ENTRY_RESIDENT] + census.pages[ENTRY_HIDDEN];
    uint64_t committed = resident + census.pages[ENTRY_COMMITTED];
    uint64_t borrowed = census.pages[ENTRY_BORROWED];
    CHECK_VALUE(space_resident_pages(cpu->cadastre, space) == resident, space);
    CHECK_VALUE(record->committed_pages == committed, space);
    CHECK_VALUE(record->borrowed_pages == borrowed, space);
    CHECK_VALUE(record->virtual_pages == census.pages[ENTRY_RESERVED] + committed + borrowed,
                space);
    CHECK_VALUE(record->table_pages == census.tables + census.companions, space);
    CHECK_VALUE(record->system_pages == census.pages[ENTRY_SYSTEM], space);
}
