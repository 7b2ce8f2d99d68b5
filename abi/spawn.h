/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * process_spawner.spawn: an ELF image (and the runtime image beside it, entered
 * first, as an ELF interpreter would be) becomes a process that holds exactly
 * its own six capabilities and the grants.
 *
 * The new process's stack at entry is the System V one: argc, argv, envp, auxv
 * (AT_PHDR, AT_PHENT, AT_PHNUM, AT_BASE, AT_ENTRY, AT_PAGESZ, AT_RANDOM, AT_EXECFN...).
 */
#ifndef ABI_SPAWN_H
#define ABI_SPAWN_H

#include "abi/interfaces.h"
#include "abi/types.h"

#define CAD_SPAWN_ARGUMENT_BYTES_MAX 16384
#define CAD_SPAWN_GRANTS_MAX         32
#define CAD_SPAWN_NAME_BYTES         24

struct cad_spawn_image {
    cap_id_t object_cap;   /* READ and EXECUTE; CAD_CAP_NONE: none (runtime only) */
    uint64_t offset_bytes; /* where the ELF file starts; multiple of PAGE_SIZE */
    uint64_t size_bytes;
};

struct cad_spawn_grant {
    cap_id_t cap;
    uint32_t role;   /* CAD_ROLE_*, 32 or more */
    uint32_t rights; /* to keep; narrowing only */
    uint64_t badge;  /* 0: the source's */
    uint32_t move;   /* 1: the caller's capability moves; 0: it is copied */
    uint32_t reserved;
};

struct cad_spawn_request {
    struct cad_spawn_image program, runtime;
    uint64_t strings_address;    /* arguments, then environment, each NUL-terminated */
    uint64_t strings_bytes;
    uint32_t argument_count, environment_count;
    uint64_t grants_address;     /* struct cad_spawn_grant[grant_count] */
    uint32_t grant_count;
    uint32_t priority;           /* 0..31, not above the caller's; CAD_PRIORITY_SAME */
    cap_id_t ledger_cap;         /* its child becomes the process's; NONE: the caller's own */
    uint64_t limits[CAD_RESOURCE_COUNT]; /* donated to that child; returned when it ends */
    char name[CAD_SPAWN_NAME_BYTES];     /* NUL-terminated, for listings */
};

#endif
