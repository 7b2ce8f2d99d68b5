/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where another CPU starts: in real mode, at the page of low memory that smp.c
 * copied trampoline_start..trampoline_end to (%cs names it).  smp.c also fills
 * the pointers below with addresses in that page.  It goes to long mode on a root
 * that shows this page and the kernel half, then to smp_entry.
 */
#include "offsets.h"
#include "registers.h"

#define OFFSET_OF(symbol) ((symbol) - trampoline_start)
#define REAL_SEGMENT_SHIFT 4

    .section .rodata
    .balign 16
    .code16
    .globl trampoline_start
trampoline_start:
    cli
    movw %cs, %ax
    movw %ax, %ds
    xorl %ebx, %ebx
    movw %ax, %bx
    shll $REAL_SEGMENT_SHIFT, %ebx
    lgdtl OFFSET_OF(trampoline_gdt_pointer)
    movl $(CR0_PE | CR0_ET), %eax
    movl %eax, %cr0
    ljmpl *OFFSET_OF(trampoline_far_32)

    .code32
    .globl trampoline_32
trampoline_32:
    movw $SELECTOR_KERNEL_DATA, %ax
    movw %ax, %ds
    movw %ax, %ss
    movl $CR4_PAE, %eax
    movl %eax, %cr4
    movl OFFSET_OF(trampoline_root)(%ebx), %eax
    movl %eax, %cr3
    movl $MSR_EFER, %ecx
    movl $(EFER_LME | EFER_NXE | EFER_SCE), %eax
    xorl %edx, %edx
    wrmsr
    movl $CR0_KERNEL, %eax
    movl %eax, %cr0
    ljmpl *OFFSET_OF(trampoline_far_64)(%ebx)

    .code64
    .globl trampoline_64
trampoline_64:
    movq $smp_entry, %rax
    jmp *%rax

    .balign 8
trampoline_gdt:
    .quad 0
    .quad 0x00af9b000000ffff /* 64-bit code, at the kernel's selector */
    .quad 0x00cf93000000ffff /* data */
    .quad 0x00cf9b000000ffff /* 32-bit code */
trampoline_gdt_end:
    .globl trampoline_gdt_pointer, trampoline_far_32, trampoline_far_64, trampoline_root
trampoline_gdt_pointer:
    .word trampoline_gdt_end - trampoline_gdt - 1
trampoline_gdt_address:
    .long OFFSET_OF(trampoline_gdt)
    .balign 4
trampoline_far_32:
    .long OFFSET_OF(trampoline_32)
    .word trampoline_gdt_end - 8 - trampoline_gdt
    .balign 4
trampoline_far_64:
    .long OFFSET_OF(trampoline_64)
    .word SELECTOR_KERNEL_CODE
    .balign 4
trampoline_root:
    .long 0
    .globl trampoline_end
trampoline_end:

/* Long mode, the trampoline's root.  Only the CPU that CPU 0 waits for goes on:
 * one that answers too late finds the claim gone and sleeps. */
    .text
    .globl smp_entry
    .type smp_entry, @function
smp_entry:
    movl $SELECTOR_KERNEL_DATA, %eax
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    movl $CPUID_FEATURES_VALUE, %eax
    cpuid
    shrl $CPUID_APIC_ID_SHIFT_VALUE, %ebx
    movl %ebx, %eax
    movl $SMP_CLAIMED_VALUE, %ecx
    lock cmpxchgl %ecx, smp_claim(%rip)
    jne 1f
    movq smp_cpu(%rip), %rdi
    movq CPU_STACK_TOP(%rdi), %rsp
    xorl %ebp, %ebp
    movl %edi, %eax
    movq %rdi, %rdx
    shrq $32, %rdx
    movl $MSR_GS_BASE, %ecx
    wrmsr
    call smp_cpu_main
1:  cli
    hlt
    jmp 1b
    .size smp_entry, . - smp_entry

    .section .note.GNU-stack, "", @progbits
