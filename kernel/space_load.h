// SPDX-License-Identifier: BSD-2-Clause
/*
 * Loading a space at a CPU, and counting its changes, on machines whose translations have
 * tags (core/asid.h) and on those without.
 *
 * Pairs: a CPU sets its bit in space_cpus, then reads space_changes; who weakened entries
 * counts that there, then reads space_cpus.  Both are atomic read-modify-writes and fences:
 * the CPU drops what it held before, or is asked to.
 */
#ifndef KERNEL_SPACE_LOAD_H
#define KERNEL_SPACE_LOAD_H

#include "arch/mmu.h"
#include "base/atomic.h"
#include "kernel/cpu.h"
#include "kernel/process.h"

static inline uint64_t space_changes(const struct process *process)
{
    return atomic_load_acquire(&process->space_changes);
}

/* Needs: this CPU's bit in space_cpus. */
static inline void space_load(struct cpu *cpu, const struct process *process)
{
    if (LIKELY(!mmu_has_tags)) {
        mmu_switch(process->root);
        return;
    }
    struct asid_entry entry = asid_enter(&cpu->asid, process->space_name, space_changes(process));
    mmu_switch_tagged(process->root, entry.tag, entry.keeps);
}

/* Only the kernel half stays loaded. */
static inline void space_unload(struct cpu *cpu)
{
    mmu_switch(mmu_kernel_root());
    asid_leave(&cpu->asid);
}

/* After entries were weakened, before space_cpus is read.  Gives: the change's number. */
static inline uint64_t space_count_change(struct process *process)
{
    if (LIKELY(!mmu_has_tags)) {
        atomic_fence();
        return 0;
    }
    return atomic_fetch_add(&process->space_changes, 1) + 1;
}

/* Drops what this CPU holds of the space that it is in. */
static inline void space_flush(struct cpu *cpu)
{
    uint64_t changes = cpu->space != NULL ? space_changes(cpu->space) : 0;

    mmu_flush_user();
    asid_flush(&cpu->asid, changes);
}

#endif
