// SPDX-License-Identifier: BSD-2-Clause
/* Calls and replies; deadlines of each half; tokens; the end of an endpoint; transfers. */
#include "execution.h"

static struct worker server, client, second;

static void serve(struct worker *self)
{
    struct cad_message message = {0};

    self->status = cad_message_receive(self->cap, &message, FOREVER);
    while (self->status == CAD_OK && message.words[0] != 0) {
        self->step++;
        message.words[1] = message.words[0] * 2 + message.badge;
        message.transfer = 0;
        self->status = cad_message_reply_receive(self->cap, &message);
    }
    if (self->status == CAD_OK)
        self->status = cad_message_reply(self->cap, &message);
}

static void call_many(struct worker *self)
{
    for (uint64_t i = 1; i <= self->rounds && self->status == CAD_OK; i++) {
        struct cad_message message = {.words = {i, 7, 8, 9}};
        self->status = cad_message_call(self->cap, &message, self->deadline_ns);
        if (self->status == CAD_OK && message.words[1] == i * 2 + self->other)
            self->result++;
    }
}

static void call_once(struct worker *self)
{
    self->status = cad_message_call(self->cap, &self->message, self->deadline_ns);
}

static void ping_pong(void)
{
    cap_id_t endpoint = new_endpoint();
    struct cad_message last = {0};

    server.cap = endpoint;
    client = (struct worker){.other = 100, .rounds = 2000, .deadline_ns = FOREVER};
    second = (struct worker){.other = 5, .rounds = 2000, .deadline_ns = FOREVER};
    client.cap = derive(endpoint, CAD_RIGHT_CALL, client.other);
    second.cap = derive(endpoint, CAD_RIGHT_CALL, second.other);
    worker_start(&server, serve);
    worker_start(&client, call_many);
    worker_start(&second, call_many);
    worker_join(&client);
    worker_join(&second);
    CHECK_EQUAL(client.result, 2000);
    CHECK_EQUAL(second.result, 2000);
    CHECK_OK(cad_message_call(endpoint, &last, FOREVER));
    worker_join(&server);
    CHECK_EQUAL(server.step, 4000);
    drop(client.cap);
    drop(second.cap);
    drop(endpoint);
}

/* A call that was received before its deadline, and answered after it.  On a busy machine it
 * may not be received in time: then again, with more of it. */
static void late_reply(cap_id_t endpoint)
{
    struct cad_message message = {0};
    status_t received = CAD_TIMED_OUT;

    for (uint64_t wait = 20 * MILLISECONDS; received == CAD_TIMED_OUT && wait < PATIENCE;
         wait *= 2) {
        client = (struct worker){.cap = endpoint, .deadline_ns = now_ns() + wait};
        worker_start(&client, call_once);
        received = cad_message_receive(endpoint, &message, client.deadline_ns);
        worker_join(&client);
        CHECK_STATUS(client.status, CAD_TIMED_OUT);
    }
    REQUIRE_OK(received);
    CHECK_STATUS(cad_message_reply(endpoint, &message), CAD_BAD_TOKEN);
}

static void deadlines(void)
{
    cap_id_t endpoint = new_endpoint();
    struct cad_message message = {0};

    CHECK_STATUS(cad_message_call(endpoint, &message, 0), CAD_WOULD_BLOCK);
    CHECK_STATUS(cad_message_call(endpoint, &message, 1), CAD_TIMED_OUT);
    CHECK_STATUS(cad_message_receive(endpoint, &message, 0), CAD_WOULD_BLOCK);
    CHECK_STATUS(cad_message_receive(endpoint, &message, now_ns() + 2 * MILLISECONDS),
                 CAD_TIMED_OUT);
    uint64_t deadline = now_ns() + 3 * MILLISECONDS;
    CHECK_STATUS(cad_message_call(endpoint, &message, deadline), CAD_TIMED_OUT);
    CHECK_THAT(now_ns() >= deadline);
    late_reply(endpoint);
    /* a good reply is good once; a forged one never */
    client = (struct worker){.cap = endpoint, .deadline_ns = FOREVER};
    worker_start(&client, call_once);
    REQUIRE_OK(cad_message_receive(endpoint, &message, FOREVER));
    struct cad_message forged = message;
    forged.token ^= UINT64_C(1) << 20;
    CHECK_STATUS(cad_message_reply(endpoint, &forged), CAD_BAD_TOKEN);
    forged.token = 0;
    CHECK_STATUS(cad_message_reply(endpoint, &forged), CAD_BAD_TOKEN);
    forged.token = UINT64_MAX;
    CHECK_STATUS(cad_message_reply(endpoint, &forged), CAD_BAD_TOKEN);
    CHECK_OK(cad_message_reply(endpoint, &message));
    worker_join(&client);
    CHECK_STATUS(client.status, CAD_OK);
    CHECK_STATUS(cad_message_reply(endpoint, &message), CAD_BAD_TOKEN);
    drop(endpoint);
}

