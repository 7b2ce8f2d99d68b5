// SPDX-License-Identifier: BSD-2-Clause
/*
 * Calls as hostile programs make them, out of the fuzzer's bytes: any method of
 * abi/methods.h, arguments that mostly are what their names say, so that calls get far,
 * else from the edges: 0, all ones, powers of two and one less, a word that the kernel
 * gave out before (so: ids that are stale by now), any other.
 */
#ifndef FUZZ_HOSTILE_H
#define FUZZ_HOSTILE_H

#include "kernel/thread.h"
#include "test/fuzz/machine/input.h"

extern struct input input;

void hostile_start(const uint8_t *data, size_t bytes);
/* A word that the kernel gave out: later arguments may be it. */
void hostile_see(uint64_t word);

/* The token of a call, if it is one: replies name one of the last. */
void hostile_see_token(uint64_t word);

struct hostile_call {
    uint64_t call, cap, words[CAD_MESSAGE_WORDS];
};
void hostile_call(const struct thread *thread, struct hostile_call *call);

uint64_t word_edge(void);
uint64_t word_address(const struct thread *thread);
/* A capability of the thread's process with this interface, 0: any. */
uint64_t word_capability(const struct thread *thread, uint32_t interface);

#endif
