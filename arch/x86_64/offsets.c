// SPDX-License-Identifier: BSD-2-Clause
/* Numbers of C that assembly needs (EX2): compiled to assembly, never linked;
 * the build turns the `->NAME value` lines into offsets.h. */
#include "arch/context.h"
#include "arch/cpu.h"
#include "smp.h"
#include "trap.h"

#define VALUE(name, value) __asm__ volatile("\n.ascii \"->" #name " %c0\"" ::"i"(value))
#define OFFSET(name, type, field) VALUE(name, offsetof(type, field))

void offsets(void);

void offsets(void)
{
    OFFSET(CPU_SELF, struct arch_cpu, self);
    OFFSET(CPU_CONTEXT, struct arch_cpu, context);
    OFFSET(CPU_STACK_TOP, struct arch_cpu, stack_top);
    OFFSET(CPU_SCRATCH, struct arch_cpu, scratch);

    OFFSET(CONTEXT_RAX, struct arch_context, rax);
    OFFSET(CONTEXT_RBX, struct arch_context, rbx);
    OFFSET(CONTEXT_RCX, struct arch_context, rcx);
    OFFSET(CONTEXT_RDX, struct arch_context, rdx);
    OFFSET(CONTEXT_RSI, struct arch_context, rsi);
    OFFSET(CONTEXT_RDI, struct arch_context, rdi);
    OFFSET(CONTEXT_RBP, struct arch_context, rbp);
    OFFSET(CONTEXT_R8, struct arch_context, r8);
    OFFSET(CONTEXT_R9, struct arch_context, r9);
    OFFSET(CONTEXT_R10, struct arch_context, r10);
    OFFSET(CONTEXT_R11, struct arch_context, r11);
    OFFSET(CONTEXT_R12, struct arch_context, r12);
    OFFSET(CONTEXT_R13, struct arch_context, r13);
    OFFSET(CONTEXT_R14, struct arch_context, r14);
    OFFSET(CONTEXT_R15, struct arch_context, r15);
    OFFSET(CONTEXT_RIP, struct arch_context, rip);
    OFFSET(CONTEXT_RFLAGS, struct arch_context, rflags);
    OFFSET(CONTEXT_RSP, struct arch_context, rsp);
    OFFSET(CONTEXT_LEAVE, struct arch_context, leave);
    VALUE(LEAVE_IRET_VALUE, LEAVE_IRET);
    VALUE(LEAVE_SYSRET_VALUE, LEAVE_SYSRET);

    OFFSET(REPORT_R15, struct trap_report, r15);
    OFFSET(REPORT_VECTOR, struct trap_report, vector);
    OFFSET(REPORT_CS, struct trap_report, cs);
    VALUE(REPORT_BYTES, sizeof(struct trap_report));
    OFFSET(FRAME_RDI, struct trap_frame, rdi);
    OFFSET(FRAME_VECTOR, struct trap_frame, vector);
    OFFSET(FRAME_ERROR_CODE, struct trap_frame, error_code);
    OFFSET(FRAME_RIP, struct trap_frame, rip);
    OFFSET(FRAME_CS, struct trap_frame, cs);
    OFFSET(FRAME_RFLAGS, struct trap_frame, rflags);
    OFFSET(FRAME_RSP, struct trap_frame, rsp);
    VALUE(SMP_CLAIMED_VALUE, SMP_CLAIMED);
    VALUE(CPUID_FEATURES_VALUE, CPUID_FEATURES);
    VALUE(CPUID_APIC_ID_SHIFT_VALUE, CPUID_APIC_ID_SHIFT);
}
