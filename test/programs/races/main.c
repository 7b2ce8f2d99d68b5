// SPDX-License-Identifier: BSD-2-Clause
#include "races.h"

#include <string.h>

cap_id_t self_process, self_table, self_ledger, self_space, self_memory, frames;

uint64_t now_ns(void)
{
    uint64_t now = 0, wall;
    (void)cad_clock_now(cad_find(CAD_ROLE_CLOCK), &now, &wall);
    return now;
}

void spin(uint64_t turns)
{
    for (volatile uint64_t left = turns; left > 0; left--)
        ;
}

uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void racer_main(struct racer *racer)
{
    racer->run(racer);
    (void)cad_process_thread_exit(self_process, (uint64_t)&racer->running);
    for (;;)
        ;
}

void racer_start(struct racer *racer, void (*run)(struct racer *))
{
    racer->run = run;
    racer->running = 1;
    racer->status = CAD_OK;
    REQUIRE_OK(cad_process_create_thread(self_process, (uint64_t)racer_main,
                                         (uint64_t)racer->stack + sizeof racer->stack - 8,
                                         (uint64_t)racer, 0, 0, CAD_PRIORITY_SAME,
                                         &racer->thread));
}

void racer_join(struct racer *racer)
{
    REQUIRE_OK(cad_thread_wait(racer->thread, now_ns() + PATIENCE));
    REQUIRE_OK(cad_cap_table_delete(self_table, racer->thread));
}

cap_id_t child_start(const char *what, bool speaks)
{
    const char *const arguments[] = {"races", what, NULL};
    const struct cad_spawn_grant grants[] = {
        {.cap = cad_find(CAD_ROLE_CLOCK), .role = CAD_ROLE_CLOCK, .rights = CAD_RIGHT_ALL},
        {.cap = frames, .role = CAD_ROLE_FRAME_ALLOCATOR, .rights = CAD_RIGHT_ALL},
        {.cap = cad_find(CAD_ROLE_CONSOLE), .role = CAD_ROLE_CONSOLE, .rights = CAD_RIGHT_ALL},
    };
    struct cad_program program = {.path = "races",
                                  .arguments = arguments,
                                  .grants = grants,
                                  .grant_count = speaks ? 3 : 2,
                                  .priority = CAD_PRIORITY_SAME};
    cap_id_t child = CAD_CAP_NONE;

    cad_default_limits(program.limits);
    program.limits[CAD_RESOURCE_COMMITTED] = 1024;
    REQUIRE_OK(cad_spawn(&program, &child));
    return child;
}

uint64_t child_join(cap_id_t child, uint64_t *status)
{
    uint64_t reason = UINT64_MAX, address;

    REQUIRE_OK(cad_process_wait(child, now_ns() + PATIENCE, &reason, status,
                                &address));
    return reason;
}

int main(int argc, char **argv)
{
    self_process = cad_find(CAD_ROLE_SELF_PROCESS);
    self_table = cad_find(CAD_ROLE_SELF_TABLE);
    self_ledger = cad_find(CAD_ROLE_SELF_LEDGER);
    self_space = cad_find(CAD_ROLE_SELF_SPACE);
    self_memory = cad_find(CAD_ROLE_SELF_MEMORY);
    frames = cad_find(CAD_ROLE_FRAME_ALLOCATOR);
    if (argc > 1 && strcmp(argv[1], "unmap") == 0)
        child_unmap();
    if (argc > 1 && strcmp(argv[1], "reuse") == 0) {
        test_reused_frames(argc > 2 ? strtoul(argv[2], NULL, 10) : 1);
        return check_report("races");
    }
    if (argc > 1 && strcmp(argv[1], "exits-faulting") == 0)
        child_exits_faulting();
    if (argc > 1 && strcmp(argv[1], "faults") == 0)
        child_faults();
    if (argc > 1 && strcmp(argv[1], "kills") == 0)
        child_kills();
    if (argc > 1 && strcmp(argv[1], "gives-back") == 0)
        child_gives_back();
    if (argc > 1)
        return 0;
    test_ended_process();
    test_failing_calls();
    test_revoked_grants();
    test_busy_revoke();
    test_promised_memory();
    test_given_back();
    test_freed_pages();
    test_reused_frames(1);
    test_ends_under_faults();
    test_killed_anywhere();
    return check_report("races");
}
