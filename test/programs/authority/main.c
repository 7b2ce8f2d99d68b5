// SPDX-License-Identifier: BSD-2-Clause
#include "authority.h"

#include <string.h>

cap_id_t self_table, self_space, self_memory, self_ledger, allocator, inspector;

cap_id_t derive(cap_id_t cap, uint64_t rights)
{
    cap_id_t child = CAD_CAP_NONE;

    REQUIRE_OK(cad_cap_table_derive(self_table, cap, rights, 0, &child));
    return child;
}

void drop(cap_id_t cap)
{
    CHECK_OK(cad_cap_table_delete(self_table, cap));
}

void check_stale(cap_id_t cap)
{
    uint64_t interface, rights, badge;

    CHECK_STATUS(cad_cap_table_describe(self_table, cap, &interface, &rights, &badge), CAD_STALE);
}

uint64_t ledger_used(cap_id_t ledger, enum cad_resource what)
{
    uint64_t used = 0, limit, donated;

    REQUIRE_OK(cad_ledger_info(ledger, what, &used, &limit, &donated));
    return used;
}

static void test_entropy(void)
{
    static uint8_t first[256], second[256];
    cap_id_t entropy = cad_find(CAD_ROLE_ENTROPY);
    unsigned ones = 0;

    CHECK_OK(cad_entropy_fill(entropy, (uint64_t)(uintptr_t)first, sizeof(first)));
    CHECK_OK(cad_entropy_fill(entropy, (uint64_t)(uintptr_t)second, sizeof(second)));
    CHECK_THAT(memcmp(first, second, sizeof(first)) != 0);
    for (unsigned i = 0; i < sizeof(first); i++)
        ones += (unsigned)__builtin_popcount(first[i] ^ second[i]);
    CHECK_THAT(ones > 800 && ones < 1248); /* 1024 expected; ten standard deviations */
    CHECK_STATUS(cad_entropy_fill(entropy, (uint64_t)(uintptr_t)first, 257), CAD_INVALID);
    CHECK_OK(cad_entropy_fill(entropy, 0, 0));
}

/* What died is destroyed on some CPU's way out of the kernel: there are many here. */
static void settle(void)
{
    cap_id_t clock = cad_find(CAD_ROLE_CLOCK);
    uint64_t now, wall;

    for (unsigned turn = 0; turn < 50; turn++) {
        REQUIRE_OK(cad_clock_now(clock, &now, &wall));
        CHECK_OK(cad_clock_sleep(clock, now + 1000000));
    }
}

static void run_all(void)
{
    test_capabilities();
    test_ledgers();
    test_untyped();
    test_execute();
    test_grants();
    test_inspector();
    test_entropy();
    settle();
}

int main(int argc, char **argv)
{
    uint64_t before[CAD_RESOURCE_COUNT];

    self_table = cad_find(CAD_ROLE_SELF_TABLE);
    self_space = cad_find(CAD_ROLE_SELF_SPACE);
    self_memory = cad_find(CAD_ROLE_SELF_MEMORY);
    self_ledger = cad_find(CAD_ROLE_SELF_LEDGER);
    allocator = cad_find(CAD_ROLE_FRAME_ALLOCATOR);
    inspector = cad_find(CAD_ROLE_INSPECTOR);
    if (argc > 1 && strcmp(argv[1], "child") == 0)
        return grants_child();
    printf("authority: first round\n"); /* what the library takes once, it takes here */
    run_all();
    for (unsigned what = 0; what < CAD_RESOURCE_COUNT; what++)
        before[what] = ledger_used(self_ledger, (enum cad_resource)what);
    run_all();
    for (unsigned what = 0; what < CAD_RESOURCE_COUNT; what++)
        CHECK_EQUAL(ledger_used(self_ledger, (enum cad_resource)what), before[what]);
    return check_report("authority");
}
