// SPDX-License-Identifier: BSD-2-Clause
/* The descriptor table, and reading and writing through it. */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "served.h"

#define PIECES_MAX 1024

static struct lock files_lock;
static bool is_started;
static LARGE struct file files[FILES_MAX];

/* Needs: files_lock. */
static struct file *file_at(int descriptor)
{
    if (!is_started) {
        for (unsigned i = 0; i < 3; i++)
            files[i].kind = console_is_there() ? FILE_CONSOLE : FILE_CLOSED;
        is_started = true;
    }
    if (descriptor < 0 || descriptor >= FILES_MAX || files[descriptor].kind == FILE_CLOSED)
        return NULL;
    return &files[descriptor];
}

bool file_get(int descriptor, struct file *file)
{
    struct file *found;

    lock_take(&files_lock);
    found = file_at(descriptor);
    if (found != NULL)
        *file = *found;
    lock_put(&files_lock);
    return found != NULL;
}

long file_open(const struct file *file, int lowest)
{
    long result = -EMFILE;

    lock_take(&files_lock);
    for (int i = lowest; i < FILES_MAX; i++) {
        if (file_at(i) == NULL) {
            files[i] = *file;
            result = i;
            break;
        }
    }
    lock_put(&files_lock);
    return result;
}

static uint64_t copy_contents(const struct archive_entry *entry, char *buffer, uint64_t count,
                              uint64_t position)
{
    uint64_t left = position < entry->size_bytes ? entry->size_bytes - position : 0;

    if (count > left)
        count = left;
    memcpy(buffer, archive_data() + entry->offset_bytes + position, count);
    return count;
}

long file_read_at(int descriptor, char *buffer, uint64_t count, uint64_t position)
{
    struct file file;

    if (!file_get(descriptor, &file))
        return -EBADF;
    if (file.kind == FILE_FOLDER)
        return -EISDIR;
    if (file.kind != FILE_REGULAR)
        return -ENODEV;
    return (long)copy_contents(&file.entry, buffer, count, position);
}

static long read_regular(int descriptor, char *buffer, uint64_t count)
{
    struct file *file;
    long result = -EBADF;

    lock_take(&files_lock);
    file = file_at(descriptor);
    if (file != NULL && file->kind == FILE_REGULAR) {
        result = (long)copy_contents(&file->entry, buffer, count, file->position);
        file->position += (uint64_t)result;
    }
    lock_put(&files_lock);
    return result;
}

static long read_any(int descriptor, char *buffer, uint64_t count)
{
    struct file file;

    if (!file_get(descriptor, &file))
        return -EBADF;
    if (count > INT32_MAX)
        count = INT32_MAX;
    switch (file.kind) {
    case FILE_CONSOLE:
        return console_read(buffer, count);
    case FILE_REGULAR:
        return read_regular(descriptor, buffer, count);
    case FILE_RANDOM:
        return random_fill((uint8_t *)buffer, count);
    case FILE_FOLDER:
        return -EISDIR;
    case FILE_NULL:
    case FILE_CLOSED:
        break;
    }
    return 0;
}

static long write_any(int descriptor, const char *buffer, uint64_t count)
{
    struct file file;

    if (!file_get(descriptor, &file))
        return -EBADF;
    if (count > INT32_MAX)
        count = INT32_MAX;
    if (file.kind == FILE_CONSOLE)
        return console_write(buffer, count);
    return file.kind == FILE_NULL ? (long)count : -EBADF;
}

long call_read(struct linux_registers *r)
{
    return read_any((int)r->a0, (char *)r->a1, r->a2);
}

long call_write(struct linux_registers *r)
{
    return write_any((int)r->a0, (const char *)r->a1, r->a2);
}

/* Stops at the first piece that is not whole. */
static long each_piece(struct linux_registers *r, bool is_write)
{
    const struct iovec *pieces = (const struct iovec *)r->a1;
    long total = 0;

    if (r->a2 > PIECES_MAX)
        return -EINVAL;
    for (uint64_t i = 0; i < r->a2; i++) {
        long done;
        if (pieces[i].iov_len == 0)
            continue;
        done = is_write ? write_any((int)r->a0, pieces[i].iov_base, pieces[i].iov_len)
                        : read_any((int)r->a0, pieces[i].iov_base, pieces[i].iov_len);
        if (done < 0)
            return total > 0 ? total : done;
        total += done;
        if ((uint64_t)done < pieces[i].iov_len)
            break;
    }
    return total;
}

long call_readv(struct linux_registers *r)
{
    return each_piece(r, false);
}

long call_writev(struct linux_registers *r)
{
    return each_piece(r, true);
}

long call_pread(struct linux_registers *r)
{
    long result = file_read_at((int)r->a0, (char *)r->a1, r->a2, r->a3);

    return result == -ENODEV ? -ESPIPE : result;
}

static enum file_kind device_kind(const char *path)
{
    if (text_equal(path, "/dev/null"))
        return FILE_NULL;
    if (text_equal(path, "/dev/urandom") || text_equal(path, "/dev/random"))
        return FILE_RANDOM;
    if (text_equal(path, "/dev/tty") || text_equal(path, "/dev/console"))
        return console_is_there() ? FILE_CONSOLE : FILE_CLOSED;
    return FILE_CLOSED;
}

