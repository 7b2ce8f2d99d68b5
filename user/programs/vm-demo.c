// SPDX-License-Identifier: BSD-2-Clause
/*
 * vm-demo: the contract of VirtualMemory, shown and checked (VM1 to VM5, AS3):
 * reserve, commit, decommit, protection none and back, recommit reads zero,
 * splits, overlaps and quotas refused, SYSTEM pages refused, and the way the Go
 * runtime uses memory: 64 MiB arenas in one huge reservation.
 */
#include <string.h>

#include "abi/methods.h"
#include "cadastre/capset.h"
#include "cadastre/check.h"
#include "cadastre/clients.h"

#define MIB_PAGES  256ull
#define RW         (CAD_PROT_READ | CAD_PROT_WRITE)

static cap_id_t memory, ledger;

static uint64_t used(uint64_t resource)
{
    uint64_t amount = 0, limit, donated;

    REQUIRE_OK(cad_ledger_info(ledger, resource, &amount, &limit, &donated));
    return amount;
}

static uint64_t limit_left(uint64_t resource)
{
    uint64_t amount, limit, donated;

    REQUIRE_OK(cad_ledger_info(ledger, resource, &amount, &limit, &donated));
    return limit - amount - donated;
}

static uint64_t reserve(uint64_t pages)
{
    uint64_t address = 0;

    REQUIRE_OK(cad_virtual_memory_reserve(memory, 0, pages, RW, 0, &address));
    return address;
}

static bool is_zero(const volatile uint64_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (words[i] != 0)
            return false;
    }
    return true;
}

/* VM1: what each step charges, and that recommitted memory reads zero. */
static void show_commit_and_decommit(void)
{
    uint64_t virtual_before = used(CAD_RESOURCE_VIRTUAL);
    uint64_t committed_before = used(CAD_RESOURCE_COMMITTED);
    uint64_t address = reserve(16);
    volatile uint64_t *words = (volatile uint64_t *)address;

    CHECK_EQUAL(used(CAD_RESOURCE_VIRTUAL), virtual_before + 16);
    CHECK_EQUAL(used(CAD_RESOURCE_COMMITTED), committed_before);

    CHECK_OK(cad_virtual_memory_commit(memory, address, 4, RW, 0));
    CHECK_EQUAL(used(CAD_RESOURCE_COMMITTED), committed_before + 4);
    CHECK_THAT(is_zero(words, 4 * PAGE_SIZE / 8));
    words[0] = 0x1234;
    words[3 * PAGE_SIZE / 8] = 0x5678;
    /* Committing again neither charges nor touches what is there. */
    CHECK_OK(cad_virtual_memory_commit(memory, address, 4, RW, 0));
    CHECK_EQUAL(used(CAD_RESOURCE_COMMITTED), committed_before + 4);
    CHECK_EQUAL(words[0], 0x1234);

    CHECK_OK(cad_virtual_memory_decommit(memory, address, 1));
    CHECK_EQUAL(used(CAD_RESOURCE_COMMITTED), committed_before + 3);
    CHECK_EQUAL(used(CAD_RESOURCE_VIRTUAL), virtual_before + 16);
    CHECK_OK(cad_virtual_memory_commit(memory, address, 1, RW, 0));
    CHECK_EQUAL(words[0], 0);
    CHECK_EQUAL(words[3 * PAGE_SIZE / 8], 0x5678);

    CHECK_OK(cad_virtual_memory_commit(memory, address + 8 * PAGE_SIZE, 8, RW, CAD_COMMIT_EAGER));
    CHECK_THAT(is_zero(words + 8 * PAGE_SIZE / 8, 8 * PAGE_SIZE / 8));
    CHECK_OK(cad_virtual_memory_unmap(memory, address, 16));
    CHECK_EQUAL(used(CAD_RESOURCE_VIRTUAL), virtual_before);
    CHECK_EQUAL(used(CAD_RESOURCE_COMMITTED), committed_before);
    printf("commit and decommit: done\n");
}

