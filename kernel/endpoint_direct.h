// SPDX-License-Identifier: BSD-2-Clause
/*
 * The direct way of method_endpoint_call and method_endpoint_reply_receive: to the same
 * effect, and only when nothing is in the way.
 */
#ifndef KERNEL_ENDPOINT_DIRECT_H
#define KERNEL_ENDPOINT_DIRECT_H

struct thread;
struct arch_context;

/* The call with which the current thread came into the kernel, one way or the other.
 * Gives: the context to leave with. */
struct arch_context *endpoint_call_direct(struct thread *thread);
struct arch_context *endpoint_reply_receive_direct(struct thread *thread);

#endif
