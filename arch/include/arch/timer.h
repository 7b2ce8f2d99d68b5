// SPDX-License-Identifier: BSD-2-Clause
/* The monotonic clock and this CPU's one-shot timer.  Times are nanoseconds since boot. */
#ifndef ARCH_TIMER_H
#define ARCH_TIMER_H

#include "base/types.h"

uint64_t timer_now_ns(void);
/* Spans of cpu_cycles(), which goes at one rate, in nanoseconds and back. */
uint64_t timer_cycles_to_ns(uint64_t cycles);
uint64_t timer_ns_to_cycles(uint64_t ns);
/* kernel_timer() runs on this CPU at or soon after `deadline_ns`; replaces the one armed. */
void timer_arm(uint64_t deadline_ns);
/* No timer interrupt until armed again (tickless). */
void timer_disarm(void);
/* Seconds since 1970-01-01 UTC at boot, from the machine's clock; 0 if it has none. */
uint64_t timer_boot_wall_seconds(void);

#endif
