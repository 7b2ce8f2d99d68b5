// SPDX-License-Identifier: BSD-2-Clause
#include "core/cap.h"

#include "core/charge.h"
#include "core/test_world.h"

#define TABLES 3

static struct test_world *world;
static uint32_t tables[TABLES];

static int make(void **state)
{
    (void)state;
    world = world_create(512);
    for (unsigned i = 0; i < TABLES; i++) {
        assert_int_equal(cap_table_create(world->cpu, world->ledger, 100 + i, &tables[i]), CAD_OK);
    }
    return 0;
}

/* Deletes what a test left, so that only what a delete forgets is missing. */
static int end(void **state)
{
    (void)state;
    cap_check_invariants(world->cpu);
    for (unsigned i = 0; i < TABLES; i++) {
        while (cap_table_first(world->cpu, tables[i]) != ID_NONE) {
            (void)cap_delete(world->cpu, cap_table_first(world->cpu, tables[i]));
        }
        cap_table_destroy(world->cpu, tables[i]);
    }
    world_destroy(world);
    return 0;
}

static const struct cap_slot *slot_at(uint32_t slot)
{
    return &world->cadastre.caps.slots[slot];
}

static uint32_t table_count(uint32_t table)
{
    return world->cadastre.caps.tables[table].count;
}

static struct cap_object object_of(uint32_t index)
{
    struct cap_object object = { CAD_INTERFACE_ENDPOINT, index, 1000 + (uint64_t)index };

    return object;
}

static uint32_t insert(uint32_t table, uint32_t rights, uint64_t badge)
{
    uint32_t slot;

    assert_int_equal(cap_insert(world->cpu, table, object_of(table), rights, badge, &slot),
                     CAD_OK);
    return slot;
}

static uint32_t root(void)
{
    return insert(tables[0], CAD_RIGHT_ALL, 0);
}

static uint32_t derive(uint32_t source, uint32_t table)
{
    uint32_t slot;

    assert_int_equal(cap_derive(world->cpu, source, table, CAD_RIGHT_ALL, 0, &slot), CAD_OK);
    cap_check_invariants(world->cpu);
    return slot;
}

static void delete(uint32_t slot)
{
    (void)cap_delete(world->cpu, slot);
    cap_check_invariants(world->cpu);
}

static status_t lookup(uint32_t table, cap_id_t id, uint32_t interface, uint32_t rights)
{
    uint32_t slot;

    return cap_lookup(world->cpu, table, id, interface, rights, &slot);
}

/* Gives: how many went, in steps of at most three. */
static uint32_t revoke(uint32_t slot)
{
    struct cap_holding held[3];
    uint32_t table, gone = 0, step;

    while ((step = cap_revoke_step(world->cpu, slot, held, 3, &table)) != 0) {
        cap_check_invariants(world->cpu);
        gone += step;
    }
    return gone;
}

static void a_capability_is_found_by_its_id_in_its_own_table_only(void **state)
{
    uint32_t slot = root(), found = 0;
    cap_id_t id = cap_id(world->cpu, slot);

    (void)state;
    assert_int_not_equal(id, CAD_CAP_NONE);
    assert_int_equal(cap_lookup(world->cpu, tables[0], id, CAD_INTERFACE_ENDPOINT, CAD_RIGHT_CALL,
                                &found), CAD_OK);
    assert_int_equal(found, slot);
    assert_int_equal(lookup(tables[1], id, CAD_INTERFACE_NONE, 0), CAD_STALE);
}

static void a_deleted_id_never_resolves_again(void **state)
{
    cap_id_t old[5];
    uint32_t first = root();

    (void)state;
    old[0] = cap_id(world->cpu, first);
    for (unsigned i = 1; i < ARRAY_COUNT(old); i++) {
        uint32_t slot;

        delete(first);
        slot = root();
        assert_int_equal(slot, first); /* the same slot, reused at once */
        old[i] = cap_id(world->cpu, slot);
        for (unsigned j = 0; j < i; j++) {
            assert_int_equal(lookup(tables[0], old[j], CAD_INTERFACE_NONE, 0), CAD_STALE);
        }
    }
}

