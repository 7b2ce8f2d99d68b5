// SPDX-License-Identifier: BSD-2-Clause
/*
 * Starting the other CPUs, one after another.
 *
 * CPU 0 writes the APIC id it waits for into smp_claim; the CPU with that id
 * swaps it for SMP_CLAIMED, once.  CPU 0 gives up by swapping it for SMP_NOBODY,
 * which fails when the CPU was faster.  So a late CPU never runs on another's
 * stack.
 */
#ifndef X86_64_SMP_H
#define X86_64_SMP_H

#include "boot/boot_info.h"

#define SMP_NOBODY  0xfffffffeu
#define SMP_CLAIMED 0xffffffffu

#define CPUID_FEATURES      1 /* leaf; its ebx has the APIC id on top */
#define CPUID_APIC_ID_SHIFT 24

struct arch_cpu;

/* Takes the memory that starting needs.  Needs: acpi_info, apic_init(). */
void smp_prepare(struct boot_info *boot);

/* Called by trampoline.S. */
_Noreturn void smp_cpu_main(struct arch_cpu *cpu);

#endif
