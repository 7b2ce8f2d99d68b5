// SPDX-License-Identifier: BSD-2-Clause
/*
 * Pools grow by one record at a time, so that every record that is new is an
 * allocation that can be refused.  For the same reason magazines are refilled
 * by one frame while refusals are on.
 */
#include "core/test_world.h"

#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORLD_RUBBISH     0xa5
#define WORLD_REFILL      16
#define PAGE_WRITE        UINT64_C(2)
#define PAGE_USER         UINT64_C(4)
#define PAGE_NO_EXECUTE   (UINT64_C(1) << 63)
#define PAGE_READ         (MMU_PRESENT | PAGE_USER | PAGE_NO_EXECUTE)
#define PAGE_BLOCK        (UINT64_C(1) << 7)

const struct mmu_format world_format = {
    .table = MMU_PRESENT | PAGE_WRITE | PAGE_USER,
    .page = { 0, PAGE_READ, 0, PAGE_READ | PAGE_WRITE, 0, MMU_PRESENT | PAGE_USER, 0, 0 },
    .block = { 0, PAGE_READ | PAGE_BLOCK, 0, PAGE_READ | PAGE_WRITE | PAGE_BLOCK, 0,
               MMU_PRESENT | PAGE_USER | PAGE_BLOCK, 0, 0 },
    .accessed = UINT64_C(1) << 5,
    .dirty = UINT64_C(1) << 6,
};

/* WORLD_POOL(name, ids, records, generation_max) of struct cadastre */
#define WORLD_POOL_LIST(POOL)                                                                      \
    POOL(ledger, ledgers.ids, ledgers.ledgers, UINT64_MAX)                                         \
    POOL(untyped, untypeds.ids, untypeds.untypeds, UINT64_MAX)                                     \
    POOL(object, objects.ids, objects.objects, UINT64_MAX)                                         \
    POOL(claim, objects.claim_ids, objects.claims, UINT64_MAX)                                     \
    POOL(mapping, mappings.ids, mappings.mappings, UINT64_MAX)                                     \
    POOL(space, spaces.ids, spaces.spaces, UINT64_MAX)                                             \
    POOL(cap_slot, caps.slot_ids, caps.slots, (UINT64_C(1) << 40) - 1)                             \
    POOL(cap_table, caps.table_ids, caps.tables, UINT64_MAX)

/* Hooks get a core_cpu and need its world. */
static struct test_world *world_of(struct core_cpu *cpu)
{
    return (struct test_world *)(void *)((char *)cpu->cadastre -
                                         offsetof(struct test_world, cadastre));
}

/* --- hooks --- */

static uint8_t *clearing_direct_map; /* pages_clear is told no CPU: of the newest world */

static void world_pages_clear(frame_no_t first, uint32_t count)
{
    memset(clearing_direct_map + frame_address(first), 0, (size_t)count * PAGE_SIZE);
}

static bool allocation_granted(struct core_cpu *cpu)
{
    struct test_world *world = world_of(cpu);

    if (world->allocations_left == WORLD_NEVER)
        return true;
    if (world->allocations_left == 0)
        return false;
    world->allocations_left--;
    return true;
}

static bool world_fault_point(struct core_cpu *cpu, const struct fault_site *site,
                              status_t status)
{
    return fault_run_point(&world_of(cpu)->faults, site, status);
}

static void world_refill(struct core_cpu *cpu)
{
    uint32_t count = world_of(cpu)->allocations_left == WORLD_NEVER ? WORLD_REFILL : 1;

    if (!allocation_granted(cpu))
        return;
    magazine_fill(&cpu->cadastre->frames, &cpu->magazine, count);
    /* As a CPU that is idle now and then. */
    for (uint32_t i = 0; i < count / 2 && cpu->magazine.zeroed < cpu->magazine.count; i++)
        (void)magazine_clear_ahead(cpu);
}

static void world_drain(struct core_cpu *cpu)
{
    magazine_empty(&cpu->cadastre->frames, &cpu->magazine, MAGAZINE_FRAMES / 2);
}

static frame_no_t world_block_take(struct core_cpu *cpu, unsigned order)
{
    return allocation_granted(cpu) ? frame_block_take(&cpu->cadastre->frames, order) : FRAME_NONE;
}

