// SPDX-License-Identifier: BSD-2-Clause
/*
 * The machine that fuzzed kernels run on: the contract of arch/include in a Linux
 * process.  One CPU, no translations (the kernel never uses a user address as
 * one), a clock that moves when it is read, a console that nobody reads.
 *
 * Frames are pages of one file; the direct map and the kernel's pools map it, so
 * that a record and its frame are the same memory, as on a real machine.
 */
#ifndef FUZZ_MACHINE_H
#define FUZZ_MACHINE_H

#include "boot/boot_info.h"

#define MACHINE_PAGES 4480u

/* Builds the memory with `archive` at its start, runs kernel_main() until it would
 * enter user mode, and gives back. */
void machine_boot(const uint8_t *archive, size_t bytes);

extern uint64_t machine_now_ns;
/* When the timer fires; UINT64_MAX: never. */
extern uint64_t machine_deadline_ns;

#endif
