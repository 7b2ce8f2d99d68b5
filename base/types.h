// SPDX-License-Identifier: BSD-2-Clause
/*
 * Unit types and the few macros every layer uses.
 *
 * A physical frame has a number (frame_no_t); a physical address (phys_addr_t)
 * is only ever made from one at the edge to hardware.  Both compile to plain
 * integers.  Elsewhere the unit is the last word of a name: _bytes _pages _ns
 * _count _index.
 */
#ifndef BASE_TYPES_H
#define BASE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/types.h"

typedef uint32_t frame_no_t;  /* index into the frame table; 0 is never handed out */
typedef uint64_t phys_addr_t; /* bytes */
typedef uint64_t virt_addr_t; /* bytes, of a user space unless said otherwise */

#define FRAME_NONE ((frame_no_t)0)

#define COMPILE_ASSERT(condition, name) _Static_assert(condition, #name)
#define ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MUST_CHECK __attribute__((warn_unused_result))
/* Where the caller's constants make most of a function go away. */
#define ALWAYS_INLINE __attribute__((always_inline))
/* On the way of every call: which branch is the common one. */
#define LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

static inline phys_addr_t frame_address(frame_no_t frame)
{
    return (phys_addr_t)frame << PAGE_SHIFT;
}

static inline frame_no_t address_frame(phys_addr_t address)
{
    return (frame_no_t)(address >> PAGE_SHIFT);
}

static inline bool is_page_aligned(uint64_t value_bytes)
{
    return (value_bytes & (PAGE_SIZE - 1)) == 0;
}

/* Needs: value_bytes <= UINT64_MAX - PAGE_SIZE. */
static inline uint64_t pages_for_bytes(uint64_t value_bytes)
{
    return (value_bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

#endif
