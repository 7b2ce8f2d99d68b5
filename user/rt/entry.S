/* SPDX-License-Identifier: BSD-2-Clause */
/* The three ways into the runtime image, and the one way out. */
#include "abi/types.h"
#include "block.h"

#define CALLEE_SAVED_BYTES 48 /* rbx, rbp, r12 to r15 */

    .section .text.entry, "ax"

/* The process's first instruction; rsp is the System V stack. The program then
 * starts as if it had been entered itself. */
    .globl rt_start
    .type rt_start, @function
rt_start:
    movq %rsp, %rbx
    movq %rsp, %rdi
    leaq rt_first_stack_top(%rip), %rsp
    xorl %ebp, %ebp
    call runtime_initialize
    movq %rbx, %rsp
    xorl %ebx, %ebx
    xorl %edx, %edx             /* no function to register with atexit */
    jmp *%rax
    .size rt_start, . - rt_start

/* A Linux system call: rax number, rcx return address, r11 flags, all else the caller's. */
    .globl rt_foreign_entry
    .type rt_foreign_entry, @function
rt_foreign_entry:
    movq %rsp, %gs:BLOCK_USER_SP
    movq %gs:BLOCK_STACK_TOP, %rsp
    pushq %gs:BLOCK_USER_SP
    pushq %r11
    pushq %rcx
    pushq %rax
    pushq %rdi
    pushq %rsi
    pushq %rdx
    pushq %r10
    pushq %r8
    pushq %r9
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    cld
    movq %rsp, %rdi
    call linux_call
    addq $CALLEE_SAVED_BYTES, %rsp /* these are as they were */
leave_handler:
    popq %r9
    popq %r8
    popq %r10
    popq %rdx
    popq %rsi
    popq %rdi
    popq %rax
    popq %rcx
    movq (%rsp), %r11
    popfq
    popq %rsp
    jmp *%rcx
    .size rt_foreign_entry, . - rt_foreign_entry

/* A new thread starts with all of its maker's registers, which wait on its stack. */
    .globl rt_thread_start
    .type rt_thread_start, @function
rt_thread_start:
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    jmp leave_handler
    .size rt_thread_start, . - rt_thread_start

    /* 4 pages, and half of one that begins with the top and ends with other variables. */
    .section .bss.first_stack, "aw", @nobits
    .balign 4096
    .skip 18432
    .globl rt_first_stack_top
rt_first_stack_top:

    .section .note.GNU-stack, "", @progbits
