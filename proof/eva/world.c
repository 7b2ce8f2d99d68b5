// SPDX-License-Identifier: BSD-2-Clause
#include "world.h"

#include "base/assert.h"

volatile uint64_t anything;
struct cadastre world;
struct core_cpu cpus[2];
struct id_slot slots[8][RECORDS];
uint64_t memory[FRAMES * PAGE_SIZE / sizeof(uint64_t)];

static struct frame frames[FRAMES];
static struct ledger ledgers[RECORDS];
static struct untyped untypeds[RECORDS];
static struct object objects[RECORDS];
static struct claim claims[RECORDS];
static struct mapping mappings[RECORDS];
static struct space spaces[RECORDS];
static struct cap_slot cap_slots[RECORDS];
static struct cap_table cap_tables[RECORDS];

_Noreturn void assert_failed(const char *kind, const char *expression, uint64_t value,
                             const char *file, int line)
{
    (void)kind, (void)expression, (void)value, (void)file, (void)line;
    for (;;) {
    }
}

/* --- what core/ asks its host for --- */

static void pages_clear(frame_no_t first, uint32_t count)
{
    for (uint32_t page = 0; page < count; page++) {
        frame_no_t frame = (first + page) % FRAMES;
        uint64_t *words = &memory[(size_t)frame * (PAGE_SIZE / sizeof(uint64_t))];
        for (unsigned i = 0; i < PAGE_SIZE / sizeof(uint64_t); i++) {
            words[i] = 0;
        }
    }
}

/* Frames that exist, from wherever: the allocator itself is the frame driver's. */
static void magazine_refill(struct core_cpu *cpu)
{
    cpu->filled_space = ANY_INDEX();
    cpu->filled_pages = ANY_LONG();
    cpu->magazine.count = ANY_FROM(0, MAGAZINE_FRAMES);
    cpu->magazine.zeroed = ANY_FROM(0, MAGAZINE_FRAMES);
    for (unsigned i = 0; i < MAGAZINE_FRAMES; i++) {
        cpu->magazine.frames[i] = ANY_FRAME();
    }
}

static void magazine_drain(struct core_cpu *cpu)
{
    cpu->magazine.count = MAGAZINE_FRAMES / 2;
    cpu->magazine.zeroed = ANY_FROM(0, MAGAZINE_FRAMES / 2);
}

static frame_no_t block_take(struct core_cpu *cpu, unsigned order)
{
    (void)cpu, (void)order;
    return ANY_FRAME();
}

static void run_put(struct core_cpu *cpu, frame_no_t first, uint32_t count)
{
    (void)cpu, (void)first, (void)count;
}

static void table_wait(struct core_cpu *cpu)
{
    (void)cpu;
}

static void interrupt_window(const struct core_cpu *cpu)
{
    (void)cpu;
}

static bool pool_grow(struct core_cpu *cpu, struct id_pool *pool)
{
    (void)cpu;
    if (pool->capacity >= RECORDS || ANY_BOOL()) {
        return false;
    }
    id_pool_extend(pool, RECORDS);
    return true;
}

bool any_bytes(void *context, uint64_t offset, void *to, uint64_t bytes)
{
    (void)context, (void)offset;
    for (uint64_t i = 0; i < bytes; i++) {
        ((uint8_t *)to)[i] = ANY_BYTE();
    }
    return ANY_BOOL();
}

/* --- the tables --- */

static const struct mmu_format format = {
    .table = MMU_PRESENT | 6,
    .page = { 0, MMU_PRESENT | UINT64_C(1) << 63, 0, MMU_PRESENT | 2, 0, MMU_PRESENT, 0, 0 },
    .block = { 0, MMU_PRESENT | UINT64_C(1) << 63, 0, MMU_PRESENT | 2, 0, MMU_PRESENT, 0, 0 },
    .accessed = UINT64_C(1) << 5,
    .dirty = UINT64_C(1) << 6,
};

