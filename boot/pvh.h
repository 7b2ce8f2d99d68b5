// SPDX-License-Identifier: BSD-2-Clause
/*
 * The PVH boot protocol (Xen's "x86/HVM direct boot ABI"), as QEMU's -kernel
 * and Firecracker speak it: layouts that the loader chose.  All addresses are
 * physical, all numbers little-endian.
 */
#ifndef BOOT_PVH_H
#define BOOT_PVH_H

#include "base/types.h"

#define PVH_MAGIC 0x336ec578u

struct pvh_start_info {
    uint32_t magic, version, flags, module_count;
    uint64_t modules;       /* struct pvh_module[module_count] */
    uint64_t command_line;  /* NUL-terminated, or 0 */
    uint64_t rsdp;
    uint64_t memory_map;    /* struct pvh_memory[memory_map_count], version >= 1 */
    uint32_t memory_map_count, reserved;
};

struct pvh_module {
    uint64_t start, bytes, command_line, reserved;
};

#define PVH_MEMORY_USABLE 1u

struct pvh_memory {
    uint64_t start, bytes;
    uint32_t kind, reserved;
};

COMPILE_ASSERT(sizeof(struct pvh_start_info) == 56, pvh_start_info_size);
COMPILE_ASSERT(sizeof(struct pvh_module) == 32, pvh_module_size);
COMPILE_ASSERT(sizeof(struct pvh_memory) == 24, pvh_memory_size);

/* First C code: early tables are loaded; `start_info` is physical. */
_Noreturn void pvh_main(uint32_t start_info);

#endif
