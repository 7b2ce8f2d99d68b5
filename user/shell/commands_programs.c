// SPDX-License-Identifier: BSD-2-Clause
/* Commands about programs: run, jobs, wait, kill, ps. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "abi/inspect.h"
#include "cadastre/clients.h"
#include "shell.h"

int command_run(struct shell *shell, int argc, char **argv)
{
    struct launch program = {.is_background = shell->wants_background};
    int at = 1;

    while (at + 1 < argc && strcmp(argv[at], "--limit") == 0) {
        char reason[160];
        if (!cad_limit_parse(argv[at + 1], program.limits, reason, sizeof(reason))) {
            fprintf(stderr, "run: --limit: %s\n", reason);
            return STATUS_USAGE;
        }
        at += 2;
    }
    if (at >= argc || argv[at][0] == '-')
        return usage("run");
    program.argc = argc - at;
    program.argv = &argv[at];
    return launch(shell, &program);
}

int command_jobs(struct shell *shell, int argc, char **argv)
{
    static const struct column columns[] = {{"PID", "process", COLUMN_NUMBER},
                                            {"PROGRAM", "program", COLUMN_TEXT}};
    struct table table;

    (void)argv;
    if (argc != 1)
        return usage("jobs");
    jobs_report(shell);
    table_begin(&table, columns, 2);
    for (unsigned i = 0; i < JOBS_MAX; i++) {
        if (shell->jobs[i].is_used)
            table_row(&table, shell->jobs[i].process_id, shell->jobs[i].name);
    }
    table_end(&table, false);
    return 0;
}

/* Gives: NULL, and says so, if the word names no program of this shell. */
static struct job *job_of_word(struct shell *shell, const char *command, const char *word)
{
    uint64_t process_id;
    struct job *job;

    if (!parse_number(command, word, UINT32_MAX, &process_id))
        return NULL;
    job = job_find(shell, process_id);
    if (job == NULL)
        fprintf(stderr,
                "%s: process %s does not run beside this shell, which holds no capability for it; "
                "`jobs` lists those that do\n",
                command, word);
    return job;
}

int command_wait(struct shell *shell, int argc, char **argv)
{
    int status = 0;

    if (argc > 2)
        return usage("wait");
    if (argc == 2) {
        struct job *job = job_of_word(shell, "wait", argv[1]);
        return job != NULL ? job_wait(shell, job, true) : STATUS_FAILED;
    }
    for (unsigned i = 0; i < JOBS_MAX; i++) {
        if (shell->jobs[i].is_used)
            status = job_wait(shell, &shell->jobs[i], true);
    }
    return status;
}

int command_kill(struct shell *shell, int argc, char **argv)
{
    int result = 0;

    if (argc < 2)
        return usage("kill");
    for (int i = 1; i < argc; i++) {
        struct job *job = job_of_word(shell, "kill", argv[i]);
        status_t status = job != NULL ? cad_process_kill(job->process) : CAD_NOT_FOUND;
        if (job != NULL && status != CAD_OK)
            fprintf(stderr, "kill: %s: %s\n", argv[i], cad_status_meaning(status));
        if (status != CAD_OK)
            result = STATUS_FAILED;
        else
            (void)job_wait(shell, job, false);
    }
    return result;
}

static const char *state_name(uint32_t state)
{
    switch (state) {
    case CAD_PROCESS_RUNNING:
        return "running";
    case CAD_PROCESS_ENDING:
        return "ending";
    case CAD_PROCESS_ENDED:
        return "ended";
    default:
        return "unknown";
    }
}

static int show_threads(struct shell *shell)
{
    static const struct column columns[] = {
        {"PID", "process", COLUMN_NUMBER},   {"THREAD", "thread", COLUMN_NUMBER},
        {"STATE", "state", COLUMN_TEXT},     {"CPU", "cpu", COLUMN_NUMBER},
        {"PRIO", "priority", COLUMN_NUMBER}, {"TIME", "run_ns", COLUMN_NS},
        {"SWITCHES", "switches", COLUMN_NUMBER}};
    struct facts facts;
    struct table table;

    if (!facts_read("ps", CAD_INSPECT_THREADS, 0, 0, sizeof(struct cad_thread_info), &facts))
        return STATUS_FAILED;
    table_begin(&table, columns, 7);
    for (size_t i = 0; i < facts.count; i++) {
        const struct cad_thread_info *thread = (const struct cad_thread_info *)facts.records + i;
        table_row(&table, (uint64_t)thread->process, (uint64_t)thread->id, thread->state,
                  (uint64_t)thread->cpu, (uint64_t)thread->priority, thread->run_ns,
                  thread->switches);
    }
    table_end(&table, shell->wants_json);
    facts_free(&facts);
    return 0;
}

int command_ps(struct shell *shell, int argc, char **argv)
{
    static const struct column columns[] = {
        {"PID", "process", COLUMN_NUMBER},
        {"NAME", "name", COLUMN_TEXT},
        {"STATE", "state", COLUMN_TEXT},
        {"PARENT", "parent", COLUMN_NUMBER},
        {"THREADS", "threads", COLUMN_NUMBER},
        {"CAPS", "capabilities", COLUMN_NUMBER},
        {"LEDGER", "ledger", COLUMN_NUMBER},
        {"RESERVED", "reserved_pages", COLUMN_PAGES},
        {"COMMITTED", "committed_pages", COLUMN_PAGES},
        {"RESIDENT", "resident_pages", COLUMN_PAGES},
        {"TABLES", "table_pages", COLUMN_PAGES},
        {"TIME", "run_ns", COLUMN_NS}};
    struct facts facts;
    struct table table;

    if (argc == 2 && strcmp(argv[1], "-t") == 0)
        return show_threads(shell);
    if (argc != 1)
        return usage("ps");
    if (!facts_read("ps", CAD_INSPECT_PROCESSES, 0, 0, sizeof(struct cad_process_info), &facts))
        return STATUS_FAILED;
    table_begin(&table, columns, 12);
    for (size_t i = 0; i < facts.count; i++) {
        const struct cad_process_info *process =
            (const struct cad_process_info *)facts.records + i;
        table_row(&table, (uint64_t)process->id, process->name, state_name(process->state),
                  (uint64_t)process->parent, (uint64_t)process->threads, process->caps,
                  (uint64_t)process->ledger, process->reserved_pages, process->committed_pages,
                  process->resident_pages, process->table_pages, process->run_ns);
    }
    table_end(&table, shell->wants_json);
    facts_free(&facts);
    return 0;
}
