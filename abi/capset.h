/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CapSet page: what a process was granted, by role, read-only at
 * CAD_CAPSET_ADDRESS.  Programs find capabilities here, never by slot number.
 */
#ifndef ABI_CAPSET_H
#define ABI_CAPSET_H

#include "abi/types.h"

/* ROLE(NAME, name, number, meaning).  Roles below 32 every process has, about itself. */
#define CAD_ROLE_LIST(ROLE)                                                                        \
    ROLE(SELF_PROCESS, self_process, 1, "this process")                                            \
    ROLE(SELF_TABLE, self_table, 2, "its capability table")                                        \
    ROLE(SELF_SPACE, self_space, 3, "its address space")                                           \
    ROLE(SELF_MEMORY, self_memory, 4, "its anonymous memory")                                      \
    ROLE(SELF_LEDGER, self_ledger, 5, "its budget")                                                \
    ROLE(SELF_PARK, self_park, 6, "its park space")                                                \
    ROLE(CONSOLE, console, 32, "the console")                                                      \
    ROLE(CLOCK, clock, 33, "the clock")                                                            \
    ROLE(ENTROPY, entropy, 34, "random bytes")                                                     \
    ROLE(BOOT_ARCHIVE, boot_archive, 35, "the boot archive, read only")                            \
    ROLE(FRAME_ALLOCATOR, frame_allocator, 36, "frames as memory objects")                         \
    ROLE(SPAWNER, spawner, 37, "making processes")                                                 \
    ROLE(INSPECTOR, inspector, 38, "looking at everything")                                        \
    ROLE(MACHINE, machine, 39, "power")                                                            \
    ROLE(SERVICE, service, 48, "an endpoint the parent chose to give")                             \
    ROLE(SHARED, shared, 49, "a memory object the parent chose to give")                           \
    ROLE(SIGNAL, signal, 50, "a notification the parent chose to give")                            \
    ROLE(EXTRA, extra, 51, "anything else; several may carry this role")

#ifndef __ASSEMBLER__
#define CAD_ROLE_ENUM(NAME, name, number, meaning) CAD_ROLE_##NAME = number,
enum cad_role { CAD_ROLE_LIST(CAD_ROLE_ENUM) };
#undef CAD_ROLE_ENUM

#define CAD_CAPSET_MAGIC   0x54455350414331ull /* "1CAPSET" */
#define CAD_CAPSET_ENTRIES 64

struct cad_capset_entry {
    cap_id_t cap;
    uint32_t role;
    uint32_t interface;
    uint32_t rights;
    uint32_t reserved;
};

struct cad_capset {
    uint64_t magic;
    uint32_t count;
    uint32_t process_id;
    uint32_t cpu_count;
    uint32_t reserved;
    struct cad_capset_entry entries[CAD_CAPSET_ENTRIES];
    uint64_t program_end; /* first page after the program's image: a heap may begin there */
};
_Static_assert(sizeof(struct cad_capset) <= PAGE_SIZE, "capset_fits_a_page");
#endif

#endif
