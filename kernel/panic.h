// SPDX-License-Identifier: BSD-2-Clause
/*
 * The end of a kernel that found itself wrong (EX6): one report, then power
 * off with PANIC_STATUS, so that whoever runs it knows.  kernel_panic() is
 * declared in arch/trap.h, assert_failed() in base/assert.h.
 */
#ifndef KERNEL_PANIC_H
#define KERNEL_PANIC_H

#define PANIC_STATUS 101

/* One line a CPU: what it ran.  The kernel's scheduler defines it; panic.c has
 * one that prints nothing, for images without a scheduler.
 * Needs: takes no lock, trusts nothing it reads. */
void panic_print_cpus(void);

#endif
