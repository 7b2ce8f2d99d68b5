/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every way from user code into the kernel and back (arch/trap.h).
 *
 * From user code the registers go straight into the current context and the
 * CPU's stack starts empty; all leave through trap_leave.  From kernel code (an
 * interrupt in cpu_idle(), or a bug) they go onto the stack.  Double fault, NMI
 * and machine check have stacks of their own, find %gs by what lies at the top
 * of that stack, and never come back.
 */
#include "offsets.h"
#include "registers.h"

/* All of the general registers but the named few, to and from a context. */
.macro CONTEXT_STORE base
    movq %rax, CONTEXT_RAX(\base)
    movq %rbx, CONTEXT_RBX(\base)
    movq %rdx, CONTEXT_RDX(\base)
    movq %rsi, CONTEXT_RSI(\base)
    movq %rbp, CONTEXT_RBP(\base)
    movq %r8, CONTEXT_R8(\base)
    movq %r9, CONTEXT_R9(\base)
    movq %r10, CONTEXT_R10(\base)
    movq %r12, CONTEXT_R12(\base)
    movq %r13, CONTEXT_R13(\base)
    movq %r14, CONTEXT_R14(\base)
    movq %r15, CONTEXT_R15(\base)
.endm

/* The reverse, and %rdi; %rax stays the base. */
.macro CONTEXT_LOAD
    movq CONTEXT_RBX(%rax), %rbx
    movq CONTEXT_RDX(%rax), %rdx
    movq CONTEXT_RSI(%rax), %rsi
    movq CONTEXT_RDI(%rax), %rdi
    movq CONTEXT_RBP(%rax), %rbp
    movq CONTEXT_R8(%rax), %r8
    movq CONTEXT_R9(%rax), %r9
    movq CONTEXT_R10(%rax), %r10
    movq CONTEXT_R12(%rax), %r12
    movq CONTEXT_R13(%rax), %r13
    movq CONTEXT_R14(%rax), %r14
    movq CONTEXT_R15(%rax), %r15
.endm

.macro REPORT_PUSH
    pushq %rax
    pushq %rbx
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %rbp
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
.endm

.macro REPORT_POP
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rbp
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rcx
    popq %rbx
    popq %rax
.endm

    .text

/* rcx, r11: the user's pc and flags.  Interrupts off by SFMASK. */
    .balign 16
    .globl syscall_entry
    .type syscall_entry, @function
syscall_entry:
    swapgs
    movq %rsp, %gs:CPU_SCRATCH
    movq %gs:CPU_CONTEXT, %rsp
    CONTEXT_STORE %rsp
    movq %rdi, CONTEXT_RDI(%rsp)
    movq %rcx, CONTEXT_RIP(%rsp)
    movq %r11, CONTEXT_RFLAGS(%rsp)
    movq %gs:CPU_SCRATCH, %rcx
    movq %rcx, CONTEXT_RSP(%rsp)
    movq $LEAVE_SYSRET_VALUE, CONTEXT_LEAVE(%rsp)
    movq %rsp, %rdi
    movq %gs:CPU_STACK_TOP, %rsp
    xorl %ebp, %ebp
    call kernel_syscall
    /* falls through */
    .size syscall_entry, . - syscall_entry

/* rax: the context to leave with.  A pc beyond user addresses would make sysret fault in
 * kernel mode, on the user's stack: but LEAVE_SYSRET is the pc after (or at) a syscall
 * instruction in user memory, which ends a page before (context.c asserts it). */
    .type leave_with, @function
leave_with:
    cmpl $LEAVE_SYSRET_VALUE, CONTEXT_LEAVE(%rax)
    jne leave_by_iret
    movq CONTEXT_RIP(%rax), %rcx
    movq CONTEXT_RFLAGS(%rax), %r11
    CONTEXT_LOAD
    movq CONTEXT_RSP(%rax), %rsp
    movq CONTEXT_RAX(%rax), %rax
    swapgs
    sysretq

leave_by_iret:
    pushq $SELECTOR_USER_DATA
    pushq CONTEXT_RSP(%rax)
    pushq CONTEXT_RFLAGS(%rax)
    pushq $SELECTOR_USER_CODE
    pushq CONTEXT_RIP(%rax)
    CONTEXT_LOAD
    movq CONTEXT_RCX(%rax), %rcx
    movq CONTEXT_R11(%rax), %r11
    movq CONTEXT_RAX(%rax), %rax
    swapgs
