// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every tree of up to LEDGERS ledgers that sequences of operations can reach, of any
 * length: a search, breadth first, over the states (LG2, LG3, LG6).
 *
 * From each state each operation is made once and compared with a naive model, which
 * knows limit and use of each ledger and nothing else.  Afterwards every word of every
 * ledger must be right: available + used + donated == limit, what is donated is the sum
 * of the children's limits, and the root's limit is what it was.  A refused operation
 * must leave every byte as it was.
 *
 * Two resources, in small units: committed pages, and metadata in records of ledgers.
 * Who charges pages has a reference, as in the kernel, so a ledger's last one goes when
 * it uses none.  Two states are one if they differ in which free index comes next only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/test_world.h"

#include "core/charge.h"

#define LEDGERS    4
#define INDICES    (LEDGERS + 1)
#define PAGES      2       /* the root's */
#define RECORDS    LEDGERS /* one more than there are indices for */
#define STATES_MAX (1u << 22)

enum { PAGE, RECORD, KINDS };
static const enum cad_resource resources[KINDS] = { CAD_RESOURCE_COMMITTED,
                                                    CAD_RESOURCE_METADATA };
static const uint64_t units[KINDS] = { 1, CHARGE_LEDGER };

struct model_ledger {
    uint8_t lives, parent, references, limit[KINDS], used[KINDS], reserved;
};

struct model_tree {
    struct model_ledger at[INDICES];
};

/* All that the core knows of ledgers. */
struct snapshot {
    struct ledger ledgers[INDICES];
    struct id_slot slots[INDICES];
    struct id_pool ids;
    struct model_tree model;
    struct snapshot *next;
};

static struct cadastre cadastre;
static struct core_cpu cpu = { .cadastre = &cadastre };
static struct snapshot now;
static uint32_t root;

static struct model_tree *seen;
static uint32_t seen_count;
static struct snapshot *queue_first, **queue_last = &queue_first;
static uint64_t made, refused;

/* --- states --- */

static bool pool_grow(struct core_cpu *core, struct id_pool *pool)
{
    (void)core;
    (void)pool;
    return false;
}

static uint32_t bucket_of(const struct model_tree *model)
{
    const uint8_t *bytes = (const uint8_t *)model;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < sizeof(*model); i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return (uint32_t)(hash >> 32) % STATES_MAX;
}

/* Gives: false if the state was there already.  The root lives, so no state is all zeroes. */
static bool remember(const struct model_tree *model)
{
    static const struct model_tree none;
    uint32_t bucket = bucket_of(model);

    while (memcmp(&seen[bucket], &none, sizeof(none)) != 0) {
        if (memcmp(&seen[bucket], model, sizeof(*model)) == 0)
            return false;
        bucket = (bucket + 1) % STATES_MAX;
    }
    assert_true(seen_count < STATES_MAX / 2);
    seen[bucket] = *model;
    seen_count++;
    return true;
}

static void enqueue(void)
{
    if (!remember(&now.model))
        return;
    struct snapshot *copy = malloc(sizeof(*copy));

    assert_non_null(copy);
    *copy = now;
    copy->ids = cadastre.ledgers.ids;
    copy->next = NULL;
    *queue_last = copy;
    queue_last = &copy->next;
}

static void restore(const struct snapshot *state)
{
    now = *state;
    cadastre.ledgers.ids = state->ids;
}

/* --- the model --- */

static struct model_ledger *model_at(uint32_t ledger)
{
    return &now.model.at[ledger];
}

static unsigned model_children(uint32_t ledger)
{
    unsigned count = 0;

    for (uint32_t i = 1; i < INDICES; i++)
        count += model_at(i)->lives && model_at(i)->parent == ledger;
    return count;
}

static unsigned model_donated(uint32_t ledger, unsigned kind)
{
    unsigned sum = 0;

    for (uint32_t i = 1; i < INDICES; i++) {
        if (model_at(i)->lives && model_at(i)->parent == ledger)
            sum += model_at(i)->limit[kind];
    }
    return sum;
}

static unsigned model_available(uint32_t ledger, unsigned kind)
{
    const struct model_ledger *at = model_at(ledger);

    return at->limit[kind] - at->used[kind] - model_donated(ledger, kind);
}

