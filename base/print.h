// SPDX-License-Identifier: BSD-2-Clause
/*
 * Text to the console, for boot messages, notices and the panic report.  Who
 * links it defines it (kernel/print.c); core/ never prints.
 *
 * Formats: %d %i %u %x %c %s %p %% with l, ll, z; a width, a left `-`, a zero
 * fill; %.*s and %.Ns.
 */
#ifndef BASE_PRINT_H
#define BASE_PRINT_H

#include "base/types.h"

#define PRINT_FORMAT(format_index, first_index)                                                    \
    __attribute__((format(printf, format_index, first_index)))

/* Prints one message whole: those of other CPUs come before or after it, as
 * long as nobody died while printing.
 * Needs: nothing; any context, panic included. */
void print(const char *format, ...) PRINT_FORMAT(1, 2);

/* Prints a code address as `name+0xoffset`, or as a number when no symbol fits. */
void print_symbol(uint64_t address);

#endif
