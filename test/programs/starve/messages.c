// SPDX-License-Identifier: BSD-2-Clause
/*
 * Calls, and capabilities that travel with them: moved by whoever comes second, so by
 * the caller here and by the receiver there.
 */
#include "starve.h"

enum { CAPS = 2, EARLY_MAX = 100 };

static cap_id_t endpoint, cargo[CAPS];
static uint64_t deadline_ns;
static struct helper server, caller;

static void soon(void)
{
    deadline_ns = now_ns() + 2 * MILLISECONDS;
}

static void nothing(void)
{
}

static struct cad_message cargo_message(void)
{
    return (struct cad_message){.transfer = CAD_TRANSFER(CAPS, 0), .caps = {cargo[0], cargo[1]}};
}

static void drop_received(const struct cad_message *message)
{
    for (unsigned i = 0; i < CAPS; i++)
        (void)cad_cap_table_delete(self_table, message->caps[i]);
}

/* --- nobody receives --- */

static status_t call_nobody(void)
{
    struct cad_message message = {0};

    return cad_message_call(endpoint, &message, deadline_ns);
}

/* --- a receiver waits --- */

static void serve(struct helper *self)
{
    struct cad_message message = {0};

    self->status = cad_message_receive(endpoint, &message, CAD_DEADLINE_FOREVER);
    while (self->status == CAD_OK) {
        drop_received(&message);
        struct cad_message answer = {.token = message.token};
        self->status = cad_message_reply_receive(endpoint, &answer);
        message = answer;
    }
}

static status_t call_server(void)
{
    struct cad_message message = cargo_message();

    return cad_message_call(endpoint, &message, CAD_DEADLINE_FOREVER);
}

/* Words alone: kernel/endpoint_direct.c. */
static status_t call_directly(void)
{
    struct cad_message message = {0};

    return cad_message_call(endpoint, &message, CAD_DEADLINE_FOREVER);
}

/* --- a caller waits --- */

static void call_on_order(struct helper *self)
{
    for (;;) {
        struct cad_message message = cargo_message();
        while (self->go == 0)
            (void)cad_process_thread_yield(self_process);
        if (self->go == 2)
            return;
        self->status = cad_message_call(endpoint, &message, CAD_DEADLINE_FOREVER);
        self->go = 0;
    }
}

static void let_call(void)
{
    caller.go = 1;
    sleep_ms(3); /* it waits by then, on an idle machine */
    deadline_ns = now_ns() + 100 * MILLISECONDS;
}

static struct cad_message received;

static status_t receive(void)
{
    return cad_message_receive(endpoint, &received, deadline_ns);
}

static void reply(void)
{
    drop_received(&received);
    received.transfer = 0;
    CHECK_OK(cad_message_reply(endpoint, &received));
}

/* The refusal is the caller's; the receiver waits on for another call, in vain.
 * So its own status is TIMED_OUT for each step that ran out. */
static void starve_receive(void)
{
    uint64_t point = 0;
    unsigned early = 0;
    struct starve_answer answer;

    do {
        let_call();
        starve_order(CAD_STARVE_CALL, ++point, 1);
        status_t status = receive();
        answer = starve_ask();
        CHECK_STATUS(status, answer.refused != 0 ? CAD_TIMED_OUT : CAD_OK);
        if (status == CAD_OK)
            reply();
        for (unsigned i = 0; i < 1000 && caller.go != 0; i++)
            sleep_ms(1);
        CHECK_EQUAL(caller.go, 0);
        CHECK_STATUS(caller.status, answer.refused != 0 ? answer.status : CAD_OK);
        if (answer.passed == 0) {
            point--; /* the receiver came first: once more */
            early++;
        }
    } while ((answer.refused != 0 || answer.passed == 0) && early < EARLY_MAX &&
             check_failures == 0);
    printf("receive: %" PRIu64 " points\n", point - 1);
    CHECK_THAT(point > CAPS);
}

/* --- the other end goes with its thread --- */

static void stop_server(void)
{
    REQUIRE_OK(cad_thread_kill(server.thread));
    helper_join(&server);
}

void starve_messages(void)
{
    static const struct subject nobody = {"call that nobody receives", soon, call_nobody, nothing,
                                          CAD_TIMED_OUT};
    static const struct subject call = {"call with capabilities", NULL, call_server, nothing,
                                        CAD_OK};
    static const struct subject direct = {"call of words", NULL, call_directly, nothing, CAD_OK};

    REQUIRE_OK(cad_ledger_create_endpoint(self_ledger, &endpoint));
    REQUIRE_OK(cad_frame_allocator_allocate(allocator, 2, &cargo[0]));
    REQUIRE_OK(cad_ledger_create_notification(self_ledger, &cargo[1]));
    starve(&nobody);
    helper_start(&server, serve);
    sleep_ms(5);
    starve(&call);
    starve(&direct);
    stop_server();
    helper_start(&caller, call_on_order);
    starve_receive();
    caller.go = 2;
    helper_join(&caller);
    drop(cargo[0]);
    drop(cargo[1]);
    drop(endpoint);
}
