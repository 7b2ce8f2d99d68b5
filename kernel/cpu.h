// SPDX-License-Identifier: BSD-2-Clause
/* Per-CPU data of the kernel; the machine's part comes first. */
#ifndef KERNEL_CPU_H
#define KERNEL_CPU_H

#include "arch/cpu.h"
#include "core/asid.h"
#include "core/cadastre.h"
#include "kernel/lock.h"

struct process;
struct thread;

#define PRIORITY_COUNT 32
#define LOCK_DEPTH_MAX 12

struct run_queue {
    struct spinlock lock;
    uint32_t ready_mask; /* bit p: queue p is not empty */
    struct thread *head[PRIORITY_COUNT], *tail[PRIORITY_COUNT];
};

struct cpu {
    struct arch_cpu arch; /* first: cpu_self() is this */
    uint32_t index;
    uint64_t bit; /* 1 << index: itself in a set of CPUs */
    struct thread *current;      /* whose context traps save into; NULL while idle */
    struct thread *handoff;      /* RUNNING already: next to be current, without the queue */
    struct core_cpu core;
    struct run_queue queue;
    struct asid_cpu asid;        /* of spaces, if the machine has tags */
    struct process *space;       /* whose space is loaded, NULL: kernel root */
    bool in_window;              /* inside one: kernel/interrupt_window.h */
    uint64_t slice_timer;        /* the timer fires for a turn's end at or before; cycles;
                                  * UINT64_MAX: it does not */
    uint64_t armed_ns;           /* when the timer fires at the latest; UINT64_MAX: not armed */
    uint64_t turn_cycles;        /* of the turn that ended in a wait here last: a hand-over's */
    uint64_t switched;           /* when the current thread, or idleness, began; cycles */
    bool attention;              /* look beyond the current thread on the way out; atomic */
    bool slice_over;
    int32_t running_priority;    /* of the current thread, -1: idle; read by other CPUs */
    struct spinlock timers_lock;
    struct thread *timers;       /* root of the deadline heap: kernel/timers.h */
    struct thread *late;         /* out of the heap, to be timed out yet; NULL: none */
    uint64_t tlb_requested, tlb_acknowledged; /* generations; see kernel/tlb.h */
    const struct spinlock *held[LOCK_DEPTH_MAX];
    uint32_t held_count;
    uint64_t switches, interrupts, idle_cycles;
} __attribute__((aligned(64)));

static inline struct cpu *this_cpu(void)
{
    return (struct cpu *)(void *)cpu_self();
}
static inline struct core_cpu *this_core(void)
{
    return &this_cpu()->core;
}
/* Any CPU's data, by index < cpu_count(). */
extern struct cpu cpus[CPU_MAX];
static inline struct cpu *cpu_by_index(unsigned index)
{
    return &cpus[index];
}
/* Boot: gives every CPU, started or not, its struct. */
void cpus_init(void);

#endif
