// SPDX-License-Identifier: BSD-2-Clause
/*
 * Page tables: every entry's bits, and the one thing its state says holds it.
 * Entries above CAD_USER_END belong to the host and are not looked at.
 */
#include "core/audit_priv.h"
#include "core/charge.h"

#define LEVEL_ROOT (MMU_LEVELS - 1)

/* What a walk finds, in the terms of struct space; and where it is. */
struct space_walk {
    uint32_t space;
    uint64_t virtual_pages, committed_pages, resident_pages, borrowed_pages;
    uint64_t table_pages, system_pages;
};

static uint64_t entry_pages(unsigned level)
{
    return UINT64_C(1) << (MMU_INDEX_BITS * level);
}

static const struct frame *frame_of(const struct audit *audit, frame_no_t frame)
{
    return &audit->cadastre->frames.frames[frame];
}

static bool is_space_frame(const struct audit *audit, frame_no_t frame, enum frame_kind kind,
                           uint32_t space)
{
    return frame_exists(&audit->cadastre->frames, frame) &&
           frame_of(audit, frame)->state == FRAME_KERNEL &&
           frame_of(audit, frame)->kind == kind && frame_of(audit, frame)->owner == space;
}

/* --- one entry --- */

static bool is_committed(enum entry_state state)
{
    return state == ENTRY_COMMITTED || state == ENTRY_RESIDENT || state == ENTRY_HIDDEN;
}

/* The word that says what this one means; accessed and dirty may be set beside it. */
static uint64_t expected_word(const struct audit *audit, unsigned level, uint64_t word)
{
    const struct mmu_format *format = audit->cadastre->format;
    enum entry_state state = entry_state(word);
    uint32_t protection = entry_protection(word), value = entry_value(word);
    uint64_t hardware = 0;

    if (state == ENTRY_TABLE) {
        hardware = format->table | MMU_PRESENT;
        protection = CAD_PROT_NONE;
    } else if (state == ENTRY_RESIDENT && level > 0) {
        hardware = format->block[protection] | MMU_PRESENT;
    } else if (state == ENTRY_RESIDENT || state == ENTRY_SYSTEM ||
               (state == ENTRY_BORROWED && entry_is_present(word))) {
        hardware = format->page[protection] | MMU_PRESENT;
    } else if (state == ENTRY_HIDDEN) {
        protection = CAD_PROT_NONE;
    } else if (state != ENTRY_BORROWED && !(state == ENTRY_COMMITTED && level > 0)) {
        value = 0;
    }
    return entry_make_absent(state, protection, value) | hardware;
}

/* Gives: whether the bits can be believed. */
static bool audit_word(struct audit *audit, const struct space_walk *walk, virt_addr_t address,
                       unsigned level, uint64_t word)
{
    const struct mmu_format *format = audit->cadastre->format;
    enum entry_state state = entry_state(word);
    bool keeps_marks = entry_is_present(word) || state == ENTRY_HIDDEN || state == ENTRY_BORROWED;
    uint64_t ignored = keeps_marks ? format->accessed | format->dirty : 0;
    uint32_t protection = entry_protection(word);
    bool is_known = (unsigned)state < ENTRY_STATE_COUNT;

    if (is_known)
        is_known = state == ENTRY_TABLE ? level > 0 : level <= entry_state_level_max(state);
    if (!audit_true(audit, AUDIT_ENTRY_STATE, walk->space, address, is_known))
        return false;
    if (!audit_true(audit, AUDIT_ENTRY_WRITE_EXECUTE, walk->space, address,
                    protection_check(protection) == CAD_OK))
        return false;
    return audit_equal(audit, AUDIT_ENTRY_WORD, walk->space, address,
                       expected_word(audit, level, word) & ~ignored, word & ~ignored) &&
           audit_true(audit, AUDIT_ENTRY_WORD, walk->space, address,
                      protection == protection_normal(protection));
}

static void audit_anon(struct audit *audit, frame_no_t table, unsigned slot, frame_no_t number)
{
    if (!audit_reach(audit, number, table))
        return;
    const struct frame *frame = frame_of(audit, number);

    (void)audit_true(audit, AUDIT_ENTRY_ANON, number, table,
                     frame->state == FRAME_ANON && frame->owner == table && frame->detail == slot);
}

