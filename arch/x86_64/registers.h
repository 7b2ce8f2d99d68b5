/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers that Intel and AMD chose: control registers, model-specific
 * registers, descriptors, page-table bits.  Usable from C and assembly.
 */
#ifndef X86_64_REGISTERS_H
#define X86_64_REGISTERS_H

#define CR0_PE 0x00000001 /* protection */
#define CR0_MP 0x00000002 /* wait traps with TS */
#define CR0_EM 0x00000004 /* no FPU */
#define CR0_TS 0x00000008 /* lazy FPU: never set here (EX1) */
#define CR0_ET 0x00000010
#define CR0_NE 0x00000020 /* FPU errors by #MF */
#define CR0_WP 0x00010000 /* read-only binds the kernel too */
#define CR0_AM 0x00040000 /* alignment checks when users ask for them */
#define CR0_PG 0x80000000
#define CR0_KERNEL (CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG)

#define CR4_PAE        0x00000020
#define CR4_PGE        0x00000080
#define CR4_OSFXSR     0x00000200
#define CR4_OSXMMEXCPT 0x00000400
#define CR4_UMIP       0x00000800
#define CR4_FSGSBASE   0x00010000
#define CR4_PCIDE      0x00020000
#define CR4_OSXSAVE    0x00040000
#define CR4_SMEP       0x00100000
#define CR4_SMAP       0x00200000

#define MSR_APIC_BASE      0x0000001b
#define MSR_EFER           0xc0000080
#define MSR_STAR           0xc0000081
#define MSR_LSTAR          0xc0000082
#define MSR_SFMASK         0xc0000084
#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102

#define EFER_SCE 0x001
#define EFER_LME 0x100
#define EFER_NXE 0x800

#define APIC_BASE_ENABLED 0x800
#define APIC_BASE_X2APIC  0x400

#define RFLAGS_FIXED 0x00000002
#define RFLAGS_TF    0x00000100
#define RFLAGS_IF    0x00000200
#define RFLAGS_DF    0x00000400
#define RFLAGS_IOPL  0x00003000
#define RFLAGS_NT    0x00004000
#define RFLAGS_AC    0x00040000
/* What syscall clears on its way in. */
#define RFLAGS_SYSCALL_MASK                                                                        \
    (RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | RFLAGS_IOPL | RFLAGS_NT | RFLAGS_AC)

/* Selectors; sysret wants user data just below user code. */
#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_USER_DATA   0x1b
#define SELECTOR_USER_CODE   0x23
#define SELECTOR_TSS         0x28
#define SELECTOR_RPL_MASK    3

#define ENTRY_PRESENT  0x001
#define ENTRY_WRITE    0x002
#define ENTRY_USER     0x004
#define ENTRY_WRITE_THROUGH 0x008
#define ENTRY_UNCACHED 0x010
#define ENTRY_ACCESSED 0x020
#define ENTRY_DIRTY    0x040
#define ENTRY_LARGE    0x080
#define ENTRY_GLOBAL   0x100
#ifndef __ASSEMBLER__
#define ENTRY_NO_EXECUTE (UINT64_C(1) << 63)
#endif

/* Vectors the machine chose. */
#define VECTOR_DIVIDE         0
#define VECTOR_DEBUG          1
#define VECTOR_NMI            2
#define VECTOR_BREAKPOINT     3
#define VECTOR_OVERFLOW       4
#define VECTOR_BOUND          5
#define VECTOR_INVALID_OPCODE 6
#define VECTOR_NO_FPU         7
#define VECTOR_DOUBLE_FAULT   8
#define VECTOR_BAD_TSS        10
#define VECTOR_NO_SEGMENT     11
#define VECTOR_STACK          12
#define VECTOR_PROTECTION     13
#define VECTOR_PAGE_FAULT     14
#define VECTOR_FPU            16
#define VECTOR_ALIGNMENT      17
#define VECTOR_MACHINE_CHECK  18
#define VECTOR_SIMD           19
#define VECTOR_CONTROL        21
#define VECTOR_VMM            29
#define VECTOR_SECURITY       30

/* Vectors we chose. */
#define VECTOR_PIC            0x20 /* 16 of the masked legacy controller */
#define VECTOR_TIMER          0x40
#define VECTOR_IPI_TLB        0x41
#define VECTOR_IPI_RESCHEDULE 0x42
#define VECTOR_CONSOLE        0x50
#define VECTOR_SPURIOUS       0xff
#define VECTOR_COUNT          256
/* Room of one entry stub, so that stub = base + vector * this. */
#define VECTOR_STUB_BYTES     16

#define FAULT_CODE_PRESENT 0x01
#define FAULT_CODE_WRITE   0x02
#define FAULT_CODE_USER    0x04
#define FAULT_CODE_FETCH   0x10

/* Interrupt stacks by TSS slot, 1-based as the IDT counts them. */
#define IST_DOUBLE_FAULT  1
#define IST_NMI           2
#define IST_MACHINE_CHECK 3
#define IST_COUNT         3

#endif
