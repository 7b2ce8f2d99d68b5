// SPDX-License-Identifier: BSD-2-Clause
/*
 * Words of the kernel command line, split at blanks.  Double quotes keep blanks
 * in a word; inside them a backslash goes before a quote or a backslash.
 */
#ifndef KERNEL_BOOT_OPTIONS_H
#define KERNEL_BOOT_OPTIONS_H

#include "base/types.h"

/* The next word of `*line`, its quotes removed, NUL-terminated in `word` (cut at `size`).
 * Gives: its length, or -1 when there is none left; `*line` moves on. */
int boot_option_next(const char **line, char *word, size_t size);
/* True when `text` is a word of the line. */
bool boot_option_is_set(const char *line, const char *text);

#endif