static void world_run_put(struct core_cpu *cpu, frame_no_t first, uint32_t count)
{
    frame_run_put(&cpu->cadastre->frames, first, count);
}

static bool world_pool_grow(struct core_cpu *cpu, struct id_pool *pool)
{
    uint32_t capacity = pool->capacity == 0 ? 2 : pool->capacity + 1;

    if (capacity > pool->limit || !allocation_granted(cpu))
        return false;
    id_pool_extend(pool, capacity);
    return true;
}

/* Tests have one thread, so that nobody will ever let go of the table. */
static void world_table_wait(struct core_cpu *cpu)
{
    CHECK_VALUE(false, cpu->tables_held);
}

static void world_interrupt_window(const struct core_cpu *cpu)
{
    (void)cpu;
}

/* --- making and ending --- */

static void *world_allocate(size_t count, size_t bytes)
{
    void *memory = calloc(count, bytes);

    if (memory == NULL) {
        fprintf(stderr, "test world: out of memory\n");
        abort();
    }
    return memory;
}

static void world_make_memory(struct test_world *world, uint32_t frames)
{
    struct frame_table *table = &world->cadastre.frames;
    size_t hole_bytes = (WORLD_HOLE_END - WORLD_HOLE_FIRST) * sizeof(struct frame);

    world->frame_count = frames;
    world->memory = aligned_alloc(PAGE_SIZE, (size_t)frames * PAGE_SIZE);
    assert_non_null(world->memory);
    memset(world->memory, WORLD_RUBBISH, (size_t)frames * PAGE_SIZE);
    clearing_direct_map = world->memory;

    frame_table_init(table, world_allocate(frames, sizeof(struct frame)));
    assert_int_equal(frame_table_add_range(table, 0, WORLD_HOLE_FIRST), CAD_OK);
    assert_int_equal(frame_table_add_range(table, WORLD_HOLE_END, frames), CAD_OK);
    assert_int_equal(frame_table_add_free(table, 0, WORLD_HOLE_FIRST), CAD_OK);
    assert_int_equal(frame_table_add_free(table, WORLD_HOLE_END, frames), CAD_OK);
    ASAN_POISON_MEMORY_REGION(&table->frames[WORLD_HOLE_FIRST], hole_bytes);
}

static void world_make_pools(struct test_world *world)
{
    struct cadastre *cadastre = &world->cadastre;
    uint32_t number = 1;

#define WORLD_POOL_INIT(name, pool_ids, pool_records, generation_max)                              \
    cadastre->pool_records = world_allocate(WORLD_POOL_RECORDS, sizeof(*cadastre->pool_records));  \
    id_pool_init(&cadastre->pool_ids, number++,                                                    \
                 world_allocate(WORLD_POOL_RECORDS, sizeof(struct id_slot)), WORLD_POOL_RECORDS,   \
                 generation_max);
    WORLD_POOL_LIST(WORLD_POOL_INIT)
#undef WORLD_POOL_INIT
}

static void world_make_ledgers(struct test_world *world)
{
    uint64_t limits[CAD_RESOURCE_COUNT];

    for (unsigned what = 0; what < CAD_RESOURCE_COUNT; what++)
        limits[what] = UINT64_C(1) << 20;
    limits[CAD_RESOURCE_VIRTUAL] = UINT64_C(1) << 40;
    limits[CAD_RESOURCE_COMMITTED] = world->free_frames;
    limits[CAD_RESOURCE_METADATA] = world->free_frames * PAGE_SIZE;
    assert_int_equal(ledger_create_root(world->cpu, limits, &world->root), CAD_OK);
    world->ledger = world_ledger(world, limits[CAD_RESOURCE_VIRTUAL] / 2,
                                 limits[CAD_RESOURCE_COMMITTED] / 2,
                                 limits[CAD_RESOURCE_METADATA] / 2,
                                 limits[CAD_RESOURCE_SLOTS] / 2);
}

struct test_world *world_create(uint32_t frames)
{
    struct test_world *world = world_allocate(1, sizeof(*world));

