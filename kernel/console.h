// SPDX-License-Identifier: BSD-2-Clause
/*
 * The console as an object: bytes out, and typed bytes in.
 *
 * Typed bytes wait in a bounded buffer; when it is full, further ones are lost
 * and counted.  Readers wait in a list, first come first served.
 * Invariant: readers wait only while the buffer is empty, or for the next timer if the bytes
 * came in an interrupt window.
 * Locks: waiters for buffer and readers, console for the transmitter.
 */
#ifndef KERNEL_CONSOLE_H
#define KERNEL_CONSOLE_H

#include "base/types.h"

/* Typed bytes come in from here on. */
void console_init(void);
/* Bytes that found the buffer full. */
extern uint64_t console_lost_bytes;
/* Bytes came in an interrupt window (kernel/interrupt_window.h), and readers wait for them. */
bool console_is_late(void);
/* Gives them theirs. Needs: no lock held. */
void console_serve_late(void);

#endif