static void pool_any(struct id_pool *pool, uint32_t number)
{
    *pool = (struct id_pool){
        .slots = slots[number],
        .capacity = ANY_FROM(0, RECORDS),
        .limit = RECORDS,
        .free_head = ANY_INDEX(),
        .free_count = ANY_WORD(),
        .live_count = ANY_WORD(),
        .retired_count = ANY_WORD(),
        .generation_max = ANY_LONG(),
        .number = number,
    };
    for (unsigned i = 0; i < RECORDS; i++) {
        slots[number][i] = (struct id_slot){ .generation = ANY_LONG(), .next = ANY_WORD() };
    }
}

static void pools_any(void)
{
    pool_any(&world.ledgers.ids, 0);
    pool_any(&world.untypeds.ids, 1);
    pool_any(&world.objects.ids, 2);
    pool_any(&world.objects.claim_ids, 3);
    pool_any(&world.mappings.ids, 4);
    pool_any(&world.spaces.ids, 5);
    pool_any(&world.caps.slot_ids, 6);
    pool_any(&world.caps.table_ids, 7);
}

static void frames_any(void)
{
    struct frame_table *table = &world.frames;

    table->frames = frames;
    table->range_count = 2;
    table->ranges[0] = (struct frame_range){ 0, ANY_FROM(1, FRAMES / 2) };
    table->ranges[1] = (struct frame_range){ ANY_FROM(FRAMES / 2, FRAMES - 1), FRAMES };
    table->free_frames = ANY_LONG();
    table->total_frames = ANY_LONG();
    for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++) {
        table->free_head[order] = ANY_FRAME();
    }
    for (unsigned i = 0; i < FRAMES; i++) {
        frames[i] = (struct frame){
            .state = (uint8_t)ANY_BELOW(FRAME_STATE_COUNT),
            .kind = ANY_BYTE(),
            .pins = ANY_SHORT(),
            .maps = ANY_WORD(),
            .owner = ANY_FRAME(),
            .detail = ANY_FRAME(),
        };
    }
    for (unsigned i = 0; i < FRAMES * PAGE_SIZE / sizeof(uint64_t); i++) {
        memory[i] = ANY_LONG();
    }
}

static void cpu_any(struct core_cpu *cpu)
{
    cpu->cadastre = &world;
    cpu->filled_space = ANY_INDEX();
    cpu->filled_pages = ANY_LONG();
    cpu->magazine.count = ANY_FROM(0, MAGAZINE_FRAMES);
    cpu->magazine.zeroed = ANY_FROM(0, MAGAZINE_FRAMES);
    for (unsigned i = 0; i < MAGAZINE_FRAMES; i++) {
        cpu->magazine.frames[i] = ANY_FRAME();
    }
}

static void ledgers_any(void)
{
    for (unsigned i = 0; i < RECORDS; i++) {
        ledgers[i].parent = ANY_INDEX();
        ledgers[i].children = ANY_WORD();
        ledgers[i].references = ANY_WORD();
        ledgers[i].host_dying = ANY_WORD();
        for (unsigned what = 0; what < CAD_RESOURCE_COUNT; what++) {
            ledgers[i].limit[what] = ANY_LONG();
            ledgers[i].available[what] = ANY_LONG();
            ledgers[i].donated[what] = ANY_LONG();
        }
        for (unsigned k = 0; k < LEDGER_NAME_BYTES; k++) {
            ledgers[i].name[k] = (char)ANY_BYTE();
        }
    }
}