static void ids_that_were_never_given_are_stale(void **state)
{
    cap_id_t id = cap_id(world->cpu, root());
    static const cap_id_t wrong[] = { CAD_CAP_NONE, 0xffffff, UINT64_MAX, 1u << 24,
                                      UINT64_C(1) << 63 };

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(wrong); i++) {
        assert_int_equal(lookup(tables[0], wrong[i], CAD_INTERFACE_NONE, 0), CAD_STALE);
    }
    for (unsigned bit = CAD_CAP_SLOT_BITS; bit < 64; bit++) {
        assert_int_equal(lookup(tables[0], id ^ UINT64_C(1) << bit, CAD_INTERFACE_NONE, 0),
                         CAD_STALE);
    }
}

static void a_lookup_refuses_type_before_right(void **state)
{
    cap_id_t id = cap_id(world->cpu, insert(tables[0], CAD_RIGHT_CALL, 0));

    (void)state;
    assert_int_equal(lookup(tables[0], id, CAD_INTERFACE_CLOCK, CAD_RIGHT_READ), CAD_WRONG_TYPE);
    assert_int_equal(lookup(tables[0], id, CAD_INTERFACE_ENDPOINT,
                            CAD_RIGHT_CALL | CAD_RIGHT_READ), CAD_NO_RIGHT);
    assert_int_equal(lookup(tables[0], id, CAD_INTERFACE_NONE, CAD_RIGHT_READ), CAD_NO_RIGHT);
    assert_int_equal(lookup(tables[0], id, CAD_INTERFACE_NONE, CAD_RIGHT_CALL), CAD_OK);
}

static void a_slot_is_charged_and_given_back(void **state)
{
    uint64_t bytes = world_used(world, world->ledger, CAD_RESOURCE_METADATA);
    uint32_t slot = root();
    struct cap_object object;

    (void)state;
    assert_int_equal(bytes, TABLES * CHARGE_CAP_TABLE);
    assert_int_equal(world_used(world, world->ledger, CAD_RESOURCE_SLOTS), 1);
    assert_int_equal(world_used(world, world->ledger, CAD_RESOURCE_METADATA),
                     bytes + CHARGE_CAP_SLOT);
    object = cap_delete(world->cpu, slot);
    assert_int_equal(object.interface, CAD_INTERFACE_ENDPOINT);
    assert_int_equal(object.index, tables[0]);
    assert_int_equal(object.generation, 1000 + tables[0]);
    assert_int_equal(world_used(world, world->ledger, CAD_RESOURCE_SLOTS), 0);
    assert_int_equal(world_used(world, world->ledger, CAD_RESOURCE_METADATA), bytes);
}

static void derive_only_narrows(void **state)
{
    uint32_t some = CAD_RIGHT_READ | CAD_RIGHT_DERIVE | CAD_RIGHT_TRANSFER;
    uint32_t source = insert(tables[0], some, 0);
    uint32_t child, grandchild;

    (void)state;
    assert_int_equal(cap_derive(world->cpu, source, tables[0], CAD_RIGHT_ALL, 0, &child), CAD_OK);
    assert_int_equal(slot_at(child)->rights, some);
    assert_int_equal(cap_derive(world->cpu, child, tables[1],
                                CAD_RIGHT_EXECUTE | CAD_RIGHT_WRITE | CAD_RIGHT_READ, 0,
                                &grandchild), CAD_OK);
    assert_int_equal(slot_at(grandchild)->rights, CAD_RIGHT_READ);
    assert_int_equal(slot_at(grandchild)->object.index, tables[0]);
    assert_int_equal(slot_at(grandchild)->table, tables[1]);
    assert_int_equal(cap_parent(world->cpu, grandchild), child);
    assert_int_equal(cap_parent(world->cpu, child), source);
    assert_int_equal(cap_parent(world->cpu, source), ID_NONE);
}

static void only_an_unbadged_capability_gives_a_badge(void **state)
{
    uint32_t plain = root(), badged, copy, refused = 7;

    (void)state;
    assert_int_equal(cap_derive(world->cpu, plain, tables[0], CAD_RIGHT_ALL, 55, &badged), CAD_OK);
    assert_int_equal(slot_at(badged)->badge, 55);
    copy = derive(badged, tables[1]);
    assert_int_equal(slot_at(copy)->badge, 55);
    assert_int_equal(cap_derive(world->cpu, badged, tables[0], CAD_RIGHT_ALL, 56, &refused),
                     CAD_INVALID);
    assert_int_equal(cap_derive(world->cpu, badged, tables[0], CAD_RIGHT_ALL, 55, &refused),
                     CAD_INVALID);
    assert_int_equal(refused, 7);
}

