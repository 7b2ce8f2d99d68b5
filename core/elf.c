// SPDX-License-Identifier: BSD-2-Clause
/*
 * The file may change while it is read, so each header is copied once and only
 * the copy is judged.  A check answers with what is wrong, NULL for nothing.
 */
#include "core/elf.h"

#include "base/assert.h"

#define ELF_HEADERS_MAX 64u

enum { ELF_CLASS_64 = 2, ELF_DATA_LITTLE = 1, ELF_VERSION = 1 };
enum { ELF_TYPE_EXECUTABLE = 2, ELF_TYPE_DYNAMIC = 3 };
enum { ELF_SEGMENT_LOAD = 1, ELF_SEGMENT_INTERPRETER = 3 };
enum { ELF_FLAG_EXECUTE = 1, ELF_FLAG_WRITE = 2, ELF_FLAG_READ = 4 };

struct elf_header {
    uint8_t magic[4];
    uint8_t class, data, ident_version, abi;
    uint8_t padding[8];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, program_offset, section_offset;
    uint32_t flags;
    uint16_t header_bytes, program_entry_bytes, program_count;
    uint16_t section_entry_bytes, section_count, section_names;
};
COMPILE_ASSERT(sizeof(struct elf_header) == 64, elf_header_is_as_in_the_file);

struct elf_program {
    uint32_t type, flags;
    uint64_t offset, address, physical, file_bytes, memory_bytes, alignment;
};
COMPILE_ASSERT(sizeof(struct elf_program) == 56, elf_program_is_as_in_the_file);

/*@ requires \valid_read(header);
    terminates \true;
    exits   \false;
    assigns \result \from *header;
    ensures elf: \result == \null ==> header->magic[0] == 0x7f && header->magic[1] == 'E' &&
      header->magic[2] == 'L' && header->magic[3] == 'F' && header->version == ELF_VERSION &&
      header->ident_version == ELF_VERSION;
    ensures ours: \result == \null ==> header->machine == machine &&
      header->class == ELF_CLASS_64 && header->data == ELF_DATA_LITTLE &&
      (header->type == ELF_TYPE_EXECUTABLE || header->type == ELF_TYPE_DYNAMIC);
*/
static const char *check_identity(const struct elf_header *header, enum elf_machine machine)
{
    if (header->magic[0] != 0x7f || header->magic[1] != 'E' || header->magic[2] != 'L' ||
        header->magic[3] != 'F') {
        return "not an ELF file";
    }
    if (header->class != ELF_CLASS_64 || header->data != ELF_DATA_LITTLE) {
        return "not 64-bit little-endian";
    }
    if (header->ident_version != ELF_VERSION || header->version != ELF_VERSION) {
        return "unknown ELF version";
    }
    if (header->type != ELF_TYPE_EXECUTABLE && header->type != ELF_TYPE_DYNAMIC) {
        return "not an executable";
    }
    if (header->machine != machine) {
        return "for another machine";
    }
    return NULL;
}

/*@ requires \valid_read(header);
    terminates \true;
    exits   \false;
    assigns \result \from *header;
    ensures inside: \result == \null ==>
      header->program_offset + header->program_count * sizeof(struct elf_program) <= size_bytes;
    ensures sizes: \result == \null ==> 0 < header->program_count <= ELF_HEADERS_MAX &&
      header->header_bytes == sizeof(struct elf_header) &&
      header->program_entry_bytes == sizeof(struct elf_program);
*/
static const char *check_header_table(const struct elf_header *header, uint64_t size_bytes)
{
    uint64_t table_bytes = (uint64_t)header->program_count * sizeof(struct elf_program);

    if (header->header_bytes != sizeof(*header)) {
        return "ELF header of a wrong size";
    }
    if (header->program_entry_bytes != sizeof(struct elf_program)) {
        return "program headers of a wrong size";
    }
    if (header->program_count == 0 || header->program_count > ELF_HEADERS_MAX) {
        return "no program headers, or too many";
    }
    if (header->program_offset > size_bytes ||
        table_bytes > size_bytes - header->program_offset) {
        return "program headers outside the file";
    }
    return NULL;
}

