// SPDX-License-Identifier: BSD-2-Clause
/*
 * core/elf.c with any file, one that changes between two reads too.  The first two
 * bytes say which machine and load base, and when and where it changes; the rest is
 * the file.  What the plan promises (core/elf.h) is checked from the plan alone.
 */
#include <stdlib.h>
#include <string.h>

#include "abi/types.h"
#include "core/elf.h"

#define READS_MAX 65

struct file {
    uint8_t *bytes;
    size_t size;
    unsigned reads, change_at;
};

static void expect(bool holds)
{
    if (!holds)
        abort();
}

static bool file_read(void *context, uint64_t offset, void *to, uint64_t bytes)
{
    struct file *file = context;

    expect(++file->reads <= READS_MAX);
    if (offset > file->size || bytes > file->size - offset)
        return false;
    memcpy(to, file->bytes + offset, bytes);
    if (file->reads == file->change_at)
        file->bytes[(offset + 8) % file->size] ^= 0x41;
    return true;
}

static void check_segment(const struct elf_segment *segment, uint64_t size, virt_addr_t *end)
{
    uint64_t bytes = segment->pages << PAGE_SHIFT;

    expect(segment->address % PAGE_SIZE == 0 && segment->pages > 0);
    expect(segment->pages < 1ull << 36 && segment->address >= *end);
    expect(segment->address >= CAD_USER_BASE - (CAD_USER_BASE % PAGE_SIZE));
    expect(segment->address + bytes > segment->address);
    expect(segment->address + bytes <= CAD_SYSTEM_BASE);
    expect((segment->protection & (CAD_PROT_WRITE | CAD_PROT_EXECUTE)) !=
           (CAD_PROT_WRITE | CAD_PROT_EXECUTE));
    expect((segment->protection & ~7u) == 0 && (segment->protection & CAD_PROT_READ) != 0);
    expect(segment->lead_bytes < PAGE_SIZE);
    expect(segment->file_bytes <= bytes && segment->lead_bytes + segment->file_bytes <= bytes);
    expect(segment->file_offset <= size && segment->file_bytes <= size - segment->file_offset);
    *end = segment->address + bytes;
}

static void check_plan(const struct elf_plan *plan, uint64_t size)
{
    bool entry_is_loaded = false, headers_are_loaded = plan->program_headers == 0;
    uint64_t headers = (uint64_t)plan->program_header_count * plan->program_header_bytes;
    virt_addr_t end = 0;

    expect(plan->count > 0 && plan->count <= ELF_SEGMENTS_MAX);
    for (unsigned i = 0; i < plan->count; i++) {
        const struct elf_segment *segment = &plan->segments[i];
        virt_addr_t first = segment->address + segment->lead_bytes;
        virt_addr_t last = first + segment->file_bytes;
        check_segment(segment, size, &end);
        if ((segment->protection & CAD_PROT_EXECUTE) != 0)
            entry_is_loaded |= plan->entry >= first && plan->entry < last;
        headers_are_loaded |= plan->program_headers >= first &&
                              plan->program_headers + headers <= last;
    }
    expect(plan->end == end && entry_is_loaded && headers_are_loaded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const virt_addr_t bases[] = { 0, 0x400000, 0x7f0000001000, CAD_SYSTEM_BASE };
    struct elf_plan plan;
    const char *reason = NULL;

    if (bytes < 3)
        return 0;
    struct file file = { .size = bytes - 2, .change_at = data[1] % 8 };
    file.bytes = malloc(file.size);
    memcpy(file.bytes, data + 2, file.size);
    struct elf_source source = { file_read, &file, file.size + (data[0] >> 7) };
    status_t status = elf_plan(&source, data[0] & 1 ? ELF_MACHINE_AARCH64 : ELF_MACHINE_X86_64,
                               bases[data[0] >> 1 & 3], &plan, &reason);

    if (status == CAD_OK)
        check_plan(&plan, file.size + (data[0] >> 7));
    else
        expect(status == CAD_BAD_IMAGE && plan.count == 0 && reason != NULL && reason[0] != 0);
    free(file.bytes);
    return 0;
}