trap_iret:
    iretq
    .size leave_with, . - leave_with

    .globl trap_leave
    .type trap_leave, @function
trap_leave:
    movq %gs:CPU_STACK_TOP, %rsp
    xorl %ebp, %ebp
    call kernel_resume
    jmp leave_with
    .size trap_leave, . - trap_leave

/* Stack: struct trap_frame without its rdi. */
    .type trap_common, @function
trap_common:
    cld
    pushq %rdi
    testb $SELECTOR_RPL_MASK, FRAME_CS(%rsp)
    jz from_kernel
    swapgs
    movq %gs:CPU_CONTEXT, %rdi
    CONTEXT_STORE %rdi
    movq %rcx, CONTEXT_RCX(%rdi)
    movq %r11, CONTEXT_R11(%rdi)
    movq FRAME_RDI(%rsp), %rax
    movq %rax, CONTEXT_RDI(%rdi)
    movq FRAME_RIP(%rsp), %rax
    movq %rax, CONTEXT_RIP(%rdi)
    movq FRAME_RFLAGS(%rsp), %rax
    movq %rax, CONTEXT_RFLAGS(%rdi)
    movq FRAME_RSP(%rsp), %rax
    movq %rax, CONTEXT_RSP(%rdi)
    movq $LEAVE_IRET_VALUE, CONTEXT_LEAVE(%rdi)
enter_user_trap:
    movl FRAME_VECTOR(%rsp), %esi
    movl FRAME_ERROR_CODE(%rsp), %edx
    movq %gs:CPU_STACK_TOP, %rsp
    xorl %ebp, %ebp
    call trap_user
    jmp trap_leave

from_kernel:
    leaq trap_iret(%rip), %rdi
    cmpq %rdi, FRAME_RIP(%rsp)
    je iret_refused
    popq %rdi
    REPORT_PUSH
    movq %rsp, %rdi
    call trap_kernel
    REPORT_POP
    addq $(REPORT_CS - REPORT_VECTOR - 8), %rsp /* vector and error code */
    iretq

/* The CPU would not load what the context asks for (a pc no address can be):
 * the user's fault, with the context whole and %gs already the user's. */
iret_refused:
    swapgs
    movq %gs:CPU_CONTEXT, %rdi
    jmp enter_user_trap
    .size trap_common, . - trap_common

    .type trap_ist, @function
trap_ist:
    cld
    REPORT_PUSH
    movl REPORT_BYTES(%rsp), %eax
    movl REPORT_BYTES + 4(%rsp), %edx
    movl $MSR_GS_BASE, %ecx
    wrmsr
    movq %rsp, %rdi
    call trap_last
    .size trap_ist, . - trap_ist

/* A new stack for the rest of time: rdi top, rsi function, rdx its argument. */
    .globl stack_switch
    .type stack_switch, @function
stack_switch:
    movq %rdi, %rsp
    xorl %ebp, %ebp
    movq %rdx, %rdi
    call *%rsi
    ud2
    .size stack_switch, . - stack_switch

/* Vectors for which the CPU pushes an error code, and those on own stacks. */
#define HAS_ERROR_CODE(v) \
    (v == VECTOR_DOUBLE_FAULT || (v >= VECTOR_BAD_TSS && v <= VECTOR_PAGE_FAULT) || \
     v == VECTOR_ALIGNMENT || v == VECTOR_CONTROL || v == VECTOR_VMM || v == VECTOR_SECURITY)
#define HAS_OWN_STACK(v) \
    (v == VECTOR_NMI || v == VECTOR_DOUBLE_FAULT || v == VECTOR_MACHINE_CHECK)

    .balign VECTOR_STUB_BYTES
    .globl trap_stubs
    .type trap_stubs, @function
trap_stubs:
    .set vector, 0
    .rept VECTOR_COUNT
    .balign VECTOR_STUB_BYTES
    .if !HAS_ERROR_CODE(vector)
    pushq $0
    .endif
    pushq $vector
    .if HAS_OWN_STACK(vector)
    jmp trap_ist
    .else
    jmp trap_common
    .endif
    .set vector, vector + 1
    .endr
    .size trap_stubs, . - trap_stubs

    .section .note.GNU-stack, "", @progbits
