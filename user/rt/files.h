// SPDX-License-Identifier: BSD-2-Clause
/*
 * Descriptors: the console (0, 1, 2 at the start), read-only files and folders
 * of the boot archive, /dev/null, /dev/urandom, /dev/tty.  A folder exists when
 * a file's name starts with it.
 */
#ifndef RT_FILES_H
#define RT_FILES_H

#include "archive.h"
#include "runtime.h"

#define FILES_MAX 64

enum file_kind {
    FILE_CLOSED, /* also: 0, 1, 2 of a process without a console */
    FILE_CONSOLE,
    FILE_NULL,
    FILE_RANDOM,
    FILE_REGULAR,
    FILE_FOLDER,
};

struct file {
    enum file_kind kind;
    uint32_t descriptor_flags;   /* FD_CLOEXEC */
    uint64_t position;
    struct archive_entry entry;  /* REGULAR, FOLDER */
};

/* A copy of what the descriptor is. Gives: false if it is closed. */
bool file_get(int descriptor, struct file *file);
/* Gives: a new descriptor not below `lowest`, or -EMFILE. */
long file_open(const struct file *file, int lowest);
/* Reads a regular file's contents. Gives: bytes read (0 at its end), or a negative errno. */
long file_read_at(int descriptor, char *buffer, uint64_t count, uint64_t position);

#endif
