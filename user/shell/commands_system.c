// SPDX-License-Identifier: BSD-2-Clause
/* Commands about the machine as a whole: audit, counters, trace, power. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "abi/inspect.h"
#include "abi/methods.h"
#include "cadastre/capset.h"
#include "cadastre/clients.h"
#include "shell.h"

#define VIOLATIONS_MAX 64

static void show_violations(const struct cad_violation *found, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        printf("audit: VIOLATION of %s: %s: %s %" PRIu64 ", other %" PRIu64 ": expected %" PRIu64
               ", found %" PRIu64 "\n",
               found[i].requirement, found[i].what, found[i].kind, found[i].id, found[i].other,
               found[i].expected, found[i].found);
}

static void show_violations_json(const struct cad_violation *found, uint64_t count,
                                 uint64_t violations, uint64_t checked)
{
    printf("{\"checked\": %" PRIu64 ", \"violations\": %" PRIu64 ", \"records\": [", checked,
           violations);
    for (uint64_t i = 0; i < count; i++) {
        printf("%s\n  {\"requirement\": ", i == 0 ? "" : ",");
        print_json_text(found[i].requirement);
        printf(", \"what\": ");
        print_json_text(found[i].what);
        printf(", \"kind\": ");
        print_json_text(found[i].kind);
        printf(", \"id\": %" PRIu64 ", \"other\": %" PRIu64 ", \"expected\": %" PRIu64
               ", \"found\": %" PRIu64 "}",
               found[i].id, found[i].other, found[i].expected, found[i].found);
    }
    printf("%s]}\n", count == 0 ? "" : "\n");
}

int command_audit(struct shell *shell, int argc, char **argv)
{
    static struct cad_violation found[VIOLATIONS_MAX];
    cap_id_t inspector = cad_find(CAD_ROLE_INSPECTOR);
    uint64_t violations, checked, count;
    status_t status;

    (void)argv;
    if (argc != 1)
        return usage("audit");
    if (inspector == CAD_CAP_NONE) {
        fprintf(stderr, "audit: this shell was not granted the inspector\n");
        return STATUS_FAILED;
    }
    status = cad_inspector_audit(inspector, (uint64_t)found, sizeof(found), &violations, &checked,
                                 &count);
    if (status != CAD_OK) {
        fprintf(stderr, "audit: %s\n", cad_status_meaning(status));
        return STATUS_FAILED;
    }
    if (shell->wants_json) {
        show_violations_json(found, count, violations, checked);
    } else {
        show_violations(found, count);
        printf("audit: %" PRIu64 " checks, %" PRIu64 " violations\n", checked, violations);
    }
    return violations == 0 ? 0 : STATUS_FAILED;
}

static int show_counters(struct shell *shell, const char *command, const char *prefix)
{
    static const struct column columns[] = {{"COUNTER", "counter", COLUMN_TEXT},
                                            {"VALUE", "value", COLUMN_NUMBER}};
    struct facts facts;
    struct table table;

    if (!facts_read(command, CAD_INSPECT_COUNTERS, 0, 0, sizeof(struct cad_counter), &facts))
        return STATUS_FAILED;
    table_begin(&table, columns, 2);
    for (size_t i = 0; i < facts.count; i++) {
        const struct cad_counter *counter = (const struct cad_counter *)facts.records + i;
        if (strncmp(counter->name, prefix, strlen(prefix)) == 0)
            table_row(&table, counter->name, counter->value);
    }
    table_end(&table, shell->wants_json);
    facts_free(&facts);
    return 0;
}

int command_tlb(struct shell *shell, int argc, char **argv)
{
    (void)argv;
    return argc == 1 ? show_counters(shell, "tlb", "tlb") : usage("tlb");
}

int command_counters(struct shell *shell, int argc, char **argv)
{
    (void)argv;
    return argc == 1 ? show_counters(shell, "counters", "") : usage("counters");
}

/* "memory_object.map" of a call number. */
static void name_call(uint32_t call, char *text, size_t room)
{
#define CASE(INTERFACE, interface, method, number, right, in, out, meaning)                        \
    case CAD_CALL(CAD_INTERFACE_##INTERFACE, number):                                              \
        snprintf(text, room, "%s", #interface "." #method);                                        \
        return;
    switch (call) {
        CAD_METHOD_LIST(CASE)
    }
#undef CASE
    snprintf(text, room, "0x%x", call);
}

int command_trace(struct shell *shell, int argc, char **argv)
{
    static const struct column columns[] = {
        {"NUMBER", "sequence", COLUMN_NUMBER}, {"TIME", "time_ns", COLUMN_NS},
        {"CPU", "cpu", COLUMN_NUMBER},         {"THREAD", "thread", COLUMN_NUMBER},
        {"OBJECT", "object", COLUMN_HEX},      {"CALL", "call", COLUMN_TEXT},
        {"STATUS", "status", COLUMN_TEXT}};
    struct facts facts;
    struct table table;

    (void)argv;
    if (argc != 1)
        return usage("trace");
    if (!facts_read("trace", CAD_INSPECT_TRACE, 0, 0, sizeof(struct cad_trace_record), &facts))
        return STATUS_FAILED;
    table_begin(&table, columns, 7);
    for (size_t i = 0; i < facts.count; i++) {
        const struct cad_trace_record *record = (const struct cad_trace_record *)facts.records + i;
        char call[48];
        name_call(record->call, call, sizeof(call));
        table_row(&table, record->sequence, record->time_ns, (uint64_t)record->cpu,
                  (uint64_t)record->thread, record->object, call,
                  cad_status_name((status_t)record->status));
    }
    table_end(&table, shell->wants_json);
    facts_free(&facts);
    return 0;
}

int command_history(struct shell *shell, int argc, char **argv)
{
    (void)argv;
    if (argc != 1)
        return usage("history");
    for (unsigned i = 0; i < shell->editor.history_count; i++)
        printf("%4u  %s\n", i + 1, shell->editor.history[i]);
    return 0;
}

/* The status word of exit and halt; without one, the last command's. */
static bool status_of_words(struct shell *shell, int argc, char **argv, uint64_t *status)
{
    *status = (uint64_t)shell->last_status < STATUS_MAX ? (uint64_t)shell->last_status : STATUS_MAX;
    return argc < 2 || parse_number(argv[0], argv[1], STATUS_MAX, status);
}

int command_exit(struct shell *shell, int argc, char **argv)
{
    uint64_t status;

    if (argc > 2)
        return usage("exit");
    if (!status_of_words(shell, argc, argv, &status))
        return STATUS_USAGE;
    shell->is_leaving = true;
    return (int)status;
}

int command_halt(struct shell *shell, int argc, char **argv)
{
    uint64_t status;

    if (argc > 2)
        return usage("halt");
    if (!status_of_words(shell, argc, argv, &status))
        return STATUS_USAGE;
    fflush(stdout);
    if (cad_machine_power_off(cad_find(CAD_ROLE_MACHINE), status) != CAD_OK) {
        fprintf(stderr, "halt: this shell was not granted the machine; `exit` ends the shell\n");
        return STATUS_FAILED;
    }
    return (int)status;
}

int command_reboot(struct shell *shell, int argc, char **argv)
{
    (void)shell;
    (void)argv;
    if (argc != 1)
        return usage("reboot");
    fflush(stdout);
    (void)cad_machine_reboot(cad_find(CAD_ROLE_MACHINE));
    fprintf(stderr, "reboot: this shell was not granted the machine\n");
    return STATUS_FAILED;
}
