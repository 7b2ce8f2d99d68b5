// SPDX-License-Identifier: BSD-2-Clause
/*
 * Many threads at once: calls whose deadlines pass while the reply is on its
 * way, threads killed in the middle of whatever they do, signals and parks.
 * What is checked is that everything ends and every charge comes back.
 */
#include "execution.h"

enum { CLIENTS = 6, SERVERS = 2, ROUNDS = 300 };

static struct worker servers[SERVERS], clients[CLIENTS];

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void serve_slowly(struct worker *self)
{
    uint64_t random = (uint64_t)self | 1;
    struct cad_message message = {0};

    while (self->status == CAD_OK) {
        self->status = cad_message_receive(self->cap, &message, FOREVER);
        if (self->status != CAD_OK)
            return;
        for (uint64_t spins = random_next(&random) % 20000; spins > 0; spins--)
            self->result = spins;
        status_t status = cad_message_reply(self->cap, &message);
        if (status != CAD_OK && status != CAD_BAD_TOKEN)
            self->status = status;
    }
}

static void call_hastily(struct worker *self)
{
    uint64_t random = (uint64_t)self | 1;

    for (uint64_t i = 0; i < self->rounds; i++) {
        struct cad_message message = {.words = {i}};
        uint64_t deadline = now_ns() + random_next(&random) % 200000;
        status_t status = cad_message_call(self->cap, &message, deadline);
        if (status != CAD_OK && status != CAD_TIMED_OUT)
            self->status = status;
        if (status == CAD_OK && message.words[0] != i)
            self->status = CAD_MISMATCH;
        self->step++;
    }
}

static void deadline_storm(void)
{
    cap_id_t endpoint = new_endpoint();

    for (unsigned i = 0; i < SERVERS; i++) {
        servers[i] = (struct worker){.cap = endpoint};
        worker_start(&servers[i], serve_slowly);
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = (struct worker){.cap = endpoint, .rounds = ROUNDS};
        worker_start(&clients[i], call_hastily);
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        worker_join(&clients[i]);
        CHECK_STATUS(clients[i].status, CAD_OK);
        CHECK_EQUAL(clients[i].step, ROUNDS);
    }
    drop(endpoint);
    for (unsigned i = 0; i < SERVERS; i++) {
        worker_join(&servers[i]);
        /* STALE if it was between two calls when the capability went */
        CHECK_THAT(servers[i].status == CAD_DISCONNECTED || servers[i].status == CAD_STALE);
    }
}

static void busy(struct worker *self)
{
    uint64_t woken, bits;

    for (;;) {
        struct cad_message message = {0};
        (void)cad_message_call(self->cap, &message, now_ns() + 50000);
        (void)cad_notification_signal(self->other, 1);
        (void)cad_notification_wait(self->other, now_ns() + 50000, &bits);
        (void)cad_park_space_park(self_park, (uint64_t)&self->word, 0, now_ns() + 50000);
        (void)cad_park_space_unpark(self_park, (uint64_t)&self->word, 1, &woken);
        (void)cad_process_thread_yield(self_process);
    }
}

static void kill_storm(void)
{
    cap_id_t endpoint = new_endpoint(), notification = new_notification();
    uint64_t random = 12345;

    servers[0] = (struct worker){.cap = endpoint};
    worker_start(&servers[0], serve_slowly);
    for (unsigned round = 0; round < 25; round++) {
        for (unsigned i = 0; i < CLIENTS; i++) {
            clients[i] = (struct worker){.cap = endpoint, .other = notification};
            worker_start(&clients[i], busy);
        }
        for (unsigned i = 0; i < CLIENTS; i++) {
            (void)cad_clock_sleep(the_clock, now_ns() + random_next(&random) % 300000);
            worker_kill(&clients[i]);
        }
    }
    worker_kill(&servers[0]);
    drop(notification);
    drop(endpoint);
}

void test_storms(void)
{
    deadline_storm();
    kill_storm();
}
