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

/* Needs: bias <= CAD_SYSTEM_BASE. */
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
    if (alignment > 1 && ((program->address - program->offset) & (alignment - 1)) != 0) {
        return "segment at a wrong place in the file for its alignment";
    }
    if (alignment > 1 && (bias & (alignment - 1)) != 0) {
        return "segment alignment above the load address's";
    }
    return NULL;
}

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
static const char *plan_add(struct elf_plan *plan, const struct elf_program *program,
                            virt_addr_t bias)
{
    uint64_t lead_bytes = program->address & (PAGE_SIZE - 1);
    virt_addr_t start = bias + program->address - lead_bytes;
    uint64_t pages = pages_for_bytes(lead_bytes + program->memory_bytes);
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
    plan->end = start + (pages << PAGE_SHIFT);
    plan->count++;
    return NULL;
}

static const char *plan_segment(struct elf_plan *plan, const struct elf_program *program,
                                virt_addr_t bias, uint64_t size_bytes)
{
    const char *wrong = check_file_range(program, size_bytes);

    if (wrong == NULL && program->memory_bytes == 0) {
        return NULL; /* linkers leave empty ones */
    }
    if (wrong == NULL) {
        wrong = check_access(program);
    }
    if (wrong == NULL) {
        wrong = check_addresses(program, bias);
    }
    if (wrong == NULL && plan->count == ELF_SEGMENTS_MAX) {
        wrong = "too many segments";
    }
    return wrong != NULL ? wrong : plan_add(plan, program, bias);
}

static const char *plan_segments(const struct elf_source *source, const struct elf_header *header,
                                 virt_addr_t bias, struct elf_plan *plan)
{
    for (uint64_t i = 0; i < header->program_count; i++) {
        uint64_t offset = header->program_offset + i * sizeof(struct elf_program);
        struct elf_program program;
        const char *wrong = NULL;

        if (!source->read(source->context, offset, &program, sizeof(program))) {
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
static bool segment_loads(const struct elf_segment *segment, uint64_t offset, uint64_t bytes)
{
    return offset >= segment->file_offset && bytes <= segment->file_bytes &&
           offset - segment->file_offset <= segment->file_bytes - bytes;
}

static void plan_find_headers(struct elf_plan *plan, const struct elf_header *header)
{
    uint64_t bytes = (uint64_t)header->program_count * sizeof(struct elf_program);

    plan->program_header_count = header->program_count;
    plan->program_header_bytes = header->program_entry_bytes;
    plan->program_headers = 0;
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
static const char *plan_find_entry(struct elf_plan *plan, const struct elf_header *header,
                                   virt_addr_t bias)
{
    if (header->entry > CAD_SYSTEM_BASE - bias) {
        return "entry outside user addresses";
    }
    plan->entry = bias + header->entry;
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

static const char *plan_make(const struct elf_source *source, enum elf_machine machine,
                             virt_addr_t load_base, struct elf_plan *plan)
{
    struct elf_header header;
    const char *wrong;
    virt_addr_t bias;

    if (source->size_bytes < sizeof(header) ||
        !source->read(source->context, 0, &header, sizeof(header))) {
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

    ASSERT(is_page_aligned(load_base) && load_base <= CAD_SYSTEM_BASE);
    wrong = plan_make(source, machine, load_base, plan);
    if (wrong != NULL) {
        plan->count = 0;
        *reason = wrong;
        return CAD_BAD_IMAGE;
    }
    return CAD_OK;
}
