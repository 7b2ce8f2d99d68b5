// SPDX-License-Identifier: BSD-2-Clause
/*
 * A pool's arrays stand one after the other in its span, each rounded up to
 * what one page table covers, so that they share upper tables and no page.
 */
#include "kernel/pool_memory.h"

#include "arch/mmu.h"
#include "base/assert.h"
#include "kernel/cpu.h"

COMPILE_ASSERT(POOL_COUNT + 2 <= POOL_SPANS, spans_for_frames_pools_and_scratch);

#define ARRAY_ALIGN_BYTES ((uint64_t)PAGE_SIZE << MMU_INDEX_BITS)

struct pool_array {
    uint64_t base;
    size_t entry_bytes;
    uint64_t backed_bytes;
};

struct pool_memory {
    struct pool_array arrays[POOL_ARRAYS_MAX];
    unsigned array_count;
    uint64_t end; /* first address no array uses */
};

static struct pool_memory pools[POOL_COUNT];
static struct spinlock pools_lock = SPINLOCK_INIT(LOCK_POOLS);

uint64_t pool_pages_used, pool_pages_limit;

#define POOL_LIMIT(NAME, name, type, limit) [POOL_##NAME] = (limit),
static const uint32_t pool_limits[POOL_COUNT] = {POOL_LIST(POOL_LIMIT)};
#undef POOL_LIMIT

const char *pool_name(uint32_t number)
{
#define POOL_NAME(NAME, name, type, limit) [POOL_##NAME] = #name,
    static const char *const names[POOL_COUNT] = {POOL_LIST(POOL_NAME)};
#undef POOL_NAME
    return number < POOL_COUNT ? names[number] : "scratch";
}

static void *pool_add_array(enum pool number, size_t entry_bytes)
{
    struct pool_memory *pool = &pools[number];
    uint64_t bytes = (uint64_t)pool_limits[number] * entry_bytes;
    CHECK_VALUE(pool->array_count < POOL_ARRAYS_MAX, number);
    struct pool_array *array = &pool->arrays[pool->array_count++];

    array->base = pool->end;
    array->entry_bytes = entry_bytes;
    array->backed_bytes = 0;
    pool->end += (bytes + ARRAY_ALIGN_BYTES - 1) & ~(ARRAY_ALIGN_BYTES - 1);
    CHECK_VALUE(pool->end - POOL_SPAN(number + 1) <= POOL_SPAN_BYTES, number);
    return (void *)array->base;
}

void *pool_open(enum pool number, struct id_pool *ids, size_t record_bytes)
{
    uint64_t generation_max =
        number == POOL_CAP_SLOTS ? (UINT64_C(1) << (64 - CAD_CAP_SLOT_BITS)) - 1 : UINT64_MAX - 1;

    CHECK_VALUE(pools[number].array_count == 0, number);
    pools[number].end = POOL_SPAN(number + 1);
    void *records = pool_add_array(number, record_bytes);
    struct id_slot *slots = pool_add_array(number, sizeof(struct id_slot));
    id_pool_init(ids, number, slots, pool_limits[number], generation_max);
    return records;
}

void *pool_open_side(enum pool number, size_t entry_bytes)
{
    CHECK_VALUE(pools[number].arrays[0].backed_bytes == 0, number);
    return pool_add_array(number, entry_bytes);
}

static frame_no_t take_kernel_table(void)
{
    frame_no_t frame = frame_take_kernel(this_core(), FRAME_KIND_KERNEL_TABLE, 0, 0);

    if (frame != FRAME_NONE)
        pool_pages_used++;
    return frame;
}

/* For one more page and the tables above it. */
static bool pool_has_share(void)
{
    return pool_pages_used + MMU_LEVELS <= pool_pages_limit;
}

/* Gives: false when memory or the pools' share ran out; what was backed stays. */
static bool array_back(struct core_cpu *core, uint32_t number, struct pool_array *array,
                       uint64_t wanted_bytes)
{
    while (array->backed_bytes < wanted_bytes) {
        uint64_t page = array->base + array->backed_bytes;
        uint32_t detail = (uint32_t)((page - POOL_SPAN(number + 1)) >> PAGE_SHIFT);
        if (FAULT_POINT(core, pool_has_share, CAD_PRESSURE) || !pool_has_share())
            return false;
        frame_no_t frame = frame_take_kernel(core, FRAME_KIND_POOL, number, detail);
        if (frame == FRAME_NONE)
            return false;
        if (!mmu_kernel_map(page, frame, take_kernel_table)) {
            frame_release(core, frame, FRAME_KERNEL, number);
            return false;
        }
        pool_pages_used++;
        array->backed_bytes += PAGE_SIZE;
    }
    return true;
}

bool pool_grow(struct core_cpu *core, struct id_pool *ids)
{
    struct pool_memory *pool = &pools[ids->number];
    uint32_t step = (uint32_t)(PAGE_SIZE / pool->arrays[0].entry_bytes);
    uint32_t room = ids->limit - ids->capacity;
    bool backed = room > 0;

    if (step == 0)
        step = 1;
    if (step > room)
        step = room;
    spin_lock(&pools_lock);
    for (unsigned i = 0; i < pool->array_count && backed; i++)
        backed = array_back(core, ids->number, &pool->arrays[i],
                            (ids->capacity + step) * (uint64_t)pool->arrays[i].entry_bytes);
    spin_unlock(&pools_lock);
    if (backed)
        id_pool_extend(ids, ids->capacity + step);
    return backed;
}

void *pool_scratch(struct core_cpu *core, uint64_t bytes)
{
    static struct pool_array scratch = {.base = POOL_SPAN(POOL_SCRATCH_NUMBER + 1)};

    if (bytes > POOL_SPAN_BYTES)
        return NULL;
    spin_lock(&pools_lock);
    bool backed = array_back(core, POOL_SCRATCH_NUMBER, &scratch, bytes);
    spin_unlock(&pools_lock);
    return backed ? (void *)scratch.base : NULL;
}
