// SPDX-License-Identifier: BSD-2-Clause
/*
 * Processors: which one this is, the others, interrupts between them.
 *
 * struct arch_cpu is the machine's part of per-CPU data and the first member
 * of kernel/'s struct cpu, so a pointer to one is a pointer to the other.
 */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include "base/types.h"
#include "arch/context.h"

#include "arch_machine/cpu.h" /* struct arch_cpu, CPU_MAX */

enum ipi {
    IPI_TLB,        /* serve TLB requests: kernel_tlb_service() */
    IPI_RESCHEDULE, /* look at the run queue on the way out */
    IPI_STOP,       /* a panic elsewhere: stop for good */
};

/* Number of CPUs that run, and this one's number, 0 for the first. */
unsigned cpu_count(void);
/* Number of CPUs that cpu_start_all() may bring up, this one included; all
 * below it are to be attached.  Constant after boot. */
unsigned cpu_possible(void);
static inline struct arch_cpu *cpu_self(void);

/* Gives CPU `index` (not started yet, or 0: this one) the memory for its struct cpu.
 * kernel/ calls it once for each index below cpu_possible(), before cpu_start_all();
 * cpu_self() of CPU 0 changes by it. */
void cpu_attach(unsigned index, struct arch_cpu *cpu);

/* Starts all other CPUs; each enters kernel_cpu_main().  Gives the number that
 * run.  A CPU that does not answer is named on the console and left out. */
unsigned cpu_start_all(void);

void cpu_send_ipi(unsigned index, enum ipi ipi);

/* A hint in a wait loop.  The caller also serves TLB requests in it. */
static inline void cpu_relax(void);

/* Halts with interrupts on until one came and was handled; gives back with
 * interrupts off.  No wake-up between the caller's check and the halt is lost. */
void cpu_idle(void);
/* Takes the interrupts that wait, as cpu_idle() does, without a halt. */
void cpu_take_interrupts(void);

_Noreturn void cpu_halt_forever(void);

/* A trap from user code saves into this context from now on; its segment bases (TLS) are
 * loaded.  Needs: none is set. */
static inline void cpu_set_context(struct arch_context *context);
/* None is set any more, and no user code runs.  Its segment bases are kept in it, so this
 * comes before its memory becomes something else.  Needs: it is the one that is set. */
static inline void cpu_clear_context(struct arch_context *context);
/* Both, from one context to another one. */
static inline void cpu_switch_context(struct arch_context *from, struct arch_context *to);

/* Up to 8 bytes of hardware randomness; false: this machine has none now. */
bool cpu_hardware_random(uint64_t *value);
/* A fast counter that never stops: for spans on one CPU (arch/timer.h gives their length),
 * and for entropy, as its low bits jitter. */
static inline uint64_t cpu_cycles(void);

#include "arch_machine/cpu_inline.h"

#endif