/* Callers are told when nobody can receive any more. */
static void closing(void)
{
    cap_id_t endpoint = new_endpoint();
    cap_id_t callers = derive(endpoint, CAD_RIGHT_CALL, 0);
    struct cad_message message = {0};

    client = (struct worker){.cap = callers, .deadline_ns = FOREVER};
    second = (struct worker){.cap = callers, .deadline_ns = now_ns() + PATIENCE};
    worker_start(&client, call_once);
    worker_start(&second, call_once);
    worker_reach(&client, STATE_CALLING);
    worker_reach(&second, STATE_CALLING);
    CHECK_EQUAL(ledger_used(CAD_RESOURCE_CALLS), 2);
    drop(endpoint);
    worker_join(&client);
    worker_join(&second);
    CHECK_STATUS(client.status, CAD_DISCONNECTED);
    CHECK_STATUS(second.status, CAD_DISCONNECTED);
    CHECK_STATUS(cad_message_call(callers, &message, FOREVER), CAD_DISCONNECTED);
    drop(callers);
    CHECK_STATUS(cad_message_call(callers, &message, FOREVER), CAD_STALE);
    /* a receiver whose own capability goes */
    endpoint = new_endpoint();
    server.cap = endpoint;
    worker_start(&server, serve);
    worker_reach(&server, STATE_RECEIVING);
    drop(endpoint);
    worker_join(&server);
    CHECK_STATUS(server.status, CAD_DISCONNECTED);
}

void test_endpoints(void)
{
    ping_pong();
    deadlines();
    closing();
}

/* --- capabilities in messages --- */

static void queued_transfer(void)
{
    cap_id_t endpoint = new_endpoint(), gift = new_notification();
    struct cad_message message = {0};

    /* deleted while in transit: the sender is told, the receiver waits on (CP2) */
    client = (struct worker){.cap = endpoint, .deadline_ns = FOREVER};
    client.message = (struct cad_message){.transfer = CAD_TRANSFER(1, 0), .caps = {gift}};
    worker_start(&client, call_once);
    worker_reach(&client, STATE_CALLING);
    drop(gift);
    CHECK_STATUS(cad_message_receive(endpoint, &message, now_ns() + 5 * MILLISECONDS),
                 CAD_TIMED_OUT);
    worker_join(&client);
    CHECK_STATUS(client.status, CAD_STALE);
    /* moved while queued: the old name is gone, the new one works */
    gift = new_notification();
    client = (struct worker){.cap = endpoint, .deadline_ns = FOREVER};
    client.message = (struct cad_message){.transfer = CAD_TRANSFER(2, 2), .caps = {endpoint, gift}};
    worker_start(&client, call_once);
    REQUIRE_OK(cad_message_receive(endpoint, &message, FOREVER));
    CHECK_EQUAL(message.transfer, 2);
    CHECK_STATUS(cad_notification_signal(gift, 1), CAD_STALE);
    CHECK_OK(cad_notification_signal(message.caps[1], 1));
    drop(message.caps[0]);
    gift = message.caps[1];
    message.transfer = CAD_TRANSFER(1, 1); /* and back, moved, in the reply */
    message.caps[0] = gift;
    CHECK_OK(cad_message_reply(endpoint, &message));
    worker_join(&client);
    CHECK_STATUS(client.status, CAD_OK);
    CHECK_EQUAL(client.message.transfer, 1);
    CHECK_STATUS(cad_notification_signal(gift, 1), CAD_STALE);
    CHECK_OK(cad_notification_signal(client.message.caps[0], 1));
    drop(client.message.caps[0]);
    drop(endpoint);
}

static void bad_transfers(void)
{
    cap_id_t endpoint = new_endpoint(), gift = new_notification();
    cap_id_t kept = derive(gift, CAD_RIGHT_SIGNAL, 0);
    struct cad_message message = {.transfer = CAD_TRANSFER(5, 0)};

    CHECK_STATUS(cad_message_call(endpoint, &message, FOREVER), CAD_INVALID);
    message.transfer = CAD_TRANSFER(1, 2);
    CHECK_STATUS(cad_message_call(endpoint, &message, FOREVER), CAD_INVALID);
    message.transfer = CAD_TRANSFER(1, 0);
    CHECK_STATUS(cad_message_call(endpoint, &message, FOREVER), CAD_STALE);
    message.caps[0] = kept;
    CHECK_STATUS(cad_message_call(endpoint, &message, FOREVER), CAD_NOT_TRANSFERABLE);
    /* the same one twice, once to move: refused at delivery, to a receiver that waits on */
    server.cap = endpoint;
    worker_start(&server, serve);
    worker_reach(&server, STATE_RECEIVING);
    message = (struct cad_message){.transfer = CAD_TRANSFER(2, 1), .caps = {gift, gift}};
    CHECK_STATUS(cad_message_call(endpoint, &message, FOREVER), CAD_INVALID);
    worker_reach(&server, STATE_RECEIVING);
    CHECK_EQUAL(server.step, 0);
    message = (struct cad_message){.words = {21}};
    CHECK_OK(cad_message_call(endpoint, &message, FOREVER));
    CHECK_EQUAL(message.words[1], 42);
    worker_kill(&server);
    drop(kept);
    drop(gift);
    drop(endpoint);
}

void test_transfers(void)
{
    queued_transfer();
    bad_transfers();
}
