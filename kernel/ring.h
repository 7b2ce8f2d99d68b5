// SPDX-License-Identifier: BSD-2-Clause
/*
 * Capability rings (abi/ring.h): a batch of invocations for one trap, through
 * the same dispatcher.  Each submission is copied out once, loaded into the
 * thread's own message registers, dispatched, and its result copied back.  One
 * that blocks blocks the thread; kernel_resume() goes on with the batch.  No
 * operations need no dispatcher and go from slot to slot.
 *
 * The pages are the thread's until it ends, so the kernel reaches them through
 * the direct map without holding them.  Nothing in them is trusted: an
 * index is checked each time it is read, and a slot is always masked (RG2).
 */
#ifndef KERNEL_RING_H
#define KERNEL_RING_H

struct thread;

/* The current thread, RUNNING again after a submission blocked or the batch paused: goes on. */
void ring_continue(struct thread *thread);
/* Gives the ring of a thread that ended back, unless its whole process ends. No lock held. */
void ring_release(struct thread *thread);

#endif
