// SPDX-License-Identifier: BSD-2-Clause
/* abi/boot_archive.h over archives made here, whole and spoiled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "abi/boot_archive.h"

#define BYTES (6 * PAGE_SIZE)

static uint8_t *data;
static size_t used;

static void seal(struct cad_archive_header *header)
{
    const uint8_t *bytes = (const uint8_t *)header;
    unsigned sum = 0;

    memset(header->checksum, ' ', sizeof(header->checksum));
    for (unsigned i = 0; i < CAD_ARCHIVE_BLOCK; i++)
        sum += bytes[i];
    snprintf(header->checksum, sizeof(header->checksum), "%06o", sum);
}

static struct cad_archive_header *put(const char *name, char type, size_t size)
{
    struct cad_archive_header *header = (struct cad_archive_header *)&data[used];

    strncpy(header->name, name, sizeof(header->name));
    snprintf(header->size, sizeof(header->size), "%011zo", size);
    snprintf(header->mtime, sizeof(header->mtime), "%011o", 77);
    memcpy(header->magic, "ustar", 6);
    header->type = type;
    seal(header);
    used += CAD_ARCHIVE_BLOCK + (size + CAD_ARCHIVE_BLOCK - 1) / CAD_ARCHIVE_BLOCK * 512;
    return header;
}

/* A padding record up to the block before the next page, then the file. */
static struct cad_archive_header *put_file(const char *name, size_t size)
{
    put("pad", 'x', (PAGE_SIZE - used % PAGE_SIZE + PAGE_SIZE - 2 * CAD_ARCHIVE_BLOCK) % PAGE_SIZE);
    return put(name, '0', size);
}

static int setup(void **state)
{
    (void)state;
    data = aligned_alloc(PAGE_SIZE, BYTES);
    memset(data, 0, BYTES);
    used = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(data);
    return 0;
}

static enum cad_archive_result walk(uint64_t bytes, unsigned *files)
{
    struct cad_archive archive = {data, bytes, 0};
    struct cad_archive_file file;
    enum cad_archive_result result;

    *files = 0;
    while ((result = cad_archive_next(&archive, &file)) == CAD_ARCHIVE_FILE) {
        assert_true(file.offset_bytes + file.size_bytes <= bytes);
        assert_true(file.size_bytes == 0 || file.offset_bytes % PAGE_SIZE == 0);
        (*files)++;
    }
    return result;
}

static void files_are_found_by_name(void **state)
{
    struct cad_archive_file file;
    struct cad_archive_header *header;
    unsigned files;

    (void)state;
    put("bin/", '5', 0);
    put_file("bin/a", 600);
    header = put_file("b", 10);
    strcpy(header->prefix, "deep/folder");
    seal(header);
    put_file("rt", PAGE_SIZE);
    assert_int_equal(walk(BYTES, &files), CAD_ARCHIVE_END);
    assert_int_equal(files, 3);
    assert_int_equal(cad_archive_search(data, BYTES, "rt", &file), CAD_ARCHIVE_FILE);
    assert_int_equal(file.size_bytes, PAGE_SIZE);
    assert_int_equal(file.modified_seconds, 77);
    assert_int_equal(cad_archive_search(data, BYTES, "deep/folder/b", &file), CAD_ARCHIVE_FILE);
    assert_int_equal(cad_archive_search(data, BYTES, "bin/", &file), CAD_ARCHIVE_END);
    assert_int_equal(cad_archive_search(data, BYTES, "bin/ab", &file), CAD_ARCHIVE_END);
    assert_int_equal(cad_archive_search(data, BYTES, "bin", &file), CAD_ARCHIVE_END);
}

static void names_fill_their_fields(void **state)
{
    struct cad_archive archive = {data, BYTES, 0};
    struct cad_archive_file file;
    struct cad_archive_header *header = put_file("", 0);

    (void)state;
    memset(header->name, 'n', sizeof(header->name));
    memset(header->prefix, 'p', sizeof(header->prefix));
    seal(header);
    assert_int_equal(cad_archive_next(&archive, &file), CAD_ARCHIVE_FILE);
    assert_int_equal(strlen(file.name), 100 + 155 + 1);
}

static void spoiled_headers_are_corrupt(void **state)
{
    static const size_t fields[] = {offsetof(struct cad_archive_header, name),
                                    offsetof(struct cad_archive_header, checksum),
                                    offsetof(struct cad_archive_header, magic),
                                    offsetof(struct cad_archive_header, pad)};
    struct cad_archive_header *header = put_file("a", 100);
    unsigned files;

    (void)state;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        ((uint8_t *)header)[fields[i]] ^= 4;
        assert_int_equal(walk(BYTES, &files), CAD_ARCHIVE_CORRUPT);
        ((uint8_t *)header)[fields[i]] ^= 4;
    }
    assert_int_equal(walk(BYTES, &files), CAD_ARCHIVE_END);
    strcpy(header->size, "12x");
    seal(header);
    assert_int_equal(walk(BYTES, &files), CAD_ARCHIVE_CORRUPT);
    memset(header->size, '7', sizeof(header->size)); /* 64 GiB */
    seal(header);
    assert_int_equal(walk(BYTES, &files), CAD_ARCHIVE_CORRUPT);
}

/* Cut anywhere, nothing outside is read (the sanitizer watches) or told. */
static void short_archives_end_or_are_corrupt(void **state)
{
    unsigned files;

    (void)state;
    put_file("a", 700);
    put_file("b", 1);
    for (size_t bytes = 0; bytes < used; bytes++) {
        uint8_t *whole = data, *cut = malloc(bytes + 1);
        memcpy(cut, data, bytes);
        data = cut;
        assert_int_not_equal(walk(bytes, &files), CAD_ARCHIVE_FILE);
        assert_true(files <= 1);
        data = whole;
        free(cut);
    }
}

static void contents_off_a_page_are_corrupt(void **state)
{
    unsigned files;

    (void)state;
    put("a", '0', 10);
    assert_int_equal(walk(BYTES, &files), CAD_ARCHIVE_CORRUPT);
    assert_int_equal(files, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(files_are_found_by_name),
        TEST(names_fill_their_fields),
        TEST(spoiled_headers_are_corrupt),
        TEST(short_archives_end_or_are_corrupt),
        TEST(contents_off_a_page_are_corrupt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
