// SPDX-License-Identifier: BSD-2-Clause
/*
 * spawn-rollback (US1): images that are corrupt in every field, and quotas that
 * run out at every step.  Each failed spawn gives its own error and leaves the
 * ledger as it was; after all of it a good spawn still works.
 */
#include <elf.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "abi/methods.h"
#include "cadastre/capset.h"
#include "cadastre/check.h"
#include "cadastre/clients.h"
#include "cadastre/spawn.h"
#include "cadastre/stock.h"

static cap_id_t ledger, table, space;
static cap_id_t nursery; /* what the children are paid from */
static struct cad_spawn_image good; /* this program, in the archive */

/* An object with a copy of this program that we may spoil. */
struct copy {
    cap_id_t object;
    uint64_t address, pages;
    unsigned char *bytes;
};

static void make_copy(struct copy *copy)
{
    uint64_t original = 0, archive_page = good.offset_bytes / PAGE_SIZE;

    copy->pages = (good.size_bytes + PAGE_SIZE - 1) / PAGE_SIZE;
    copy->address = 0;
    REQUIRE_OK(cad_frame_allocator_allocate(cad_find(CAD_ROLE_FRAME_ALLOCATOR), copy->pages,
                                            &copy->object));
    REQUIRE_OK(cad_memory_object_map(copy->object, space, 0, 0, copy->pages,
                                     CAD_PROT_READ | CAD_PROT_WRITE, 0, &copy->address));
    REQUIRE_OK(cad_memory_object_map(good.object_cap, space, 0, archive_page, copy->pages,
                                     CAD_PROT_READ, 0, &original));
    copy->bytes = (unsigned char *)copy->address;
    memcpy(copy->bytes, (const void *)original, good.size_bytes);
    REQUIRE_OK(cad_memory_object_unmap(good.object_cap, space, original, copy->pages));
}

static status_t spawn_image(const struct cad_spawn_image *image,
                            const uint64_t limits[CAD_RESOURCE_COUNT], cap_id_t *process)
{
    static const char *const arguments[] = { "spawn-rollback", "child", NULL };
    struct cad_spawn_grant grant = { .cap = cad_find(CAD_ROLE_CONSOLE),
                                     .role = CAD_ROLE_CONSOLE,
                                     .rights = CAD_RIGHT_ALL };
    struct cad_program program = { .image = *image, .arguments = arguments, .grants = &grant,
                                   .grant_count = 1, .ledger = nursery };

    memcpy(program.limits, limits, sizeof program.limits);
    return cad_spawn(&program, process);
}

/* A way to spoil an ELF image. */
struct spoil {
    const char *name;
    uint64_t offset;   /* in the file header; with `segment`, in that program header */
    unsigned bytes;
    uint64_t value;
    bool segment;
};

#define FIELD(member)   offsetof(Elf64_Ehdr, member), sizeof(((Elf64_Ehdr *)0)->member)
#define SEGMENT(member) offsetof(Elf64_Phdr, member), sizeof(((Elf64_Phdr *)0)->member)

static const struct spoil spoils[] = {
    { "magic", 0, 4, 0x12345678, false },
    { "32 bit", EI_CLASS, 1, ELFCLASS32, false },
    { "big endian", EI_DATA, 1, ELFDATA2MSB, false },
    { "version", EI_VERSION, 1, 9, false },
    { "relocatable", FIELD(e_type), ET_REL, false },
    { "core file", FIELD(e_type), ET_CORE, false },
    { "machine", FIELD(e_machine), EM_RISCV, false },
    { "entry zero", FIELD(e_entry), 0, false },
    { "entry in the kernel", FIELD(e_entry), 0xffffffff80000000, false },
    { "no program headers", FIELD(e_phnum), 0, false },
    { "65535 program headers", FIELD(e_phnum), 0xffff, false },
    { "program header size", FIELD(e_phentsize), 1, false },
    { "program headers outside", FIELD(e_phoff), 0x7fffffff, false },
    { "program headers wrap", FIELD(e_phoff), ~0ull - 8, false },
    { "segment outside the file", SEGMENT(p_offset), 0x7fffffff000, true },
    { "segment offset wraps", SEGMENT(p_offset), ~0ull & ~0xfffull, true },
    { "file size over memory size", SEGMENT(p_filesz), 0x7fffffff, true },
    { "memory size wraps", SEGMENT(p_memsz), ~0ull, true },
    { "memory size huge", SEGMENT(p_memsz), 1ull << 46, true },
    { "address zero", SEGMENT(p_vaddr), 0, true },
    { "address in the kernel", SEGMENT(p_vaddr), 0xffffffff80000000, true },
    { "address over SYSTEM", SEGMENT(p_vaddr), CAD_SYSTEM_BASE, true },
    { "writable and executable", SEGMENT(p_flags), PF_R | PF_W | PF_X, true },
};