static void derive_and_transfer_need_their_rights(void **state)
{
    uint32_t no_derive = insert(tables[0], CAD_RIGHT_ALL & ~(uint32_t)CAD_RIGHT_DERIVE, 0);
    uint32_t no_transfer = insert(tables[0], CAD_RIGHT_ALL & ~(uint32_t)CAD_RIGHT_TRANSFER, 0);
    uint32_t slot = 7;
    uint64_t before = world_hash(world);
    struct core_cpu *cpu = world->cpu;

    (void)state;
    assert_int_equal(cap_derive(cpu, no_derive, tables[0], 0, 0, &slot), CAD_NO_RIGHT);
    assert_int_equal(cap_derive(cpu, no_derive, tables[1], 0, 9, &slot), CAD_NO_RIGHT);
    assert_int_equal(cap_derive(cpu, no_transfer, tables[1], 0, 0, &slot), CAD_NOT_TRANSFERABLE);
    assert_int_equal(cap_move(cpu, no_transfer, tables[1], &slot), CAD_NOT_TRANSFERABLE);
    assert_int_equal(slot, 7);
    assert_int_equal(world_hash(world), before);
    assert_int_equal(cap_derive(cpu, no_derive, tables[1], 0, 0, &slot), CAD_OK);
    assert_int_equal(cap_derive(cpu, no_transfer, tables[0], 0, 0, &slot), CAD_OK);
}

static void each_exhaustion_has_its_status_and_changes_nothing(void **state)
{
    static const struct {
        uint64_t bytes, slots;
        status_t status;
    } limits[] = {
        { CHARGE_CAP_TABLE + CHARGE_CAP_SLOT, 0, CAD_QUOTA_SLOTS },
        { CHARGE_CAP_TABLE + CHARGE_CAP_SLOT - 1, 1, CAD_QUOTA_METADATA },
        { CHARGE_CAP_TABLE + CHARGE_CAP_SLOT, 1, CAD_PRESSURE },
    };
    uint32_t source = root();

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(limits); i++) {
        uint32_t ledger = world_ledger(world, 0, 0, limits[i].bytes, limits[i].slots);
        status_t moved = limits[i].status == CAD_PRESSURE ? CAD_OK : limits[i].status;
        uint32_t table, slot = 7;
        uint64_t before;

        assert_int_equal(cap_table_create(world->cpu, ledger, 0, &table), CAD_OK);
        before = world_hash(world);
        world_fail_after(world, 0);
        assert_int_equal(cap_insert(world->cpu, table, object_of(1), 0, 0, &slot),
                         limits[i].status);
        assert_int_equal(cap_derive(world->cpu, source, table, 0, 0, &slot), limits[i].status);
        if (moved != CAD_OK) { /* a move takes no record, so lacks none */
            assert_int_equal(cap_move(world->cpu, source, table, &slot), moved);
        }
        world_fail_never(world);
        assert_int_equal(slot, 7);
        assert_int_equal(world_hash(world), before);
        cap_check_invariants(world->cpu);
        cap_table_destroy(world->cpu, table);
        ledger_put(world->cpu, ledger);
    }
}

static void a_table_is_charged_and_refused(void **state)
{
    uint32_t poor = world_ledger(world, 0, 0, CHARGE_CAP_TABLE - 1, 0);
    uint32_t enough = world_ledger(world, 0, 0, CHARGE_CAP_TABLE, 0);
    uint32_t table = 7;
    uint64_t before = world_hash(world);

    (void)state;
    assert_int_equal(cap_table_create(world->cpu, poor, 5, &table), CAD_QUOTA_METADATA);
    world_fail_after(world, 0);
    assert_int_equal(cap_table_create(world->cpu, enough, 5, &table), CAD_PRESSURE);
    world_fail_never(world);
    assert_int_equal(table, 7);
    assert_int_equal(world_hash(world), before);
    assert_int_equal(cap_table_create(world->cpu, enough, 5, &table), CAD_OK);
    cap_table_destroy(world->cpu, table);
    ledger_put(world->cpu, poor);
    ledger_put(world->cpu, enough);
}

