// SPDX-License-Identifier: BSD-2-Clause
/*
 * Deferred destruction, in one place (EX4): ending processes, memory objects
 * whose last reference is gone, endpoints and notifications whose waiters must
 * go.  The way out of the kernel runs a few steps; idle CPUs run more.
 */
#ifndef KERNEL_REAPER_H
#define KERNEL_REAPER_H

#include "base/atomic.h"
#include "base/types.h"

struct endpoint;
struct notification;
struct process;

void reaper_add_process(struct process *process);
void reaper_add_object(uint32_t object);
void reaper_add_endpoint(struct endpoint *endpoint);
void reaper_add_notification(struct notification *notification);
bool reaper_has_work(void);
/* Calls `see` for each endpoint of which the queue holds the reference of its last receiver.
 * Needs: the world stopped, no step under way. */
void reaper_each_endpoint(void (*see)(void *context, uint32_t endpoint), void *context);
/* Something but processes that `ledger` is charged for is still being destroyed. */
bool reaper_has_dying(uint32_t ledger);
/* At most `steps` bounded steps, no lock held.  Gives: true if there was something to do. */
bool reaper_run(unsigned steps);

/* Frames may be short for a moment although a ledger promised them (LG6): what was given
 * back is still on its way, in dying objects or in rounds of other CPUs.
 * Does some of that, or waits a little.  `until_ns` is 0 at first, then this function's.
 * Gives: false when the time is over; memory is short then.
 * Needs: no lock held and no other thread taken out of its list. */
bool reaper_make_room(uint64_t *until_ns);
/* Something is being destroyed, by this CPU or another. */
extern uint32_t reaper_entries;
static inline bool reaper_is_busy(void)
{
    return atomic_load_acquire(&reaper_entries) != 0;
}
/* Destroys what can be destroyed in a few milliseconds.  Gives: false if there was nothing.
 * Needs: as above. */
bool reaper_hurry(void);

#endif
