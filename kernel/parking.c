// SPDX-License-Identifier: BSD-2-Clause
/* The page of the word is held, then one bucket's lock is taken; or the lock alone. */
#include "kernel/parking.h"

#include "arch/mmu.h"
#include "base/assert.h"
#include "base/atomic.h"
#include "kernel/cpu.h"
#include "kernel/dispatch.h"
#include "kernel/memory.h"
#include "kernel/reaper.h"
#include "kernel/scheduler.h"

static struct park_table park_table;
static struct spinlock bucket_locks[PARK_BUCKETS];

void parking_init(void)
{
    park_init(&park_table, pool_open_side(POOL_THREADS, sizeof(struct park_waiter)));
    for (unsigned i = 0; i < PARK_BUCKETS; i++)
        bucket_locks[i].rank = LOCK_PARK;
}

static struct park_key word_key(const struct process *process, virt_addr_t address)
{
    return (struct park_key){
        .generation = process->space_generation,
        .address = address,
        .space = process->space,
    };
}

/* Locks: its bucket's. */
static void wake_waiter(uint32_t waiter, status_t status)
{
    struct thread *thread = &threads.threads[waiter];

    atomic_store_release(&thread->wait_lock, NULL);
    thread_wake(thread, status);
}

void parking_remove(struct thread *thread)
{
    bool was_queued = park_remove(&park_table, thread->id);
    CHECK_VALUE(was_queued, thread->id);
}

uint32_t parking_unpark(struct process *process, virt_addr_t address, uint64_t count)
{
    struct park_key key = word_key(process, address);
    struct spinlock *lock = &bucket_locks[park_bucket(&key)];
    uint32_t woken = 0, waiter;

    spin_lock(lock);
    while (woken < count && (waiter = park_dequeue(&park_table, &key)) != PARK_NONE) {
        wake_waiter(waiter, CAD_OK);
        woken++;
    }
    spin_unlock(lock);
    return woken;
}

static void wake_bucket(const struct process *process, uint32_t bucket, virt_addr_t start,
                        virt_addr_t end)
{
    uint32_t waiter;

    spin_lock(&bucket_locks[bucket]);
    while ((waiter = park_dequeue_range(&park_table, bucket, process->space,
                                        process->space_generation, start, end)) != PARK_NONE)
        wake_waiter(waiter, CAD_CANCELLED);
    spin_unlock(&bucket_locks[bucket]);
}

/* Whoever parked before the change held the word's page, or was in his bucket before
 * his CPU answered the round, so the bucket is seen to be used without its lock. */
void parking_wake_range(struct process *process, virt_addr_t start, uint64_t pages)
{
    if (atomic_load_acquire(&process->parked_count) == 0)
        return;
    for (uint32_t bucket = 0; bucket < PARK_BUCKETS; bucket++) {
        if (atomic_load_acquire(&park_table.head[bucket]) != PARK_NONE)
            wake_bucket(process, bucket, start, start + (pages << PAGE_SHIFT));
    }
}

/* --- methods; a park space is its own process's alone --- */

static status_t park_check(const struct invocation *call, virt_addr_t address)
{
    if (call->cap.object.index != call->process->space ||
        call->cap.object.generation != call->process->space_generation)
        return CAD_STALE;
    return (address & (sizeof(uint32_t) - 1)) == 0 ? CAD_OK : CAD_INVALID;
}

/* The word is what it is expected to be.  Locks: the bucket's, `lock`. */
static inline status_t park_begin(struct thread *thread, const struct park_key *key,
                                  struct spinlock *lock, uint64_t deadline_ns)
{
    struct process *process = thread->process;

    (void)atomic_fetch_add(&process->parked_count, 1);
    if (!thread_block(thread, THREAD_PARKED, lock, NULL, deadline_ns)) {
        (void)atomic_fetch_sub(&process->parked_count, 1);
        return CAD_CANCELLED;
    }
    park_enqueue(&park_table, thread->id, key);
    return DISPATCH_BLOCKED;
}

