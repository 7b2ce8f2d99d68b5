// SPDX-License-Identifier: BSD-2-Clause
/*
 * ipc-zerocopy: a producer gives its consumer one memory object, by a transfer
 * in the first call, then writes four records into the shared pages.  Calls
 * carry only sequence number, length and checksum; no record byte is copied by
 * the kernel.  Also shown: badges, copied and moved capabilities, a reply that
 * cannot be sent twice, and the caller of a dead server being told (IP1).
 */
#include <stdio.h>
#include <string.h>

#include "abi/methods.h"
#include "cadastre/capset.h"
#include "cadastre/check.h"
#include "cadastre/clients.h"
#include "cadastre/message.h"
#include "cadastre/spawn.h"

enum { PAGES = 4, RECORDS = 4, HELLO = 1, RECORD = 2, GOODBYE = 3, DIE = 4, BADGE = 0x5eed };

static uint64_t checksum(const volatile unsigned char *bytes, size_t count)
{
    uint64_t sum = 14695981039346656037ull; /* FNV-1a */

    for (size_t i = 0; i < count; i++)
        sum = (sum ^ bytes[i]) * 1099511628211ull;
    return sum;
}

static status_t call(cap_id_t endpoint, struct cad_message *message)
{
    return cad_message_call(endpoint, message, CAD_DEADLINE_FOREVER);
}

static void set_words(struct cad_message *message, uint64_t w0, uint64_t w1, uint64_t w2,
                      uint64_t w3, uint64_t transfer)
{
    message->words[0] = w0;
    message->words[1] = w1;
    message->words[2] = w2;
    message->words[3] = w3;
    message->transfer = transfer;
}

/* The consumer: serves until told to go. */
static int consumer(void)
{
    cap_id_t endpoint = cad_find(CAD_ROLE_SERVICE), object = 0;
    const volatile unsigned char *bytes = NULL;
    uint64_t next_sequence = 0, address = 0;

    for (;;) {
        struct cad_message message = { 0 }, answer = { 0 };
        uint64_t token, kind, wrong = 0;

        REQUIRE_OK(cad_message_receive(endpoint, &message, CAD_DEADLINE_FOREVER));
        token = message.token;
        kind = message.words[0];
        CHECK_EQUAL(message.badge, BADGE);
        if (kind == HELLO) {
            CHECK_EQUAL(CAD_TRANSFER_COUNT(message.transfer), 1);
            object = message.caps[0];
            CHECK_OK(cad_memory_object_map(object, cad_find(CAD_ROLE_SELF_SPACE), 0, 0, PAGES,
                                           CAD_PROT_READ, 0, &address));
            bytes = (const volatile unsigned char *)address;
        } else if (kind == RECORD) {
            wrong = message.words[1] != next_sequence++ ||
                    checksum(bytes + message.words[1] * PAGE_SIZE, message.words[2]) !=
                        message.words[3];
        } else if (kind == DIE) {
            return 5; /* with the call unanswered */
        }
        set_words(&answer, wrong, next_sequence, 0, 0, 0);
        answer.token = token;
        CHECK_OK(cad_message_reply(endpoint, &answer));
        answer.token = token;
        CHECK_STATUS(cad_message_reply(endpoint, &answer), CAD_BAD_TOKEN);
        answer.token = token + 1;
        CHECK_STATUS(cad_message_reply(endpoint, &answer), CAD_BAD_TOKEN);
        if (kind == GOODBYE)
            break;
    }
    CHECK_OK(cad_memory_object_unmap(object, cad_find(CAD_ROLE_SELF_SPACE), address, PAGES));
    return check_report("ipc-zerocopy (consumer)");
}

static void send_records(cap_id_t endpoint, volatile unsigned char *bytes)
{
    for (uint64_t sequence = 0; sequence < RECORDS; sequence++) {
        struct cad_message message = { 0 };
        size_t length = 1000 + sequence * 900;
        volatile unsigned char *record = bytes + sequence * PAGE_SIZE;

        for (size_t i = 0; i < length; i++)
            record[i] = (unsigned char)(i * 7 + sequence * 31);
        set_words(&message, RECORD, sequence, length, checksum(record, length), 0);
        CHECK_OK(call(endpoint, &message));
        CHECK_EQUAL(message.words[0], 0);
        CHECK_EQUAL(message.words[1], sequence + 1);
        printf("record %llu: %zu bytes seen through the shared pages\n",
               (unsigned long long)sequence, length);
    }
}

