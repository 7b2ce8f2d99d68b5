// SPDX-License-Identifier: BSD-2-Clause
/* Promised memory that still dies, and pages that are freed while other CPUs write to them. */
#include "races.h"

enum { OBJECT_PAGES = 96, WRITERS = 2, CHILDREN = 40, WATCHERS = 2, EXCHANGES = 500 };

/* --- a promise is kept while what pays for it still dies --- */

void test_promised_memory(void)
{
    uint64_t pages = cad_ledger_left(CAD_RESOURCE_COMMITTED) / 100 * 98, address = 0;

    for (unsigned round = 0; round < 3; round++) {
        cap_id_t object;
        uint64_t at;
        /* An object of all that is left is deleted, and anonymous memory committed instead. */
        REQUIRE_OK(cad_frame_allocator_allocate(frames, pages, &object));
        REQUIRE_OK(cad_virtual_memory_reserve(self_memory, 0, pages, CAD_PROT_READ | CAD_PROT_WRITE,
                                              0, &address));
        REQUIRE_OK(cad_cap_table_delete(self_table, object));
        REQUIRE_OK(cad_virtual_memory_commit(self_memory, address, pages,
                                             CAD_PROT_READ | CAD_PROT_WRITE, 0));
        for (at = 0; at < pages; at++)
            *(volatile uint64_t *)(address + at * PAGE_SIZE) = at + round;
        for (at = 0; at < pages; at++) {
            if (*(volatile uint64_t *)(address + at * PAGE_SIZE) != at + round)
                break;
        }
        CHECK_EQUAL(at, pages);
        CHECK_OK(cad_virtual_memory_unmap(self_memory, address, pages));
        CHECK_OK(cad_frame_allocator_allocate(frames, pages, &object));
        CHECK_OK(cad_cap_table_delete(self_table, object));
    }
}

/* --- who gives back before taking again is never refused --- */

/* A table of each is 2 MiB away from the next one's. */
#define FAR_PAGES (UINT64_C(2) << (20 - PAGE_SHIFT))

/* In a child, whose end gives all back. */
_Noreturn void child_gives_back(void)
{
    cap_id_t object, next;
    uint64_t address = 0, far = cad_ledger_left(CAD_RESOURCE_VIRTUAL) - FAR_PAGES;
    status_t status = CAD_OK;

    REQUIRE_OK(cad_frame_allocator_allocate(frames, 2, &object)); /* with a node of 4 KiB */
    REQUIRE_OK(cad_virtual_memory_reserve(self_memory, 0, far, CAD_PROT_READ, 0, &address));
    for (uint64_t at = 0; at < far && status == CAD_OK; at += FAR_PAGES)
        status = cad_virtual_memory_commit(self_memory, address + at * PAGE_SIZE, 1,
                                           CAD_PROT_READ, 0);
    CHECK_STATUS(status, CAD_QUOTA_METADATA);
    while ((status = cad_frame_allocator_allocate(frames, 2, &next)) == CAD_OK)
        ;
    CHECK_STATUS(status, CAD_QUOTA_METADATA);
    for (unsigned i = 0; i < EXCHANGES; i++) {
        REQUIRE_OK(cad_cap_table_delete(self_table, object));
        REQUIRE_OK(cad_frame_allocator_allocate(frames, 2, &object));
    }
    exit(check_report("given back"));
}

void test_given_back(void)
{
    uint64_t status;
    cap_id_t child = child_start("gives-back", true);

    CHECK_EQUAL(child_join(child, &status), CAD_EXIT_STATUS);
    CHECK_EQUAL(status, 0);
    CHECK_OK(cad_cap_table_delete(self_table, child));
}

/* --- the child: writers on all CPUs, an unmap, and the last capability goes --- */

#define POISON UINT64_C(0xbadbadbadbadbad1)

static uint64_t shared_address;
static cap_id_t shared_object;
static volatile uint32_t writing, go;
static struct racer writers[WRITERS], deleter;