static void a_table_with_a_capability_is_not_destroyed(void **state)
{
    (void)state;
    (void)root();
    expect_assert_failure(cap_table_destroy(world->cpu, tables[0]));
}

static void a_move_keeps_the_place_in_the_tree(void **state)
{
    uint32_t top = root();
    uint32_t middle = derive(top, tables[0]);
    uint32_t leaf = derive(middle, tables[1]);
    cap_id_t old = cap_id(world->cpu, middle);
    uint32_t moved;

    (void)state;
    assert_int_equal(cap_move(world->cpu, middle, tables[2], &moved), CAD_OK);
    cap_check_invariants(world->cpu);
    assert_int_equal(lookup(tables[0], old, CAD_INTERFACE_NONE, 0), CAD_STALE);
    assert_int_equal(lookup(tables[2], old, CAD_INTERFACE_NONE, 0), CAD_STALE);
    assert_int_equal(lookup(tables[2], cap_id(world->cpu, moved), CAD_INTERFACE_NONE, 0), CAD_OK);
    assert_int_equal(cap_parent(world->cpu, moved), top);
    assert_int_equal(cap_parent(world->cpu, leaf), moved);
    assert_int_equal(table_count(tables[0]), 1);
    assert_int_equal(table_count(tables[2]), 1);
    assert_int_equal(revoke(top), 2); /* it did not escape */
}

static void a_move_charges_the_table_it_goes_to(void **state)
{
    uint32_t ledger = world_ledger(world, 0, 0, CHARGE_CAP_TABLE + CHARGE_CAP_SLOT, 1);
    uint32_t slot = root(), table, moved;

    (void)state;
    assert_int_equal(cap_table_create(world->cpu, ledger, 0, &table), CAD_OK);
    assert_int_equal(cap_move(world->cpu, slot, table, &moved), CAD_OK);
    assert_int_equal(world_used(world, ledger, CAD_RESOURCE_SLOTS), 1);
    assert_int_equal(world_used(world, world->ledger, CAD_RESOURCE_SLOTS), 0);
    delete(moved);
    cap_table_destroy(world->cpu, table);
    ledger_put(world->cpu, ledger);
}

static void several_move_together_or_not_at_all(void **state)
{
    uint32_t ledger = world_ledger(world, 0, 0, CHARGE_CAP_TABLE + 2 * CHARGE_CAP_SLOT, 2);
    uint32_t slots[3] = { root(), root(), insert(tables[1], CAD_RIGHT_READ, 0) };
    uint32_t table;
    uint64_t before;

    (void)state;
    assert_int_equal(cap_table_create(world->cpu, ledger, 0, &table), CAD_OK);
    before = world_hash(world);
    assert_int_equal(cap_move_all(world->cpu, slots, 3, table), CAD_NOT_TRANSFERABLE);
    assert_int_equal(world_hash(world), before);
    slots[2] = insert(tables[1], CAD_RIGHT_ALL, 0);
    before = world_hash(world);
    assert_int_equal(cap_move_all(world->cpu, slots, 3, table), CAD_QUOTA_SLOTS);
    assert_int_equal(world_hash(world), before);
    assert_int_equal(cap_move_all(world->cpu, slots, 0, table), CAD_OK);
    assert_int_equal(world_hash(world), before);
    assert_int_equal(cap_move_all(world->cpu, slots, 2, table), CAD_OK);
    cap_check_invariants(world->cpu);
    assert_int_equal(slot_at(slots[0])->table, table);
    assert_int_equal(slot_at(slots[1])->table, table);
    delete(slots[0]);
    delete(slots[1]);
    cap_table_destroy(world->cpu, table);
    ledger_put(world->cpu, ledger);
}

