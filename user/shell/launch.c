// SPDX-License-Identifier: BSD-2-Clause
/*
 * Starting programs and waiting for them.
 *
 * A program reads the console itself, so the shell does not read while one
 * runs in front, but for this: after WATCH_AFTER_NS, whenever no thread of the
 * program is reading, it looks for Ctrl-C; what else was typed it keeps for its
 * own next line.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "abi/exit.h"
#include "abi/inspect.h"
#include "cadastre/capset.h"
#include "cadastre/clients.h"
#include "shell.h"

#define WATCH_AFTER_NS UINT64_C(1000000000)
#define WATCH_EVERY_NS UINT64_C(100000000)
#define CONTROL_C      3
/* Of 0..31, and below the shell: a person can always type, and kill. */
#define PROGRAM_PRIORITY 16

static uint64_t now_ns(void)
{
    uint64_t now = 0, wall;

    (void)cad_clock_now(cad_find(CAD_ROLE_CLOCK), &now, &wall);
    return now;
}

/* --- jobs --- */

struct job *job_find(struct shell *shell, uint64_t process_id)
{
    for (unsigned i = 0; i < JOBS_MAX; i++) {
        if (shell->jobs[i].is_used && shell->jobs[i].process_id == process_id)
            return &shell->jobs[i];
    }
    return NULL;
}

static struct job *job_free(struct shell *shell)
{
    for (unsigned i = 0; i < JOBS_MAX; i++) {
        if (!shell->jobs[i].is_used)
            return &shell->jobs[i];
    }
    return NULL;
}

void job_forget(struct job *job)
{
    (void)cad_cap_table_delete(cad_find(CAD_ROLE_SELF_TABLE), job->process);
    job->is_used = false;
}

/* --- waiting --- */

struct ending {
    uint64_t reason, status, address;
};

/* Says how it ended, unless it exited. Gives: the shell's status for that. */
static int report_ending(const char *name, const struct ending *ending)
{
    if (ending->reason == CAD_EXIT_STATUS)
        return (int)ending->status;
    if (ending->reason == CAD_EXIT_KILLED)
        fprintf(stderr, "%s: killed\n", name);
    else
        fprintf(stderr, "%s: %s at 0x%" PRIx64 "\n", name, cad_exit_name(ending->reason),
                ending->address);
    return STATUS_ENDED + (int)ending->reason;
}

static bool is_reading(uint64_t process_id)
{
    struct facts facts;
    bool found = false;

    if (!facts_read("shell", CAD_INSPECT_THREADS, 0, 0, sizeof(struct cad_thread_info), &facts))
        return true; /* nothing is known: keep off the console */
    for (size_t i = 0; i < facts.count; i++) {
        const struct cad_thread_info *thread = (const struct cad_thread_info *)facts.records + i;
        found |= thread->process == process_id && strcmp(thread->state, "reading") == 0;
    }
    facts_free(&facts);
    return found;
}

/* Kills the program if Ctrl-C was typed while it was not reading. Gives: whether it was. */
static bool watch_console(struct shell *shell, const struct job *job)
{
    char bytes[16];
    uint64_t got = 0;

    if (is_reading(job->process_id))
        return false;
    if (cad_console_read(cad_find(CAD_ROLE_CONSOLE), (uint64_t)bytes, sizeof(bytes), 0, &got) !=
        CAD_OK)
        return false;
    for (uint64_t i = 0; i < got; i++) {
        if (bytes[i] == CONTROL_C) {
            fputs("^C\n", stderr);
            (void)cad_process_kill(job->process);
            return true;
        }
        editor_type_ahead(&shell->editor, &bytes[i], 1);
    }
    return false;
}

int job_wait(struct shell *shell, struct job *job, bool is_foreground)
{
    bool is_watched = is_foreground && shell->is_interactive &&
                      cad_find(CAD_ROLE_INSPECTOR) != CAD_CAP_NONE;
    bool was_interrupted = false;
    uint64_t deadline = is_watched ? now_ns() + WATCH_AFTER_NS : CAD_DEADLINE_FOREVER;
    struct ending ending;
    int result = STATUS_FAILED;

    for (;;) {
        status_t status = cad_process_wait(job->process, deadline, &ending.reason, &ending.status,
                                           &ending.address);
        if (status == CAD_OK) {
            result = report_ending(job->name, &ending);
            if (was_interrupted)
                result = STATUS_INTERRUPTED;
            break;
        }
        if (status != CAD_TIMED_OUT) {
            fprintf(stderr, "%s: waiting for it failed: %s\n", job->name,
                    cad_status_meaning(status));
            break;
        }
        was_interrupted |= watch_console(shell, job);
        deadline = now_ns() + WATCH_EVERY_NS;
    }
    job_forget(job);
    return result;
}

