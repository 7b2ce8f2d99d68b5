// SPDX-License-Identifier: BSD-2-Clause
/* Commands about memory and who pays: mem, ledger, obj, caps, vm. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/inspect.h"
#include "abi/object_kinds.h"
#include "abi/rights.h"
#include "shell.h"

#define INDENT_MAX 32

int command_mem(struct shell *shell, int argc, char **argv)
{
    static const struct column columns[] = {{"STATE", "state", COLUMN_TEXT},
                                            {"FRAMES", "frames", COLUMN_NUMBER},
                                            {"SIZE", "pages", COLUMN_PAGES}};
    struct facts facts;
    struct table table;
    uint64_t total = 0;

    (void)argv;
    if (argc != 1)
        return usage("mem");
    if (!facts_read("mem", CAD_INSPECT_FRAME_STATES, 0, 0, sizeof(struct cad_frame_count), &facts))
        return STATUS_FAILED;
    table_begin(&table, columns, 3);
    for (size_t i = 0; i < facts.count; i++) {
        const struct cad_frame_count *count = (const struct cad_frame_count *)facts.records + i;
        table_row(&table, count->state, count->frames, count->frames);
        total += count->frames;
    }
    table_row(&table, "total", total, total);
    table_end(&table, shell->wants_json);
    facts_free(&facts);
    return 0;
}

/* --- ledgers --- */

static enum column_kind amount_kind(unsigned resource)
{
    if (strcmp(cad_resource_unit(resource), "pages") == 0)
        return COLUMN_PAGES;
    return strcmp(cad_resource_unit(resource), "bytes") == 0 ? COLUMN_BYTES : COLUMN_NUMBER;
}

/* Amounts of one column have different units, so people get them as text. */
static const char *amount(unsigned resource, uint64_t value, char *text, size_t room)
{
    enum column_kind kind = amount_kind(resource);

    if (kind == COLUMN_NUMBER)
        snprintf(text, room, value == UINT64_MAX ? "none" : "%llu", (unsigned long long)value);
    else if (kind == COLUMN_PAGES && value <= UINT64_MAX >> PAGE_SHIFT)
        text_of_bytes(value << PAGE_SHIFT, text, room);
    else
        text_of_bytes(kind == COLUMN_PAGES ? UINT64_MAX : value, text, room);
    return text;
}

static void ledger_rows(struct table *table, const struct cad_ledger_info *ledger, unsigned depth)
{
    char name[INDENT_MAX * 2 + CAD_INSPECT_NAME_BYTES + 16];
    int indent = (int)(depth < INDENT_MAX ? depth : INDENT_MAX) * 2;

    snprintf(name, sizeof(name), "%*s%u %.*s", indent, "", ledger->id, CAD_INSPECT_NAME_BYTES,
             ledger->name);
    for (unsigned i = 0; i < CAD_RESOURCE_COUNT; i++) {
        char used[32], limit[32], donated[32];
        table_row(table, i == 0 ? name : "", cad_resource_name(i),
                  amount(i, ledger->used[i], used, sizeof(used)),
                  amount(i, ledger->limit[i], limit, sizeof(limit)),
                  amount(i, ledger->donated[i], donated, sizeof(donated)));
    }
}

/* Children follow their parent. The depth ends even a wrong answer's circle. */
static void ledger_tree(struct table *table, const struct facts *facts, uint32_t parent,
                        unsigned depth)
{
    const struct cad_ledger_info *ledgers = facts->records;

    for (size_t i = 0; i < facts->count && depth < INDENT_MAX; i++) {
        if (ledgers[i].parent != parent)
            continue;
        ledger_rows(table, &ledgers[i], depth);
        ledger_tree(table, facts, ledgers[i].id, depth + 1);
    }
}

static void ledgers_json(const struct facts *facts)
{
    static const struct column columns[] = {
        {"", "ledger", COLUMN_NUMBER},  {"", "parent", COLUMN_NUMBER},
        {"", "name", COLUMN_TEXT},      {"", "resource", COLUMN_TEXT},
        {"", "unit", COLUMN_TEXT},      {"", "used", COLUMN_NUMBER},
        {"", "limit", COLUMN_NUMBER},   {"", "donated", COLUMN_NUMBER}};
    const struct cad_ledger_info *ledgers = facts->records;
    struct table table;

    table_begin(&table, columns, 8);
    for (size_t i = 0; i < facts->count; i++) {
        for (unsigned r = 0; r < CAD_RESOURCE_COUNT; r++)
            table_row(&table, (uint64_t)ledgers[i].id, (uint64_t)ledgers[i].parent,
                      ledgers[i].name, cad_resource_name(r), cad_resource_unit(r),
                      ledgers[i].used[r], ledgers[i].limit[r], ledgers[i].donated[r]);
    }
    table_end(&table, true);
}