/*@ requires \valid_read(program);
    terminates \true;
    exits   \false;
    assigns \result \from *program;
    ensures inside: \result == \null ==> program->file_bytes <= program->memory_bytes &&
      program->offset + program->file_bytes <= size_bytes;
*/
static const char *check_file_range(const struct elf_program *program, uint64_t size_bytes)
{
    if (program->file_bytes > program->memory_bytes) {
        return "segment larger in the file than in memory";
    }
    if (program->offset > size_bytes || program->file_bytes > size_bytes - program->offset) {
        return "segment outside the file";
    }
    return NULL;
}

/*@ requires \valid_read(program);
    terminates \true;
    exits   \false;
    assigns \result \from *program;
    ensures some: \result == \null ==>
      (program->flags & (ELF_FLAG_READ | ELF_FLAG_WRITE | ELF_FLAG_EXECUTE)) != 0;
    ensures write_or_execute: \result == \null ==>
      (program->flags & ELF_FLAG_WRITE) == 0 || (program->flags & ELF_FLAG_EXECUTE) == 0;
*/
static const char *check_access(const struct elf_program *program)
{
    uint32_t access = program->flags & (ELF_FLAG_READ | ELF_FLAG_WRITE | ELF_FLAG_EXECUTE);

    if (access == 0) {
        return "segment without access";
    }
    if ((access & ELF_FLAG_WRITE) != 0 && (access & ELF_FLAG_EXECUTE) != 0) {
        return "segment writable and executable";
    }
    return NULL;
}

/*@ requires \valid_read(program) && bias <= CAD_SYSTEM_BASE;
    terminates \true;
    exits   \false;
    assigns \result \from *program;
    ensures inside: \result == \null ==> CAD_USER_BASE <= bias + program->address &&
      bias + program->address + program->memory_bytes <= CAD_SYSTEM_BASE;
    ensures alignment: \result == \null && program->alignment > 1 ==>
      (program->alignment & (program->alignment - 1)) == 0 &&
      (bias & (program->alignment - 1)) == 0 &&
      (program->address & (program->alignment - 1)) ==
        (program->offset & (program->alignment - 1));
*/
static const char *check_addresses(const struct elf_program *program, virt_addr_t bias)
{
    uint64_t alignment = program->alignment;
    virt_addr_t address;

    if (program->address > CAD_SYSTEM_BASE - bias) {
        return "segment outside user addresses";
    }
    address = bias + program->address;
    if (address < CAD_USER_BASE || program->memory_bytes > CAD_SYSTEM_BASE - address) {
        return "segment outside user addresses";
    }
    if (alignment > 1 && (alignment & (alignment - 1)) != 0) {
        return "segment alignment is no power of two";
    }
    if (alignment > 1 &&
        (program->address & (alignment - 1)) != (program->offset & (alignment - 1))) {
        return "segment at a wrong place in the file for its alignment";
    }
    if (alignment > 1 && (bias & (alignment - 1)) != 0) {
        return "segment alignment above the load address's";
    }
    return NULL;
}

/*@ requires write_or_execute: (flags & ELF_FLAG_WRITE) == 0 || (flags & ELF_FLAG_EXECUTE) == 0;
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures \result == CAD_PROT_READ + ((flags & ELF_FLAG_WRITE) != 0 ? CAD_PROT_WRITE : 0) +
      ((flags & ELF_FLAG_EXECUTE) != 0 ? CAD_PROT_EXECUTE : 0);
*/
static uint32_t protection_of(uint32_t flags)
{
    uint32_t protection = CAD_PROT_READ; /* WRITE and EXECUTE imply it */

    if ((flags & ELF_FLAG_WRITE) != 0) {
        protection |= CAD_PROT_WRITE;
    }
    if ((flags & ELF_FLAG_EXECUTE) != 0) {
        protection |= CAD_PROT_EXECUTE;
    }
    return protection;
}

