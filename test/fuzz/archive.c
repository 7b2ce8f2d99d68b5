// SPDX-License-Identifier: BSD-2-Clause
/*
 * abi/boot_archive.h with any bytes.  The first byte says whether each header's checksum
 * is put right first, else no change of a header would get past it.  The archive is an
 * allocation of exactly its size, so that the sanitizer sees a read outside.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/boot_archive.h"

#define FILES_MAX 64

static void expect(int holds)
{
    if (!holds)
        abort();
}

static void seal(struct cad_archive_header *header)
{
    const uint8_t *bytes = (const uint8_t *)header;
    unsigned sum = 0;

    memset(header->checksum, ' ', sizeof(header->checksum));
    for (unsigned i = 0; i < CAD_ARCHIVE_BLOCK; i++)
        sum += bytes[i];
    snprintf(header->checksum, sizeof(header->checksum), "%06o", sum);
}

/* Headers are where "ustar" is at its place in a block. */
static void seal_all(uint8_t *data, size_t bytes)
{
    for (size_t at = 0; at + CAD_ARCHIVE_BLOCK <= bytes; at += CAD_ARCHIVE_BLOCK) {
        struct cad_archive_header *header = (struct cad_archive_header *)(void *)(data + at);
        if (memcmp(header->magic, "ustar", sizeof(header->magic)) == 0)
            seal(header);
    }
}

static void check_file(const struct cad_archive *archive, const struct cad_archive_file *file)
{
    struct cad_archive_file found;
    volatile uint8_t sum = 0;

    expect(memchr(file->name, 0, sizeof(file->name)) != NULL && file->name[0] != 0);
    expect(file->offset_bytes <= archive->bytes);
    expect(file->size_bytes <= archive->bytes - file->offset_bytes);
    expect(file->size_bytes == 0 || file->offset_bytes % PAGE_SIZE == 0);
    for (uint64_t i = 0; i < file->size_bytes; i++)
        sum = sum + archive->data[file->offset_bytes + i];
    expect(cad_archive_search(archive->data, archive->bytes, file->name, &found) ==
           CAD_ARCHIVE_FILE);
    expect(strcmp(found.name, file->name) == 0 && found.offset_bytes <= file->offset_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    enum cad_archive_result result = CAD_ARCHIVE_FILE;
    struct cad_archive_file file;

    if (bytes < 1)
        return 0;
    uint8_t *copy = malloc(bytes);
    struct cad_archive archive = { copy, bytes - 1, 0 };

    memcpy(copy, data + 1, bytes - 1);
    if ((data[0] & 1) != 0)
        seal_all(copy, bytes - 1);
    copy = realloc(copy, bytes > 1 ? bytes - 1 : 1);
    archive.data = copy;
    for (unsigned i = 0; i < FILES_MAX && result == CAD_ARCHIVE_FILE; i++) {
        uint64_t before = archive.position;
        result = cad_archive_next(&archive, &file);
        expect(archive.position <= archive.bytes && archive.position >= before);
        if (result == CAD_ARCHIVE_FILE) {
            expect(archive.position >= before + CAD_ARCHIVE_BLOCK);
            check_file(&archive, &file);
        }
    }
    free(copy);
    return 0;
}