static cap_id_t start_consumer(cap_id_t endpoint)
{
    static const char *const arguments[] = { "ipc-zerocopy", "consumer", NULL };
    struct cad_spawn_grant grants[] = {
        { .cap = endpoint, .role = CAD_ROLE_SERVICE, .rights = CAD_RIGHT_RECEIVE },
        { .cap = cad_find(CAD_ROLE_CONSOLE), .role = CAD_ROLE_CONSOLE, .rights = CAD_RIGHT_ALL },
    };
    struct cad_program program = { .path = "ipc-zerocopy", .arguments = arguments,
                                   .grants = grants, .grant_count = 2 };
    cap_id_t process;

    cad_default_limits(program.limits);
    REQUIRE_OK(cad_spawn(&program, &process));
    return process;
}

static void hello(cap_id_t endpoint, cap_id_t object, bool move, status_t wanted)
{
    struct cad_message message = { 0 };

    set_words(&message, HELLO, 0, 0, 0, CAD_TRANSFER(1, move ? 1 : 0));
    message.caps[0] = object;
    CHECK_STATUS(call(endpoint, &message), wanted);
}

static void end_of(cap_id_t process, uint64_t wanted_status)
{
    uint64_t reason, status, address;

    REQUIRE_OK(cad_process_wait(process, CAD_DEADLINE_FOREVER, &reason, &status, &address));
    CHECK_EQUAL(reason, CAD_EXIT_STATUS);
    CHECK_EQUAL(status, wanted_status);
    CHECK_OK(cad_cap_table_delete(cad_find(CAD_ROLE_SELF_TABLE), process));
}

static int producer(void)
{
    cap_id_t ledger = cad_find(CAD_ROLE_SELF_LEDGER), table = cad_find(CAD_ROLE_SELF_TABLE);
    cap_id_t space = cad_find(CAD_ROLE_SELF_SPACE), endpoint, caller, object, moved, process;
    uint64_t address = 0, interface, rights, badge;
    struct cad_message message = { 0 };

    REQUIRE_OK(cad_ledger_create_endpoint(ledger, &endpoint));
    REQUIRE_OK(cad_cap_table_derive(table, endpoint, CAD_RIGHT_CALL, BADGE, &caller));
    REQUIRE_OK(cad_frame_allocator_allocate(cad_find(CAD_ROLE_FRAME_ALLOCATOR), PAGES, &object));
    REQUIRE_OK(cad_memory_object_map(object, space, 0, 0, PAGES, CAD_PROT_READ | CAD_PROT_WRITE,
                                     0, &address));
    process = start_consumer(endpoint);
    hello(caller, object, false, CAD_OK); /* a copy: ours stays */
    CHECK_OK(cad_cap_table_describe(table, object, &interface, &rights, &badge));
    hello(caller, cad_find(CAD_ROLE_SELF_MEMORY), false, CAD_NOT_TRANSFERABLE);
    hello(caller, 12345, false, CAD_STALE);
    send_records(caller, (volatile unsigned char *)address);
    set_words(&message, GOODBYE, 0, 0, 0, 0);
    CHECK_OK(call(caller, &message));
    end_of(process, 0);

    /* A second consumer gets the object for good, then dies with our call in its hands. */
    process = start_consumer(endpoint);
    REQUIRE_OK(cad_cap_table_derive(table, object, CAD_RIGHT_ALL, 0, &moved));
    hello(caller, moved, true, CAD_OK);
    CHECK_STATUS(cad_cap_table_describe(table, moved, &interface, &rights, &badge), CAD_STALE);
    set_words(&message, DIE, 0, 0, 0, 0);
    CHECK_STATUS(call(caller, &message), CAD_DISCONNECTED);
    end_of(process, 5);
    set_words(&message, GOODBYE, 0, 0, 0, 0);
    /* Nobody receives, and a deadline of 0 does not wait. */
    CHECK_STATUS(cad_message_call(caller, &message, 0), CAD_WOULD_BLOCK);

    CHECK_OK(cad_memory_object_unmap(object, space, address, PAGES));
    CHECK_OK(cad_cap_table_revoke(table, endpoint));
    CHECK_OK(cad_cap_table_delete(table, endpoint));
    CHECK_OK(cad_cap_table_delete(table, object));
    return check_report("ipc-zerocopy");
}

int main(int argc, char **argv)
{
    return argc == 2 && strcmp(argv[1], "consumer") == 0 ? consumer() : producer();
}
