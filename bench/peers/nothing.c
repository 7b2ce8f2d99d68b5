// SPDX-License-Identifier: BSD-2-Clause
/* The smallest program, for Linux's row of spawn: no C library to start. */
_Noreturn void _start(void);

_Noreturn void _start(void)
{
    __asm__ volatile("syscall" : : "a"(60), "D"(0) : "rcx", "r11", "memory");
    __builtin_unreachable();
}
