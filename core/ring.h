// SPDX-License-Identifier: BSD-2-Clause
/*
 * Ring index arithmetic against a hostile peer (RG2).  Indices run freely
 * modulo 2^32; the peer's may be anything.
 */
#ifndef CORE_RING_H
#define CORE_RING_H

#include "base/types.h"

/*@ // how far `tail` is after `head`, as indices run modulo 2^32
    logic integer ring_distance(integer head, integer tail) =
      tail >= head ? tail - head : tail - head + 0x100000000;
*/

/* Entries between our head and their tail.
 * Gives: false, and *count untouched, if there cannot be that many. */
/*@ requires \valid(count);
    terminates \true;
    exits   \false;
    assigns *count;
    behavior in_step:
      assumes ring_distance(head, tail) <= capacity;
      ensures told: \result == \true && *count == ring_distance(head, tail);
      ensures bounded: *count <= capacity;
    behavior out_of_step:
      assumes ring_distance(head, tail) > capacity;
      assigns \nothing;
      ensures refused: \result == \false;
    complete behaviors;
    disjoint behaviors;
*/
MUST_CHECK bool ring_pending(uint32_t head, uint32_t tail, uint32_t capacity, uint32_t *count);
/* Free entries between our tail and their head.  Gives: as above. */
/*@ requires \valid(count);
    terminates \true;
    exits   \false;
    assigns *count;
    behavior in_step:
      assumes ring_distance(head, tail) <= capacity;
      ensures told: \result == \true && *count == capacity - ring_distance(head, tail);
      ensures bounded: *count <= capacity;
    behavior out_of_step:
      assumes ring_distance(head, tail) > capacity;
      assigns \nothing;
      ensures refused: \result == \false;
    complete behaviors;
    disjoint behaviors;
*/
MUST_CHECK bool ring_space(uint32_t head, uint32_t tail, uint32_t capacity, uint32_t *count);
/* Needs: capacity a power of two, or indices would jump where they start again. */
/*@ requires some: capacity > 0;
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures inside: \result < capacity && \result == index % capacity;
*/
static inline uint32_t ring_slot(uint32_t index, uint32_t capacity)
{
    return index % capacity;
}

#endif
