// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every state that a few untypeds and objects on four frames can be in, by sequences of any
 * length: a search, breadth first (UT1, UT2, UT3).  How many: `bounds`.
 *
 * From each state every untyped of each size is made, of free frames or of another untyped,
 * every object of each size; each capability is copied and dropped, each object ends, each
 * untyped is reset, and each retype whose pages have come back is undone.  The model keeps
 * ranges, children and capabilities, and from them alone says whose each frame is.  So what
 * dies gives its frames to who it had them of, in the same step, and nobody else's change.
 *
 * Free blocks are the buddy allocator's: a run is there if an aligned one is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/test_world.h" /* assert_failed */

#include "core/charge.h"
#include "core/untyped.h"

#define FIRST        4 /* the range: one block of four */
#define FRAMES       8
#define RECORDS      3
#define OBJECTS      2
#define LEDGERS      3 /* the root, one that pays, and none */
#define COMMITTED    4
#define SEEN_MAX     (1u << 17)
#define FIRST_OBJECT 100 /* a number that no untyped has */

struct model_untyped {
    uint8_t capabilities, children, parent;
    uint8_t first, pages, next; /* pages 0: is not there */
};

struct model_object {
    uint8_t untyped, first, pages; /* pages 0: is not there */
};

struct model {
    struct model_untyped untypeds[RECORDS + 1];
    struct model_object objects[OBJECTS];
};

/* All that the core knows. */
struct tables {
    struct frame frames[FRAMES];
    struct frame_table frame_table;
    struct untyped untypeds[RECORDS + 1];
    struct id_slot untyped_slots[RECORDS + 1];
    struct id_pool untyped_ids;
    struct ledger ledgers[LEDGERS];
    struct id_slot ledger_slots[LEDGERS];
};

struct snapshot {
    struct tables tables;
    struct model model;
    struct snapshot *next;
};

/* What tells two states apart: generations do not, nor does which record is taken next. */
struct key {
    struct frame frames[FRAMES];
    uint32_t free_heads[4];
    struct model model;
    uint8_t is_there;
};

/* Deep trees, and wide ones whose members have more than one capability. */
static const struct bounds {
    uint32_t records, objects, capabilities;
} all_bounds[] = { { 3, 1, 1 }, { 2, 2, 2 } };
static const struct bounds *bounds;

static struct cadastre cadastre;
static struct core_cpu cpu = { .cadastre = &cadastre };
static struct snapshot now;
static uint32_t ledger;
static struct key seen[SEEN_MAX];
static uint32_t seen_count;
static uint64_t made;
static const status_t refusals[] = { CAD_QUOTA_COMMITTED, CAD_USED_UP, CAD_PRESSURE, CAD_BUSY };
static uint64_t refused[ARRAY_COUNT(refusals)];
static struct snapshot *queue_first, **queue_last = &queue_first;

/* --- the host --- */

static bool pool_grow(struct core_cpu *core, struct id_pool *pool)
{
    (void)core;
    (void)pool;
    return false;
}

static frame_no_t block_take(struct core_cpu *core, unsigned order)
{
    return frame_block_take(&core->cadastre->frames, order);
}

static void run_put(struct core_cpu *core, frame_no_t first, uint32_t count)
{
    frame_run_put(&core->cadastre->frames, first, count);
}

static void pages_clear(frame_no_t first, uint32_t count)
{
    assert_true(first >= FIRST && count > 0 && first + count <= FRAMES);
}

/* --- states --- */

static void save(struct snapshot *into)
{
    *into = now;
    into->tables.frame_table = cadastre.frames;
    into->tables.untyped_ids = cadastre.untypeds.ids;
}

static void restore(const struct snapshot *from)
{
    now = *from;
    cadastre.frames = from->tables.frame_table;
    cadastre.untypeds.ids = from->tables.untyped_ids;
}

static struct key key_now(void)
{
    struct key key;

    memset(&key, 0, sizeof(key));
    key.is_there = 1;
    memcpy(key.frames, now.tables.frames, sizeof(key.frames));
    memcpy(key.free_heads, cadastre.frames.free_head, sizeof(key.free_heads));
    key.model = now.model;
    return key;
}

static uint32_t bucket_of(const struct key *key)
{
    const uint8_t *bytes = (const uint8_t *)key;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < sizeof(*key); i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return (uint32_t)(hash >> 32) % SEEN_MAX;
}