/* A checked segment becomes the plan's next. */
/*@ requires \valid(plan) && \valid_read(program) && \separated(plan, program);
    requires elf_plan_ok(plan) && plan->count < ELF_SEGMENTS_MAX;
    requires program->file_bytes <= program->memory_bytes && program->memory_bytes > 0;
    requires CAD_USER_BASE <= bias + program->address && bias % PAGE_SIZE == 0 &&
      bias + program->address + program->memory_bytes <= CAD_SYSTEM_BASE;
    requires write_or_execute:
      (program->flags & ELF_FLAG_WRITE) == 0 || (program->flags & ELF_FLAG_EXECUTE) == 0;
    terminates \true;
    exits   \false;
    assigns plan->segments[plan->count], plan->end, plan->count;
    assigns \result \from *program, *plan;
    ensures refused: \result != \null ==> plan->count == \old(plan->count);
    ensures added: \result == \null ==> plan->count == \old(plan->count) + 1;
    ensures elf_plan_ok(plan);
    ensures bytes: \result == \null ==>
      plan->segments[\old(plan->count)].file_offset == program->offset &&
      plan->segments[\old(plan->count)].file_bytes == program->file_bytes;
*/
static const char *plan_add(struct elf_plan *plan, const struct elf_program *program,
                            virt_addr_t bias)
{
    uint64_t lead_bytes = program->address % PAGE_SIZE;
    virt_addr_t start = bias + program->address - lead_bytes;
    uint64_t pages = (lead_bytes + program->memory_bytes + PAGE_SIZE - 1) / PAGE_SIZE;
    struct elf_segment *segment = &plan->segments[plan->count];

    if (start < plan->end) {
        return "segments overlap, share a page or are not sorted";
    }
    segment->address = start;
    segment->pages = pages;
    segment->protection = protection_of(program->flags);
    segment->file_offset = program->offset;
    segment->file_bytes = program->file_bytes;
    segment->lead_bytes = lead_bytes;
    //@ assert whole_pages: start % PAGE_SIZE == 0 && pages > 0;
    //@ assert room: lead_bytes + program->memory_bytes <= pages * PAGE_SIZE;
    //@ assert below: start + pages * PAGE_SIZE <= CAD_SYSTEM_BASE;
    //@ assert new: elf_segment_ok(segment);
    //@ assert all: \forall integer i; 0 <= i <= plan->count ==> elf_segment_ok(&plan->segments[i]);
    /*@ assert after: \forall integer i; 0 <= i < plan->count ==>
          elf_segment_end(&plan->segments[i]) <= plan->segments[plan->count].address; */
    /*@ assert before: \forall integer i, j; 0 <= i < j < plan->count ==>
          elf_segment_end(&plan->segments[i]) <= plan->segments[j].address; */
    /*@ assert sorted: \forall integer i, j; 0 <= i < j <= plan->count ==>
          elf_segment_end(&plan->segments[i]) <= plan->segments[j].address; */
    plan->end = start + pages * PAGE_SIZE;
    plan->count++;
    //@ assert all: \forall integer i; 0 <= i < plan->count ==> elf_segment_ok(&plan->segments[i]);
    /*@ assert below: \forall integer i; 0 <= i < plan->count ==>
          elf_segment_end(&plan->segments[i]) <= plan->end; */
    /*@ assert sorted: \forall integer i, j; 0 <= i < j < plan->count ==>
          elf_segment_end(&plan->segments[i]) <= plan->segments[j].address; */
    return NULL;
}

/*@ requires \valid(plan) && \valid_read(program) && \separated(plan, program);
    requires bias % PAGE_SIZE == 0 && bias <= CAD_SYSTEM_BASE;
    requires elf_plan_ok(plan) && elf_plan_inside(plan, size_bytes);
    terminates \true;
    exits   \false;
    assigns plan->segments[0 .. ELF_SEGMENTS_MAX - 1], plan->end, plan->count;
    assigns \result \from *program, *plan;
    ensures elf_plan_ok(plan) && elf_plan_inside(plan, size_bytes);
*/
static const char *plan_segment(struct elf_plan *plan, const struct elf_program *program,
                                virt_addr_t bias, uint64_t size_bytes)
{
    const char *wrong = check_file_range(program, size_bytes);

    if (wrong != NULL || program->memory_bytes == 0) {
        return wrong; /* linkers leave empty segments */
    }
    wrong = check_access(program);
    if (wrong == NULL) {
        wrong = check_addresses(program, bias);
    }
    if (wrong != NULL) {
        return wrong;
    }
    if (plan->count == ELF_SEGMENTS_MAX) {
        return "too many segments";
    }
    return plan_add(plan, program, bias);
}

/* What the source reads is anything: the prover is told no more than where it is put. */
/*@ requires \valid(source) && \valid(header);
    terminates \true;
    exits   \false;
    assigns *header;
    assigns \result \from *source;
*/
static bool read_header(const struct elf_source *source, struct elf_header *header)
{
    return source->read(source->context, 0, header, sizeof(*header));
}

