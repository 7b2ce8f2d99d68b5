// SPDX-License-Identifier: BSD-2-Clause
/* Invocations, calls between processes, waiting and waking. */
#include <pthread.h>
#include <stddef.h>

#include "abi/methods.h"
#include "abi/ring.h"
#include "cadastre/capset.h"
#include "cadastre/clients.h"
#include "cadastre/spawn.h"
#include "measure.h"
#include "server.h"

enum { TRIPS = 256 };
#define CALL_OF(method) CAD_CALL(CAD_INTERFACE_ENDPOINT, CAD_METHOD_ENDPOINT_##method)

static cap_id_t endpoint, server, ping, pong;
static struct cad_ring *ring;
static pthread_t partner;
static volatile uint32_t word;

/* A program looks its capabilities up once. */
static cap_id_t self(void)
{
    static cap_id_t found;

    if (found == CAD_CAP_NONE)
        found = cad_find(CAD_ROLE_SELF_PROCESS);
    return found;
}

static void null_invocation(unsigned operations)
{
    cap_id_t process = self();
    uint64_t id;

    for (unsigned i = 0; i < operations; i++)
        (void)cad_process_thread_self(process, &id);
}

static void make_ring(void)
{
    uint64_t address;

    if (ring != NULL)
        return;
    if (cad_process_ring_create(self(), &address) != CAD_OK)
        give_up("ring_create");
    ring = (struct cad_ring *)address; /* all submissions are 0: no operation */
}

static void ring_of_nops(unsigned operations)
{
    uint64_t completed;

    for (unsigned i = 0; i < operations; i++) {
        __atomic_store_n(&ring->sq_tail, ring->sq_tail + CAD_RING_SUBMISSIONS, __ATOMIC_RELEASE);
        (void)cad_process_ring_enter(self(), CAD_RING_SUBMISSIONS, &completed);
        __atomic_store_n(&ring->cq_head, ring->cq_tail, __ATOMIC_RELEASE);
    }
}

/* --- two processes --- */

int serve(void)
{
    cap_id_t service = cad_find(CAD_ROLE_SERVICE);
    uint64_t words[CAD_MESSAGE_WORDS] = { CAD_DEADLINE_FOREVER }, badge;

    if (cad_invoke_10(CALL_OF(receive), service, words, &badge) != CAD_OK)
        return 1;
    while (words[0] != SERVER_GOODBYE) {
        words[4] = 0;
        if (cad_invoke_10(CALL_OF(reply_receive), service, words, &badge) != CAD_OK)
            return 1;
    }
    words[4] = 0;
    return cad_invoke_10(CALL_OF(reply), service, words, &badge) == CAD_OK ? 0 : 1;
}

void server_call(cap_id_t to, uint64_t word0)
{
    uint64_t words[CAD_MESSAGE_WORDS] = { word0, 2, 3, 4, [9] = CAD_DEADLINE_FOREVER }, badge;

    if (cad_invoke_10(CALL_OF(call), to, words, &badge) != CAD_OK)
        give_up("call");
}

static void empty_call_round_trip(unsigned operations)
{
    uint64_t badge;

    for (unsigned i = 0; i < operations; i++) {
        uint64_t words[CAD_MESSAGE_WORDS] = { [9] = CAD_DEADLINE_FOREVER };

        if (cad_invoke_10(CALL_OF(call), endpoint, words, &badge) != CAD_OK)
            give_up("call");
    }
}

static void call_round_trip(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        server_call(endpoint, 1);
}

static void start_server(void)
{
    static const char *const arguments[] = { "bench", "server", NULL };
    struct cad_spawn_grant grant = { .role = CAD_ROLE_SERVICE, .rights = CAD_RIGHT_RECEIVE };
    struct cad_program program = { .path = "bench", .arguments = arguments, .grants = &grant,
                                   .grant_count = 1 };

    if (cad_ledger_create_endpoint(cad_find(CAD_ROLE_SELF_LEDGER), &endpoint) != CAD_OK)
        give_up("create_endpoint");
    grant.cap = endpoint;
    cad_default_limits(program.limits);
    if (cad_spawn(&program, &server) != CAD_OK)
        give_up("spawn of the server");
    server_call(endpoint, 1); /* it waits now */
}

