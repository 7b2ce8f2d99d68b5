// SPDX-License-Identifier: BSD-2-Clause
/*
 * Tables for people (aligned, KiB and MiB) and, of the same rows, JSON for
 * programs (an array of objects with plain numbers, in the column's base unit).
 */
#ifndef SHELL_OUTPUT_H
#define SHELL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum column_kind {
    COLUMN_TEXT,
    COLUMN_NUMBER,
    COLUMN_HEX,
    COLUMN_BYTES,
    COLUMN_PAGES, /* shown in bytes, JSON: pages */
    COLUMN_NS,    /* shown in seconds, JSON: nanoseconds */
};

struct column {
    const char *title; /* for people */
    const char *key;   /* for JSON; its unit is in it */
    enum column_kind kind;
};

#define COLUMNS_MAX 16

struct table {
    const struct column *columns;
    unsigned column_count;
    size_t row_count, room;
    char **cells;      /* as people read them */
    uint64_t *numbers; /* of other kinds than TEXT */
    bool is_short;     /* no memory: rows are missing */
};

void table_begin(struct table *table, const struct column *columns, unsigned column_count);
/* One value a column: const char * for TEXT, uint64_t for all others. */
void table_row(struct table *table, ...);
/* Prints and frees it. */
void table_end(struct table *table, bool is_json);

/* "12.0 MiB"; "none" for UINT64_MAX. */
const char *text_of_bytes(uint64_t bytes, char *text, size_t room);
/* A string as JSON has it, with its quotes. */
void print_json_text(const char *text);

#endif
