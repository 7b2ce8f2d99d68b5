// SPDX-License-Identifier: BSD-2-Clause
/* Making a process, each step of it; page faults that find no frame (OM3). */
#include "starve.h"

#include <stdlib.h>

#include "abi/exit.h"
#include "abi/spawn.h"
#include "cadastre/spawn.h"

#define ARGUMENTS_MAX 64
#define GRANTS        3

static struct cad_spawn_request request;
static struct cad_spawn_grant grants[GRANTS];
static char strings[ARGUMENTS_MAX];
static cap_id_t child, object, moved;

/* --- the request; cad_spawn() would make other invocations beside the spawn --- */

static void add_string(const char *text)
{
    strcpy(strings + request.strings_bytes, text);
    request.strings_bytes += strlen(text) + 1;
    request.argument_count++;
}

static void request_make(const char *what, const char *count)
{
    static const uint64_t limits[CAD_RESOURCE_COUNT] = {
        [CAD_RESOURCE_VIRTUAL] = 1 << 20,  [CAD_RESOURCE_COMMITTED] = 600,
        [CAD_RESOURCE_METADATA] = 1 << 20, [CAD_RESOURCE_SLOTS] = 64,
        [CAD_RESOURCE_THREADS] = 8,        [CAD_RESOURCE_CALLS] = 8,
        [CAD_RESOURCE_WAITERS] = 8,
    };

    memset(&request, 0, sizeof request);
    REQUIRE_OK(cad_archive_find("starve", &request.program));
    REQUIRE_OK(cad_archive_find(CAD_ARCHIVE_RUNTIME, &request.runtime));
    add_string("starve");
    add_string(what);
    add_string(count);
    request.strings_address = (uint64_t)strings;
    request.grants_address = (uint64_t)grants;
    request.priority = CAD_PRIORITY_SAME;
    request.ledger_cap = nursery;
    memcpy(request.limits, limits, sizeof limits);
    strcpy(request.name, "starve-child");
}

static struct cad_spawn_grant grant(enum cad_role role, cap_id_t cap, bool move)
{
    return (struct cad_spawn_grant){.cap = cap, .role = role, .rights = CAD_RIGHT_ALL,
                                    .move = move};
}

static status_t spawn(void)
{
    return cad_process_spawner_spawn(cad_find(CAD_ROLE_SPAWNER), (uint64_t)&request,
                                     sizeof request, &child);
}

static uint64_t join_child(uint64_t *status)
{
    uint64_t reason = UINT64_MAX, address;

    REQUIRE_OK(cad_process_wait(child, now_ns() + 30000 * MILLISECONDS, &reason, status,
                                &address));
    drop(child);
    return reason;
}

/* --- spawn: two copies, one of them a memory object the child pays for too, and a move --- */

static void make_moved(void)
{
    if (moved == CAD_CAP_NONE)
        REQUIRE_OK(cad_ledger_create_notification(self_ledger, &moved));
    grants[2] = grant(CAD_ROLE_SIGNAL, moved, true);
}

static void child_ended(void)
{
    uint64_t status = UINT64_MAX;

    CHECK_EQUAL(join_child(&status), CAD_EXIT_STATUS);
    CHECK_EQUAL(status, 0);
    moved = CAD_CAP_NONE; /* it went with the child */
    sleep_ms(2);
    make_moved();
}

void starve_spawn(void)
{
    static const struct subject subject = {"spawn", make_moved, spawn, child_ended, CAD_OK};

    REQUIRE_OK(cad_frame_allocator_allocate(allocator, 2, &object));
    request_make("nothing", "0");
    grants[0] = grant(CAD_ROLE_CLOCK, cad_find(CAD_ROLE_CLOCK), false);
    grants[1] = grant(CAD_ROLE_SHARED, object, false);
    request.grant_count = GRANTS;
    starve(&subject);
    drop(moved);
    drop(object);
}

/* --- page faults: a child orders them of itself --- */

int child_main(int argc, char **argv)
{
    uint64_t address = 0;

    if (argc < 3 || strcmp(argv[1], "touch") != 0)
        return 0;
    REQUIRE_OK(cad_virtual_memory_reserve(self_memory, 0, 4, READ_WRITE, 0, &address));
    REQUIRE_OK(cad_virtual_memory_commit(self_memory, address, 4, READ_WRITE, 0));
    starve_order(CAD_STARVE_FAULT, 1, strtoull(argv[2], NULL, 0));
    *(volatile uint8_t *)address = 1;
    struct starve_answer answer = starve_ask();
    return answer.refused == 1 && answer.status == CAD_PRESSURE ? 7 : 8;
}

static uint64_t touch(const char *count, uint64_t *status)
{
    request_make("touch", count);
    grants[0] = grant(CAD_ROLE_MACHINE, cad_find(CAD_ROLE_MACHINE), false);
    grants[1] = grant(CAD_ROLE_CLOCK, cad_find(CAD_ROLE_CLOCK), false);
    request.grant_count = 2;
    REQUIRE_OK(spawn());
    return join_child(status);
}

void starve_faults(void)
{
    uint64_t status = UINT64_MAX;

    CHECK_EQUAL(touch("1", &status), CAD_EXIT_STATUS); /* the kernel tried again */
    CHECK_EQUAL(status, 7);
    CHECK_EQUAL(touch("1000000000000", &status), CAD_EXIT_OUT_OF_MEMORY);
}