static void model_collect(uint32_t ledger)
{
    while (ledger != ID_NONE && model_at(ledger)->references == 0 && model_children(ledger) == 0) {
        uint32_t parent = model_at(ledger)->parent;

        memset(model_at(ledger), 0, sizeof(struct model_ledger));
        if (parent != ID_NONE)
            model_at(parent)->used[RECORD]--;
        ledger = parent;
    }
}

/* --- comparison --- */

static void compare_words(uint32_t ledger)
{
    const struct ledger *core = &now.ledgers[ledger];

    for (unsigned what = 0; what < CAD_RESOURCE_COUNT; what++) {
        unsigned kind = what == resources[PAGE] ? PAGE : what == resources[RECORD] ? RECORD : KINDS;
        bool is_used = kind < KINDS;
        uint64_t limit = is_used ? model_at(ledger)->limit[kind] * units[kind] : 0;
        uint64_t used = is_used ? model_at(ledger)->used[kind] * units[kind] : 0;
        uint64_t donated = is_used ? model_donated(ledger, kind) * units[kind] : 0;

        assert_int_equal(core->limit[what], limit);
        assert_int_equal(core->donated[what], donated);
        assert_int_equal(core->available[what] + used + core->donated[what], limit);
        assert_int_equal(ledger_used(core, what), used);
    }
}

static void compare(void)
{
    uint32_t living = 0;

    for (uint32_t i = 1; i < INDICES; i++) {
        assert_int_equal(id_is_live(&cadastre.ledgers.ids, i), model_at(i)->lives);
        if (!model_at(i)->lives)
            continue;
        living++;
        assert_int_equal(now.ledgers[i].parent, model_at(i)->parent);
        assert_int_equal(now.ledgers[i].children, model_children(i));
        assert_int_equal(now.ledgers[i].references, model_at(i)->references);
        compare_words(i);
    }
    assert_int_equal(living, cadastre.ledgers.ids.live_count);
    id_pool_check_invariants(&cadastre.ledgers.ids);
    assert_int_equal(model_at(root)->limit[PAGE], PAGES);
    assert_int_equal(model_at(root)->limit[RECORD], RECORDS);
}

/* A refused operation changed nothing; after any, core and model agree. */
static void check(const struct snapshot *before, status_t expected, status_t status)
{
    made++;
    assert_int_equal(status, expected);
    if (status != CAD_OK) {
        refused++;
        assert_memory_equal(now.ledgers, before->ledgers, sizeof(now.ledgers));
        assert_memory_equal(now.slots, before->slots, sizeof(now.slots));
        assert_memory_equal(&cadastre.ledgers.ids, &before->ids, sizeof(before->ids));
    }
    compare();
    enqueue();
}

/* --- operations, each from the state `from` --- */

static void try_create(const struct snapshot *from, uint32_t parent)
{
    uint32_t child = ID_NONE;
    status_t expected = CAD_OK;

    restore(from);
    if (model_available(parent, RECORD) == 0)
        expected = CAD_QUOTA_METADATA;
    else if (cadastre.ledgers.ids.free_head == ID_NONE)
        expected = CAD_PRESSURE;
    status_t status = ledger_create_child(&cpu, parent, "child", &child);

    if (status == CAD_OK) {
        assert_true(child > 0 && child < INDICES && !model_at(child)->lives);
        *model_at(child) = (struct model_ledger){ .lives = 1, .parent = (uint8_t)parent,
                                                  .references = 1 };
        model_at(parent)->used[RECORD]++;
    }
    check(from, expected, status);
}

static void try_put(const struct snapshot *from, uint32_t ledger)
{
    restore(from);
    if (ledger == root || model_at(ledger)->references == 0 || model_at(ledger)->used[PAGE] > 0)
        return;
    model_at(ledger)->references--;
    model_collect(ledger);
    ledger_put(&cpu, ledger);
    check(from, CAD_OK, CAD_OK);
}

/* Who has gone is never taken again; who lives is, and is then as before. */
static void try_take(const struct snapshot *from, uint32_t ledger)
{
    restore(from);
    bool taken = ledger_try_take(&cpu, ledger);

    assert_int_equal(taken, model_at(ledger)->references > 0);
    if (taken)
        ledger_put(&cpu, ledger);
    check(from, CAD_OK, CAD_OK);
}