static void audit_system(struct audit *audit, const struct space_walk *walk, virt_addr_t address,
                         uint64_t word)
{
    frame_no_t number = entry_value(word);

    (void)audit_true(audit, AUDIT_ENTRY_SYSTEM, number, address, address >= CAD_SYSTEM_BASE);
    if (!audit_reach(audit, number, walk->space))
        return;
    (void)audit_true(audit, AUDIT_ENTRY_SYSTEM, number, walk->space,
                     is_space_frame(audit, number, FRAME_KIND_SYSTEM, walk->space) &&
                         frame_of(audit, number)->maps == 1);
}

/* Needs: the companion's id of the entry. */
static void audit_borrowed(struct audit *audit, const struct space_walk *walk,
                           virt_addr_t address, uint64_t word, uint64_t id)
{
    const struct mapping_table *table = &audit->cadastre->mappings;

    if (!audit_true(audit, AUDIT_ENTRY_BORROWED, walk->space, address,
                    id <= UINT32_MAX && id_is_live(&table->ids, (uint32_t)id)))
        return;
    const struct mapping *mapping = &table->mappings[id];
    bool is_inside = mapping->space == walk->space && address >= mapping->address &&
                     (address - mapping->address) >> PAGE_SHIFT < mapping->pages;

    if (!audit_true(audit, AUDIT_ENTRY_BORROWED, walk->space, address, is_inside))
        return;
    (void)audit_true(audit, AUDIT_MAPPING_CEILING, id, address,
                     (entry_protection(word) & ~protection_normal(mapping->ceiling)) == 0);
    if (!entry_is_present(word)) {
        (void)audit_equal(audit, AUDIT_ENTRY_BORROWED, walk->space, address, id,
                          entry_value(word));
        return;
    }
    frame_no_t number = entry_value(word);

    if (!audit_true(audit, AUDIT_FRAME_EXISTS, number, walk->space,
                    frame_exists(&audit->cadastre->frames, number)))
        return;
    const struct frame *frame = frame_of(audit, number);

    (void)audit_true(audit, AUDIT_ENTRY_BORROWED, walk->space, address,
                     frame->state == FRAME_OBJECT && frame->owner == mapping->object &&
                         frame->detail == mapping_page(mapping, address));
}

/* --- tables --- */

/* Words of the table's companion, NULL if it has none that can be believed. */
static const uint64_t *audit_companion(struct audit *audit, struct space_walk *walk,
                                       frame_no_t table)
{
    frame_no_t companion = frame_of(audit, table)->detail;

    if (companion == FRAME_NONE || !audit_reach(audit, companion, table))
        return NULL;
    if (!audit_true(audit, AUDIT_ENTRY_COMPANION, companion, table,
                    is_space_frame(audit, companion, FRAME_KIND_COMPANION, walk->space)))
        return NULL;
    walk->table_pages++;
    return table_words(audit->cpu, companion);
}

static void count_pages(struct space_walk *walk, enum entry_state state, unsigned level)
{
    uint64_t pages = entry_pages(level);
    bool has_frame = state == ENTRY_RESIDENT || state == ENTRY_HIDDEN;

    walk->resident_pages += has_frame ? pages : 0;
    walk->committed_pages += is_committed(state) ? pages : 0;
    walk->borrowed_pages += state == ENTRY_BORROWED ? pages : 0;
    walk->system_pages += state == ENTRY_SYSTEM ? pages : 0;
    walk->virtual_pages += is_committed(state) || state == ENTRY_RESERVED || state == ENTRY_BORROWED
                               ? pages : 0;
}

