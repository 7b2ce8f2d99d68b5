// SPDX-License-Identifier: BSD-2-Clause
/*
 * Translations on other CPUs (TL1..TL4).
 *
 * A process's `space_cpus` has the bit of every CPU that may use translations
 * of its space: set before the space is loaded, cleared after another was.  (What a
 * CPU keeps under a tag it drops before it uses it, if need be: core/asid.h.)  Its
 * `space_visitors` has those that work on its tables without having loaded it.
 * Both are asked: no table is reused while a CPU may be on its way to it (AS6).
 * One round per operation: the operation's number is one more than the last;
 * each CPU of the set is asked for it (tlb_requested only grows, so no request
 * is ever lost or overwritten), interrupted, and waited for: it reads the number,
 * drops its translations, then acknowledges that number.  A CPU that waits here
 * or for a lock serves its own requests, and the waiter holds no lock.
 * Frames leave quarantine only after tlb_finish().
 *
 * Addresses are free as soon as the range is let go, before the round.  So an
 * operation that weakens announces its round while it holds the range (rounds_owed), and
 * one that makes entries looks for such rounds once it has held the range, and
 * makes one of its own (tlb_settle) before it returns: else another thread's
 * CPU could go on using the old frame at the new entry's address.
 */
#ifndef KERNEL_TLB_H
#define KERNEL_TLB_H

#include "core/space.h"
#include "kernel/cpu.h"
#include "kernel/process.h"

/* This CPU works on the tables of the process's space until tlb_leave: rounds ask it, loaded
 * or not.  Gives: false if the space is ending.  Locks: none. */
bool tlb_visit(struct process *process);
/* Rounds need not ask this CPU any more.  Locks: none. */
void tlb_visit_end(struct process *process);
static inline bool tlb_enter(struct process *process)
{
    return this_cpu()->space == process || tlb_visit(process);
}
static inline void tlb_leave(struct process *process)
{
    if (this_cpu()->space != process)
        tlb_visit_end(process);
}
/* Makes `work` what an operation on the process's space is to be given; the operation, which
 * every core/ function with a `work` is, begins by setting the rest.  Locks: none. */
static inline void tlb_work(struct process *process, struct space_work *work)
{
    work->rounds_owed = &process->rounds_owed;
}
/* After an operation that made entries: no CPU sees what was at their addresses before.
 * Locks: none. */
void tlb_settle(struct process *process);
/* After an operation: the round if work->flush, then the chain's
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
/* Of all CPUs since boot; each is right by itself, not all at one moment. */
struct tlb_counters tlb_counters(void);

#endif