static void remember(void)
{
    struct key key = key_now();
    uint32_t bucket = bucket_of(&key);

    for (; seen[bucket].is_there; bucket = (bucket + 1) % SEEN_MAX) {
        if (memcmp(&seen[bucket], &key, sizeof(key)) == 0)
            return;
    }
    struct snapshot *copy = malloc(sizeof(*copy));

    assert_non_null(copy);
    assert_true(seen_count < SEEN_MAX / 2);
    seen[bucket] = key;
    seen_count++;
    save(copy);
    copy->next = NULL;
    *queue_last = copy;
    queue_last = &copy->next;
}

/* --- the model --- */

/* Whose a frame is: an object's, or that of the innermost untyped around it. */
static void compare_frame(frame_no_t i)
{
    const struct frame *frame = &now.tables.frames[i];
    uint32_t owner = ID_NONE;

    for (uint32_t k = 0; k < OBJECTS; k++) {
        const struct model_object *object = &now.model.objects[k];
        if (i >= object->first && i < object->first + object->pages) {
            assert_int_equal(frame->state, FRAME_OBJECT);
            assert_int_equal(frame->owner, FIRST_OBJECT + k);
            assert_int_equal(frame->detail, i - object->first);
            return;
        }
    }
    for (uint32_t k = 1; k <= RECORDS; k++) {
        const struct model_untyped *at = &now.model.untypeds[k];
        bool is_inside = i >= at->first && i < at->first + at->pages;
        if (is_inside && (owner == ID_NONE || at->parent == owner ||
                          now.model.untypeds[at->parent].parent == owner))
            owner = k;
    }
    assert_int_equal(frame->state, owner == ID_NONE ? FRAME_FREE : FRAME_UNTYPED);
    if (owner != ID_NONE)
        assert_int_equal(frame->owner, owner);
}

static void compare(void)
{
    uint32_t pages = 0, records = 0;

    made++;
    for (frame_no_t i = FIRST; i < FRAMES; i++)
        compare_frame(i);
    for (uint32_t k = 1; k <= RECORDS; k++) {
        const struct model_untyped *at = &now.model.untypeds[k];
        const struct untyped *record = &now.tables.untypeds[k];

        assert_int_equal(id_is_live(&cadastre.untypeds.ids, k), at->pages > 0);
        if (at->pages == 0)
            continue;
        records++;
        pages += at->parent == ID_NONE ? at->pages : 0;
        assert_int_equal(record->parent, at->parent);
        assert_int_equal(record->first, at->first);
        assert_int_equal(record->pages, at->pages);
        assert_int_equal(record->next, at->next);
        assert_int_equal(record->children, at->children);
        assert_int_equal(record->references, at->capabilities + at->children);
    }
    assert_int_equal(ledger_used(&now.tables.ledgers[ledger], CAD_RESOURCE_COMMITTED), pages);
    assert_int_equal(ledger_used(&now.tables.ledgers[ledger], CAD_RESOURCE_METADATA),
                     records * CHARGE_UNTYPED);
    assert_int_equal(now.tables.ledgers[ledger].references, 1 + records);
    frame_check_invariants(&cadastre.frames);
    untyped_check_invariants(&cpu);
    remember();
}

static bool is_free_frame(frame_no_t frame)
{
    return frame >= FIRST && frame < FRAMES && now.tables.frames[frame].state == FRAME_FREE;
}

static bool has_block(uint32_t pages)
{
    uint32_t size = UINT32_C(1) << frame_order_for(pages);

    for (frame_no_t first = FIRST; first < FRAMES; first += size) {
        uint32_t count = 0;
        while (count < size && is_free_frame(first + count))
            count++;
        if (count == size)
            return true;
    }
    return false;
}

/* A capability or a child less: who has neither ends, and its parent has a child less. */
static void model_end(uint32_t untyped)
{
    while (untyped != ID_NONE) {
        struct model_untyped *at = &now.model.untypeds[untyped];
        uint32_t parent = at->parent;

        if (at->capabilities > 0 || at->children > 0)
            return;
        memset(at, 0, sizeof(*at));
        if (parent != ID_NONE)
            now.model.untypeds[parent].children--;
        untyped = parent;
    }
}

/* Notes a refusal: it changed nothing. */
static bool is_refused(const struct snapshot *from, status_t status)
{
    for (uint32_t i = 0; i < ARRAY_COUNT(refusals); i++)
        refused[i] += status == refusals[i];
    if (status == CAD_OK)
        return false;
    assert_memory_equal(now.tables.frames, from->tables.frames, sizeof(now.tables.frames));
    assert_memory_equal(now.tables.ledgers, from->tables.ledgers, sizeof(now.tables.ledgers));
    return true;
}

/* --- operations, each from the state `from` --- */