static uint64_t first_load_offset(const unsigned char *bytes)
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)bytes;

    for (unsigned i = 0; i < header->e_phnum; i++) {
        uint64_t offset = header->e_phoff + (uint64_t)i * header->e_phentsize;

        if (((const Elf64_Phdr *)(bytes + offset))->p_type == PT_LOAD)
            return offset;
    }
    return 0;
}

/* Where the last byte that is loaded ends; what comes after (symbols) nobody needs. */
static uint64_t loaded_end(const unsigned char *bytes)
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)bytes;
    uint64_t end = 0;

    for (unsigned i = 0; i < header->e_phnum; i++) {
        const Elf64_Phdr *program =
            (const Elf64_Phdr *)(bytes + header->e_phoff + (uint64_t)i * header->e_phentsize);

        if (program->p_type == PT_LOAD && program->p_offset + program->p_filesz > end)
            end = program->p_offset + program->p_filesz;
    }
    return end;
}

static void corrupt_images(struct copy *copy, const uint64_t limits[CAD_RESOURCE_COUNT])
{
    struct cad_spawn_image image = { copy->object, 0, good.size_bytes };
    uint64_t load = first_load_offset(copy->bytes);
    struct stock before;
    cap_id_t process;

    CHECK_THAT(load != 0);
    stock_take(nursery, &before);
    for (size_t i = 0; i < sizeof spoils / sizeof spoils[0]; i++) {
        unsigned char *place = copy->bytes + spoils[i].offset + (spoils[i].segment ? load : 0);
        unsigned char saved[8];

        memcpy(saved, place, spoils[i].bytes);
        memcpy(place, &spoils[i].value, spoils[i].bytes);
        check_status(spawn_image(&image, limits, &process), CAD_BAD_IMAGE, spoils[i].name,
                     __FILE__, __LINE__);
        memcpy(place, saved, spoils[i].bytes);
        stock_check(nursery, &before, spoils[i].name);
    }
    /* Cut off anywhere, and not an image at all. */
    for (uint64_t size = 0; size < loaded_end(copy->bytes); size = size * 3 + 1) {
        image.size_bytes = size;
        CHECK_STATUS(spawn_image(&image, limits, &process),
                     size == 0 ? CAD_INVALID : CAD_BAD_IMAGE);
        stock_check(nursery, &before, "truncated");
    }
    image.size_bytes = copy->pages * PAGE_SIZE + 1;
    CHECK_STATUS(spawn_image(&image, limits, &process), CAD_INVALID);
    image = (struct cad_spawn_image){ copy->object, 1, 4096 };
    CHECK_STATUS(spawn_image(&image, limits, &process), CAD_INVALID);
    stock_check(nursery, &before, "sizes");
    printf("%zu corrupt images refused\n", sizeof spoils / sizeof spoils[0]);
}

static void wait_for(cap_id_t process, uint64_t wanted)
{
    uint64_t reason, status, address;

    REQUIRE_OK(cad_process_wait(process, CAD_DEADLINE_FOREVER, &reason, &status, &address));
    CHECK_EQUAL(reason, CAD_EXIT_STATUS);
    CHECK_EQUAL(status, wanted);
    CHECK_OK(cad_cap_table_delete(table, process));
}

/* The least limit of one resource with which the spawn succeeds; every smaller one must fail
 * with that resource's own error. */
static void starve(enum cad_resource resource, status_t wanted, uint64_t step,
                   const uint64_t limits[CAD_RESOURCE_COUNT])
{
    uint64_t scarce[CAD_RESOURCE_COUNT], amount = 0;
    struct stock before;
    cap_id_t process;
    status_t status;

    memcpy(scarce, limits, sizeof scarce);
    stock_take(nursery, &before);
    for (;; amount += step) {
        scarce[resource] = amount;
        status = spawn_image(&good, scarce, &process);
        if (status == CAD_OK)
            break;
        check_status(status, wanted, "spawn with too little", __FILE__, __LINE__);
        stock_check(nursery, &before, "starved");
        if (amount > limits[resource]) {
            CHECK_THAT(!"no limit is enough");
            return;
        }
    }
    CHECK_THAT(amount > 0);
    /* It was spawned with just enough to start; how it ends is its own affair. */
    uint64_t reason, exit_status, address;

    REQUIRE_OK(cad_process_wait(process, CAD_DEADLINE_FOREVER, &reason, &exit_status, &address));
    CHECK_OK(cad_cap_table_delete(table, process));
    stock_check(nursery, &before, "after starving");
    printf("resource %d: %llu is the least that starts\n", (int)resource,
           (unsigned long long)amount);
}

