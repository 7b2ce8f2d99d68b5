// SPDX-License-Identifier: BSD-2-Clause
/*
 * races: operations that meet in the middle of each other.  What is checked is
 * what must hold whoever comes first: nobody writes to memory of others, no
 * promise of memory is broken, nobody waits for ever, the machine stays up.
 *
 * Its threads are native ones: they make native invocations and touch no C
 * library.  What is expected to fault runs in a child, which this program itself is.
 */
#ifndef RACES_H
#define RACES_H

#include "abi/invoke.h"
#include "abi/methods.h"
#include "abi/rights.h"
#include "cadastre/capset.h"
#include "cadastre/check.h"
#include "cadastre/clients.h"
#include "cadastre/message.h"
#include "cadastre/spawn.h"

#define MILLISECONDS UINT64_C(1000000)
/* How long something that must happen may take: the host may be busy, and so may the guest. */
#define PATIENCE     (60000 * MILLISECONDS)

struct racer {
    void (*run)(struct racer *self);
    cap_id_t thread;
    volatile uint32_t running; /* its address is unparked when it exits */
    volatile status_t status;  /* of what it did last */
    volatile uint64_t rounds;  /* how many it did, or is to do */
    uint64_t word;             /* what it works with */
    unsigned char stack[8192] __attribute__((aligned(16)));
};

void racer_start(struct racer *racer, void (*run)(struct racer *));
/* Waits until it has ended. */
void racer_join(struct racer *racer);

uint64_t now_ns(void);
/* About that long without an invocation. */
void spin(uint64_t turns);
uint64_t random_next(uint64_t *state);
/* This program as a child that does `what`, with some of its capabilities; limits of its own.
 * One that speaks has the console: its native threads must not, they have no C library. */
cap_id_t child_start(const char *what, bool speaks);
/* Gives: the reason of its end (CAD_EXIT_*), and its status. */
uint64_t child_join(cap_id_t child, uint64_t *status);

extern cap_id_t self_process, self_table, self_ledger, self_space, self_memory, frames;

void test_ended_process(void);
void test_failing_calls(void);
void test_revoked_grants(void);
void test_busy_revoke(void);
void test_promised_memory(void);
void test_given_back(void);
void test_freed_pages(void);
/* Some seconds, `times` over. */
void test_reused_frames(uint64_t times);
void test_ends_under_faults(void);
void test_killed_anywhere(void);
/* In a child whose metadata is used up: an object is deleted and another allocated. */
_Noreturn void child_gives_back(void);
/* In children: threads on all CPUs fault, and it exits, or waits to be killed. */
_Noreturn void child_exits_faulting(void);
_Noreturn void child_faults(void);
/* Threads are killed in the middle of every operation. */
_Noreturn void child_kills(void);
/* In the child: unmaps pages that other CPUs write to, while their last capability goes. */
void child_unmap(void);

#endif
