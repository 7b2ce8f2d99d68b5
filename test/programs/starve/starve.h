// SPDX-License-Identifier: BSD-2-Clause
/*
 * starve: every kind of operation that takes something is made to run out at each of
 * its fault points in turn (machine.starve), until it gets through.  Each time it must
 * say what ran out, by the very status of the step that did, and leave budgets and
 * frames as they were (LG2).
 */
#ifndef STARVE_H
#define STARVE_H

#include "abi/invoke.h"
#include "abi/methods.h"
#include "abi/rights.h"
#include "cadastre/capset.h"
#include "cadastre/check.h"
#include "cadastre/clients.h"
#include "cadastre/message.h"
#include "cadastre/stock.h"

#define MILLISECONDS UINT64_C(1000000)
#define READ_WRITE   (CAD_PROT_READ | CAD_PROT_WRITE)
#define EVERY        UINT64_MAX /* this pass and all later ones */

struct subject {
    const char *name;
    void (*prepare)(void);   /* before each try; NULL: nothing */
    status_t (*run)(void);   /* one invocation */
    void (*undo)(void);      /* after it worked; NULL: what it made stays */
    status_t worked;         /* what it gives when nothing ran out */
};

/* Makes each step of `subject` run out.  A step whose failure does not show, because the
 * kernel tried again or can do without, is made to fail for good as well. */
void starve(const struct subject *subject);
/* Orders it of the caller's page faults or next invocation (CAD_STARVE_*). */
void starve_order(uint64_t what, uint64_t first, uint64_t count);
struct starve_answer {
    uint64_t passed, refused;
    status_t status; /* of the first refused step */
};
struct starve_answer starve_ask(void);

extern cap_id_t self_process, self_table, self_ledger, self_space, self_memory, self_park;
extern cap_id_t allocator, inspector;
extern cap_id_t nursery; /* the ledger that children are paid from */

void drop(cap_id_t cap);
uint64_t now_ns(void);
void sleep_ms(uint64_t milliseconds);

struct helper {
    void (*run)(struct helper *self);
    cap_id_t thread;
    volatile uint32_t go;
    volatile status_t status;
    unsigned char stack[16384] __attribute__((aligned(16)));
};
/* A native thread: it makes invocations and touches no C library. */
void helper_start(struct helper *helper, void (*run)(struct helper *));
void helper_join(struct helper *helper);

void starve_pools(void);
void starve_memory(void);
void starve_authority(void);
void starve_threads(void);
void starve_messages(void);
void starve_spawn(void);
void starve_faults(void);
/* What a child does, by its argument. */
int child_main(int argc, char **argv);

#endif