/* VM3: none keeps the data and the charge. */
static void show_protection(void)
{
    uint64_t address = reserve(4);
    uint64_t committed_before = used(CAD_RESOURCE_COMMITTED);
    volatile uint64_t *words = (volatile uint64_t *)address;
    uint64_t state, protection, start, pages;
    cap_id_t space = cad_find(CAD_ROLE_SELF_SPACE);

    CHECK_OK(cad_virtual_memory_commit(memory, address, 4, RW, 0));
    words[0] = 0xfeed;
    CHECK_OK(cad_virtual_memory_protect(memory, address, 4, CAD_PROT_NONE));
    CHECK_EQUAL(used(CAD_RESOURCE_COMMITTED), committed_before + 4);
    CHECK_OK(cad_address_space_query(space, address, &state, &protection, &start, &pages));
    CHECK_EQUAL(protection, CAD_PROT_NONE);
    CHECK_OK(cad_virtual_memory_protect(memory, address, 4, CAD_PROT_READ));
    CHECK_EQUAL(words[0], 0xfeed);
    CHECK_OK(cad_virtual_memory_protect(memory, address, 4, RW));
    words[0] = 0xbeef;
    CHECK_EQUAL(words[0], 0xbeef);

    CHECK_STATUS(cad_virtual_memory_protect(memory, address, 4, CAD_PROT_WRITE | CAD_PROT_EXECUTE),
                 CAD_WRITE_EXECUTE);
    CHECK_STATUS(cad_virtual_memory_protect(memory, address, 4, RW | CAD_PROT_EXECUTE),
                 CAD_WRITE_EXECUTE);
    CHECK_OK(cad_virtual_memory_unmap(memory, address, 4));
    printf("protection: done\n");
}

/* VM2: fixed hints never replace; every way of splitting is legal. */
static void show_splits(void)
{
    uint64_t before = used(CAD_RESOURCE_VIRTUAL);
    uint64_t address = reserve(16), other;
    uint64_t middle = address + 6 * PAGE_SIZE;

    CHECK_STATUS(cad_virtual_memory_reserve(memory, middle, 1, RW, 0, &other), CAD_OVERLAP);
    CHECK_STATUS(cad_virtual_memory_reserve(memory, address - PAGE_SIZE, 2, RW, 0, &other),
                 CAD_OVERLAP);
    CHECK_OK(cad_virtual_memory_unmap(memory, middle, 2));           /* middle */
    CHECK_OK(cad_virtual_memory_unmap(memory, address, 1));          /* head */
    CHECK_OK(cad_virtual_memory_unmap(memory, address + 15 * PAGE_SIZE, 1)); /* tail */
    CHECK_EQUAL(used(CAD_RESOURCE_VIRTUAL), before + 12);
    CHECK_STATUS(cad_virtual_memory_commit(memory, middle, 1, RW, 0), CAD_NOT_RESERVED);
    CHECK_STATUS(cad_virtual_memory_commit(memory, middle - PAGE_SIZE, 2, RW, 0),
                 CAD_NOT_RESERVED);

    /* The hole can be reserved again, exactly, and joins its neighbours. */
    CHECK_OK(cad_virtual_memory_reserve(memory, middle, 2, RW, 0, &other));
    CHECK_EQUAL(other, middle);
    CHECK_OK(cad_virtual_memory_commit(memory, address + PAGE_SIZE, 14, RW, 0));
    memset((void *)(address + PAGE_SIZE), 0x5a, 14 * PAGE_SIZE);
    CHECK_OK(cad_virtual_memory_unmap(memory, address + PAGE_SIZE, 14));
    CHECK_EQUAL(used(CAD_RESOURCE_VIRTUAL), before);
    printf("splits: done\n");
}

