// SPDX-License-Identifier: BSD-2-Clause
/*
 * From a boot protocol's entry to kernel_main().  The protocol fills a
 * boot_info on the machine's early tables (the first 4 GiB in the direct map)
 * and hands it over.
 */
#ifndef ARCH_BOOT_H
#define ARCH_BOOT_H

#include "boot/boot_info.h"

/* Makes the console usable for output.  Call once, before any message. */
void machine_console_init(void);

/* Highest physical address the kernel half can show, plus one. */
phys_addr_t machine_address_limit(void);

/* Builds the machine's final state for CPU 0 and enters kernel_main() on its own stack.
 * Needs: normalised regions, kernel and archive ranges, rsdp. */
_Noreturn void machine_main(struct boot_info *boot);

/* Names what is wrong with the machine or what loaded us, and powers off. */
_Noreturn void machine_refuse(const char *reason, uint64_t value);

#endif