static void try_create(const struct snapshot *from, uint32_t pages)
{
    restore(from);
    uint64_t used = ledger_used(&now.tables.ledgers[ledger], CAD_RESOURCE_COMMITTED);
    bool has_record = cadastre.untypeds.ids.live_count < bounds->records;
    status_t expected = used + pages > COMMITTED ? CAD_QUOTA_COMMITTED
                        : has_record && has_block(pages) ? CAD_OK : CAD_PRESSURE;
    uint32_t id;

    assert_int_equal(untyped_create(&cpu, ledger, pages, &id), expected);
    if (!is_refused(from, expected)) {
        frame_no_t first = now.tables.untypeds[id].first;
        for (uint32_t i = 0; i < pages; i++)
            assert_int_equal(from->tables.frames[first + i].state, FRAME_FREE);
        now.model.untypeds[id] = (struct model_untyped){
            .capabilities = 1, .first = (uint8_t)first, .pages = (uint8_t)pages
        };
    }
    compare();
}

static void try_split(const struct snapshot *from, uint32_t untyped, uint32_t pages)
{
    restore(from);
    struct model_untyped *parent = &now.model.untypeds[untyped];
    status_t expected = pages > (uint32_t)(parent->pages - parent->next) ? CAD_USED_UP
                        : cadastre.untypeds.ids.live_count < bounds->records ? CAD_OK
                                                                             : CAD_PRESSURE;
    uint32_t id;

    assert_int_equal(untyped_retype_untyped(&cpu, untyped, ledger, pages, &id), expected);
    if (!is_refused(from, expected)) {
        now.model.untypeds[id] = (struct model_untyped){
            .capabilities = 1, .parent = (uint8_t)untyped, .pages = (uint8_t)pages,
            .first = (uint8_t)(parent->first + parent->next)
        };
        parent->next = (uint8_t)(parent->next + pages);
        parent->children++;
    }
    compare();
}

static void try_object(const struct snapshot *from, uint32_t untyped, uint32_t k, uint32_t pages)
{
    restore(from);
    struct model_untyped *parent = &now.model.untypeds[untyped];
    status_t expected = pages > (uint32_t)(parent->pages - parent->next) ? CAD_USED_UP : CAD_OK;
    frame_no_t first;

    assert_int_equal(untyped_retype_object(&cpu, untyped, FIRST_OBJECT + k, pages, &first),
                     expected);
    if (!is_refused(from, expected)) {
        assert_int_equal(first, parent->first + parent->next);
        now.model.objects[k] = (struct model_object){
            .untyped = (uint8_t)untyped, .first = (uint8_t)first, .pages = (uint8_t)pages
        };
        parent->next = (uint8_t)(parent->next + pages);
        parent->children++;
    }
    compare();
}

static void try_object_end(const struct snapshot *from, uint32_t k)
{
    restore(from);
    struct model_object *object = &now.model.objects[k];
    uint32_t untyped = object->untyped;

    untyped_return_object(&cpu, untyped, FIRST_OBJECT + k, object->first, object->pages);
    memset(object, 0, sizeof(*object));
    now.model.untypeds[untyped].children--;
    model_end(untyped);
    compare();
}

static void try_capability(const struct snapshot *from, uint32_t untyped)
{
    if (from->model.untypeds[untyped].capabilities == 0)
        return;
    restore(from);
    if (now.model.untypeds[untyped].capabilities < bounds->capabilities) {
        untyped_take(&cpu, untyped);
        now.model.untypeds[untyped].capabilities++;
        compare();
    }
    restore(from);
    untyped_put(&cpu, untyped);
    now.model.untypeds[untyped].capabilities--;
    model_end(untyped);
    compare();
}

static void try_reset(const struct snapshot *from, uint32_t untyped)
{
    restore(from);
    status_t expected = now.model.untypeds[untyped].children > 0 ? CAD_BUSY : CAD_OK;

    assert_int_equal(untyped_reset(&cpu, untyped), expected);
    if (!is_refused(from, expected))
        now.model.untypeds[untyped].next = 0;
    compare();
}

/* `first` on has been handed out, and has come back; only the end of it is undone. */
static void try_retract(const struct snapshot *from, uint32_t untyped, uint32_t page,
                        uint32_t pages)
{
    const struct model_untyped *before = &from->model.untypeds[untyped];

    restore(from);
    for (uint32_t i = page; i < page + pages; i++) {
        const struct frame *frame = &now.tables.frames[before->first + i];
        if (frame->state != FRAME_UNTYPED || frame->owner != untyped)
            return;
    }
    untyped_retract(&cpu, untyped, before->first + page, pages);
    if (page + pages == before->next)
        now.model.untypeds[untyped].next = (uint8_t)page;
    compare();
}

