// SPDX-License-Identifier: BSD-2-Clause
/*
 * Bringing one CPU to the state in which it may leave to user mode: control
 * registers, descriptor tables, system call entry.  Own to this machine.
 */
#ifndef X86_64_CPU_LOCAL_H
#define X86_64_CPU_LOCAL_H

#include "arch/cpu.h"
#include "arch_machine/layout.h"

/* CPU 0's data until cpu_attach(0) moves it. */
extern struct arch_cpu early_cpu;

/* By index; NULL until attached. */
struct arch_cpu *arch_cpu_at(unsigned index);

/* Sets this CPU's registers for `cpu`: %gs, GDT, TSS, IDT, CR0, CR4, syscall. */
void cpu_load(struct arch_cpu *cpu);

/* Makes %gs point at `cpu`. */
void cpu_load_self(struct arch_cpu *cpu);

/* The number of CPUs that run is `count` from now on. */
void cpu_set_count(unsigned count);

/* Fills the shared IDT; CPU 0, once. */
void descriptors_init(void);
/* Loads GDT, TSS and IDT for `cpu`, its stacks being mapped.  %gs base is lost. */
void descriptors_load(struct arch_cpu *cpu);
/* Writes `cpu` where the entries on own stacks look for it. */
void descriptors_note_cpu(struct arch_cpu *cpu);

/* Where CPU `index` has its stacks; mmu.c maps them. */
static inline uint64_t stack_slot(unsigned index)
{
    return STACK_BASE + (uint64_t)index * STACK_SLOT_BYTES;
}

static inline uint64_t stack_main_top(unsigned index)
{
    return stack_slot(index) + PAGE_SIZE + STACK_BYTES;
}

/* Needs: ist in 1..IST_COUNT. */
static inline uint64_t stack_ist_top(unsigned index, unsigned ist)
{
    return stack_main_top(index) + (uint64_t)ist * (PAGE_SIZE + STACK_IST_BYTES);
}

#endif
