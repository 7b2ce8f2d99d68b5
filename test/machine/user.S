/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * User code of the machine test: one page, copied to USER_CODE and entered at
 * one of its labels.  The argument is in %rdi, a flag in %rsi (word 0).  Ends by
 * TEST_DONE with word 0 = 0, or the line of this file that went wrong.
 */
#include "image.h"

#define ROUNDS 300000

.macro DONE code
    movq $\code, %rsi
    movl $TEST_DONE, %eax
    syscall
.endm

.macro FAIL_UNLESS_EQUAL line
    je 1f
    DONE \line
1:
.endm
#define REQUIRE(compare, a, b) compare a, b; FAIL_UNLESS_EQUAL __LINE__

.macro CHECK_WORD register, index
    cmpq $(TEST_WORD_OUT + \index), %\register
    FAIL_UNLESS_EQUAL 1000 + \index
.endm

    .section .rodata
    .balign PAGE_SIZE
    .globl user_start, user_end
user_start:

/* Registers arrive and return by number; all others stay. */
    .globl user_words
user_words:
    movq %rsp, %rbp
    movq $(TEST_WORD_IN + 0), %rsi
    movq $(TEST_WORD_IN + 1), %rdx
    movq $(TEST_WORD_IN + 2), %r10
    movq $(TEST_WORD_IN + 3), %r8
    movq $(TEST_WORD_IN + 4), %r9
    movq $(TEST_WORD_IN + 5), %r12
    movq $(TEST_WORD_IN + 6), %r13
    movq $(TEST_WORD_IN + 7), %r14
    movq $(TEST_WORD_IN + 8), %r15
    movq $(TEST_WORD_IN + 9), %rbx
    movq $TEST_CAP, %rdi
    movl $TEST_WORDS, %eax
    syscall
    CHECK_WORD rsi, 0
    CHECK_WORD rdx, 1
    CHECK_WORD r10, 2
    CHECK_WORD r8, 3
    CHECK_WORD r9, 4
    CHECK_WORD r12, 5
    CHECK_WORD r13, 6
    CHECK_WORD r14, 7
    CHECK_WORD r15, 8
    CHECK_WORD rbx, 9
    REQUIRE(cmpq, $TEST_STATUS, %rax)
    REQUIRE(cmpq, $TEST_BADGE, %rdi)
    REQUIRE(cmpq, %rsp, %rbp)
    DONE 0

/* Every general register outlives being preempted: %rdi is this thread's own number. */
    .globl user_registers
user_registers:
    leaq 1(%rdi), %rax
    leaq 2(%rdi), %rbx
    leaq 3(%rdi), %rcx
    leaq 4(%rdi), %rdx
    leaq 5(%rdi), %rsi
    leaq 6(%rdi), %rbp
    leaq 7(%rdi), %r8
    leaq 9(%rdi), %r9
    leaq 10(%rdi), %r10
    leaq 11(%rdi), %r11
    leaq 12(%rdi), %r12
    leaq 13(%rdi), %r13
    leaq 14(%rdi), %r14
    movl $ROUNDS, %r15d
2:  pushq %r15
    leaq 1(%rdi), %r15
    REQUIRE(cmpq, %r15, %rax)
    leaq 2(%rdi), %r15
    REQUIRE(cmpq, %r15, %rbx)
    leaq 3(%rdi), %r15
    REQUIRE(cmpq, %r15, %rcx)
    leaq 4(%rdi), %r15
    REQUIRE(cmpq, %r15, %rdx)
    leaq 5(%rdi), %r15
    REQUIRE(cmpq, %r15, %rsi)
    leaq 6(%rdi), %r15
    REQUIRE(cmpq, %r15, %rbp)
    leaq 7(%rdi), %r15
    REQUIRE(cmpq, %r15, %r8)
    leaq 9(%rdi), %r15
    REQUIRE(cmpq, %r15, %r9)
    leaq 10(%rdi), %r15
    REQUIRE(cmpq, %r15, %r10)
    leaq 11(%rdi), %r15
    REQUIRE(cmpq, %r15, %r11)
    leaq 12(%rdi), %r15
    REQUIRE(cmpq, %r15, %r12)
    leaq 13(%rdi), %r15
    REQUIRE(cmpq, %r15, %r13)
    leaq 14(%rdi), %r15
    REQUIRE(cmpq, %r15, %r14)
    popq %r15
    decq %r15
    jnz 2b
    DONE 0

/* x87, SSE and (flag) AVX state outlive being preempted (EX1). */
.macro VECTOR_SET index
    leaq \index(%rdi), %rax
    movq %rax, %xmm\index
    punpcklqdq %xmm\index, %xmm\index
.endm
.macro VECTOR_CHECK index
    leaq \index(%rdi), %rax
    movq %xmm\index, %rcx
    cmpq %rax, %rcx
    FAIL_UNLESS_EQUAL 2000 + \index
