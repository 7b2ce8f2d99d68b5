// SPDX-License-Identifier: BSD-2-Clause
/*
 * A line as commands: words apart by blanks, commands apart by `;`, `&` after
 * one runs it beside the shell.  '...' is literal; in "..." and outside, a
 * backslash makes the next byte literal and $? is the last status.  # begins a
 * comment where a word could begin.
 */
#ifndef SHELL_WORDS_H
#define SHELL_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define WORDS_MAX   128
#define WORDS_BYTES 2048

struct words {
    int count;
    char *words[WORDS_MAX + 1]; /* NULL after the last */
    bool is_background;
    char bytes[WORDS_BYTES];
};

/* Takes the next command off *line; it is empty (count 0) at the end and between two `;`.
 * Gives: NULL, or what is wrong. */
const char *words_next(const char **line, int last_status, struct words *words);

#endif