static void stop_server(void)
{
    uint64_t reason, status, address;
    cap_id_t table = cad_find(CAD_ROLE_SELF_TABLE);

    server_call(endpoint, SERVER_GOODBYE);
    (void)cad_process_wait(server, CAD_DEADLINE_FOREVER, &reason, &status, &address);
    (void)cad_cap_table_delete(table, server);
    (void)cad_cap_table_delete(table, endpoint);
}

/* --- two threads --- */

static void *answer_notifications(void *unused)
{
    uint64_t bits;

    (void)unused;
    do {
        (void)cad_notification_wait(ping, CAD_DEADLINE_FOREVER, &bits);
        (void)cad_notification_signal(pong, 1);
    } while (bits == 1);
    return NULL;
}

static void notification_round_trip(unsigned operations)
{
    uint64_t bits;

    for (unsigned i = 0; i < operations; i++) {
        (void)cad_notification_signal(ping, 1);
        (void)cad_notification_wait(pong, CAD_DEADLINE_FOREVER, &bits);
    }
}

static void start_notified(void)
{
    cap_id_t ledger = cad_find(CAD_ROLE_SELF_LEDGER);

    if (cad_ledger_create_notification(ledger, &ping) != CAD_OK ||
        cad_ledger_create_notification(ledger, &pong) != CAD_OK)
        give_up("create_notification");
    pthread_create(&partner, NULL, answer_notifications, NULL);
    notification_round_trip(1);
}

static void stop_notified(void)
{
    cap_id_t table = cad_find(CAD_ROLE_SELF_TABLE);

    (void)cad_notification_signal(ping, 2);
    pthread_join(partner, NULL);
    (void)cad_cap_table_delete(table, ping);
    (void)cad_cap_table_delete(table, pong);
}

static cap_id_t park;

/* The word is 0 when it is ours, 1 when it is the partner's, 2 when all is over. */
static void pass_the_word(uint32_t theirs)
{
    uint64_t woken;

    word = theirs;
    (void)cad_park_space_unpark(park, (uint64_t)&word, 1, &woken);
    while (word == theirs)
        (void)cad_park_space_park(park, (uint64_t)&word, theirs, CAD_DEADLINE_FOREVER);
}

static void *answer_parked(void *unused)
{
    (void)unused;
    while (word == 0)
        (void)cad_park_space_park(park, (uint64_t)&word, 0, CAD_DEADLINE_FOREVER);
    while (word == 1)
        pass_the_word(0);
    return NULL;
}

static void park_round_trip(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        pass_the_word(1);
}

static void start_parked(void)
{
    word = 0;
    park = cad_find(CAD_ROLE_SELF_PARK);
    pthread_create(&partner, NULL, answer_parked, NULL);
    park_round_trip(1);
}

static void stop_parked(void)
{
    uint64_t woken;

    word = 2;
    (void)cad_park_space_unpark(park, (uint64_t)&word, 1, &woken);
    pthread_join(partner, NULL);
}

static volatile uint32_t yields_end;

static void *yield_until_end(void *unused)
{
    (void)unused;
    while (!yields_end)
        (void)cad_process_thread_yield(self());
    return NULL;
}

static void start_yielding(void)
{
    yields_end = 0;
    pthread_create(&partner, NULL, yield_until_end, NULL);
    (void)cad_process_thread_yield(self());
}

static void stop_yielding(void)
{
    yields_end = 1;
    pthread_join(partner, NULL);
}

/* Each yield here is answered by one there: two switches. */
static void yield(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        (void)cad_process_thread_yield(self());
}

const struct metric call_metrics[] = {
    { "null_invocation", null_invocation, 0, 0, 1024, 1 },
    { "ring_nop_64_each", ring_of_nops, make_ring, 0, 16, CAD_RING_SUBMISSIONS },
    { "call_round_trip_0_words", empty_call_round_trip, start_server, stop_server, TRIPS, 1 },
    { "call_round_trip_4_words", call_round_trip, start_server, stop_server, TRIPS, 1 },
    { "notification_round_trip", notification_round_trip, start_notified, stop_notified, TRIPS, 1 },
    { "park_round_trip", park_round_trip, start_parked, stop_parked, TRIPS, 1 },
    { "yield_to_another_thread", yield, start_yielding, stop_yielding, TRIPS, 2 },
    { 0 },
};
