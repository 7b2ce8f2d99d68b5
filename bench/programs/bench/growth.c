// SPDX-License-Identifier: BSD-2-Clause
/*
 * What an operation costs as what it does not touch grows: each at three sizes a
 * factor 100 apart.  Named metric@size; bench/growth.py divides and plots them.
 */
#include <stdbool.h>
#include <stdio.h>

#include "abi/methods.h"
#include "abi/rights.h"
#include "cadastre/capset.h"
#include "cadastre/clients.h"
#include "measure.h"

enum { SIZES = 3, FACTOR = 100, REPEATS = 16, NAME_BYTES = 48 };
#define RW (CAD_PROT_READ | CAD_PROT_WRITE)
/* A reserved page and a hole: entries that cannot be one. */
#define STRIDE (2 * PAGE_SIZE)

static uint64_t size; /* of the metric at hand */
static uint64_t start;
static cap_id_t object, root;

static cap_id_t memory(void)
{
    return cad_find(CAD_ROLE_SELF_MEMORY);
}

static cap_id_t space(void)
{
    return cad_find(CAD_ROLE_SELF_SPACE);
}

static cap_id_t table(void)
{
    return cad_find(CAD_ROLE_SELF_TABLE);
}

static void must(status_t status, const char *what)
{
    if (status != CAD_OK)
        give_up(what);
}

/* --- a uniform range of `size` pages --- */

static void reserve_range(void)
{
    start = 0;
    must(cad_virtual_memory_reserve(memory(), 0, size, RW, 0, &start), "reserve");
}

static void unmap_range(void)
{
    must(cad_virtual_memory_unmap(memory(), start, size), "unmap");
}

static void reserve_and_unmap(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++) {
        reserve_range();
        unmap_range();
    }
}

static void protect(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        must(cad_virtual_memory_protect(memory(), start, size, i % 2 == 0 ? CAD_PROT_READ : RW),
             "protect");
}

/* --- a fault, and a reservation, beside `size` other reservations --- */

static uint64_t others;

static void reserve_others(void)
{
    others = 0;
    must(cad_virtual_memory_reserve(memory(), 0, 2 * size, RW, 0, &others), "reserve");
    for (uint64_t i = 1; i < 2 * size; i += 2)
        must(cad_virtual_memory_unmap(memory(), others + i * PAGE_SIZE, 1), "unmap");
    start = 0;
    must(cad_virtual_memory_reserve(memory(), 0, REPEATS, RW, 0, &start), "reserve");
    must(cad_virtual_memory_commit(memory(), start, REPEATS, RW, 0), "commit");
    *(volatile char *)start = 1; /* the first one finds no leaf table in the caches */
}

static void drop_others(void)
{
    for (uint64_t i = 0; i < 2 * size; i += 2)
        must(cad_virtual_memory_unmap(memory(), others + i * PAGE_SIZE, 1), "unmap");
    must(cad_virtual_memory_unmap(memory(), start, REPEATS), "unmap");
}

static void touch(unsigned operations)
{
    for (unsigned i = 1; i <= operations; i++)
        *(volatile char *)(start + (uint64_t)i * PAGE_SIZE) = 1;
}

/* --- a page of an object of `size` pages --- */

static void map_object(void)
{
    must(cad_frame_allocator_allocate(cad_find(CAD_ROLE_FRAME_ALLOCATOR), size, &object),
         "allocate");
    start = 0;
    must(cad_memory_object_map(object, space(), 0, 0, size, RW, 0, &start), "map");
}

static void drop_object(void)
{
    must(cad_memory_object_unmap(object, space(), start, size), "unmap");
    must(cad_cap_table_delete(table(), object), "delete");
}

static void touch_last(unsigned operations)
{
    for (unsigned i = 1; i <= operations; i++)
        *(volatile char *)(start + (size - i) * PAGE_SIZE) = 1;
}

/* --- revoke of one child of `size`, and of all --- */

static void make_children(void)
{
    cap_id_t child;

    must(cad_ledger_create_notification(cad_find(CAD_ROLE_SELF_LEDGER), &root), "notification");
    for (uint64_t i = 0; i < size; i++)
        must(cad_cap_table_derive(table(), root, CAD_RIGHT_ALL, 0, &child), "derive");
}

static void drop_children(void)
{
    must(cad_cap_table_revoke(table(), root), "revoke");
    must(cad_cap_table_delete(table(), root), "delete");
}

static void derive_and_delete(unsigned operations)
{
    cap_id_t child;

    for (unsigned i = 0; i < operations; i++) {
        must(cad_cap_table_derive(table(), root, CAD_RIGHT_ALL, 0, &child), "derive");
        must(cad_cap_table_delete(table(), child), "delete");
    }
}

static void revoke(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        must(cad_cap_table_revoke(table(), root), "revoke");
}

struct growth {
    struct metric metric;
    uint64_t first; /* size; then FACTOR times it, and again */
    bool each;      /* the claim is a cost for each of `size` */
};

static const struct growth growths[] = {
    { { "reserve_unmap", reserve_and_unmap, 0, 0, REPEATS, 1 }, 512, false },
    { { "protect_reserved", protect, reserve_range, unmap_range, REPEATS, 1 }, 512, false },
    { { "fault_beside_reservations", touch, reserve_others, drop_others, REPEATS - 1, 1 },
      100, false },
    { { "object_page_fault", touch_last, map_object, drop_object, 8, 1 }, 10, false },
    { { "derive_delete_beside_children", derive_and_delete, make_children, drop_children,
        REPEATS, 1 }, 10, false },
    { { "revoke_each", revoke, make_children, drop_children, 1, 1 }, 10, true },
};

void measure_growth(void)
{
    for (unsigned i = 0; i < sizeof growths / sizeof growths[0]; i++) {
        size = growths[i].first;
        for (unsigned step = 0; step < SIZES; step++, size *= FACTOR) {
            char name[NAME_BYTES];
            struct metric metric = growths[i].metric;

            (void)snprintf(name, sizeof name, "%s@%llu", metric.name, (unsigned long long)size);
            metric.name = name;
            if (growths[i].each)
                metric.each = (unsigned)size;
            measure(&metric, BATCHES);
        }
    }
}
