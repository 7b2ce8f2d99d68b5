// SPDX-License-Identifier: BSD-2-Clause
/*
 * Ring index arithmetic against a hostile peer (RG2).  Indices run freely
 * modulo 2^32; the peer's may be anything.
 */
#ifndef CORE_RING_H
#define CORE_RING_H

#include "base/types.h"

/* Entries between our head and their tail.
 * Gives: false, and *count untouched, if there cannot be that many. */
MUST_CHECK bool ring_pending(uint32_t head, uint32_t tail, uint32_t capacity, uint32_t *count);
/* Free entries between our tail and their head.  Gives: as above. */
MUST_CHECK bool ring_space(uint32_t head, uint32_t tail, uint32_t capacity, uint32_t *count);
/* Needs: capacity a power of two. */
static inline uint32_t ring_slot(uint32_t index, uint32_t capacity)
{
    return index & (capacity - 1);
}

#endif