/*@ requires \valid(source) && \valid(program);
    terminates \true;
    exits   \false;
    assigns *program;
    assigns \result \from *source;
*/
static bool read_program(const struct elf_source *source, uint64_t offset,
                         struct elf_program *program)
{
    return source->read(source->context, offset, program, sizeof(*program));
}

/*@ requires \valid(source) && \valid_read(header) && \valid(plan) &&
      \separated(source, header, plan);
    requires bias % PAGE_SIZE == 0 && bias <= CAD_SYSTEM_BASE;
    requires elf_plan_ok(plan) && elf_plan_inside(plan, source->size_bytes);
    requires
      header->program_offset + header->program_count * sizeof(struct elf_program) <= UINT64_MAX;
    terminates \true;
    exits   \false;
    assigns plan->segments[0 .. ELF_SEGMENTS_MAX - 1], plan->end, plan->count;
    assigns \result \from *source, *header, *plan;
    ensures \result == \null ==> plan->count > 0;
    ensures elf_plan_ok(plan) && elf_plan_inside(plan, source->size_bytes);
*/
static const char *plan_segments(const struct elf_source *source, const struct elf_header *header,
                                 virt_addr_t bias, struct elf_plan *plan)
{
    /*@ loop invariant 0 <= i <= header->program_count;
        loop invariant elf_plan_ok(plan) && elf_plan_inside(plan, source->size_bytes);
        loop assigns i, plan->segments[0 .. ELF_SEGMENTS_MAX - 1], plan->end, plan->count;
        loop variant header->program_count - i;
    */
    for (uint64_t i = 0; i < header->program_count; i++) {
        uint64_t offset = header->program_offset + i * sizeof(struct elf_program);
        struct elf_program program;
        const char *wrong = NULL;

        if (!read_program(source, offset, &program)) {
            return "program headers cannot be read";
        }
        if (program.type == ELF_SEGMENT_INTERPRETER) {
            wrong = "needs an interpreter: link it statically";
        } else if (program.type == ELF_SEGMENT_LOAD) {
            wrong = plan_segment(plan, &program, bias, source->size_bytes);
        }
        if (wrong != NULL) {
            return wrong;
        }
    }
    return plan->count == 0 ? "nothing to load" : NULL;
}

/* Is [offset, offset + bytes) of the file loaded by this segment? */
/*@ requires \valid_read(segment);
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures \result == \true <==> segment->file_offset <= offset &&
      offset + bytes <= segment->file_offset + segment->file_bytes;
*/
static bool segment_loads(const struct elf_segment *segment, uint64_t offset, uint64_t bytes)
{
    return offset >= segment->file_offset && bytes <= segment->file_bytes &&
           offset - segment->file_offset <= segment->file_bytes - bytes;
}

/*@ requires \valid(plan) && \valid_read(header) && \separated(plan, header);
    requires elf_plan_ok(plan);
    terminates \true;
    exits   \false;
    assigns plan->program_headers, plan->program_header_count, plan->program_header_bytes;
    ensures \forall integer size; elf_plan_inside{Pre}(plan, size) ==> elf_plan_inside(plan, size);
    ensures plan->program_header_count == header->program_count &&
      plan->program_header_bytes == header->program_entry_bytes;
    ensures loaded: plan->program_headers != 0 ==> \exists integer i; 0 <= i < plan->count &&
      elf_loaded(&plan->segments[i], plan->program_headers,
                 header->program_count * sizeof(struct elf_program));
    ensures elf_plan_ok(plan);
*/
static void plan_find_headers(struct elf_plan *plan, const struct elf_header *header)
{
    uint64_t bytes = (uint64_t)header->program_count * sizeof(struct elf_program);

    plan->program_header_count = header->program_count;
    plan->program_header_bytes = header->program_entry_bytes;
    plan->program_headers = 0;
    /*@ loop invariant 0 <= i <= plan->count;
        loop invariant plan->program_headers != 0 ==> \exists integer k; 0 <= k < i &&
          elf_loaded(&plan->segments[k], plan->program_headers, bytes);
        loop assigns i, plan->program_headers;
        loop variant plan->count - i;
    */
    for (unsigned i = 0; i < plan->count; i++) {
        const struct elf_segment *segment = &plan->segments[i];

        if (plan->program_headers == 0 &&
            segment_loads(segment, header->program_offset, bytes)) {
            plan->program_headers = segment->address + segment->lead_bytes +
                                    (header->program_offset - segment->file_offset);
        }
    }
}

