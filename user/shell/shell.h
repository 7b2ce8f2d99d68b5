// SPDX-License-Identifier: BSD-2-Clause
/*
 * The shell: what its commands share.
 *
 * A command is a row of the table in commands.c and a function; families of
 * commands are in commands_*.c.  A command's status is 0 when it did what it
 * says; STATUS_USAGE when it was called wrongly; else STATUS_FAILED.  A program's
 * is its own; one that did not exit has STATUS_ENDED + the reason (abi/exit.h).
 */
#ifndef SHELL_SHELL_H
#define SHELL_SHELL_H

#include <stdbool.h>
#include <stdint.h>

#include "cadastre/manifest.h"
#include "editor.h"
#include "output.h"

#define STATUS_FAILED   1
#define STATUS_USAGE    2
#define STATUS_ENDED    80  /* + CAD_EXIT_* */
#define STATUS_NO_SUCH  79  /* neither a command nor a program */
#define STATUS_INTERRUPTED (128 + 2) /* by Ctrl-C, as elsewhere */
#define STATUS_MAX      100 /* what the machine can end with */

#define JOBS_MAX        32
#define JOB_NAME_BYTES  64

struct job {
    bool is_used;
    uint64_t process_id;
    cap_id_t process;
    char name[JOB_NAME_BYTES];
};

struct shell {
    bool is_interactive, has_manifest, is_leaving;
    bool wants_json, wants_background; /* --json, & of the current command */
    int last_status;
    struct editor editor;
    struct cad_manifest manifest;
    struct job jobs[JOBS_MAX];
};

typedef int (*command_function)(struct shell *shell, int argc, char **argv);

/* COMMAND(name, function, json, arguments, help) */
#define COMMAND_LIST(COMMAND)                                                                      \
    COMMAND(help, command_help, false, "[COMMAND]", "what there is, or what one command does")     \
    COMMAND(ps, command_ps, true, "[-t]", "processes; -t: threads")                                \
    COMMAND(run, command_run, false, "[--limit RESOURCE=AMOUNT]... PROGRAM [ARGUMENT]...",         \
            "run a program in a budget of its own; & after it: beside the shell")                  \
    COMMAND(jobs, command_jobs, false, "", "programs that run beside the shell")                   \
    COMMAND(wait, command_wait, false, "[PID]", "wait for one of them, or all")                    \
    COMMAND(kill, command_kill, false, "PID...", "end programs that this shell started")           \
    COMMAND(ls, command_ls, true, "[FOLDER]...", "files of the boot archive")                      \
    COMMAND(cat, command_cat, false, "FILE...", "show files")                                      \
    COMMAND(echo, command_echo, false, "[WORD]...", "say it again; $? is the last status")         \
    COMMAND(mem, command_mem, true, "", "frames by state")                                         \
    COMMAND(ledger, command_ledger, true, "[LEDGER]", "budgets: the tree, used and limit")         \
    COMMAND(caps, command_caps, true, "PID", "a process's capabilities")                           \
    COMMAND(vm, command_vm, true, "PID", "a process's address space, run by run")                  \
    COMMAND(obj, command_obj, true, "[OBJECT]", "memory objects; of one: mappings and claims")     \
    COMMAND(why, command_why, true, "FRAME | PID:ADDRESS | PID:stack",                             \
            "who holds this memory, through what, and who pays")                                   \
    COMMAND(audit, command_audit, true, "", "check every structure against every other")           \
    COMMAND(tlb, command_tlb, true, "", "counters of TLB rounds")                                  \
    COMMAND(counters, command_counters, true, "", "all counters")                                  \
    COMMAND(trace, command_trace, true, "", "recent invocations (kernel option trace=on)")         \
    COMMAND(history, command_history, false, "", "lines that were entered")                        \
    COMMAND(exit, command_exit, false, "[STATUS]", "leave the shell")                              \
    COMMAND(halt, command_halt, false, "[STATUS]", "power off")                                    \
    COMMAND(reboot, command_reboot, false, "", "start over")

#define COMMAND_PROTOTYPE(name, function, json, arguments, help)                                   \
    int function(struct shell *shell, int argc, char **argv);
COMMAND_LIST(COMMAND_PROTOTYPE)
#undef COMMAND_PROTOTYPE

/* --- commands.c --- */
/* Runs a whole line. Gives: the status of its last command. */
int shell_run_line(struct shell *shell, const char *line);
bool is_command(const char *name);
/* editor_complete */
unsigned shell_complete(void *context, const char *line, size_t word_start,
                        const char **candidates, unsigned room);
/* Says how the command is used. Gives: STATUS_USAGE. */
int usage(const char *command);
/* Gives: false, and says so, if the text is no number up to `most`. */
bool parse_number(const char *command, const char *text, uint64_t most, uint64_t *number);

/* --- launch.c --- */
struct launch {
    int argc;
    char **argv; /* [0]: the program */
    struct cad_amount limits[CAD_RESOURCE_COUNT]; /* besides the manifest's */
    bool is_background;
};
/* Starts it, waits unless in background. Gives: its status; errors are said. */
int launch(struct shell *shell, const struct launch *launch);
/* Names ended background programs and forgets them. */
void jobs_report(struct shell *shell);
/* Waits for a job until it ends. Gives: its status. */
int job_wait(struct shell *shell, struct job *job, bool is_foreground);
struct job *job_find(struct shell *shell, uint64_t process_id);
void job_forget(struct job *job);

/* --- facts.c --- */
/* Records that the inspector gave, in one array. */
struct facts {
    void *records;
    size_t count;
};
/* All records from cursor `first` on.
 * Fails: says what was refused, to which command. */
bool facts_read(const char *command, unsigned kind, uint64_t first, uint64_t argument,
                size_t record_bytes, struct facts *facts);
/* The one record whose id, its first word, is `first`. */
bool fact_read(const char *command, unsigned kind, uint64_t first, uint64_t argument, void *record,
               size_t record_bytes);
void facts_free(struct facts *facts);
/* "rwx" */
const char *text_of_protection(uint32_t protection, char text[4]);

#endif
