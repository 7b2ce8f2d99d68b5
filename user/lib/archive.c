// SPDX-License-Identifier: BSD-2-Clause
/* The archive is mapped once and stays, and so does an index of its files by name: a
 * walk over the headers for each program would cost more than to start it. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cadastre/capset.h"
#include "cadastre/clients.h"
#include "cadastre/spawn.h"

#define PROGRAM_FOLDER "bin/"
#define FILES_STEP     32

static pthread_mutex_t archive_mutex = PTHREAD_MUTEX_INITIALIZER;
static const uint8_t *archive_data;
static uint64_t archive_bytes;
static struct cad_archive_file *files; /* by name; NULL: not indexed yet */
static size_t file_count;

static status_t archive_map(void)
{
    cap_id_t object = cad_find(CAD_ROLE_BOOT_ARCHIVE);
    uint64_t pages, kind, id, generation, address;
    status_t status;

    if (object == CAD_CAP_NONE)
        return CAD_NOT_FOUND;
    status = cad_memory_object_info(object, &pages, &kind, &id, &generation);
    if (status == CAD_OK)
        status = cad_memory_object_map(object, cad_find(CAD_ROLE_SELF_SPACE), 0, 0, pages,
                                       CAD_PROT_READ, 0, &address);
    if (status != CAD_OK)
        return status;
    archive_data = (const uint8_t *)address;
    archive_bytes = pages * PAGE_SIZE;
    return CAD_OK;
}

static status_t open_locked(struct cad_archive *archive)
{
    status_t status = archive_data == NULL ? archive_map() : CAD_OK;

    if (status == CAD_OK)
        *archive = (struct cad_archive){archive_data, archive_bytes, 0};
    return status;
}

status_t cad_archive_open(struct cad_archive *archive)
{
    pthread_mutex_lock(&archive_mutex);
    status_t status = open_locked(archive);
    pthread_mutex_unlock(&archive_mutex);
    return status;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct cad_archive_file *)a)->name,
                  ((const struct cad_archive_file *)b)->name);
}

/* What lies behind damage is not found, as by a walk. */
static status_t index_locked(void)
{
    struct cad_archive_file *list = NULL, *longer, file;
    struct cad_archive archive;
    size_t count = 0;
    status_t status = open_locked(&archive);

    if (status != CAD_OK)
        return status;
    while (cad_archive_next(&archive, &file) == CAD_ARCHIVE_FILE) {
        if (count % FILES_STEP == 0) {
            longer = realloc(list, (count + FILES_STEP) * sizeof(file));
            if (longer == NULL) {
                free(list);
                return CAD_QUOTA_COMMITTED;
            }
            list = longer;
        }
        list[count++] = file;
    }
    if (count == 0)
        return CAD_NOT_FOUND;
    qsort(list, count, sizeof(file), compare);
    files = list;
    file_count = count;
    return CAD_OK;
}

static const struct cad_archive_file *file_named(const char *name)
{
    size_t first = 0, count = file_count;

    while (count > 0) {
        size_t half = count / 2;
        int order = strcmp(name, files[first + half].name);
        if (order == 0)
            return &files[first + half];
        first = order > 0 ? first + half + 1 : first;
        count = order > 0 ? count - half - 1 : half;
    }
    return NULL;
}

static const struct cad_archive_file *file_at(const char *path)
{
    char full[CAD_ARCHIVE_NAME_BYTES];
    const struct cad_archive_file *file = file_named(path);

    if (file != NULL || strchr(path, '/') != NULL)
        return file;
    strcpy(full, PROGRAM_FOLDER);
    strcat(full, path);
    return file_named(full);
}

status_t cad_archive_find(const char *path, struct cad_spawn_image *image)
{
    const struct cad_archive_file *file = NULL;
    status_t status = CAD_OK;

    while (*path == '/')
        path++;
    if (strlen(path) + sizeof(PROGRAM_FOLDER) > CAD_ARCHIVE_NAME_BYTES)
        return CAD_NOT_FOUND;
    pthread_mutex_lock(&archive_mutex);
    if (files == NULL)
        status = index_locked();
    if (status == CAD_OK)
        file = file_at(path);
    pthread_mutex_unlock(&archive_mutex);
    if (file != NULL)
        *image = (struct cad_spawn_image){cad_find(CAD_ROLE_BOOT_ARCHIVE), file->offset_bytes,
                                          file->size_bytes};
    return status == CAD_OK && file == NULL ? CAD_NOT_FOUND : status;
}
