// SPDX-License-Identifier: BSD-2-Clause
/*
 * A waiter counts itself once for each epoch and leaves when the epoch is over;
 * it does not count itself out, so a slow one never counts for the next stop.
 */
#include "kernel/world.h"

#include "arch/cpu.h"
#include "arch/trap.h"
#include "base/assert.h"
#include "base/atomic.h"
#include "kernel/cpu.h"
#include "kernel/scheduler.h"

uint32_t world_stopper;
static uint32_t waiting;
static uint64_t epoch;

void world_wait(void)
{
    uint64_t now = atomic_load_acquire(&epoch);

    lock_check_none_held();
    if (atomic_load_acquire(&world_stopper) == 0)
        return;
    (void)atomic_fetch_add(&waiting, 1);
    while (atomic_load_acquire(&epoch) == now) {
        kernel_tlb_service();
        cpu_relax();
    }
}

void world_stop(void)
{
    unsigned self = this_cpu()->index;
    uint32_t nobody = 0;

    lock_check_none_held();
    while (!atomic_compare_exchange(&world_stopper, &nobody, self + 1)) {
        world_wait();
        nobody = 0;
    }
    for (unsigned i = 0; i < cpu_count(); i++) {
        if (i != self)
            scheduler_prod(i);
    }
    while (atomic_load_acquire(&waiting) != cpu_count() - 1) {
        kernel_tlb_service();
        cpu_relax();
    }
}

void world_resume(void)
{
    CHECK_VALUE(world_stopper == this_cpu()->index + 1, world_stopper);
    waiting = 0;
    atomic_store_release(&world_stopper, 0);
    (void)atomic_fetch_add(&epoch, 1);
}
