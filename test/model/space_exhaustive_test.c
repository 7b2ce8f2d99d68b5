// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every sequence of operations on every sub-range of a small window, up to a depth:
 * a search, breadth first, over the states that the space can reach (AS1, VM1 to VM3).
 *
 * From each state each step is made once and compared with the model of
 * space_window.h: status, every cell, counters, charges, the flush that is owed, data.
 * A refused step must leave the world's hash as it was.  To get back to a state the
 * space is torn down, which must give everything back, and the state's own steps are
 * made again.  Two states are one if cells, levels of entries and mapping records are.
 *
 * MODEL_DEPTH in the environment is the depth in place of each window's own; 0: no
 * bound, all states that there are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/charge.h"
#include "core/object_index.h"
#include "core/space_priv.h"
#include "core/test_audit.h"
#include "test/model/space_window.h"

#define FRAMES       340
#define COMMITTED    40 /* pages of the ledger, the object's included */
#define LARGE_FRAMES 2048 /* where it can pay for a large page too: there is a run for it */
#define OBJECT_PAGES 10
#define STATES_MAX   (1u << 20)
#define BUCKETS      (1u << 21)
#define PATH_MAX_STEPS 64

/* Where a 512 GiB entry starts, and so a 2 MiB and a 1 GiB one. */
#define BASE (UINT64_C(3) << 39)

static const struct window windows[] = {
    { "two pages", BASE, 2, { 1, 1 }, 0, 0 },
    { "two leaf tables", BASE - PAGE_SIZE, 2, { 1, 1 }, 0, 0 },
    { "three pages", BASE + 0x200000 - PAGE_SIZE, 3, { 1, 1, 1 }, 3, 0 },
    { "a 2 MiB entry", BASE + 0x400000 - PAGE_SIZE, 4, { 1, 1, 511, 1 }, 3, 0 },
    { "a large page", BASE + 0x400000 - PAGE_SIZE, 4, { 1, 1, 511, 1 }, 4, 1 },
    { "a 1 GiB entry", BASE + 0x40000000, 4, { 1, 511, 511 << 9, 1 }, 3, 0 },
    { "a 512 GiB entry", BASE - PAGE_SIZE, 4, { 1, 1, (1 << 27) - 1, 1 }, 3, 0 },
};

/* What a state is known by: exact, so that no two are taken for one. */
struct key {
    struct cell cells[WINDOW_CELLS];
    uint8_t level_first[WINDOW_CELLS], level_last[WINDOW_CELLS];
    uint32_t mapping_pages[WINDOW_CELLS], mapping_before[WINDOW_CELLS];
};

struct state {
    struct key key;
    uint32_t parent, next; /* next: of the bucket; 0: none */
    struct window_step step;
    uint8_t depth;
};

struct search {
    const struct window *window;
    struct test_world *world;
    struct core_cpu *cpu;
    struct test_audit audit;
    uint32_t ledger, object, other, space;
    uint64_t free_frames, metadata; /* before the space */
    struct state *states;
    uint32_t *buckets;
    uint32_t state_count;
    uint64_t made, refused;
    uint64_t hash; /* of the world as it is; 0: not known */
    struct cell now[WINDOW_CELLS];
    bool is_one;   /* the window's large cells, before the step */
    struct window_step path[PATH_MAX_STEPS]; /* for the report of a failure */
    unsigned path_length;
};

static struct search search;

static void add_holdings(void *context, struct audit *audit)
{
    (void)context;
    audit_host_ledger(audit, search.ledger);
    audit_host_object(audit, search.object, search.ledger);
    audit_host_object(audit, search.other, search.ledger);
}

/* --- failing --- */

static _Noreturn void differs(const char *what, uint64_t expected, uint64_t found)
{
    printf("# window \"%s\":", search.window->name);
    for (unsigned i = 0; i < search.path_length; i++)
        printf(" %s [%u, %u];", window_kinds[search.path[i].kind].name, search.path[i].first,
               search.path[i].last);
    printf("\n");
    fail_msg("%s: expected %llu, found %llu", what, (unsigned long long)expected,
             (unsigned long long)found);
    abort();
}