/* Without a hold of the word's page: whoever takes that away waits for this CPU's answer to his
 * round, which comes after the enqueue, as no lock is waited for before.  So only for a
 * wait without a deadline.  Gives: false if the page must be looked for. */
static inline bool park_at_once(struct thread *thread, const struct park_key *key,
                                uint32_t expected, status_t *status)
{
    struct spinlock *lock = &bucket_locks[park_bucket(key)];
    uint32_t value;

    spin_lock(lock);
    bool is_read = space_try_read(this_core(), key->space, key->address, &value);
    if (is_read)
        *status = value != expected ? CAD_MISMATCH
                                    : park_begin(thread, key, lock, CAD_DEADLINE_FOREVER);
    spin_unlock(lock);
    return is_read;
}

/* Needs: the page of the word, `frame`, is held. */
static status_t park_held(struct thread *thread, const struct park_key *key, frame_no_t frame,
                          uint32_t expected, uint64_t deadline_ns)
{
    const uint8_t *page = frame_pointer(frame);
    const uint32_t *word = (const void *)(page + (key->address & (PAGE_SIZE - 1)));
    struct spinlock *lock = &bucket_locks[park_bucket(key)];
    status_t status;

    spin_lock(lock);
    if (atomic_load_acquire(word) != expected)
        status = CAD_MISMATCH;
    else
        status = thread_may_wait(deadline_ns);
    if (status == CAD_OK)
        status = park_begin(thread, key, lock, deadline_ns);
    spin_unlock(lock);
    return status;
}

/* Fails: BAD_ADDRESS, PRESSURE, MISMATCH, and as thread_may_wait. */
static status_t park_once(struct thread *thread, const struct park_key *key, uint32_t expected,
                          uint64_t deadline_ns)
{
    struct space_hold hold;

    status_t status = space_hold(this_core(), key->space, key->address, CAD_PROT_READ, &hold);
    if (status != CAD_OK)
        return status == CAD_PRESSURE ? CAD_PRESSURE : CAD_BAD_ADDRESS;
    status = park_held(thread, key, hold.frame, expected, deadline_ns);
    space_let_go(this_core(), &hold);
    return status;
}

static status_t park_slowly(struct thread *thread, const struct park_key *key, uint32_t expected,
                            uint64_t deadline_ns)
{
    uint64_t until_ns = 0;
    status_t status;

    do {
        status = park_once(thread, key, expected, deadline_ns);
    } while (status == CAD_PRESSURE && reaper_make_room(&until_ns));
    return status;
}

status_t method_park_space_park(struct invocation *call)
{
    virt_addr_t address = argument(call, 0);
    uint32_t ledger = call->thread->ledger;

    status_t status = park_check(call, address);
    if (status != CAD_OK)
        return status;
    if (argument(call, 1) > UINT32_MAX)
        return CAD_INVALID;
    status = ledger_reserve(this_core(), ledger, CAD_RESOURCE_WAITERS, 1);
    if (status != CAD_OK)
        return status;
    struct park_key key = word_key(call->process, address);
    uint32_t expected = (uint32_t)argument(call, 1);
    uint64_t deadline_ns = argument(call, 2);
    if (deadline_ns != CAD_DEADLINE_FOREVER ||
        !park_at_once(call->thread, &key, expected, &status))
        status = park_slowly(call->thread, &key, expected, deadline_ns);
    if (status != DISPATCH_BLOCKED)
        ledger_release(this_core(), ledger, CAD_RESOURCE_WAITERS, 1);
    return status;
}

status_t method_park_space_unpark(struct invocation *call)
{
    virt_addr_t address = argument(call, 0);
    status_t status = park_check(call, address);

    if (status != CAD_OK)
        return status;
    result(call, 0, parking_unpark(call->process, address, argument(call, 1)));
    return CAD_OK;
}
