// SPDX-License-Identifier: BSD-2-Clause
/* The capability ring with every index and entry that a hostile peer could write (RG2). */
#include <stdio.h>
#include <string.h>

#include "abi/methods.h"
#include "abi/ring.h"
#include "cadastre/capset.h"
#include "cadastre/clients.h"
#include "cadastre/status.h"
#include "hostile.h"

static struct cad_ring *ring;
static cap_id_t self;

static bool make_ring(void)
{
    uint64_t address;

    self = cad_find(CAD_ROLE_SELF_PROCESS);
    if (cad_process_ring_create(self, &address) != CAD_OK)
        return false;
    ring = (struct cad_ring *)address;
    return true;
}

static void submit(uint32_t call, cap_id_t cap, uint64_t user_data)
{
    struct cad_submission *entry =
        &ring->submissions[ring->sq_tail % CAD_RING_SUBMISSIONS];

    memset(entry, 0, sizeof *entry);
    entry->call = call;
    entry->cap = cap;
    entry->user_data = user_data;
    __atomic_store_n(&ring->sq_tail, ring->sq_tail + 1, __ATOMIC_RELEASE);
}

static int wrong(const char *what, uint64_t found, uint64_t wanted)
{
    if (found == wanted)
        return 0;
    printf("  ring: %s is %llu, expected %llu\n", what, (unsigned long long)found,
           (unsigned long long)wanted);
    return 1;
}

/* A full batch works, in order, and the answers say so. */
static int works(void)
{
    uint64_t completed = 0;
    int bad = 0;

    if (!make_ring())
        return 1;
    for (unsigned round = 0; round < 5; round++) {
        for (unsigned i = 0; i < CAD_RING_SUBMISSIONS; i++)
            submit(i % 2 == 0 ? 0 : CAD_CALL(CAD_INTERFACE_PROCESS, CAD_METHOD_PROCESS_thread_self),
                   self, round * 1000 + i);
        bad += wrong("status", cad_process_ring_enter(self, CAD_RING_SUBMISSIONS, &completed),
                     CAD_OK);
        bad += wrong("completed", completed, CAD_RING_SUBMISSIONS);
        for (unsigned i = 0; i < CAD_RING_SUBMISSIONS; i++) {
            struct cad_completion *done =
                &ring->completions[ring->cq_head % CAD_RING_COMPLETIONS];

            bad += wrong("user data", done->user_data, round * 1000 + i);
            bad += wrong("completion status", done->status, CAD_OK);
            ring->cq_head++;
        }
    }
    submit(0xdeadbeef, self, 1);
    submit(CAD_CALL(CAD_INTERFACE_CLOCK, CAD_METHOD_CLOCK_now), self, 2);
    submit(CAD_CALL(CAD_INTERFACE_PROCESS, CAD_METHOD_PROCESS_thread_self), ~0ull, 3);
    bad += wrong("status", cad_process_ring_enter(self, 3, &completed), CAD_OK);
    bad += wrong("bad call", ring->completions[ring->cq_head++ % CAD_RING_COMPLETIONS].status,
                 CAD_BAD_CALL);
    bad += wrong("bad type", ring->completions[ring->cq_head++ % CAD_RING_COMPLETIONS].status,
                 CAD_WRONG_TYPE);
    bad += wrong("stale", ring->completions[ring->cq_head++ % CAD_RING_COMPLETIONS].status,
                 CAD_STALE);
    return bad;
}