/* A leaf table: all its entries, and its companion beside them. */
static void audit_leaf(struct audit *audit, struct space_walk *walk, frame_no_t table,
                       virt_addr_t base)
{
    const uint64_t *words = table_words(audit->cpu, table);
    const uint64_t *ids = audit_companion(audit, walk, table);
    uint32_t used = 0, borrowed = 0;

    for (unsigned i = 0; i < MMU_TABLE_ENTRIES; i++) {
        virt_addr_t address = base + ((uint64_t)i << PAGE_SHIFT);
        enum entry_state state = entry_state(words[i]);
        used += state != ENTRY_NONE;
        if (state != ENTRY_BORROWED && ids != NULL)
            (void)audit_equal(audit, AUDIT_ENTRY_COMPANION, frame_of(audit, table)->detail, i,
                              ID_NONE, ids[i]);
        if (!audit_word(audit, walk, address, 0, words[i]))
            continue;
        count_pages(walk, state, 0);
        if (state == ENTRY_RESIDENT || state == ENTRY_HIDDEN)
            audit_anon(audit, table, i, entry_value(words[i]));
        if (state == ENTRY_SYSTEM)
            audit_system(audit, walk, address, words[i]);
        if (state == ENTRY_BORROWED) {
            audit_borrowed(audit, walk, address, words[i], ids == NULL ? ID_NONE : ids[i]);
            borrowed++;
        }
    }
    (void)audit_equal(audit, AUDIT_ENTRY_TABLE_COUNT, table, walk->space, used,
                      frame_of(audit, table)->maps);
    if (ids != NULL)
        (void)audit_equal(audit, AUDIT_ENTRY_COMPANION, frame_of(audit, table)->detail, table,
                          borrowed, frame_of(audit, frame_of(audit, table)->detail)->maps);
}

/* Whether `table` is this space's and may be walked. */
static bool audit_table_frame(struct audit *audit, struct space_walk *walk, frame_no_t table,
                              virt_addr_t base)
{
    const struct space *space = &audit->cadastre->spaces.spaces[walk->space];

    if (!audit_reach(audit, table, walk->space))
        return false;
    walk->table_pages++;
    return audit_true(audit, AUDIT_ENTRY_TABLE, walk->space, base,
                      is_space_frame(audit, table, FRAME_KIND_TABLE, walk->space) &&
                          walk->table_pages <= space->table_pages);
}

/* The table that stands by for a large page, and its frames. */
static void audit_large(struct audit *audit, struct space_walk *walk, virt_addr_t address,
                        uint64_t word)
{
    frame_no_t first = entry_value(word), table = first;

    if (entry_state(word) != ENTRY_COMMITTED) {
        if (!audit_true(audit, AUDIT_FRAME_EXISTS, first, walk->space,
                        frame_exists(&audit->cadastre->frames, first)))
            return;
        table = frame_of(audit, first)->owner;
    }
    if (!audit_table_frame(audit, walk, table, address))
        return;
    (void)audit_equal(audit, AUDIT_ENTRY_TABLE_COUNT, table, walk->space, 0,
                      frame_of(audit, table)->maps);
    (void)audit_equal(audit, AUDIT_ENTRY_COMPANION, table, 0, FRAME_NONE,
                      frame_of(audit, table)->detail);
    if (entry_state(word) == ENTRY_COMMITTED)
        return;
    (void)audit_true(audit, AUDIT_ENTRY_ANON, first, table, first % MMU_TABLE_ENTRIES == 0);
    for (unsigned i = 0; i < MMU_TABLE_ENTRIES; i++)
        audit_anon(audit, table, i, first + i);
}

static void audit_table(struct audit *audit, struct space_walk *walk, frame_no_t table,
                        unsigned level, virt_addr_t base)
{
    if (!audit_table_frame(audit, walk, table, base))
        return;
    if (level == 0) {
        audit_leaf(audit, walk, table, base);
        return;
    }
    const uint64_t *words = table_words(audit->cpu, table);
    unsigned shift = PAGE_SHIFT + MMU_INDEX_BITS * level;
    unsigned end = level == LEVEL_ROOT ? (unsigned)(CAD_USER_END >> shift) + 1 : MMU_TABLE_ENTRIES;
    uint32_t used = 0;

    (void)audit_equal(audit, AUDIT_ENTRY_COMPANION, table, level, FRAME_NONE,
                      frame_of(audit, table)->detail);
    for (unsigned i = 0; i < end; i++) {
        virt_addr_t address = base + ((uint64_t)i << shift);
        enum entry_state state = entry_state(words[i]);
        used += state != ENTRY_NONE;
        if (!audit_word(audit, walk, address, level, words[i]))
            continue;
        if (state == ENTRY_TABLE) {
            audit_table(audit, walk, entry_value(words[i]), level - 1, address);
            continue;
        }
        count_pages(walk, state, level);
        if (is_committed(state))
            audit_large(audit, walk, address, words[i]);
    }
    (void)audit_equal(audit, AUDIT_ENTRY_TABLE_COUNT, table, walk->space, used,
                      frame_of(audit, table)->maps);
    (void)audit_true(audit, AUDIT_ENTRY_TABLE_COUNT, table, level,
                     used > 0 || level == LEVEL_ROOT);
}

