// SPDX-License-Identifier: BSD-2-Clause
/*
 * process_spawner.spawn: reads the request once, makes the child's ledger, builds,
 * names the process to the caller, grants, starts.
 */
#include "kernel/spawner.h"

#include "base/assert.h"
#include "kernel/capability.h"
#include "kernel/cpu.h"
#include "kernel/dispatch.h"
#include "kernel/kobject.h"
#include "kernel/memory.h"
#include "kernel/reaper.h"
#include "kernel/user_copy.h"

#define PROCESS_RIGHTS                                                                             \
    (CAD_RIGHT_READ | CAD_RIGHT_CONTROL | CAD_RIGHT_WAIT | CAD_RIGHT_DERIVE | CAD_RIGHT_TRANSFER)
#define IMAGE_RIGHTS    (CAD_RIGHT_READ | CAD_RIGHT_EXECUTE)
#define ROLE_GRANTS     32 /* lower roles are the process's own */
#define SELF_ROLE_COUNT 6
COMPILE_ASSERT(SELF_ROLE_COUNT + CAD_SPAWN_GRANTS_MAX <= CAD_CAPSET_ENTRIES, grants_fit_the_capset);
COMPILE_ASSERT(CAD_SPAWN_GRANTS_MAX <= CAP_TRANSFERS_MAX, grants_fit_a_transfer);
COMPILE_ASSERT(CAD_SPAWN_NAME_BYTES == CAD_INSPECT_NAME_BYTES, names_are_alike);

/* --- the request --- */

static bool is_name(const char *name)
{
    unsigned i = 0;

    for (; i < CAD_SPAWN_NAME_BYTES && name[i] != '\0'; i++) {
        if (name[i] <= ' ' || name[i] > '~')
            return false;
    }
    return i > 0 && i < CAD_SPAWN_NAME_BYTES;
}

static status_t request_check(const struct invocation *call,
                              const struct cad_spawn_request *request)
{
    uint64_t strings = (uint64_t)request->argument_count + request->environment_count;

    if (!is_name(request->name) || request->grant_count > CAD_SPAWN_GRANTS_MAX ||
        request->strings_bytes > CAD_SPAWN_ARGUMENT_BYTES_MAX ||
        strings > request->strings_bytes || request->priority > call->process->priority_max)
        return CAD_INVALID;
    return CAD_OK;
}

/* The grants, as transfers. */
static status_t grants_read(const struct invocation *call, const struct cad_spawn_request *request,
                            struct cap_transfer *list, enum cad_role *roles)
{
    for (uint32_t i = 0; i < request->grant_count; i++) {
        struct cad_spawn_grant grant;
        status_t status = copy_from_user(call->process, &grant,
                                         request->grants_address + i * sizeof(grant),
                                         sizeof(grant));
        if (status != CAD_OK)
            return status;
        if (grant.role < ROLE_GRANTS || grant.move > 1 || grant.reserved != 0 ||
            (grant.rights & ~(uint32_t)CAD_RIGHT_ALL) != 0)
            return CAD_INVALID;
        roles[i] = (enum cad_role)grant.role;
        list[i] = (struct cap_transfer){
            .id = grant.cap,
            .move = grant.move != 0,
            .rights = grant.rights,
            .badge = grant.badge,
        };
    }
    return CAD_OK;
}

/* --- images --- */

/* Takes a reference on the image's object, for as long as the spawn runs. */
static status_t image_open(const struct invocation *call, const struct cad_spawn_image *from,
                           struct image *image)
{
    struct cap_view view;
    status_t status = cap_view(call->process, from->object_cap, CAD_INTERFACE_MEMORY_OBJECT,
                               IMAGE_RIGHTS, &view);

    if (status != CAD_OK)
        return status;
    spin_lock(&objects_lock);
    const struct object *object = &cadastre.objects.objects[view.object.index];
    status = CAD_STALE;
    if (id_matches(&cadastre.objects.ids, view.object.index, view.object.generation) &&
        !object->dying) {
        uint64_t bytes = (uint64_t)object->pages * PAGE_SIZE;
        status = CAD_INVALID;
        if (from->size_bytes > 0 && is_page_aligned(from->offset_bytes) &&
            from->offset_bytes <= bytes && from->size_bytes <= bytes - from->offset_bytes) {
            object_take(this_core(), view.object.index);
            status = CAD_OK;
        }
    }
    spin_unlock(&objects_lock);
    if (status == CAD_OK)
        *image = (struct image){view.object.index, from->offset_bytes, from->size_bytes};
    return status;
}

static void image_close(const struct image *image)
{
    spin_lock(&objects_lock);
    bool last = object_put(this_core(), image->object);
    spin_unlock(&objects_lock);
    if (last)
        reaper_add_object(image->object);
}

static status_t images_open(const struct invocation *call, const struct cad_spawn_request *request,
                            struct spawn *spawn)
{
    status_t status = image_open(call, &request->program, &spawn->program);

