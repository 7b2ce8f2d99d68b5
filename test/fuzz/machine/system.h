// SPDX-License-Identifier: BSD-2-Clause
/*
 * The kernel on the fuzzed machine, and what plays its user code.
 *
 * init is ours: it holds the root capabilities, makes two processes before each
 * input and ends whatever lives after it.  It idles at the lowest priority, so that
 * it runs when nobody else can.  Everything else that runs is the target's: its
 * step() is the next instruction of the thread that the kernel gave the CPU to.
 *
 * At the end of each input everything must have been given back: no process,
 * thread or charge more than before, every frame free, and the audit clean.
 */
#ifndef FUZZ_SYSTEM_H
#define FUZZ_SYSTEM_H

#include "kernel/process.h"
#include "kernel/thread.h"

#define SYSTEM_ARENA       UINT64_C(0x10000000) /* memory each process starts with */
#define SYSTEM_ARENA_PAGES 48u                  /* reserved; the first half is committed */

/* The archive's programs, for spawn requests: offset and size of both images. */
struct system_image {
    uint64_t offset, bytes;
};
extern struct system_image system_program, system_runtime;

/* Two new processes; `is_tight`: with hardly any budget. */
void system_begin(bool is_tight);
/* The user code of a thread for a moment.  Gives: false at the end of the input. */
typedef bool (*system_step)(struct thread *thread);
/* Runs until step() has no more, `steps` were made, or nobody will ever run again. */
void system_run(system_step step, unsigned steps);
/* Ends all and checks that nothing is left. */
void system_end(void);

/* The invocation that the thread's registers hold.  A call that the kernel wants made again
 * is made again when the thread runs next. */
void system_trap(struct thread *thread);
void system_call(struct thread *thread, uint64_t call, uint64_t cap, const uint64_t *words);
/* The nth capability of the process with this interface (0: any), counted round; 0: none. */
cap_id_t system_capability(const struct process *process, uint32_t interface, unsigned n);
/* Stores as the user would.  Gives: false where the user would have faulted. */
bool system_poke(struct process *process, virt_addr_t address, const void *from, size_t bytes);

void system_expect(bool holds, const char *what, uint64_t value);

#endif
