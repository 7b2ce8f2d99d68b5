// SPDX-License-Identifier: BSD-2-Clause
/* Locks inside the runtime, on the process's own park space. */
#include "runtime.h"

#include <errno.h>

status_t park(const void *word, uint32_t expected, uint64_t deadline_ns)
{
    return cad_park_space_park(cad_find(CAD_ROLE_SELF_PARK), (uint64_t)word, expected,
                               deadline_ns);
}

long unpark(const void *word, uint64_t count)
{
    uint64_t woken;
    status_t status =
        cad_park_space_unpark(cad_find(CAD_ROLE_SELF_PARK), (uint64_t)word, count, &woken);

    return status == CAD_OK ? (long)woken : error_of(status);
}

void lock_take(struct lock *lock)
{
    uint32_t seen = 0;

    if (atomic_compare_exchange_strong_explicit(&lock->word, &seen, 1, memory_order_acquire,
                                                memory_order_relaxed))
        return;
    while (atomic_exchange_explicit(&lock->word, 2, memory_order_acquire) != 0) {
        /* Refused (waiters' quota) means: try again after others ran. */
        status_t status = park(&lock->word, 2, CAD_DEADLINE_FOREVER);
        if (status != CAD_OK && status != CAD_MISMATCH)
            (void)cad_process_thread_yield(cad_find(CAD_ROLE_SELF_PROCESS));
    }
}

void lock_put(struct lock *lock)
{
    if (atomic_exchange_explicit(&lock->word, 0, memory_order_release) == 2)
        (void)unpark(&lock->word, 1);
}