static void same(const char *what, uint64_t expected, uint64_t found)
{
    if (expected != found)
        differs(what, expected, found);
}

/* --- the real space --- */

static uint64_t used(enum cad_resource what)
{
    return world_used(search.world, search.ledger, what);
}

static uint64_t committed_limit(void)
{
    return COMMITTED + (search.window->large != 0 ? MMU_TABLE_ENTRIES : 0);
}

static void space_begin(void)
{
    if (search.window->large != 0) /* what the last states left there broke runs */
        magazine_empty(&search.world->cadastre.frames, &search.cpu->magazine, 0);
    search.free_frames = world_free_frames(search.world);
    search.metadata = used(CAD_RESOURCE_METADATA);
    same("space_create", CAD_OK, space_create(search.cpu, search.ledger, &search.space));
    memset(search.now, 0, sizeof(search.now));
    search.path_length = 0;
}

static void release(struct space_work *work)
{
    same("released", true, frame_quarantine_release(search.cpu, &work->chain, UINT32_MAX));
    same("dead objects", 0, work->dead_count);
}

/* Every frame and every charge comes back (AS2). */
static void space_end(void)
{
    struct space_work work = { .rounds_owed = NULL };
    bool gone = false;

    while (!gone) {
        gone = space_teardown_step(search.cpu, search.space, 100, &work);
        release(&work);
    }
    same("frames given back", search.free_frames, world_free_frames(search.world));
    same("virtual pages given back", 0, used(CAD_RESOURCE_VIRTUAL));
    same("committed pages given back", 2 * OBJECT_PAGES, used(CAD_RESOURCE_COMMITTED));
    same("metadata given back", search.metadata, used(CAD_RESOURCE_METADATA));
}

static status_t map(virt_addr_t address, uint64_t pages, const struct window_step *step)
{
    const struct window_kind *kind = &window_kinds[step->kind];
    struct object_map_request request = {
        .object = search.object, .first_page = window_object_page(step->first), .pages = pages,
        .address = address, .protection = kind->protection, .ceiling = kind->ceiling,
        .populate = kind->fills,
    };

    return space_map_object(search.cpu, search.space, &request, &address);
}

static status_t call(const struct window_step *step, struct space_work *work)
{
    const struct window_kind *kind = &window_kinds[step->kind];
    virt_addr_t address = window_address(search.window, step->first), at = address;
    uint64_t pages =
        (window_address(search.window, step->last + 1u) - address) >> PAGE_SHIFT;

    work_init(work);
    switch (kind->operation) {
    case ENTRY_OP_RESERVE:
        return space_reserve(search.cpu, search.space, &at, pages, kind->protection);
    case ENTRY_OP_COMMIT:
        return space_commit(search.cpu, search.space, address, pages, kind->protection,
                            kind->fills ? CAD_COMMIT_EAGER : 0);
    case ENTRY_OP_DECOMMIT:
        return space_decommit(search.cpu, search.space, address, pages, work);
    case ENTRY_OP_PROTECT:
    case ENTRY_OP_HIDE:
        return space_protect(search.cpu, search.space, address, pages, kind->protection, work);
    case ENTRY_OP_UNMAP:
        return space_unmap(search.cpu, search.space, address, pages, work);
    case ENTRY_OP_MAP_OBJECT:
        return map(address, pages, step);
    case ENTRY_OP_PROTECT_OBJECT:
        return space_protect_object(search.cpu, search.space, search.object, address, pages,
                                    kind->protection, work);
    case ENTRY_OP_UNMAP_OBJECT:
        return space_unmap_object(search.cpu, search.space, search.object, address, pages, work);
    case ENTRY_OP_FAULT:
        return space_fault(search.cpu, search.space, address, kind->protection);
    case ENTRY_OP_GUARD:
        return space_guard(search.cpu, search.space, address, pages);
    default:
        return CAD_BAD_CALL;
    }
}

/* --- comparing --- */

