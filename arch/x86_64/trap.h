// SPDX-License-Identifier: BSD-2-Clause
/*
 * What entry.S hands to C.  User registers never lie on a stack: they are in
 * the current context.  What kernel code had is a trap_report on the stack.
 */
#ifndef X86_64_TRAP_H
#define X86_64_TRAP_H

#include "arch/context.h"
#include "base/types.h"

/* User addresses have all bits from this one up clear; sysret needs that. */
#define USER_ADDRESS_BITS 47

/* A trap of kernel code: pushed by entry.S, the stub and the CPU, last first. */
struct trap_report {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector, error_code;
    uint64_t rip, cs, rflags, rsp, ss;
};

/* The same stack seen one push into entry.S. */
struct trap_frame {
    uint64_t rdi;
    uint64_t vector, error_code;
    uint64_t rip, cs, rflags, rsp, ss;
};

/* Called by entry.S. */
void trap_user(struct arch_context *context, uint32_t vector, uint32_t error_code);
void trap_kernel(const struct trap_report *report);
_Noreturn void trap_last(const struct trap_report *report);

/* In entry.S. */
extern const char trap_stubs[];
void syscall_entry(void);
_Noreturn void stack_switch(uint64_t top, void (*function)(void *), void *argument);

#endif
