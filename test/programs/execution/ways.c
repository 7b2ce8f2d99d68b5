// SPDX-License-Identifier: BSD-2-Clause
/*
 * The direct way of a call and a reply (kernel/endpoint_direct.c) beside the long one: a
 * deadline, however far, or `reply` and `receive` apart, takes the long way to the same end.
 */
#include <string.h>

#include "execution.h"

#define CALL_OF(method) CAD_CALL(CAD_INTERFACE_ENDPOINT, CAD_METHOD_ENDPOINT_##method)

enum { GOODBYE = 99, TOKEN_WORD = 9, TOKEN_THREAD_MASK = (1 << 18) - 1 };

/* What both ends of one call saw. */
struct exchange {
    uint64_t sent[CAD_MESSAGE_WORDS], answered[CAD_MESSAGE_WORDS];
    uint64_t sent_badge, answered_badge, calls_charged;
    status_t status, receive_status;
};

static struct exchange seen; /* the server's part */

static void server_look(const uint64_t *words, uint64_t badge, status_t status)
{
    memcpy(seen.sent, words, sizeof seen.sent);
    seen.sent[TOKEN_WORD] &= TOKEN_THREAD_MASK; /* the rest counts the calls */
    seen.sent_badge = badge;
    seen.receive_status = status;
    seen.calls_charged = ledger_used(CAD_RESOURCE_CALLS);
}

/* An answer that is no echo; the token stays in its word. */
static void answer(uint64_t *words)
{
    for (unsigned i = 0; i < 4; i++)
        words[i] = ~words[i] + i;
    memset(&words[4], 0, 5 * sizeof words[0]);
}

static void serve_directly(struct worker *self)
{
    uint64_t words[CAD_MESSAGE_WORDS] = {FOREVER}, badge;
    status_t status = cad_invoke_10(CALL_OF(receive), self->cap, words, &badge);

    while (status == CAD_OK && words[0] != GOODBYE) {
        server_look(words, badge, status);
        answer(words);
        status = cad_invoke_10(CALL_OF(reply_receive), self->cap, words, &badge);
    }
    answer(words);
    self->status = cad_invoke_10(CALL_OF(reply), self->cap, words, &badge);
}

static void serve_apart(struct worker *self)
{
    uint64_t badge;

    for (uint64_t first = 0; first != GOODBYE && self->status == CAD_OK;) {
        uint64_t words[CAD_MESSAGE_WORDS] = {FOREVER};
        status_t status = cad_invoke_10(CALL_OF(receive), self->cap, words, &badge);

        first = words[0];
        server_look(words, badge, status);
        answer(words);
        self->status = cad_invoke_10(CALL_OF(reply), self->cap, words, &badge);
    }
}

static void client_call(cap_id_t cap, uint64_t first, uint64_t deadline_ns,
                        struct exchange *exchange)
{
    uint64_t words[CAD_MESSAGE_WORDS] = {first, 2, UINT64_MAX, 4, 0, 6, 7, 8, 9, deadline_ns};
    uint64_t badge;
    status_t status = cad_invoke_10(CALL_OF(call), cap, words, &badge);

    *exchange = seen;
    exchange->status = status;
    memcpy(exchange->answered, words, sizeof words);
    exchange->answered[TOKEN_WORD] = 0; /* ours still: the deadline */
    exchange->answered_badge = badge;
}

static struct worker server;

static void one_server(void (*serve)(struct worker *), cap_id_t endpoint, cap_id_t caller,
                       struct exchange exchanges[2])
{
    struct exchange last;

    server = (struct worker){.cap = endpoint};
    worker_start(&server, serve);
    for (unsigned i = 0; i < 4; i++) { /* the receiver waits, or the caller is queued */
        if (i % 2 == 0)
            worker_reach(&server, STATE_RECEIVING);
        client_call(caller, 1, i < 2 ? FOREVER : now_ns() + PATIENCE, &exchanges[0]);
        CHECK_OK(exchanges[0].status);
        if (i == 0)
            exchanges[1] = exchanges[0];
        CHECK_THAT(memcmp(&exchanges[0], &exchanges[1], sizeof exchanges[0]) == 0);
        CHECK_EQUAL(ledger_used(CAD_RESOURCE_CALLS), 0);
    }
    client_call(caller, GOODBYE, FOREVER, &last);
    worker_join(&server);
    CHECK_OK(server.status);
}