static uint64_t word_at(unsigned cell, uint64_t page)
{
    return space_entry(search.cpu, search.space,
                       window_address(search.window, cell) + (page << PAGE_SHIFT));
}

static uint32_t *data_of(uint64_t word)
{
    return (uint32_t *)(void *)world_page(search.world, entry_value(word));
}

/* The data of a page: the object's pages hold their numbers; a private page is zero when
 * it comes, then gets its cell's number, which it keeps until it goes (VM1, VM3). */
static void data_check(unsigned i, const struct cell *before, uint64_t word)
{
    const struct cell *cell = &search.now[i];
    bool had = before->state == ENTRY_RESIDENT || before->state == ENTRY_HIDDEN;

    if (cell->state == ENTRY_RESIDENT || cell->state == ENTRY_HIDDEN) {
        same("data of a private page", had ? 0x1000 + i : 0, *data_of(word));
        *data_of(word) = 0x1000 + i;
    } else if (cell->present) {
        same("data of an object's page", cell->object_page, *data_of(word));
    }
}

static void cell_check(unsigned i, const struct cell *before)
{
    const struct cell *cell = &search.now[i];
    uint64_t pages = search.window->pages[i];

    for (unsigned k = 0; k < (pages > 1 ? 3u : 1u); k++) {
        uint64_t word = word_at(i, k * ((pages - 1) / 2));
        same("state", cell->state, entry_state(word));
        same("protection", cell->protection, entry_protection(word));
        same("present", cell->present, entry_is_present(word));
        if (k == 0 && pages == 1)
            data_check(i, before, word);
    }
}

/* Counters are what the cells hold, charges what the counters say (space_check_invariants
 * has shown that counters are what entries hold). */
static void charges_check(void)
{
    const struct space *record = space_of(search.cpu, search.space);
    const struct window *window = search.window;
    uint64_t resident_pages = space_resident_pages(&search.world->cadastre, search.space);
    unsigned resident = 1u << ENTRY_RESIDENT | 1u << ENTRY_HIDDEN;
    unsigned committed = resident | 1u << ENTRY_COMMITTED, borrowed = 1u << ENTRY_BORROWED;
    unsigned all = committed | borrowed | 1u << ENTRY_RESERVED;

    same("virtual", window_pages(window, search.now, all), used(CAD_RESOURCE_VIRTUAL));
    same("committed", window_pages(window, search.now, committed) + 2 * OBJECT_PAGES,
         used(CAD_RESOURCE_COMMITTED));
    same("metadata", search.metadata + CHARGE_SPACE +
                         (uint64_t)record->table_pages * CHARGE_FRAME +
                         (uint64_t)record->mapping_count * CHARGE_MAPPING,
         used(CAD_RESOURCE_METADATA));
    same("resident", window_pages(window, search.now, resident), resident_pages);
    same("borrowed", window_pages(window, search.now, borrowed), record->borrowed_pages);
}

static unsigned level_at(virt_addr_t address)
{
    struct cursor cursor = cursor_unlocked(search.cpu, search.space);
    struct span span;

    span_find(search.cpu, &cursor, address, address + PAGE_SIZE, &span);
    return span.level;
}

static bool large_is_one(void)
{
    return search.window->large != 0 &&
           level_at(window_address(search.window, search.window->large)) > 0;
}

/* A translation that may not stay is covered by the flush, and that by the range and the large
 * page that it cut. */
static void flush_check(const struct window_step *step, const uint64_t *before,
                        const struct space_work *work)
{
    virt_addr_t start = window_address(search.window, step->first);
    virt_addr_t end = window_address(search.window, step->last + 1u);
    unsigned large = search.window->large;

    if (search.is_one && entry_is_present(before[large]) && !large_is_one()) {
        virt_addr_t page = window_address(search.window, large);
        virt_addr_t page_end = window_address(search.window, large + 2);
        bool is_cut = start > page || end < page_end;
        if (is_cut)
            same("flush of what was cut", true,
                 work->flush && work->start <= page && work->end >= page_end);
        start = start < page ? start : page;
        end = end > page_end ? end : page_end;
    }
    if (work->flush)
        same("flush inside the range", true,
             start <= work->start && work->start < work->end && work->end <= end);
    for (unsigned i = step->first; i <= step->last; i++) {
        virt_addr_t page = window_address(search.window, i);
        uint64_t old = before[i], new = word_at(i, 0);
        bool stays = entry_is_present(new) && entry_value(new) == entry_value(old) &&
                     (entry_protection(old) & ~entry_protection(new)) == 0 &&
                     (entry_protection(new) & ~entry_protection(old) & CAD_PROT_EXECUTE) == 0;
        if (entry_is_present(old) && !stays)
            same("flush owed", true,
                 work->flush && work->start <= page && page + PAGE_SIZE <= work->end);
    }
}