int command_ledger(struct shell *shell, int argc, char **argv)
{
    static const struct column columns[] = {{"LEDGER", "ledger", COLUMN_TEXT},
                                            {"RESOURCE", "resource", COLUMN_TEXT},
                                            {"USED", "used", COLUMN_TEXT},
                                            {"LIMIT", "limit", COLUMN_TEXT},
                                            {"DONATED", "donated", COLUMN_TEXT}};
    struct cad_ledger_info one;
    struct facts facts = {&one, 1};
    struct table table;
    uint64_t id = 0;

    if (argc > 2)
        return usage("ledger");
    if (argc == 2 && (!parse_number("ledger", argv[1], UINT32_MAX, &id) ||
                      !fact_read("ledger", CAD_INSPECT_LEDGERS, id, 0, &one, sizeof(one))))
        return STATUS_FAILED;
    if (argc == 1 &&
        !facts_read("ledger", CAD_INSPECT_LEDGERS, 0, 0, sizeof(one), &facts))
        return STATUS_FAILED;
    if (shell->wants_json) {
        ledgers_json(&facts);
    } else {
        table_begin(&table, columns, 5);
        ledger_tree(&table, &facts, argc == 2 ? one.parent : 0, 0);
        table_end(&table, false);
    }
    if (argc == 1)
        facts_free(&facts);
    return 0;
}

/* --- objects --- */

static const char *kind_name(uint32_t kind)
{
#define CASE(NAME, number, meaning)                                                                \
    case number:                                                                                   \
        return #NAME;
    switch (kind) {
        CAD_OBJECT_KIND_LIST(CASE)
    }
#undef CASE
    return "unknown";
}

static void object_row(struct table *table, const struct cad_object_info *object)
{
    table_row(table, (uint64_t)object->id, kind_name(object->kind), object->pages,
              (uint64_t)object->references, (uint64_t)object->mappings, (uint64_t)object->claims,
              object->pins, (uint64_t)object->untyped);
}

static int show_mappings(const struct shell *shell, uint64_t object)
{
    static const struct column columns[] = {
        {"MAPPING", "mapping", COLUMN_NUMBER},  {"PID", "process", COLUMN_NUMBER},
        {"ADDRESS", "address", COLUMN_HEX},     {"FROM PAGE", "first_page", COLUMN_NUMBER},
        {"SIZE", "pages", COLUMN_PAGES},        {"CEILING", "ceiling", COLUMN_TEXT},
        {"LEDGER", "ledger", COLUMN_NUMBER}};
    struct facts facts;
    struct table table;

    if (!facts_read("obj", CAD_INSPECT_MAPPINGS, 0, 0, sizeof(struct cad_mapping_info), &facts))
        return STATUS_FAILED;
    table_begin(&table, columns, 7);
    for (size_t i = 0; i < facts.count; i++) {
        const struct cad_mapping_info *map = (const struct cad_mapping_info *)facts.records + i;
        char ceiling[4];
        if (map->object == object)
            table_row(&table, (uint64_t)map->id, (uint64_t)map->process, map->address,
                      map->first_page, map->pages, text_of_protection(map->ceiling, ceiling),
                      (uint64_t)map->ledger);
    }
    table_end(&table, shell->wants_json);
    facts_free(&facts);
    return 0;
}

static int show_claims(const struct shell *shell, uint64_t object)
{
    static const struct column columns[] = {{"CLAIM", "claim", COLUMN_NUMBER},
                                            {"LEDGER", "ledger", COLUMN_NUMBER},
                                            {"REASONS", "count", COLUMN_NUMBER},
                                            {"PAYS", "pages", COLUMN_PAGES}};
    struct facts facts;
    struct table table;

    if (!facts_read("obj", CAD_INSPECT_CLAIMS, 0, 0, sizeof(struct cad_claim_info), &facts))
        return STATUS_FAILED;
    table_begin(&table, columns, 4);
    for (size_t i = 0; i < facts.count; i++) {
        const struct cad_claim_info *claim = (const struct cad_claim_info *)facts.records + i;
        if (claim->object == object)
            table_row(&table, (uint64_t)claim->id, (uint64_t)claim->ledger,
                      (uint64_t)claim->count, claim->pages);
    }
    table_end(&table, shell->wants_json);
    facts_free(&facts);
    return 0;
}

int command_obj(struct shell *shell, int argc, char **argv)
{
    static const struct column columns[] = {
        {"OBJECT", "object", COLUMN_NUMBER}, {"KIND", "kind", COLUMN_TEXT},
        {"SIZE", "pages", COLUMN_PAGES},     {"REFS", "references", COLUMN_NUMBER},
        {"MAPS", "mappings", COLUMN_NUMBER}, {"CLAIMS", "claims", COLUMN_NUMBER},
        {"PINS", "pins", COLUMN_NUMBER},     {"UNTYPED", "untyped", COLUMN_NUMBER}};
    struct cad_object_info one;
    struct facts facts = {&one, 1};
    struct table table;
    uint64_t id = 0;

    if (argc > 2)
        return usage("obj");
    if (argc == 2 && (!parse_number("obj", argv[1], UINT32_MAX, &id) ||
                      !fact_read("obj", CAD_INSPECT_OBJECTS, id, 0, &one, sizeof(one))))
        return STATUS_FAILED;
    if (argc == 1 && !facts_read("obj", CAD_INSPECT_OBJECTS, 0, 0, sizeof(one), &facts))
        return STATUS_FAILED;
    if (shell->wants_json && argc == 2)
        printf("{\"object\": ");
    table_begin(&table, columns, 8);
    for (size_t i = 0; i < facts.count; i++)
        object_row(&table, (const struct cad_object_info *)facts.records + i);
    table_end(&table, shell->wants_json);
    if (argc == 1) {
        facts_free(&facts);
        return 0;
    }
    printf("%s", shell->wants_json ? ", \"mappings\": " : "");
    if (show_mappings(shell, id) != 0)
        return STATUS_FAILED;
    printf("%s", shell->wants_json ? ", \"claims\": " : "");
    if (show_claims(shell, id) != 0)
        return STATUS_FAILED;
    printf("%s", shell->wants_json ? "}\n" : "");
    return 0;
}

