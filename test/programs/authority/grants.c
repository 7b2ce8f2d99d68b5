// SPDX-License-Identifier: BSD-2-Clause
/* Grants of a spawn: all or none, and a refusal leaves every name as it was (US1, CP4). */
#include "authority.h"

#include <string.h>

#define WORD UINT64_C(0x5eed)

/* The child signals what it was given and leaves. */
int grants_child(void)
{
    cap_id_t given = cad_find(CAD_ROLE_SIGNAL);

    CHECK_OK(cad_notification_signal(given, WORD));
    CHECK_STATUS(cad_notification_wait(given, 0, &(uint64_t){0}), CAD_NO_RIGHT);
    return check_failures == 0 ? 0 : 1;
}

static status_t spawn(const struct cad_spawn_grant *grants, uint32_t count, cap_id_t *process)
{
    static const char *const arguments[] = {"authority", "child", NULL};
    struct cad_program program = {.path = "authority", .arguments = arguments, .grants = grants,
                                  .grant_count = count};

    cad_default_limits(program.limits);
    return cad_spawn(&program, process);
}

static void wait_for(cap_id_t process)
{
    uint64_t reason, status, address;

    REQUIRE_OK(cad_process_wait(process, CAD_DEADLINE_FOREVER, &reason, &status, &address));
    CHECK_EQUAL(reason, CAD_EXIT_STATUS);
    CHECK_EQUAL(status, 0);
    drop(process);
}

/* Grants: `moved` moves, `copied` is copied, and `third` is what is wrong. */
static void refused(cap_id_t moved, cap_id_t copied, struct cad_spawn_grant third,
                    status_t expected)
{
    const struct cad_spawn_grant grants[] = {
        {.cap = moved, .role = CAD_ROLE_SIGNAL, .rights = CAD_RIGHT_ALL, .move = 1},
        {.cap = copied, .role = CAD_ROLE_EXTRA, .rights = CAD_RIGHT_ALL},
        third,
    };
    uint64_t slots_before, slots_after;
    cap_id_t process;

    CHECK_OK(cad_cap_table_info(self_table, &slots_before));
    CHECK_STATUS(spawn(grants, 3, &process), expected);
    CHECK_OK(cad_cap_table_info(self_table, &slots_after));
    CHECK_EQUAL(slots_after, slots_before);
    CHECK_OK(cad_notification_signal(moved, 1)); /* still ours, under its old name */
}

static void refusals(cap_id_t moved, cap_id_t copied, cap_id_t deleted)
{
    const uint32_t all = CAD_RIGHT_ALL, role = CAD_ROLE_EXTRA;
    cap_id_t kept = derive(copied, CAD_RIGHT_SIGNAL | CAD_RIGHT_DERIVE);

    refused(moved, copied, (struct cad_spawn_grant){.cap = deleted, .role = role, .rights = all},
            CAD_STALE);
    refused(moved, copied, (struct cad_spawn_grant){.cap = kept, .role = role, .rights = all},
            CAD_NOT_TRANSFERABLE);
    refused(moved, copied,
            (struct cad_spawn_grant){.cap = kept, .role = role, .rights = all, .move = 1},
            CAD_NOT_TRANSFERABLE);
    refused(moved, copied,
            (struct cad_spawn_grant){.cap = self_memory, .role = role, .rights = all},
            CAD_NOT_TRANSFERABLE);
    refused(moved, copied, (struct cad_spawn_grant){.cap = moved, .role = role, .rights = all},
            CAD_INVALID);
    refused(moved, copied,
            (struct cad_spawn_grant){.cap = copied, .role = role, .rights = 1, .move = 1},
            CAD_INVALID);
    refused(moved, copied,
            (struct cad_spawn_grant){.cap = copied, .role = CAD_ROLE_SELF_PARK, .rights = all},
            CAD_INVALID);
    drop(kept);
}

/* Copied and narrowed: the child may signal and not wait. */
static void a_copy_is_narrowed(cap_id_t notification)
{
    const struct cad_spawn_grant grant = {
        .cap = notification, .role = CAD_ROLE_SIGNAL, .rights = CAD_RIGHT_SIGNAL};
    uint64_t bits = 0;
    cap_id_t process;

    REQUIRE_OK(spawn(&grant, 1, &process));
    wait_for(process);
    CHECK_OK(cad_notification_wait(notification, CAD_DEADLINE_FOREVER, &bits));
    CHECK_EQUAL(bits & WORD, WORD);
}

static void a_move_leaves_its_name_stale(cap_id_t notification)
{
    struct cad_spawn_grant grant = {.role = CAD_ROLE_SIGNAL, .rights = CAD_RIGHT_ALL, .move = 1};
    uint64_t bits = 0;
    cap_id_t process;

    grant.cap = derive(notification, CAD_RIGHT_SIGNAL | CAD_RIGHT_TRANSFER);
    REQUIRE_OK(spawn(&grant, 1, &process));
    check_stale(grant.cap);
    wait_for(process);
    CHECK_OK(cad_notification_wait(notification, CAD_DEADLINE_FOREVER, &bits));
    CHECK_EQUAL(bits, WORD);
}

void test_grants(void)
{
    cap_id_t moved, copied, deleted;
    uint64_t bits;

    REQUIRE_OK(cad_ledger_create_notification(self_ledger, &moved));
    REQUIRE_OK(cad_ledger_create_notification(self_ledger, &copied));
    deleted = derive(copied, CAD_RIGHT_ALL);
    drop(deleted);
    refusals(moved, copied, deleted);
    CHECK_OK(cad_notification_wait(moved, 0, &bits));
    a_copy_is_narrowed(moved);
    a_move_leaves_its_name_stale(moved);
    drop(moved);
    drop(copied);
}
