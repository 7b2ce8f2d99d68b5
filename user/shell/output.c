// SPDX-License-Identifier: BSD-2-Clause
/* Rows are kept until the end, because a column is as wide as its widest cell. */
#include "output.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/types.h"

#define CELL_BYTES 32

const char *text_of_bytes(uint64_t bytes, char *text, size_t room)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double value = (double)bytes;
    unsigned unit = 0;

    while (value >= 1024 && unit < sizeof(units) / sizeof(units[0]) - 1) {
        value /= 1024;
        unit++;
    }
    if (bytes == UINT64_MAX)
        snprintf(text, room, "none");
    else
        snprintf(text, room, unit == 0 || value >= 100 ? "%.0f %s" : "%.1f %s", value,
                 units[unit]);
    return text;
}

void print_json_text(const char *text)
{
    putchar('"');
    for (; *text != 0; text++) {
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((unsigned char)*text < ' ')
            printf("\\u%04x", (unsigned)(unsigned char)*text);
        else
            putchar(*text);
    }
    putchar('"');
}

void table_begin(struct table *table, const struct column *columns, unsigned column_count)
{
    *table = (struct table){.columns = columns, .column_count = column_count};
}

static bool grow(struct table *table)
{
    size_t room = table->room == 0 ? 16 : table->room * 2;
    size_t cells = room * table->column_count;
    char **grown_cells = realloc(table->cells, cells * sizeof(*grown_cells));
    uint64_t *grown_numbers;

    if (grown_cells == NULL)
        return false;
    table->cells = grown_cells;
    grown_numbers = realloc(table->numbers, cells * sizeof(*grown_numbers));
    if (grown_numbers == NULL)
        return false;
    table->numbers = grown_numbers;
    table->room = room;
    return true;
}

static void format_cell(char text[CELL_BYTES], enum column_kind kind, uint64_t number)
{
    switch (kind) {
    case COLUMN_NUMBER:
        snprintf(text, CELL_BYTES, "%" PRIu64, number);
        break;
    case COLUMN_HEX:
        snprintf(text, CELL_BYTES, "0x%" PRIx64, number);
        break;
    case COLUMN_BYTES:
        text_of_bytes(number, text, CELL_BYTES);
        break;
    case COLUMN_PAGES:
        text_of_bytes(number > UINT64_MAX / PAGE_SIZE ? UINT64_MAX : number * PAGE_SIZE, text,
                      CELL_BYTES);
        break;
    case COLUMN_NS:
        snprintf(text, CELL_BYTES, "%" PRIu64 ".%03u s", number / 1000000000,
                 (unsigned)(number / 1000000 % 1000));
        break;
    case COLUMN_TEXT:
        break;
    }
}

void table_row(struct table *table, ...)
{
    size_t at = table->row_count * table->column_count;
    va_list values;

    if (table->row_count == table->room && !grow(table)) {
        table->is_short = true;
        return;
    }
    va_start(values, table);
    for (unsigned i = 0; i < table->column_count; i++) {
        char text[CELL_BYTES] = "";
        if (table->columns[i].kind == COLUMN_TEXT) {
            table->cells[at + i] = strdup(va_arg(values, const char *));
        } else {
            table->numbers[at + i] = va_arg(values, uint64_t);
            format_cell(text, table->columns[i].kind, table->numbers[at + i]);
            table->cells[at + i] = strdup(text);
        }
        table->is_short |= table->cells[at + i] == NULL;
    }
    va_end(values);
    table->row_count++;
}

static const char *cell(const struct table *table, size_t row, unsigned column)
{
    const char *text = table->cells[row * table->column_count + column];

    return text != NULL ? text : "";
}

/* Text is on the left of its column, numbers on the right; nothing trails the last text. */
static void print_cell(const struct table *table, unsigned column, const char *text, size_t width)
{
    const char *gap = column == 0 ? "" : "  ";

    if (table->columns[column].kind != COLUMN_TEXT)
        printf("%s%*s", gap, (int)width, text);
    else if (column + 1 == table->column_count)
        printf("%s%s", gap, text);
    else
        printf("%s%-*s", gap, (int)width, text);
}

static void print_text(const struct table *table)
{
    size_t widths[COLUMNS_MAX];

    for (unsigned i = 0; i < table->column_count; i++) {
        widths[i] = strlen(table->columns[i].title);
        for (size_t row = 0; row < table->row_count; row++) {
            size_t length = strlen(cell(table, row, i));
            widths[i] = length > widths[i] ? length : widths[i];
        }
    }
    for (unsigned i = 0; i < table->column_count; i++)
        print_cell(table, i, table->columns[i].title, widths[i]);
    putchar('\n');
    for (size_t row = 0; row < table->row_count; row++) {
        for (unsigned i = 0; i < table->column_count; i++)
            print_cell(table, i, cell(table, row, i), widths[i]);
        putchar('\n');
    }
}

static void print_json(const struct table *table)
{
    putchar('[');
    for (size_t row = 0; row < table->row_count; row++) {
        printf("%s\n  {", row == 0 ? "" : ",");
        for (unsigned i = 0; i < table->column_count; i++) {
            printf("%s\"%s\": ", i == 0 ? "" : ", ", table->columns[i].key);
            if (table->columns[i].kind == COLUMN_TEXT)
                print_json_text(cell(table, row, i) + strspn(cell(table, row, i), " "));
            else
                printf("%" PRIu64, table->numbers[row * table->column_count + i]);
        }
        putchar('}');
    }
    printf("%s]\n", table->row_count == 0 ? "" : "\n");
}

void table_end(struct table *table, bool is_json)
{
    if (is_json)
        print_json(table);
    else
        print_text(table);
    if (table->is_short)
        fprintf(stderr, "out of memory: the list above is not whole\n");
    for (size_t i = 0; i < table->row_count * table->column_count; i++)
        free(table->cells[i]);
    free(table->cells);
    free(table->numbers);
}
