// SPDX-License-Identifier: BSD-2-Clause
/*
 * A world with one space, for core/space*_test.c.  Each step is checked: counters
 * against entries, and the ledger against counters.  A refused call must leave the
 * world's hash as it was: REFUSED.
 */
#ifndef CORE_SPACE_FIXTURE_H
#define CORE_SPACE_FIXTURE_H

#include "core/charge.h"
#include "core/object_index.h"
#include "core/space_priv.h"
#include "core/test_world.h"

#define MANY  UINT32_MAX /* a budget that is never reached */
#define R     CAD_PROT_READ
#define RW    (CAD_PROT_READ | CAD_PROT_WRITE)
#define RX    (CAD_PROT_READ | CAD_PROT_EXECUTE)
#define KIB4  UINT64_C(0x1000)
#define MIB2  UINT64_C(0x200000)
#define GIB1  UINT64_C(0x40000000)
#define PAGES_2M 512u
#define PAGES_1G (512u * 512u)
/* Aligned to 512 GiB, away from where free addresses are searched. */
#define BASE  UINT64_C(0x8000000000)

#define OK(call) assert_int_equal((call), CAD_OK)
/* The call fails with CAD_<expected> and changes nothing. */
#define REFUSED(expected, call)                                                                    \
    do {                                                                                           \
        uint64_t hash_before = world_hash(world);                                                  \
        assert_int_equal((call), CAD_##expected);                                                  \
        assert_true(world_hash(world) == hash_before);                                             \
        fixture_check();                                                                           \
    } while (0)

static struct test_world *world;
static struct core_cpu *cpu;
static uint32_t space;
static struct space_work work;

/* With this CPU's own counts in it. */
static inline struct space *record(void)
{
    space_cpu_leave(cpu);
    return space_of(cpu, space);
}

static inline uint64_t used(enum cad_resource what)
{
    return world_used(world, record()->ledger, what);
}

static inline void fixture_check(void)
{
    space_check_invariants(cpu, space);
    world_check_invariants(world);
}

/* The world's ledger pays for this space and for every object there is, and for nothing else. */
static inline void fixture_check_charges(void)
{
    const struct object_table *objects = &world->cadastre.objects;
    uint64_t frames = (uint64_t)record()->table_pages + record()->system_pages, object_pages = 0;
    for (uint32_t i = 1; i < objects->ids.capacity; i++) {
        if (id_is_live(&objects->ids, i)) {
            object_pages += objects->objects[i].pages;
            frames += object_index_nodes(objects->objects[i].pages);
        }
    }
    assert_int_equal(used(CAD_RESOURCE_VIRTUAL), record()->virtual_pages);
    assert_int_equal(used(CAD_RESOURCE_COMMITTED), record()->committed_pages + object_pages);
    assert_int_equal(used(CAD_RESOURCE_METADATA),
                     CHARGE_SPACE + frames * CHARGE_FRAME +
                         (uint64_t)objects->ids.live_count * CHARGE_OBJECT +
                         (uint64_t)objects->claim_ids.live_count * CHARGE_CLAIM +
                         (uint64_t)record()->mapping_count * CHARGE_MAPPING);
}

static inline int fixture_make(void **state)
{
    (void)state;
    world = world_create(2048);
    cpu = world->cpu;
    OK(ledger_donate(cpu, world->root, world->ledger, CAD_RESOURCE_COMMITTED, 800));
    OK(space_create(cpu, world->ledger, &space));
    fixture_check();
    return 0;
}

/* What an operation left to its host.  Gives: frames that were in quarantine. */
static inline uint32_t fixture_finish(void)
{
    uint32_t frames = work.chain.count;
    assert_true(frame_quarantine_release(cpu, &work.chain, MANY));
    for (uint32_t i = 0; i < work.dead_count; i++) {
        assert_true(object_destroy_step(cpu, work.dead_objects[i], MANY));
    }
    return frames;
}

static inline void fixture_teardown(uint32_t which)
{
    while (!space_teardown_step(cpu, which, 7, &work)) {
        assert_false(work.flush);
        fixture_finish();
    }
    assert_false(work.flush);
    fixture_finish();
}

static inline int fixture_end(void **state)
{
    (void)state;
    fixture_check();
    fixture_teardown(space);
    world_destroy(world);
    return 0;
}

static inline enum entry_state state_at(virt_addr_t address)
{
    return entry_state(space_entry(cpu, space, address));
}

static inline uint32_t protection_at(virt_addr_t address)
{
    return entry_protection(space_entry(cpu, space, address));
}

static inline void reserve(virt_addr_t address, uint64_t pages)
{
    virt_addr_t at = address;
    OK(space_reserve(cpu, space, &at, pages, RW));
    assert_true(at == address);
}

static inline void commit(virt_addr_t address, uint64_t pages)
{
    OK(space_commit(cpu, space, address, pages, RW, 0));
}

/* The byte a user sees at an address; NULL if the access is not allowed. */
static inline uint8_t *user_byte(virt_addr_t address, uint32_t access)
{
    frame_no_t frame;
    if (world_resolve(cpu, space, address, access, &frame) != CAD_OK) {
        return NULL;
    }
    return world_page(world, frame) + (address & (PAGE_SIZE - 1));
}

static inline uint32_t object_of(uint32_t pages)
{
    uint32_t object;
    OK(object_create(cpu, world->ledger, pages, &object));
    return object;
}

/* The creator's claim and reference go, and the object if they were the last. */
static inline void object_drop(uint32_t object)
{
    object_unclaim(cpu, object, world->ledger);
    if (object_put(cpu, object)) {
        assert_true(object_destroy_step(cpu, object, MANY));
    }
}

static inline void map(uint32_t object, virt_addr_t address, uint64_t pages, uint32_t protection,
                       bool populate)
{
    struct object_map_request request = { .object = object, .pages = pages, .address = address,
                                          .protection = protection, .ceiling = protection | R,
                                          .populate = populate };
    virt_addr_t at;
    OK(space_map_object(cpu, space, &request, &at));
    assert_true(at == address);
}

/* The space's ledger, for one call, has only `left` more of a resource. */
static inline uint64_t quota_squeeze(enum cad_resource what, uint64_t left)
{
    uint64_t spare = world->cadastre.ledgers.ledgers[world->ledger].available[what] - left;
    OK(ledger_reserve(cpu, world->ledger, what, spare));
    return spare;
}

/* REFUSED with CAD_QUOTA_<RESOURCE> while `needed` - 1 are left, and OK with `needed`. */
#define NEEDS_QUOTA(RESOURCE, needed, call)                                                        \
    do {                                                                                           \
        uint64_t spare = quota_squeeze(CAD_RESOURCE_##RESOURCE, (needed) - 1);                     \
        REFUSED(QUOTA_##RESOURCE, call);                                                           \
        ledger_release(cpu, world->ledger, CAD_RESOURCE_##RESOURCE, 1);                            \
        OK(call);                                                                                  \
        ledger_release(cpu, world->ledger, CAD_RESOURCE_##RESOURCE, spare - 1);                    \
        fixture_check();                                                                           \
    } while (0)

#define SPACE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_make, fixture_end)

#endif
