// SPDX-License-Identifier: BSD-2-Clause
/*
 * Starvation (LG2): every operation of core/, refused at each of its fault points in
 * turn, alone and with all later ones.  Each time it must fail with the very status of
 * the step that ran out, one that its header promises, and leave the state as it was;
 * and it works as soon as the step does.  What gives back must pass no point at all.
 */
#include "core/space_fixture.h"
#include "core/test_audit.h"

#include <string.h>

#define FRAMES         2048
#define EVERY          UINT64_MAX
#define PROMISES_MAX   5
#define THINGS_MAX     4
#define TWO_LEVELS     1030 /* pages of an object whose index has two levels */
#define POINTS_AUDITED 12
#define UNTOUCHED      4242 /* what an out-parameter holds before */

/* What is there beside the world's ledgers and the one space; 0: is not. */
static struct {
    uint32_t child;                 /* ledger, of the world's */
    uint32_t objects[THINGS_MAX], object_count;
    uint32_t untypeds[THINGS_MAX], untyped_count;
    uint32_t spaces[THINGS_MAX], space_count;
    uint32_t tables[2], slots[3];
    uint32_t holder;                /* slot that holds untypeds[0] */
    bool is_claimed;                /* objects[0], by child too */
} things;

struct operation {
    const char *name;
    void (*prepare)(void);
    status_t (*run)(void);
    status_t promised[PROMISES_MAX]; /* what its header says of running out; ends with OK */
    bool may_do_without;             /* of some step it can: eager filling */
};

/* --- what is prepared --- */

static void nothing(void)
{
}

static void a_child(void)
{
    OK(ledger_create_child(cpu, world->ledger, "child", &things.child));
    OK(ledger_donate(cpu, world->ledger, things.child, CAD_RESOURCE_COMMITTED, 64));
    OK(ledger_donate(cpu, world->ledger, things.child, CAD_RESOURCE_METADATA, 64 * PAGE_SIZE));
    OK(ledger_donate(cpu, world->ledger, things.child, CAD_RESOURCE_VIRTUAL, 64));
}

static void an_untyped(void)
{
    OK(untyped_create(cpu, world->ledger, 24, &things.untypeds[things.untyped_count++]));
}

static void an_object(void)
{
    things.objects[things.object_count++] = object_of(16);
}

static void an_object_and_a_child(void)
{
    an_object();
    a_child();
}

static void an_object_and_a_childs_space(void)
{
    an_object_and_a_child();
    OK(space_create(cpu, things.child, &things.spaces[things.space_count++]));
}

static void a_large_reservation(void)
{
    reserve(2 * BASE, UINT64_C(512) * PAGES_1G);
}

static void a_small_reservation(void)
{
    reserve(BASE, 8);
}

static void a_committed_page(void)
{
    a_small_reservation();
    commit(BASE, 1);
}

static void resident_pages(void)
{
    reserve(BASE, 8);
    OK(space_commit(cpu, space, BASE, 8, RW, CAD_COMMIT_EAGER));
}

/* Across two leaf tables. */
static void a_mapped_object(void)
{
    an_object();
    map(things.objects[0], BASE + MIB2 - 4 * KIB4, 16, RW, true);
}

static void an_unmapped_page_of_an_object(void)
{
    an_object();
    map(things.objects[0], BASE, 16, RW, false);
}

static void a_system_page(void)
{
    frame_no_t frame;
    OK(space_map_system(cpu, space, CAD_RING_BASE, RW, &frame));
}

static void tables(void)
{
    OK(cap_table_create(cpu, world->ledger, 1, &things.tables[0]));
    OK(cap_table_create(cpu, world->ledger, 2, &things.tables[1]));
}

static const struct cap_object entropy = { .interface = CAD_INTERFACE_ENTROPY };

