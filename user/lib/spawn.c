// SPDX-License-Identifier: BSD-2-Clause
/* Strings are packed on the stack, or on the heap if they are many. */
#include "cadastre/spawn.h"

#include <stdlib.h>
#include <string.h>

#include "cadastre/capset.h"
#include "cadastre/clients.h"

uint64_t cad_ledger_left(unsigned resource)
{
    uint64_t used, limit, donated;

    if (cad_ledger_info(cad_find(CAD_ROLE_SELF_LEDGER), resource, &used, &limit, &donated) !=
        CAD_OK)
        return 0;
    return limit - used - donated;
}

void cad_default_limits(uint64_t limits[CAD_RESOURCE_COUNT])
{
    static const uint64_t wanted[CAD_RESOURCE_COUNT] = {
        [CAD_RESOURCE_VIRTUAL] = UINT64_C(16) << (30 - PAGE_SHIFT),
        [CAD_RESOURCE_COMMITTED] = UINT64_C(64) << (20 - PAGE_SHIFT),
        [CAD_RESOURCE_PINNED] = 64,
        [CAD_RESOURCE_METADATA] = UINT64_C(4) << 20,
        [CAD_RESOURCE_SLOTS] = 256,
        [CAD_RESOURCE_THREADS] = 80,
        [CAD_RESOURCE_CALLS] = 80,
        [CAD_RESOURCE_MESSAGES] = 64,
        [CAD_RESOURCE_WAITERS] = 80,
    };

    for (unsigned i = 0; i < CAD_RESOURCE_COUNT; i++) {
        uint64_t half = cad_ledger_left(i) / 2;
        limits[i] = wanted[i] < half ? wanted[i] : half;
    }
}

static size_t strings_bytes(const char *const *strings, uint32_t *count)
{
    size_t bytes = 0;

    for (*count = 0; strings != NULL && strings[*count] != NULL; (*count)++)
        bytes += strlen(strings[*count]) + 1;
    return bytes;
}

static char *pack(char *to, const char *const *strings, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        size_t bytes = strlen(strings[i]) + 1;
        memcpy(to, strings[i], bytes);
        to += bytes;
    }
    return to;
}

static status_t images_find(const struct cad_program *program, struct cad_spawn_request *request)
{
    status_t status = CAD_OK;

    if (program->image.object_cap != CAD_CAP_NONE)
        request->program = program->image;
    else if (program->path == NULL)
        return CAD_INVALID;
    else
        status = cad_archive_find(program->path, &request->program);
    return status == CAD_OK ? cad_archive_find(CAD_ARCHIVE_RUNTIME, &request->runtime) : status;
}

static void name_from(const char *text, char name[CAD_SPAWN_NAME_BYTES])
{
    const char *slash = strrchr(text, '/');

    strncpy(name, slash != NULL ? slash + 1 : text, CAD_SPAWN_NAME_BYTES - 1);
}

#define FEW_BYTES 512

status_t cad_spawn(const struct cad_program *program, cap_id_t *process)
{
    struct cad_spawn_request request = {0};
    const char *only_name[2] = {program->path != NULL ? program->path : "program", NULL};
    const char *const *arguments = program->arguments != NULL ? program->arguments : only_name;
    size_t bytes = strings_bytes(arguments, &request.argument_count);
    status_t status = images_find(program, &request);
    char few[FEW_BYTES], *strings = few;

    bytes += strings_bytes(program->environment, &request.environment_count);
    if (status != CAD_OK)
        return status;
    if (bytes > CAD_SPAWN_ARGUMENT_BYTES_MAX || program->grant_count > CAD_SPAWN_GRANTS_MAX)
        return CAD_INVALID;
    if (bytes > sizeof(few))
        strings = malloc(bytes);
    if (strings == NULL)
        return CAD_QUOTA_COMMITTED;
    pack(pack(strings, arguments, request.argument_count), program->environment,
         request.environment_count);
    request.strings_address = (uint64_t)strings;
    request.strings_bytes = bytes;
    request.grants_address = (uint64_t)program->grants;
    request.grant_count = program->grant_count;
    request.priority = program->priority != 0 ? program->priority : CAD_PRIORITY_SAME;
    request.ledger_cap = program->ledger;
    memcpy(request.limits, program->limits, sizeof(request.limits));
    name_from(arguments[0] != NULL ? arguments[0] : only_name[0], request.name);
    status = cad_process_spawner_spawn(cad_find(CAD_ROLE_SPAWNER), (uint64_t)&request,
                                       sizeof(request), process);
    if (strings != few)
        free(strings);
    return status;
}
