/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words of the user/kernel contract: sizes, protections, ids.
 * Usable from C and assembly.
 */
#ifndef ABI_TYPES_H
#define ABI_TYPES_H

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096

/* Protections of a mapping.  WRITE with EXECUTE is refused everywhere (AS3);
 * WRITE and EXECUTE imply READ. */
#define CAD_PROT_NONE    0
#define CAD_PROT_READ    1
#define CAD_PROT_WRITE   2
#define CAD_PROT_EXECUTE 4

/* User addresses: [CAD_USER_BASE, CAD_USER_END).  The SYSTEM part at the top
 * holds what only the kernel maps: the CapSet page and the threads' rings. */
#ifdef __ASSEMBLER__
#define CAD_U64(value) value
#else
#include <stdint.h>
#define CAD_U64(value) UINT64_C(value)
#endif
#define CAD_USER_BASE        CAD_U64(0x0000000000010000) /* first user address */
#define CAD_USER_END         CAD_U64(0x00007ffffff00000) /* end of user addresses */
/* Tables are what a small process costs, so what each has shares them.  Program, heap
 * and the ranges that the kernel chooses begin in the first GiB; runtime, first stack,
 * CapSet and the first rings are in the first leaf table of the last 512 GiB, so that
 * nothing is looked through to find them. */
#define CAD_SEARCH_BASE      CAD_U64(0x0000000020000000) /* the kernel chooses from here up */
/* Where the runtime image (the Linux personality) is linked to run. */
#define CAD_RUNTIME_BASE     CAD_U64(0x00007f8000000000)
/* The first thread's stack ends here; it is committed on touch. */
#define CAD_STACK_TOP        CAD_U64(0x00007f8000180000)
#define CAD_STACK_BYTES      CAD_U64(0x00000000000f0000)
#define CAD_SYSTEM_BASE      CAD_STACK_TOP /* only the kernel maps here */
#define CAD_CAPSET_ADDRESS   CAD_SYSTEM_BASE /* the CapSet page */
#define CAD_RING_BASE        CAD_U64(0x00007f8000190000) /* rings, one a thread */
#define CAD_RING_BYTES       16384

#ifndef __ASSEMBLER__
/* A capability's name in one table: slot number in the low 24 bits, the slot's
 * generation in the high 40 (CP1).  0 names nothing. */
typedef uint64_t cap_id_t;
#define CAD_CAP_NONE       ((cap_id_t)0)
#define CAD_CAP_SLOT_BITS  24
#endif

#endif
