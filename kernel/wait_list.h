// SPDX-License-Identifier: BSD-2-Clause
/* What only thread.c needs of the lists of waiting threads; the rest is in kernel/thread.h. */
#ifndef KERNEL_WAIT_LIST_H
#define KERNEL_WAIT_LIST_H

#include "kernel/thread.h"

/* Takes a waiting thread that is due at `now_ns` out of whatever it waits in.
 * Gives: whether the caller owns it now; false: it does not wait, is not due, or
 * somebody else has it just now. */
MUST_CHECK bool thread_withdraw(struct thread *thread, uint64_t now_ns);

#endif