static void refused_alike(cap_id_t cap, status_t wanted)
{
    struct exchange exchange;

    client_call(cap, 1, FOREVER, &exchange);
    CHECK_STATUS(exchange.status, wanted);
    client_call(cap, 1, now_ns() + PATIENCE, &exchange);
    CHECK_STATUS(exchange.status, wanted);
    CHECK_EQUAL(ledger_used(CAD_RESOURCE_CALLS), 0);
}

static void token_refused_alike(cap_id_t cap, uint64_t token, status_t wanted)
{
    uint64_t words[CAD_MESSAGE_WORDS] = {[TOKEN_WORD] = token}, badge;

    CHECK_STATUS(cad_invoke_10(CALL_OF(reply_receive), cap, words, &badge), wanted);
    words[TOKEN_WORD] = token;
    CHECK_STATUS(cad_invoke_10(CALL_OF(reply), cap, words, &badge), wanted);
}

/* What a call through it would find is a receiver that waits. */
static void refused_calls(cap_id_t endpoint, cap_id_t caller)
{
    cap_id_t stale = derive(endpoint, CAD_RIGHT_CALL, 0), notification = new_notification();
    cap_id_t receiver = derive(endpoint, CAD_RIGHT_RECEIVE, 0);
    struct exchange last;

    server = (struct worker){.cap = endpoint};
    worker_start(&server, serve_directly);
    worker_reach(&server, STATE_RECEIVING);
    drop(stale);
    refused_alike(stale, CAD_STALE);
    refused_alike(notification, CAD_WRONG_TYPE);
    refused_alike(receiver, CAD_NO_RIGHT);
    client_call(caller, GOODBYE, FOREVER, &last);
    CHECK_OK(last.status);
    worker_join(&server);
    drop(receiver);
    drop(notification);
}

static void call_once(struct worker *self)
{
    uint64_t words[CAD_MESSAGE_WORDS] = {1, [TOKEN_WORD] = FOREVER}, badge;

    self->status = cad_invoke_10(CALL_OF(call), self->cap, words, &badge);
    self->result = words[0];
}

/* What a reply through it would find is a caller that waits. */
static void refused_replies(cap_id_t endpoint, cap_id_t caller)
{
    uint64_t words[CAD_MESSAGE_WORDS] = {FOREVER}, badge;
    cap_id_t stale = derive(endpoint, CAD_RIGHT_RECEIVE, 0);

    server = (struct worker){.cap = caller};
    worker_start(&server, call_once);
    CHECK_OK(cad_invoke_10(CALL_OF(receive), endpoint, words, &badge));
    uint64_t token = words[TOKEN_WORD];
    drop(stale);
    token_refused_alike(stale, token, CAD_STALE);
    token_refused_alike(caller, token, CAD_NO_RIGHT);
    token_refused_alike(endpoint, 0, CAD_BAD_TOKEN);
    token_refused_alike(endpoint, UINT64_MAX, CAD_BAD_TOKEN);
    token_refused_alike(endpoint, token - (1 << 18), CAD_BAD_TOKEN);
    token_refused_alike(endpoint, token + (2 << 18), CAD_BAD_TOKEN);
    words[0] = 7;
    CHECK_OK(cad_invoke_10(CALL_OF(reply), endpoint, words, &badge));
    worker_join(&server);
    CHECK_OK(server.status);
    CHECK_EQUAL(server.result, 7);
    token_refused_alike(endpoint, token, CAD_BAD_TOKEN);
}

void test_ways(void)
{
    cap_id_t endpoint = new_endpoint(), caller = derive(endpoint, CAD_RIGHT_CALL, 1234);
    struct exchange directly[2], apart[2];

    one_server(serve_directly, endpoint, caller, directly);
    one_server(serve_apart, endpoint, caller, apart);
    CHECK_EQUAL(directly[0].sent_badge, 1234);
    CHECK_EQUAL(directly[0].answered_badge, 0);
    CHECK_EQUAL(directly[0].calls_charged, 1);
    CHECK_EQUAL(directly[0].answered[0], ~UINT64_C(1));
    CHECK_THAT(memcmp(&directly[0], &apart[0], sizeof directly[0]) == 0);
    refused_calls(endpoint, caller);
    refused_replies(endpoint, caller);
    drop(caller);
    drop(endpoint);
    refused_alike(caller, CAD_STALE);
}
