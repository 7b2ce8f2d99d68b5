// SPDX-License-Identifier: BSD-2-Clause
/*
 * The console's formatter: base/print.h and what only kernel/ may ask of it.
 *
 * Messages are serialised by one owner word.  A CPU waits for it a bounded
 * time and then prints anyway, so a CPU that died with it never silences the
 * others; after print_panic() nobody waits.
 */
#ifndef KERNEL_PRINT_H
#define KERNEL_PRINT_H

#include <stdarg.h>

#include "base/print.h"

void print_list(const char *format, va_list arguments) PRINT_FORMAT(1, 0);

/* From now on no message waits for another. */
void print_panic(void);

#endif
