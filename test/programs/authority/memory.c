// SPDX-License-Identifier: BSD-2-Clause
/* Untyped memory (UT1, UT2, UT3) and the right to execute (AS3). */
#include "authority.h"

#include <string.h>

static void untyped_is(cap_id_t untyped, uint64_t pages, uint64_t left, uint64_t children)
{
    uint64_t found_pages, found_left, found_children;

    REQUIRE_OK(cad_untyped_info(untyped, &found_pages, &found_left, &found_children));
    CHECK_EQUAL(found_pages, pages);
    CHECK_EQUAL(found_left, left);
    CHECK_EQUAL(found_children, children);
}

static uint64_t map(cap_id_t object, uint64_t pages, uint64_t protection)
{
    uint64_t address = 0;

    REQUIRE_OK(cad_memory_object_map(object, self_space, 0, 0, pages, protection, 0, &address));
    return address;
}

/* What the reaper destroys is back a moment later. */
static void wait_until_empty(cap_id_t untyped)
{
    uint64_t pages, left, children = 1, now, wall;

    for (unsigned turn = 0; turn < 1000 && children != 0; turn++) {
        REQUIRE_OK(cad_untyped_info(untyped, &pages, &left, &children));
        REQUIRE_OK(cad_clock_now(cad_find(CAD_ROLE_CLOCK), &now, &wall));
        CHECK_OK(cad_clock_sleep(cad_find(CAD_ROLE_CLOCK), now + 1000000));
    }
    CHECK_EQUAL(children, 0);
}

void test_untyped(void)
{
    uint64_t committed = ledger_used(self_ledger, CAD_RESOURCE_COMMITTED);
    cap_id_t untyped, part, object, deep;

    CHECK_STATUS(cad_frame_allocator_allocate_untyped(allocator, 0, &untyped), CAD_INVALID);
    CHECK_STATUS(cad_frame_allocator_allocate_untyped(allocator, UINT64_MAX, &untyped),
                 CAD_INVALID);
    REQUIRE_OK(cad_frame_allocator_allocate_untyped(allocator, 32, &untyped));
    CHECK_EQUAL(ledger_used(self_ledger, CAD_RESOURCE_COMMITTED), committed + 32);
    untyped_is(untyped, 32, 32, 0);
    REQUIRE_OK(cad_untyped_retype_object(untyped, 8, &object));
    REQUIRE_OK(cad_untyped_retype_untyped(untyped, 16, &part));
    REQUIRE_OK(cad_untyped_retype_object(part, 4, &deep));
    untyped_is(untyped, 32, 8, 2);
    untyped_is(part, 16, 12, 1);
    CHECK_STATUS(cad_untyped_retype_object(untyped, 9, &deep), CAD_USED_UP);
    CHECK_STATUS(cad_untyped_retype_object(untyped, 0, &deep), CAD_INVALID);
    /* Paid for once: objects of an untyped cost no committed page more. */
    CHECK_EQUAL(ledger_used(self_ledger, CAD_RESOURCE_COMMITTED), committed + 32);
    uint64_t address = map(object, 8, CAD_PROT_READ | CAD_PROT_WRITE);
    for (uint64_t page = 0; page < 8; page++) {
        volatile uint64_t *word = (volatile uint64_t *)(address + page * PAGE_SIZE);
        CHECK_EQUAL(*word, 0);
        *word = page + 1;
    }
    CHECK_OK(cad_memory_object_unmap(object, self_space, address, 8));
    CHECK_STATUS(cad_untyped_reset(untyped), CAD_BUSY);
    /* One revoke takes back all that was made of it, however deep. */
    CHECK_OK(cad_cap_table_revoke(self_table, untyped));
    check_stale(object);
    check_stale(part);
    wait_until_empty(untyped);
    CHECK_OK(cad_untyped_reset(untyped));
    untyped_is(untyped, 32, 32, 0);
    REQUIRE_OK(cad_untyped_retype_object(untyped, 32, &object));
    address = map(object, 32, CAD_PROT_READ);
    CHECK_EQUAL(*(volatile uint64_t *)address, 0); /* not what was written before */
    CHECK_OK(cad_memory_object_unmap(object, self_space, address, 32));
    drop(object);
    wait_until_empty(untyped);
    drop(untyped);
    CHECK_EQUAL(ledger_used(self_ledger, CAD_RESOURCE_COMMITTED), committed);
}

/* Executable only by a capability that has the right, and never writable too. */
static void code_runs(cap_id_t object)
{
    static const uint8_t code[] = {0xb8, 0x2a, 0, 0, 0, 0xc3}; /* mov $42, %eax; ret */
    uint64_t address = map(object, 1, CAD_PROT_READ | CAD_PROT_WRITE), other = 0;
    int (*answer)(void);

    memcpy((void *)address, code, sizeof(code));
    CHECK_STATUS(cad_memory_object_map(object, self_space, 0, 0, 1,
                                       CAD_PROT_READ | CAD_PROT_WRITE | CAD_PROT_EXECUTE, 0,
                                       &other),
                 CAD_WRITE_EXECUTE);
    CHECK_OK(cad_memory_object_unmap(object, self_space, address, 1));
    address = map(object, 1, CAD_PROT_READ | CAD_PROT_EXECUTE);
    memcpy(&answer, &address, sizeof(answer));
    CHECK_EQUAL(answer(), 42);
    CHECK_OK(cad_memory_object_unmap(object, self_space, address, 1));
}

void test_execute(void)
{
    uint64_t address = 0;
    cap_id_t object, plain_allocator, plain_object, narrowed;

    REQUIRE_OK(cad_frame_allocator_allocate(allocator, 1, &object));
    code_runs(object);
    narrowed = derive(object, CAD_RIGHT_READ | CAD_RIGHT_MAP);
    CHECK_STATUS(cad_memory_object_map(narrowed, self_space, 0, 0, 1,
                                       CAD_PROT_READ | CAD_PROT_EXECUTE, 0, &address),
                 CAD_NO_RIGHT);
    plain_allocator = derive(allocator, CAD_RIGHT_READ | CAD_RIGHT_SPEND);
    REQUIRE_OK(cad_frame_allocator_allocate(plain_allocator, 1, &plain_object));
    CHECK_STATUS(cad_memory_object_map(plain_object, self_space, 0, 0, 1,
                                       CAD_PROT_READ | CAD_PROT_EXECUTE, 0, &address),
                 CAD_NO_RIGHT);
    CHECK_STATUS(cad_virtual_memory_reserve(self_memory, 0, 1, CAD_PROT_READ | CAD_PROT_EXECUTE,
                                            0, &address),
                 CAD_NO_RIGHT);
    CHECK_STATUS(cad_virtual_memory_reserve(self_memory, 0, 1, CAD_PROT_READ, 1, &address),
                 CAD_INVALID);
    drop(plain_object);
    drop(plain_allocator);
    drop(narrowed);
    drop(object);
}
