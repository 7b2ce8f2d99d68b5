// SPDX-License-Identifier: BSD-2-Clause
/*
 * Starvation on order: machine.starve makes chosen steps of the calling thread's next
 * invocation, or of its page faults, run out (core/fault_point.h).
 *
 * It is in debug kernels, which are what `make test` runs, and needs the right to
 * control the machine: who has that may end the machine anyway, so it adds no power.
 * A boot option would not tell one program from another; here only the passes of the
 * thread that asked are counted, and whatever else runs is left alone.
 *
 * The order is a thread's own, touched by the CPU that runs it alone: no lock.
 */
#ifndef KERNEL_STARVATION_H
#define KERNEL_STARVATION_H

#include "abi/methods.h"
#include "base/types.h"
#include "core/fault_point.h"

struct core_cpu;
struct thread;

struct starvation {
    uint32_t what;         /* CAD_STARVE_*; 0: nothing is ordered */
    bool counts;           /* what was ordered is under way: passes count */
    uint64_t first, count; /* passes to refuse, from 1 */
    uint64_t passed, refused;
    const struct fault_site *site; /* of the first refused; with its status */
    status_t status;
};

#ifdef CONFIG_FAULT_POINTS
#define STARVATION_IS_BUILT true
/* Around an invocation (CAD_STARVE_CALL) or a page fault of the thread.  An invocation that
 * is made again counts anew, so the order stands until it is asked about: at once, that is.
 * One that blocked has no end, and nothing after it counts. */
void starvation_begin(struct thread *thread, uint32_t what);
void starvation_end(struct thread *thread);
/* core_host.fault_point */
bool starvation_point(struct core_cpu *core, const struct fault_site *site, status_t status);
#else
#define STARVATION_IS_BUILT false
static inline void starvation_begin(struct thread *thread, uint32_t what)
{
}
static inline void starvation_end(struct thread *thread)
{
}
#endif

#endif
