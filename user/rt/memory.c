// SPDX-License-Identifier: BSD-2-Clause
/*
 * brk, mmap and their kin on the process's VirtualMemory.
 *
 * The kernel's own records are the only ones: a range is reserved, committed
 * (charged) as soon as it is accessible, and given back.  PROT_NONE memory is
 * reserved only; mprotect commits it when it becomes accessible.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/mman.h>

#include "files.h"
#include "served.h"

/* The heap of brk begins after the program, in its last page table, and ends where the
 * kernel begins to choose addresses. */
static struct lock heap_lock;
static uint64_t heap_end; /* what brk said last; 0: it was not asked yet */
static uint64_t heap_mapped;

static cap_id_t own_memory(void)
{
    return cad_find(CAD_ROLE_SELF_MEMORY);
}

static uint64_t pages_of(uint64_t bytes)
{
    return bytes / PAGE_SIZE + (bytes % PAGE_SIZE != 0);
}

/* A range as a Linux call gives it. Gives: false if it is none. */
static bool range_of(uint64_t address, uint64_t bytes, uint64_t *pages)
{
    *pages = pages_of(bytes);
    return address % PAGE_SIZE == 0 && bytes <= CAD_USER_END && address <= CAD_USER_END - bytes;
}

static uint32_t protection_of(uint64_t linux_protection)
{
    uint32_t protection = 0;

    if ((linux_protection & PROT_READ) != 0)
        protection |= CAD_PROT_READ;
    if ((linux_protection & PROT_WRITE) != 0)
        protection |= CAD_PROT_WRITE | CAD_PROT_READ;
    if ((linux_protection & PROT_EXEC) != 0)
        protection |= CAD_PROT_EXECUTE | CAD_PROT_READ;
    return protection;
}

static status_t reserve_and_commit(uint64_t *address, uint64_t pages, uint32_t protection,
                                   uint32_t flags)
{
    uint64_t chosen = *address;
    status_t status =
        cad_virtual_memory_reserve(own_memory(), *address, pages, protection, 0, &chosen);

    if (status != CAD_OK || protection == CAD_PROT_NONE) {
        *address = status == CAD_OK ? chosen : *address;
        return status;
    }
    status = cad_virtual_memory_commit(own_memory(), chosen, pages, protection, flags);
    if (status != CAD_OK)
        (void)cad_virtual_memory_unmap(own_memory(), chosen, pages);
    else
        *address = chosen;
    return status;
}

status_t memory_allocate(uint64_t pages, uint64_t *address)
{
    *address = 0;
    return reserve_and_commit(address, pages, CAD_PROT_READ | CAD_PROT_WRITE, 0);
}

struct run {
    uint64_t state, protection, start, pages; /* clipped to the range asked about */
};

/* The uniform run around an address below `end`. */
static status_t run_at(uint64_t address, uint64_t end, struct run *run)
{
    uint64_t run_end;
    status_t status =
        cad_address_space_query(cad_find(CAD_ROLE_SELF_SPACE), address, &run->state,
                                &run->protection, &run->start, &run->pages);

    if (status != CAD_OK)
        return status;
    run_end = run->start + run->pages * PAGE_SIZE;
    if (run_end > end || run_end <= address)
        run_end = end;
    run->start = address;
    run->pages = (run_end - address) / PAGE_SIZE;
    return CAD_OK;
}

static bool is_anonymous(uint64_t state)
{
    return state == CAD_PAGE_RESERVED || state == CAD_PAGE_COMMITTED ||
           state == CAD_PAGE_RESIDENT || state == CAD_PAGE_HIDDEN;
}

/* Linux lets munmap pass over holes; the kernel does not. */
static long unmap_runs(uint64_t address, uint64_t pages)
{
    uint64_t end = address + pages * PAGE_SIZE;
    struct run run;

    for (; address < end; address += run.pages * PAGE_SIZE) {
        status_t status = run_at(address, end, &run);
        if (status == CAD_OK && is_anonymous(run.state))
            status = cad_virtual_memory_unmap(own_memory(), run.start, run.pages);
        if (status != CAD_OK)
            return error_of(status);
        if (!is_anonymous(run.state) && run.state != CAD_PAGE_NONE)
            return -EACCES;
    }
    return 0;
}

static long unmap(uint64_t address, uint64_t pages)
{
    if (cad_virtual_memory_unmap(own_memory(), address, pages) == CAD_OK)
        return 0;
    return unmap_runs(address, pages);
}

long call_brk(struct linux_registers *r)
{
    const uint64_t base = cad_capset()->program_end;
    uint64_t wanted = r->a0, address, pages;

    lock_take(&heap_lock);
    if (heap_end == 0)
        heap_end = heap_mapped = base;
    address = heap_mapped;
    if (wanted >= base && wanted <= CAD_SEARCH_BASE) {
        pages = wanted > heap_mapped ? pages_of(wanted - heap_mapped) : 0;
        if (pages == 0) {
            uint64_t kept = pages_of(wanted) * PAGE_SIZE;
            if (kept == heap_mapped || unmap(kept, (heap_mapped - kept) / PAGE_SIZE) == 0)
                heap_mapped = kept;
            heap_end = wanted;
        } else if (reserve_and_commit(&address, pages, CAD_PROT_READ | CAD_PROT_WRITE,
                                      CAD_COMMIT_SMALL) == CAD_OK) {
            heap_mapped += pages * PAGE_SIZE;
            heap_end = wanted;
        }
    }
    wanted = heap_end;
    lock_put(&heap_lock);
    return (long)wanted;
}

