// SPDX-License-Identifier: BSD-2-Clause
/*
 * How a CPU goes from one thread to another: registers, time, space, priority.
 *
 * The direct way has two halves.  The first saves what the old thread's next owner needs,
 * so it comes before anybody else can have the thread; the second makes the new one
 * current.
 */
#ifndef KERNEL_THREAD_SWITCH_H
#define KERNEL_THREAD_SWITCH_H

#include "arch/trap.h"
#include "base/atomic.h"
#include "kernel/process.h"
#include "kernel/scheduler.h"
#include "kernel/space_load.h"

/* With a tag, and counts of faults that join their space's: not in line, as the others would
 * save registers for it. */
void cpu_enter_space_long(struct cpu *cpu, struct process *process);

/* The bit is set before the space is loaded and cleared after another was, so
 * whoever weakens an entry and then reads space_cpus finds every CPU that may
 * have seen the entry before; the atomic OR is the fence between. */
static inline void cpu_enter_space(struct cpu *cpu, struct process *process)
{
    if (UNLIKELY(mmu_has_tags || cpu->core.filled_space != ID_NONE)) {
        cpu_enter_space_long(cpu, process);
        return;
    }
    struct process *old = cpu->space;
    (void)atomic_fetch_or(&process->space_cpus, cpu->bit);
    mmu_switch(process->root);
    cpu->space = process;
    if (old != NULL)
        (void)atomic_fetch_and(&old->space_cpus, ~cpu->bit);
}

/* Only the kernel half stays loaded. */
static inline void cpu_leave_space(struct cpu *cpu)
{
    struct process *old = cpu->space;

    if (old == NULL)
        return;
    space_unload(cpu);
    cpu->space = NULL;
    space_cpu_leave(&cpu->core);
    (void)atomic_fetch_and(&old->space_cpus, ~cpu->bit);
}

/* The new current thread's registers are loaded but those that leave with its context.
 * Gives: its context. */
static inline struct arch_context *thread_make_current(struct cpu *cpu, struct thread *thread)
{
    uint8_t priority = thread->priority;

    cpu->current = thread;
    cpu->slice_over = false;
    atomic_store_relaxed(&cpu->running_priority, priority);
    cpu->switches++;
    thread->switches++;
    if (cpu->space != thread->process)
        cpu_enter_space(cpu, thread->process);
    fpu_restore(&thread->fpu);
    atomic_fence(); /* with note_queued(): it saw our priority, or we see its thread */
    uint32_t others = atomic_load_relaxed(&cpu->queue.ready_mask) >> priority;
    if (others > 1)
        atomic_store_relaxed(&cpu->attention, true); /* they are higher */
    else if (others != 0)
        scheduler_note_company(cpu, thread);
    return &thread->context;
}

/* Registers and time of the current thread, which waits from now on, are saved; the bases
 * of `next` are loaded, which goes on with its turn. */
static inline void thread_switch_from(struct cpu *cpu, struct thread *thread, struct thread *next)
{
    fpu_save(&thread->fpu);
    cpu_switch_context(&thread->context, &next->context);
    uint64_t used = scheduler_account(cpu);
    thread->run_cycles += used;
    next->turn_cycles = thread->turn_cycles + used;
    thread->turn_cycles = 0;
}

/* A thread that ended its wait becomes current instead, and leaves the kernel if there is
 * nothing else to do.  Needs: scheduler_may_run_next() before; no lock held. */
__attribute__((always_inline)) static inline struct arch_context *
thread_switch_to(struct cpu *cpu, struct thread *next)
{
    lock_check_none_held();
    next->cpu = cpu->index;
    thread_set_state(next, THREAD_RUNNING);
    struct arch_context *context = thread_make_current(cpu, next);
    return scheduler_needs_more(cpu) || UNLIKELY(next->in_ring) ? kernel_resume() : context;
}

#endif
