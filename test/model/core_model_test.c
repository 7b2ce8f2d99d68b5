// SPDX-License-Identifier: BSD-2-Clause
/*
 * Random operations on the whole core against a naive model (model.h), with an
 * audit after each.  Each run takes a new seed and prints it; MODEL_SEED and
 * MODEL_STEPS in the environment repeat one or make it longer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "test/model/model.h"

#define MODEL_FRAMES 2400
#define STRESS_ONE_IN 2

static struct model model;
static struct test_audit audit;

uint32_t model_below(struct model *with, uint32_t limit)
{
    if (with->choose != NULL)
        return with->choose(limit);
    with->random ^= with->random << 13;
    with->random ^= with->random >> 7;
    with->random ^= with->random << 17;
    return (uint32_t)((with->random >> 16) % limit);
}

static bool may_be_pressed(status_t expected)
{
    return expected == CAD_OK || expected == CAD_QUOTA_VIRTUAL ||
           expected == CAD_QUOTA_COMMITTED || expected == CAD_USED_UP;
}

uint64_t model_begin(struct model *with)
{
    with->cpu = &with->world->cpus[model_below(with, WORLD_CPUS)];
    if (with->stress)
        world_fail_after(with->world, model_below(with, 4));
    return world_hash(with->world);
}

bool model_end(struct model *with, uint64_t before, status_t expected, status_t status)
{
    bool is_pressed = with->stress && status == CAD_PRESSURE && may_be_pressed(expected);

    world_fail_never(with->world);
    if (!is_pressed)
        assert_int_equal(status, expected);
    if (status != CAD_OK)
        assert_int_equal(world_hash(with->world), before);
    with->made += status == CAD_OK;
    with->refused += status != CAD_OK && !is_pressed;
    with->pressed += is_pressed;
    return status == CAD_OK;
}

static void add_holdings(void *context, struct audit *into)
{
    (void)context;
    for (unsigned i = 0; i < MODEL_LEDGERS; i++)
        audit_host_ledger(into, model.ledgers[i]);
    audit_host_untyped(into, model.untyped);
}

static uint64_t environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtoull(text, NULL, 0) : otherwise;
}

static int make(void **state)
{
    static const uint64_t virtual_pages[MODEL_LEDGERS] = { 1100000, 2500 };
    static const uint64_t committed_pages[MODEL_LEDGERS] = { 700, 400 };
    struct timespec now;

    (void)state;
    memset(&model, 0, sizeof(model));
    memset(&audit, 0, sizeof(audit));
    clock_gettime(CLOCK_REALTIME, &now);
    model.random = environment("MODEL_SEED", (uint64_t)now.tv_sec * 1000000007u +
                                                 (uint64_t)now.tv_nsec) | 1;
    printf("# MODEL_SEED=%llu\n", (unsigned long long)model.random);
    model.world = world_create(MODEL_FRAMES);
    model.cpu = model.world->cpu;
    audit.world = model.world;
    audit.add_holdings = add_holdings;
    for (unsigned i = 0; i < MODEL_LEDGERS; i++) {
        model.virtual_limit[i] = virtual_pages[i];
        model.committed_limit[i] = committed_pages[i];
        model.ledgers[i] =
            world_ledger(model.world, virtual_pages[i], committed_pages[i], 2000000, 100);
    }
    for (uint32_t i = 0; i < MODEL_TABLES; i++)
        assert_int_equal(cap_table_create(model.cpu, model.ledgers[model_table_ledger(i)], i,
                                          &model.tables[i]), CAD_OK);
    for (unsigned i = 0; i < MODEL_SPACES; i++) {
        model.spaces[i].ledger = i % MODEL_LEDGERS;
        assert_int_equal(space_create(model.cpu, model.ledgers[i % MODEL_LEDGERS],
                                      &model.spaces[i].id), CAD_OK);
    }
    assert_int_equal(untyped_create(model.cpu, model.world->ledger, 40, &model.untyped), CAD_OK);
    return 0;
}

/* Everything ends; world_destroy wants all of it back. */
static int end(void **state)
{
    (void)state;
    struct space_work work = { .rounds_owed = NULL };

    if (!model.is_done) { /* the core and the model disagree: nothing can be ended in order */
        world_abandon(model.world);
        return 0;
    }
    model_caps_end(&model);
    world_cpus_leave(model.world);
    for (unsigned i = 0; i < MODEL_SPACES; i++) {
        while (!space_teardown_step(model.cpu, model.spaces[i].id, 500, &work))
            assert_true(frame_quarantine_release(model.cpu, &work.chain, UINT32_MAX));
        assert_true(frame_quarantine_release(model.cpu, &work.chain, UINT32_MAX));
    }
    for (uint32_t i = 0; i < MODEL_TABLES; i++)
        cap_table_destroy(model.cpu, model.tables[i]);
    untyped_put(model.cpu, model.untyped);
    for (unsigned i = 0; i < MODEL_LEDGERS; i++)
        ledger_put(model.cpu, model.ledgers[i]);
    world_destroy(model.world);
    return 0;
}

static void step(unsigned number, bool may_stress)
{
    model.stress = may_stress && model_below(&model, STRESS_ONE_IN) == 0;
    if (model_below(&model, 5) == 0)
        model_cap_operation(&model);
    else
        model_space_operation(&model);
    test_audit_expect_clean(&audit);
    model_spaces_compare(&model);
    model_caps_compare(&model);
    if (number % 100 == 99)
        model_spaces_read_all(&model);
}

/* Objects that capabilities do not hold any more live by their mappings: those end first. */
static void unmap_all_objects(void)
{
    for (unsigned s = 0; s < MODEL_SPACES; s++) {
        for (uint32_t i = 0; i < MODEL_PAGES; i++) {
            struct model_page *page = &model.spaces[s].pages[i];
            struct space_work work = { .rounds_owed = NULL };
            if (page->state != MODEL_BORROWED)
                continue;
            page->state = MODEL_FREE;
            assert_int_equal(space_unmap_object(model.cpu, model.spaces[s].id,
                                                model.objects[page->object].id,
                                                MODEL_BASE + (uint64_t)i * PAGE_SIZE, 1, &work),
                             CAD_OK);
            assert_true(frame_quarantine_release(model.cpu, &work.chain, UINT32_MAX));
            assert_int_equal(work.dead_count, model_object_should_die(&model, page->object));
            if (work.dead_count > 0)
                model_object_die(&model, page->object);
        }
    }
}

static void run(unsigned steps, bool may_stress)
{
    steps = (unsigned)environment("MODEL_STEPS", steps);
    for (unsigned i = 0; i < steps; i++)
        step(i, may_stress);
    model_spaces_read_all(&model);
    unmap_all_objects();
    test_audit_expect_clean(&audit);
    printf("# %llu made, %llu refused, %llu pressed\n", (unsigned long long)model.made,
           (unsigned long long)model.refused, (unsigned long long)model.pressed);
    assert_true(model.made > steps / 4);
    model.is_done = true;
}

static void random_operations_agree_with_the_model(void **state)
{
    (void)state;
    run(1000, false);
}

static void random_operations_agree_while_allocations_fail(void **state)
{
    (void)state;
    run(1000, true);
    assert_true(model.pressed > 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, end)
    const struct CMUnitTest tests[] = {
        TEST(random_operations_agree_with_the_model),
        TEST(random_operations_agree_while_allocations_fail),
    };
    return cmocka_run_group_tests_name("core_model", tests, NULL, NULL);
}