static void slots(void)
{
    tables();
    for (unsigned i = 0; i < ARRAY_COUNT(things.slots); i++) {
        OK(cap_insert(cpu, things.tables[0], entropy, CAD_RIGHT_ALL, 0, &things.slots[i]));
    }
    uint32_t child;
    OK(cap_derive(cpu, things.slots[0], things.tables[1], 0, 0, &child));
}

static struct cap_object untyped_object(uint32_t untyped)
{
    return (struct cap_object){
        .interface = CAD_INTERFACE_UNTYPED,
        .index = untyped,
        .generation = world->cadastre.untypeds.ids.slots[untyped].generation,
    };
}

/* And a child of the untyped, without one. */
static void a_slot_of_an_untyped(void)
{
    tables();
    an_untyped();
    OK(untyped_retype_untyped(cpu, things.untypeds[0], world->ledger, 3, &things.untypeds[1]));
    things.untyped_count = 2;
    untyped_take(cpu, things.untypeds[0]);
    OK(cap_insert(cpu, things.tables[0], untyped_object(things.untypeds[0]), CAD_RIGHT_ALL, 0,
                  &things.holder));
}

/* --- operations that take --- */

static status_t create_child(void)
{
    return ledger_create_child(cpu, world->ledger, "child", &things.child);
}

static status_t donate(void)
{
    return ledger_donate(cpu, world->ledger, things.child, CAD_RESOURCE_COMMITTED, 3);
}

static status_t take_back(void)
{
    return ledger_take_back(cpu, world->ledger, things.child, CAD_RESOURCE_COMMITTED, 3);
}

static status_t create_untyped(void)
{
    status_t status = untyped_create(cpu, world->ledger, 11, &things.untypeds[0]);
    things.untyped_count = status == CAD_OK;
    return status;
}

static status_t retype_untyped(void)
{
    status_t status = untyped_retype_untyped(cpu, things.untypeds[0], world->ledger, 3,
                                             &things.untypeds[1]);
    things.untyped_count += status == CAD_OK;
    return status;
}

static status_t object_made(status_t status, uint32_t object)
{
    if (status == CAD_OK) {
        things.objects[things.object_count++] = object;
    } else {
        assert_int_equal(object, UNTOUCHED);
    }
    return status;
}

static status_t create_object(void)
{
    uint32_t object = UNTOUCHED;
    status_t status = object_create(cpu, world->ledger, 9, &object);
    return object_made(status, object);
}

static status_t create_large_object(void)
{
    uint32_t object = UNTOUCHED;
    status_t status = object_create(cpu, world->ledger, TWO_LEVELS, &object);
    return object_made(status, object);
}

static status_t create_contiguous(void)
{
    uint32_t object = UNTOUCHED;
    status_t status = object_create_contiguous(cpu, world->ledger, 5, 4, &object);
    return object_made(status, object);
}

static status_t retype_object(void)
{
    uint32_t object = UNTOUCHED;
    status_t status = object_create_untyped(cpu, world->ledger, things.untypeds[0], 7, &object);
    return object_made(status, object);
}

static status_t claim(void)
{
    status_t status = object_claim(cpu, things.objects[0], things.child);
    things.is_claimed = status == CAD_OK;
    return status;
}

static status_t create_space(void)
{
    uint32_t made = ID_NONE;
    status_t status = space_create(cpu, world->ledger, &made);
    if (status == CAD_OK) {
        things.spaces[things.space_count++] = made;
    }
    return status;
}

static status_t reserve_anywhere(void)
{
    return space_reserve(cpu, space, &(virt_addr_t){ 0 }, 5, RW);
}

static status_t reserve_there(void)
{
    return space_reserve(cpu, space, &(virt_addr_t){ BASE + KIB4 }, 8, RW);
}

static status_t commit_part(void)
{
    return space_commit(cpu, space, 2 * BASE + GIB1 - MIB2, 3 * PAGES_2M, RW, 0);
}

static status_t commit_eagerly(void)
{
    return space_commit(cpu, space, BASE, 8, RW, CAD_COMMIT_EAGER);
}

static void a_large_page(void)
{
    reserve(BASE, PAGES_2M);
    commit(BASE, PAGES_2M);
}

