// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every state of a pool of up to INDICES indices and GENERATIONS generations, by sequences
 * of any length: a search, breadth first (CP1).
 *
 * From each state the pool is grown to each size, an index is taken, with a host that grows
 * the pool by no, one or two indices when there is none, and each index is put and renewed.
 * The model knows of each index whether it lives or is retired, and its generation, but not
 * which free one comes next: any may.  After each step exactly the names that the model has
 * resolve, so no name ever resolves again once it is stale.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/test_world.h" /* assert_failed */

#define INDICES     4
#define LIMIT       (INDICES + 1) /* index 0 is never given out */
#define GENERATIONS 3
#define INDEX_BITS  5             /* three for `next`, two for the generation */
#define STATES_MAX  (1u << (INDICES * INDEX_BITS + 6))

COMPILE_ASSERT(LIMIT + 2 <= 8 && GENERATIONS < 4, an_index_fits_its_bits);

struct model_index {
    bool lives, is_retired;
    uint64_t generation;
};

struct snapshot {
    struct id_slot slots[LIMIT];
    struct id_pool pool;
    struct model_index model[LIMIT];
    struct snapshot *next;
};

static struct cadastre cadastre;
static struct core_cpu cpu = { .cadastre = &cadastre };
static struct snapshot now;
static uint32_t growth;
static uint8_t seen[STATES_MAX / 8];
static uint32_t seen_count;
static uint64_t made, refused;
static struct snapshot *queue_first, **queue_last = &queue_first;

/* --- states --- */

/* In three bits. */
static uint32_t next_number(uint32_t next)
{
    return next == ID_LIVE ? LIMIT : next == ID_RETIRED ? LIMIT + 1 : next;
}

static uint32_t state_number(void)
{
    uint32_t number = now.pool.capacity << 3 | next_number(now.pool.free_head);

    for (uint32_t i = 1; i < LIMIT; i++) {
        bool is_backed = i < now.pool.capacity;
        uint32_t next = is_backed ? next_number(now.slots[i].next) : 0;
        uint32_t generation = is_backed ? (uint32_t)now.slots[i].generation : 0;

        number = number << INDEX_BITS | next << 2 | generation;
    }
    return number;
}

static void remember(void)
{
    uint32_t number = state_number();

    if (seen[number / 8] >> number % 8 & 1)
        return;
    struct snapshot *copy = malloc(sizeof(*copy));

    assert_non_null(copy);
    seen[number / 8] |= (uint8_t)(1u << number % 8);
    seen_count++;
    *copy = now;
    copy->next = NULL;
    *queue_last = copy;
    queue_last = &copy->next;
}

static void restore(const struct snapshot *from)
{
    now = *from;
    now.pool.slots = now.slots;
}

/* --- comparison --- */

static bool model_is_free(uint32_t index)
{
    return index > 0 && index < now.pool.capacity && !now.model[index].lives &&
           !now.model[index].is_retired;
}

static uint32_t model_count_free(void)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < LIMIT; i++)
        count += model_is_free(i);
    return count;
}

static void compare(void)
{
    uint32_t live = 0, retired = 0;

    made++;
    for (uint32_t i = 0; i < LIMIT; i++) {
        const struct model_index *model = &now.model[i];

        assert_int_equal(id_is_live(&now.pool, i), model->lives);
        for (uint64_t generation = 0; generation <= GENERATIONS + 1; generation++)
            assert_int_equal(id_matches(&now.pool, i, generation),
                             model->lives && generation == model->generation);
        live += model->lives;
        retired += model->is_retired;
    }
    assert_int_equal(now.pool.live_count, live);
    assert_int_equal(now.pool.retired_count, retired);
    assert_int_equal(now.pool.free_count, model_count_free());
    id_pool_check_invariants(&now.pool);
    remember();
}

static void compare_refused(const struct snapshot *before)
{
    refused++;
    assert_memory_equal(now.slots, before->slots, sizeof(now.slots));
    assert_int_equal(now.pool.free_head, before->pool.free_head);
    compare();
}

/* --- operations, each from the state `from` --- */

static bool pool_grow(struct core_cpu *core, struct id_pool *pool)
{
    uint32_t capacity = pool->capacity + growth;

    (void)core;
    assert_int_equal(model_count_free(), 0);
    if (growth == 0 || capacity > pool->limit)
        return false;
    id_pool_extend(pool, capacity);
    return true;
}

static void try_extend(const struct snapshot *from, uint32_t capacity)
{
    restore(from);
    if (capacity < now.pool.capacity)
        return;
    id_pool_extend(&now.pool, capacity);
    assert_int_equal(now.pool.capacity, capacity);
    compare();
}

static void try_take(const struct snapshot *from, uint32_t by)
{
    uint32_t index = ID_NONE;

    restore(from);
    growth = by;
    bool has_one = model_count_free() > 0;
    bool taken = id_pool_take(&cpu, &now.pool, &index);

    if (has_one)
        assert_int_equal(now.pool.capacity, from->pool.capacity);
    /* What the host backed in vain stays backed. */
    assert_int_equal(taken, has_one || model_count_free() > 0);
    if (!taken) {
        if (now.pool.capacity == from->pool.capacity)
            compare_refused(from);
        else
            compare();
        return;
    }
    assert_true(model_is_free(index));
    now.model[index].lives = true;
    compare();
}

static void try_put(const struct snapshot *from, uint32_t index)
{
    restore(from);
    struct model_index *model = &now.model[index];

    if (!model->lives)
        return;
    model->lives = false;
    if (model->generation == GENERATIONS)
        model->is_retired = true;
    else
        model->generation++;
    id_pool_put(&now.pool, index);
    compare();
}

static void try_renew(const struct snapshot *from, uint32_t index)
{
    restore(from);
    struct model_index *model = &now.model[index];

    if (!model->lives)
        return;
    bool renewed = id_pool_renew(&now.pool, index);

    assert_int_equal(renewed, model->generation < GENERATIONS);
    model->generation += renewed;
    if (renewed)
        compare();
    else
        compare_refused(from);
}

static void try_all(const struct snapshot *from)
{
    for (uint32_t capacity = 0; capacity <= LIMIT; capacity++)
        try_extend(from, capacity);
    for (uint32_t by = 0; by <= 2; by++)
        try_take(from, by);
    for (uint32_t index = 1; index < LIMIT; index++) {
        try_put(from, index);
        try_renew(from, index);
    }
}

static void no_stale_name_ever_resolves(void **state)
{
    (void)state;
    cadastre.host.pool_grow = pool_grow;
    for (uint32_t i = 1; i < LIMIT; i++)
        now.model[i].generation = 1;
    id_pool_init(&now.pool, 99, now.slots, LIMIT, GENERATIONS);
    compare();
    while (queue_first != NULL) {
        struct snapshot *from = queue_first;

        queue_first = from->next;
        if (queue_first == NULL)
            queue_last = &queue_first;
        try_all(from);
        free(from);
    }
    printf("%u states, %llu steps, %llu refused\n", seen_count, (unsigned long long)made,
           (unsigned long long)refused);
    assert_true(seen_count > 1 && refused > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_stale_name_ever_resolves),
    };

    return cmocka_run_group_tests_name("id_pool_exhaustive", tests, NULL, NULL);
}