static long open_path(const char *path, uint64_t flags)
{
    struct file file = {.kind = FILE_CLOSED};
    bool is_writing = (flags & O_ACCMODE) != O_RDONLY;
    long result;

    if (path == NULL)
        return -EFAULT;
    file.kind = device_kind(path);
    file.descriptor_flags = (flags & O_CLOEXEC) != 0 ? FD_CLOEXEC : 0;
    if (file.kind == FILE_CLOSED) {
        result = path[0] != 0 ? archive_lookup(path, &file.entry) : -ENOENT;
        if (result != 0)
            return result == -ENOENT && (flags & O_CREAT) != 0 ? -EROFS : result;
        if ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0)
            return -EEXIST;
        if (is_writing)
            return file.entry.is_folder ? -EISDIR : -EROFS;
        if ((flags & O_DIRECTORY) != 0 && !file.entry.is_folder)
            return -ENOTDIR;
        file.kind = file.entry.is_folder ? FILE_FOLDER : FILE_REGULAR;
    }
    return file_open(&file, 0);
}

long call_open(struct linux_registers *r)
{
    return open_path((const char *)r->a0, r->a1);
}

long call_openat(struct linux_registers *r)
{
    return open_path((const char *)r->a1, r->a2);
}

long call_close(struct linux_registers *r)
{
    struct file *file;

    lock_take(&files_lock);
    file = file_at((int)r->a0);
    if (file != NULL)
        file->kind = FILE_CLOSED;
    lock_put(&files_lock);
    return file != NULL ? 0 : -EBADF;
}

static long duplicate(int descriptor, int lowest, uint32_t descriptor_flags)
{
    struct file file;

    if (!file_get(descriptor, &file))
        return -EBADF;
    if (lowest < 0 || lowest >= FILES_MAX)
        return -EINVAL;
    file.descriptor_flags = descriptor_flags;
    return file_open(&file, lowest);
}

long call_dup(struct linux_registers *r)
{
    return duplicate((int)r->a0, 0, 0);
}

static long duplicate_to(int descriptor, int target, uint32_t descriptor_flags)
{
    struct file file;

    if (!file_get(descriptor, &file) || target < 0 || target >= FILES_MAX)
        return -EBADF;
    file.descriptor_flags = descriptor_flags;
    lock_take(&files_lock);
    files[target] = file;
    lock_put(&files_lock);
    return target;
}

long call_dup2(struct linux_registers *r)
{
    struct file file;

    if (r->a0 == r->a1)
        return file_get((int)r->a0, &file) ? (long)r->a0 : -EBADF;
    return duplicate_to((int)r->a0, (int)r->a1, 0);
}

long call_dup3(struct linux_registers *r)
{
    if (r->a0 == r->a1 || (r->a2 & ~(uint64_t)O_CLOEXEC) != 0)
        return -EINVAL;
    return duplicate_to((int)r->a0, (int)r->a1, (r->a2 & O_CLOEXEC) != 0 ? FD_CLOEXEC : 0);
}

long call_lseek(struct linux_registers *r)
{
    struct file *file;
    int64_t base = 0, position = -1;
    long result = -EBADF;

    lock_take(&files_lock);
    file = file_at((int)r->a0);
    if (file != NULL && file->kind != FILE_REGULAR && file->kind != FILE_FOLDER) {
        result = -ESPIPE;
    } else if (file != NULL) {
        if (r->a2 == SEEK_CUR)
            base = (int64_t)file->position;
        else if (r->a2 == SEEK_END)
            base = (int64_t)file->entry.size_bytes;
        if (r->a2 > SEEK_END || __builtin_add_overflow(base, (int64_t)r->a1, &position) ||
            position < 0)
            result = -EINVAL;
        else
            result = (long)(file->position = (uint64_t)position);
    }
    lock_put(&files_lock);
    return result;
}

static long write_link(char *buffer, size_t room, const char *text)
{
    size_t length = text_length(text) + 1;

    if (length > room)
        return -ERANGE;
    memcpy(buffer, text, length);
    return (long)length;
}

long call_getcwd(struct linux_registers *r)
{
    return write_link((char *)r->a0, r->a1, "/");
}

long call_fcntl(struct linux_registers *r)
{
    struct file *file;
    long result = -EBADF;

    if (r->a1 == F_DUPFD || r->a1 == F_DUPFD_CLOEXEC)
        return duplicate((int)r->a0, (int)r->a2, r->a1 == F_DUPFD_CLOEXEC ? FD_CLOEXEC : 0);
    lock_take(&files_lock);
    file = file_at((int)r->a0);
    if (file != NULL) {
        result = 0;
        if (r->a1 == F_GETFD)
            result = file->descriptor_flags;
        else if (r->a1 == F_SETFD)
            file->descriptor_flags = (uint32_t)r->a2 & FD_CLOEXEC;
        else if (r->a1 == F_GETFL)
            result = file->kind == FILE_CONSOLE || file->kind == FILE_NULL ? O_RDWR : O_RDONLY;
        else if (r->a1 != F_SETFL)
            result = -EINVAL;
    }
    lock_put(&files_lock);
    return result;
}

long call_ioctl(struct linux_registers *r)
{
    struct file file;

    if (!file_get((int)r->a0, &file))
        return -EBADF;
    return file.kind == FILE_CONSOLE ? console_ioctl(r->a1, r->a2) : -ENOTTY;
}