    assert_true(frames > WORLD_HOLE_END);
    for (unsigned i = 0; i < WORLD_CPUS; i++)
        core_cpu_join(&world->cpus[i], &world->cadastre);
    world->cpu = &world->cpus[0];
    world->allocations_left = WORLD_NEVER;
    world_make_memory(world, frames);
    world->cadastre.host = (struct core_host){
        .direct_map = world->memory,
        .pages_clear = world_pages_clear,
        .magazine_refill = world_refill,
        .magazine_drain = world_drain,
        .block_take = world_block_take,
        .run_put = world_run_put,
        .pool_grow = world_pool_grow,
        .ledger_idle = ledger_collect,
        .table_wait = world_table_wait,
        .interrupt_window = world_interrupt_window,
        .fault_point = world_fault_point,
    };
    world->cadastre.format = &world_format;
    world_make_pools(world);
    world->free_frames = world_free_frames(world);
    world_make_ledgers(world);
    return world;
}

status_t world_resolve(struct core_cpu *cpu, uint32_t space, virt_addr_t address, uint32_t access,
                       frame_no_t *frame)
{
    struct space_hold hold;
    status_t status = space_hold(cpu, space, address, access, &hold);

    if (status == CAD_OK) {
        *frame = hold.frame;
        space_let_go(cpu, &hold);
    }
    return status;
}

void world_cpus_leave(struct test_world *world)
{
    for (unsigned i = 0; i < WORLD_CPUS; i++)
        space_cpu_leave(&world->cpus[i]);
}

void world_abandon(struct test_world *world)
{
    struct cadastre *cadastre = &world->cadastre;

#define WORLD_POOL_FREE(name, pool_ids, pool_records, generation_max)                              \
    free(cadastre->pool_ids.slots);                                                                \
    free(cadastre->pool_records);
    WORLD_POOL_LIST(WORLD_POOL_FREE)
#undef WORLD_POOL_FREE
    free(cadastre->frames.frames);
    free(world->memory);
    free(world);
}

void world_destroy(struct test_world *world)
{
    world_check_returned(world);
    world_abandon(world);
}

uint32_t world_ledger(struct test_world *world, uint64_t virtual_pages, uint64_t committed_pages,
                      uint64_t metadata_bytes, uint64_t slots)
{
    uint64_t limits[CAD_RESOURCE_COUNT] = {
        [CAD_RESOURCE_VIRTUAL] = virtual_pages,
        [CAD_RESOURCE_COMMITTED] = committed_pages,
        [CAD_RESOURCE_METADATA] = metadata_bytes,
        [CAD_RESOURCE_SLOTS] = slots,
        [CAD_RESOURCE_PINNED] = 16,
    };
    uint32_t child;

    assert_int_equal(ledger_create_child(world->cpu, world->root, "test", &child), CAD_OK);
    for (unsigned what = 0; what < CAD_RESOURCE_COUNT; what++)
        assert_int_equal(ledger_donate(world->cpu, world->root, child, what, limits[what]),
                         CAD_OK);
    return child;
}

/* --- checks --- */

uint64_t world_free_frames(const struct test_world *world)
{
    uint64_t counts[FRAME_STATE_COUNT], kinds[FRAME_KIND_COUNT];

    frame_count(&world->cadastre.frames, counts, kinds);
    return counts[FRAME_FREE];
}

uint64_t world_used(const struct test_world *world, uint32_t ledger, enum cad_resource what)
{
    assert_true(id_is_live(&world->cadastre.ledgers.ids, ledger));
    return ledger_used(&world->cadastre.ledgers.ledgers[ledger], what);
}

void world_check_invariants(const struct test_world *world)
{
    const struct cadastre *cadastre = &world->cadastre;
    uint64_t in_magazines = 0;

    frame_check_invariants(&cadastre->frames);
    for (unsigned i = 0; i < WORLD_CPUS; i++)
        in_magazines += world->cpus[i].magazine.count;
    assert_int_equal(world_free_frames(world), cadastre->frames.free_frames + in_magazines);
#define WORLD_POOL_CHECK(name, pool_ids, pool_records, generation_max)                             \
    id_pool_check_invariants(&cadastre->pool_ids);
    WORLD_POOL_LIST(WORLD_POOL_CHECK)
#undef WORLD_POOL_CHECK
    untyped_check_invariants(world->cpu);
}