/* The entry must be a byte that an executable segment loads from the file. */
/*@ requires \valid(plan) && \valid_read(header) && \separated(plan, header);
    requires elf_plan_ok(plan) && bias <= CAD_SYSTEM_BASE;
    terminates \true;
    exits   \false;
    assigns plan->entry;
    assigns \result \from *plan, *header;
    ensures \forall integer size; elf_plan_inside{Pre}(plan, size) ==> elf_plan_inside(plan, size);
    ensures elf_plan_ok(plan);
    ensures loaded: \result == \null ==> \exists integer i; 0 <= i < plan->count &&
      (plan->segments[i].protection & CAD_PROT_EXECUTE) != 0 &&
      elf_loaded(&plan->segments[i], plan->entry, 1);
*/
static const char *plan_find_entry(struct elf_plan *plan, const struct elf_header *header,
                                   virt_addr_t bias)
{
    if (header->entry > CAD_SYSTEM_BASE - bias) {
        return "entry outside user addresses";
    }
    plan->entry = bias + header->entry;
    /*@ loop invariant 0 <= i <= plan->count;
        loop assigns i;
        loop variant plan->count - i;
    */
    for (unsigned i = 0; i < plan->count; i++) {
        const struct elf_segment *segment = &plan->segments[i];
        virt_addr_t first = segment->address + segment->lead_bytes;

        if ((segment->protection & CAD_PROT_EXECUTE) != 0 && plan->entry >= first &&
            plan->entry - first < segment->file_bytes) {
            return NULL;
        }
    }
    return "entry in no executable segment";
}

/*@ requires \valid(source) && \valid(plan) && \separated(source, plan);
    requires load_base % PAGE_SIZE == 0 && load_base <= CAD_SYSTEM_BASE;
    terminates \true;
    exits   \false;
    assigns *plan;
    assigns \result \from *source, *plan;
    ensures planned: \result == \null ==>
      plan->count > 0 && elf_plan_ok(plan) && elf_plan_inside(plan, source->size_bytes);
    ensures entry: \result == \null ==> \exists integer i; 0 <= i < plan->count &&
      (plan->segments[i].protection & CAD_PROT_EXECUTE) != 0 &&
      elf_loaded(&plan->segments[i], plan->entry, 1);
    ensures headers: \result == \null && plan->program_headers != 0 ==>
      \exists integer i; 0 <= i < plan->count &&
      elf_loaded(&plan->segments[i], plan->program_headers,
                 plan->program_header_count * plan->program_header_bytes);
*/
static const char *plan_make(const struct elf_source *source, enum elf_machine machine,
                             virt_addr_t load_base, struct elf_plan *plan)
{
    struct elf_header header;
    const char *wrong;
    virt_addr_t bias;

    if (source->size_bytes < sizeof(header) || !read_header(source, &header)) {
        return "too short for an ELF header";
    }
    wrong = check_identity(&header, machine);
    if (wrong == NULL) {
        wrong = check_header_table(&header, source->size_bytes);
    }
    if (wrong != NULL) {
        return wrong;
    }
    bias = header.type == ELF_TYPE_DYNAMIC ? load_base : 0;
    plan->count = 0;
    plan->end = 0;
    wrong = plan_segments(source, &header, bias, plan);
    if (wrong != NULL) {
        return wrong;
    }
    plan_find_headers(plan, &header);
    return plan_find_entry(plan, &header, bias);
}

status_t elf_plan(const struct elf_source *source, enum elf_machine machine,
                  virt_addr_t load_base, struct elf_plan *plan, const char **reason)
{
    const char *wrong;

    ASSERT(load_base % PAGE_SIZE == 0 && load_base <= CAD_SYSTEM_BASE);
    wrong = plan_make(source, machine, load_base, plan);
    if (wrong != NULL) {
        plan->count = 0;
        *reason = wrong;
        return CAD_BAD_IMAGE;
    }
    return CAD_OK;
}
