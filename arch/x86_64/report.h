// SPDX-License-Identifier: BSD-2-Clause
/* The machine's part of a panic: why, registers, who called whom (EX6). */
#ifndef X86_64_REPORT_H
#define X86_64_REPORT_H

#include "trap.h"

/* The trap in words. */
const char *report_reason(const struct trap_report *report);

/* A report of user code, for traps that are the machine's trouble all the same. */
void report_from_context(struct trap_report *report, const struct arch_context *context,
                         uint32_t vector, uint32_t error_code);

/* True once a CPU has asked all others to stop. */
bool report_stop_wanted(void);

#endif
