// SPDX-License-Identifier: BSD-2-Clause
/*
 * Random bytes: ChaCha20 with fast key erasure.  The key is replaced by output
 * before any output is given, so what was given cannot be computed later; each
 * fill also stirs in the jitter of when it was asked.
 */
#ifndef KERNEL_ENTROPY_H
#define KERNEL_ENTROPY_H

#include "base/types.h"

#define ENTROPY_FILL_MAX 256

/* Seeds from the CPU's generator and the jitter of its counter. */
void entropy_init(void);
/* Needs: bytes <= ENTROPY_FILL_MAX. Locks: entropy, inside. */
void entropy_fill(void *to, uint64_t bytes);

#endif