/* Gives: whether the step was made. */
static bool step_make(const struct window_step *step, bool is_new)
{
    struct cell before[WINDOW_CELLS];
    uint64_t words[WINDOW_CELLS], left = committed_limit() - used(CAD_RESOURCE_COMMITTED);
    struct space_work work = { .rounds_owed = NULL };

    search.path[search.path_length++] = *step;
    memcpy(before, search.now, sizeof(before));
    search.is_one = large_is_one();
    status_t expected = window_predict(search.window, step, left, search.is_one, search.now);
    for (unsigned i = 0; i < search.window->count; i++)
        words[i] = word_at(i, 0);
    if (expected != CAD_OK && search.hash == 0)
        search.hash = world_hash(search.world);
    same("status", expected, call(step, &work));
    if (expected != CAD_OK) {
        same("hash after a refusal", search.hash, world_hash(search.world));
        search.path_length--;
        return false;
    }
    search.hash = 0;
    if (is_new)
        flush_check(step, words, &work);
    release(&work);
    for (unsigned i = 0; i < search.window->count; i++)
        cell_check(i, &before[i]);
    if (is_new) {
        space_check_invariants(search.cpu, search.space);
        charges_check();
    }
    return true;
}

/* --- states --- */

static void key_make(struct key *key)
{
    struct cursor cursor = cursor_unlocked(search.cpu, search.space);

    memset(key, 0, sizeof(*key));
    memcpy(key->cells, search.now, sizeof(key->cells));
    for (unsigned i = 0; i < search.window->count; i++) {
        virt_addr_t first = window_address(search.window, i);
        virt_addr_t last = window_address(search.window, i + 1) - PAGE_SIZE;
        key->level_first[i] = (uint8_t)level_at(first);
        key->level_last[i] = (uint8_t)level_at(last);
        if (search.now[i].state == ENTRY_BORROWED) {
            uint32_t id = space_mapping_at(search.cpu, &cursor, first);
            const struct mapping *mapping = &search.world->cadastre.mappings.mappings[id];
            key->mapping_pages[i] = mapping->pages;
            key->mapping_before[i] = (uint32_t)((first - mapping->address) >> PAGE_SHIFT);
            same("object page", search.now[i].object_page, mapping_page(mapping, first));
        }
    }
}

/* Gives: whether the state is one that was not met before. */
static bool state_add(const struct key *key, uint32_t parent, const struct window_step *step)
{
    const uint8_t *bytes = (const uint8_t *)key;
    uint64_t hash = 1;

    for (size_t i = 0; i < sizeof(*key); i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x9e3779b97f4a7c15) ^ hash >> 31;
    uint32_t *bucket = &search.buckets[(hash >> 32) % BUCKETS];
    for (uint32_t i = *bucket; i != 0; i = search.states[i].next) {
        if (memcmp(&search.states[i].key, key, sizeof(*key)) == 0)
            return false;
    }
    assert_true(search.state_count < STATES_MAX);
    search.states[search.state_count] = (struct state){
        .key = *key, .parent = parent, .next = *bucket, .step = *step,
        .depth = parent == 0 ? 0 : (uint8_t)(search.states[parent].depth + 1) };
    *bucket = search.state_count++;
    return true;
}

