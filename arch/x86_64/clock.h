// SPDX-License-Identifier: BSD-2-Clause
/*
 * How fast this machine's counters run, and how they agree between CPUs.
 *
 * timer_now_ns() is the TSC plus this CPU's offset.  The offset is what makes
 * CPUs agree: a CPU that starts reads its TSC between two readings of CPU 0's,
 * and moves by as little as puts it there.
 */
#ifndef X86_64_CLOCK_H
#define X86_64_CLOCK_H

#include "base/types.h"

struct arch_cpu;

/* Measures TSC and APIC timer against the PM timer or the PIT; takes about 1 ms.
 * Needs: CPU 0, its local APIC loaded.  Gives: false if no reference answers. */
bool clock_calibrate(void);

/* CPU 0's half of the agreement with a starting CPU, and the other's. */
void clock_lead(void);
void clock_follow(struct arch_cpu *cpu);

/* Waits.  Needs: clock_calibrate(). */
void clock_wait_ns(uint64_t ns);

/* The timer interrupt: kernel_timer(), or the rest of a long or early deadline. */
void clock_timer_interrupt(void);

#endif
