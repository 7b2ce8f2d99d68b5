// SPDX-License-Identifier: BSD-2-Clause
/* Page by page: each is held from its check to the end of its use, no longer. */
#include "kernel/user_copy.h"

#include "arch/mmu.h"
#include "base/atomic.h"
#include "kernel/cpu.h"
#include "kernel/memory.h"
#include "kernel/process.h"
#include "kernel/reaper.h"
#include "kernel/tlb.h"

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

/* The byte at `address` through the direct map; its page stays until byte_leave.
 * `may_reap`: as reaper_make_room() needs.  Fails: BAD_ADDRESS, DISCONNECTED, PRESSURE. */
static status_t byte_enter(struct process *process, virt_addr_t address, uint32_t access,
                           bool may_reap, struct space_hold *hold, uint8_t **byte)
{
    uint64_t until_ns = 0;

    for (;;) {
        if (!tlb_enter(process))
            return CAD_DISCONNECTED;
        status_t status = space_hold(this_core(), process->space, address, access, hold);
        if (status == CAD_OK) {
            *byte = (uint8_t *)frame_pointer(hold->frame) + (address & (PAGE_SIZE - 1));
            return CAD_OK;
        }
        tlb_leave(process);
        if (status != CAD_PRESSURE)
            return CAD_BAD_ADDRESS;
        if (!may_reap || !reaper_make_room(&until_ns))
            return CAD_PRESSURE;
    }
}

static void byte_leave(struct process *process, const struct space_hold *hold)
{
    space_let_go(this_core(), hold);
    tlb_leave(process);
}

status_t copy_from_user(struct process *process, void *to, virt_addr_t from, uint64_t bytes)
{
    uint8_t *out = to;

    if (!range_is_user(from, bytes))
        return bytes == 0 ? CAD_OK : CAD_BAD_ADDRESS;
    while (bytes > 0) {
        uint64_t part = part_in_page(from, bytes);
        struct space_hold hold;
        uint8_t *byte;
        status_t status = byte_enter(process, from, CAD_PROT_READ, true, &hold, &byte);
        if (status != CAD_OK)
            return status;
        __builtin_memcpy(out, byte, part);
        byte_leave(process, &hold);
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
        struct space_hold hold;
        uint8_t *byte;
        status_t status = byte_enter(process, to, CAD_PROT_WRITE, may_reap, &hold, &byte);
        if (status != CAD_OK)
            return status;
        if (in != NULL) {
            __builtin_memcpy(byte, in, part);
            in += part;
        }
        byte_leave(process, &hold);
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
    struct space_hold hold;
    uint8_t *byte;

    if (!range_is_user(to, sizeof value))
        return CAD_BAD_ADDRESS;
    status_t status = byte_enter(process, to, CAD_PROT_WRITE, true, &hold, &byte);
    if (status != CAD_OK)
        return status;
    atomic_store_release((uint32_t *)(void *)byte, value);
    byte_leave(process, &hold);
    return CAD_OK;
}

status_t check_user_writable(struct process *process, virt_addr_t to, uint64_t bytes)
{
    return copy_out(process, to, NULL, bytes, true);
}
