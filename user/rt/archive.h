// SPDX-License-Identifier: BSD-2-Clause
/* The boot archive as a tree of read-only files, mapped on first use. */
#ifndef RT_ARCHIVE_H
#define RT_ARCHIVE_H

#include "abi/boot_archive.h"
#include "runtime.h"

#define PATH_BYTES CAD_ARCHIVE_NAME_BYTES

struct archive_entry {
    char path[PATH_BYTES]; /* no leading or trailing slash; "" is the root */
    bool is_folder;
    uint64_t offset_bytes, size_bytes, modified_seconds, inode;
};

/* Gives: 0, or -ENOENT, -ENOTDIR, -ENAMETOOLONG; -EACCES without a boot archive. */
long archive_lookup(const char *path, struct archive_entry *entry);
/* Number `index` of what is directly in the folder. Gives: false past the end. */
bool archive_child(const struct archive_entry *folder, uint64_t index, char *name,
                   struct archive_entry *child);
/* The archive's bytes. Needs: a lookup succeeded. */
const uint8_t *archive_data(void);

#endif
