// SPDX-License-Identifier: BSD-2-Clause
/* Taking oneself apart in odd orders. */
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>

#include "abi/capset.h"
#include "abi/methods.h"
#include "abi/rights.h"
#include "cadastre/capset.h"
#include "cadastre/clients.h"
#include "hostile.h"

static const struct cad_capset *capset(void)
{
    return (const struct cad_capset *)CAD_CAPSET_ADDRESS;
}

static int kill_self(void)
{
    (void)cad_process_kill(cad_find(CAD_ROLE_SELF_PROCESS));
    return 1;
}

/* The table that names everything is deleted through itself, last or first. */
static int delete_all(void)
{
    cap_id_t table = cad_find(CAD_ROLE_SELF_TABLE), self = cad_find(CAD_ROLE_SELF_PROCESS);

    for (uint32_t i = 0; i < capset()->count; i++) {
        if (capset()->entries[i].cap != self && capset()->entries[i].cap != table)
            (void)cad_cap_table_delete(table, capset()->entries[i].cap);
    }
    (void)cad_cap_table_delete(table, table);
    (void)cad_process_exit(self, 21);
    return 1;
}

/* Without its own process's capability it can only stop by a fault. */
static int delete_self_first(void)
{
    cap_id_t table = cad_find(CAD_ROLE_SELF_TABLE);

    (void)cad_cap_table_delete(table, cad_find(CAD_ROLE_SELF_PROCESS));
    (void)cad_cap_table_delete(table, cad_find(CAD_ROLE_SELF_MEMORY));
    (void)cad_cap_table_delete(table, table);
    __asm__ volatile("ud2");
    return 1;
}

static int revoke_all(void)
{
    cap_id_t table = cad_find(CAD_ROLE_SELF_TABLE);

    for (uint32_t i = 0; i < capset()->count; i++)
        (void)cad_cap_table_revoke(table, capset()->entries[i].cap);
    return 22;
}

/* The stack goes away under the caller's feet. */
static int unmap_stack(void)
{
    uint64_t here = (uint64_t)(uintptr_t)__builtin_frame_address(0) & ~(uint64_t)(PAGE_SIZE - 1);

    (void)cad_virtual_memory_unmap(cad_find(CAD_ROLE_SELF_MEMORY), here, 1);
    return *(volatile char *)here;
}

static int unmap_runtime(void)
{
    cap_id_t memory = cad_find(CAD_ROLE_SELF_MEMORY);

    for (uint64_t page = 0; page < 64; page++)
        (void)cad_virtual_memory_unmap(memory, CAD_RUNTIME_BASE + page * PAGE_SIZE, 1);
    return *(volatile char *)CAD_RUNTIME_BASE; /* its text is not anonymous: still there */
}

/* Everything the process may unmap, page by page, while it runs. */
static int unmap_everything(void)
{
    cap_id_t memory = cad_find(CAD_ROLE_SELF_MEMORY), space = cad_find(CAD_ROLE_SELF_SPACE);
    uint64_t address = CAD_USER_BASE, state, protection, start, pages;

    while (address < CAD_SYSTEM_BASE) {
        if (cad_address_space_query(space, address, &state, &protection, &start, &pages) != CAD_OK)
            return 1;
        if (start + pages * PAGE_SIZE <= address)
            return 2;
        if (state != 0)
            (void)cad_virtual_memory_unmap(memory, start, pages);
        address = start + pages * PAGE_SIZE;
    }
    return 3;
}

static void *spin(void *argument)
{
    volatile uint64_t *counter = argument;

    for (;;)
        (*counter)++;
    return NULL;
}

static void *fault_soon(void *argument)
{
    for (volatile unsigned i = 0; i < 100000; i++)
        continue;
    *(volatile char *)argument = 1;
    return NULL;
}

/* Exit while others run, fault, park. */
static int exit_among_threads(void)
{
    static uint64_t counter;
    pthread_t id;

    for (unsigned i = 0; i < 6; i++)
        pthread_create(&id, NULL, spin, &counter);
    while (*(volatile uint64_t *)&counter < 1000)
        continue;
    return 23;
}

static int fault_among_threads(void)
{
    static uint64_t counter;
    pthread_t id;

    for (unsigned i = 0; i < 4; i++)
        pthread_create(&id, NULL, spin, &counter);
    for (unsigned i = 0; i < 4; i++)
        pthread_create(&id, NULL, fault_soon, NULL);
    pthread_join(id, NULL);
    return 1;
}

/* One thread maps and unmaps what another touches. */
static int unmap_under_threads(void)
{
    cap_id_t memory = cad_find(CAD_ROLE_SELF_MEMORY);
    uint64_t address = 0;
    pthread_t id;

    if (cad_virtual_memory_reserve(memory, 0, 1, CAD_PROT_READ | CAD_PROT_WRITE, 0, &address) !=
            CAD_OK ||
        cad_virtual_memory_commit(memory, address, 1, CAD_PROT_READ | CAD_PROT_WRITE, 0) != CAD_OK)
        return 1;
    pthread_create(&id, NULL, spin, (void *)address);
    while (*(volatile uint64_t *)address < 1000)
        continue;
    (void)cad_virtual_memory_unmap(memory, address, 1);
    pthread_join(id, NULL);
    return 1;
}

/* Takes all it can of each resource, then ends. */
static int hoard(void)
{
    cap_id_t ledger = cad_find(CAD_ROLE_SELF_LEDGER), table = cad_find(CAD_ROLE_SELF_TABLE);
    cap_id_t frames = cad_find(CAD_ROLE_FRAME_ALLOCATOR), memory = cad_find(CAD_ROLE_SELF_MEMORY);
    cap_id_t made;
    uint64_t address;
    unsigned taken = 0;

    while (taken < 100000 && cad_frame_allocator_allocate(frames, 16, &made) == CAD_OK)
        taken++;
    while (taken < 200000 && cad_ledger_create_endpoint(ledger, &made) == CAD_OK)
        taken++;
    while (taken < 300000 &&
           cad_cap_table_derive(table, ledger, CAD_RIGHT_ALL, 0, &made) == CAD_OK)
        taken++;
    do {
        address = 0;
        taken++;
    } while (taken < 400000 &&
             cad_virtual_memory_reserve(memory, 0, 1ull << 18, CAD_PROT_READ, 0, &address) ==
                 CAD_OK);
    cad_process_exit(cad_find(CAD_ROLE_SELF_PROCESS), 24);
    return 1;
}

const struct attack attacks_on_self[] = {
    { "kill-self", kill_self, CAD_EXIT_KILLED, -1 },
    { "delete-all", delete_all, ATTACK_ANY_END, -1 },
    { "delete-self-first", delete_self_first, CAD_EXIT_ILLEGAL_INSTRUCTION, -1 },
    { "revoke-all", revoke_all, CAD_EXIT_STATUS, 22 },
    { "unmap-stack", unmap_stack, CAD_EXIT_PAGE_FAULT, -1 },
    { "unmap-runtime", unmap_runtime, CAD_EXIT_PAGE_FAULT, -1 },
    { "unmap-everything", unmap_everything, ATTACK_ANY_END, -1 },
    { "exit-among-threads", exit_among_threads, CAD_EXIT_STATUS, 23 },
    { "fault-among-threads", fault_among_threads, CAD_EXIT_PAGE_FAULT, -1 },
    { "unmap-under-threads", unmap_under_threads, CAD_EXIT_PAGE_FAULT, -1 },
    { "hoard", hoard, CAD_EXIT_STATUS, 24 },
    { NULL, NULL, 0, 0 },
};
