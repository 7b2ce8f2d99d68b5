// SPDX-License-Identifier: BSD-2-Clause
/*
 * init: the first process.  It reads etc/manifest, starts what `start` names
 * with the grants and limits of that entry, waits for its end and ends with its
 * status, which the kernel gives to the machine.  Words `shell.NAME=VALUE` of
 * the kernel's command line become arguments NAME=VALUE.
 *
 * A manifest that is missing or wrong is named on the console; then a rescue
 * shell starts with all that init itself holds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cadastre/capset.h"
#include "cadastre/clients.h"
#include "cadastre/manifest.h"

#define STATUS_FAILED   100 /* it could not be started, or did not exit */
#define RESCUE_PROGRAM  "shell"
#define OPTION_PREFIX   "shell."
#define ARGUMENTS_MAX   32
#define ALL_ROLES       UINT64_MAX
#define RESCUE_PERCENT  90

/* Fails: says on the console what is wrong with it. */
static bool read_manifest(struct cad_manifest *manifest)
{
    struct cad_manifest_error error;
    struct cad_archive archive;
    struct cad_archive_file file;
    status_t status = cad_archive_open(&archive);

    if (status != CAD_OK) {
        fprintf(stderr, "init: the boot archive cannot be mapped: %s\n",
                cad_status_meaning(status));
        return false;
    }
    switch (cad_archive_search(archive.data, archive.bytes, CAD_MANIFEST_PATH, &file)) {
    case CAD_ARCHIVE_FILE:
        break;
    case CAD_ARCHIVE_END:
        fprintf(stderr, "init: the boot archive has no %s\n", CAD_MANIFEST_PATH);
        return false;
    case CAD_ARCHIVE_CORRUPT:
        fprintf(stderr, "init: the boot archive is damaged before %s\n", CAD_MANIFEST_PATH);
        return false;
    }
    if (!cad_manifest_parse((const char *)archive.data + file.offset_bytes, file.size_bytes,
                            manifest, &error)) {
        fprintf(stderr, "init: %s, line %u: %s\n", CAD_MANIFEST_PATH, error.line, error.reason);
        return false;
    }
    return true;
}

static struct cad_manifest_entry rescue_entry(void)
{
    struct cad_manifest_entry entry = {.name = RESCUE_PROGRAM, .roles = ALL_ROLES};

    for (unsigned i = 0; i < CAD_RESOURCE_COUNT; i++)
        entry.limits[i] = (struct cad_amount){CAD_AMOUNT_PERCENT, RESCUE_PERCENT};
    return entry;
}

static void report_start(const char *name, status_t status)
{
    fprintf(stderr, "init: %s cannot be started: %s (%s)\n", name, cad_status_meaning(status),
            cad_status_name(status));
}

static status_t start(const struct cad_manifest_entry *entry, int argc, char **argv,
                      cap_id_t *process)
{
    const char *arguments[ARGUMENTS_MAX] = {entry->name};
    struct cad_spawn_grant grants[CAD_SPAWN_GRANTS_MAX];
    struct cad_program program = {.path = entry->name, .arguments = arguments, .grants = grants};
    unsigned count = 1;

    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], OPTION_PREFIX, strlen(OPTION_PREFIX)) != 0)
            continue;
        if (count == ARGUMENTS_MAX - 1) {
            fprintf(stderr, "init: more than %d options for %s; the rest is dropped\n",
                    ARGUMENTS_MAX - 2, entry->name);
            break;
        }
        arguments[count++] = argv[i] + strlen(OPTION_PREFIX);
    }
    program.grant_count = cad_grants_of(entry->roles, grants, CAD_SPAWN_GRANTS_MAX);
    cad_default_limits(program.limits);
    cad_limits_apply(entry->limits, program.limits);
    return cad_spawn(&program, process);
}

static int wait_for(const char *name, cap_id_t process)
{
    uint64_t reason, exit_status, address;
    status_t status =
        cad_process_wait(process, CAD_DEADLINE_FOREVER, &reason, &exit_status, &address);

    if (status != CAD_OK) {
        fprintf(stderr, "init: waiting for %s failed: %s\n", name, cad_status_meaning(status));
        return STATUS_FAILED;
    }
    if (reason == CAD_EXIT_STATUS)
        return exit_status <= STATUS_FAILED ? (int)exit_status : STATUS_FAILED;
    fprintf(stderr, "init: %s: %s at 0x%llx\n", name, cad_exit_name(reason),
            (unsigned long long)address);
    return STATUS_FAILED;
}

int main(int argc, char **argv)
{
    static struct cad_manifest manifest;
    const struct cad_manifest_entry rescue = rescue_entry(), *entry = NULL;
    cap_id_t process;
    status_t status;

    if (read_manifest(&manifest)) {
        entry = cad_manifest_find(&manifest, CAD_MANIFEST_START, NULL);
        status = start(entry, argc, argv, &process);
        if (status == CAD_OK)
            return wait_for(entry->name, process);
        report_start(entry->name, status);
    }
    fprintf(stderr, "init: starting a rescue shell with everything there is\n");
    status = start(&rescue, argc, argv, &process);
    if (status == CAD_OK)
        return wait_for(rescue.name, process);
    report_start(rescue.name, status);
    return STATUS_FAILED;
}
