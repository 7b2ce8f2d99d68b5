// SPDX-License-Identifier: BSD-2-Clause
/*
 * The stack a program starts on, as System V wants it.  From the top down: the
 * strings as they came, 16 random bytes, the auxiliary vector, environment and
 * argument pointers, their count.
 *
 * The strings are copied into the new process first and read back from there:
 * it does not run yet, so they hold still while pointers to them are made.
 */
#include "kernel/entropy.h"
#include "kernel/process.h"
#include "kernel/spawner.h"
#include "kernel/user_copy.h"

#define PART_BYTES   256
#define PART_WORDS   32
#define RANDOM_BYTES 16
#define STACK_ALIGN  16

/* Types of the auxiliary vector (System V ABI). */
enum {
    AUX_NULL = 0, AUX_PHDR = 3, AUX_PHENT = 4, AUX_PHNUM = 5, AUX_PAGESZ = 6, AUX_BASE = 7,
    AUX_FLAGS = 8, AUX_ENTRY = 9, AUX_UID = 11, AUX_EUID = 12, AUX_GID = 13, AUX_EGID = 14,
    AUX_CLKTCK = 17, AUX_SECURE = 23, AUX_RANDOM = 25, AUX_EXECFN = 31,
};
#define AUX_PAIRS 17
#define CLOCK_TICKS 100

/* --- the strings --- */

static status_t copy_strings(const struct spawn *spawn, virt_addr_t to)
{
    const struct spawn_strings *strings = &spawn->strings;
    char part[PART_BYTES];
    status_t status = CAD_OK;

    for (uint64_t done = 0; done < strings->bytes && status == CAD_OK; done += PART_BYTES) {
        uint64_t bytes = strings->bytes - done < PART_BYTES ? strings->bytes - done : PART_BYTES;
        if (strings->from == NULL)
            __builtin_memcpy(part, (const char *)strings->address + done, bytes);
        else
            status = copy_from_user(strings->from, part, strings->address + done, bytes);
        if (status == CAD_OK)
            status = copy_to_user(spawn->process, to + done, part, bytes);
    }
    return status;
}

struct scanner {
    struct process *process;
    virt_addr_t start;
    uint64_t position, bytes;
    uint64_t part_start, part_bytes; /* what of it is in `part` */
    char part[PART_BYTES];
};

static status_t scanner_load(struct scanner *scanner)
{
    uint64_t left = scanner->bytes - scanner->position;

    if (scanner->position - scanner->part_start < scanner->part_bytes)
        return CAD_OK;
    scanner->part_start = scanner->position;
    scanner->part_bytes = left < PART_BYTES ? left : PART_BYTES;
    return copy_from_user(scanner->process, scanner->part, scanner->start + scanner->position,
                          scanner->part_bytes);
}

/* Address of the next string. Fails: INVALID if there is none, or it has no end. */
static status_t scanner_next(struct scanner *scanner, virt_addr_t *address)
{
    virt_addr_t start = scanner->start + scanner->position;

    while (scanner->position < scanner->bytes) {
        status_t status = scanner_load(scanner);
        if (status != CAD_OK)
            return status;
        char c = scanner->part[scanner->position - scanner->part_start];
        scanner->position++;
        if (c == '\0') {
            *address = start;
            return CAD_OK;
        }
    }
    return CAD_INVALID;
}

/* --- the words --- */

struct writer {
    struct process *process;
    virt_addr_t to;
    unsigned used;
    uint64_t words[PART_WORDS];
};

static status_t writer_flush(struct writer *writer)
{
    uint64_t bytes = writer->used * sizeof(writer->words[0]);
    status_t status = copy_to_user(writer->process, writer->to, writer->words, bytes);

    writer->to += bytes;
    writer->used = 0;
    return status;
}

static status_t writer_put(struct writer *writer, uint64_t word)
{
    writer->words[writer->used++] = word;
    return writer->used == PART_WORDS ? writer_flush(writer) : CAD_OK;
}

/* Pointers to the next `count` strings, then 0; the first of them to `first`. */
static status_t put_pointers(struct writer *writer, struct scanner *scanner, uint32_t count,
                             virt_addr_t *first)
{
    for (uint32_t i = 0; i < count; i++) {
        virt_addr_t address;
        status_t status = scanner_next(scanner, &address);
        if (status == CAD_OK)
            status = writer_put(writer, address);
        if (status != CAD_OK)
            return status;
        if (i == 0)
            *first = address;
    }
    return writer_put(writer, 0);
}

static status_t put_auxiliary(struct writer *writer, const struct spawn *spawn,
                              virt_addr_t random_bytes, virt_addr_t name)
{
    const struct elf_plan *program = &spawn->program_plan;
    const uint64_t pairs[AUX_PAIRS][2] = {
        {AUX_PHDR, program->program_headers},
        {AUX_PHENT, program->program_header_bytes},
        {AUX_PHNUM, program->program_header_count},
        {AUX_PAGESZ, PAGE_SIZE},
        {AUX_BASE, spawn->has_runtime ? CAD_RUNTIME_BASE : 0},
        {AUX_FLAGS, 0},
        {AUX_ENTRY, program->entry},
        {AUX_UID, 0},
        {AUX_EUID, 0},
        {AUX_GID, 0},
        {AUX_EGID, 0},
        {AUX_CLKTCK, CLOCK_TICKS},
        {AUX_SECURE, 0},
        {AUX_RANDOM, random_bytes},
        {AUX_EXECFN, name},
        {AUX_NULL, 0},
        {AUX_NULL, 0},
    };
    status_t status = CAD_OK;

    for (unsigned i = 0; i < AUX_PAIRS && status == CAD_OK; i++) {
        status = writer_put(writer, pairs[i][0]);
        if (status == CAD_OK)
            status = writer_put(writer, pairs[i][1]);
    }
    return status == CAD_OK ? writer_flush(writer) : status;
}

status_t spawn_fill_stack(struct spawn *spawn, virt_addr_t *stack_pointer)
{
    const struct spawn_strings *strings = &spawn->strings;
    virt_addr_t strings_start = (CAD_STACK_TOP - strings->bytes) & ~(uint64_t)(STACK_ALIGN - 1);
    virt_addr_t random_start = strings_start - RANDOM_BYTES;
    uint64_t words = 3 + (uint64_t)strings->argument_count + strings->environment_count +
                     2 * (uint64_t)AUX_PAIRS;
    virt_addr_t start = (random_start - words * sizeof(uint64_t)) & ~(uint64_t)(STACK_ALIGN - 1);
    struct writer writer = {.process = spawn->process, .to = start};
    struct scanner scanner = {.process = spawn->process, .start = strings_start,
                              .bytes = strings->bytes};
    virt_addr_t name = 0, environment = 0;
    uint8_t random[RANDOM_BYTES];

    entropy_fill(random, RANDOM_BYTES);
    status_t status = copy_strings(spawn, strings_start);
    if (status == CAD_OK)
        status = copy_to_user(spawn->process, random_start, random, RANDOM_BYTES);
    if (status == CAD_OK)
        status = writer_put(&writer, strings->argument_count);
    if (status == CAD_OK)
        status = put_pointers(&writer, &scanner, strings->argument_count, &name);
    if (status == CAD_OK)
        status = put_pointers(&writer, &scanner, strings->environment_count, &environment);
    if (status == CAD_OK && scanner.position != scanner.bytes)
        status = CAD_INVALID; /* more strings than were announced */
    if (status == CAD_OK)
        status = put_auxiliary(&writer, spawn, random_start, name);
    if (status == CAD_OK)
        *stack_pointer = start;
    return status;
}