static void a_slot_whose_generations_are_used_up_cannot_move_and_is_retired(void **state)
{
    uint32_t slot = root(), moved = 7;
    struct id_pool *ids = &world->cadastre.caps.slot_ids;
    uint64_t before;

    (void)state;
    ids->slots[slot].generation = ids->generation_max;
    before = world_hash(world);
    assert_int_equal(cap_move(world->cpu, slot, tables[1], &moved), CAD_PRESSURE);
    assert_int_equal(moved, 7);
    assert_int_equal(world_hash(world), before);
    delete(slot);
    assert_int_equal(ids->retired_count, 1);
    assert_int_not_equal(root(), slot);
}

static void deleting_an_inner_one_gives_its_children_to_its_parent(void **state)
{
    uint32_t top = root();
    uint32_t older = derive(top, tables[1]);
    uint32_t middle = derive(top, tables[0]);
    uint32_t newer = derive(top, tables[1]);
    uint32_t children[3];

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(children); i++) {
        children[i] = derive(middle, tables[2]);
    }
    delete(middle);
    for (unsigned i = 0; i < ARRAY_COUNT(children); i++) {
        assert_int_equal(cap_parent(world->cpu, children[i]), top);
    }
    assert_int_equal(cap_parent(world->cpu, older), top);
    assert_int_equal(cap_parent(world->cpu, newer), top);
    assert_int_equal(revoke(top), 5);
}

static void children_of_a_deleted_root_are_roots(void **state)
{
    uint32_t top = root();
    uint32_t one = derive(top, tables[1]);
    uint32_t two = derive(top, tables[1]);
    uint32_t under = derive(one, tables[2]);

    (void)state;
    delete(top);
    assert_int_equal(cap_parent(world->cpu, one), ID_NONE);
    assert_int_equal(cap_parent(world->cpu, two), ID_NONE);
    assert_int_equal(revoke(two), 0); /* not its brother's */
    assert_int_equal(revoke(one), 1);
    assert_int_equal(lookup(tables[2], cap_id(world->cpu, two), CAD_INTERFACE_NONE, 0),
                     CAD_STALE);
    (void)under;
}

static void a_revoke_deletes_every_descendant_and_nothing_else(void **state)
{
    uint32_t top = root();
    uint32_t target = derive(top, tables[1]);
    uint32_t brother = derive(top, tables[1]);
    uint32_t nephew = derive(brother, tables[2]);

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        uint32_t child = derive(target, tables[2]);

        (void)derive(derive(child, tables[0]), tables[1]);
        (void)derive(child, tables[2]);
    }
    assert_int_equal(revoke(target), 16);
    assert_int_equal(table_count(tables[0]) + table_count(tables[1]) + table_count(tables[2]), 4);
    assert_int_equal(lookup(tables[1], cap_id(world->cpu, target), CAD_INTERFACE_NONE, 0), CAD_OK);
    assert_int_equal(cap_parent(world->cpu, nephew), brother);
}

static void a_revoke_of_an_untyped_takes_back_what_was_made_of_it(void **state)
{
    const struct cap_object untyped = { CAD_INTERFACE_UNTYPED, 3, 7 };
    const struct cap_object made = { CAD_INTERFACE_MEMORY_OBJECT, 9, 2 };
    uint32_t top, copy, below, slot;

    (void)state;
    assert_int_equal(cap_insert(world->cpu, tables[0], untyped, CAD_RIGHT_ALL, 0, &top), CAD_OK);
    copy = derive(top, tables[1]);
    assert_int_equal(cap_insert_below(world->cpu, copy, tables[1], made, CAD_RIGHT_WRITE, &below),
                     CAD_OK);
    cap_check_invariants(world->cpu);
    assert_int_equal(cap_parent(world->cpu, below), copy);
    assert_int_equal(slot_at(below)->object.interface, CAD_INTERFACE_MEMORY_OBJECT);
    assert_int_equal(slot_at(below)->object.index, 9);
    assert_int_equal(slot_at(below)->rights, CAD_RIGHT_WRITE);
    slot = derive(top, tables[2]);
    assert_int_equal(revoke(copy), 1);
    assert_int_equal(table_count(tables[1]), 1);
    assert_int_equal(lookup(tables[2], cap_id(world->cpu, slot), CAD_INTERFACE_NONE, 0), CAD_OK);
    assert_int_equal(cap_insert_below(world->cpu, copy, tables[1], made, CAD_RIGHT_WRITE, &below),
                     CAD_OK);
    assert_int_equal(revoke(top), 3);
    assert_int_equal(table_count(tables[0]), 1);
}

