// SPDX-License-Identifier: BSD-2-Clause
/* What files are: stat, access, and the listing of folders. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "served.h"

static void fill_stat(const struct file *file, struct stat *out)
{
    memset(out, 0, sizeof(*out));
    out->st_nlink = 1;
    out->st_blksize = PAGE_SIZE;
    if (file->kind == FILE_REGULAR || file->kind == FILE_FOLDER) {
        out->st_dev = 1;
        out->st_ino = file->entry.inode;
        out->st_mode = file->kind == FILE_FOLDER ? S_IFDIR | 0555 : S_IFREG | 0555;
        out->st_size = (off_t)file->entry.size_bytes;
        out->st_blocks = (blkcnt_t)((file->entry.size_bytes + 511) / 512);
        out->st_mtim.tv_sec = (time_t)file->entry.modified_seconds;
    } else {
        out->st_dev = 2;
        out->st_ino = (ino_t)file->kind;
        out->st_rdev = (dev_t)file->kind;
        out->st_mode = S_IFCHR | 0666;
    }
}

static long stat_path(const char *path, struct stat *out)
{
    struct file file = {.kind = FILE_REGULAR};
    long result;

    if (path == NULL)
        return -EFAULT;
    result = path[0] != 0 ? archive_lookup(path, &file.entry) : -ENOENT;
    if (result != 0)
        return result;
    if (file.entry.is_folder)
        file.kind = FILE_FOLDER;
    fill_stat(&file, out);
    return 0;
}

static long stat_descriptor(int descriptor, struct stat *out)
{
    struct file file;

    if (!file_get(descriptor, &file))
        return -EBADF;
    fill_stat(&file, out);
    return 0;
}

long call_stat(struct linux_registers *r)
{
    return stat_path((const char *)r->a0, (struct stat *)r->a1);
}

long call_fstat(struct linux_registers *r)
{
    return stat_descriptor((int)r->a0, (struct stat *)r->a1);
}

long call_newfstatat(struct linux_registers *r)
{
    const char *path = (const char *)r->a1;

    if ((r->a3 & AT_EMPTY_PATH) != 0 && path != NULL && path[0] == 0)
        return stat_descriptor((int)r->a0, (struct stat *)r->a2);
    return stat_path(path, (struct stat *)r->a2);
}

static long access_path(const char *path, uint64_t mode)
{
    struct stat out;
    long result = stat_path(path, &out);

    return result == 0 && (mode & W_OK) != 0 ? -EROFS : result;
}

long call_access(struct linux_registers *r)
{
    return access_path((const char *)r->a0, r->a1);
}

long call_faccessat(struct linux_registers *r)
{
    return access_path((const char *)r->a1, r->a2);
}

long call_readlink(struct linux_registers *r)
{
    struct stat out;
    long result = stat_path((const char *)r->a0, &out);

    return result == 0 ? -EINVAL : result;
}

/* One record of struct dirent. Gives: its bytes, 0 if it does not fit. */
static size_t put_record(char *buffer, size_t room, uint64_t next, const char *name,
                         const struct archive_entry *child)
{
    struct dirent *record = (struct dirent *)buffer;
    size_t bytes = offsetof(struct dirent, d_name) + text_length(name) + 1;

    bytes = (bytes + 7) & ~(size_t)7;
    if (bytes > room)
        return 0;
    record->d_ino = child->inode;
    record->d_off = (off_t)next;
    record->d_reclen = (unsigned short)bytes;
    record->d_type = child->is_folder ? DT_DIR : DT_REG;
    memcpy(record->d_name, name, text_length(name) + 1);
    return bytes;
}

long call_getdents(struct linux_registers *r)
{
    char name[PATH_BYTES];
    struct archive_entry child;
    struct file file;
    size_t used = 0, bytes;
    struct linux_registers seek = {.a0 = r->a0, .a2 = SEEK_SET};

    if (!file_get((int)r->a0, &file))
        return -EBADF;
    if (file.kind != FILE_FOLDER)
        return -ENOTDIR;
    while (archive_child(&file.entry, file.position, name, &child)) {
        bytes = put_record((char *)r->a1 + used, r->a2 - used, file.position + 1, name, &child);
        if (bytes == 0) {
            if (used == 0)
                return -EINVAL;
            break;
        }
        used += bytes;
        file.position++;
    }
    seek.a1 = file.position;
    (void)call_lseek(&seek);
    return (long)used;
}
