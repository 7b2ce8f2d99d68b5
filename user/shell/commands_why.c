// SPDX-License-Identifier: BSD-2-Clause
/*
 * why: the whole chain from a frame, or an address, to who pays for it:
 * frame, owner (page table, object, untyped), mappings, space, process, claims,
 * ledger and the ledgers above it.  Each link is one row, deeper ones indented.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/inspect.h"
#include "abi/object_kinds.h"
#include "shell.h"

#define DETAIL_BYTES 200

struct chain {
    struct table table;
    struct facts processes, ledgers;
    unsigned depth;
};

static void link_add(struct chain *chain, const char *what, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void link_add(struct chain *chain, const char *what, const char *format, ...)
{
    char detail[DETAIL_BYTES], shown[80];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(detail, sizeof(detail), format, arguments);
    va_end(arguments);
    snprintf(shown, sizeof(shown), "%*s%s", (int)(chain->depth < 20 ? chain->depth : 20) * 2, "",
             what);
    table_row(&chain->table, shown, detail);
}

/* --- from owners to ledgers --- */

static const struct cad_ledger_info *ledger_by_id(const struct chain *chain, uint32_t id)
{
    const struct cad_ledger_info *ledgers = chain->ledgers.records;

    for (size_t i = 0; i < chain->ledgers.count; i++) {
        if (ledgers[i].id == id)
            return &ledgers[i];
    }
    return NULL;
}

/* The ledger and all above it; what a child has was donated by its parent. */
static void link_ledgers(struct chain *chain, uint32_t id)
{
    unsigned depth = chain->depth;
    const char *what = "paid by";

    for (unsigned levels = 0; id != 0 && levels < 32; levels++) {
        const struct cad_ledger_info *ledger = ledger_by_id(chain, id);
        char used[32], limit[32];
        if (ledger == NULL) {
            link_add(chain, what, "ledger %" PRIu32 ", which is gone", id);
            break;
        }
        link_add(chain, what, "ledger %" PRIu32 " (%s): %s committed, limit %s", id, ledger->name,
                 text_of_bytes(ledger->used[CAD_RESOURCE_COMMITTED] * PAGE_SIZE, used,
                               sizeof(used)),
                 text_of_bytes(ledger->limit[CAD_RESOURCE_COMMITTED] * PAGE_SIZE, limit,
                               sizeof(limit)));
        id = ledger->parent;
        what = "budget from";
        chain->depth++;
    }
    chain->depth = depth;
}

static const struct cad_process_info *process_where(const struct chain *chain, bool is_space,
                                                    uint32_t id)
{
    const struct cad_process_info *processes = chain->processes.records;

    for (size_t i = 0; i < chain->processes.count; i++) {
        if ((is_space ? processes[i].space : processes[i].id) == id)
            return &processes[i];
    }
    return NULL;
}

static void link_space(struct chain *chain, uint32_t space)
{
    const struct cad_process_info *process = process_where(chain, true, space);

    if (process == NULL) {
        link_add(chain, "space", "%" PRIu32 ", of a process that is gone", space);
        return;
    }
    link_add(chain, "space", "%" PRIu32 " of process %" PRIu32 " (%s)", space, process->id,
             process->name);
    chain->depth++;
    link_ledgers(chain, process->ledger);
    chain->depth--;
}

static const char *object_kind_name(uint32_t kind)
{
#define CASE(NAME, number, meaning)                                                                \
    case number:                                                                                   \
        return meaning;
    switch (kind) {
        CAD_OBJECT_KIND_LIST(CASE)
    }
#undef CASE
    return "unknown";
}

static bool link_mappings(struct chain *chain, uint32_t object, uint32_t page)
{
    struct facts facts;

    if (!facts_read("why", CAD_INSPECT_MAPPINGS, 0, 0, sizeof(struct cad_mapping_info), &facts))
        return false;
    for (size_t i = 0; i < facts.count; i++) {
        const struct cad_mapping_info *map = (const struct cad_mapping_info *)facts.records + i;
        const struct cad_process_info *process = process_where(chain, false, map->process);
        char ceiling[4];
        if (map->object != object || page < map->first_page ||
            page - map->first_page >= map->pages)
            continue;
        link_add(chain, "mapped",
                 "mapping %" PRIu32 ": process %" PRIu32 " (%s) at 0x%" PRIx64 ", at most %s",
                 map->id, map->process, process != NULL ? process->name : "gone",
                 map->address + (page - map->first_page) * PAGE_SIZE,
                 text_of_protection(map->ceiling, ceiling));
    }
    facts_free(&facts);
    return true;
}