static void a_revoke_step_says_what_the_host_must_drop(void **state)
{
    uint32_t top = root(), table = 7;
    struct cap_holding held = { .rights = 7 };

    (void)state;
    assert_int_equal(cap_revoke_step(world->cpu, top, &held, 1, &table), 0);
    assert_int_equal(table, 7);
    assert_int_equal(held.rights, 7);
    (void)derive(top, tables[2]);
    assert_int_equal(cap_revoke_step(world->cpu, top, &held, 1, &table), 1);
    assert_int_equal(table, tables[2]);
    assert_int_equal(held.rights, CAD_RIGHT_ALL);
    assert_int_equal(held.object.interface, CAD_INTERFACE_ENDPOINT);
    assert_int_equal(held.object.index, tables[0]);
    assert_int_equal(held.object.generation, 1000 + tables[0]);
}

static void a_revoke_step_stays_in_one_table_and_gives_back_its_charges(void **state)
{
    static const uint32_t table_of[] = { 2, 1, 1, 1, 1, 2 }; /* the last is the first child */
    static const uint32_t steps[] = { 1, 3, 1, 1 };
    uint32_t top = root(), left = ARRAY_COUNT(table_of), table;
    struct cap_holding held[3];

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(table_of); i++)
        (void)derive(top, tables[table_of[i]]);
    for (unsigned i = 0; i < ARRAY_COUNT(steps); i++) {
        assert_int_equal(cap_revoke_step(world->cpu, top, held, 3, &table), steps[i]);
        assert_int_equal(table, tables[table_of[left - 1]]);
        left -= steps[i];
        assert_int_equal(world_used(world, world->ledger, CAD_RESOURCE_SLOTS), 1 + left);
        cap_check_invariants(world->cpu);
    }
    assert_int_equal(cap_revoke_step(world->cpu, top, held, 3, &table), 0);
}

static void a_revoke_of_a_long_chain_takes_one_step_each(void **state)
{
    uint32_t top = root(), at = top;

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(cap_derive(world->cpu, at, tables[i % TABLES], CAD_RIGHT_ALL, 0, &at),
                         CAD_OK);
    }
    cap_check_invariants(world->cpu);
    for (unsigned i = 0; i < 1000; i++) {
        struct cap_holding held;
        uint32_t table;

        assert_int_equal(cap_revoke_step(world->cpu, top, &held, 1, &table), 1);
    }
    assert_int_equal(slot_at(top)->first_child, ID_NONE);
}

/* --- random operations against parents kept one by one --- */

#define MODEL_SLOTS 256

struct model {
    uint32_t parent[MODEL_SLOTS];
    uint32_t table[MODEL_SLOTS]; /* ID_NONE: no such slot */
    uint64_t random;
};

static uint32_t model_random(struct model *model, uint32_t below)
{
    model->random = model->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(model->random >> 33) % below;
}

/* A live slot, or ID_NONE after a few misses. */
static uint32_t model_pick(struct model *model)
{
    for (unsigned tries = 0; tries < 8; tries++) {
        uint32_t slot = model_random(model, MODEL_SLOTS);

        if (model->table[slot] != ID_NONE) {
            return slot;
        }
    }
    return ID_NONE;
}

static void model_delete(struct model *model, uint32_t slot)
{
    for (uint32_t child = 1; child < MODEL_SLOTS; child++) {
        if (model->table[child] != ID_NONE && model->parent[child] == slot) {
            model->parent[child] = model->parent[slot];
        }
    }
    model->table[slot] = ID_NONE;
}

/* Deletes all below `slot`.  Gives: how many. */
static uint32_t model_revoke(struct model *model, uint32_t slot)
{
    uint32_t count = 0;

    for (uint32_t child = 1; child < MODEL_SLOTS; child++) {
        if (model->table[child] != ID_NONE && model->parent[child] == slot) {
            count += 1 + model_revoke(model, child);
            model->table[child] = ID_NONE;
        }
    }
    return count;
}