/* A private copy of a file's pages: later writes to either are not seen by the other. */
static long map_file(struct linux_registers *r, uint64_t address, uint64_t pages)
{
    uint32_t protection = protection_of(r->a2);
    status_t status;
    long result;

    status = reserve_and_commit(&address, pages, CAD_PROT_READ | CAD_PROT_WRITE, 0);
    if (status != CAD_OK)
        return error_of(status);
    result = file_read_at((int)r->a4, (char *)address, pages * PAGE_SIZE, r->a5);
    if (result >= 0 && protection != (CAD_PROT_READ | CAD_PROT_WRITE))
        result = error_of(cad_virtual_memory_protect(own_memory(), address, pages, protection));
    if (result < 0) {
        (void)cad_virtual_memory_unmap(own_memory(), address, pages);
        return result;
    }
    return (long)address;
}

long call_mmap(struct linux_registers *r)
{
    uint64_t address = r->a0, flags = r->a3, pages;
    uint32_t protection = protection_of(r->a2);
    status_t status;

    if (r->a1 == 0 || !range_of(address, r->a1, &pages))
        return r->a1 > CAD_USER_END ? -ENOMEM : -EINVAL;
    if ((flags & MAP_TYPE) != MAP_PRIVATE)
        return -ENODEV;
    if ((protection & CAD_PROT_EXECUTE) != 0)
        return -EACCES;
    if ((flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) == 0) {
        address = 0; /* a hint; the kernel chooses */
    } else if ((flags & MAP_FIXED_NOREPLACE) == 0) {
        long result = unmap_runs(address, pages);
        if (result != 0)
            return result;
    }
    if ((flags & MAP_ANONYMOUS) == 0)
        return r->a5 % PAGE_SIZE == 0 ? map_file(r, address, pages) : -EINVAL;
    status = reserve_and_commit(&address, pages, protection,
                                (flags & MAP_STACK) != 0 ? CAD_COMMIT_SMALL : 0);
    return status == CAD_OK ? (long)address : error_of(status);
}

long call_munmap(struct linux_registers *r)
{
    uint64_t pages;

    if (r->a1 == 0 || !range_of(r->a0, r->a1, &pages))
        return -EINVAL;
    return unmap(r->a0, pages);
}

/* Stacks and arenas are used bit by bit: small pages.  What was committed in part has its pages'
 * protection changed by a second call. */
static status_t commit_and_protect(uint64_t address, uint64_t pages, uint32_t protection)
{
    status_t status = cad_virtual_memory_commit(own_memory(), address, pages, protection,
                                                CAD_COMMIT_SMALL | CAD_COMMIT_NEW);

    if (status != CAD_OVERLAP)
        return status;
    status = cad_virtual_memory_commit(own_memory(), address, pages, protection,
                                       CAD_COMMIT_SMALL);
    if (status != CAD_OK)
        return status;
    return cad_virtual_memory_protect(own_memory(), address, pages, protection);
}

long call_mprotect(struct linux_registers *r)
{
    uint32_t protection = protection_of(r->a2);
    status_t status;
    uint64_t pages;

    if (!range_of(r->a0, r->a1, &pages))
        return -EINVAL;
    if (pages == 0)
        return 0;
    if (protection != CAD_PROT_NONE)
        status = commit_and_protect(r->a0, pages, protection);
    else
        status = cad_virtual_memory_protect(own_memory(), r->a0, pages, CAD_PROT_NONE);
    return status == CAD_NOT_RESERVED ? -EACCES : error_of(status);
}

/* What is committed is given up and committed afresh, so it reads zero. */
static long discard(uint64_t address, uint64_t end)
{
    struct run run;

    for (; address < end; address += run.pages * PAGE_SIZE) {
        status_t status = run_at(address, end, &run);
        if (status != CAD_OK)
            return error_of(status);
        if (!is_anonymous(run.state))
            return -ENOMEM;
        if (run.state != CAD_PAGE_RESIDENT && run.state != CAD_PAGE_HIDDEN)
            continue;
        status = cad_virtual_memory_decommit(own_memory(), run.start, run.pages);
        if (status == CAD_OK)
            status = cad_virtual_memory_commit(own_memory(), run.start, run.pages,
                                               (uint32_t)run.protection, 0);
        if (status != CAD_OK)
            return error_of(status);
    }
    return 0;
}

long call_madvise(struct linux_registers *r)
{
    uint64_t pages;

    if (!range_of(r->a0, r->a1, &pages))
        return -EINVAL;
    if (r->a2 == MADV_DONTNEED || r->a2 == MADV_FREE)
        return discard(r->a0, r->a0 + pages * PAGE_SIZE);
    return 0;
}

long call_mremap(struct linux_registers *r)
{
    uint64_t old_pages, new_pages, address;
    status_t status;

    if (!range_of(r->a0, r->a1, &old_pages) || r->a1 == 0 || r->a2 == 0 ||
        (r->a3 & ~(uint64_t)MREMAP_MAYMOVE) != 0)
        return -EINVAL;
    if (r->a2 > CAD_USER_END)
        return -ENOMEM;
    new_pages = pages_of(r->a2);
    if (new_pages <= old_pages) {
        long result = new_pages == old_pages ? 0
                                             : unmap(r->a0 + new_pages * PAGE_SIZE,
                                                     old_pages - new_pages);
        return result == 0 ? (long)r->a0 : result;
    }
    if ((r->a3 & MREMAP_MAYMOVE) == 0)
        return -ENOMEM;
    status = memory_allocate(new_pages, &address);
    if (status != CAD_OK)
        return error_of(status);
    memcpy((void *)address, (const void *)r->a0, old_pages * PAGE_SIZE);
    (void)unmap(r->a0, old_pages);
    return (long)address;
}
