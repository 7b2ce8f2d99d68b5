/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot archive: a POSIX ustar/pax tar whose file contents start at
 * multiples of PAGE_SIZE, so that they can be mapped and executed in place.  A
 * pax header with a `comment` record is the padding; other pax records are not
 * used (names fit ustar's fields).
 *
 * Kernel and user space read it with this iterator.  It trusts no byte of the
 * archive: each field is checked before use, and nothing outside is read.
 */
#ifndef ABI_BOOT_ARCHIVE_H
#define ABI_BOOT_ARCHIVE_H

#include "abi/types.h"

#define CAD_ARCHIVE_BLOCK      512
#define CAD_ARCHIVE_NAME_BYTES 257 /* prefix, '/', name, NUL */
#define CAD_ARCHIVE_INIT       "bin/init"
#define CAD_ARCHIVE_RUNTIME    "rt"

struct cad_archive {
    const uint8_t *data;
    uint64_t bytes;
    uint64_t position; /* of the next header; start with 0 */
};

struct cad_archive_file {
    char name[CAD_ARCHIVE_NAME_BYTES];
    uint64_t offset_bytes; /* of the contents; a multiple of PAGE_SIZE */
    uint64_t size_bytes;
    uint64_t modified_seconds;
};

enum cad_archive_result {
    CAD_ARCHIVE_FILE,    /* `file` holds the next regular file */
    CAD_ARCHIVE_END,     /* no more */
    CAD_ARCHIVE_CORRUPT, /* `position` is that of the header that is wrong */
};

/* One header, as ustar lays it out. */
struct cad_archive_header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8];
    char type;
    char link[100], magic[6], version[2], user[32], group[32], device[16], prefix[155], pad[12];
};
_Static_assert(sizeof(struct cad_archive_header) == CAD_ARCHIVE_BLOCK, "archive_header_is_a_block");

/* Gives: 1 and the value of an octal field that ends in blank or NUL, else 0. */
static inline int cad_archive_octal(const char *field, unsigned bytes, uint64_t *value)
{
    unsigned i = 0;
    uint64_t sum = 0;

    while (i < bytes && field[i] == ' ')
        i++;
    for (; i < bytes && field[i] >= '0' && field[i] <= '7'; i++)
        sum = sum * 8 + (uint64_t)(field[i] - '0');
    if (i < bytes && field[i] != ' ' && field[i] != 0)
        return 0;
    *value = sum;
    return 1;
}

/* Of all bytes, eight at a time: four sums of two bytes a word each, none above 65,535. */
static inline uint64_t cad_archive_sum(const struct cad_archive_header *header)
{
    const uint64_t low = UINT64_C(0x00ff00ff00ff00ff);
    uint64_t sums = 0, word;

    for (unsigned i = 0; i < CAD_ARCHIVE_BLOCK; i += sizeof(word)) {
        __builtin_memcpy(&word, (const uint8_t *)header + i, sizeof(word));
        sums += (word & low) + ((word >> 8) & low);
    }
    return (sums & 0xffff) + ((sums >> 16) & 0xffff) + ((sums >> 32) & 0xffff) + (sums >> 48);
}

static inline int cad_archive_header_is_sound(const struct cad_archive_header *header)
{
    static const char magic[6] = "ustar";
    uint64_t expected, sum = cad_archive_sum(header);

    for (unsigned i = 0; i < sizeof(header->checksum); i++) /* it counts as blanks */
        sum += (uint64_t)' ' - (uint8_t)header->checksum[i];
    for (unsigned i = 0; i < sizeof(magic); i++) {
        if (header->magic[i] != magic[i])
            return 0;
    }
    return cad_archive_octal(header->checksum, sizeof(header->checksum), &expected) &&
           sum == expected;
}

static inline unsigned cad_archive_append(char *to, unsigned length, const char *from,
                                          unsigned bytes)
{
    for (unsigned i = 0; i < bytes && from[i] != 0; i++)
        to[length++] = from[i];
    to[length] = 0;
    return length;
}

/* Moves to the next regular file; directories and pax headers are passed over. */
static inline enum cad_archive_result cad_archive_next(struct cad_archive *archive,
                                                       struct cad_archive_file *file)
{
    for (;;) {
        const struct cad_archive_header *header;
        uint64_t size, modified, contents;
        unsigned length = 0;

        if (archive->bytes - archive->position < CAD_ARCHIVE_BLOCK)
            return archive->bytes == archive->position ? CAD_ARCHIVE_END : CAD_ARCHIVE_CORRUPT;
        header = (const struct cad_archive_header *)(archive->data + archive->position);
        if (header->name[0] == 0)
            return CAD_ARCHIVE_END;
        contents = archive->position + CAD_ARCHIVE_BLOCK;
        if (!cad_archive_header_is_sound(header) ||
            !cad_archive_octal(header->size, sizeof(header->size), &size) ||
            !cad_archive_octal(header->mtime, sizeof(header->mtime), &modified) ||
            size > archive->bytes - contents ||
            (-size & (CAD_ARCHIVE_BLOCK - 1)) > archive->bytes - contents - size)
            return CAD_ARCHIVE_CORRUPT;
        if (header->type == '0' || header->type == 0) {
            if (contents % PAGE_SIZE != 0 && size != 0)
                return CAD_ARCHIVE_CORRUPT;
            if (header->prefix[0] != 0) {
                length = cad_archive_append(file->name, 0, header->prefix, sizeof(header->prefix));
                file->name[length++] = '/';
            }
            (void)cad_archive_append(file->name, length, header->name, sizeof(header->name));
            file->offset_bytes = contents;
            file->size_bytes = size;
            file->modified_seconds = modified;
        }
        archive->position = contents + size + (-size & (CAD_ARCHIVE_BLOCK - 1));
        if (header->type == '0' || header->type == 0)
            return CAD_ARCHIVE_FILE;
    }
}

/* Gives: FILE for the file of that name, END if there is none, CORRUPT if the
 * archive is damaged before it. */
static inline enum cad_archive_result cad_archive_search(const uint8_t *data, uint64_t bytes,
                                                         const char *name,
                                                         struct cad_archive_file *file)
{
    struct cad_archive archive = {data, bytes, 0};
    enum cad_archive_result found;

    while ((found = cad_archive_next(&archive, file)) == CAD_ARCHIVE_FILE) {
        unsigned i = 0;
        while (name[i] != 0 && name[i] == file->name[i])
            i++;
        if (name[i] == file->name[i])
            break;
    }
    return found;
}

#endif
