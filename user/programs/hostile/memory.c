// SPDX-License-Identifier: BSD-2-Clause
/* Instructions and addresses that a program may not use. */
#include <stddef.h>

#include "abi/methods.h"
#include "cadastre/capset.h"
#include "cadastre/clients.h"
#include "hostile.h"

#define KERNEL_TEXT    0xffffffff80100000ull
#define KERNEL_DIRECT  0xffff800000000000ull
#define NON_CANONICAL  0x8000000000000000ull

static int read_at(uint64_t address)
{
    return *(volatile char *)address & 1;
}

static int write_at(uint64_t address)
{
    *(volatile char *)address = 1;
    return 0;
}

static int read_null(void) { return read_at(0); }
static int read_kernel(void) { return read_at(KERNEL_TEXT); }
static int read_direct_map(void) { return read_at(KERNEL_DIRECT + 0x100000); }
static int write_kernel(void) { return write_at(KERNEL_TEXT); }
static int write_capset(void) { return write_at(CAD_CAPSET_ADDRESS); }

static int write_text(void)
{
    static int (*volatile text)(void) = read_null;

    return write_at((uint64_t)(uintptr_t)text);
}

static int read_non_canonical(void) { return read_at(NON_CANONICAL); }
static int read_user_end(void) { return read_at(CAD_USER_END); }
static int jump_to_kernel(void) { ((void (*)(void))KERNEL_TEXT)(); return 0; }
static int jump_to_null(void) { ((void (*)(void))0x10)(); return 0; }

static int jump_to_data(void)
{
    static unsigned char code[16] = { 0xc3 };

    ((void (*)(void))(uintptr_t)code)();
    return 0;
}

static int jump_to_stack(void)
{
    volatile unsigned char code[16] = { 0xc3 };

    ((void (*)(void))(uintptr_t)code)();
    return 0;
}

/* Each frame is large, so the stack's end comes soon. */
__attribute__((noinline)) static int overflow_stack_by(volatile char *above)
{
    volatile char here[4096];

    here[0] = above == NULL ? 1 : above[0];
    return here[0] == 0 ? 0 : overflow_stack_by(here) + here[1];
}
static int overflow_stack(void) { return overflow_stack_by(NULL); }

static int reserved_only(void)
{
    uint64_t address = 0;

    if (cad_virtual_memory_reserve(cad_find(CAD_ROLE_SELF_MEMORY), 0, 4,
                                   CAD_PROT_READ | CAD_PROT_WRITE, 0, &address) != CAD_OK)
        return 1;
    return write_at(address);
}

static int divide_by_zero(void)
{
    volatile int zero = 0;

    return 1000 / zero;
}

static int illegal(void) { __asm__ volatile("ud2"); return 0; }
static int halt(void) { __asm__ volatile("hlt"); return 0; }
static int disable_interrupts(void) { __asm__ volatile("cli"); return 0; }
static int out_port(void) { __asm__ volatile("outb %%al, $0x80" ::"a"(0)); return 0; }
static int reload_cr3(void) { __asm__ volatile("mov %%cr3, %%rax" ::: "rax"); return 0; }

static int write_msr(void)
{
    __asm__ volatile("wrmsr" ::"c"(0xc0000080), "a"(0), "d"(0));
    return 0;
}

static int interrupt_gate(void) { __asm__ volatile("int $0x80" ::"a"(1)); return 0; }
static int timer_gate(void) { __asm__ volatile("int $0x20"); return 0; }
static int breakpoint(void) { __asm__ volatile("int3"); return 0; }
static int return_to_ring0(void)
{
    __asm__ volatile("pushq $0x10; pushq $0x202; pushq $0x8; pushq $0; iretq");
    return 0;
}

static int bad_segment(void)
{
    __asm__ volatile("mov %0, %%ss" ::"r"((unsigned short)0x10));
    return 0;
}


static int single_step(void)
{
    __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; nop; nop" ::: "memory", "cc");
    return 0;
}

