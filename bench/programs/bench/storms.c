// SPDX-License-Identifier: BSD-2-Clause
/* Storms on our own calls: memory, processes, calls between processes. */
#include <stddef.h>

#include "abi/methods.h"
#include "cadastre/capset.h"
#include "cadastre/clients.h"
#include "cadastre/spawn.h"
#include "scaling.h"
#include "server.h"

enum { TOUCHED_PAGES = 64, RW = CAD_PROT_READ | CAD_PROT_WRITE };

/* --- memory: touch, decommit, touch again --- */

static uint64_t ranges[SCALING_THREADS_MAX];

static void range_make(unsigned thread)
{
    /* 2 MiB: a leaf table of its own. */
    if (cad_virtual_memory_reserve(cad_find(CAD_ROLE_SELF_MEMORY), 0, 512, RW, 0,
                                   &ranges[thread]) != CAD_OK)
        give_up("reserve");
}

static void range_drop(unsigned thread)
{
    (void)cad_virtual_memory_unmap(cad_find(CAD_ROLE_SELF_MEMORY), ranges[thread], 512);
}

/* An operation is one page touched. */
static void touch(unsigned thread, unsigned operations)
{
    cap_id_t memory = cad_find(CAD_ROLE_SELF_MEMORY);
    uint64_t start = ranges[thread];

    for (unsigned done = 0; done < operations; done += TOUCHED_PAGES) {
        if (cad_virtual_memory_commit(memory, start, TOUCHED_PAGES, RW, 0) != CAD_OK)
            give_up("commit");
        for (unsigned page = 0; page < TOUCHED_PAGES; page++)
            *(volatile char *)(start + (uint64_t)page * PAGE_SIZE) = 1;
        (void)cad_virtual_memory_decommit(memory, start, TOUCHED_PAGES);
    }
}

/* --- processes --- */

/* Little enough that every thread may have one. */
static const uint64_t small_limits[CAD_RESOURCE_COUNT] = {
    [CAD_RESOURCE_VIRTUAL] = 65536,   [CAD_RESOURCE_COMMITTED] = 512,
    [CAD_RESOURCE_METADATA] = 131072, [CAD_RESOURCE_SLOTS] = 16,
    [CAD_RESOURCE_THREADS] = 2,       [CAD_RESOURCE_CALLS] = 2,
    [CAD_RESOURCE_WAITERS] = 2,
};

static cap_id_t child_start(const char *path, const char *const *arguments,
                            const struct cad_spawn_grant *grant)
{
    struct cad_program program = {.path = path, .arguments = arguments, .grants = grant,
                                  .grant_count = grant != NULL};
    cap_id_t process;

    for (unsigned i = 0; i < CAD_RESOURCE_COUNT; i++)
        program.limits[i] = small_limits[i];
    if (cad_spawn(&program, &process) != CAD_OK)
        give_up("spawn");
    return process;
}

static void child_end(cap_id_t process)
{
    uint64_t reason, status, address;

    (void)cad_process_wait(process, CAD_DEADLINE_FOREVER, &reason, &status, &address);
    (void)cad_cap_table_delete(cad_find(CAD_ROLE_SELF_TABLE), process);
}

static void spawn(unsigned thread, unsigned operations)
{
    (void)thread;
    for (unsigned i = 0; i < operations; i++)
        child_end(child_start("nothing", NULL, NULL));
}

/* --- calls: each thread has a server of its own --- */

static cap_id_t endpoints[SCALING_THREADS_MAX], servers[SCALING_THREADS_MAX];

static void call(unsigned thread, unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        server_call(endpoints[thread], 1);
}

static void server_start(unsigned thread)
{
    static const char *const arguments[] = {"bench", "server", NULL};
    struct cad_spawn_grant grant = {.role = CAD_ROLE_SERVICE, .rights = CAD_RIGHT_RECEIVE};

    if (cad_ledger_create_endpoint(cad_find(CAD_ROLE_SELF_LEDGER), &endpoints[thread]) != CAD_OK)
        give_up("create_endpoint");
    grant.cap = endpoints[thread];
    servers[thread] = child_start("bench", arguments, &grant);
    call(thread, 1); /* it waits now */
}

static void server_stop(unsigned thread)
{
    server_call(endpoints[thread], SERVER_GOODBYE);
    child_end(servers[thread]);
    (void)cad_cap_table_delete(cad_find(CAD_ROLE_SELF_TABLE), endpoints[thread]);
}

const struct storm storms[] = {
    {"checksum", NULL, checksum, NULL, 2000},
    {"touch", range_make, touch, range_drop, 16384},
    {"spawn", NULL, spawn, NULL, 64},
    {"call", server_start, call, server_stop, 8192},
    {0},
};

/* --- memory of a process --- */

enum { PROCESSES = 16 };

static uint64_t free_pages(void)
{
    uint64_t total, free;

    if (cad_frame_allocator_info(cad_find(CAD_ROLE_FRAME_ALLOCATOR), &total, &free) != CAD_OK)
        give_up("frame_allocator.info");
    return free;
}

void measure_process_memory(void)
{
    uint64_t before, bytes;

    server_start(0); /* records for all of them come with the first */
    before = free_pages();
    for (unsigned i = 1; i < PROCESSES; i++)
        server_start(i);
    bytes = (before - free_pages()) * PAGE_SIZE / (PROCESSES - 1);
    report("memory_process_bytes", bytes, bytes);
    for (unsigned i = 0; i < PROCESSES; i++)
        server_stop(i);
}
