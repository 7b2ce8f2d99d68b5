// SPDX-License-Identifier: BSD-2-Clause
/* Address spaces.  Addresses, page counts and protections are a user's; spaces, ledgers and
 * objects are the caller's, and exist. */
#include "core/space.h"

#include "world.h"

static uint32_t rounds_owed;

static void anonymous(void)
{
    struct space_work work = { .rounds_owed = &rounds_owed };
    virt_addr_t address = ANY_LONG();
    uint32_t space = ANY_ID(), out;

    (void)space_create(CPU, ANY_ID(), &out);
    (void)space_reserve(CPU, space, &address, ANY_LONG(), ANY_WORD());
    (void)space_commit(CPU, space, ANY_LONG(), ANY_LONG(), ANY_WORD(), ANY_WORD());
    (void)space_decommit(CPU, space, ANY_LONG(), ANY_LONG(), &work);
    (void)space_protect(CPU, space, ANY_LONG(), ANY_LONG(), ANY_WORD(), &work);
    (void)space_unmap(CPU, space, ANY_LONG(), ANY_LONG(), &work);
}

static void borrowed(void)
{
    struct object_map_request request = {
        .object = ANY_ID(), .first_page = ANY_WORD(), .pages = ANY_LONG(),
        .address = ANY_LONG(), .protection = ANY_WORD(), .ceiling = ANY_WORD(),
        .populate = ANY_BOOL(),
    };
    struct space_work work = { .rounds_owed = &rounds_owed };
    virt_addr_t address;
    uint32_t space = ANY_ID();

    (void)space_map_object(CPU, space, &request, &address);
    (void)space_unmap_object(CPU, space, ANY_ID(), ANY_LONG(), ANY_LONG(), &work);
    (void)space_protect_object(CPU, space, ANY_ID(), ANY_LONG(), ANY_LONG(), ANY_WORD(), &work);
}

static void kernels(void)
{
    struct space_work work = { .rounds_owed = &rounds_owed };
    struct space_hold hold;
    frame_no_t frame;
    uint32_t space = ANY_ID(), access = UINT32_C(1) << ANY_BELOW(3), word;

    (void)space_guard(CPU, space, ANY_LONG(), ANY_LONG());
    (void)space_map_system(CPU, space, ANY_LONG(), ANY_WORD(), &frame);
    (void)space_unmap_system(CPU, space, ANY_LONG(), &work);
    (void)space_fault(CPU, space, ANY_LONG(), access);
    if (space_hold(CPU, space, ANY_LONG(), access, &hold) == CAD_OK) {
        space_let_go(CPU, &hold);
    }
    (void)space_try_read(CPU, space, ANY_LONG() & ~UINT64_C(3), &word);
    (void)space_teardown_step(CPU, space, ANY_WORD(), &work);
}

static void seeing(void)
{
    struct space_run run;
    uint32_t space = ANY_ID();

    (void)space_next_run(CPU, space, ANY_LONG(), &run);
    space_query(CPU, space, ANY_LONG(), &run);
    (void)space_entry(CPU, space, ANY_LONG());
    (void)space_resident_pages(&world, space);
    space_cpu_leave(CPU);
    space_check_invariants(CPU, space);
}

void eva_space(void)
{
    world_any();
    while (ANY_BOOL()) {
        switch (ANY_BELOW(4)) {
        case 0: anonymous(); break;
        case 1: borrowed(); break;
        case 2: kernels(); break;
        default: seeing(); break;
        }
    }
}
