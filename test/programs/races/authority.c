// SPDX-License-Identifier: BSD-2-Clause
/* Ended processes, calls whose capabilities do not move, grants that are revoked meanwhile. */
#include "races.h"

enum { CALLS_MS = 800, SPAWNS = 24, REVOKES = 20 };

static cap_id_t endpoint, grant;
static struct racer first, second, third;

/* Whoever still names a process that has ended makes no thread in it, and breaks nothing. */
void test_ended_process(void)
{
    cap_id_t child = child_start("nothing", false), thread;
    uint64_t status;

    CHECK_EQUAL(child_join(child, &status), CAD_EXIT_STATUS);
    CHECK_STATUS(cad_process_create_thread(child, 0x400000, 0x500000, 0, 0, 0, CAD_PRIORITY_SAME,
                                           &thread),
                 CAD_DISCONNECTED);
    CHECK_OK(cad_cap_table_delete(self_table, child));
}

/* --- a call that fails while it holds the receiver --- */

static void serve(struct racer *self)
{
    struct cad_message message = {0};

    while (self->status == CAD_OK) {
        self->status = cad_message_receive(endpoint, &message, CAD_DEADLINE_FOREVER);
        if (self->status == CAD_OK)
            (void)cad_message_reply(endpoint, &message);
    }
}

/* One capability moved twice passes the early check and fails the transfer. */
static void call_in_vain(struct racer *self)
{
    while (self->word == 0) {
        struct cad_message message = {.transfer = CAD_TRANSFER(2, 3), .caps = {grant, grant}};
        status_t status = cad_message_call(endpoint, &message, CAD_DEADLINE_FOREVER);
        if (status != CAD_INVALID)
            self->status = status;
        self->rounds++;
    }
}

static void call_well(struct racer *self)
{
    uint64_t end_ns = now_ns() + CALLS_MS * MILLISECONDS;

    while (self->status == CAD_OK && now_ns() < end_ns) {
        struct cad_message message = {0};
        self->status = cad_message_call(endpoint, &message, now_ns() + PATIENCE);
    }
}

void test_failing_calls(void)
{
    REQUIRE_OK(cad_ledger_create_endpoint(self_ledger, &endpoint));
    REQUIRE_OK(cad_cap_table_derive(self_table, endpoint, CAD_RIGHT_ALL, 0, &grant));
    first.rounds = second.rounds = 0;
    second.word = 0;
    racer_start(&first, serve);
    racer_start(&second, call_in_vain);
    racer_start(&third, call_well);
    racer_join(&third);
    CHECK_STATUS(third.status, CAD_OK); /* TIMED_OUT: it waited beside a receiver */
    *(volatile uint64_t *)&second.word = 1;
    racer_join(&second);
    CHECK_STATUS(second.status, CAD_OK);
    CHECK_OK(cad_cap_table_delete(self_table, grant));
    CHECK_OK(cad_cap_table_delete(self_table, endpoint));
    racer_join(&first);
}

/* --- grants that are revoked while the child is made --- */

static void revoke_often(struct racer *self)
{
    uint64_t random = 99;

    while (*(volatile uint64_t *)&self->word == 0) {
        spin(random_next(&random) % 3000);
        self->status = cad_cap_table_revoke(self_table, endpoint);
        self->rounds++;
    }
}

static status_t spawn_with_grants(cap_id_t *child)
{
    static struct cad_spawn_grant grants[16];
    const char *const arguments[] = {"races", "nothing", NULL};
    struct cad_program program = {.path = "races", .arguments = arguments, .grants = grants,
                                  .grant_count = 16, .priority = CAD_PRIORITY_SAME};

    for (unsigned i = 0; i < 16; i++)
        grants[i] = (struct cad_spawn_grant){.cap = endpoint, .role = CAD_ROLE_CONSOLE,
                                             .rights = CAD_RIGHT_ALL};
    cad_default_limits(program.limits);
    program.limits[CAD_RESOURCE_COMMITTED] = 1024;
    return cad_spawn(&program, child);
}

void test_revoked_grants(void)
{
    REQUIRE_OK(cad_ledger_create_endpoint(self_ledger, &endpoint));
    first.word = 0;
    racer_start(&first, revoke_often);
    for (unsigned i = 0; i < SPAWNS; i++) {
        cap_id_t child = CAD_CAP_NONE;
        uint64_t status;
        REQUIRE_OK(spawn_with_grants(&child));
        (void)child_join(child, &status);
        CHECK_OK(cad_cap_table_delete(self_table, child));
    }
    *(volatile uint64_t *)&first.word = 1;
    racer_join(&first);
    CHECK_STATUS(first.status, CAD_OK);
    CHECK_OK(cad_cap_table_delete(self_table, endpoint));
}

/* --- a revoke whose work grows while it runs --- */

static volatile uint32_t may_derive;

static void derive_often(struct racer *self)
{
    while (may_derive == 0)
        (void)cad_process_thread_yield(self_process);
    while (*(volatile uint64_t *)&self->word == 0) {
        cap_id_t child;
        status_t status = cad_cap_table_derive(self_table, endpoint, CAD_RIGHT_ALL, 0, &child);
        if (status != CAD_OK && status != CAD_QUOTA_SLOTS && status != CAD_QUOTA_METADATA)
            self->status = status;
        self->rounds++;
    }
}

/* A revoke that others add to goes on until all is gone, and lets others run meanwhile. */
void test_busy_revoke(void)
{
    uint64_t used, limit, donated, before;

    REQUIRE_OK(cad_ledger_info(self_ledger, CAD_RESOURCE_SLOTS, &before, &limit, &donated));
    REQUIRE_OK(cad_ledger_create_endpoint(self_ledger, &endpoint));
    first.word = second.word = 0;
    racer_start(&first, derive_often);
    racer_start(&second, derive_often);
    may_derive = 1; /* from here on slots may be used up */
    for (unsigned i = 0; i < REVOKES; i++)
        CHECK_OK(cad_cap_table_revoke(self_table, endpoint));
    *(volatile uint64_t *)&first.word = *(volatile uint64_t *)&second.word = 1;
    racer_join(&first);
    racer_join(&second);
    CHECK_STATUS(first.status, CAD_OK);
    CHECK_STATUS(second.status, CAD_OK);
    CHECK_OK(cad_cap_table_revoke(self_table, endpoint));
    CHECK_OK(cad_cap_table_delete(self_table, endpoint));
    REQUIRE_OK(cad_ledger_info(self_ledger, CAD_RESOURCE_SLOTS, &used, &limit, &donated));
    CHECK_EQUAL(used, before);
}
