// SPDX-License-Identifier: BSD-2-Clause
/*
 * Included before every file that EVA reads: the machine it reads them on.
 *
 * The text is that of release builds: an ASSERT is not there, a CHECK that fails does
 * not return, contracts are comments (the preprocessor drops them).  Atomics are
 * plain accesses.
 *
 * The machine is small: FRAMES frames, and at most RECORDS records of a kind, as many
 * as there are frames.  Its page-table words have address bits for just these frames: so
 * the number in any word whatever is that of a frame, which is what core/ relies on
 * when it reads back a word that it wrote.
 */
#ifndef PROOF_EVA_MACHINE_H
#define PROOF_EVA_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#undef __FRAMAC__ /* which means the prover WP, and another reading of CHECK, in this tree */

#include "base/mmu_format.h"

#define FRAMES  64u
#define RECORDS 64u
#undef MMU_ADDRESS_MASK
#define MMU_ADDRESS_MASK ((uint64_t)(FRAMES - 1) << PAGE_SHIFT)

/* Read back with the address bits of this machine. */
#define entry_value entry_value_of_any_machine
#include "core/entry.h"
#undef entry_value
static inline uint32_t entry_value(uint64_t word)
{
    return (uint32_t)((word & MMU_ADDRESS_MASK) >> PAGE_SHIFT);
}

#define __atomic_load_n(p, order)       (*(p))
#define __atomic_store_n(p, v, order)   (*(p) = (v))
#define __atomic_thread_fence(order)    ((void)0)
#define ATOMIC_CHANGE_(p, change)                                                                  \
    ({ __typeof__(*(p)) before_ = *(p); *(p) = (__typeof__(*(p)))(change); before_; })
#define __atomic_exchange_n(p, v, order) ATOMIC_CHANGE_(p, v)
#define __atomic_fetch_add(p, v, order)  ATOMIC_CHANGE_(p, before_ + (v))
#define __atomic_fetch_sub(p, v, order)  ATOMIC_CHANGE_(p, before_ - (v))
#define __atomic_fetch_or(p, v, order)   ATOMIC_CHANGE_(p, before_ | (v))
#define __atomic_fetch_and(p, v, order)  ATOMIC_CHANGE_(p, before_ & (v))
#define __atomic_compare_exchange_n(p, expected, v, weak, success, failure)                        \
    ({ bool was_ = *(p) == *(expected); if (was_) { *(p) = (v); } else { *(expected) = *(p); }     \
       was_; })

#endif