    if (status != CAD_OK || request->runtime.object_cap == CAD_CAP_NONE)
        return status;
    status = image_open(call, &request->runtime, &spawn->runtime);
    spawn->has_runtime = status == CAD_OK;
    if (status != CAD_OK)
        image_close(&spawn->program);
    return status;
}

static void images_close(const struct spawn *spawn)
{
    image_close(&spawn->program);
    if (spawn->has_runtime)
        image_close(&spawn->runtime);
}

/* --- the ledger --- */

/* A child of the parent with the request's limits. Locks: ledgers. */
static status_t ledger_make_locked(const struct cad_spawn_request *request, uint32_t parent,
                                   uint32_t *child)
{
    status_t status = ledger_create_child(this_core(), parent, request->name, child);

    for (unsigned what = 0; what < CAD_RESOURCE_COUNT && status == CAD_OK; what++) {
        if (request->limits[what] != 0)
            status = ledger_donate(this_core(), parent, *child, (enum cad_resource)what,
                                   request->limits[what]);
    }
    return status;
}

/* The new process's ledger, with a reference. */
static status_t ledger_make(const struct invocation *call, const struct cad_spawn_request *request,
                            uint32_t *out)
{
    struct cap_object parent = {CAD_INTERFACE_LEDGER, call->process->ledger, 0};
    uint32_t child = ID_NONE;

    parent.generation = kobject_generation(CAD_INTERFACE_LEDGER, parent.index);
    if (request->ledger_cap != CAD_CAP_NONE) {
        struct cap_view view;
        status_t status = cap_view(call->process, request->ledger_cap, CAD_INTERFACE_LEDGER,
                                   CAD_RIGHT_SPEND, &view);
        if (status != CAD_OK)
            return status;
        parent = view.object;
    }
    spin_lock(&ledgers_lock);
    status_t status = CAD_STALE;
    if (id_matches(&cadastre.ledgers.ids, parent.index, parent.generation))
        status = ledger_make_locked(request, parent.index, &child);
    spin_unlock(&ledgers_lock);
    if (status == CAD_OK)
        *out = child;
    else if (child != ID_NONE)
        ledger_put(this_core(), child);
    return status;
}

/* --- the method --- */

/* Names the built process to the caller, then grants: all that may still fail. */
static status_t spawn_publish(const struct invocation *call, struct spawn *spawn,
                              struct cap_transfer *list, const enum cad_role *roles,
                              uint32_t count, cap_id_t *id)
{
    const struct cap_object object = {CAD_INTERFACE_PROCESS, spawn->process->id,
                                      process_generation(spawn->process)};

    process_take(spawn->process);
    status_t status = cap_publish(call->process, object, PROCESS_RIGHTS, 0, id);
    if (status != CAD_OK) {
        process_put(spawn->process);
        return status;
    }
    status = cap_transfer_all(call->process, spawn->process, list, count);
    if (status != CAD_OK) {
        status_t deleted = cap_delete_one(call->process, *id);
        /* STALE: a thread beside the caller guessed the number and deleted it. */
        CHECK_VALUE(deleted == CAD_OK || deleted == CAD_STALE, deleted);
        return status;
    }
    /* commit */
    for (uint32_t i = 0; i < count; i++)
        spawn_note(spawn, roles[i], list[i].result);
    return CAD_OK;
}

static status_t spawn_run(struct invocation *call, const struct cad_spawn_request *request,
                          struct spawn *spawn)
{
    struct cap_transfer list[CAD_SPAWN_GRANTS_MAX];
    enum cad_role roles[CAD_SPAWN_GRANTS_MAX];
    uint32_t ledger;
    cap_id_t id;

    status_t status = grants_read(call, request, list, roles);
    if (status == CAD_OK)
        status = ledger_make(call, request, &ledger);
    if (status == CAD_OK)
        status = spawn_build(spawn, ledger);
    if (status != CAD_OK)
        return status;
    status = spawn_publish(call, spawn, list, roles, request->grant_count, &id);
    if (status != CAD_OK) {
        spawn_abandon(spawn);
        return status;
    }
    spawn_start(spawn);
    result(call, 0, id);
    return CAD_OK;
}

status_t method_process_spawner_spawn(struct invocation *call)
{
    struct cad_spawn_request request;

    if (argument(call, 1) != sizeof(request))
        return CAD_INVALID;
    status_t status = copy_from_user(call->process, &request, argument(call, 0), sizeof(request));
    if (status != CAD_OK)
        return status;
    if (request.priority == CAD_PRIORITY_SAME)
        request.priority = call->thread->priority;
    status = request_check(call, &request);
    if (status != CAD_OK)
        return status;
    struct spawn spawn = {
        .name = request.name,
        .parent = call->process->id,
        .priority = (uint8_t)request.priority,
        .strings = {call->process, request.strings_address, request.strings_bytes,
                    request.argument_count, request.environment_count},
    };
    status = images_open(call, &request, &spawn);
    if (status != CAD_OK)
        return status;
    status = spawn_run(call, &request, &spawn);
    images_close(&spawn);
    return status;
}
