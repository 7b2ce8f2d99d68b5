// SPDX-License-Identifier: BSD-2-Clause
/* Anonymous memory and memory objects. */
#include "abi/methods.h"
#include "cadastre/capset.h"
#include "cadastre/clients.h"
#include "measure.h"

#include <time.h>

enum { MANY = 4096, TOUCHED = 512, LARGE = 512 };
enum { ZEROED = 32 }; /* what a CPU clears ahead at least */
#define RW          (CAD_PROT_READ | CAD_PROT_WRITE)
#define GIB_PAGES   (1ull << 18)

static uint64_t range; /* of the batch at hand */
static cap_id_t object;

static cap_id_t memory(void)
{
    return cad_find(CAD_ROLE_SELF_MEMORY);
}

static cap_id_t space(void)
{
    return cad_find(CAD_ROLE_SELF_SPACE);
}

static void reserve_many(void)
{
    range = 0;
    if (cad_virtual_memory_reserve(memory(), 0, MANY, RW, 0, &range) != CAD_OK)
        give_up("reserve");
}

static void commit_with(uint32_t flags)
{
    reserve_many();
    if (cad_virtual_memory_commit(memory(), range, MANY, RW, flags) != CAD_OK)
        give_up("commit");
}

static void commit_many(void)
{
    commit_with(CAD_COMMIT_SMALL);
}

static void fill_many(void)
{
    commit_with(CAD_COMMIT_SMALL | CAD_COMMIT_EAGER);
}

static void commit_large(void)
{
    commit_with(0);
}

static void fill_large(void)
{
    commit_with(CAD_COMMIT_EAGER);
}

/* This CPU has nothing else to do meanwhile. */
static void commit_many_and_rest(void)
{
    const struct timespec rest = { .tv_nsec = 1000000 };

    commit_many();
    (void)nanosleep(&rest, NULL);
}

static void drop_many(void)
{
    if (cad_virtual_memory_unmap(memory(), range, MANY) != CAD_OK)
        give_up("unmap");
}

static void touch(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        *(volatile char *)(range + (uint64_t)i * PAGE_SIZE) = 1;
}

static void touch_large(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        *(volatile char *)(range + (uint64_t)i * LARGE * PAGE_SIZE) = 1;
}

static void commit_eager(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        (void)cad_virtual_memory_commit(memory(), range, MANY, RW,
                                        CAD_COMMIT_SMALL | CAD_COMMIT_EAGER);
}

static void decommit(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        (void)cad_virtual_memory_decommit(memory(), range, MANY);
}

static void protect_many(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        (void)cad_virtual_memory_protect(memory(), range, MANY, i % 2 == 0 ? CAD_PROT_READ : RW);
}

static void protect_one(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        (void)cad_virtual_memory_protect(memory(), range + 7 * PAGE_SIZE, 1,
                                         i % 2 == 0 ? CAD_PROT_READ : RW);
}

static void unmap_one(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        (void)cad_virtual_memory_unmap(memory(), range + (uint64_t)(2 * i + 1) * PAGE_SIZE, 1);
}

/* Page by page, because a range with holes is refused. */
static void drop_the_rest(void)
{
    for (uint64_t page = 0; page < MANY; page++)
        (void)cad_virtual_memory_unmap(memory(), range + page * PAGE_SIZE, 1);
}

static void reserve_and_unmap(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++) {
        uint64_t address = 0;

        (void)cad_virtual_memory_reserve(memory(), 0, GIB_PAGES, RW, 0, &address);
        (void)cad_virtual_memory_unmap(memory(), address, GIB_PAGES);
    }
}

static void make_object(void)
{
    if (cad_frame_allocator_allocate(cad_find(CAD_ROLE_FRAME_ALLOCATOR), MANY, &object) != CAD_OK)
        give_up("allocate");
}

static void drop_object(void)
{
    (void)cad_cap_table_delete(cad_find(CAD_ROLE_SELF_TABLE), object);
}

static void map_and_unmap_one(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++) {
        uint64_t address = 0;

        (void)cad_memory_object_map(object, space(), 0, 0, 1, RW, CAD_MAP_POPULATE, &address);
        (void)cad_memory_object_unmap(object, space(), address, 1);
    }
}

static void map_many(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++) {
        range = 0;
        (void)cad_memory_object_map(object, space(), 0, 0, MANY, RW, CAD_MAP_POPULATE, &range);
    }
}

static void unmap_and_drop_object(void)
{
    (void)cad_memory_object_unmap(object, space(), range, MANY);
    drop_object();
}

const struct metric memory_metrics[] = {
    { "first_touch", touch, commit_many, drop_many, TOUCHED, 1 },
    { "first_touch_zeroed", touch, commit_many_and_rest, drop_many, ZEROED, 1 },
    { "commit_eager_4096_each", commit_eager, reserve_many, drop_many, 1, MANY },
    { "first_touch_2mib", touch_large, commit_large, drop_many, MANY / LARGE, 1 },
    { "decommit_2mib_each", decommit, fill_large, drop_many, 1, MANY / LARGE },
    { "decommit_4096_each", decommit, fill_many, drop_many, 1, MANY },
    { "protect_4096_each", protect_many, fill_many, drop_many, 2, MANY },
    { "protect_one", protect_one, fill_many, drop_many, 64, 1 },
    { "unmap_one", unmap_one, fill_many, drop_the_rest, 64, 1 },
    { "reserve_unmap_1gib", reserve_and_unmap, 0, 0, 64, 1 },
    { "map_unmap_one_object_page", map_and_unmap_one, make_object, drop_object, 64, 1 },
    { "map_4096_object_pages_each", map_many, make_object, unmap_and_drop_object, 1, MANY },
    { 0 },
};