static void a_filled_large_page(void)
{
    a_large_page();
    OK(space_fault(cpu, space, BASE, CAD_PROT_WRITE));
}

static void a_reserved_large_page(void)
{
    reserve(BASE, PAGES_2M);
}

static status_t commit_large(void)
{
    return space_commit(cpu, space, BASE, PAGES_2M, RW, CAD_COMMIT_EAGER);
}

static status_t protect_part_of_it(void)
{
    return space_protect(cpu, space, BASE + 5 * KIB4, 3, R, &work);
}

static status_t decommit_part(void)
{
    return space_decommit(cpu, space, 2 * BASE + MIB2 + KIB4, 3, &work);
}

static status_t protect_part(void)
{
    return space_protect(cpu, space, 2 * BASE + 7 * GIB1 + KIB4, 2 * PAGES_1G, R, &work);
}

static status_t hide_part(void)
{
    return space_protect(cpu, space, 2 * BASE + 9 * GIB1 + KIB4, 2, CAD_PROT_NONE, &work);
}

static status_t unmap_part(void)
{
    return space_unmap(cpu, space, 2 * BASE + 20 * GIB1 - KIB4, PAGES_1G, &work);
}

static status_t guard(void)
{
    return space_guard(cpu, space, 3 * BASE + KIB4, 1);
}

static status_t map_system(void)
{
    frame_no_t frame;
    return space_map_system(cpu, space, CAD_RING_BASE, RW, &frame);
}

static status_t map_object(uint32_t into, virt_addr_t address, bool populate)
{
    struct object_map_request request = { .object = things.objects[0], .pages = 16,
                                          .address = address, .protection = RW, .ceiling = RW,
                                          .populate = populate };
    virt_addr_t at;
    return space_map_object(cpu, into, &request, &at);
}

static status_t map_there(void)
{
    return map_object(space, BASE + MIB2 - 4 * KIB4, true);
}

static status_t map_anywhere(void)
{
    return map_object(space, 0, false);
}

static status_t map_elsewhere(void)
{
    return map_object(things.spaces[0], BASE, true);
}

static status_t unmap_a_hole(void)
{
    return space_unmap_object(cpu, space, things.objects[0], BASE + MIB2, 2, &work);
}

static status_t touch(void)
{
    return space_fault(cpu, space, BASE, CAD_PROT_WRITE);
}

static status_t resolve(void)
{
    frame_no_t frame;
    return world_resolve(cpu, space, BASE, CAD_PROT_READ, &frame);
}

static status_t create_table(void)
{
    return cap_table_create(cpu, world->ledger, 1, &things.tables[0]);
}

static status_t insert(void)
{
    uint32_t slot;
    return cap_insert(cpu, things.tables[0], entropy, CAD_RIGHT_ALL, 0, &slot);
}

static status_t insert_below(void)
{
    uint32_t slot;
    status_t status = cap_insert_below(cpu, things.holder, things.tables[1],
                                       untyped_object(things.untypeds[1]), CAD_RIGHT_ALL, &slot);
    if (status == CAD_OK) {
        untyped_take(cpu, things.untypeds[1]);
    }
    return status;
}

static status_t derive(void)
{
    uint32_t slot;
    return cap_derive(cpu, things.slots[0], things.tables[1], CAD_RIGHT_READ, 7, &slot);
}

static status_t move(void)
{
    uint32_t slot;
    return cap_move(cpu, things.slots[0], things.tables[1], &slot);
}

static status_t move_all(void)
{
    return cap_move_all(cpu, things.slots, ARRAY_COUNT(things.slots), things.tables[1]);
}

/* --- operations that give back, or change what is there --- */

static status_t decommit_all(void)
{
    return space_decommit(cpu, space, BASE, 8, &work);
}

static status_t protect_all(void)
{
    return space_protect(cpu, space, BASE, 8, R, &work);
}