static bool link_claims(struct chain *chain, uint32_t object)
{
    struct facts facts;

    if (!facts_read("why", CAD_INSPECT_CLAIMS, 0, 0, sizeof(struct cad_claim_info), &facts))
        return false;
    for (size_t i = 0; i < facts.count; i++) {
        const struct cad_claim_info *claim = (const struct cad_claim_info *)facts.records + i;
        char pays[32];
        if (claim->object != object)
            continue;
        link_add(chain, "claimed", "claim %" PRIu32 ": %" PRIu32 " reasons, %s", claim->id,
                 claim->count,
                 claim->pages == 0 ? "paid for already"
                                   : text_of_bytes(claim->pages * PAGE_SIZE, pays, sizeof(pays)));
        chain->depth++;
        link_ledgers(chain, claim->ledger);
        chain->depth--;
    }
    facts_free(&facts);
    return true;
}

static bool link_object(struct chain *chain, uint32_t id, uint32_t page)
{
    struct cad_object_info object;
    bool is_whole;

    if (!fact_read("why", CAD_INSPECT_OBJECTS, id, 0, &object, sizeof(object)))
        return false;
    link_add(chain, "object",
             "%" PRIu32 ", page %" PRIu32 " of %" PRIu64 " (%s); %" PRIu32 " references, %" PRIu64
             " pins",
             id, page, object.pages, object_kind_name(object.kind), object.references,
             object.pins);
    chain->depth++;
    if (object.untyped != 0)
        link_add(chain, "from", "untyped %" PRIu32, object.untyped);
    is_whole = link_mappings(chain, id, page) && link_claims(chain, id);
    chain->depth--;
    return is_whole;
}

static bool link_untyped(struct chain *chain, uint32_t id)
{
    struct cad_untyped_info untyped;

    for (unsigned levels = 0; id != 0 && levels < 32; levels++) {
        if (!fact_read("why", CAD_INSPECT_UNTYPEDS, id, 0, &untyped, sizeof(untyped)))
            return false;
        link_add(chain, "untyped",
                 "%" PRIu32 ": frames %" PRIu32 " to %" PRIu32 ", %" PRIu32 " of them used", id,
                 untyped.first_frame, untyped.first_frame + untyped.pages - 1, untyped.used_pages);
        id = untyped.parent;
    }
    return true;
}

/* --- from frames and addresses to owners --- */

static bool link_frame(struct chain *chain, uint32_t number)
{
    struct cad_frame_info frame, table;
    bool is_whole = true;

    if (!fact_read("why", CAD_INSPECT_FRAMES, number, 0, &frame, sizeof(frame)))
        return false;
    link_add(chain, "frame", "%" PRIu32 " (physical 0x%" PRIx64 "): %s, %" PRIu32
             " counted mappings, %" PRIu32 " pins", number, (uint64_t)number * PAGE_SIZE,
             frame.state, frame.maps, frame.pins);
    chain->depth++;
    if (strcmp(frame.owner_kind, "table") == 0) {
        link_add(chain, "held by", "page table in frame %" PRIu32 ", entry %" PRIu32, frame.owner,
                 frame.detail);
        is_whole = fact_read("why", CAD_INSPECT_FRAMES, frame.owner, 0, &table, sizeof(table));
        if (is_whole)
            link_space(chain, table.owner);
    } else if (strcmp(frame.owner_kind, "space") == 0) {
        link_space(chain, frame.owner);
    } else if (strcmp(frame.owner_kind, "object") == 0) {
        is_whole = link_object(chain, frame.owner, frame.detail);
    } else if (strcmp(frame.owner_kind, "untyped") == 0) {
        is_whole = link_untyped(chain, frame.owner);
    } else if (strcmp(frame.owner_kind, "ledger") == 0) {
        link_ledgers(chain, frame.owner);
    } else {
        link_add(chain, "paid by", "nobody: it is %s",
                 strcmp(frame.state, "free") == 0 ? "free" : "the kernel's own");
    }
    chain->depth--;
    return is_whole;
}

