// SPDX-License-Identifier: BSD-2-Clause
/* Processes, threads, capabilities. */
#include <pthread.h>
#include <stddef.h>

#include "abi/methods.h"
#include "cadastre/capset.h"
#include "cadastre/clients.h"
#include "cadastre/spawn.h"
#include "measure.h"

enum { CHILDREN = 256, DERIVED = 128 };

static cap_id_t root, derived[DERIVED];

/* A program looks its capabilities up once. */
static cap_id_t table(void)
{
    static cap_id_t found;

    if (found == CAD_CAP_NONE)
        found = cad_find(CAD_ROLE_SELF_TABLE);
    return found;
}

static void spawn_and_wait(unsigned operations)
{
    struct cad_program program = { .path = "nothing" };
    uint64_t reason, status, address;
    cap_id_t process;

    cad_default_limits(program.limits);
    for (unsigned i = 0; i < operations; i++) {
        if (cad_spawn(&program, &process) != CAD_OK)
            give_up("spawn");
        (void)cad_process_wait(process, CAD_DEADLINE_FOREVER, &reason, &status, &address);
        (void)cad_cap_table_delete(table(), process);
    }
}

static void *nothing(void *unused)
{
    return unused;
}

static void create_and_join(unsigned operations)
{
    pthread_t id;

    for (unsigned i = 0; i < operations; i++) {
        if (pthread_create(&id, NULL, nothing, NULL) != 0)
            give_up("pthread_create");
        pthread_join(id, NULL);
    }
}

static void make_root(void)
{
    if (cad_ledger_create_notification(cad_find(CAD_ROLE_SELF_LEDGER), &root) != CAD_OK)
        give_up("create_notification");
}

static void drop_root(void)
{
    (void)cad_cap_table_revoke(table(), root);
    (void)cad_cap_table_delete(table(), root);
}

static void derive(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        (void)cad_cap_table_derive(table(), root, CAD_RIGHT_ALL, 0, &derived[i]);
}

static void make_derived(void)
{
    make_root();
    derive(DERIVED);
}

static void delete_derived(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        (void)cad_cap_table_delete(table(), derived[i]);
}

static void make_children(void)
{
    cap_id_t child;

    make_root();
    for (unsigned i = 0; i < CHILDREN; i++) {
        if (cad_cap_table_derive(table(), root, CAD_RIGHT_ALL, 0, &child) != CAD_OK)
            give_up("derive");
    }
}

static void revoke(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        (void)cad_cap_table_revoke(table(), root);
}

const struct metric process_metrics[] = {
    { "spawn_exit_wait", spawn_and_wait, 0, 0, 8, 1 },
    { "thread_create_join", create_and_join, 0, 0, 32, 1 },
    { "capability_derive", derive, make_root, drop_root, DERIVED, 1 },
    { "capability_delete", delete_derived, make_derived, drop_root, DERIVED, 1 },
    { "revoke_256_each", revoke, make_children, drop_root, 1, CHILDREN },
    { 0 },
};