static void objects_any(void)
{
    for (unsigned i = 0; i < RECORDS; i++) {
        untypeds[i] = (struct untyped){ ANY_INDEX(), ANY_INDEX(), ANY_FRAME(), ANY_FRAME(),
                                        ANY_FRAME(), ANY_WORD(), ANY_WORD() };
        objects[i] = (struct object){
            .kind = ANY_BYTE(), .height = (uint8_t)ANY_FROM(0, 3), .dying = ANY_BYTE(),
            .ledger = ANY_INDEX(), .untyped = ANY_INDEX(), .pages = ANY_FRAME(),
            .first = ANY_FRAME(), .references = ANY_WORD(), .mappings = ANY_INDEX(),
            .mapping_count = ANY_WORD(), .claims = ANY_INDEX(), .claim_count = ANY_WORD(),
            .destroyed = ANY_WORD(), .host_next = ANY_WORD(),
        };
        claims[i] = (struct claim){ ANY_INDEX(), ANY_INDEX(), ANY_WORD(), ANY_INDEX() };
        mappings[i] = (struct mapping){
            .object = ANY_INDEX(), .space = ANY_INDEX(), .object_generation = ANY_LONG(),
            .space_generation = ANY_LONG(), .address = ANY_LONG(), .first_page = ANY_WORD(),
            .pages = ANY_WORD(), .ceiling = ANY_WORD(), .ledger = ANY_INDEX(),
            .next = ANY_INDEX(), .previous = ANY_INDEX(), .space_next = ANY_INDEX(),
            .space_previous = ANY_INDEX(),
        };
    }
}

static void spaces_any(void)
{
    for (unsigned i = 0; i < RECORDS; i++) {
        spaces[i] = (struct space){
            .root = ANY_FRAME(), .ledger = ANY_INDEX(), .virtual_pages = ANY_LONG(),
            .committed_pages = ANY_LONG(), .resident_pages = ANY_LONG(),
            .borrowed_pages = ANY_LONG(), .table_pages = ANY_WORD(), .system_pages = ANY_WORD(),
            .mappings = ANY_INDEX(), .mapping_count = ANY_WORD(), .search = ANY_LONG(),
            .teardown = ANY_LONG(), .joins_begun = ANY_WORD(), .joins_done = ANY_WORD(),
        };
    }
}

static void caps_any(void)
{
    for (unsigned i = 0; i < RECORDS; i++) {
        cap_slots[i] = (struct cap_slot){
            .object = { ANY_WORD(), ANY_INDEX(), ANY_LONG() }, .badge = ANY_LONG(),
            .rights = ANY_WORD(), .table = ANY_INDEX(), .parent = ANY_INDEX(),
            .first_child = ANY_INDEX(), .last_child = ANY_INDEX(), .next_sibling = ANY_INDEX(),
            .previous_sibling = ANY_INDEX(), .table_next = ANY_INDEX(),
            .table_previous = ANY_INDEX(), .reserved = ANY_WORD(),
        };
        cap_tables[i] = (struct cap_table){ ANY_INDEX(), ANY_WORD(), ANY_INDEX(), ANY_WORD() };
    }
}

void world_any(void)
{
    world.host = (struct core_host){
        .direct_map = (uint8_t *)memory,
        .pages_clear = pages_clear,
        .magazine_refill = magazine_refill,
        .magazine_drain = magazine_drain,
        .block_take = block_take,
        .run_put = run_put,
        .pool_grow = pool_grow,
        .ledger_idle = ledger_collect,
        .table_wait = table_wait,
        .interrupt_window = interrupt_window,
    };
    world.format = &format;
    world.ledgers.ledgers = ledgers;
    world.untypeds.untypeds = untypeds;
    world.objects.objects = objects;
    world.objects.claims = claims;
    world.mappings.mappings = mappings;
    world.spaces.spaces = spaces;
    world.caps.slots = cap_slots;
    world.caps.tables = cap_tables;
    pools_any();
    frames_any();
    cpu_any(&cpus[0]);
    cpu_any(&cpus[1]);
    world.cpus[0] = &cpus[0];
    world.cpus[1] = &cpus[1];
    world.cpu_count = 2;
    ledgers_any();
    objects_any();
    spaces_any();
    caps_any();
}
