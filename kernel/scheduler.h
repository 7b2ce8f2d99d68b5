// SPDX-License-Identifier: BSD-2-Clause
/*
 * Who runs where: a queue a CPU, 32 priorities, the highest first and each in
 * turn.  A slice is timed only while a second thread of the same priority is
 * ready on the CPU; an idle CPU has no tick at all.
 *
 * A woken thread goes to the CPU it ran on last if that one is idle or runs
 * something lower, else to an idle CPU, else it queues at its last one.  Idle
 * CPUs take from the queues of others.
 *
 * Locks: a queue's own, never two at once; other fields of struct cpu are its
 * CPU's alone unless marked.
 */
#ifndef KERNEL_SCHEDULER_H
#define KERNEL_SCHEDULER_H

#include "base/atomic.h"
#include "kernel/cpu.h"
#include "kernel/thread.h"

#define SCHEDULER_SLICE_NS UINT64_C(5000000)

/* Boot. */
void scheduler_init(void);
/* Into a run queue, by the rule above.  Nothing may touch the thread after. */
void scheduler_ready(struct thread *thread);
/* Ends a thread's wait and makes it READY.  Needs: as thread_end_wait().  Any lock up to
 * WAITERS may be held. */
static inline void thread_wake(struct thread *thread, status_t status)
{
    thread_end_wait(thread, status);
    scheduler_ready(thread);
}
/* A thread that ended its wait runs next on this CPU, whose current one just began to wait,
 * and goes on with its turn, if nothing higher is ready; else as scheduler_ready(). */
void scheduler_hand_over(struct cpu *cpu, struct thread *thread);
/* May that thread run here next, if it is ready: is nothing higher? */
static inline bool scheduler_may_run_next(const struct cpu *cpu, const struct thread *thread)
{
    return atomic_load_relaxed(&cpu->queue.ready_mask) >> thread->priority <= 1;
}
/* The time since the last switch here, in cycles; the next span begins. */
static inline uint64_t scheduler_account(struct cpu *cpu)
{
    uint64_t now = cpu_cycles();
    uint64_t used = now - cpu->switched;

    cpu->switched = now;
    return used;
}
/* The current thread's registers and time are saved; the CPU has no current one. */
static inline void scheduler_leave(struct cpu *cpu, struct thread *thread)
{
    fpu_save(&thread->fpu);
    cpu_clear_context(&thread->context);
    uint64_t used = scheduler_account(cpu);
    thread->run_cycles += used;
    thread->turn_cycles += used;
    cpu->current = NULL;
}
/* A RUNNING thread becomes this CPU's current one, which had none.
 * Gives: its context, to leave the kernel with. */
struct arch_context *scheduler_enter(struct cpu *cpu, struct thread *thread);
/* The way out of a call that waits: with the next thread that is ready here.
 * Gives: its context. */
struct arch_context *scheduler_go_on(void);
/* The timer fires at the end of the current thread's turn, or before. */
void scheduler_time_turn(struct cpu *cpu, const struct thread *thread);
/* Another of the current thread's priority is ready here: its turn is timed from now on.  A new
 * turn is already if the timer is set, as that is for the end of an older one. */
static inline void scheduler_note_company(struct cpu *cpu, const struct thread *thread)
{
    if (UNLIKELY(cpu->slice_timer == UINT64_MAX || thread->turn_cycles != 0))
        scheduler_time_turn(cpu, thread);
}
/* Takes a READY thread out of its queue. Gives: false if it was not in one. */
MUST_CHECK bool scheduler_withdraw(struct thread *thread);
/* The current thread goes behind others of its priority, on the way out. */
void scheduler_yield(struct cpu *cpu);
/* The same at once, as a wait that is over: CAD_OK is the call's status when its turn comes.
 * Gives: false if nobody here is of its priority or higher: it goes on. */
MUST_CHECK bool scheduler_give_way(struct thread *thread);
void scheduler_set_priority(struct thread *thread, uint8_t priority);
/* May the CPU not simply go on with the thread that is current?  Whatever else there is
 * to do (the world stops, a reaper's step, a higher thread, a killed one) comes with
 * `attention`, set after it. */
static inline bool scheduler_needs_more(const struct cpu *cpu)
{
    return UNLIKELY(atomic_load_relaxed(&cpu->attention));
}
/* That CPU looks around on its next way out of the kernel, soon. */
void scheduler_prod(uint32_t cpu_index);
/* An idle CPU, if there is one, looks around; else this one does on its way out. */
void scheduler_prod_idle(void);

#endif
