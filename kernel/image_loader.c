// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/image_loader.h"

#include "arch/mmu.h"
#include "kernel/cpu.h"
#include "kernel/interrupt_window.h"
#include "kernel/memory.h"
#include "kernel/process.h"
#include "kernel/reaper.h"
#include "kernel/tlb.h"

/* A segment of at most as many pages is mapped present: a fault for each page that is
 * run costs more than a few pages that are not. */
#define PRESENT_PAGES_MAX 16

static uint64_t min_bytes(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* struct elf_source's read.  The pages are there as long as the reference; what
 * they hold may change under us, and is never trusted twice. */
static bool image_read(void *context, uint64_t offset, void *to, uint64_t bytes)
{
    const struct image *image = context;
    uint8_t *out = to;

    if (offset > image->size_bytes || bytes > image->size_bytes - offset)
        return false;
    offset += image->offset_bytes;
    while (bytes > 0) {
        uint64_t in_page = offset & (PAGE_SIZE - 1);
        uint64_t part = min_bytes(bytes, PAGE_SIZE - in_page);
        frame_no_t frame = object_page(this_core(), image->object,
                                       (uint32_t)(offset >> PAGE_SHIFT));
        __builtin_memcpy(out, (const uint8_t *)frame_pointer(frame) + in_page, part);
        out += part;
        offset += part;
        bytes -= part;
    }
    return true;
}

static bool can_borrow(const struct image *image, const struct elf_segment *segment)
{
    uint64_t start = image->offset_bytes + segment->file_offset - segment->lead_bytes;

    return (segment->protection & CAD_PROT_WRITE) == 0 && segment->protection != CAD_PROT_NONE &&
           segment->lead_bytes <= segment->file_offset && is_page_aligned(start) &&
           segment->pages == pages_for_bytes(segment->lead_bytes + segment->file_bytes);
}

static status_t segment_borrow(struct process *process, const struct image *image,
                               const struct elf_segment *segment)
{
    uint64_t start = image->offset_bytes + segment->file_offset - segment->lead_bytes;
    const struct object_map_request request = {
        .object = image->object,
        .first_page = (uint32_t)(start >> PAGE_SHIFT),
        .pages = segment->pages,
        .address = segment->address,
        .protection = segment->protection,
        .ceiling = CAD_PROT_READ | CAD_PROT_EXECUTE,
        .populate = segment->pages <= PRESENT_PAGES_MAX,
    };
    virt_addr_t address;

    spin_lock(&objects_lock);
    status_t status = space_map_object(this_core(), process->space, &request, &address);
    spin_unlock(&objects_lock);
    return status;
}

/* `bytes` of the file from `offset` on, to one page of the segment. */
static status_t page_fill(struct process *process, struct image *image, virt_addr_t to,
                          uint64_t offset, uint64_t bytes)
{
    uint64_t until_ns = 0;
    status_t status;

    do {
        struct space_hold hold;
        status = space_hold(this_core(), process->space, to, CAD_PROT_WRITE, &hold);
        if (status != CAD_OK)
            continue;
        uint8_t *byte = (uint8_t *)frame_pointer(hold.frame) + (to & (PAGE_SIZE - 1));
        if (!image_read(image, offset, byte, bytes))
            status = CAD_BAD_IMAGE;
        space_let_go(this_core(), &hold);
    } while (status == CAD_PRESSURE && reaper_make_room(&until_ns));
    return status;
}

/* The file's bytes of an anonymous segment that is writable now. */
static status_t segment_fill(struct process *process, struct image *image,
                             const struct elf_segment *segment)
{
    virt_addr_t to = segment->address + segment->lead_bytes;
    uint64_t offset = segment->file_offset, left = segment->file_bytes;
    status_t status = CAD_OK;

    while (left > 0 && status == CAD_OK) {
        uint64_t part = min_bytes(left, PAGE_SIZE - (to & (PAGE_SIZE - 1)));
        status = page_fill(process, image, to, offset, part);
        interrupt_window();
        to += part;
        offset += part;
        left -= part;
    }
    return status;
}

static status_t segment_copy(struct process *process, struct image *image,
                             const struct elf_segment *segment)
{
    const uint32_t writable = CAD_PROT_READ | CAD_PROT_WRITE;
    struct space_work work;
    virt_addr_t address = segment->address;

    status_t status = space_reserve(this_core(), process->space, &address, segment->pages,
                                    writable);
    if (status == CAD_OK)
        status = space_commit(this_core(), process->space, address, segment->pages, writable,
                              0);
    if (status == CAD_OK)
        status = segment_fill(process, image, segment);
    if (status != CAD_OK || segment->protection == writable)
        return status;
    tlb_work(process, &work);
    status = space_protect(this_core(), process->space, address, segment->pages,
                           segment->protection, &work);
    if (status == CAD_OK)
        tlb_finish(process, &work);
    return status;
}

status_t image_load(struct process *process, struct image *image, virt_addr_t load_base,
                    struct elf_plan *plan, const char **reason)
{
    const struct elf_source source = {image_read, image, image->size_bytes};

    *reason = "no memory for it";
    status_t status = elf_plan(&source, (enum elf_machine)MACHINE_ELF_NUMBER, load_base, plan,
                               reason);
    for (unsigned i = 0; i < plan->count && status == CAD_OK; i++) {
        const struct elf_segment *segment = &plan->segments[i];
        status = can_borrow(image, segment) ? segment_borrow(process, image, segment)
                                            : segment_copy(process, image, segment);
        if (status == CAD_OVERLAP || status == CAD_PROTECTED_RANGE || status == CAD_INVALID) {
            *reason = "a segment lies where something else is";
            status = CAD_BAD_IMAGE;
        }
    }
    return status;
}
