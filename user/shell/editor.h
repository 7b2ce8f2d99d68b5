// SPDX-License-Identifier: BSD-2-Clause
/*
 * One line of input, edited at a terminal: cursor keys, Home, End, Backspace,
 * Delete, Ctrl-A E K U W L C D, history, completion.  It uses termios, read and
 * write alone, so it runs on any such system (and is tested on the host).
 *
 * A line longer than the terminal scrolls sideways.
 */
#ifndef SHELL_EDITOR_H
#define SHELL_EDITOR_H

#include <stdbool.h>
#include <stddef.h>

#define EDITOR_LINE_BYTES    1024
#define EDITOR_HISTORY       100
#define EDITOR_CANDIDATES    256
#define EDITOR_AHEAD_BYTES   256

enum editor_result {
    EDITOR_LINE,        /* the line is there, without its end */
    EDITOR_INTERRUPTED, /* Ctrl-C: there is none */
    EDITOR_END,         /* Ctrl-D on an empty line, or the input ended */
};

/* Fills `candidates` with strings that the word at line + word_start may become; they stay
 * valid until the next call. Gives: how many. */
typedef unsigned (*editor_complete)(void *context, const char *line, size_t word_start,
                                    const char **candidates, unsigned room);

struct editor {
    int input, output;
    const char *prompt;
    editor_complete complete; /* NULL: none */
    void *complete_context;

    char line[EDITOR_LINE_BYTES];
    size_t length, cursor, columns;

    char *history[EDITOR_HISTORY]; /* oldest first */
    unsigned history_count, history_at;
    char draft[EDITOR_LINE_BYTES]; /* the new line, while history is looked at */

    /* typed while nobody read */
    char ahead[EDITOR_AHEAD_BYTES];
    size_t ahead_start, ahead_end;
};

void editor_init(struct editor *editor, int input, int output);
/* The line is in editor->line. Not a terminal: the line is read as it comes. */
enum editor_result editor_read(struct editor *editor, const char *prompt);
/* Bytes that were typed and belong to the next line; what does not fit is dropped. */
void editor_type_ahead(struct editor *editor, const char *bytes, size_t count);
/* Blank lines and repetitions of the last one are not kept. */
void editor_remember(struct editor *editor, const char *line);

#endif
