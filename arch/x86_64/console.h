// SPDX-License-Identifier: BSD-2-Clause
/* The first serial port as the machine's console (arch/machine.h). */
#ifndef X86_64_CONSOLE_H
#define X86_64_CONSOLE_H

/* The receiver's interrupt: hands all that came to kernel_console_input(). */
void console_interrupt(void);

#endif
