// SPDX-License-Identifier: BSD-2-Clause
/* The table of CPUs. */
#include "kernel/cpu.h"

#include "base/assert.h"
#include "base/atomic.h"
#include "base/print.h"
#include "kernel/memory.h"
#include "kernel/panic.h"
#include "kernel/process.h"
#include "kernel/thread.h"

COMPILE_ASSERT(offsetof(struct cpu, arch) == 0, the_machine_part_comes_first);
COMPILE_ASSERT(CPU_MAX <= 64, cpu_sets_are_words);

struct cpu cpus[CPU_MAX];

void cpus_init(void)
{
    for (unsigned i = 0; i < CPU_MAX; i++) {
        struct cpu *cpu = &cpus[i];
        cpu->index = i;
        cpu->bit = UINT64_C(1) << i;
        cpu->queue.lock.rank = LOCK_RUN_QUEUE;
        cpu->timers_lock.rank = LOCK_TIMERS;
        cpu->armed_ns = UINT64_MAX;
        cpu->slice_timer = UINT64_MAX;
        cpu->running_priority = -1;
        cpu_attach(i, &cpu->arch);
    }
}

void panic_print_cpus(void)
{
    for (unsigned i = 0; i < cpu_count(); i++) {
        const struct cpu *cpu = &cpus[i];
        const struct thread *thread = cpu->current;
        if (thread != NULL)
            print("  cpu %u: thread %u (%s) of process %u (%.24s), pc 0x%lx, locks held %u\n", i,
                  thread->id, thread_state_name(thread->state), thread->process->id,
                  thread->process->name, context_pc(&thread->context), cpu->held_count);
        else
            print("  cpu %u: no thread, %s, locks held %u\n", i,
                  cpu->running_priority < 0 ? "idle" : "in the kernel", cpu->held_count);
    }
}
