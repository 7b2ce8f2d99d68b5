// SPDX-License-Identifier: BSD-2-Clause
/*
 * The parent: runs each attack in a child, checks its end, and that the ledger
 * and the machine's free frames are what they were.  `hostile NAME` runs one
 * (in a child); `hostile child NAME` is the child.
 */
#include <stdio.h>
#include <string.h>

#include "abi/inspect.h"
#include "abi/methods.h"
#include "cadastre/capset.h"
#include "cadastre/check.h"
#include "cadastre/clients.h"
#include "cadastre/spawn.h"
#include "cadastre/stock.h"
#include "hostile.h"

#define CHILD_DEADLINE_NS 20000000000ull /* host time: emulators are slow */

static const struct attack *const tables[] = { attacks_on_memory, attacks_on_calls,
                                               attacks_on_ring, attacks_on_self };

static cap_id_t nursery; /* what the children are paid from */
static uint64_t limits[CAD_RESOURCE_COUNT];
static uint64_t noise_state;

void noise_seed(uint64_t seed)
{
    noise_state = seed;
}

uint64_t noise(void)
{
    uint64_t z = (noise_state += 0x9e3779b97f4a7c15ull);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

static const struct attack *find_attack(const char *name)
{
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        for (const struct attack *attack = tables[t]; attack->name != NULL; attack++) {
            if (strcmp(attack->name, name) == 0)
                return attack;
        }
    }
    return NULL;
}

static int run_as_child(const char *name)
{
    const struct attack *attack = find_attack(name);
    uint64_t seed = 0;

    if (attack == NULL)
        return 99;
    for (const char *at = name; *at != '\0'; at++)
        seed = seed * 131 + (unsigned char)*at;
    noise_seed(seed);
    return attack->run();
}

/* Everything but power over the machine. */
static uint32_t make_grants(struct cad_spawn_grant *grants)
{
    static const uint32_t roles[] = { CAD_ROLE_CONSOLE, CAD_ROLE_CLOCK, CAD_ROLE_ENTROPY,
                                      CAD_ROLE_BOOT_ARCHIVE, CAD_ROLE_FRAME_ALLOCATOR,
                                      CAD_ROLE_SPAWNER, CAD_ROLE_INSPECTOR };
    uint32_t count = 0;

    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        grants[count++] = (struct cad_spawn_grant){ .cap = cad_find(roles[i]),
                                                    .role = roles[i],
                                                    .rights = CAD_RIGHT_ALL };
    }
    return count;
}

static void check_end(const struct attack *attack, uint64_t reason, uint64_t status)
{
    if (attack->reason != ATTACK_ANY_END && reason != (uint64_t)attack->reason) {
        printf("FAILED %s: ended by %s (%llu), expected %s\n", attack->name,
               cad_exit_name(reason), (unsigned long long)status, cad_exit_name(attack->reason));
        check_failures++;
    } else if (attack->status >= 0 && status != (uint64_t)attack->status) {
        printf("FAILED %s: status %llu, expected %d\n", attack->name, (unsigned long long)status,
               attack->status);
        check_failures++;
    }
    check_count++;
}

static void run_attack(const struct attack *attack)
{
    struct cad_spawn_grant grants[CAD_SPAWN_GRANTS_MAX];
    const char *const arguments[] = { "hostile", "child", attack->name, NULL };
    struct cad_program program = { .path = "hostile", .arguments = arguments, .grants = grants,
                                   .ledger = nursery };
    struct stock before;
    uint64_t reason, status, address, now, wall;
    cap_id_t process, table = cad_find(CAD_ROLE_SELF_TABLE);
    status_t waited;

    stock_take(nursery, &before);
    program.grant_count = make_grants(grants);
    memcpy(program.limits, limits, sizeof limits);
    REQUIRE_OK(cad_spawn(&program, &process));
    REQUIRE_OK(cad_clock_now(cad_find(CAD_ROLE_CLOCK), &now, &wall));
    waited = cad_process_wait(process, now + CHILD_DEADLINE_NS, &reason, &status, &address);
    if (waited == CAD_TIMED_OUT) {
        /* Only what may end anyhow may wait for ever. */
        CHECK_THAT(attack->reason == ATTACK_ANY_END);
        CHECK_OK(cad_process_kill(process));
        waited = cad_process_wait(process, CAD_DEADLINE_FOREVER, &reason, &status, &address);
    } else {
        check_end(attack, reason, status);
    }
    CHECK_STATUS(waited, CAD_OK);
    CHECK_OK(cad_cap_table_delete(table, process));
    stock_check(nursery, &before, attack->name);
    printf("%-20s %s\n", attack->name, cad_exit_name(reason));
}

static void audit(void)
{
    static struct cad_violation violations[16];
    uint64_t count, checked, records;

    REQUIRE_OK(cad_inspector_audit(cad_find(CAD_ROLE_INSPECTOR), (uint64_t)(uintptr_t)violations,
                                   sizeof violations, &count, &checked, &records));
    CHECK_EQUAL(count, 0);
    CHECK_THAT(checked > 1000);
    for (uint64_t i = 0; i < records; i++)
        printf("violation: %s %s %s %llu\n", violations[i].requirement, violations[i].what,
               violations[i].kind, (unsigned long long)violations[i].id);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "child") == 0)
        return run_as_child(argv[2]);
    cad_default_limits(limits);
    nursery = stock_ledger_create();
    if (argc == 2) {
        const struct attack *attack = find_attack(argv[1]);

        if (attack == NULL) {
            printf("hostile: no attack is named %s\n", argv[1]);
            return 2;
        }
        run_attack(attack);
        audit();
        return check_report("hostile");
    }
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        for (const struct attack *attack = tables[t]; attack->name != NULL; attack++)
            run_attack(attack);
    }
    audit();
    return check_report("hostile");
}
