// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every set of claims that OBJECTS objects and LEDGERS ledgers can have, each for up to
 * REASONS reasons, by sequences of any length: a search, breadth first (LG4).
 *
 * From each state each ledger claims and gives up each object once.  The model knows how
 * many reasons each ledger has for each object.  After each step a ledger has been charged
 * once for each object that it has a reason for, whatever their number, and for no other;
 * it is referenced by as many claims, and each object lists its claims and no other.
 *
 * One ledger can pay for everything; the other runs out of pages, and of metadata, and both
 * run out of claims.  A refused claim leaves every byte as it was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/test_world.h" /* assert_failed */

#include "core/charge.h"

#define LEDGERS    2
#define OBJECTS    3
#define REASONS    2
#define CLAIMS     3
#define INDICES    (LEDGERS + 2) /* the root, and none */
#define SEEN_MAX   (1u << 16)

/* Free pages, and what an object of the loader's costs: nothing. */
static const uint32_t object_pages[OBJECTS] = { 2, 3, 4 };
static const uint8_t object_kind[OBJECTS] = { CAD_OBJECT_PAGES, CAD_OBJECT_CONTIGUOUS,
                                              CAD_OBJECT_BOOT };
static const uint32_t object_price[OBJECTS] = { 2, 3, 0 };
static const uint64_t ledger_pages[LEDGERS] = { 5, 3 };
static const uint64_t ledger_claims[LEDGERS] = { 3, 1 };

/* All that the core knows of claims. */
struct tables {
    struct object objects[OBJECTS + 1];
    struct id_slot object_slots[OBJECTS + 1];
    struct claim claims[CLAIMS + 1];
    struct id_slot claim_slots[CLAIMS + 1];
    struct ledger ledgers[INDICES];
    struct id_slot ledger_slots[INDICES];
};

struct snapshot {
    struct tables tables;
    struct id_pool claim_ids;
    uint8_t reasons[OBJECTS][LEDGERS];
    struct snapshot *next;
};

/* What tells two states apart: the lists, in their order, and the free claims. */
struct key {
    uint8_t list[OBJECTS][CLAIMS][3];
    uint8_t free_claims[CLAIMS];
    uint8_t is_there;
};

static struct cadastre cadastre;
static struct core_cpu cpu = { .cadastre = &cadastre };
static struct snapshot now;
static uint32_t ledgers[LEDGERS];
static struct key seen[SEEN_MAX];
static uint32_t seen_count;
static uint64_t made;
static const status_t refusals[] = { CAD_QUOTA_COMMITTED, CAD_QUOTA_METADATA, CAD_PRESSURE };
static uint64_t refused[ARRAY_COUNT(refusals)];
static struct snapshot *queue_first, **queue_last = &queue_first;

/* --- states --- */

static bool pool_grow(struct core_cpu *core, struct id_pool *pool)
{
    (void)core;
    (void)pool;
    return false;
}

static struct key key_now(void)
{
    struct key key = { .is_there = 1 };
    uint32_t at = 0;

    for (uint32_t object = 0; object < OBJECTS; object++) {
        uint32_t i = 0;

        for (uint32_t claim = now.tables.objects[object + 1].claims; claim != ID_NONE;
             claim = now.tables.claims[claim].next, i++) {
            assert_true(i < CLAIMS);
            key.list[object][i][0] = (uint8_t)claim;
            key.list[object][i][1] = (uint8_t)now.tables.claims[claim].ledger;
            key.list[object][i][2] = (uint8_t)now.tables.claims[claim].count;
        }
    }
    for (uint32_t claim = cadastre.objects.claim_ids.free_head; claim != ID_NONE;
         claim = now.tables.claim_slots[claim].next) {
        assert_true(at < CLAIMS);
        key.free_claims[at++] = (uint8_t)claim;
    }
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
    *copy = now;
    copy->claim_ids = cadastre.objects.claim_ids;
    copy->next = NULL;
    *queue_last = copy;
    queue_last = &copy->next;
}

static void restore(const struct snapshot *from)
{
    now = *from;
    cadastre.objects.claim_ids = from->claim_ids;
}

/* --- comparison --- */

static void compare_ledger(uint32_t which)
{
    const struct ledger *ledger = &now.tables.ledgers[ledgers[which]];
    uint32_t pages = 0, claims = 0;

    for (uint32_t object = 0; object < OBJECTS; object++) {
        if (now.reasons[object][which] > 0) {
            pages += object_price[object];
            claims++;
        }
    }
    assert_int_equal(ledger_used(ledger, CAD_RESOURCE_COMMITTED), pages);
    assert_int_equal(ledger_used(ledger, CAD_RESOURCE_METADATA), claims * CHARGE_CLAIM);
    assert_int_equal(ledger->references, 1 + claims);
}

static uint32_t compare_object(uint32_t object)
{
    bool is_listed[LEDGERS] = { false };
    uint32_t found = 0;

    for (uint32_t at = now.tables.objects[object + 1].claims; at != ID_NONE;
         at = now.tables.claims[at].next) {
        const struct claim *claim = &now.tables.claims[at];
        uint32_t which = claim->ledger == ledgers[0] ? 0 : 1;

        assert_int_equal(claim->ledger, ledgers[which]);
        assert_int_equal(claim->object, object + 1);
        assert_int_equal(claim->count, now.reasons[object][which]);
        assert_true(id_is_live(&cadastre.objects.claim_ids, at) && !is_listed[which]);
        is_listed[which] = true;
        found++;
    }
    for (uint32_t which = 0; which < LEDGERS; which++)
        assert_int_equal(is_listed[which], now.reasons[object][which] > 0);
    assert_int_equal(found, now.tables.objects[object + 1].claim_count);
    return found;
}

