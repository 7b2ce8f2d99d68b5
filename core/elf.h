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

/*@ // A segment has whole pages of user addresses and room for its bytes, and is never WRITE with
    // EXECUTE (AS3, US1).
    logic integer elf_segment_end{L}(struct elf_segment *segment) =
      segment->address + segment->pages * PAGE_SIZE;
    predicate elf_segment_ok{L}(struct elf_segment *segment) =
      segment->address % PAGE_SIZE == 0 && segment->pages > 0 &&
      CAD_USER_BASE <= segment->address && elf_segment_end(segment) <= CAD_SYSTEM_BASE &&
      segment->lead_bytes < PAGE_SIZE &&
      segment->lead_bytes + segment->file_bytes <= segment->pages * PAGE_SIZE &&
      (segment->protection == CAD_PROT_READ ||
       segment->protection == CAD_PROT_READ + CAD_PROT_WRITE ||
       segment->protection == CAD_PROT_READ + CAD_PROT_EXECUTE);
    // All of them, sorted and disjoint, below `end`.
    predicate elf_plan_ok{L}(struct elf_plan *plan) =
      plan->count <= ELF_SEGMENTS_MAX && plan->end <= CAD_SYSTEM_BASE &&
      (\forall integer i; 0 <= i < plan->count ==> elf_segment_ok(&plan->segments[i])) &&
      (\forall integer i; 0 <= i < plan->count ==>
        elf_segment_end(&plan->segments[i]) <= plan->end) &&
      (\forall integer i, j; 0 <= i < j < plan->count ==>
        elf_segment_end(&plan->segments[i]) <= plan->segments[j].address);
    // Their bytes are in a file of `size` bytes.
    predicate elf_plan_inside{L}(struct elf_plan *plan, integer size) =
      \forall integer i; 0 <= i < plan->count ==>
        plan->segments[i].file_offset + plan->segments[i].file_bytes <= size;
    // [address, address + bytes) is what the segment loads from the file, or part of it.
    predicate elf_loaded{L}(struct elf_segment *segment, integer address, integer bytes) =
      segment->address + segment->lead_bytes <= address &&
      address + bytes <= segment->address + segment->lead_bytes + segment->file_bytes;
*/

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
/*@ requires \valid(source) && \valid(plan) && \valid(reason) && \separated(source, plan, reason);
    requires load_base % PAGE_SIZE == 0 && load_base <= CAD_SYSTEM_BASE;
    terminates \true;
    exits   \false;
    assigns *plan, *reason \from *source, machine, load_base;
    assigns \result \from *source, machine, load_base;
    ensures \result == CAD_OK || \result == CAD_BAD_IMAGE;
    ensures refused: \result == CAD_BAD_IMAGE ==> plan->count == 0;
    ensures planned: \result == CAD_OK ==>
      plan->count > 0 && elf_plan_ok(plan) && elf_plan_inside(plan, source->size_bytes);
    ensures entry: \result == CAD_OK ==> \exists integer i; 0 <= i < plan->count &&
      (plan->segments[i].protection & CAD_PROT_EXECUTE) != 0 &&
      elf_loaded(&plan->segments[i], plan->entry, 1);
    ensures headers: \result == CAD_OK && plan->program_headers != 0 ==>
      \exists integer i; 0 <= i < plan->count &&
      elf_loaded(&plan->segments[i], plan->program_headers,
                 plan->program_header_count * plan->program_header_bytes);
*/
MUST_CHECK status_t elf_plan(const struct elf_source *source, enum elf_machine machine,
                             virt_addr_t load_base, struct elf_plan *plan, const char **reason);

#endif