static status_t unmap_all(void)
{
    return space_unmap(cpu, space, BASE, 8, &work);
}

static status_t protect_object(void)
{
    return space_protect_object(cpu, space, things.objects[0], BASE + MIB2, 3, R, &work);
}

static status_t unmap_the_end(void)
{
    return space_unmap_object(cpu, space, things.objects[0], BASE + MIB2, 12, &work);
}

static status_t unmap_system(void)
{
    return space_unmap_system(cpu, space, CAD_RING_BASE, &work);
}

static status_t claim_again(void)
{
    OK(object_claim(cpu, things.objects[0], world->ledger));
    object_unclaim(cpu, things.objects[0], world->ledger);
    return CAD_OK;
}

static status_t revoke_and_delete(void)
{
    struct cap_holding held;
    uint32_t table;
    assert_int_equal(cap_revoke_step(cpu, things.slots[0], &held, 1, &table), 1);
    (void)cap_delete(cpu, things.slots[1]);
    return CAD_OK;
}

static status_t reset_untyped(void)
{
    return untyped_reset(cpu, things.untypeds[0]);
}

#define Q(resource) CAD_QUOTA_##resource

static const struct operation operations[] = {
    { "ledger_create_child", nothing, create_child, { Q(METADATA), CAD_PRESSURE }, false },
    { "ledger_donate", a_child, donate, { Q(COMMITTED) }, false },
    { "ledger_take_back", a_child, take_back, { CAD_UNCHARGED }, false },
    { "untyped_create", nothing, create_untyped, { Q(COMMITTED), Q(METADATA), CAD_PRESSURE },
      false },
    { "untyped_retype_untyped", an_untyped, retype_untyped, { Q(METADATA), CAD_PRESSURE }, false },
    { "object_create", nothing, create_object, { Q(COMMITTED), Q(METADATA), CAD_PRESSURE }, false },
    { "object_create two levels", nothing, create_large_object,
      { Q(COMMITTED), Q(METADATA), CAD_PRESSURE }, false },
    { "object_create_contiguous", nothing, create_contiguous,
      { Q(COMMITTED), Q(METADATA), CAD_PRESSURE }, false },
    { "object_create_untyped", an_untyped, retype_object,
      { Q(COMMITTED), Q(METADATA), CAD_PRESSURE }, false },
    { "object_claim", an_object_and_a_child, claim, { Q(COMMITTED), Q(METADATA), CAD_PRESSURE },
      false },
    { "space_create", nothing, create_space, { Q(METADATA), CAD_PRESSURE }, false },
    { "space_reserve anywhere", nothing, reserve_anywhere,
      { CAD_NO_SPACE, Q(VIRTUAL), Q(METADATA), CAD_PRESSURE }, false },
    { "space_reserve there", nothing, reserve_there, { Q(VIRTUAL), Q(METADATA), CAD_PRESSURE },
      false },
    { "space_commit", a_large_reservation, commit_part,
      { Q(COMMITTED), Q(METADATA), CAD_PRESSURE }, false },
    { "space_commit eager", a_small_reservation, commit_eagerly, { Q(COMMITTED) }, true },
    { "space_commit large", a_reserved_large_page, commit_large,
      { Q(COMMITTED), Q(METADATA), CAD_PRESSURE }, true },
    { "space_protect part of a large page", a_filled_large_page, protect_part_of_it, { CAD_OK },
      false },
    { "space_fault large", a_large_page, touch, { CAD_PRESSURE }, true },
    { "space_decommit part", a_large_reservation, decommit_part, { CAD_OK }, false },
    { "space_protect part", a_large_reservation, protect_part, { Q(METADATA), CAD_PRESSURE },
      false },
    { "space_protect none", a_large_reservation, hide_part, { Q(METADATA), CAD_PRESSURE }, false },
    { "space_unmap part", a_large_reservation, unmap_part, { Q(METADATA), CAD_PRESSURE }, false },
    { "space_guard", nothing, guard, { Q(METADATA), CAD_PRESSURE }, false },
    { "space_map_system", nothing, map_system, { Q(METADATA), CAD_PRESSURE }, false },
    { "space_map_object there", an_object, map_there,
      { Q(VIRTUAL), Q(METADATA), CAD_PRESSURE }, false },
    { "space_map_object anywhere", an_object, map_anywhere,
      { CAD_NO_SPACE, Q(VIRTUAL), Q(METADATA), CAD_PRESSURE }, false },
    { "space_map_object elsewhere", an_object_and_a_childs_space, map_elsewhere,
      { Q(VIRTUAL), Q(COMMITTED), Q(METADATA), CAD_PRESSURE }, false },
    { "space_unmap_object hole", a_mapped_object, unmap_a_hole, { Q(METADATA), CAD_PRESSURE },
      false },
    { "space_fault", a_committed_page, touch, { CAD_PRESSURE }, false },
    { "space_hold", a_committed_page, resolve, { CAD_PRESSURE }, false },
    { "cap_table_create", nothing, create_table, { Q(METADATA), CAD_PRESSURE }, false },
    { "cap_insert", tables, insert, { Q(SLOTS), Q(METADATA), CAD_PRESSURE }, false },
    { "cap_insert_below", a_slot_of_an_untyped, insert_below,
      { Q(SLOTS), Q(METADATA), CAD_PRESSURE }, false },
    { "cap_derive", slots, derive, { Q(SLOTS), Q(METADATA), CAD_PRESSURE }, false },
    { "cap_move", slots, move, { Q(SLOTS), Q(METADATA) }, false },
    { "cap_move_all", slots, move_all, { Q(SLOTS), Q(METADATA) }, false },

    { "space_decommit", resident_pages, decommit_all, { CAD_OK }, false },
    { "space_protect", resident_pages, protect_all, { CAD_OK }, false },
    { "space_unmap", resident_pages, unmap_all, { CAD_OK }, false },
    { "space_protect_object", a_mapped_object, protect_object, { CAD_OK }, false },
    { "space_unmap_object end", a_mapped_object, unmap_the_end, { CAD_OK }, false },
    { "space_unmap_system", a_system_page, unmap_system, { CAD_OK }, false },
    { "space_fault of an object", an_unmapped_page_of_an_object, touch, { CAD_OK }, false },
    { "object_claim again", an_object, claim_again, { CAD_OK }, false },
    { "cap_revoke_step, cap_delete", slots, revoke_and_delete, { CAD_OK }, false },
    { "untyped_reset", an_untyped, reset_untyped, { CAD_OK }, false },
};

