// SPDX-License-Identifier: BSD-2-Clause
/*
 * User registers of x86_64, in the order that makes message words an array.
 * entry.S knows the fields through generated offsets only.
 */
#ifndef ARCH_MACHINE_CONTEXT_H
#define ARCH_MACHINE_CONTEXT_H

#include "base/types.h"

#define CONTEXT_WORDS 10

/* How the kernel may give the registers back. */
enum context_leave {
    LEAVE_IRET,   /* every register; also what a zeroed context means */
    LEAVE_SYSRET, /* trapped by syscall: rcx and r11 are the caller's to lose */
};

struct arch_context {
    union {
        uint64_t words[CONTEXT_WORDS];
        struct {
            uint64_t rsi, rdx, r10, r8, r9, r12, r13, r14, r15, rbx;
        };
    };
    uint64_t rax, rcx, rdi, rbp, r11;
    uint64_t rip, rflags, rsp;
    uint64_t leave;             /* enum context_leave, set by the trap */
    uint64_t fs_base, gs_base;  /* live in the CPU while this is its context */
};

/* x87, SSE and AVX state in the standard XSAVE form; FXSAVE uses its first 512 bytes. */
#define FPU_STATE_BYTES 832
struct arch_fpu {
    _Alignas(64) uint8_t state[FPU_STATE_BYTES];
};

#endif
