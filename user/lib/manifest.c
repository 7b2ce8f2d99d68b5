// SPDX-License-Identifier: BSD-2-Clause
/* Words of a line are consumed left to right; the first thing wrong ends it. */
#include "cadastre/manifest.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool refuse(struct cad_manifest_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static bool refuse(struct cad_manifest_error *error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error->reason, sizeof(error->reason), format, arguments);
    va_end(arguments);
    return false;
}

static bool is_in_pages(unsigned resource)
{
    return strcmp(cad_resource_unit(resource), "pages") == 0;
}

static unsigned suffix_shift(char suffix)
{
    switch (suffix) {
    case 'K':
        return 10;
    case 'M':
        return 20;
    case 'G':
        return 30;
    default:
        return 0;
    }
}

bool cad_amount_parse(const char *text, unsigned resource, struct cad_amount *amount,
                      char *reason, size_t reason_bytes)
{
    char *end;
    uint64_t value = strtoull(text, &end, 10);
    unsigned shift = suffix_shift(*end);
    bool is_memory = is_in_pages(resource) || strcmp(cad_resource_unit(resource), "bytes") == 0;

    if (!isdigit((unsigned char)text[0]) || value > UINT64_C(1) << 40) {
        snprintf(reason, reason_bytes, "`%s` is no amount", text);
        return false;
    }
    if (*end == '%' && end[1] == 0 && value <= 100) {
        *amount = (struct cad_amount){CAD_AMOUNT_PERCENT, value};
        return true;
    }
    if (shift != 0 && is_memory) {
        value = value > UINT64_MAX >> shift ? UINT64_MAX : value << shift;
        if (is_in_pages(resource))
            value = (value >> PAGE_SHIFT) + (value % PAGE_SIZE != 0);
        end++;
    }
    if (*end != 0) {
        snprintf(reason, reason_bytes,
                 "`%s` is no amount of %s: a number%s or a percentage is", text,
                 cad_resource_name(resource), is_memory ? ", K, M, G for bytes," : "");
        return false;
    }
    *amount = (struct cad_amount){CAD_AMOUNT_EXACT, value};
    return true;
}

bool cad_limit_parse(const char *word, struct cad_amount limits[CAD_RESOURCE_COUNT], char *reason,
                     size_t reason_bytes)
{
    const char *equals = strchr(word, '=');
    size_t length = equals != NULL ? (size_t)(equals - word) : 0;
    bool is_known = false;

    if (equals == NULL) {
        snprintf(reason, reason_bytes, "`%s` is no RESOURCE=AMOUNT", word);
        return false;
    }
    for (unsigned i = 0; i < CAD_RESOURCE_COUNT; i++) {
        const char *name = cad_resource_name(i);
        bool is_one = strlen(name) == length && strncmp(word, name, length) == 0;
        if (!is_one && !(length == 3 && strncmp(word, "all", 3) == 0))
            continue;
        is_known = true;
        if (!cad_amount_parse(equals + 1, i, &limits[i], reason, reason_bytes))
            return false;
    }
    if (!is_known)
        snprintf(reason, reason_bytes, "there is no resource `%.*s`", (int)length, word);
    return is_known;
}

/* Splits in place. Gives: the count, or more than the room if there are too many. */
static unsigned split(char *line, char *words[CAD_MANIFEST_WORDS])
{
    unsigned count = 0;
    char *place = NULL;

    for (char *word = strtok_r(line, " \t\r", &place); word != NULL;
         word = strtok_r(NULL, " \t\r", &place)) {
        if (word[0] == '#')
            break;
        if (count < CAD_MANIFEST_WORDS)
            words[count] = word;
        count++;
    }
    return count;
}

/* Words after the name: `grants` and `limit` say how the next ones are read. */
static bool parse_clauses(char **words, unsigned count, struct cad_manifest_entry *entry,
                          struct cad_manifest_error *error)
{
    enum { NOTHING, GRANTS, LIMIT } reading = NOTHING;

    for (unsigned i = 0; i < count; i++) {
        if (strcmp(words[i], "grants") == 0) {
            reading = GRANTS;
        } else if (strcmp(words[i], "limit") == 0) {
            reading = LIMIT;
        } else if (reading == GRANTS) {
            unsigned role = cad_role_by_name(words[i]);
            if (role < CAD_ROLE_CONSOLE)
                return refuse(error, "there is no role `%s` to grant", words[i]);
            entry->roles |= UINT64_C(1) << role;
        } else if (reading == LIMIT) {
            if (!cad_limit_parse(words[i], entry->limits, error->reason, sizeof(error->reason)))
                return false;
        } else {
            return refuse(error, "`%s`: `grants` or `limit` is expected here", words[i]);
        }
    }
    return true;
}

