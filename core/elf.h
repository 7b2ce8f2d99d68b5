// SPDX-License-Identifier: BSD-2-Clause
/*
 * ELF64 static executables, read as hostile bytes: a file becomes a bounded
 * plan of segments, or BAD_IMAGE with the reason.  Nothing is mapped here.
 *
 * Accepted: ET_EXEC, and ET_DYN without interpreter at a given load base (static PIE);
 * x86_64 or aarch64 as asked; up to ELF_SEGMENTS_MAX PT_LOAD segments that are sorted,
 * disjoint by page, inside [CAD_USER_BASE, CAD_SYSTEM_BASE), file ranges inside the
 * file, memsz >= filesz, never writable and executable, entry in what an executable one
 * loads from the file.
 * Pages shared by two segments' ends are refused.  PT_INTERP is refused.  Alignments are
 * powers of two that file offset and load base agree with.  Every p_* is taken from one
 * copy, so a file that changes meanwhile yields a plan that is safe or BAD_IMAGE.
 */
#ifndef CORE_ELF_H
#define CORE_ELF_H

#include "abi/status.h"
#include "base/types.h"

#define ELF_SEGMENTS_MAX 16

struct elf_segment {
    virt_addr_t address;    /* page-aligned */
    uint64_t pages;
    uint32_t protection;    /* CAD_PROT_* */
    uint64_t file_offset;   /* of the first byte copied */
    uint64_t file_bytes;
    uint64_t lead_bytes;    /* bytes of the first page before it, zero */
};

struct elf_plan {
    struct elf_segment segments[ELF_SEGMENTS_MAX];
    unsigned count;
    virt_addr_t entry, program_headers; /* program_headers: address, 0 if not loaded whole */
    uint16_t program_header_count, program_header_bytes;
    virt_addr_t end;                    /* first page after the highest segment */
};

enum elf_machine { ELF_MACHINE_X86_64 = 62, ELF_MACHINE_AARCH64 = 183 };

/* `read` copies [offset, offset + bytes) of the image; false: outside it.
 * It may be called for any offset; size_bytes is what the caller claims, and checked too. */
struct elf_source {
    bool (*read)(void *context, uint64_t offset, void *to, uint64_t bytes);
    void *context;
    uint64_t size_bytes;
};
/* Plans `source`, a file for `machine`; ET_DYN at load_base.
 * Needs: load_base page-aligned, at most CAD_SYSTEM_BASE.
 * Gives: OK and the plan; or BAD_IMAGE, an empty plan (count 0; nothing else of it holds)
 * and `reason`, a short constant text.  Cost: O(program headers), at most 64 reads. */
MUST_CHECK status_t elf_plan(const struct elf_source *source, enum elf_machine machine,
                             virt_addr_t load_base, struct elf_plan *plan, const char **reason);

#endif
