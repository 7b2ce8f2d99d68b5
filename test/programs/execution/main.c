// SPDX-License-Identifier: BSD-2-Clause
#include "execution.h"

#define TOO_MANY_PAGES (UINT64_C(1) << 34) /* for any quota; the addresses are there */

cap_id_t self_process, self_table, self_ledger, self_park, the_clock;

uint64_t now_ns(void)
{
    uint64_t now = 0, wall;
    (void)cad_clock_now(the_clock, &now, &wall);
    return now;
}

cap_id_t new_endpoint(void)
{
    cap_id_t cap = 0;
    REQUIRE_OK(cad_ledger_create_endpoint(self_ledger, &cap));
    return cap;
}

cap_id_t new_notification(void)
{
    cap_id_t cap = 0;
    REQUIRE_OK(cad_ledger_create_notification(self_ledger, &cap));
    return cap;
}

cap_id_t derive(cap_id_t cap, uint64_t rights, uint64_t badge)
{
    cap_id_t child = 0;
    REQUIRE_OK(cad_cap_table_derive(self_table, cap, rights, badge, &child));
    return child;
}

void drop(cap_id_t cap)
{
    CHECK_OK(cad_cap_table_delete(self_table, cap));
}

uint64_t ledger_used(enum cad_resource what)
{
    uint64_t used = 0, limit, donated;
    REQUIRE_OK(cad_ledger_info(self_ledger, what, &used, &limit, &donated));
    return used;
}

static void worker_main(struct worker *worker)
{
    worker->run(worker);
    (void)cad_process_thread_exit(self_process, (uint64_t)&worker->running);
    for (;;)
        ;
}

void worker_start_at(struct worker *worker, void (*run)(struct worker *), uint64_t priority)
{
    worker->run = run;
    worker->running = 1;
    worker->step = 0;
    worker->status = CAD_OK;
    REQUIRE_OK(cad_process_create_thread(self_process, (uint64_t)worker_main,
                                         (uint64_t)worker->stack + sizeof worker->stack - 8,
                                         (uint64_t)worker, 0, 0, priority, &worker->thread));
}

void worker_start(struct worker *worker, void (*run)(struct worker *))
{
    worker_start_at(worker, run, 0);
}

void worker_join(struct worker *worker)
{
    REQUIRE_OK(cad_thread_wait(worker->thread, now_ns() + PATIENCE));
    drop(worker->thread);
}

void worker_kill(struct worker *worker)
{
    CHECK_OK(cad_thread_kill(worker->thread));
    worker_join(worker);
}

void worker_reach(struct worker *worker, unsigned state)
{
    uint64_t id, at = 0, priority, cpu, run_ns, end = now_ns() + PATIENCE;

    while (at != state && now_ns() < end) {
        REQUIRE_OK(cad_thread_info(worker->thread, &id, &at, &priority, &cpu, &run_ns));
        (void)cad_clock_sleep(the_clock, now_ns() + MILLISECONDS / 5);
    }
    CHECK_EQUAL(at, state);
}

/* Destruction is deferred: what was dropped is given back soon, not at once. */
static void check_settles(enum cad_resource what, uint64_t before)
{
    uint64_t end = now_ns() + PATIENCE;

    while (ledger_used(what) != before && now_ns() < end)
        (void)cad_clock_sleep(the_clock, now_ns() + MILLISECONDS);
    check_equal(ledger_used(what), before, "resource used", "ledger, resource", (int)what);
}

/* Before a quota refuses, all that its ledger has dying is destroyed. */
static void reap_all(void)
{
    uint64_t address = 0;

    CHECK_STATUS(cad_virtual_memory_reserve(cad_find(CAD_ROLE_SELF_MEMORY), 0, TOO_MANY_PAGES,
                                            CAD_PROT_READ, 0, &address),
                 CAD_QUOTA_VIRTUAL);
}

static const struct {
    const char *name;
    void (*run)(void);
} tests[] = {
    {"endpoints", test_endpoints},     {"ways", test_ways},   {"transfers", test_transfers},
    {"kills", test_kills},             {"waits", test_waits}, {"other rings", test_other_rings},
    {"own ring", test_own_ring},       {"storms", test_storms},
};

int main(void)
{
    static const enum cad_resource settles[] = {CAD_RESOURCE_THREADS, CAD_RESOURCE_CALLS,
                                                CAD_RESOURCE_WAITERS, CAD_RESOURCE_SLOTS,
                                                CAD_RESOURCE_METADATA};
    uint64_t before[CAD_RESOURCE_COUNT];

    self_process = cad_find(CAD_ROLE_SELF_PROCESS);
    self_table = cad_find(CAD_ROLE_SELF_TABLE);
    self_ledger = cad_find(CAD_ROLE_SELF_LEDGER);
    self_park = cad_find(CAD_ROLE_SELF_PARK);
    the_clock = cad_find(CAD_ROLE_CLOCK);
    test_own_ring(); /* once before: the first pthread leaves memory with the C library */
    check_settles(CAD_RESOURCE_THREADS, 1);
    reap_all();
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        for (unsigned what = 0; what < CAD_RESOURCE_COUNT; what++)
            before[what] = ledger_used((enum cad_resource)what);
        tests[i].run();
        for (size_t k = 0; k < sizeof settles / sizeof settles[0]; k++)
            check_settles(settles[k], before[settles[k]]);
        printf("execution: %s done\n", tests[i].name);
    }
    return check_report("execution");
}
