// SPDX-License-Identifier: BSD-2-Clause
/*
 * ParkSpace: waiting on a 32-bit word of the process's own memory.
 *
 * core/park keeps the queues; here are a lock for each bucket, the check of
 * the word, and the charge (one of WAITERS while a thread is parked).  The word
 * is read under the bucket's lock, from its page's resolution to the enqueue either with the page
 * held, or without an answer to a TLB round, so no wake-up and no unmap slips between (PK2).
 */
#ifndef KERNEL_PARKING_H
#define KERNEL_PARKING_H

#include "abi/status.h"
#include "base/types.h"
#include "core/park.h"

struct process;
struct thread;

/* Boot, after the pool of threads is open: core/park's records are its side array.
 * Locks: none. */
void parking_init(void);

/* Wakes up to `count` threads of the process that are parked on the word.  Locks: none. */
uint32_t parking_unpark(struct process *process, virt_addr_t address, uint64_t count);
/* [start, start + pages) lost what it held: whoever is parked there gets CANCELLED (PK1).
 * Call after the change.  Locks: none. */
void parking_wake_range(struct process *process, virt_addr_t start, uint64_t pages);
/* Takes a parked thread out of its bucket. Locks: thread->wait_lock, which is the bucket's. */
void parking_remove(struct thread *thread);

#endif