/* --- a world for one operation --- */

static void hold(void *context, struct audit *audit)
{
    (void)context;
    if (things.child != ID_NONE) {
        audit_host_ledger(audit, things.child);
    }
    for (uint32_t i = 0; i < things.object_count; i++) {
        audit_host_object(audit, things.objects[i], world->ledger);
    }
    for (uint32_t i = 0; i < things.untyped_count; i++) {
        audit_host_untyped(audit, things.untypeds[i]);
    }
}

static void audit(void)
{
    struct test_audit all = { .add_holdings = hold, .world = world };
    if (!things.is_claimed) { /* the audit is told of one claim a ledger and object only */
        test_audit_expect_clean(&all);
    }
}

static void make(const struct operation *operation)
{
    memset(&things, 0, sizeof(things));
    work = (struct space_work){ .chain = { FRAME_NONE, 0 } };
    fixture_make(NULL);
    OK(ledger_donate(cpu, world->root, world->ledger, CAD_RESOURCE_COMMITTED, 100));
    operation->prepare();
}

static void end_capabilities(void)
{
    for (unsigned i = 0; i < ARRAY_COUNT(things.tables); i++) {
        uint32_t slot;
        if (things.tables[i] == ID_NONE) {
            continue;
        }
        while ((slot = cap_table_first(cpu, things.tables[i])) != ID_NONE) {
            struct cap_object object = cap_delete(cpu, slot);
            if (object.interface == CAD_INTERFACE_UNTYPED) {
                untyped_put(cpu, object.index);
            }
        }
        cap_table_destroy(cpu, things.tables[i]);
    }
}