/* From whatever there is now to the state, by its own steps. */
static void state_return(uint32_t number)
{
    uint32_t chain[PATH_MAX_STEPS];
    unsigned length = 0;

    space_end();
    space_begin();
    for (uint32_t at = number; search.states[at].parent != 0; at = search.states[at].parent)
        chain[length++] = at;
    while (length > 0)
        same("a step made again", true, step_make(&search.states[chain[--length]].step, false));
}

static void step_try(uint32_t from, const struct window_step *step)
{
    struct key key;

    if (!step_make(step, true)) {
        search.refused++;
        return;
    }
    search.made++;
    key_make(&key);
    if (memcmp(&key, &search.states[from].key, sizeof(key)) == 0) {
        search.path_length--; /* the state is the same, so the path is too */
        return;
    }
    if (state_add(&key, from, step))
        test_audit_expect_clean(&search.audit);
    state_return(from);
}

static void state_expand(uint32_t number)
{
    struct window_step step;

    state_return(number);
    for (step.first = 0; step.first < search.window->count; step.first++) {
        for (step.last = step.first; step.last < search.window->count; step.last++) {
            for (step.kind = 0; step.kind < WINDOW_KINDS; step.kind++) {
                if (window_allows(search.window, &step))
                    step_try(number, &step);
            }
        }
    }
}

/* --- worlds --- */

static void object_fill(uint32_t object)
{
    for (uint32_t page = 0; page < OBJECT_PAGES; page++)
        *(uint32_t *)(void *)world_page(search.world, object_page(search.cpu, object, page)) =
            page;
}

static void search_begin(const struct window *window)
{
    memset(&search, 0, sizeof(search));
    search.window = window;
    search.world = world_create(window->large != 0 ? LARGE_FRAMES : FRAMES);
    search.cpu = search.world->cpu;
    search.ledger = world_ledger(search.world, UINT64_C(1) << 30, committed_limit(), 200000, 0);
    search.audit = (struct test_audit){ .world = search.world, .add_holdings = add_holdings };
    assert_int_equal(object_create(search.cpu, search.ledger, OBJECT_PAGES, &search.object),
                     CAD_OK);
    assert_int_equal(object_create(search.cpu, search.ledger, OBJECT_PAGES, &search.other),
                     CAD_OK);
    object_fill(search.object);
    search.states = calloc(STATES_MAX, sizeof(*search.states));
    search.buckets = calloc(BUCKETS, sizeof(*search.buckets));
    assert_true(search.states != NULL && search.buckets != NULL);
    search.state_count = 1; /* 0 is none */
    space_begin();
}

static void object_end(uint32_t object)
{
    object_unclaim(search.cpu, object, search.ledger);
    assert_true(object_put(search.cpu, object));
    while (!object_destroy_step(search.cpu, object, UINT32_MAX))
        ;
}

static void search_end(void)
{
    space_end();
    object_end(search.object);
    object_end(search.other);
    ledger_put(search.cpu, search.ledger);
    world_destroy(search.world);
    free(search.states);
    free(search.buckets);
}

static void search_run(const struct window *window)
{
    const char *text = getenv("MODEL_DEPTH");
    unsigned depth = text != NULL ? (unsigned)strtoul(text, NULL, 0) : window->depth;
    uint32_t number = 1;
    struct key key;

    search_begin(window);
    key_make(&key);
    state_add(&key, 0, &(struct window_step){ 0 });
    for (; number < search.state_count; number++) {
        if (depth != 0 && search.states[number].depth >= depth)
            break;
        state_expand(number);
    }
    bool is_all = number == search.state_count;
    printf("# %s: %u states, %llu steps made, %llu refused, %s %u\n", window->name,
           search.state_count - 1, (unsigned long long)search.made,
           (unsigned long long)search.refused,
           is_all ? "that is all; longest way" : "all sequences of",
           is_all ? search.states[search.state_count - 1].depth : depth);
    assert_true(search.made > 100 && search.refused > 100);
    search_end();
}

static void every_sequence_of_operations_agrees_with_the_model(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(windows); i++)
        search_run(&windows[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sequence_of_operations_agrees_with_the_model),
    };
    return cmocka_run_group_tests_name("space exhaustive", tests, NULL, NULL);
}
