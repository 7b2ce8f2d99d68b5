// SPDX-License-Identifier: BSD-2-Clause
/*
 * The first process holds every root capability, is charged to the root ledger
 * itself, and gets the kernel's command line as its arguments.
 */
#include "abi/boot_archive.h"
#include "arch/mmu.h"
#include "base/print.h"
#include "kernel/boot_options.h"
#include "kernel/cpu.h"
#include "kernel/kobject.h"
#include "kernel/memory.h"
#include "kernel/process.h"
#include "kernel/spawner.h"

#define INIT_NAME     "init"
#define INIT_PRIORITY (PRIORITY_COUNT - 1)

/* argv[0], then the words of the command line, each NUL-terminated. */
static char init_strings[sizeof(INIT_NAME) + BOOT_COMMAND_LINE_MAX];

static void strings_make(const char *line, struct spawn_strings *strings)
{
    unsigned used = sizeof(INIT_NAME);
    uint32_t count = 1;
    int length;

    __builtin_memcpy(init_strings, INIT_NAME, sizeof(INIT_NAME));
    while ((length = boot_option_next(&line, init_strings + used,
                                      sizeof(init_strings) - used)) >= 0) {
        used += (unsigned)length + 1;
        count++;
    }
    *strings = (struct spawn_strings){NULL, (virt_addr_t)init_strings, used, count, 0};
}

static status_t image_find(const char *name, struct image *image)
{
    struct cad_archive_file file;

    if (boot_archive_object == ID_NONE) {
        print("boot: no archive was loaded (qemu: -initrd); there is no program to run\n");
        return CAD_NOT_FOUND;
    }
    const uint8_t *data = frame_pointer(cadastre.objects.objects[boot_archive_object].first);
    switch (cad_archive_search(data, boot_archive_bytes, name, &file)) {
    case CAD_ARCHIVE_FILE:
        *image = (struct image){boot_archive_object, file.offset_bytes, file.size_bytes};
        return CAD_OK;
    case CAD_ARCHIVE_END:
        print("boot: the archive has no file %s\n", name);
        return CAD_NOT_FOUND;
    case CAD_ARCHIVE_CORRUPT:
    default:
        print("boot: the archive is damaged before the file %s\n", name);
        return CAD_BAD_IMAGE;
    }
}

static status_t grant_roots(struct spawn *spawn)
{
    const uint32_t shared = CAD_RIGHT_DERIVE | CAD_RIGHT_TRANSFER;
    const struct {
        enum cad_role role;
        uint32_t interface, index, rights;
    } roots[] = {
        {CAD_ROLE_CONSOLE, CAD_INTERFACE_CONSOLE, 0, CAD_RIGHT_READ | CAD_RIGHT_WRITE},
        {CAD_ROLE_CLOCK, CAD_INTERFACE_CLOCK, 0, CAD_RIGHT_READ | CAD_RIGHT_WAIT},
        {CAD_ROLE_ENTROPY, CAD_INTERFACE_ENTROPY, 0, CAD_RIGHT_READ},
        {CAD_ROLE_BOOT_ARCHIVE, CAD_INTERFACE_MEMORY_OBJECT, boot_archive_object,
         CAD_RIGHT_READ | CAD_RIGHT_EXECUTE | CAD_RIGHT_MAP},
        {CAD_ROLE_FRAME_ALLOCATOR, CAD_INTERFACE_FRAME_ALLOCATOR, 0,
         CAD_RIGHT_READ | CAD_RIGHT_SPEND | CAD_RIGHT_EXECUTE},
        {CAD_ROLE_SPAWNER, CAD_INTERFACE_PROCESS_SPAWNER, 0, CAD_RIGHT_CONTROL},
        {CAD_ROLE_INSPECTOR, CAD_INTERFACE_INSPECTOR, 0, CAD_RIGHT_READ},
        {CAD_ROLE_MACHINE, CAD_INTERFACE_MACHINE, 0, CAD_RIGHT_READ | CAD_RIGHT_CONTROL},
    };
    status_t status = CAD_OK;

    for (unsigned i = 0; i < ARRAY_COUNT(roots) && status == CAD_OK; i++) {
        const struct cap_object object = {
            roots[i].interface, roots[i].index,
            kobject_generation(roots[i].interface, roots[i].index)};
        status = spawn_insert(spawn, roots[i].role, object, roots[i].rights | shared);
    }
    return status;
}

status_t spawn_init(const struct boot_info *boot, struct process **out)
{
    static struct spawn spawn;

    spawn = (struct spawn){.name = INIT_NAME, .priority = INIT_PRIORITY, .has_runtime = true};
    strings_make(boot->command_line, &spawn.strings);
    status_t status = image_find(CAD_ARCHIVE_INIT, &spawn.program);
    if (status == CAD_OK)
        status = image_find(CAD_ARCHIVE_RUNTIME, &spawn.runtime);
    if (status != CAD_OK)
        return status;
    ledger_take(this_core(), root_ledger);
    status = spawn_build(&spawn, root_ledger);
    if (status != CAD_OK) {
        print("boot: " CAD_ARCHIVE_INIT " cannot start, status %u (%s)\n", (unsigned)status,
              spawn.reason != NULL ? spawn.reason : "its image was read");
        return status;
    }
    status = grant_roots(&spawn);
    if (status != CAD_OK) {
        spawn_abandon(&spawn);
        return status;
    }
    process_take(spawn.process);
    init_process = spawn.process->id; /* its end ends the machine */
    *out = spawn.process;
    spawn_start(&spawn);
    return CAD_OK;
}
