// SPDX-License-Identifier: BSD-2-Clause
/* Page by page: the lock covers each page's check and its use, no longer. */
#include "kernel/user_copy.h"

#include "arch/mmu.h"
#include "base/atomic.h"
#include "kernel/cpu.h"
#include "kernel/memory.h"
#include "kernel/process.h"
#include "kernel/reaper.h"

/* What of [address, address + bytes) lies in the page of `address`. */
static uint64_t part_in_page(virt_addr_t address, uint64_t bytes)
{
    uint64_t room = PAGE_SIZE - (address & (PAGE_SIZE - 1));
    return bytes < room ? bytes : room;
}

static bool range_is_user(virt_addr_t address, uint64_t bytes)
{
    return bytes <= CAD_SYSTEM_BASE && address >= CAD_USER_BASE && address < CAD_USER_END &&
           bytes <= CAD_USER_END - address;
}

/* The byte at `address` through the direct map. Locks: the process's space. */
static status_t byte_locked(struct process *process, virt_addr_t address, uint32_t access,
                            uint8_t **byte)
{
    frame_no_t frame;

    if (!id_matches(&cadastre.spaces.ids, process->space, process->space_generation))
        return CAD_DISCONNECTED;
    status_t status = space_resolve(this_core(), process->space, address, access, &frame);
    if (status == CAD_OK)
        *byte = (uint8_t *)frame_pointer(frame) + (address & (PAGE_SIZE - 1));
    return status == CAD_OK || status == CAD_PRESSURE ? status : CAD_BAD_ADDRESS;
}

/* Takes the space's lock, and keeps it if it succeeds.  `may_reap`: as reaper_make_room() needs.
 * Fails: BAD_ADDRESS, DISCONNECTED, PRESSURE. */
static status_t byte_enter(struct process *process, virt_addr_t address, uint32_t access,
                           bool may_reap, uint8_t **byte)
{
    uint64_t until_ns = 0;

    for (;;) {
        spin_lock(&process->space_lock);
        status_t status = byte_locked(process, address, access, byte);
        if (status == CAD_OK)
            return CAD_OK;
        spin_unlock(&process->space_lock);
        if (status != CAD_PRESSURE || !may_reap || !reaper_make_room(&until_ns))
            return status;
    }
}

status_t copy_from_user(struct process *process, void *to, virt_addr_t from, uint64_t bytes)
{
    uint8_t *out = to;

    if (!range_is_user(from, bytes))
        return bytes == 0 ? CAD_OK : CAD_BAD_ADDRESS;
    while (bytes > 0) {
        uint64_t part = part_in_page(from, bytes);
        uint8_t *byte;
        status_t status = byte_enter(process, from, CAD_PROT_READ, true, &byte);
        if (status != CAD_OK)
            return status;
        __builtin_memcpy(out, byte, part);
        spin_unlock(&process->space_lock);
        out += part;
        from += part;
        bytes -= part;
    }
    return CAD_OK;
}

static status_t copy_out(struct process *process, virt_addr_t to, const void *from,
                         uint64_t bytes, bool may_reap)
{
    const uint8_t *in = from;

    if (!range_is_user(to, bytes))
        return bytes == 0 ? CAD_OK : CAD_BAD_ADDRESS;
    while (bytes > 0) {
        uint64_t part = part_in_page(to, bytes);
        uint8_t *byte;
        status_t status = byte_enter(process, to, CAD_PROT_WRITE, may_reap, &byte);
        if (status != CAD_OK)
            return status;
        if (in != NULL) {
            __builtin_memcpy(byte, in, part);
            in += part;
        }
        spin_unlock(&process->space_lock);
        to += part;
        bytes -= part;
    }
    return CAD_OK;
}

status_t copy_to_user(struct process *process, virt_addr_t to, const void *from, uint64_t bytes)
{
    return copy_out(process, to, from, bytes, true);
}

status_t copy_to_waiter(struct process *process, virt_addr_t to, const void *from, uint64_t bytes)
{
    return copy_out(process, to, from, bytes, false);
}

status_t store_to_user(struct process *process, virt_addr_t to, uint32_t value)
{
    uint8_t *byte;

    if (!range_is_user(to, sizeof value))
        return CAD_BAD_ADDRESS;
    status_t status = byte_enter(process, to, CAD_PROT_WRITE, true, &byte);
    if (status != CAD_OK)
        return status;
    atomic_store_release((uint32_t *)(void *)byte, value);
    spin_unlock(&process->space_lock);
    return CAD_OK;
}

status_t check_user_writable(struct process *process, virt_addr_t to, uint64_t bytes)
{
    return copy_out(process, to, NULL, bytes, true);
}