static void compare(void)
{
    uint32_t claims = 0;

    made++;
    for (uint32_t object = 0; object < OBJECTS; object++)
        claims += compare_object(object);
    assert_int_equal(claims, cadastre.objects.claim_ids.live_count);
    for (uint32_t which = 0; which < LEDGERS; which++)
        compare_ledger(which);
    id_pool_check_invariants(&cadastre.objects.claim_ids);
    remember();
}

/* --- operations, each from the state `from` --- */

static status_t expected_status(uint32_t object, uint32_t which)
{
    const struct ledger *ledger = &now.tables.ledgers[ledgers[which]];

    if (now.reasons[object][which] > 0)
        return CAD_OK;
    if (ledger_used(ledger, CAD_RESOURCE_COMMITTED) + object_price[object] > ledger_pages[which])
        return CAD_QUOTA_COMMITTED;
    if (ledger_used(ledger, CAD_RESOURCE_METADATA) == ledger_claims[which] * CHARGE_CLAIM)
        return CAD_QUOTA_METADATA;
    return cadastre.objects.claim_ids.live_count == CLAIMS ? CAD_PRESSURE : CAD_OK;
}

static void try_claim(const struct snapshot *from, uint32_t object, uint32_t which)
{
    restore(from);
    if (now.reasons[object][which] == REASONS)
        return;
    status_t expected = expected_status(object, which);

    assert_int_equal(object_claim(&cpu, object + 1, ledgers[which]), expected);
    if (expected == CAD_OK) {
        now.reasons[object][which]++;
    } else {
        for (uint32_t i = 0; i < ARRAY_COUNT(refusals); i++)
            refused[i] += expected == refusals[i];
        assert_memory_equal(&now.tables, &from->tables, sizeof(now.tables));
    }
    compare();
}

static void try_unclaim(const struct snapshot *from, uint32_t object, uint32_t which)
{
    restore(from);
    if (now.reasons[object][which] == 0)
        return;
    object_unclaim(&cpu, object + 1, ledgers[which]);
    now.reasons[object][which]--;
    compare();
}

static void try_all(const struct snapshot *from)
{
    for (uint32_t object = 0; object < OBJECTS; object++) {
        for (uint32_t which = 0; which < LEDGERS; which++) {
            try_claim(from, object, which);
            try_unclaim(from, object, which);
        }
    }
}

/* --- the start --- */

static void make_ledgers(void)
{
    uint64_t limits[CAD_RESOURCE_COUNT] = { 0 };
    uint32_t root;

    limits[CAD_RESOURCE_COMMITTED] = 100;
    limits[CAD_RESOURCE_METADATA] = 100 * CHARGE_LEDGER;
    cadastre.ledgers.ledgers = now.tables.ledgers;
    id_pool_init(&cadastre.ledgers.ids, 1, now.tables.ledger_slots, INDICES, UINT64_MAX);
    id_pool_extend(&cadastre.ledgers.ids, INDICES);
    assert_int_equal(ledger_create_root(&cpu, limits, &root), CAD_OK);
    for (uint32_t i = 0; i < LEDGERS; i++) {
        assert_int_equal(ledger_create_child(&cpu, root, "pays", &ledgers[i]), CAD_OK);
        assert_int_equal(ledger_donate(&cpu, root, ledgers[i], CAD_RESOURCE_COMMITTED,
                                       ledger_pages[i]), CAD_OK);
        assert_int_equal(ledger_donate(&cpu, root, ledgers[i], CAD_RESOURCE_METADATA,
                                       ledger_claims[i] * CHARGE_CLAIM), CAD_OK);
    }
}

static void make_objects(void)
{
    cadastre.objects.objects = now.tables.objects;
    cadastre.objects.claims = now.tables.claims;
    id_pool_init(&cadastre.objects.ids, 2, now.tables.object_slots, OBJECTS + 1, UINT64_MAX);
    id_pool_extend(&cadastre.objects.ids, OBJECTS + 1);
    id_pool_init(&cadastre.objects.claim_ids, 3, now.tables.claim_slots, CLAIMS + 1, UINT64_MAX);
    id_pool_extend(&cadastre.objects.claim_ids, CLAIMS + 1);
    for (uint32_t i = 0; i < OBJECTS; i++) {
        uint32_t object;

        assert_true(id_pool_take(&cpu, &cadastre.objects.ids, &object));
        assert_int_equal(object, i + 1);
        now.tables.objects[object].kind = object_kind[i];
        now.tables.objects[object].pages = object_pages[i];
        now.tables.objects[object].references = 1;
    }
}

static void every_ledger_pays_once_for_what_it_has_a_reason_for(void **state)
{
    (void)state;
    cadastre.host.pool_grow = pool_grow;
    cadastre.host.ledger_idle = ledger_collect;
    make_ledgers();
    make_objects();
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_ledger_pays_once_for_what_it_has_a_reason_for),
    };

    return cmocka_run_group_tests_name("claim_exhaustive", tests, NULL, NULL);
}
