// SPDX-License-Identifier: BSD-2-Clause
/*
 * A difference modulo 2^32 is right whenever it is at most the capacity; any
 * larger one is the peer's fault.  It is written so that nothing wraps, for the
 * prover; compilers make one subtraction of it.
 */
#include "core/ring.h"

bool ring_pending(uint32_t head, uint32_t tail, uint32_t capacity, uint32_t *count)
{
    uint32_t pending = tail >= head ? tail - head : tail + (UINT32_MAX - head) + 1;

    if (pending > capacity) {
        return false;
    }
    *count = pending;
    return true;
}

bool ring_space(uint32_t head, uint32_t tail, uint32_t capacity, uint32_t *count)
{
    uint32_t pending;

    if (!ring_pending(head, tail, capacity, &pending)) {
        return false;
    }
    *count = capacity - pending;
    return true;
}