static void model_check(const struct model *model)
{
    uint32_t count = 0;

    cap_check_invariants(world->cpu);
    for (uint32_t slot = 1; slot < MODEL_SLOTS; slot++) {
        if (model->table[slot] != ID_NONE) {
            assert_true(id_is_live(&world->cadastre.caps.slot_ids, slot));
            assert_int_equal(slot_at(slot)->table, model->table[slot]);
            assert_int_equal(cap_parent(world->cpu, slot), model->parent[slot]);
            count++;
        }
    }
    assert_int_equal(count, world->cadastre.caps.slot_ids.live_count);
}

static void model_add(struct model *model, uint32_t source, uint32_t table)
{
    uint32_t slot = source == ID_NONE ? insert(table, CAD_RIGHT_ALL, 0) : derive(source, table);

    assert_true(slot < MODEL_SLOTS);
    model->parent[slot] = source;
    model->table[slot] = table;
}

static void model_step(struct model *model)
{
    uint32_t slot = model_pick(model);
    uint32_t table = tables[model_random(model, TABLES)];
    uint32_t what = model_random(model, 16), moved;

    if (slot == ID_NONE || what < 1) {
        if (world->cadastre.caps.slot_ids.live_count < MODEL_SLOTS - 2) {
            model_add(model, ID_NONE, table);
        }
    } else if (what < 10) {
        if (world->cadastre.caps.slot_ids.live_count < MODEL_SLOTS - 2) {
            model_add(model, slot, table);
        }
    } else if (what < 13) {
        (void)cap_delete(world->cpu, slot);
        model_delete(model, slot);
    } else if (what < 15) {
        assert_int_equal(cap_move(world->cpu, slot, table, &moved), CAD_OK);
        assert_int_equal(moved, slot);
        model->table[slot] = table;
    } else {
        assert_int_equal(revoke(slot), model_revoke(model, slot));
    }
}

static void random_operations_keep_everyones_parent(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct model model = { .random = seed };

        for (unsigned step = 0; step < 400; step++) {
            model_step(&model);
            model_check(&model);
        }
        for (unsigned i = 0; i < TABLES; i++) {
            while (cap_table_first(world->cpu, tables[i]) != ID_NONE) {
                (void)cap_delete(world->cpu, cap_table_first(world->cpu, tables[i]));
            }
        }
    }
}

#define CAP_TEST(name) cmocka_unit_test_setup_teardown(name, make, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CAP_TEST(a_capability_is_found_by_its_id_in_its_own_table_only),
        CAP_TEST(a_deleted_id_never_resolves_again),
        CAP_TEST(ids_that_were_never_given_are_stale),
        CAP_TEST(a_lookup_refuses_type_before_right),
        CAP_TEST(a_slot_is_charged_and_given_back),
        CAP_TEST(derive_only_narrows),
        CAP_TEST(only_an_unbadged_capability_gives_a_badge),
        CAP_TEST(derive_and_transfer_need_their_rights),
        CAP_TEST(each_exhaustion_has_its_status_and_changes_nothing),
        CAP_TEST(a_table_is_charged_and_refused),
        CAP_TEST(a_table_with_a_capability_is_not_destroyed),
        CAP_TEST(a_move_keeps_the_place_in_the_tree),
        CAP_TEST(a_move_charges_the_table_it_goes_to),
        CAP_TEST(several_move_together_or_not_at_all),
        CAP_TEST(a_slot_whose_generations_are_used_up_cannot_move_and_is_retired),
        CAP_TEST(deleting_an_inner_one_gives_its_children_to_its_parent),
        CAP_TEST(children_of_a_deleted_root_are_roots),
        CAP_TEST(a_revoke_deletes_every_descendant_and_nothing_else),
        CAP_TEST(a_revoke_of_an_untyped_takes_back_what_was_made_of_it),
        CAP_TEST(a_revoke_step_says_what_the_host_must_drop),
        CAP_TEST(a_revoke_step_stays_in_one_table_and_gives_back_its_charges),
        CAP_TEST(a_revoke_of_a_long_chain_takes_one_step_each),
        CAP_TEST(random_operations_keep_everyones_parent),
    };

    return cmocka_run_group_tests_name("cap", tests, NULL, NULL);
}
