// SPDX-License-Identifier: BSD-2-Clause
/*
 * Spin locks.  The kernel runs with interrupts off and never sleeps with one
 * held, so a lock is a short wait; a CPU that waits keeps answering TLB
 * requests, so a holder may run a TLB round only when it holds none.
 *
 * Whoever runs takes a free lock: first come, first served would hand it to a
 * CPU that an emulator or hypervisor has put aside, and all others would wait
 * for that one's next turn (measured: 100 times slower with 4 CPUs on one).
 */
#ifndef KERNEL_LOCK_H
#define KERNEL_LOCK_H

#include "base/atomic.h"
#include "base/lock_rank.h"
#include "base/types.h"

struct spinlock {
    uint32_t taken; /* 0: free */
    uint32_t rank;  /* enum lock_rank */
};

#define SPINLOCK_INIT(lock_rank) { .rank = (lock_rank) }

/* The order of locks (base/lock_rank.h), checked in debug builds alone. */
#ifdef CONFIG_ASSERT
void lock_note_taken(const struct spinlock *lock);
void lock_note_dropped(const struct spinlock *lock);
/* CHECKs that this CPU holds no lock (before a TLB round, before user mode). */
void lock_check_none_held(void);
/* CHECKs that one of this rank, which is no spin lock, may be taken. */
void lock_check_below(enum lock_rank rank);
#else
static inline void lock_note_taken(const struct spinlock *lock)
{
}
static inline void lock_note_dropped(const struct spinlock *lock)
{
}
static inline void lock_check_none_held(void)
{
}
static inline void lock_check_below(enum lock_rank rank)
{
}
#endif

/* Takes a lock that somebody held just now. */
void spin_lock_wait(struct spinlock *lock);

/* The exchange pairs with the release store of the unlock before it: what the last
 * holder wrote is seen. */
static inline void spin_lock(struct spinlock *lock)
{
    if (UNLIKELY(atomic_exchange(&lock->taken, 1) != 0))
        spin_lock_wait(lock);
    lock_note_taken(lock);
}

static inline void spin_unlock(struct spinlock *lock)
{
    lock_note_dropped(lock);
    atomic_store_release(&lock->taken, 0);
}

#endif
