/* SPDX-License-Identifier: BSD-2-Clause */
/* How a process ended: process.wait's reason (OM3). */
#ifndef ABI_EXIT_H
#define ABI_EXIT_H

/* EXIT(NAME, number, meaning) */
#define CAD_EXIT_LIST(EXIT)                                                                        \
    EXIT(STATUS, 0, "it called exit; status is its own")                                           \
    EXIT(KILLED, 1, "killed from outside")                                                         \
    EXIT(PAGE_FAULT, 2, "touched memory it may not; fault_address says where")                     \
    EXIT(OUT_OF_MEMORY, 3, "a fault could not be backed")                                          \
    EXIT(ILLEGAL_INSTRUCTION, 4, "executed an instruction that is none or not allowed")            \
    EXIT(ARITHMETIC, 5, "division or floating-point exception")                                    \
    EXIT(PROTECTION, 6, "general protection fault")                                                \
    EXIT(BREAKPOINT, 7, "breakpoint or debug trap with no debugger")                               \
    EXIT(ALIGNMENT, 8, "misaligned access")                                                        \
    EXIT(BAD_TRAP, 9, "a system call that is not ours and no handler for it")

#define CAD_EXIT_ENUM(NAME, number, meaning) CAD_EXIT_##NAME = number,
enum cad_exit { CAD_EXIT_LIST(CAD_EXIT_ENUM) };
#undef CAD_EXIT_ENUM

#endif
