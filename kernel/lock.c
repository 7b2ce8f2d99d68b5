// SPDX-License-Identifier: BSD-2-Clause
/* Waiting for a lock, and the order of locks. */
#include "kernel/lock.h"

#include "arch/cpu.h"
#include "arch/trap.h"
#include "base/assert.h"
#include "base/atomic.h"
#include "kernel/cpu.h"

#ifdef CONFIG_ASSERT

/* A lock may be taken only while all held ones have a lower rank. */
void lock_note_taken(const struct spinlock *lock)
{
    struct cpu *cpu = this_cpu();

    for (uint32_t i = 0; i < cpu->held_count; i++)
        CHECK_VALUE(cpu->held[i]->rank < lock->rank, cpu->held[i]->rank * 100 + lock->rank);
    CHECK_VALUE(cpu->core.tables_held == 0 || lock->rank > LOCK_TABLES, lock->rank);
    CHECK_VALUE(cpu->held_count < LOCK_DEPTH_MAX, lock->rank);
    cpu->held[cpu->held_count++] = lock;
}

void lock_note_dropped(const struct spinlock *lock)
{
    struct cpu *cpu = this_cpu();
    uint32_t at = 0;

    while (at < cpu->held_count && cpu->held[at] != lock)
        at++;
    CHECK_VALUE(at < cpu->held_count, lock->rank);
    cpu->held_count--;
    for (; at < cpu->held_count; at++)
        cpu->held[at] = cpu->held[at + 1];
}

void lock_check_none_held(void)
{
    CHECK_VALUE(this_cpu()->held_count == 0, this_cpu()->held[0]->rank);
    CHECK_VALUE(this_cpu()->core.tables_held == 0, LOCK_TABLES);
}

void lock_check_below(enum lock_rank rank)
{
    const struct cpu *cpu = this_cpu();

    for (uint32_t i = 0; i < cpu->held_count; i++)
        CHECK_VALUE(cpu->held[i]->rank < rank, cpu->held[i]->rank * 100 + rank);
}

#endif

void spin_lock_wait(struct spinlock *lock)
{
    do {
        while (atomic_load_relaxed(&lock->taken) != 0) {
            kernel_tlb_service();
            cpu_relax();
        }
    } while (atomic_exchange(&lock->taken, 1) != 0);
}
