// SPDX-License-Identifier: BSD-2-Clause
/*
 * execution: threads, calls, waits and rings, and what happens when a thread is
 * killed, a deadline passes or an object dies in the middle of each.  Ends with
 * the ledger as it was.
 *
 * Its threads are native ones, with a stack and nothing else, so that they can
 * be killed anywhere; they make native invocations only and touch no C library.
 */
#ifndef EXECUTION_H
#define EXECUTION_H

#include "abi/invoke.h"
#include "abi/methods.h"
#include "abi/rights.h"
#include "cadastre/capset.h"
#include "cadastre/check.h"
#include "cadastre/clients.h"
#include "cadastre/message.h"

#define FOREVER      CAD_DEADLINE_FOREVER
#define MILLISECONDS UINT64_C(1000000)
/* How long something that must happen may take: the host may be busy, and so may the guest. */
#define PATIENCE     (60000 * MILLISECONDS)

struct worker {
    void (*run)(struct worker *self);
    cap_id_t thread;
    volatile uint32_t running;      /* its address is unparked when it exits */
    volatile uint32_t step;         /* how far it came */
    volatile status_t status;       /* of its last invocation */
    cap_id_t cap, other;            /* what it works on */
    uint64_t deadline_ns, rounds;
    volatile uint64_t result;
    volatile uint32_t word;
    struct cad_message message;
    unsigned char stack[8192] __attribute__((aligned(16)));
};

/* Starts the worker; it runs worker->run and exits. */
/* Of the lowest priority. */
void worker_start(struct worker *worker, void (*run)(struct worker *));
void worker_start_at(struct worker *worker, void (*run)(struct worker *), uint64_t priority);
/* Waits until it has ended, and drops its capability. */
void worker_join(struct worker *worker);
/* Kills and joins it. */
void worker_kill(struct worker *worker);
/* Waits until its thread is in that state (a name of kernel/thread.h's list, by number). */
void worker_reach(struct worker *worker, unsigned state);

enum { STATE_CALLING = 3, STATE_AWAITING_REPLY, STATE_RECEIVING, STATE_WAITING, STATE_PARKED,
       STATE_SLEEPING, STATE_JOINING, STATE_READING };

uint64_t now_ns(void);
cap_id_t new_endpoint(void);
cap_id_t new_notification(void);
cap_id_t derive(cap_id_t cap, uint64_t rights, uint64_t badge);
void drop(cap_id_t cap);
uint64_t ledger_used(enum cad_resource what);

extern cap_id_t self_process, self_table, self_ledger, self_park, the_clock;

void test_endpoints(void);
void test_transfers(void);
void test_ways(void);
void test_kills(void);
void test_waits(void);
void test_other_rings(void);
void test_own_ring(void);
void test_storms(void);

#endif
