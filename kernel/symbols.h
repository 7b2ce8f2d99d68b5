// SPDX-License-Identifier: BSD-2-Clause
/* Names of the kernel's functions, from the table that tools/symbols.py links in. */
#ifndef KERNEL_SYMBOLS_H
#define KERNEL_SYMBOLS_H

#include "base/types.h"

/* Gives: the function that `address` lies in and the offset in it; NULL if none does.
 * Cost: O(log n). */
const char *symbol_find(uint64_t address, uint64_t *offset_bytes);

#endif