/* Limits that the parent itself does not have. */
static void ask_for_too_much(const uint64_t limits[CAD_RESOURCE_COUNT])
{
    static const status_t wanted[CAD_RESOURCE_COUNT] = {
#define WANTED(NAME, name, number, unit, status) [number] = CAD_##status,
        CAD_RESOURCE_LIST(WANTED)
    };
    struct stock before;
    cap_id_t process;

    stock_take(nursery, &before);
    for (unsigned i = 0; i < CAD_RESOURCE_COUNT; i++) {
        uint64_t greedy[CAD_RESOURCE_COUNT];

        memcpy(greedy, limits, sizeof greedy);
        greedy[i] = ~0ull >> 1;
        CHECK_STATUS(spawn_image(&good, greedy, &process), wanted[i]);
        stock_check(nursery, &before, "greedy");
    }
}

/* A grant that moves must not be lost when the spawn fails. */
static void moved_grant_survives(const uint64_t limits[CAD_RESOURCE_COUNT])
{
    struct cad_spawn_grant grants[2] = { 0 };
    struct cad_program program = { .image = good, .grants = grants, .grant_count = 2,
                                   .ledger = nursery };
    cap_id_t notification, process;

    REQUIRE_OK(cad_ledger_create_notification(ledger, &notification));
    grants[0] = (struct cad_spawn_grant){ .cap = notification, .role = CAD_ROLE_SIGNAL,
                                          .rights = CAD_RIGHT_ALL, .move = 1 };
    grants[1] = (struct cad_spawn_grant){ .cap = 999, .role = CAD_ROLE_EXTRA,
                                          .rights = CAD_RIGHT_ALL };
    memcpy(program.limits, limits, sizeof program.limits);
    CHECK_STATUS(cad_spawn(&program, &process), CAD_STALE);
    CHECK_OK(cad_notification_signal(notification, 1));
    CHECK_OK(cad_cap_table_delete(table, notification));
}

int main(int argc, char **argv)
{
    uint64_t limits[CAD_RESOURCE_COUNT];
    struct stock before;
    struct copy copy;
    cap_id_t process;

    if (argc == 2 && strcmp(argv[1], "child") == 0)
        return 42;
    ledger = cad_find(CAD_ROLE_SELF_LEDGER);
    table = cad_find(CAD_ROLE_SELF_TABLE);
    space = cad_find(CAD_ROLE_SELF_SPACE);
    REQUIRE_OK(cad_archive_find("bin/spawn-rollback", &good));
    cad_default_limits(limits);
    nursery = stock_ledger_create();
    stock_take(nursery, &before);

    make_copy(&copy);
    corrupt_images(&copy, limits);
    struct cad_spawn_image mended = { copy.object, 0, good.size_bytes };
    REQUIRE_OK(spawn_image(&mended, limits, &process)); /* the copy was good all along */
    wait_for(process, 42);
    CHECK_OK(cad_memory_object_unmap(copy.object, space, copy.address, copy.pages));
    CHECK_OK(cad_cap_table_delete(table, copy.object));

    starve(CAD_RESOURCE_COMMITTED, CAD_QUOTA_COMMITTED, 1, limits);
    starve(CAD_RESOURCE_VIRTUAL, CAD_QUOTA_VIRTUAL, 1, limits);
    starve(CAD_RESOURCE_METADATA, CAD_QUOTA_METADATA, 512, limits);
    starve(CAD_RESOURCE_SLOTS, CAD_QUOTA_SLOTS, 1, limits);
    starve(CAD_RESOURCE_THREADS, CAD_QUOTA_THREADS, 1, limits);
    ask_for_too_much(limits);
    moved_grant_survives(limits);

    REQUIRE_OK(spawn_image(&good, limits, &process));
    wait_for(process, 42);
    stock_check(nursery, &before, "everything");
    CHECK_OK(cad_cap_table_delete(table, nursery));
    return check_report("spawn-rollback");
}