static void write_for_ever(struct racer *self)
{
    (void)__atomic_fetch_add(&writing, 1, __ATOMIC_SEQ_CST);
    for (;;) {
        for (uint64_t page = 0; page < OBJECT_PAGES; page++)
            *(volatile uint64_t *)(shared_address + page * PAGE_SIZE + 8) = POISON;
    }
}

static void delete_soon(struct racer *self)
{
    while (go == 0)
        ;
    spin(self->word);
    self->status = cad_cap_table_delete(self_table, shared_object);
}

void child_unmap(void)
{
    uint64_t random = now_ns() | 1;

    REQUIRE_OK(cad_frame_allocator_allocate(frames, OBJECT_PAGES, &shared_object));
    REQUIRE_OK(cad_memory_object_map(shared_object, self_space, 0, 0, OBJECT_PAGES,
                                     CAD_PROT_READ | CAD_PROT_WRITE, CAD_MAP_POPULATE,
                                     &shared_address));
    for (unsigned i = 0; i < WRITERS; i++)
        racer_start(&writers[i], write_for_ever);
    deleter.word = random_next(&random) % 60000; /* about as long as the unmap */
    racer_start(&deleter, delete_soon);
    while (writing != WRITERS)
        (void)cad_process_thread_yield(self_process);
    go = 1;
    (void)cad_memory_object_unmap(shared_object, self_space, shared_address, OBJECT_PAGES);
    racer_join(&deleter);
    spin(2000000); /* writers whose CPU was not asked go on meanwhile */
}

/* --- the parent: nobody else writes to what it holds --- */

static struct racer watchers[WATCHERS];

/* Gives: pages that held something, or changed. */
static uint64_t pages_touched(uint64_t address, uint64_t mark)
{
    uint64_t touched = 0;

    for (uint64_t i = 0; i < OBJECT_PAGES; i++) {
        volatile uint64_t *word = (volatile uint64_t *)(address + i * PAGE_SIZE + 8);
        touched += *word != 0;
        *word = mark;
    }
    spin(2000);
    for (uint64_t i = 0; i < OBJECT_PAGES; i++)
        touched += *(volatile uint64_t *)(address + i * PAGE_SIZE + 8) != mark;
    return touched;
}

static void watch(struct racer *self)
{
    uint64_t address = 0;

    while (*(volatile uint64_t *)&self->word == 0 && self->status == CAD_OK) {
        cap_id_t object;
        self->status = cad_frame_allocator_allocate(frames, OBJECT_PAGES, &object);
        if (self->status == CAD_OK)
            self->status = cad_memory_object_map(object, self_space, 0, 0, OBJECT_PAGES,
                                                 CAD_PROT_READ | CAD_PROT_WRITE,
                                                 CAD_MAP_POPULATE, &address);
        if (self->status != CAD_OK)
            return;
        self->rounds += pages_touched(address, (uint64_t)self);
        self->status = cad_memory_object_unmap(object, self_space, address, OBJECT_PAGES);
        if (self->status == CAD_OK)
            self->status = cad_cap_table_delete(self_table, object);
    }
}

void test_freed_pages(void)
{
    for (unsigned i = 0; i < WATCHERS; i++) {
        watchers[i].word = watchers[i].rounds = 0;
        racer_start(&watchers[i], watch);
    }
    for (unsigned i = 0; i < CHILDREN; i++) {
        cap_id_t child = child_start("unmap", false);
        uint64_t status, reason = child_join(child, &status);
        CHECK_THAT(reason == CAD_EXIT_PAGE_FAULT || reason == CAD_EXIT_STATUS);
        CHECK_OK(cad_cap_table_delete(self_table, child));
    }
    for (unsigned i = 0; i < WATCHERS; i++) {
        *(volatile uint64_t *)&watchers[i].word = 1;
        racer_join(&watchers[i]);
        CHECK_STATUS(watchers[i].status, CAD_OK);
        CHECK_EQUAL(watchers[i].rounds, 0); /* pages that somebody else wrote to */
    }
}
