// SPDX-License-Identifier: BSD-2-Clause
/* Nothing is copied or indexed: each lookup walks the headers. */
#include "archive.h"

#include <errno.h>

#define FOLDER_INODES (UINT64_C(1) << 40) /* above all files' */

static struct lock archive_lock;
static const uint8_t *data;
static uint64_t data_bytes;

const uint8_t *archive_data(void)
{
    return data;
}

static long archive_map(void)
{
    cap_id_t object = cad_find(CAD_ROLE_BOOT_ARCHIVE);
    uint64_t pages, kind, id, generation, address;
    status_t status = CAD_OK;

    if (object == CAD_CAP_NONE)
        return -EACCES;
    lock_take(&archive_lock);
    if (data == NULL) {
        status = cad_memory_object_info(object, &pages, &kind, &id, &generation);
        if (status == CAD_OK)
            status = cad_memory_object_map(object, cad_find(CAD_ROLE_SELF_SPACE), 0, 0, pages,
                                           CAD_PROT_READ, 0, &address);
        if (status == CAD_OK) {
            data_bytes = pages * PAGE_SIZE;
            data = (const uint8_t *)address;
        }
    }
    lock_put(&archive_lock);
    return error_of(status);
}

/* "/a//./b/../c" becomes "a/c". */
static long normalize(const char *path, char out[PATH_BYTES])
{
    size_t used = 0;

    while (*path != 0) {
        size_t length = 0;
        while (path[length] != 0 && path[length] != '/')
            length++;
        if (length == 2 && path[0] == '.' && path[1] == '.') {
            while (used > 0 && out[--used] != '/')
                ;
        } else if (length > 0 && !(length == 1 && path[0] == '.')) {
            if (used + 1 + length >= PATH_BYTES)
                return -ENAMETOOLONG;
            if (used > 0)
                out[used++] = '/';
            memcpy(&out[used], path, length);
            used += length;
        }
        path += length;
        while (*path == '/')
            path++;
    }
    out[used] = 0;
    return 0;
}

/* Gives: what follows `folder` and a slash in `name`; NULL if it is not inside. */
static const char *below(const char *folder, const char *name)
{
    size_t length = text_length(folder);

    if (length == 0)
        return name;
    if (text_length(name) <= length || memcmp(folder, name, length) != 0 || name[length] != '/')
        return NULL;
    return name + length + 1;
}

static void entry_of_file(const struct cad_archive_file *file, struct archive_entry *entry)
{
    memcpy(entry->path, file->name, sizeof(entry->path));
    entry->is_folder = false;
    entry->offset_bytes = file->offset_bytes;
    entry->size_bytes = file->size_bytes;
    entry->modified_seconds = file->modified_seconds;
    entry->inode = file->offset_bytes / PAGE_SIZE + 2;
}

static void entry_of_folder(uint64_t inode, struct archive_entry *entry)
{
    entry->is_folder = true;
    entry->offset_bytes = entry->size_bytes = entry->modified_seconds = 0;
    entry->inode = inode;
}

long archive_lookup(const char *path, struct archive_entry *entry)
{
    struct cad_archive archive;
    struct cad_archive_file file;
    long result = normalize(path, entry->path);
    size_t length = text_length(path);

    if (result == 0)
        result = archive_map();
    if (result != 0)
        return result;
    archive = (struct cad_archive){data, data_bytes, 0};
    if (entry->path[0] == 0) {
        entry_of_folder(1, entry);
        return 0;
    }
    while (cad_archive_next(&archive, &file) == CAD_ARCHIVE_FILE) {
        if (text_equal(file.name, entry->path)) {
            entry_of_file(&file, entry);
            return path[length - 1] == '/' ? -ENOTDIR : 0;
        }
        if (below(entry->path, file.name) != NULL) {
            entry_of_folder(FOLDER_INODES + archive.position, entry);
            return 0;
        }
        if (below(file.name, entry->path) != NULL)
            return -ENOTDIR;
    }
    return -ENOENT;
}

/* The archive is sorted, so the files of one subfolder are neighbours. */
bool archive_child(const struct archive_entry *folder, uint64_t index, char *name,
                   struct archive_entry *child)
{
    struct cad_archive archive = {data, data_bytes, 0};
    struct cad_archive_file file;
    char previous[PATH_BYTES];
    uint64_t seen = 0;

    previous[0] = 0;
    while (cad_archive_next(&archive, &file) == CAD_ARCHIVE_FILE) {
        const char *rest = below(folder->path, file.name);
        size_t length = 0;
        if (rest == NULL)
            continue;
        while (rest[length] != 0 && rest[length] != '/') {
            name[length] = rest[length];
            length++;
        }
        name[length] = 0;
        if (text_equal(name, previous))
            continue;
        memcpy(previous, name, length + 1);
        if (seen++ < index)
            continue;
        entry_of_file(&file, child);
        if (rest[length] == '/')
            entry_of_folder(FOLDER_INODES + archive.position, child);
        return true;
    }
    return false;
}
