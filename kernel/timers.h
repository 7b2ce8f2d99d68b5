// SPDX-License-Identifier: BSD-2-Clause
/*
 * Deadlines of waiting threads: one leftist heap a CPU, threaded through the
 * threads, in the heap of the CPU where the wait began.
 *
 * Invariants: a parent's deadline is not after its children's; the left child's
 * rank is not below the right's, so the right spine, which every operation
 * walks, is at most log2(n + 1) long.
 * Locks: the CPU's timers_lock, taken inside.
 */
#ifndef KERNEL_TIMERS_H
#define KERNEL_TIMERS_H

#include "base/types.h"

struct cpu;
struct thread;

/* This CPU's heap gets the thread, due at thread->deadline_ns. Needs: in no heap. */
void timers_add(struct cpu *cpu, struct thread *thread);
/* Out of whichever heap it is in; nothing if it is in none.
 * Needs: nobody else adds or wakes the thread meanwhile. */
void timers_remove(struct thread *thread);
/* Times out everything that is due on this CPU; in an interrupt window, what needs no wait.
 * Needs: no lock held, or in a window. */
void timers_run(struct cpu *cpu, uint64_t now_ns);
/* This CPU's timer fires at `deadline_ns` or before. */
void timers_arm(struct cpu *cpu, uint64_t deadline_ns);
/* The earliest deadline here, UINT64_MAX if there is none. */
uint64_t timers_next(struct cpu *cpu);

#endif
