// SPDX-License-Identifier: BSD-2-Clause
/*
 * Translations on other CPUs (TL1..TL4).
 *
 * A process's `space_cpus` has the bit of every CPU that may hold translations
 * of its space: set before the space is loaded, cleared after another was.
 * One round per operation: the operation's number is one more than the last;
 * each CPU of the set is asked for it (tlb_requested only grows, so no request
 * is ever lost or overwritten), interrupted, and waited for: it reads the number,
 * drops its translations, then acknowledges that number.  A CPU that waits here
 * or for a lock serves its own requests, and the waiter holds no lock.
 * Frames leave quarantine only after tlb_finish().
 *
 * Addresses are free as soon as the lock is dropped, before the round.  So an
 * operation that weakens announces its round under the lock (tlb_announce), and
 * one that makes entries looks for such rounds under the lock (tlb_is_owed) and
 * makes one of its own (tlb_settle) before it returns: else another thread's
 * CPU could go on using the old frame at the new entry's address.
 */
#ifndef KERNEL_TLB_H
#define KERNEL_TLB_H

#include "core/space.h"
#include "kernel/process.h"

/* After an operation that may owe a round.  Locks: space. */
void tlb_announce(struct process *process, struct space_work *work);
/* After an operation that made entries.  Locks: space. */
bool tlb_is_owed(const struct process *process);
/* After the space's lock is dropped: no CPU sees what was at any address before.
 * Locks: none. */
void tlb_settle(struct process *process);
/* After the space's lock is dropped: the round if work->flush, then the chain's
 * frames become FREE, then the dead objects go to the reaper.  Locks: none. */
void tlb_finish(struct process *process, struct space_work *work);
/* Takes the space off every CPU (its end). Needs: none of its threads can run.  Locks: none. */
void tlb_evict_space(struct process *process);

/* COUNTER(name, meaning) */
#define TLB_COUNTER_LIST(COUNTER)                                                                  \
    COUNTER(local_flushes, "operations that flushed this CPU")                                     \
    COUNTER(rounds, "operations that had to ask other CPUs")                                       \
    COUNTER(requests, "CPUs asked")                                                                \
    COUNTER(acknowledgements, "CPUs that answered")                                                \
    COUNTER(quarantined, "frames that went through quarantine")                                    \
    COUNTER(released, "frames released after their round")
struct tlb_counters {
#define TLB_COUNTER_FIELD(name, meaning) uint64_t name;
    TLB_COUNTER_LIST(TLB_COUNTER_FIELD)
#undef TLB_COUNTER_FIELD
};
extern struct tlb_counters tlb_counters; /* changed atomically */

#endif
