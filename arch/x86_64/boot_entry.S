/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PVH entry: 32-bit protected mode, paging off, flat segments, %ebx = the
 * loader's start info (physical).  Builds the early tables (the first 4 GiB by
 * 2 MiB pages: as they are, in the direct map and, their first 2 GiB, at
 * KERNEL_BASE), enters long mode and calls pvh_main() in the upper half.
 * mmu.c replaces the tables; nothing of this runs twice.
 */
#include "arch_machine/layout.h"
#include "offsets.h"
#include "registers.h"

#define XEN_ELFNOTE_PHYS32_ENTRY 18
#define PHYSICAL(symbol) ((symbol) - KERNEL_BASE)

#define EARLY_TABLES      4 /* level-1 tables: 1 GiB each */
#define EARLY_LARGE_BYTES 0x200000
#define ENTRY_BYTES       8
#define TABLE_ENTRIES     512
#define ROOT_INDEX(address)   (((address) >> 39) & 511)
#define THIRD_INDEX(address)  (((address) >> 30) & 511)
#define CPUID_EXTENDED_MAX    0x80000000
#define CPUID_EXTENDED        0x80000001
#define CPUID_LONG_MODE_BIT   29
#define CPUID_NX_BIT          20
#define EARLY_STACK_BYTES     16384
#define COM1_DATA             0x3f8

    .section .note.pvh, "a", @note
    .balign 4
    .long 4, 4, XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .long PHYSICAL(pvh_entry)

    .globl pvh_entry_physical
    .set pvh_entry_physical, pvh_entry - KERNEL_BASE

    .section .text.boot, "ax"
    .code32
    .globl pvh_entry
    .type pvh_entry, @function
pvh_entry:
    cli
    cld
    movl %ebx, %ebp
    movl $PHYSICAL(early_stack_top), %esp
    rdtsc
    movl %eax, PHYSICAL(boot_entry_cycles)
    movl %edx, PHYSICAL(boot_entry_cycles) + 4

    movl $CPUID_EXTENDED_MAX, %eax
    cpuid
    cmpl $CPUID_EXTENDED, %eax
    jb refuse
    movl $CPUID_EXTENDED, %eax
    cpuid
    btl $CPUID_LONG_MODE_BIT, %edx
    jnc refuse
    btl $CPUID_NX_BIT, %edx
    jnc refuse

    /* Level 1: every 2 MiB of the first 4 GiB. */
    movl $PHYSICAL(early_level1), %edi
    movl $(ENTRY_PRESENT | ENTRY_WRITE | ENTRY_LARGE), %eax
    movl $(EARLY_TABLES * TABLE_ENTRIES), %ecx
1:  movl %eax, (%edi)
    addl $EARLY_LARGE_BYTES, %eax
    addl $ENTRY_BYTES, %edi
    loop 1b

    /* Level 2: one table for the low and direct views, one for KERNEL_BASE. */
    movl $(PHYSICAL(early_level1) + ENTRY_PRESENT + ENTRY_WRITE), %eax
    movl $PHYSICAL(early_level2_low), %edi
    movl $PHYSICAL(early_level2_kernel) + THIRD_INDEX(KERNEL_BASE) * ENTRY_BYTES, %esi
    movl $EARLY_TABLES, %ecx
2:  movl %eax, (%edi)
    cmpl $(EARLY_TABLES - 2), %ecx
    jbe 3f
    movl %eax, (%esi)
    addl $ENTRY_BYTES, %esi
3:  addl $PAGE_SIZE, %eax
    addl $ENTRY_BYTES, %edi
    loop 2b

    /* Level 3. */
    movl $PHYSICAL(early_root), %edi
    movl $(PHYSICAL(early_level2_low) + ENTRY_PRESENT + ENTRY_WRITE), %eax
    movl %eax, (%edi)
    movl %eax, ROOT_INDEX(DIRECT_MAP_BASE) * ENTRY_BYTES(%edi)
    movl $(PHYSICAL(early_level2_kernel) + ENTRY_PRESENT + ENTRY_WRITE), %eax
    movl %eax, ROOT_INDEX(KERNEL_BASE) * ENTRY_BYTES(%edi)

    movl $CR4_PAE, %eax
    movl %eax, %cr4
    movl %edi, %cr3
    movl $MSR_EFER, %ecx
    movl $(EFER_LME | EFER_NXE | EFER_SCE), %eax
    xorl %edx, %edx
    wrmsr
    movl $CR0_KERNEL, %eax
    movl %eax, %cr0
    lgdt PHYSICAL(early_gdt_pointer)
    ljmp $SELECTOR_KERNEL_CODE, $PHYSICAL(long_mode)

/* Not a CPU we run on: say so on the serial line, where nothing is set up yet. */
refuse:
    movl $PHYSICAL(refuse_text), %esi
    movw $COM1_DATA, %dx
4:  lodsb
    testb %al, %al
    jz 5f
    outb %al, %dx
    jmp 4b
5:  hlt
    jmp 5b
refuse_text:
    .asciz "cadastre: needs a CPU with long mode and no-execute pages\r\n"

    .code64
long_mode:
    movl $SELECTOR_KERNEL_DATA, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    movq $upper_half, %rax
    jmp *%rax

upper_half:
    movq $early_stack_top, %rsp
    movq $early_gdt_pointer_upper, %rax
    lgdt (%rax)
    /* %gs at CPU 0's data: compiled code reads its stack canary there. */
    movq $early_cpu, %rax
    movq %rax, CPU_SELF(%rax)
    movq %rax, %rdx
    shrq $32, %rdx
    movl $MSR_GS_BASE, %ecx
    wrmsr
    movl %ebp, %edi
    xorl %ebp, %ebp
    call pvh_main
6:  hlt
    jmp 6b
    .size pvh_entry, . - pvh_entry

    .section .rodata
    .balign 8
early_gdt:
    .quad 0
    .quad 0x00af9b000000ffff /* kernel code: 64-bit, execute and read */
    .quad 0x00cf93000000ffff /* kernel data */
early_gdt_end:
early_gdt_pointer:
    .word early_gdt_end - early_gdt - 1
    .long PHYSICAL(early_gdt)
early_gdt_pointer_upper:
    .word early_gdt_end - early_gdt - 1
    .quad early_gdt

    .data
    .balign 8
    .globl boot_entry_cycles
boot_entry_cycles:
    .quad 0

    .section .bss
    .balign PAGE_SIZE
early_root:
    .skip PAGE_SIZE
early_level2_low:
    .skip PAGE_SIZE
early_level2_kernel:
    .skip PAGE_SIZE
early_level1:
    .skip EARLY_TABLES * PAGE_SIZE
early_stack:
    .skip EARLY_STACK_BYTES
early_stack_top:

    .section .note.GNU-stack, "", @progbits
