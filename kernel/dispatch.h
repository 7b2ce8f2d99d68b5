// SPDX-License-Identifier: BSD-2-Clause
/*
 * One dispatcher for both transports.  abi/methods.h says which interface and
 * right each method needs; the dispatcher checks them and calls
 * method_<interface>_<method>(), one function each, in kernel/methods_*.c.
 *
 * The capability is read without a lock (kernel/cap_view.h).  The object it names is
 * checked by generation again by the method, under the object's own lock.
 */
#ifndef KERNEL_DISPATCH_H
#define KERNEL_DISPATCH_H

#include "abi/methods.h"
#include "kernel/cap_view.h"
#include "kernel/cpu.h"
#include "kernel/process.h"
#include "kernel/thread.h"

struct invocation {
    struct thread *thread;
    struct process *process;
    struct cap_view cap;
};

/* Not a status of the ABI: the thread waits, its waker gives the status. */
#define DISPATCH_BLOCKED THREAD_BLOCKED
/* Nor is this: enough for one stay in the kernel; the thread makes the same call again,
 * after interrupts and whatever else waits.  Not from a ring. */
#define DISPATCH_AGAIN   ((status_t)-2)

typedef status_t (*method_function)(struct invocation *call);

#define METHOD_PROTOTYPE(INTERFACE, interface, method, number, right, in, out, meaning)            \
    status_t method_##interface##_##method(struct invocation *call);
CAD_METHOD_LIST(METHOD_PROTOTYPE)
#undef METHOD_PROTOTYPE

static inline uint64_t argument(const struct invocation *call, unsigned index)
{
    return context_word(&call->thread->context, index);
}
static inline void result(struct invocation *call, unsigned index, uint64_t value)
{
    context_set_word(&call->thread->context, index, value);
}

/* Runs the call that the thread's context holds. Gives: its status or DISPATCH_BLOCKED. */
status_t dispatch(struct thread *thread);

/* The same for the call with which a thread came into the kernel; and out again.
 * Gives: the context to leave with. */
struct arch_context *dispatch_common(struct thread *thread);

/* A new root capability for the caller, as a method's result: the object's
 * reference passes to the slot; a memory object is claimed for the table's ledger.
 * Fails: QUOTA_*, NO_RESULT_SLOT, PRESSURE; the caller then drops the object (CP4). */
MUST_CHECK status_t cap_publish(struct process *process, struct cap_object object, uint32_t rights,
                                uint64_t badge, cap_id_t *id);

#endif
