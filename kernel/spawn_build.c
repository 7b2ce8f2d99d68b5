// SPDX-License-Identifier: BSD-2-Clause
#include "arch/mmu.h"
#include "base/assert.h"
#include "base/atomic.h"
#include "kernel/cpu.h"
#include "kernel/dispatch.h"
#include "kernel/kobject.h"
#include "kernel/memory.h"
#include "kernel/process.h"
#include "kernel/spawner.h"
#include "kernel/tlb.h"

/* --- capabilities --- */

void spawn_note(struct spawn *spawn, enum cad_role role, cap_id_t id)
{
    struct cad_capset *capset = spawn->capset;
    struct cap_view view;

    CHECK_VALUE(capset->count < CAD_CAPSET_ENTRIES, role);
    /* Who has what it was derived from may have revoked it already: a stale name then. */
    if (cap_view_any(spawn->process, id, &view) != CAD_OK)
        view = (struct cap_view){.rights = CAD_RIGHT_NONE};
    capset->entries[capset->count++] = (struct cad_capset_entry){
        .cap = id,
        .role = role,
        .interface = view.object.interface,
        .rights = view.rights,
    };
}

status_t spawn_insert(struct spawn *spawn, enum cad_role role, struct cap_object object,
                      uint32_t rights)
{
    struct process *process = spawn->process;
    uint32_t slot;
    cap_id_t id = CAD_CAP_NONE;

    if (spawn->capset->count == CAD_CAPSET_ENTRIES)
        return CAD_INVALID;
    spin_lock(&derivation_lock);
    status_t status = kobject_take(object, rights, process->ledger);
    if (status == CAD_OK) {
        status = cap_insert(this_core(), process->table, object, rights, 0, &slot);
        if (status == CAD_OK)
            id = cap_id(this_core(), slot);
        else
            kobject_put(object, rights, process->ledger);
    }
    spin_unlock(&derivation_lock);
    if (status == CAD_OK)
        spawn_note(spawn, role, id);
    return status;
}

/* What every process holds on itself.  What lacks TRANSFER never leaves it. */
static status_t self_capabilities(struct spawn *spawn)
{
    const uint32_t shared = CAD_RIGHT_DERIVE | CAD_RIGHT_TRANSFER;
    const struct process *process = spawn->process;
    const struct {
        enum cad_role role;
        uint32_t interface, index, rights;
    } selves[] = {
        {CAD_ROLE_SELF_PROCESS, CAD_INTERFACE_PROCESS, process->id,
         CAD_RIGHT_READ | CAD_RIGHT_CONTROL | CAD_RIGHT_WAIT | shared},
        {CAD_ROLE_SELF_TABLE, CAD_INTERFACE_CAP_TABLE, process->table,
         CAD_RIGHT_READ | CAD_RIGHT_CONTROL | CAD_RIGHT_DERIVE},
        {CAD_ROLE_SELF_SPACE, CAD_INTERFACE_ADDRESS_SPACE, process->space,
         CAD_RIGHT_READ | CAD_RIGHT_MAP | CAD_RIGHT_DERIVE},
        {CAD_ROLE_SELF_MEMORY, CAD_INTERFACE_VIRTUAL_MEMORY, process->space,
         CAD_RIGHT_READ | CAD_RIGHT_MAP | CAD_RIGHT_DERIVE},
        {CAD_ROLE_SELF_LEDGER, CAD_INTERFACE_LEDGER, process->ledger,
         CAD_RIGHT_READ | CAD_RIGHT_SPEND | shared},
        {CAD_ROLE_SELF_PARK, CAD_INTERFACE_PARK_SPACE, process->space,
         CAD_RIGHT_SIGNAL | CAD_RIGHT_WAIT | CAD_RIGHT_DERIVE},
    };
    status_t status = CAD_OK;

    for (unsigned i = 0; i < ARRAY_COUNT(selves) && status == CAD_OK; i++) {
        const struct cap_object object = {
            selves[i].interface, selves[i].index,
            kobject_generation(selves[i].interface, selves[i].index)};
        status = spawn_insert(spawn, selves[i].role, object, selves[i].rights);
    }
    return status;
}