void jobs_report(struct shell *shell)
{
    for (unsigned i = 0; i < JOBS_MAX; i++) {
        struct job *job = &shell->jobs[i];
        struct ending ending;
        if (!job->is_used || cad_process_wait(job->process, 0, &ending.reason, &ending.status,
                                              &ending.address) != CAD_OK)
            continue;
        if (ending.reason == CAD_EXIT_STATUS)
            printf("[%" PRIu64 "] %s: ended with status %" PRIu64 "\n", job->process_id, job->name,
                   ending.status);
        else
            (void)report_ending(job->name, &ending);
        job_forget(job);
    }
}

/* --- starting --- */

/* The manifest's limits for every program, then this one's, then the command's. */
static void choose_limits(const struct shell *shell, const struct launch *launch,
                          uint64_t limits[CAD_RESOURCE_COUNT])
{
    const struct cad_manifest_entry *entry;

    cad_default_limits(limits);
    if (shell->has_manifest) {
        entry = cad_manifest_find(&shell->manifest, CAD_MANIFEST_DEFAULT, NULL);
        if (entry != NULL)
            cad_limits_apply(entry->limits, limits);
        entry = cad_manifest_find(&shell->manifest, CAD_MANIFEST_PROGRAM, launch->argv[0]);
        if (entry != NULL)
            cad_limits_apply(entry->limits, limits);
    }
    cad_limits_apply(launch->limits, limits);
}

static uint64_t choose_roles(const struct shell *shell, const char *program)
{
    const uint64_t usual = UINT64_C(1) << CAD_ROLE_CONSOLE | UINT64_C(1) << CAD_ROLE_CLOCK |
                           UINT64_C(1) << CAD_ROLE_ENTROPY | UINT64_C(1) << CAD_ROLE_BOOT_ARCHIVE;
    const struct cad_manifest_entry *entry = NULL;
    uint64_t roles = usual;

    if (!shell->has_manifest)
        return usual;
    entry = cad_manifest_find(&shell->manifest, CAD_MANIFEST_DEFAULT, NULL);
    if (entry != NULL)
        roles = entry->roles;
    entry = cad_manifest_find(&shell->manifest, CAD_MANIFEST_PROGRAM, program);
    return entry != NULL ? roles | entry->roles : roles;
}

/* What was used up is the program's own budget, or what is left for one: both can be chosen. */
static void suggest_limit(const char *name, status_t status)
{
#define SUGGEST(NAME, resource, number, unit, quota)                                               \
    if (status == CAD_##quota)                                                                     \
        fprintf(stderr, "%s: `run --limit " #resource "=AMOUNT %s` asks for another\n", name, name);
    CAD_RESOURCE_LIST(SUGGEST)
#undef SUGGEST
}

static int refuse(const char *name, status_t status)
{
    if (status == CAD_NOT_FOUND && cad_find(CAD_ROLE_BOOT_ARCHIVE) != CAD_CAP_NONE) {
        fprintf(stderr, "%s: there is no such command or program; `help` and `ls bin` list them\n",
                name);
        return STATUS_NO_SUCH;
    }
    fprintf(stderr, "%s: it cannot be started: %s (%s)\n", name, cad_status_meaning(status),
            cad_status_name(status));
    suggest_limit(name, status);
    return STATUS_FAILED;
}

int launch(struct shell *shell, const struct launch *launch)
{
    struct cad_spawn_grant grants[CAD_SPAWN_GRANTS_MAX];
    struct cad_program program = {.path = launch->argv[0], .grants = grants,
                                  .arguments = (const char *const *)launch->argv,
                                  .priority = PROGRAM_PRIORITY};
    struct job *job = job_free(shell);
    uint64_t state, threads;
    status_t status;

    if (job == NULL) {
        fprintf(stderr, "%s: %d programs run already; `wait` for one\n", launch->argv[0],
                JOBS_MAX);
        return STATUS_FAILED;
    }
    program.grant_count = cad_grants_of(choose_roles(shell, launch->argv[0]), grants,
                                        CAD_SPAWN_GRANTS_MAX);
    choose_limits(shell, launch, program.limits);
    fflush(stdout);
    status = cad_spawn(&program, &job->process);
    if (status != CAD_OK)
        return refuse(launch->argv[0], status);
    job->is_used = true;
    snprintf(job->name, sizeof(job->name), "%s", launch->argv[0]);
    if (cad_process_info(job->process, &job->process_id, &state, &threads) != CAD_OK)
        job->process_id = 0; /* it has ended already */
    if (!launch->is_background)
        return job_wait(shell, job, true);
    printf("[%" PRIu64 "] %s\n", job->process_id, job->name);
    return 0;
}