void world_check_returned(struct test_world *world)
{
    const struct cadastre *cadastre = &world->cadastre;

    world_check_invariants(world);
    assert_int_equal(world_free_frames(world), world->free_frames);
    for (unsigned what = 0; what < CAD_RESOURCE_COUNT; what++) {
        assert_int_equal(world_used(world, world->ledger, what), 0);
        assert_int_equal(world_used(world, world->root, what),
                         what == CAD_RESOURCE_METADATA ? sizeof(struct ledger) : 0);
    }
    assert_int_equal(cadastre->ledgers.ids.live_count, 2);
    assert_int_equal(cadastre->ledgers.ledgers[world->ledger].references, 1);
    assert_int_equal(cadastre->ledgers.ledgers[world->root].references, 1);
#define WORLD_POOL_EMPTY(name, pool_ids, pool_records, generation_max)                             \
    if (cadastre->pool_ids.live_count != 0 && strcmp(#name, "ledger") != 0)                        \
        fail_msg("%u live records of pool %s", cadastre->pool_ids.live_count, #name);
    WORLD_POOL_LIST(WORLD_POOL_EMPTY)
#undef WORLD_POOL_EMPTY
}

/* --- refusals --- */

void world_fail_after(struct test_world *world, uint64_t allocations)
{
    for (unsigned i = 0; i < WORLD_CPUS; i++)
        magazine_empty(&world->cadastre.frames, &world->cpus[i].magazine, 0);
    world->allocations_left = allocations;
}

void world_refuse(struct test_world *world, uint64_t first, uint64_t count)
{
    world->faults = (struct fault_run){.first = first, .count = count};
}

void world_fail_never(struct test_world *world)
{
    world->allocations_left = WORLD_NEVER;
}

static uint64_t hash_word(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ (hash >> 29);
}

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t count)
{
    const uint8_t *byte = bytes;
    uint64_t word;

    for (; count >= sizeof(word); count -= sizeof(word), byte += sizeof(word)) {
        memcpy(&word, byte, sizeof(word));
        hash = hash_word(hash, word);
    }
    for (; count > 0; count--)
        hash = hash_word(hash, *byte++);
    return hash;
}

/* What a frame is, not where the free ones lie; and what metadata frames hold. */
static uint64_t hash_frame(const struct test_world *world, uint64_t hash, frame_no_t i)
{
    const struct frame *frame = &world->cadastre.frames.frames[i];

    hash = hash_word(hash, frame->state);
    if (frame->state == FRAME_FREE)
        return hash;
    hash = hash_bytes(hash, frame, sizeof(*frame));
    if (frame->state != FRAME_KERNEL)
        return hash;
    return hash_bytes(hash, world_page(world, i), PAGE_SIZE);
}

static uint64_t hash_pool(uint64_t hash, const struct id_pool *pool, const void *records,
                          size_t record_bytes)
{
    for (uint32_t i = 1; i < pool->capacity; i++) {
        if (!id_is_live(pool, i))
            continue;
        hash = hash_word(hash, i);
        hash = hash_word(hash, pool->slots[i].generation);
        hash = hash_bytes(hash, (const char *)records + i * record_bytes, record_bytes);
    }
    return hash;
}

uint64_t world_hash(const struct test_world *world)
{
    const struct cadastre *cadastre = &world->cadastre;
    uint64_t hash = 1;

    for (uint32_t range = 0; range < cadastre->frames.range_count; range++) {
        for (frame_no_t i = cadastre->frames.ranges[range].first;
             i < cadastre->frames.ranges[range].end; i++)
            hash = hash_frame(world, hash, i);
    }
#define WORLD_POOL_HASH(name, pool_ids, pool_records, generation_max)                              \
    hash = hash_pool(hash, &cadastre->pool_ids, cadastre->pool_records,                            \
                     sizeof(*cadastre->pool_records));
    WORLD_POOL_LIST(WORLD_POOL_HASH)
#undef WORLD_POOL_HASH
    return hash;
}

uint8_t *world_page(const struct test_world *world, frame_no_t frame)
{
    return world->memory + frame_address(frame);
}

bool world_page_is_zero(const struct test_world *world, frame_no_t frame)
{
    for (unsigned i = 0; i < PAGE_SIZE; i++) {
        if (world_page(world, frame)[i] != 0)
            return false;
    }
    return true;
}
