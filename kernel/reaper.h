// SPDX-License-Identifier: BSD-2-Clause
/*
 * Deferred destruction, in one place (EX4): ending processes, memory objects
 * whose last reference is gone, endpoints and notifications whose waiters must
 * go.  The way out of the kernel runs a few steps; idle CPUs run more.
 */
#ifndef KERNEL_REAPER_H
#define KERNEL_REAPER_H

#include "base/types.h"

struct endpoint;
struct notification;
struct process;

void reaper_add_process(struct process *process);
void reaper_add_object(uint32_t object);
void reaper_add_endpoint(struct endpoint *endpoint);
void reaper_add_notification(struct notification *notification);
bool reaper_has_work(void);
/* Something but processes that `ledger` is charged for is still being destroyed. */
bool reaper_has_dying(uint32_t ledger);
/* At most `steps` bounded steps, no lock held.  Gives: true if there was something to do. */
bool reaper_run(unsigned steps);

#endif