/* The kernel must not trust the stack pointer of a caller. */
static int call_with_bad_stack(void)
{
    __asm__ volatile("mov %%rsp, %%r12; mov %[bad], %%rsp; syscall; mov %%r12, %%rsp"
                     :
                     : [bad] "r"(KERNEL_DIRECT), "a"(CAD_CALL(9, 10)), "D"(1ull)
                     : "rcx", "r11", "r12", "memory");
    return 0;
}

/* Returning to an address that is not canonical must fault in user mode. */
static int syscall_at_the_edge(void)
{
    __asm__ volatile("mov %[bad], %%rcx; jmp *%%rcx" ::[bad] "r"(0x00007ffffffffffeull) : "rcx");
    return 0;
}

/* The direction and alignment-check flags are the user's own affair, not the kernel's. */
static int odd_flags(void)
{
    __asm__ volatile("std; mov %0, %%eax; syscall; cld" ::"i"(CAD_CALL(9, 10))
                     : "rax", "rcx", "r11", "rdi", "memory", "cc");
    __asm__ volatile("pushfq; orq $0x40000, (%%rsp); popfq; mov %0, %%eax; syscall;"
                     "pushfq; andq $~0x40000, (%%rsp); popfq" ::"i"(CAD_CALL(9, 10))
                     : "rax", "rcx", "r11", "rdi", "memory", "cc");
    return 7;
}

const struct attack attacks_on_memory[] = {
    { "read-null", read_null, CAD_EXIT_PAGE_FAULT, -1 },
    { "read-kernel", read_kernel, CAD_EXIT_PAGE_FAULT, -1 },
    { "read-direct-map", read_direct_map, CAD_EXIT_PAGE_FAULT, -1 },
    { "write-kernel", write_kernel, CAD_EXIT_PAGE_FAULT, -1 },
    { "write-capset", write_capset, CAD_EXIT_PAGE_FAULT, -1 },
    { "write-text", write_text, CAD_EXIT_PAGE_FAULT, -1 },
    { "read-non-canonical", read_non_canonical, CAD_EXIT_PROTECTION, -1 },
    { "read-user-end", read_user_end, CAD_EXIT_PAGE_FAULT, -1 },
    { "jump-to-kernel", jump_to_kernel, CAD_EXIT_PAGE_FAULT, -1 },
    { "jump-to-null", jump_to_null, CAD_EXIT_PAGE_FAULT, -1 },
    { "jump-to-data", jump_to_data, CAD_EXIT_PAGE_FAULT, -1 },
    { "jump-to-stack", jump_to_stack, CAD_EXIT_PAGE_FAULT, -1 },
    { "overflow-stack", overflow_stack, CAD_EXIT_PAGE_FAULT, -1 },
    { "touch-reserved", reserved_only, CAD_EXIT_PAGE_FAULT, -1 },
    { "divide-by-zero", divide_by_zero, CAD_EXIT_ARITHMETIC, -1 },
    { "illegal-instruction", illegal, CAD_EXIT_ILLEGAL_INSTRUCTION, -1 },
    { "halt", halt, CAD_EXIT_PROTECTION, -1 },
    { "disable-interrupts", disable_interrupts, CAD_EXIT_PROTECTION, -1 },
    { "out-port", out_port, CAD_EXIT_PROTECTION, -1 },
    { "read-cr3", reload_cr3, CAD_EXIT_PROTECTION, -1 },
    { "write-msr", write_msr, CAD_EXIT_PROTECTION, -1 },
    { "interrupt-gate", interrupt_gate, CAD_EXIT_PROTECTION, -1 },
    { "timer-gate", timer_gate, CAD_EXIT_PROTECTION, -1 },
    { "breakpoint", breakpoint, CAD_EXIT_BREAKPOINT, -1 },
    { "return-to-ring0", return_to_ring0, CAD_EXIT_PROTECTION, -1 },
    { "bad-segment", bad_segment, CAD_EXIT_PROTECTION, -1 },
    { "single-step", single_step, CAD_EXIT_BREAKPOINT, -1 },
    { "call-with-bad-stack", call_with_bad_stack, CAD_EXIT_STATUS, 0 },
    { "syscall-at-the-edge", syscall_at_the_edge, ATTACK_ANY_END, -1 },
    { "odd-flags", odd_flags, CAD_EXIT_STATUS, 7 },
    { NULL, NULL, 0, 0 },
};