static void try_charge(const struct snapshot *from, uint32_t ledger, uint64_t amount)
{
    restore(from);
    if (model_at(ledger)->references == 0)
        return;
    bool fits = amount <= model_available(ledger, PAGE);
    status_t status = ledger_reserve(&cpu, ledger, CAD_RESOURCE_COMMITTED, amount);

    if (fits)
        model_at(ledger)->used[PAGE] += (uint8_t)amount;
    check(from, fits ? CAD_OK : CAD_QUOTA_COMMITTED, status);
}

static void try_release(const struct snapshot *from, uint32_t ledger)
{
    restore(from);
    if (model_at(ledger)->used[PAGE] == 0)
        return;
    ledger_release(&cpu, ledger, CAD_RESOURCE_COMMITTED, 1);
    model_at(ledger)->used[PAGE]--;
    check(from, CAD_OK, CAD_OK);
}

static void try_donate(const struct snapshot *from, uint32_t ledger, uint32_t child, unsigned kind)
{
    restore(from);
    status_t expected = ledger_quota_status(resources[kind]);

    if (model_at(child)->parent != ledger)
        expected = CAD_INVALID;
    else if (model_available(ledger, kind) > 0)
        expected = CAD_OK;
    status_t status = ledger_donate(&cpu, ledger, child, resources[kind], units[kind]);

    if (expected == CAD_OK)
        model_at(child)->limit[kind]++;
    check(from, expected, status);
}

static void try_take_back(const struct snapshot *from, uint32_t ledger, uint32_t child,
                          unsigned kind)
{
    restore(from);
    status_t expected = CAD_UNCHARGED;

    if (model_at(child)->parent != ledger)
        expected = CAD_INVALID;
    else if (model_available(child, kind) > 0)
        expected = CAD_OK;
    status_t status = ledger_take_back(&cpu, ledger, child, resources[kind], units[kind]);

    if (expected == CAD_OK)
        model_at(child)->limit[kind]--;
    check(from, expected, status);
}

static void try_all(const struct snapshot *from)
{
    for (uint32_t ledger = 1; ledger < INDICES; ledger++) {
        if (!from->model.at[ledger].lives)
            continue;
        try_create(from, ledger);
        try_put(from, ledger);
        try_take(from, ledger);
        try_release(from, ledger);
        for (uint64_t amount = 1; amount <= PAGES; amount++)
            try_charge(from, ledger, amount);
        for (uint32_t child = 1; child < INDICES; child++) {
            for (unsigned kind = 0; from->model.at[child].lives && kind < KINDS; kind++) {
                try_donate(from, ledger, child, kind);
                try_take_back(from, ledger, child, kind);
            }
        }
    }
}

static void start(void)
{
    uint64_t limits[CAD_RESOURCE_COUNT] = { 0 };

    limits[CAD_RESOURCE_COMMITTED] = PAGES;
    limits[CAD_RESOURCE_METADATA] = (uint64_t)CHARGE_LEDGER * RECORDS;
    cadastre.host.pool_grow = pool_grow;
    cadastre.host.ledger_idle = ledger_collect;
    cadastre.ledgers.ledgers = now.ledgers;
    id_pool_init(&cadastre.ledgers.ids, 1, now.slots, INDICES, UINT64_MAX);
    id_pool_extend(&cadastre.ledgers.ids, INDICES);
    assert_int_equal(ledger_create_root(&cpu, limits, &root), CAD_OK);
    *model_at(root) = (struct model_ledger){ .lives = 1, .references = 1,
                                             .limit = { PAGES, RECORDS } };
    compare();
    enqueue();
}

static void every_tree_keeps_every_sum(void **state)
{
    (void)state;
    seen = calloc(STATES_MAX, sizeof(*seen));
    assert_non_null(seen);
    start();
    while (queue_first != NULL) {
        struct snapshot *from = queue_first;

        queue_first = from->next;
        if (queue_first == NULL)
            queue_last = &queue_first;
        try_all(from);
        free(from);
    }
    free(seen);
    printf("%u states, %llu operations, %llu refused\n", seen_count, (unsigned long long)made,
           (unsigned long long)refused);
    assert_true(refused > 0 && seen_count > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_tree_keeps_every_sum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
