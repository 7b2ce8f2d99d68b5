// SPDX-License-Identifier: BSD-2-Clause
#include "starve.h"

#include "abi/inspect.h"

#define SETTLE_MS     3000
#define POINTS_MAX    4000

cap_id_t self_process, self_table, self_ledger, self_space, self_memory, self_park;
cap_id_t allocator, inspector, nursery;

static cap_id_t machine, sleeper;

/* --- orders --- */

void starve_order(uint64_t what, uint64_t first, uint64_t count)
{
    uint64_t passed, refused, status;

    REQUIRE_OK(cad_machine_starve(machine, what, first, count, &passed, &refused, &status));
}

struct starve_answer starve_ask(void)
{
    struct starve_answer answer;
    uint64_t status;

    REQUIRE_OK(cad_machine_starve(machine, 0, 0, 0, &answer.passed, &answer.refused, &status));
    answer.status = (status_t)status;
    return answer;
}

/* --- what must not change --- */

#define COUNTERS_MAX 32

struct holdings {
    struct stock own, nursery;
    uint64_t frames; /* free, and in pools, which keep what they grew to */
    uint64_t slots;
};

static uint64_t pool_pages(void)
{
    static struct cad_counter counters[COUNTERS_MAX];
    uint64_t records, next, pages = 0;

    REQUIRE_OK(cad_inspector_read(inspector, CAD_INSPECT_COUNTERS, 0, (uint64_t)counters,
                                  sizeof counters, 0, &records, &next));
    for (uint64_t i = 0; i < records; i++) {
        if (strcmp(counters[i].name, "memory pool pages") == 0)
            pages = counters[i].value;
    }
    return pages;
}

/* The inspector stops all CPUs: it is asked only when the sum is not `expected`. */
static uint64_t frames_count(uint64_t expected)
{
    static uint64_t in_pools;
    uint64_t total, free_pages;

    REQUIRE_OK(cad_frame_allocator_info(allocator, &total, &free_pages));
    if (free_pages + in_pools != expected)
        in_pools = pool_pages();
    return free_pages + in_pools;
}

static void holdings_take(struct holdings *holdings, uint64_t frames)
{
    stock_take(self_ledger, &holdings->own);
    stock_take(nursery, &holdings->nursery);
    holdings->frames = frames_count(frames);
    REQUIRE_OK(cad_cap_table_info(self_table, &holdings->slots));
}

static bool stock_is_more(const struct stock *now, const struct stock *before)
{
    for (unsigned i = 0; i < CAD_RESOURCE_COUNT; i++) {
        if (now->used[i] > before->used[i] || now->donated[i] != before->donated[i])
            return true;
    }
    return false;
}

static bool is_more(const struct holdings *now, const struct holdings *before)
{
    return stock_is_more(&now->own, &before->own) ||
           stock_is_more(&now->nursery, &before->nursery) || now->frames < before->frames ||
           now->slots != before->slots;
}

/* What died is destroyed in the background: it has some time for it.  What an earlier subject
 * left to die may go only now: then there is less than before, and so much it must stay. */
static void settled(const struct subject *subject, uint64_t point, struct holdings *before)
{
    struct holdings now;

    check_count++;
    for (unsigned i = 0; i < SETTLE_MS; i++) {
        holdings_take(&now, before->frames);
        if (!is_more(&now, before)) {
            *before = now;
            return;
        }
        sleep_ms(1);
    }
    check_failures++;
    printf("FAILED %s: point %" PRIu64 ": something is left; slots %" PRIu64 ", were %" PRIu64
           "; frames %" PRIu64 ", were %" PRIu64 "\n",
           subject->name, point, now.slots, before->slots, now.frames, before->frames);
    stock_check(self_ledger, &before->own, subject->name);
    stock_check(nursery, &before->nursery, subject->name);
}

/* --- one subject --- */

static status_t try(const struct subject *subject, uint64_t first, uint64_t count,
                    struct starve_answer *answer)
{
    if (subject->prepare != NULL)
        subject->prepare();
    starve_order(CAD_STARVE_CALL, first, count);
    status_t status = subject->run();

    *answer = starve_ask();
    return status;
}

static void check_refused(const struct subject *subject, uint64_t point, status_t status,
                          status_t expected)
{
    check_count++;
    if (status == expected)
        return;
    check_failures++;
    printf("FAILED %s: point %" PRIu64 " gave %s, expected %s\n", subject->name, point,
           cad_status_name(status), cad_status_name(expected));
}

/* The step can be done without, or was tried again: now it and all later ones fail. */
static void starve_for_good(const struct subject *subject, uint64_t point,
                            struct holdings *before)
{
    struct starve_answer answer;

    settled(subject, point, before);
    status_t status = try(subject, point, EVERY, &answer);
    if (status == subject->worked)
        subject->undo();
    else
        check_refused(subject, point, status, answer.status);
    settled(subject, point, before);
}

void starve(const struct subject *subject)
{
    struct holdings before = {.frames = 0};
    struct starve_answer answer;
    uint64_t point = 0;

    if (subject->prepare != NULL)
        subject->prepare();
    holdings_take(&before, 0);
    do {
        status_t status = try(subject, ++point, 1, &answer);
        if (answer.refused == 0)
            CHECK_STATUS(status, subject->worked);
        if (status != subject->worked) {
            check_refused(subject, point, status, answer.status);
            settled(subject, point, &before);
        } else if (subject->undo != NULL) {
            subject->undo();
            if (answer.refused != 0)
                starve_for_good(subject, point, &before);
            settled(subject, point, &before);
        }
    } while (answer.refused != 0 && point < POINTS_MAX && check_failures == 0);
    CHECK_THAT(answer.refused == 0);
    if (subject->undo != NULL)
        printf("%s: %" PRIu64 " points\n", subject->name, point - 1);
}

/* --- the rest --- */

void drop(cap_id_t cap)
{
    CHECK_OK(cad_cap_table_delete(self_table, cap));
}

uint64_t now_ns(void)
{
    uint64_t now = 0, wall;

    REQUIRE_OK(cad_clock_now(sleeper, &now, &wall));
    return now;
}

void sleep_ms(uint64_t milliseconds)
{
    REQUIRE_OK(cad_clock_sleep(sleeper, now_ns() + milliseconds * MILLISECONDS));
}

static void find_capabilities(void)
{
    self_process = cad_find(CAD_ROLE_SELF_PROCESS);
    self_table = cad_find(CAD_ROLE_SELF_TABLE);
    self_ledger = cad_find(CAD_ROLE_SELF_LEDGER);
    self_space = cad_find(CAD_ROLE_SELF_SPACE);
    self_memory = cad_find(CAD_ROLE_SELF_MEMORY);
    self_park = cad_find(CAD_ROLE_SELF_PARK);
    allocator = cad_find(CAD_ROLE_FRAME_ALLOCATOR);
    inspector = cad_find(CAD_ROLE_INSPECTOR);
    machine = cad_find(CAD_ROLE_MACHINE);
    sleeper = cad_find(CAD_ROLE_CLOCK);
}

int main(int argc, char **argv)
{
    find_capabilities();
    if (argc > 1)
        return child_main(argc, argv);
    printf("starve: with its arguments on the heap\n"); /* what printf takes once, it takes here */
    nursery = stock_ledger_create();
    void (*const parts[])(void) = {starve_pools, starve_memory, starve_authority, starve_threads,
                                   starve_messages, starve_spawn, starve_faults};
    for (unsigned i = 0; i < sizeof parts / sizeof parts[0] && check_failures == 0; i++)
        parts[i]();
    return check_report("starve");
}