static bool parse_entry(char **words, unsigned count, struct cad_manifest_entry *entry,
                        struct cad_manifest_error *error)
{
    unsigned used = 1;

    memset(entry, 0, sizeof(*entry));
    if (strcmp(words[0], "start") == 0)
        entry->kind = CAD_MANIFEST_START;
    else if (strcmp(words[0], "default") == 0)
        entry->kind = CAD_MANIFEST_DEFAULT;
    else if (strcmp(words[0], "program") == 0)
        entry->kind = CAD_MANIFEST_PROGRAM;
    else
        return refuse(error, "`%s`: a line begins with `start`, `default` or `program`", words[0]);
    if (entry->kind != CAD_MANIFEST_DEFAULT) {
        if (count < 2)
            return refuse(error, "`%s` needs the name of a program", words[0]);
        if (strlen(words[1]) >= sizeof(entry->name))
            return refuse(error, "`%.40s...`: names have at most %zu bytes", words[1],
                          sizeof(entry->name) - 1);
        strcpy(entry->name, words[1]);
        used = 2;
    }
    return parse_clauses(words + used, count - used, entry, error);
}

static bool parse_line(char *line, struct cad_manifest *manifest,
                       struct cad_manifest_error *error)
{
    char *words[CAD_MANIFEST_WORDS];
    unsigned count = split(line, words);
    struct cad_manifest_entry *entry = &manifest->entries[manifest->count];

    if (count == 0)
        return true;
    if (count > CAD_MANIFEST_WORDS)
        return refuse(error, "more than %d words", CAD_MANIFEST_WORDS);
    if (manifest->count == CAD_MANIFEST_ENTRIES)
        return refuse(error, "more than %d entries", CAD_MANIFEST_ENTRIES);
    if (!parse_entry(words, count, entry, error))
        return false;
    if (cad_manifest_find(manifest, (int)entry->kind, entry->name) != NULL ||
        (entry->kind == CAD_MANIFEST_START &&
         cad_manifest_find(manifest, CAD_MANIFEST_START, NULL) != NULL))
        return refuse(error, "a second `%s` entry%s%s", words[0],
                      entry->kind == CAD_MANIFEST_PROGRAM ? " for " : "",
                      entry->kind == CAD_MANIFEST_PROGRAM ? entry->name : "");
    manifest->count++;
    return true;
}

bool cad_manifest_parse(const char *text, size_t bytes, struct cad_manifest *manifest,
                        struct cad_manifest_error *error)
{
    const char *end = text + bytes;

    manifest->count = 0;
    error->line = 0;
    while (text < end) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        size_t length = (size_t)((stop != NULL ? stop : end) - text);
        char line[CAD_MANIFEST_LINE];

        error->line++;
        if (length >= sizeof(line))
            return refuse(error, "longer than %d bytes", CAD_MANIFEST_LINE - 1);
        if (memchr(text, 0, length) != NULL)
            return refuse(error, "a zero byte: this is no text");
        memcpy(line, text, length);
        line[length] = 0;
        if (!parse_line(line, manifest, error))
            return false;
        text += length + 1;
    }
    if (cad_manifest_find(manifest, CAD_MANIFEST_START, NULL) == NULL)
        return refuse(error, "the end, and no `start` entry before it");
    return true;
}

const struct cad_manifest_entry *cad_manifest_find(const struct cad_manifest *manifest,
                                                   int kind, const char *name)
{
    const char *slash = name != NULL ? strrchr(name, '/') : NULL;

    if (slash != NULL)
        name = slash + 1;
    for (unsigned i = 0; i < manifest->count; i++) {
        const struct cad_manifest_entry *entry = &manifest->entries[i];
        if ((int)entry->kind == kind && (name == NULL || strcmp(entry->name, name) == 0))
            return entry;
    }
    return NULL;
}

void cad_limits_apply(const struct cad_amount amounts[CAD_RESOURCE_COUNT],
                      uint64_t limits[CAD_RESOURCE_COUNT])
{
    for (unsigned i = 0; i < CAD_RESOURCE_COUNT; i++) {
        if (amounts[i].how == CAD_AMOUNT_EXACT)
            limits[i] = amounts[i].value;
        else if (amounts[i].how == CAD_AMOUNT_PERCENT)
            limits[i] = cad_ledger_left(i) / 100 * amounts[i].value +
                        cad_ledger_left(i) % 100 * amounts[i].value / 100;
    }
}