/* A page that has no frame now: what it would be, and who has paid. */
static bool link_absent(struct chain *chain, const struct cad_process_info *process,
                        const struct cad_space_run *run)
{
    bool is_whole = true;

    if (run->object != 0) {
        link_add(chain, "frame", "none yet: the object's page appears when it is touched");
        is_whole = link_object(chain, run->object, run->first_page);
    } else if (strcmp(run->state, "committed") == 0) {
        link_add(chain, "frame", "none yet: a page of zeroes when it is touched, already paid");
        link_ledgers(chain, process->ledger);
    } else {
        link_add(chain, "frame", "none; only the addresses are paid");
        link_ledgers(chain, process->ledger);
    }
    return is_whole;
}

static bool link_address(struct chain *chain, const char *text, uint32_t process_id,
                         uint64_t address)
{
    const struct cad_process_info *process = process_where(chain, false, process_id);
    uint64_t page = address & ~(uint64_t)(PAGE_SIZE - 1);
    struct facts facts;
    struct cad_space_run run;
    char protection[4];

    if (process == NULL) {
        fprintf(stderr, "why: there is no process %" PRIu32 "; `ps` lists them\n", process_id);
        return false;
    }
    if (!facts_read("why", CAD_INSPECT_SPACE, page, process_id, sizeof(run), &facts))
        return false;
    if (facts.count == 0 || ((const struct cad_space_run *)facts.records)->start > page) {
        fprintf(stderr, "why: %s: nothing is at 0x%" PRIx64 "; `vm %" PRIu32 "` shows what is\n",
                text, address, process_id);
        facts_free(&facts);
        return false;
    }
    run = *(const struct cad_space_run *)facts.records;
    facts_free(&facts);
    link_add(chain, "process", "%" PRIu32 " (%s)", process->id, process->name);
    link_add(chain, "address", "0x%" PRIx64 ": %s, %s", address, run.state,
             text_of_protection(run.protection, protection));
    chain->depth++;
    return run.first_frame != 0 ? link_frame(chain, run.first_frame)
                                : link_absent(chain, process, &run);
}

static bool follow(struct chain *chain, char *text)
{
    char *colon = strchr(text, ':');
    uint64_t process, number;

    if (colon == NULL)
        return parse_number("why", text, UINT32_MAX, &number) &&
               link_frame(chain, (uint32_t)number);
    *colon = 0;
    if (!parse_number("why", text, UINT32_MAX, &process))
        return false;
    *colon = ':';
    if (strcmp(colon + 1, "stack") == 0)
        number = CAD_STACK_TOP - PAGE_SIZE;
    else if (!parse_number("why", colon + 1, CAD_USER_END - 1, &number))
        return false;
    return link_address(chain, text, (uint32_t)process, number);
}

int command_why(struct shell *shell, int argc, char **argv)
{
    static const struct column columns[] = {{"LINK", "link", COLUMN_TEXT},
                                            {"WHAT", "what", COLUMN_TEXT}};
    struct chain chain = {.depth = 0};
    bool is_whole;

    if (argc != 2)
        return usage("why");
    if (!facts_read("why", CAD_INSPECT_PROCESSES, 0, 0, sizeof(struct cad_process_info),
                    &chain.processes))
        return STATUS_FAILED;
    if (!facts_read("why", CAD_INSPECT_LEDGERS, 0, 0, sizeof(struct cad_ledger_info),
                    &chain.ledgers)) {
        facts_free(&chain.processes);
        return STATUS_FAILED;
    }
    table_begin(&chain.table, columns, 2);
    is_whole = follow(&chain, argv[1]);
    if (chain.table.row_count > 0)
        table_end(&chain.table, shell->wants_json);
    facts_free(&chain.processes);
    facts_free(&chain.ledgers);
    return is_whole ? 0 : STATUS_FAILED;
}