.endm
.macro UPPER_SET index
    vinsertf128 $1, %xmm\index, %ymm\index, %ymm\index
.endm

#define MXCSR_FRESH 0x1f80 /* all exceptions masked, round to nearest */
#define FCW_FRESH   0x037f /* the same, 64-bit mantissa */
/* All of a fresh file is zero but its control words, whatever its record held before. */
.macro FRESH_CHECK
    testq %rsi, %rsi
    jz 2f
    .irp index, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    vorps %ymm\index, %ymm0, %ymm0
    .endr
    vextractf128 $1, %ymm0, %xmm1
2:  .irp index, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    por %xmm\index, %xmm0
    .endr
    movhlps %xmm0, %xmm1
    por %xmm1, %xmm0
    movq %xmm0, %rcx
    REQUIRE(cmpq, $0, %rcx)
    stmxcsr -8(%rsp)
    REQUIRE(cmpl, $MXCSR_FRESH, -8(%rsp))
    fnstcw -8(%rsp)
    REQUIRE(cmpw, $FCW_FRESH, -8(%rsp))
.endm

    .globl user_fpu
user_fpu:
    movq %rsi, %rbx
    FRESH_CHECK
    .irp index, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14
    VECTOR_SET \index
    .endr
    testq %rbx, %rbx
    jz 2f
    .irp index, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14
    UPPER_SET \index
    .endr
2:  pushq %rdi
    fninit
    fildq (%rsp)
    movl $ROUNDS, %r15d
3:  .irp index, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14
    VECTOR_CHECK \index
    .endr
    fld %st(0)
    fistpq -8(%rsp)
    REQUIRE(cmpq, -8(%rsp), %rdi)
    testq %rbx, %rbx
    jz 4f
    vextractf128 $1, %ymm7, %xmm15
    movq %xmm15, %rcx
    leaq 7(%rdi), %rax
    REQUIRE(cmpq, %rax, %rcx)
4:  decl %r15d
    jnz 3b
    DONE 0

/* Both thread pointers: words at them hold the argument; (flag) they move first. */
    .globl user_tls
user_tls:
    testq %rsi, %rsi
    jz 2f
    rdfsbase %rax
    addq $8, %rax
    wrfsbase %rax
    rdgsbase %rax
    addq $8, %rax
    wrgsbase %rax
2:  movl $ROUNDS, %r15d
3:  REQUIRE(cmpq, %fs:0, %rdi)
    REQUIRE(cmpq, %gs:0, %rdi)
    decl %r15d
    jnz 3b
    DONE 0

/* A foreign system call comes to user_bounced, and back from there. */
    .globl user_bounce, user_bounced
user_bounce:
    movl $TEST_FOREIGN, %eax
    movq $-1, %r11
    xorl %ecx, %ecx
    leaq 2f(%rip), %rbx
    syscall
2:  REQUIRE(cmpq, $TEST_STATUS, %rax)
    DONE 0
user_bounced:
    REQUIRE(cmpq, %rcx, %rbx)
    REQUIRE(cmpq, $TEST_FOREIGN, %rax)
    testq $RFLAGS_IF, %r11
    setnz %al
    REQUIRE(cmpb, $1, %al)
    movl $TEST_STATUS, %eax
    jmp *%rcx

/* One kind of fault each; the code after it must not be reached. */
    .globl user_read, user_write, user_jump, user_divide, user_illegal, user_breakpoint
    .globl user_privileged, user_astray, user_x87, user_step, user_stack
    .globl user_interrupt, user_tables
user_read:
    movq (%rdi), %rax
    DONE __LINE__
user_write:
    movq %rax, (%rdi)
    DONE __LINE__
user_jump:
    jmp *%rdi
user_divide:
    xorl %ecx, %ecx
    divl %ecx
    DONE __LINE__
user_illegal:
    ud2
user_breakpoint:
    int3
    DONE __LINE__
user_tables:
    subq $16, %rsp
    sidt (%rsp)
    DONE 0
user_privileged:
    cli
    DONE __LINE__
user_interrupt:
    int $VECTOR_IPI_TLB
    DONE __LINE__
user_astray:
    movl $TEST_ASTRAY, %eax
    syscall
    DONE __LINE__
user_x87:
    fninit
    pushq $0x0340 /* all exceptions on */
    fldcw (%rsp)
    fld1
    fldz
    fdivrp
    fwait
    DONE __LINE__
user_step:
    pushfq
    orq $RFLAGS_TF, (%rsp)
    popfq
    nop
    DONE __LINE__
user_stack:
    movq %rdi, %rsp
    pushq %rax
    DONE __LINE__
user_end:

    .section .note.GNU-stack, "", @progbits
