// SPDX-License-Identifier: BSD-2-Clause
/* The inspector answers a buffer at a time; the cursor it gives leads on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/inspect.h"
#include "cadastre/capset.h"
#include "cadastre/clients.h"
#include "shell.h"

#define BUFFER_BYTES 16384

static void refuse(const char *command, const char *what)
{
    fprintf(stderr, "%s: the inspector does not answer: %s\n", command, what);
}

static bool append(struct facts *facts, const void *records, size_t count, size_t record_bytes)
{
    void *grown;

    if (count == 0)
        return true;
    grown = realloc(facts->records, (facts->count + count) * record_bytes);
    if (grown == NULL)
        return false;
    memcpy((char *)grown + facts->count * record_bytes, records, count * record_bytes);
    facts->records = grown;
    facts->count += count;
    return true;
}

bool facts_read(const char *command, unsigned kind, uint64_t first, uint64_t argument,
                size_t record_bytes, struct facts *facts)
{
    static _Alignas(64) char buffer[BUFFER_BYTES];
    cap_id_t inspector = cad_find(CAD_ROLE_INSPECTOR);

    *facts = (struct facts){0};
    if (inspector == CAD_CAP_NONE) {
        fprintf(stderr, "%s: this shell was not granted the inspector\n", command);
        return false;
    }
    do {
        uint64_t count = 0, next = 0;
        status_t status = cad_inspector_read(inspector, kind, first, (uint64_t)buffer,
                                             sizeof(buffer), argument, &count, &next);
        if (status != CAD_OK) {
            facts_free(facts);
            refuse(command, cad_status_meaning(status));
            return false;
        }
        if (!append(facts, buffer, count, record_bytes)) {
            facts_free(facts);
            refuse(command, "the shell is out of memory for its answer");
            return false;
        }
        first = next;
    } while (first != 0);
    return true;
}

static const char *kind_noun(unsigned kind)
{
    switch (kind) {
    case CAD_INSPECT_FRAMES:
        return "frame";
    case CAD_INSPECT_LEDGERS:
        return "ledger";
    case CAD_INSPECT_PROCESSES:
        return "process";
    case CAD_INSPECT_OBJECTS:
        return "object";
    case CAD_INSPECT_UNTYPEDS:
        return "untyped";
    default:
        return "record";
    }
}

bool fact_read(const char *command, unsigned kind, uint64_t first, uint64_t argument, void *record,
               size_t record_bytes)
{
    cap_id_t inspector = cad_find(CAD_ROLE_INSPECTOR);
    uint64_t count = 0, next;
    status_t status;

    if (inspector == CAD_CAP_NONE) {
        fprintf(stderr, "%s: this shell was not granted the inspector\n", command);
        return false;
    }
    status = cad_inspector_read(inspector, kind, first, (uint64_t)record, record_bytes, argument,
                                &count, &next);
    if (status != CAD_OK && status != CAD_NOT_FOUND && status != CAD_INVALID) {
        refuse(command, cad_status_meaning(status));
        return false;
    }
    if (status != CAD_OK || count == 0 || *(const uint32_t *)record != first) {
        fprintf(stderr, "%s: there is no %s %llu\n", command, kind_noun(kind),
                (unsigned long long)first);
        return false;
    }
    return true;
}

void facts_free(struct facts *facts)
{
    free(facts->records);
    *facts = (struct facts){0};
}

const char *text_of_protection(uint32_t protection, char text[4])
{
    text[0] = (protection & CAD_PROT_READ) != 0 ? 'r' : '-';
    text[1] = (protection & CAD_PROT_WRITE) != 0 ? 'w' : '-';
    text[2] = (protection & CAD_PROT_EXECUTE) != 0 ? 'x' : '-';
    text[3] = 0;
    return text;
}