/* --- memory --- */

/* It does not end while it is built. */
static void space_enter(struct process *process)
{
    CHECK_VALUE(tlb_enter(process), process->id);
}

static status_t map_capset(struct spawn *spawn)
{
    struct process *process = spawn->process;
    frame_no_t frame;

    space_enter(process);
    status_t status = space_map_system(this_core(), process->space, CAD_CAPSET_ADDRESS,
                                       CAD_PROT_READ, &frame);
    tlb_leave(process);
    if (status != CAD_OK)
        return status;
    spawn->capset = frame_pointer(frame);
    spawn->capset->magic = CAD_CAPSET_MAGIC;
    spawn->capset->process_id = process->id;
    spawn->capset->cpu_count = cpu_count();
    spawn->capset->program_end = spawn->program_plan.end;
    return CAD_OK;
}

static status_t map_stack(struct process *process)
{
    const uint32_t protection = CAD_PROT_READ | CAD_PROT_WRITE;
    const uint64_t pages = CAD_STACK_BYTES / PAGE_SIZE;
    virt_addr_t start = CAD_STACK_TOP - CAD_STACK_BYTES;

    space_enter(process);
    status_t status = space_reserve(this_core(), process->space, &start, pages, protection);
    if (status == CAD_OK)
        status = space_commit(this_core(), process->space, start, pages, protection, 0);
    if (status == CAD_OK)
        status = space_guard(this_core(), process->space, start - SPAWN_GUARD_PAGES * PAGE_SIZE,
                             SPAWN_GUARD_PAGES);
    tlb_leave(process);
    return status;
}

static status_t load_images(struct spawn *spawn)
{
    space_enter(spawn->process);
    status_t status = image_load(spawn->process, &spawn->program, IMAGE_PROGRAM_BASE,
                                 &spawn->program_plan, &spawn->reason);

    if (status == CAD_OK && spawn->has_runtime)
        status = image_load(spawn->process, &spawn->runtime, CAD_RUNTIME_BASE,
                            &spawn->runtime_plan, &spawn->reason);
    tlb_leave(spawn->process);
    return status;
}

/* --- the whole --- */

static status_t build_inside(struct spawn *spawn)
{
    struct thread_entry entry = {.priority = spawn->priority};
    status_t status = load_images(spawn);

    if (status == CAD_OK)
        status = map_stack(spawn->process);
    if (status == CAD_OK)
        status = spawn_fill_stack(spawn, &entry.sp);
    if (status == CAD_OK)
        status = map_capset(spawn);
    if (status == CAD_OK)
        status = self_capabilities(spawn);
    if (status != CAD_OK)
        return status;
    entry.pc = spawn->has_runtime ? spawn->runtime_plan.entry : spawn->program_plan.entry;
    return thread_create(spawn->process, &entry, &spawn->thread);
}

status_t spawn_build(struct spawn *spawn, uint32_t ledger)
{
    status_t status = process_create(spawn->name, ledger, spawn->parent, spawn->priority,
                                     &spawn->process);

    if (status != CAD_OK) {
        ledger_put(this_core(), ledger);
        return status;
    }
    atomic_store_release(&spawn->process->building, true);
    status = build_inside(spawn);
    if (status != CAD_OK)
        spawn_abandon(spawn);
    return status;
}

void spawn_abandon(struct spawn *spawn)
{
    process_end_now(spawn->process); /* its thread too, which we still hold */
    if (spawn->thread != NULL)
        thread_put(spawn->thread);
    spawn->process = NULL;
}

void spawn_start(struct spawn *spawn)
{
    atomic_store_release(&spawn->process->building, false);
    thread_start(spawn->thread);
}
