// SPDX-License-Identifier: BSD-2-Clause
/* Per-CPU data of the kernel; the machine's part comes first. */
#ifndef KERNEL_CPU_H
#define KERNEL_CPU_H

#include "arch/cpu.h"
#include "core/cadastre.h"
#include "kernel/lock.h"

struct thread;

#define PRIORITY_COUNT 32
#define LOCK_DEPTH_MAX 12

struct run_queue {
    struct spinlock lock;
    uint32_t ready_mask; /* bit p: queue p is not empty */
    struct thread *head[PRIORITY_COUNT], *tail[PRIORITY_COUNT];
    uint32_t ready_count;
};

struct cpu {
    struct arch_cpu arch; /* first: cpu_self() is this */
    uint32_t index;
    struct thread *current;      /* whose context traps save into; NULL while idle */
    struct thread *handoff;      /* run this one next, without the queue */
    struct core_cpu core;
    struct run_queue queue;
    uint32_t space;              /* loaded space id, ID_NONE: kernel root */
    uint64_t slice_end_ns;
    bool reschedule;             /* someone asked: look at the queue on the way out */
    bool idle;
    uint64_t tlb_requested, tlb_acknowledged; /* generations; see kernel/tlb.h */
    const struct spinlock *held[LOCK_DEPTH_MAX];
    uint32_t held_count;
    uint64_t switches, interrupts, idle_ns;
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
struct cpu *cpu_by_index(unsigned index);

#endif
