// SPDX-License-Identifier: BSD-2-Clause
/*
 * memoryobject-shared (MO1, MO2, MO7): a parent allocates an object, maps it and
 * starts a child that was granted it.  The child writes; the parent sees the
 * writes through the same frames.  Both unmap; everything is given back.
 */
#include <stdio.h>
#include <string.h>

#include "abi/inspect.h"
#include "abi/methods.h"
#include "cadastre/capset.h"
#include "cadastre/check.h"
#include "cadastre/clients.h"
#include "cadastre/spawn.h"

enum { PAGES = 6, WORDS = PAGES * PAGE_SIZE / 8 };

static uint64_t parent_word(size_t i)
{
    return i * 2654435761u + 1;
}

static uint64_t child_word(size_t i)
{
    return ~parent_word(i) ^ (i << 40);
}

/* The frame behind an address of a process, by the inspector; 0: none. */
static uint32_t frame_behind(uint32_t process, uint64_t address)
{
    struct cad_space_run run;
    uint64_t records = 0, next = 0;

    REQUIRE_OK(cad_inspector_read(cad_find(CAD_ROLE_INSPECTOR), CAD_INSPECT_SPACE, address,
                                  (uint64_t)(uintptr_t)&run, sizeof run, process, &records,
                                  &next));
    return records == 1 && run.start <= address ? run.first_frame : 0;
}

static int child(void)
{
    cap_id_t object = cad_find(CAD_ROLE_SHARED), space = cad_find(CAD_ROLE_SELF_SPACE);
    uint64_t address = 0, pages, kind, id, generation;
    volatile uint64_t *words;

    CHECK_OK(cad_memory_object_info(object, &pages, &kind, &id, &generation));
    CHECK_EQUAL(pages, PAGES);
    /* The grant gave READ, WRITE and MAP: execute is refused, whatever is asked. */
    CHECK_STATUS(cad_memory_object_map(object, space, 0, 0, PAGES,
                                       CAD_PROT_READ | CAD_PROT_EXECUTE, 0, &address),
                 CAD_NO_RIGHT);
    REQUIRE_OK(cad_memory_object_map(object, space, 0, 0, PAGES, CAD_PROT_READ | CAD_PROT_WRITE,
                                     0, &address));
    words = (volatile uint64_t *)address;
    for (size_t i = 0; i < WORDS; i++) {
        if (words[i] != parent_word(i)) {
            CHECK_EQUAL(words[i], parent_word(i));
            break;
        }
        words[i] = child_word(i);
    }
    /* Anonymous operations do not reach an object's pages, nor another object's calls. */
    CHECK_STATUS(cad_virtual_memory_unmap(cad_find(CAD_ROLE_SELF_MEMORY), address, 1),
                 CAD_NOT_RESERVED);
    CHECK_STATUS(cad_virtual_memory_decommit(cad_find(CAD_ROLE_SELF_MEMORY), address, 1),
                 CAD_NOT_RESERVED);
    CHECK_OK(cad_memory_object_protect(object, space, address, PAGES, CAD_PROT_READ));
    CHECK_STATUS(cad_memory_object_protect(object, space, address, PAGES,
                                           CAD_PROT_READ | CAD_PROT_EXECUTE),
                 CAD_NO_RIGHT);
    /* The middle goes first: the record splits; then the rest. */
    CHECK_OK(cad_memory_object_unmap(object, space, address + 2 * PAGE_SIZE, 2));
    CHECK_EQUAL(words[0], child_word(0));
    CHECK_OK(cad_memory_object_unmap(object, space, address, 2));
    CHECK_OK(cad_memory_object_unmap(object, space, address + 4 * PAGE_SIZE, 2));
    CHECK_STATUS(cad_memory_object_unmap(object, space, address, 1), CAD_WRONG_OBJECT);
    return check_report("memoryobject-shared (child)");
}

/* A mapping of one object does not answer to another (MO1); an object outlives its
 * capability while it is mapped, and the charge with it (MO2, LG4). */
