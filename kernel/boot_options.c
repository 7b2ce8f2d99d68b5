// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/boot_options.h"

#define OPTION_BYTES 64

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

int boot_option_next(const char **line, char *word, size_t size)
{
    const char *at = *line;
    bool quoted = false;
    size_t length = 0;

    while (is_blank(*at))
        at++;
    if (*at == '\0') {
        *line = at;
        return -1;
    }
    for (; *at != '\0' && (quoted || !is_blank(*at)); at++) {
        if (*at == '"') {
            quoted = !quoted;
            continue;
        }
        if (quoted && *at == '\\' && (at[1] == '\\' || at[1] == '"'))
            at++;
        if (length + 1 < size)
            word[length++] = *at;
    }
    word[length] = '\0';
    *line = at;
    return (int)length;
}

bool boot_option_is_set(const char *line, const char *text)
{
    char word[OPTION_BYTES];

    while (boot_option_next(&line, word, sizeof(word)) >= 0) {
        unsigned i = 0;
        while (word[i] != '\0' && word[i] == text[i])
            i++;
        if (word[i] == text[i])
            return true;
    }
    return false;
}
