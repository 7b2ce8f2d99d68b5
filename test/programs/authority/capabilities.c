// SPDX-License-Identifier: BSD-2-Clause
/* Derive, delete, revoke (CP1, CP2), and budgets (LG1, LG6). */
#include "authority.h"

static void describe(cap_id_t cap, uint64_t rights, uint64_t badge)
{
    uint64_t found_interface, found_rights, found_badge;

    REQUIRE_OK(cad_cap_table_describe(self_table, cap, &found_interface, &found_rights,
                                      &found_badge));
    CHECK_EQUAL(found_rights, rights);
    CHECK_EQUAL(found_badge, badge);
}

static void revoke_takes_all_that_was_derived_and_nothing_else(void)
{
    cap_id_t notification, child, grandchild, brother, badged = CAD_CAP_NONE;

    REQUIRE_OK(cad_ledger_create_notification(self_ledger, &notification));
    child = derive(notification, CAD_RIGHT_SIGNAL | CAD_RIGHT_DERIVE);
    grandchild = derive(child, CAD_RIGHT_ALL);
    brother = derive(notification, CAD_RIGHT_WAIT);
    describe(grandchild, CAD_RIGHT_SIGNAL | CAD_RIGHT_DERIVE, 0);
    CHECK_STATUS(cad_cap_table_derive(self_table, brother, CAD_RIGHT_WAIT, 0, &badged),
                 CAD_NO_RIGHT);
    CHECK_STATUS(cad_notification_signal(brother, 1), CAD_NO_RIGHT);
    CHECK_STATUS(cad_cap_table_derive(self_table, notification, 1 << 12, 0, &badged), CAD_INVALID);
    REQUIRE_OK(cad_cap_table_derive(self_table, notification, CAD_RIGHT_ALL, 7, &badged));
    CHECK_STATUS(cad_cap_table_derive(self_table, badged, CAD_RIGHT_ALL, 8, &child), CAD_INVALID);
    drop(badged);
    /* The middle one goes: its child now answers to the top. */
    drop(child);
    check_stale(child);
    CHECK_OK(cad_notification_signal(grandchild, 1));
    CHECK_OK(cad_cap_table_revoke(self_table, notification));
    check_stale(grandchild);
    check_stale(brother);
    CHECK_OK(cad_notification_signal(notification, 2));
    drop(notification);
    check_stale(notification);
    CHECK_STATUS(cad_cap_table_revoke(self_table, notification), CAD_STALE);
}

/* More descendants than one taking of the lock deletes. */
static void a_long_chain_is_revoked(void)
{
    enum { LENGTH = 100 };
    uint64_t before, after;
    cap_id_t top, last;

    REQUIRE_OK(cad_ledger_create_notification(self_ledger, &top));
    CHECK_OK(cad_cap_table_info(self_table, &before));
    last = top;
    for (unsigned i = 0; i < LENGTH; i++)
        last = derive(last, CAD_RIGHT_ALL);
    CHECK_OK(cad_cap_table_info(self_table, &after));
    CHECK_EQUAL(after, before + LENGTH);
    CHECK_OK(cad_cap_table_revoke(self_table, top));
    CHECK_OK(cad_cap_table_info(self_table, &after));
    CHECK_EQUAL(after, before);
    drop(top);
}

void test_capabilities(void)
{
    revoke_takes_all_that_was_derived_and_nothing_else();
    a_long_chain_is_revoked();
}

/* --- ledgers --- */

/* What dies is destroyed a moment later, by the reaper of some CPU. */
static void wait_until_unused(cap_id_t ledger)
{
    cap_id_t clock = cad_find(CAD_ROLE_CLOCK);
    uint64_t now, wall;

    for (unsigned turn = 0; turn < 1000; turn++) {
        if (ledger_used(ledger, CAD_RESOURCE_METADATA) == 0)
            break;
        REQUIRE_OK(cad_clock_now(clock, &now, &wall));
        CHECK_OK(cad_clock_sleep(clock, now + 1000000));
    }
    CHECK_EQUAL(ledger_used(ledger, CAD_RESOURCE_METADATA), 0);
}

static void limits_move_and_bound(cap_id_t child)
{
    uint64_t used, limit, donated, own_donated;
    cap_id_t notification = CAD_CAP_NONE;

    CHECK_STATUS(cad_ledger_create_notification(child, &notification), CAD_QUOTA_METADATA);
    REQUIRE_OK(cad_ledger_donate(self_ledger, child, CAD_RESOURCE_METADATA, 4096));
    CHECK_OK(cad_ledger_info(child, CAD_RESOURCE_METADATA, &used, &limit, &donated));
    CHECK_EQUAL(limit, 4096);
    CHECK_EQUAL(used, 0);
    CHECK_OK(cad_ledger_info(self_ledger, CAD_RESOURCE_METADATA, &used, &limit, &own_donated));
    CHECK_THAT(own_donated >= 4096);
    REQUIRE_OK(cad_ledger_create_notification(child, &notification));
    used = ledger_used(child, CAD_RESOURCE_METADATA);
    CHECK_THAT(used > 0 && used < 4096);
    /* What is used cannot be taken back. */
    CHECK_STATUS(cad_ledger_take_back(self_ledger, child, CAD_RESOURCE_METADATA, 4096),
                 CAD_UNCHARGED);
    drop(notification);
    wait_until_unused(child);
    CHECK_OK(cad_ledger_take_back(self_ledger, child, CAD_RESOURCE_METADATA, 96));
}

void test_ledgers(void)
{
    uint64_t used, limit, donated;
    cap_id_t child, grandchild;

    CHECK_STATUS(cad_ledger_info(self_ledger, CAD_RESOURCE_COUNT, &used, &limit, &donated),
                 CAD_INVALID);
    REQUIRE_OK(cad_ledger_create_child(self_ledger, &child));
    limits_move_and_bound(child);
    CHECK_STATUS(cad_ledger_create_child(child, &grandchild), CAD_OK);
    CHECK_STATUS(cad_ledger_donate(self_ledger, grandchild, CAD_RESOURCE_METADATA, 1),
                 CAD_INVALID);
    CHECK_STATUS(cad_ledger_donate(self_ledger, child, CAD_RESOURCE_COMMITTED, UINT64_MAX),
                 CAD_QUOTA_COMMITTED);
    CHECK_STATUS(cad_ledger_donate(self_ledger, self_table, CAD_RESOURCE_COMMITTED, 1),
                 CAD_WRONG_TYPE);
    /* The parent goes first; the grandchild keeps it. */
    drop(child);
    drop(grandchild);
}