static void show_identity(cap_id_t allocator, cap_id_t space, cap_id_t table)
{
    cap_id_t ledger = cad_find(CAD_ROLE_SELF_LEDGER), first, second;
    uint64_t before, held, limit, donated, address = 0;

    REQUIRE_OK(cad_ledger_info(ledger, CAD_RESOURCE_COMMITTED, &before, &limit, &donated));
    REQUIRE_OK(cad_frame_allocator_allocate(allocator, 2, &first));
    REQUIRE_OK(cad_frame_allocator_allocate_contiguous(allocator, 4, 4, &second));
    REQUIRE_OK(cad_memory_object_map(first, space, 0, 0, 2, CAD_PROT_READ | CAD_PROT_WRITE,
                                     CAD_MAP_POPULATE, &address));
    CHECK_STATUS(cad_memory_object_unmap(second, space, address, 1), CAD_WRONG_OBJECT);
    CHECK_STATUS(cad_memory_object_protect(second, space, address, 1, CAD_PROT_READ),
                 CAD_WRONG_OBJECT);
    CHECK_STATUS(cad_memory_object_map(first, space, address, 0, 1, CAD_PROT_READ, 0, &address),
                 CAD_OVERLAP);
    CHECK_STATUS(cad_memory_object_map(first, space, 0, 1, 2, CAD_PROT_READ, 0, &address),
                 CAD_INVALID);
    CHECK_OK(cad_cap_table_delete(table, second));
    REQUIRE_OK(cad_ledger_info(ledger, CAD_RESOURCE_COMMITTED, &held, &limit, &donated));
    CHECK_EQUAL(held, before + 2);

    cap_id_t narrow;

    REQUIRE_OK(cad_cap_table_derive(table, first, CAD_RIGHT_ALL & ~CAD_RIGHT_WRITE, 0, &narrow));
    CHECK_OK(cad_cap_table_delete(table, first));
    *(volatile uint64_t *)address = 77;
    REQUIRE_OK(cad_ledger_info(ledger, CAD_RESOURCE_COMMITTED, &held, &limit, &donated));
    CHECK_EQUAL(held, before + 2);
    CHECK_OK(cad_memory_object_unmap(narrow, space, address, 2));
    CHECK_OK(cad_cap_table_delete(table, narrow));
    REQUIRE_OK(cad_ledger_info(ledger, CAD_RESOURCE_COMMITTED, &held, &limit, &donated));
    CHECK_EQUAL(held, before);
}

static int parent(void)
{
    static const char *const arguments[] = { "memoryobject-shared", "child", NULL };
    cap_id_t allocator = cad_find(CAD_ROLE_FRAME_ALLOCATOR), object, process;
    cap_id_t space = cad_find(CAD_ROLE_SELF_SPACE), table = cad_find(CAD_ROLE_SELF_TABLE);
    const struct cad_capset *capset = (const struct cad_capset *)CAD_CAPSET_ADDRESS;
    uint64_t address = 0, reason, status, fault, total, free_before, free_after;
    uint32_t frames[PAGES];
    volatile uint64_t *words;

    show_identity(allocator, space, table); /* also warms every pool */
    REQUIRE_OK(cad_frame_allocator_info(allocator, &total, &free_before));
    REQUIRE_OK(cad_frame_allocator_allocate(allocator, PAGES, &object));
    REQUIRE_OK(cad_memory_object_map(object, space, 0, 0, PAGES, CAD_PROT_READ | CAD_PROT_WRITE,
                                     0, &address));
    words = (volatile uint64_t *)address;
    for (size_t i = 0; i < WORDS; i++) {
        if (words[i] != 0)
            CHECK_EQUAL(words[i], 0);
        words[i] = parent_word(i);
    }
    for (size_t page = 0; page < PAGES; page++)
        frames[page] = frame_behind(capset->process_id, address + page * PAGE_SIZE);

    struct cad_spawn_grant grants[] = {
        { .cap = object, .role = CAD_ROLE_SHARED,
          .rights = CAD_RIGHT_READ | CAD_RIGHT_WRITE | CAD_RIGHT_MAP },
        { .cap = cad_find(CAD_ROLE_CONSOLE), .role = CAD_ROLE_CONSOLE, .rights = CAD_RIGHT_ALL },
    };
    struct cad_program program = { .path = "memoryobject-shared", .arguments = arguments,
                                   .grants = grants, .grant_count = 2 };

    cad_default_limits(program.limits);
    REQUIRE_OK(cad_spawn(&program, &process));
    REQUIRE_OK(cad_process_wait(process, CAD_DEADLINE_FOREVER, &reason, &status, &fault));
    CHECK_EQUAL(reason, CAD_EXIT_STATUS);
    CHECK_EQUAL(status, 0);
    for (size_t i = 0; i < WORDS; i++) {
        if (words[i] != child_word(i)) {
            CHECK_EQUAL(words[i], child_word(i));
            break;
        }
    }
    for (size_t page = 0; page < PAGES; page++) {
        CHECK_THAT(frames[page] != 0);
        CHECK_EQUAL(frame_behind(capset->process_id, address + page * PAGE_SIZE), frames[page]);
    }
    CHECK_OK(cad_memory_object_unmap(object, space, address, PAGES));
    CHECK_OK(cad_cap_table_delete(table, object));
    CHECK_OK(cad_cap_table_delete(table, process));
    REQUIRE_OK(cad_frame_allocator_info(allocator, &total, &free_after));
    printf("free frames before %llu, after %llu\n", (unsigned long long)free_before,
           (unsigned long long)free_after);
    /* Pools may have grown for the child's records; they keep their pages (docs/decisions). */
    CHECK_THAT(free_after + 64 >= free_before);
    return check_report("memoryobject-shared");
}

int main(int argc, char **argv)
{
    return argc == 2 && strcmp(argv[1], "child") == 0 ? child() : parent();
}
