// SPDX-License-Identifier: BSD-2-Clause
/*
 * Interrupt windows: an operation that may last lets interrupts in at bounded steps, in its
 * middle and with its tables held, and goes on.  No thread is switched there.
 *
 * Interrupts wait for no lock that a table's holder may hold, so they end: they take spin
 * locks of ranks behind LOCK_TABLES alone, and leave what may have to wait for a table (a
 * thread that times out while another CPU fills its buffers, bytes for a reader of the
 * console) to the next timer outside of windows (docs/decisions/0011-interrupt-windows.md).
 */
#ifndef KERNEL_INTERRUPT_WINDOW_H
#define KERNEL_INTERRUPT_WINDOW_H

#include "kernel/cpu.h"

/* When the timer fires for what interrupts in a window left to it. */
#define WINDOW_LATE_NS UINT64_C(50000)

/* Takes the interrupts that wait, and answers TLB requests.
 * Locks: held may be tables and those of ranks before them; no walk without locks is under
 * way (docs/decisions/0009-range-locks.md). */
void interrupt_window(void);

#endif