uint64_t audit_entry(const struct audit *audit, uint32_t space, virt_addr_t address)
{
    frame_no_t table = audit->cadastre->spaces.spaces[space].root;

    for (unsigned level = LEVEL_ROOT;; level--) {
        if (!is_space_frame(audit, table, FRAME_KIND_TABLE, space))
            return 0;
        unsigned index = (unsigned)(address >> (PAGE_SHIFT + MMU_INDEX_BITS * level)) &
                         (MMU_TABLE_ENTRIES - 1);
        uint64_t word = table_words(audit->cpu, table)[index];
        if (level == 0)
            return word;
        if (entry_state(word) != ENTRY_TABLE)
            return 0;
        table = entry_value(word);
    }
}

/* --- one space --- */

/* Gives: pages of all records of the space's list. */
static uint64_t audit_space_list(struct audit *audit, uint32_t id)
{
    const struct space *space = &audit->cadastre->spaces.spaces[id];
    const struct mapping_table *table = &audit->cadastre->mappings;
    uint32_t at = space->mappings, before = ID_NONE;
    uint64_t pages = 0;

    for (uint32_t i = 0; i < space->mapping_count; i++) {
        if (!audit_true(audit, AUDIT_SPACE_MAPPINGS, id, at, id_is_live(&table->ids, at)))
            return pages;
        const struct mapping *mapping = &table->mappings[at];
        (void)audit_true(audit, AUDIT_SPACE_MAPPINGS, id, at,
                         mapping->space == id && mapping->space_previous == before &&
                             mapping->ledger == space->ledger);
        pages += mapping->pages;
        before = at;
        at = mapping->space_next;
    }
    (void)audit_equal(audit, AUDIT_SPACE_MAPPINGS, id, before, ID_NONE, at);
    return pages;
}

static void audit_counters(struct audit *audit, const struct space_walk *walk)
{
    const struct space *space = &audit->cadastre->spaces.spaces[walk->space];
    const uint64_t pairs[][2] = {
        { walk->virtual_pages, space->virtual_pages },
        { walk->committed_pages, space->committed_pages },
        { walk->resident_pages, space_resident_pages(audit->cadastre, walk->space) },
        { walk->borrowed_pages, space->borrowed_pages },
        { walk->table_pages, space->table_pages },
        { walk->system_pages, space->system_pages },
    };

    for (unsigned i = 0; i < ARRAY_COUNT(pairs); i++)
        (void)audit_equal(audit, AUDIT_SPACE_COUNTERS, walk->space, i, pairs[i][0], pairs[i][1]);
}

static void audit_space(struct audit *audit, uint32_t id)
{
    const struct space *space = &audit->cadastre->spaces.spaces[id];
    struct space_walk walk = { .space = id };

    audit_table(audit, &walk, space->root, LEVEL_ROOT, 0);
    audit_counters(audit, &walk);
    uint64_t pages = audit_space_list(audit, id);

    /* An ending space loses its entries before its records. */
    if (space->teardown == 0)
        (void)audit_equal(audit, AUDIT_MAPPING_ENTRIES, id, 0, pages, walk.borrowed_pages);
    else
        (void)audit_true(audit, AUDIT_MAPPING_ENTRIES, id, 1, pages >= walk.borrowed_pages);
    audit_ledger_reference(audit, space->ledger, id);
    audit_charge(audit, space->ledger, id, CAD_RESOURCE_VIRTUAL, walk.virtual_pages);
    audit_charge(audit, space->ledger, id, CAD_RESOURCE_COMMITTED, walk.committed_pages);
    audit_charge(audit, space->ledger, id, CAD_RESOURCE_METADATA,
                 CHARGE_SPACE + (walk.table_pages + walk.system_pages) * CHARGE_FRAME);
}

void audit_spaces(struct audit *audit)
{
    const struct id_pool *ids = &audit->cadastre->spaces.ids;

    for (uint32_t i = 1; i < ids->capacity; i++) {
        if (id_is_live(ids, i))
            audit_space(audit, i);
    }
}