static void try_untyped(const struct snapshot *from, uint32_t untyped)
{
    const struct model_untyped *at = &from->model.untypeds[untyped];
    uint32_t object = 0; /* the first that is not there: which one makes no difference */

    while (object < bounds->objects && from->model.objects[object].pages > 0)
        object++;
    for (uint32_t pages = 1; pages <= at->pages; pages++) {
        try_split(from, untyped, pages);
        if (object < bounds->objects)
            try_object(from, untyped, object, pages);
    }
    try_capability(from, untyped);
    try_reset(from, untyped);
    for (uint32_t page = 0; page < at->next; page++) {
        for (uint32_t pages = 1; page + pages <= at->next; pages++)
            try_retract(from, untyped, page, pages);
    }
}

static void try_all(const struct snapshot *from)
{
    for (uint32_t pages = 1; pages <= COMMITTED + 1; pages++)
        try_create(from, pages);
    for (uint32_t untyped = 1; untyped <= RECORDS; untyped++) {
        if (from->model.untypeds[untyped].pages > 0)
            try_untyped(from, untyped);
    }
    for (uint32_t k = 0; k < OBJECTS; k++) {
        if (from->model.objects[k].pages > 0)
            try_object_end(from, k);
    }
}

/* --- the start --- */

static void make_tables(void)
{
    uint64_t limits[CAD_RESOURCE_COUNT] = { 0 };
    uint32_t root;

    limits[CAD_RESOURCE_COMMITTED] = COMMITTED;
    limits[CAD_RESOURCE_METADATA] = CHARGE_LEDGER + (RECORDS + 1) * CHARGE_UNTYPED;
    cadastre.ledgers.ledgers = now.tables.ledgers;
    id_pool_init(&cadastre.ledgers.ids, 1, now.tables.ledger_slots, LEDGERS, UINT64_MAX);
    id_pool_extend(&cadastre.ledgers.ids, LEDGERS);
    assert_int_equal(ledger_create_root(&cpu, limits, &root), CAD_OK);
    assert_int_equal(ledger_create_child(&cpu, root, "pays", &ledger), CAD_OK);
    assert_int_equal(ledger_donate(&cpu, root, ledger, CAD_RESOURCE_COMMITTED, COMMITTED),
                     CAD_OK);
    assert_int_equal(ledger_donate(&cpu, root, ledger, CAD_RESOURCE_METADATA,
                                   (RECORDS + 1) * CHARGE_UNTYPED), CAD_OK);
    cadastre.untypeds.untypeds = now.tables.untypeds;
    id_pool_init(&cadastre.untypeds.ids, 2, now.tables.untyped_slots,
                 bounds->records + 1, UINT64_MAX);
    id_pool_extend(&cadastre.untypeds.ids, bounds->records + 1);
    frame_table_init(&cadastre.frames, now.tables.frames);
    assert_int_equal(frame_table_add_range(&cadastre.frames, FIRST, FRAMES), CAD_OK);
    assert_int_equal(frame_table_add_free(&cadastre.frames, FIRST, FRAMES), CAD_OK);
}

static void search(void)
{
    memset(&now, 0, sizeof(now));
    memset(&cadastre, 0, sizeof(cadastre));
    memset(seen, 0, sizeof(seen));
    memset(refused, 0, sizeof(refused));
    seen_count = 0;
    made = 0;
    cadastre.host.pool_grow = pool_grow;
    cadastre.host.ledger_idle = ledger_collect;
    cadastre.host.block_take = block_take;
    cadastre.host.run_put = run_put;
    cadastre.host.pages_clear = pages_clear;
    make_tables();
    compare();
    while (queue_first != NULL) {
        struct snapshot *from = queue_first;

        queue_first = from->next;
        if (queue_first == NULL)
            queue_last = &queue_first;
        try_all(from);
        free(from);
    }
    printf("%u states, %llu steps\n", seen_count, (unsigned long long)made);
    for (uint32_t i = 0; i < ARRAY_COUNT(refusals); i++) {
        printf("refused with %d: %llu\n", refusals[i], (unsigned long long)refused[i]);
        assert_true(refused[i] > 0);
    }
}

static void frames_come_back_to_whom_they_were_taken_from(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < ARRAY_COUNT(all_bounds); i++) {
        bounds = &all_bounds[i];
        search();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_back_to_whom_they_were_taken_from),
    };

    return cmocka_run_group_tests_name("untyped_exhaustive", tests, NULL, NULL);
}
