// SPDX-License-Identifier: BSD-2-Clause
/*
 * Starting programs of the boot archive: finds the image and the runtime in it,
 * packs the request of abi/spawn.h and calls the process's own spawner.
 */
#ifndef CADASTRE_SPAWN_H
#define CADASTRE_SPAWN_H

#include "abi/boot_archive.h"
#include "abi/rights.h"
#include "abi/spawn.h"
#include "abi/status.h"
#include "cadastre/status.h"

struct cad_program {
    const char *path;             /* in the archive ("bin/threads"); a plain name means bin/NAME */
    struct cad_spawn_image image; /* instead of path if object_cap is set: any ELF image */
    const char *const *arguments; /* NULL-terminated; NULL: just the name */
    const char *const *environment; /* NULL-terminated; NULL: none */
    const struct cad_spawn_grant *grants;
    uint32_t grant_count;
    cap_id_t ledger;              /* whose child pays; CAD_CAP_NONE: the caller's own ledger */
    uint32_t priority;            /* 0: the default */
    uint64_t limits[CAD_RESOURCE_COUNT]; /* see cad_default_limits */
};

/* What a program gets if nobody says otherwise: enough for a few threads and tens of MiB,
 * never more than half of what the caller's ledger still has. */
void cad_default_limits(uint64_t limits[CAD_RESOURCE_COUNT]);

/* Needs: roles BOOT_ARCHIVE and SPAWNER.  Gives: the new process's capability.
 * Fails: NOT_FOUND (no such file), INVALID (too many arguments), else as process_spawner.spawn;
 * nothing is left behind. */
status_t cad_spawn(const struct cad_program *program, cap_id_t *process);

/* Where a file of the archive lies, for mapping or spawning.  Makes an index on first use.
 * Fails: NOT_FOUND, QUOTA_COMMITTED (no memory for the index). */
status_t cad_archive_find(const char *path, struct cad_spawn_image *image);

/* The whole archive, mapped read-only on first use.  Fails: NOT_FOUND: no such role. */
status_t cad_archive_open(struct cad_archive *archive);

/* What the process's own ledger still has of a resource, in its unit. */
uint64_t cad_ledger_left(unsigned resource);

#endif