/* Indices that cannot be: refused, then usable again. */
static int bad_indices(void)
{
    static const uint32_t values[] = { 0xffffffff, 0x80000000, 65, 1000, 0x7fffffff };
    uint64_t completed;
    int bad = 0;

    if (!make_ring())
        return 1;
    for (unsigned i = 0; i < sizeof values / sizeof values[0]; i++) {
        ring->sq_tail = ring->sq_head + values[i];
        bad += wrong("bad tail", cad_process_ring_enter(self, 1, &completed), CAD_BAD_RING);
        submit(0, self, i);
        bad += wrong("after a bad tail", cad_process_ring_enter(self, 1, &completed), CAD_OK);
        ring->cq_head = ring->cq_tail;

        ring->cq_head = ring->cq_tail - values[i];
        submit(0, self, i);
        bad += wrong("bad head", cad_process_ring_enter(self, 1, &completed), CAD_BAD_RING);
        submit(0, self, i);
        bad += wrong("after a bad head", cad_process_ring_enter(self, 1, &completed), CAD_OK);
        ring->cq_head = ring->cq_tail;

        ring->sq_head += values[i]; /* the kernel keeps its own copy of its indices, or recovers */
        (void)cad_process_ring_enter(self, 1, &completed);
        ring->sq_tail = ring->sq_head;
        ring->cq_tail += values[i];
        (void)cad_process_ring_enter(self, 1, &completed);
        ring->cq_head = ring->cq_tail;
        ring->sq_tail = ring->sq_head;
        (void)cad_process_ring_enter(self, 1, &completed);
        ring->cq_head = ring->cq_tail;
        ring->sq_tail = ring->sq_head;
    }
    return bad;
}

/* Nothing but noise in every byte of the ring, again and again. Calls that would end or block
 * the process may happen: any end is right, the kernel's survival is the test. */
static int noise_everywhere(void)
{
    uint64_t completed;

    if (!make_ring())
        return 1;
    for (unsigned round = 0; round < 300; round++) {
        uint64_t *words = (uint64_t *)ring->submissions;

        for (unsigned i = 0; i < sizeof ring->submissions / 8; i++)
            words[i] = noise() % 3 == 0 ? noise() : noise() % 64;
        for (unsigned i = 0; i < CAD_RING_SUBMISSIONS; i++) {
            uint32_t interface = 1 + (uint32_t)(noise() % 18);

            /* Not what waits for ever or ends the process: that is the next attack's. */
            if (interface == CAD_INTERFACE_PROCESS || interface == CAD_INTERFACE_ENDPOINT)
                interface = CAD_INTERFACE_LEDGER;
            ring->submissions[i].call = CAD_CALL(interface, (uint32_t)(noise() % 8));
            ring->submissions[i].words[0] = noise() % 2;
        }
        ring->cq_head = ring->cq_tail;
        ring->sq_tail = ring->sq_head + (uint32_t)(noise() % 70);
        (void)cad_process_ring_enter(self, noise() % 80, &completed);
    }
    return 0;
}

/* A ring inside a ring: ring_enter, ring_create and thread_exit as submissions. */
static int nested(void)
{
    uint64_t completed;
    int bad = 0;

    if (!make_ring())
        return 1;
    submit(CAD_CALL(CAD_INTERFACE_PROCESS, CAD_METHOD_PROCESS_ring_enter), self, 1);
    submit(CAD_CALL(CAD_INTERFACE_PROCESS, CAD_METHOD_PROCESS_ring_create), self, 2);
    submit(0, self, 3);
    bad += wrong("status", cad_process_ring_enter(self, 3, &completed), CAD_OK);
    bad += wrong("completed", completed, 3);
    submit(CAD_CALL(CAD_INTERFACE_PROCESS, CAD_METHOD_PROCESS_exit), self, 4);
    ring->submissions[(ring->sq_tail - 1) % CAD_RING_SUBMISSIONS].words[0] = bad == 0 ? 33 : 34;
    (void)cad_process_ring_enter(self, 1, &completed);
    return 1;
}

const struct attack attacks_on_ring[] = {
    { "ring-works", works, CAD_EXIT_STATUS, 0 },
    { "ring-bad-indices", bad_indices, CAD_EXIT_STATUS, 0 },
    { "ring-noise", noise_everywhere, ATTACK_ANY_END, -1 },
    { "ring-nested", nested, CAD_EXIT_STATUS, 33 },
    { NULL, NULL, 0, 0 },
};
