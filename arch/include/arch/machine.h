// SPDX-License-Identifier: BSD-2-Clause
/* The machine as a whole: console bytes, power, symbols of a trap. */
#ifndef ARCH_MACHINE_H
#define ARCH_MACHINE_H

#include "base/types.h"

/* Writes to the console, waiting for the transmitter.  Usable from panic. */
void machine_console_write(const char *bytes, size_t count);
/* Turns receiver interrupts on; kernel_console_input() gets the bytes from then on. */
void machine_console_listen(void);

/* Ends the machine; `status` (0..125) reaches whoever runs the emulator. */
_Noreturn void machine_power_off(unsigned status);
_Noreturn void machine_reboot(void);

/* What a trap of kernel code looked like, for the panic report. */
struct trap_report;
/* Prints registers and a backtrace with symbols: of `report`, or from here if NULL. */
void machine_print_report(const struct trap_report *report);
/* Stops all other CPUs for good; a CPU that does not answer in 100 ms is left. */
void machine_stop_others(void);

#endif
