/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel half of the address space on x86_64 (four levels).  Usable from C,
 * assembly and the linker script.
 *
 * Every root table copies the upper 256 entries of the kernel's root once, so
 * all third-level tables that the kernel half will ever need exist from boot.
 */
#ifndef ARCH_MACHINE_LAYOUT_H
#define ARCH_MACHINE_LAYOUT_H

#include "abi/types.h"

/* All memory: writable, not executable; kernel text and rodata read-only here too. */
#define DIRECT_MAP_BASE  CAD_U64(0xffff800000000000)
#define DIRECT_MAP_BYTES CAD_U64(0x0000400000000000)

/* Arrays of kernel records, the frame table among them: one span each. */
#define POOL_BASE        CAD_U64(0xffffd00000000000)
#define POOL_SPAN_BYTES  CAD_U64(0x0000001000000000)
#define POOL_SPANS       32

/* Registers of interrupt controllers, uncached, one page each. */
#define DEVICE_BASE      CAD_U64(0xffffe00000000000)
#define DEVICE_PAGES     16

/* Stacks of the CPUs: one slot each, unmapped pages between the stacks in it. */
#define STACK_BASE       CAD_U64(0xffffe80000000000)
#define STACK_SLOT_BYTES 65536
#define STACK_BYTES      16384 /* all kernel code of a CPU runs on this */
#define STACK_IST_BYTES  8192  /* double fault, NMI, machine check: one each */

/* The image: linked here, loaded KERNEL_BASE lower. */
#define KERNEL_BASE      CAD_U64(0xffffffff80000000)

/* e_machine of programs that run here. */
#define MACHINE_ELF_NUMBER 62

#endif
