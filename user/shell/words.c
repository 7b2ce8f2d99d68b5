// SPDX-License-Identifier: BSD-2-Clause
/* One pass; `used` is where the next byte of the current word goes. */
#include "words.h"

#include <stdio.h>
#include <string.h>

struct scan {
    const char *at;
    struct words *words;
    size_t used;
    int last_status;
    bool is_in_word, is_too_long;
};

static void add(struct scan *scan, char byte)
{
    if (scan->used + 1 >= WORDS_BYTES)
        scan->is_too_long = true;
    else
        scan->words->bytes[scan->used++] = byte;
}

static void begin_word(struct scan *scan)
{
    if (scan->is_in_word)
        return;
    if (scan->words->count == WORDS_MAX)
        scan->is_too_long = true;
    else
        scan->words->words[scan->words->count++] = &scan->words->bytes[scan->used];
    scan->is_in_word = true;
}

static void end_word(struct scan *scan)
{
    if (scan->is_in_word)
        add(scan, 0);
    scan->is_in_word = false;
}

/* A byte outside '...': an escape, $?, or itself. */
static void take_byte(struct scan *scan)
{
    if (scan->at[0] == '\\' && scan->at[1] != 0) {
        add(scan, scan->at[1]);
        scan->at += 2;
    } else if (scan->at[0] == '$' && scan->at[1] == '?') {
        char number[16];
        snprintf(number, sizeof(number), "%d", scan->last_status);
        for (const char *digit = number; *digit != 0; digit++)
            add(scan, *digit);
        scan->at += 2;
    } else {
        add(scan, *scan->at++);
    }
}

static const char *take_quoted(struct scan *scan)
{
    char quote = *scan->at++;

    while (*scan->at != 0 && *scan->at != quote) {
        if (quote == '"')
            take_byte(scan);
        else
            add(scan, *scan->at++);
    }
    if (*scan->at == 0)
        return quote == '"' ? "a \" is missing" : "a ' is missing";
    scan->at++;
    return NULL;
}

const char *words_next(const char **line, int last_status, struct words *words)
{
    struct scan scan = {.at = *line, .words = words, .last_status = last_status};
    const char *problem = NULL;

    words->count = 0;
    words->is_background = false;
    while (problem == NULL && *scan.at != 0 && *scan.at != ';' && *scan.at != '&') {
        if (*scan.at == ' ' || *scan.at == '\t') {
            end_word(&scan);
            scan.at++;
        } else if (*scan.at == '#' && !scan.is_in_word) {
            scan.at += strlen(scan.at);
        } else {
            begin_word(&scan);
            if (*scan.at == '"' || *scan.at == '\'')
                problem = take_quoted(&scan);
            else
                take_byte(&scan);
        }
    }
    end_word(&scan);
    words->words[words->count] = NULL;
    if (*scan.at == '&' && words->count == 0 && problem == NULL)
        problem = "nothing is before &";
    if (*scan.at == ';' || *scan.at == '&')
        words->is_background = *scan.at++ == '&';
    *line = scan.at;
    return scan.is_too_long ? "the command is too long" : problem;
}
