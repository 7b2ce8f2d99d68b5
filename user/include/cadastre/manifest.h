// SPDX-License-Identifier: BSD-2-Clause
/*
 * etc/manifest: who starts, and who is given what.  One entry a line:
 *
 *   # comment
 *   start PROGRAM   [grants ROLE...] [limit RESOURCE=AMOUNT...]
 *   default         [grants ROLE...] [limit RESOURCE=AMOUNT...]
 *   program PROGRAM [grants ROLE...] [limit RESOURCE=AMOUNT...]
 *
 * `start` is what init starts.  `default` is what the shell gives every
 * program, `program` what it gives that one besides (and instead, for limits).
 * ROLE is a name of abi/capset.h.  RESOURCE is a name of abi/interfaces.h, or
 * `all`.  AMOUNT is a number, bytes with K, M or G, or N% of what the giver's
 * own ledger has left at that time.
 */
#ifndef CADASTRE_MANIFEST_H
#define CADASTRE_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>

#include "abi/capset.h"
#include "abi/interfaces.h"
#include "cadastre/spawn.h"

#define CAD_MANIFEST_PATH    "etc/manifest"
#define CAD_MANIFEST_ENTRIES 64
#define CAD_MANIFEST_WORDS   64
#define CAD_MANIFEST_LINE    512

struct cad_amount {
    enum { CAD_AMOUNT_UNSET, CAD_AMOUNT_EXACT, CAD_AMOUNT_PERCENT } how;
    uint64_t value; /* in the resource's unit, or percent */
};

struct cad_manifest_entry {
    enum { CAD_MANIFEST_START, CAD_MANIFEST_DEFAULT, CAD_MANIFEST_PROGRAM } kind;
    char name[64]; /* "" for DEFAULT */
    uint64_t roles; /* bit ROLE */
    struct cad_amount limits[CAD_RESOURCE_COUNT];
};

struct cad_manifest {
    unsigned count;
    struct cad_manifest_entry entries[CAD_MANIFEST_ENTRIES];
};

struct cad_manifest_error {
    unsigned line; /* from 1 */
    char reason[160];
};

/* Fails: `error` names the first line that is wrong, and why. */
bool cad_manifest_parse(const char *text, size_t bytes, struct cad_manifest *manifest,
                        struct cad_manifest_error *error);
/* Gives: NULL if there is none; `name` may be a path. */
const struct cad_manifest_entry *cad_manifest_find(const struct cad_manifest *manifest,
                                                   int kind, const char *name);

/* "4M" of "metadata" and the like. Gives: false, and why, if it is none. */
bool cad_amount_parse(const char *text, unsigned resource, struct cad_amount *amount,
                      char *reason, size_t reason_bytes);
/* RESOURCE=AMOUNT, for one resource or all. */
bool cad_limit_parse(const char *word, struct cad_amount limits[CAD_RESOURCE_COUNT], char *reason,
                     size_t reason_bytes);
/* Sets those limits that are given; percents are of what the own ledger has left. */
void cad_limits_apply(const struct cad_amount amounts[CAD_RESOURCE_COUNT],
                      uint64_t limits[CAD_RESOURCE_COUNT]);
/* One grant for each role of the set that this process holds. Gives: how many. */
unsigned cad_grants_of(uint64_t roles, struct cad_spawn_grant *grants, unsigned room);

#endif
