// SPDX-License-Identifier: BSD-2-Clause
/* Copies all that the loader left in memory before any of that memory can be reused. */
#include "boot/pvh.h"

#include "arch/boot.h"
#include "base/print.h"
#include "boot/early_memory.h"

extern const char image_start_physical[], image_end_physical[];

static struct boot_info boot_info;

/* A loader's table, refused unless the early tables show all of it. */
static const void *pvh_table(uint64_t address, uint64_t bytes, const char *what)
{
    if (address == 0 || address >= BOOT_EARLY_MAP_END || bytes > BOOT_EARLY_MAP_END - address)
        machine_refuse(what, address);
    return early_pointer(address);
}

static void read_memory_map(const struct pvh_start_info *info)
{
    if (info->version < 1 || info->memory_map_count == 0)
        machine_refuse("pvh: the loader gives no memory map; version", info->version);
    const struct pvh_memory *map =
        pvh_table(info->memory_map, (uint64_t)info->memory_map_count * sizeof(*map),
                  "pvh: memory map out of reach at");
    for (uint32_t i = 0; i < info->memory_map_count; i++) {
        enum boot_region_kind kind =
            map[i].kind == PVH_MEMORY_USABLE ? BOOT_REGION_USABLE : BOOT_REGION_RESERVED;
        if (!boot_region_add(&boot_info, map[i].start, map[i].bytes, kind))
            machine_refuse("pvh: memory map has more regions than fit", info->memory_map_count);
    }
}

static void read_archive(const struct pvh_start_info *info)
{
    if (info->module_count == 0)
        return;
    const struct pvh_module *module =
        pvh_table(info->modules, sizeof(*module), "pvh: module list out of reach at");
    if (info->module_count > 1)
        print("pvh: %u modules; only the first is used\n", info->module_count);
    boot_info.archive_start = module->start;
    boot_info.archive_end = module->start + module->bytes;
}

static void read_command_line(const struct pvh_start_info *info)
{
    if (info->command_line == 0)
        return;
    const char *from = pvh_table(info->command_line, 1, "pvh: command line out of reach at");
    uint64_t room = BOOT_EARLY_MAP_END - info->command_line;
    unsigned i = 0;
    while (i < BOOT_COMMAND_LINE_MAX - 1 && i < room && from[i] != '\0') {
        boot_info.command_line[i] = from[i];
        i++;
    }
    if (i == BOOT_COMMAND_LINE_MAX - 1 && from[i] != '\0')
        print("pvh: command line cut after %u characters\n", i);
}

/* Where the archive is must be memory, or nothing that reads it can work. */
static void check_ranges(void)
{
    if (!boot_range_is_usable(&boot_info, boot_info.kernel_start, boot_info.kernel_end))
        machine_refuse("boot: the memory map does not show the kernel's memory; need up to",
                       boot_info.kernel_end);
    if (boot_info.archive_start == boot_info.archive_end)
        return;
    if (!boot_range_is_usable(&boot_info, boot_info.archive_start, boot_info.archive_end))
        machine_refuse("boot: the archive is outside usable memory at", boot_info.archive_start);
}

_Noreturn void pvh_main(uint32_t start_info)
{
    machine_console_init();
    const struct pvh_start_info *info =
        pvh_table(start_info, sizeof(*info), "pvh: start info out of reach at");
    if (info->magic != PVH_MAGIC)
        machine_refuse("pvh: wrong magic number", info->magic);
    boot_info.protocol = "pvh";
    boot_info.rsdp = info->rsdp;
    boot_info.kernel_start = (phys_addr_t)image_start_physical;
    boot_info.kernel_end = (phys_addr_t)image_end_physical;
    read_memory_map(info);
    read_archive(info);
    read_command_line(info);
    if (!boot_regions_normalise(&boot_info, machine_address_limit()))
        machine_refuse("boot: memory map has more regions than fit", BOOT_REGIONS_MAX);
    check_ranges();
    machine_main(&boot_info);
}