/* LG3, VM4: refused before anything changes. */
static void show_refusals(void)
{
    uint64_t virtual_before = used(CAD_RESOURCE_VIRTUAL);
    uint64_t committed_before = used(CAD_RESOURCE_COMMITTED);
    uint64_t metadata_before = used(CAD_RESOURCE_METADATA);
    uint64_t address = 0, too_many = limit_left(CAD_RESOURCE_VIRTUAL) + 1;

    CHECK_STATUS(cad_virtual_memory_reserve(memory, 0, too_many, RW, 0, &address),
                 CAD_QUOTA_VIRTUAL);
    too_many = limit_left(CAD_RESOURCE_COMMITTED) + 1;
    address = reserve(too_many);
    CHECK_STATUS(cad_virtual_memory_commit(memory, address, too_many, RW, 0), CAD_QUOTA_COMMITTED);
    CHECK_OK(cad_virtual_memory_unmap(memory, address, too_many));

    CHECK_STATUS(cad_virtual_memory_reserve(memory, CAD_CAPSET_ADDRESS, 1, RW, 0, &address),
                 CAD_PROTECTED_RANGE);
    CHECK_STATUS(cad_virtual_memory_unmap(memory, CAD_CAPSET_ADDRESS, 1), CAD_PROTECTED_RANGE);
    CHECK_STATUS(cad_virtual_memory_protect(memory, CAD_CAPSET_ADDRESS, 1, RW),
                 CAD_PROTECTED_RANGE);
    CHECK_STATUS(cad_virtual_memory_decommit(memory, CAD_CAPSET_ADDRESS, 1), CAD_PROTECTED_RANGE);
    CHECK_STATUS(cad_virtual_memory_commit(memory, CAD_RING_BASE, 1, RW, 0), CAD_PROTECTED_RANGE);
    CHECK_STATUS(cad_virtual_memory_reserve(memory, 0x10001, 1, RW, 0, &address), CAD_INVALID);
    CHECK_STATUS(cad_virtual_memory_reserve(memory, 0, 0, RW, 0, &address), CAD_INVALID);
    CHECK_STATUS(cad_virtual_memory_reserve(memory, 0xffff800000000000, 1, RW, 0, &address),
                 CAD_INVALID);

    CHECK_EQUAL(used(CAD_RESOURCE_VIRTUAL), virtual_before);
    CHECK_EQUAL(used(CAD_RESOURCE_COMMITTED), committed_before);
    CHECK_EQUAL(used(CAD_RESOURCE_METADATA), metadata_before);
    printf("refusals: done\n");
}

/* VM5: arenas of 64 MiB in a huge reservation; grow, use, scavenge, give back. */
static void show_arenas(void)
{
    enum { ARENAS = 8, GROWS = 6 };
    const uint64_t arena_pages = 64 * MIB_PAGES;
    uint64_t committed_before = used(CAD_RESOURCE_COMMITTED);
    uint64_t virtual_before = used(CAD_RESOURCE_VIRTUAL);
    uint64_t base = reserve(ARENAS * arena_pages);

    for (unsigned arena = 0; arena < ARENAS; arena++) {
        uint64_t start = base + arena * arena_pages * PAGE_SIZE;

        for (unsigned i = 0; i < GROWS; i++) {
            volatile uint64_t *words = (volatile uint64_t *)(start + i * 64 * PAGE_SIZE);

            REQUIRE_OK(cad_virtual_memory_commit(memory, (uint64_t)words, 64, RW, 0));
            for (unsigned page = 0; page < 64; page += 7)
                words[page * PAGE_SIZE / 8] = arena * 1000 + page;
        }
        /* The scavenger takes every second part back; it reads zero when it is used again. */
        for (unsigned i = 0; i < GROWS; i += 2)
            CHECK_OK(cad_virtual_memory_decommit(memory, start + i * 64 * PAGE_SIZE, 64));
        CHECK_OK(cad_virtual_memory_commit(memory, start, 64, RW, 0));
        CHECK_EQUAL(*(volatile uint64_t *)(start + 7 * PAGE_SIZE), 0);
        CHECK_EQUAL(*(volatile uint64_t *)(start + 71 * PAGE_SIZE), arena * 1000 + 7);
    }
    CHECK_EQUAL(used(CAD_RESOURCE_COMMITTED), committed_before + ARENAS * (GROWS / 2 + 1) * 64);
    CHECK_OK(cad_virtual_memory_unmap(memory, base, ARENAS * arena_pages));
    CHECK_EQUAL(used(CAD_RESOURCE_COMMITTED), committed_before);
    CHECK_EQUAL(used(CAD_RESOURCE_VIRTUAL), virtual_before);
    printf("arenas: done\n");
}

int main(void)
{
    uint64_t metadata_before;

    memory = cad_find(CAD_ROLE_SELF_MEMORY);
    ledger = cad_find(CAD_ROLE_SELF_LEDGER);
    printf("vm-demo: anonymous memory of one process\n");
    metadata_before = used(CAD_RESOURCE_METADATA);
    show_commit_and_decommit();
    show_protection();
    show_splits();
    show_refusals();
    show_arenas();
    CHECK_EQUAL(used(CAD_RESOURCE_METADATA), metadata_before);
    return check_report("vm-demo");
}
