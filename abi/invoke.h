/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One trap: CAD_CALL(interface, method) on a capability with up to ten message
 * words m0..m9.  The result is a status, a badge and up to ten words.
 *
 *            x86_64 (syscall; rcx and r11 are lost)
 *   call     rax in           status   rax out
 *   cap      rdi in           badge    rdi out
 *   m0..m9   rsi rdx r10 r8 r9 r12 r13 r14 r15 rbx, in and out
 *
 * A typed method takes its arguments in m0.. in the order of methods.h and
 * gives its results the same way; words it does not name keep their value.
 * Message words are never interpreted as memory unless the method says address.
 *
 * Endpoint messages: m0..m3 payload, m4 transfer descriptor (below), m5..m8
 * capabilities, m9 deadline (in) or reply token (out).
 *
 * A trap whose number is not CAD_CALL_BASE | id is not ours: it continues in
 * user mode at the process's foreign handler (US2), or ends the thread's
 * process with CAD_EXIT_BAD_TRAP if none is registered.
 */
#ifndef ABI_INVOKE_H
#define ABI_INVOKE_H

#include "abi/types.h"

#define CAD_CALL_BASE   0xcad00000
#define CAD_CALL_MASK   0x0000ffff
#define CAD_CALL(interface_number, method_number)                                                  \
    (CAD_CALL_BASE | ((interface_number) << 8) | (method_number))
#define CAD_MESSAGE_WORDS 10

/* Times are absolute nanoseconds of Clock.now.  Forever: wait without end.
 * 0 (always past): do not wait. */
#define CAD_DEADLINE_FOREVER CAD_U64(0xffffffffffffffff)

/* Transfer descriptor (m4 of a call or reply): how many capabilities are in
 * m5.., and for each whether it moves or is copied: bit (8 + i) moves number i.
 * A copy keeps the rights of its source; derive first to give fewer.  The
 * receiver finds the count in m4 and its own new CapIds in m5... */
#define CAD_TRANSFER_MAX 4
#define CAD_TRANSFER(count, move_mask) ((uint64_t)(count) | ((uint64_t)(move_mask) << 8))
#define CAD_TRANSFER_COUNT(m4)   ((unsigned)((m4) & 0xff))
#define CAD_TRANSFER_MOVES(m4,i) ((((m4) >> 8) >> (i)) & 1)

#endif