/* Everything goes, without one more fault point passed; the world wants all of it back. */
static void end(void)
{
    fixture_finish();
    audit();
    world_refuse(world, 1, EVERY);
    end_capabilities();
    fixture_teardown(space);
    for (uint32_t i = 0; i < things.space_count; i++) {
        fixture_teardown(things.spaces[i]);
    }
    if (things.is_claimed) {
        object_unclaim(cpu, things.objects[0], things.child);
    }
    for (uint32_t i = 0; i < things.object_count; i++) {
        object_drop(things.objects[i]);
    }
    for (uint32_t i = things.untyped_count; i > 0; i--) {
        untyped_put(cpu, things.untypeds[i - 1]);
    }
    if (things.child != ID_NONE) {
        ledger_put(cpu, things.child);
    }
    assert_int_equal(world->faults.passed, 0);
    world_destroy(world);
}

/* --- the tests --- */

static unsigned promise_number(const struct operation *operation, status_t status)
{
    unsigned i = 0;
    while (i < PROMISES_MAX && operation->promised[i] != status &&
           operation->promised[i] != CAD_OK) {
        i++;
    }
    if (i == PROMISES_MAX || operation->promised[i] != status) {
        fail_msg("%s: status %d is not promised", operation->name, status);
    }
    return i;
}

/* Pass number `first`, and `count` - 1 after it, refused.  Gives: false when there are not
 * so many. */
static bool refuse(const struct operation *operation, uint64_t first, uint64_t count,
                   bool *kept)
{
    uint64_t before = world_hash(world);
    world_refuse(world, first, count);
    status_t status = operation->run();
    struct fault_run run = world->faults;
    world_refuse(world, 0, 0);
    if (run.refused == 0) {
        OK(status);
        return false;
    }
    if (status == CAD_OK && operation->may_do_without) {
        end();
        make(operation);
        return true;
    }
    if (status != run.status || world_hash(world) != before) {
        fail_msg("%s: point %llu, %s:%u %s: status %d, expected %d; the state %s",
                 operation->name, (unsigned long long)first, run.site->file, run.site->line,
                 run.site->primitive, status, run.status,
                 world_hash(world) == before ? "is as it was" : "changed");
    }
    kept[promise_number(operation, status)] = true;
    if (first <= POINTS_AUDITED) {
        audit();
    }
    return true;
}

static void refuse_each(const struct operation *operation, uint64_t count, bool *kept)
{
    uint64_t first = 1;
    make(operation);
    while (refuse(operation, first, count, kept)) {
        first++;
    }
    if (operation->promised[0] == CAD_OK) {
        assert_int_equal(first, 1);
    }
    end();
}

static void each_step_that_runs_out_leaves_the_state_as_it_was(void **state)
{
    const struct operation *operation = *state;
    bool kept[PROMISES_MAX] = { false };
    refuse_each(operation, 1, kept);
    refuse_each(operation, EVERY, kept);
    for (unsigned i = 0; i < PROMISES_MAX && operation->promised[i] != CAD_OK; i++) {
        if (!kept[i]) {
            fail_msg("%s: promises status %d, which no step gave", operation->name,
                     operation->promised[i]);
        }
    }
}

static int write_log(void **state)
{
    (void)state;
    fault_log_write();
    return 0;
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_COUNT(operations)];

    for (unsigned i = 0; i < ARRAY_COUNT(operations); i++) {
        tests[i] = (struct CMUnitTest){
            .name = operations[i].name,
            .test_func = each_step_that_runs_out_leaves_the_state_as_it_was,
            .initial_state = (void *)(uintptr_t)&operations[i],
        };
    }
    return _cmocka_run_group_tests("fault_point", tests, ARRAY_COUNT(tests), NULL, write_log);
}