/* --- one process --- */

static bool process_of_words(const char *command, int argc, char **argv, uint64_t *process)
{
    struct cad_process_info found;

    if (argc != 2) {
        (void)usage(command);
        return false;
    }
    return parse_number(command, argv[1], UINT32_MAX, process) &&
           fact_read(command, CAD_INSPECT_PROCESSES, *process, 0, &found, sizeof(found));
}

static const char *text_of_rights(uint32_t rights, char *text, size_t room)
{
    size_t used = 0;

    text[0] = 0;
    if (rights == CAD_RIGHT_ALL)
        return "all";
#define APPEND(name, bit, meaning)                                                                 \
    if ((rights & CAD_RIGHT_##name) != 0 && used < room)                                           \
        used += (size_t)snprintf(text + used, room - used, "%s" #name, used > 0 ? "+" : "");
    CAD_RIGHT_LIST(APPEND)
#undef APPEND
    for (size_t i = 0; text[i] != 0; i++)
        text[i] = (char)tolower((unsigned char)text[i]);
    return text;
}

int command_caps(struct shell *shell, int argc, char **argv)
{
    static const struct column columns[] = {
        {"SLOT", "slot", COLUMN_NUMBER},         {"CAP", "cap", COLUMN_HEX},
        {"INTERFACE", "interface", COLUMN_TEXT}, {"OBJECT", "object", COLUMN_NUMBER},
        {"BADGE", "badge", COLUMN_HEX},          {"PARENT", "parent_slot", COLUMN_NUMBER},
        {"CHILDREN", "children", COLUMN_NUMBER}, {"MOVES", "transferable", COLUMN_TEXT},
        {"RIGHTS", "rights", COLUMN_TEXT}};
    struct facts facts;
    struct table table;
    uint64_t process;

    if (!process_of_words("caps", argc, argv, &process) ||
        !facts_read("caps", CAD_INSPECT_CAPS, 0, process, sizeof(struct cad_cap_info), &facts))
        return STATUS_FAILED;
    table_begin(&table, columns, 9);
    for (size_t i = 0; i < facts.count; i++) {
        const struct cad_cap_info *cap = (const struct cad_cap_info *)facts.records + i;
        char rights[160];
        table_row(&table, (uint64_t)cap->slot, cap->cap, cad_interface_name(cap->interface),
                  (uint64_t)cap->object, cap->badge, (uint64_t)cap->parent_slot,
                  (uint64_t)cap->children, cap->transferable != 0 ? "yes" : "no",
                  text_of_rights(cap->rights, rights, sizeof(rights)));
    }
    table_end(&table, shell->wants_json);
    facts_free(&facts);
    return 0;
}

int command_vm(struct shell *shell, int argc, char **argv)
{
    static const struct column columns[] = {
        {"START", "start", COLUMN_HEX},      {"END", "end", COLUMN_HEX},
        {"SIZE", "pages", COLUMN_PAGES},     {"STATE", "state", COLUMN_TEXT},
        {"PROT", "protection", COLUMN_TEXT}, {"LEVEL", "level", COLUMN_NUMBER},
        {"OBJECT", "object", COLUMN_NUMBER}, {"PAGE", "first_page", COLUMN_NUMBER},
        {"FRAME", "first_frame", COLUMN_NUMBER}};
    struct facts facts;
    struct table table;
    uint64_t process;

    if (!process_of_words("vm", argc, argv, &process) ||
        !facts_read("vm", CAD_INSPECT_SPACE, 0, process, sizeof(struct cad_space_run), &facts))
        return STATUS_FAILED;
    table_begin(&table, columns, 9);
    for (size_t i = 0; i < facts.count; i++) {
        const struct cad_space_run *run = (const struct cad_space_run *)facts.records + i;
        char protection[4];
        table_row(&table, run->start, run->start + run->pages * PAGE_SIZE, run->pages, run->state,
                  text_of_protection(run->protection, protection), (uint64_t)run->level,
                  (uint64_t)run->object, (uint64_t)run->first_page, (uint64_t)run->first_frame);
    }
    table_end(&table, shell->wants_json);
    facts_free(&facts);
    return 0;
}
