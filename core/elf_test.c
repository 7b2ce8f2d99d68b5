// SPDX-License-Identifier: BSD-2-Clause
/*
 * Images are spelled with the host's <elf.h>, which nobody here wrote.  Each
 * test starts from one good image and spoils it in one place.
 */
#include "core/elf.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "core/test_world.h"

#define FILE_BYTES  0x2000u
#define LOADED_END  0x1f00u /* no segment has bytes of the file from here on */
#define SEGMENTS    5u      /* text, rodata, data, TLS, stack */
#define EXTRA_MAX   (ELF_SEGMENTS_MAX + 2)
#define BASE        UINT64_C(0x400000)

struct image {
    Elf64_Ehdr header;
    Elf64_Phdr programs[EXTRA_MAX];
    uint64_t size_bytes;
    unsigned reads_left; /* then reading fails */
    uint64_t noise;      /* not 0: one byte of each read is changed at random */
};

static const struct image good = {
    .header = {
        .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
        .e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
        .e_entry = BASE + 0x400, .e_phoff = sizeof(Elf64_Ehdr), .e_ehsize = sizeof(Elf64_Ehdr),
        .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = SEGMENTS,
    },
    .programs = {
        { PT_LOAD, PF_R | PF_X, 0, BASE, BASE, 0x1000, 0x1000, 0x1000 },
        { PT_LOAD, PF_R, 0x1000, BASE + 0x1000, 0, 0x800, 0x800, 0x1000 },
        { PT_LOAD, PF_R | PF_W, 0x1800, BASE + 0x2800, 0, 0x700, 0x3000, 0x1000 },
        { PT_TLS, PF_R, 0x1800, BASE + 0x2800, 0, 0x10, 0x40, 0x20 },
        { PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 0x10 },
    },
    .size_bytes = FILE_BYTES,
    .reads_left = UINT32_MAX,
};

static uint64_t next_random(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return *random >> 33;
}

/* The file is header and programs, then zeroes. */
static bool image_read(void *context, uint64_t offset, void *to, uint64_t bytes)
{
    struct image *image = context;
    uint8_t file[FILE_BYTES];

    assert_true(bytes <= sizeof(file) && offset <= sizeof(file) - bytes);
    if (image->reads_left == 0) {
        return false;
    }
    image->reads_left--;
    memset(file, 0, sizeof(file));
    memcpy(file, &image->header, sizeof(image->header));
    memcpy(file + sizeof(image->header), image->programs, sizeof(image->programs));
    memcpy(to, file + offset, bytes);
    if (image->noise != 0) {
        uint64_t place = next_random(&image->noise) % bytes;

        ((uint8_t *)to)[place] = (uint8_t)next_random(&image->noise);
    }
    return true;
}

static status_t plan_at(struct image *image, virt_addr_t load_base, struct elf_plan *plan,
                        const char **reason)
{
    struct elf_source source = { image_read, image, image->size_bytes };

    *reason = NULL;
    memset(plan, 0xa5, sizeof(*plan));
    return elf_plan(&source, ELF_MACHINE_X86_64, load_base, plan, reason);
}

static void check_refused(struct image *image, const char *expected)
{
    struct elf_plan plan;
    const char *reason;

    assert_int_equal(plan_at(image, BASE, &plan, &reason), CAD_BAD_IMAGE);
    assert_non_null(reason);
    assert_string_equal(reason, expected);
    assert_int_equal(plan.count, 0);
}

static void check_accepted(struct image *image, struct elf_plan *plan)
{
    const char *reason;
    status_t status = plan_at(image, BASE, plan, &reason);

    if (reason != NULL) {
        print_error("refused: %s\n", reason);
    }
    assert_int_equal(status, CAD_OK);
}

/* All that the loader relies on, whatever the file was. */
static void check_safe(const struct elf_plan *plan, uint64_t size_bytes)
{
    virt_addr_t free_from = CAD_USER_BASE;
    bool entry_found = false;

    assert_in_range(plan->count, 1, ELF_SEGMENTS_MAX);
    for (unsigned i = 0; i < plan->count; i++) {
        const struct elf_segment *segment = &plan->segments[i];
        const uint32_t both = CAD_PROT_WRITE | CAD_PROT_EXECUTE;

        assert_true(is_page_aligned(segment->address));
        assert_true(segment->pages > 0);
        assert_true(segment->address >= free_from && segment->address < CAD_SYSTEM_BASE);
        assert_true(segment->pages <= (CAD_SYSTEM_BASE - segment->address) / PAGE_SIZE);
        free_from = segment->address + segment->pages * PAGE_SIZE;
        assert_true((segment->protection & CAD_PROT_READ) != 0);
        assert_true((segment->protection & both) != both);
        assert_true(segment->lead_bytes < PAGE_SIZE);
        assert_true(segment->file_bytes <= segment->pages * PAGE_SIZE - segment->lead_bytes);
        assert_true(segment->file_offset <= size_bytes);
        assert_true(segment->file_bytes <= size_bytes - segment->file_offset);
        entry_found |= (segment->protection & CAD_PROT_EXECUTE) != 0 &&
                       plan->entry >= segment->address && plan->entry < free_from;
    }
    assert_true(entry_found);
    assert_true(plan->end == free_from);
    if (plan->program_headers != 0) {
        assert_true(plan->program_headers >= CAD_USER_BASE);
        assert_true(plan->program_headers < plan->end);
    }
}

static void a_good_image_becomes_its_segments(void **state)
{
    static const struct elf_segment expected[] = {
        { BASE, 1, CAD_PROT_READ | CAD_PROT_EXECUTE, 0, 0x1000, 0 },
        { BASE + 0x1000, 1, CAD_PROT_READ, 0x1000, 0x800, 0 },
        { BASE + 0x2000, 4, CAD_PROT_READ | CAD_PROT_WRITE, 0x1800, 0x700, 0x800 },
    };
    struct image image = good;
    struct elf_plan plan;

    (void)state;
    check_accepted(&image, &plan);
    check_safe(&plan, FILE_BYTES);
    assert_int_equal(plan.count, ARRAY_COUNT(expected));
    for (unsigned i = 0; i < plan.count; i++) {
        assert_int_equal(plan.segments[i].address, expected[i].address);
        assert_int_equal(plan.segments[i].pages, expected[i].pages);
        assert_int_equal(plan.segments[i].protection, expected[i].protection);
        assert_int_equal(plan.segments[i].file_offset, expected[i].file_offset);
        assert_int_equal(plan.segments[i].file_bytes, expected[i].file_bytes);
        assert_int_equal(plan.segments[i].lead_bytes, expected[i].lead_bytes);
    }
    assert_int_equal(plan.entry, BASE + 0x400);
    assert_int_equal(plan.program_headers, BASE + sizeof(Elf64_Ehdr));
    assert_int_equal(plan.program_header_count, SEGMENTS);
    assert_int_equal(plan.program_header_bytes, sizeof(Elf64_Phdr));
    assert_int_equal(plan.end, BASE + 0x6000);
}

/* SPOIL(which, field, value, reason): which is header, or programs[i]. */
#define SPOIL_LIST(SPOIL)                                                                          \
    SPOIL(header, e_ident[0], 0x7e, "not an ELF file")                                             \
    SPOIL(header, e_ident[1], 'e', "not an ELF file")                                              \
    SPOIL(header, e_ident[2], 0, "not an ELF file")                                                \
    SPOIL(header, e_ident[3], 'G', "not an ELF file")                                              \
    SPOIL(header, e_ident[EI_CLASS], ELFCLASS32, "not 64-bit little-endian")                       \
    SPOIL(header, e_ident[EI_DATA], ELFDATA2MSB, "not 64-bit little-endian")                       \
    SPOIL(header, e_ident[EI_VERSION], 0, "unknown ELF version")                                   \
    SPOIL(header, e_version, 2, "unknown ELF version")                                             \
    SPOIL(header, e_type, ET_REL, "not an executable")                                             \
    SPOIL(header, e_type, ET_CORE, "not an executable")                                            \
    SPOIL(header, e_type, 0, "not an executable")                                                  \
    SPOIL(header, e_machine, EM_386, "for another machine")                                        \
    SPOIL(header, e_machine, EM_AARCH64, "for another machine")                                    \
    SPOIL(header, e_ehsize, 0, "ELF header of a wrong size")                                       \
    SPOIL(header, e_ehsize, 65535, "ELF header of a wrong size")                                   \
    SPOIL(header, e_phentsize, 55, "program headers of a wrong size")                              \
    SPOIL(header, e_phentsize, 0, "program headers of a wrong size")                               \
    SPOIL(header, e_phnum, 0, "no program headers, or too many")                                   \
    SPOIL(header, e_phnum, 65, "no program headers, or too many")                                  \
    SPOIL(header, e_phnum, PN_XNUM, "no program headers, or too many")                             \
    SPOIL(header, e_phoff, FILE_BYTES, "program headers outside the file")                         \
    SPOIL(header, e_phoff, FILE_BYTES - SEGMENTS * sizeof(Elf64_Phdr) + 1,                         \
          "program headers outside the file")                                                      \
    SPOIL(header, e_phoff, UINT64_MAX, "program headers outside the file")                         \
    SPOIL(header, e_phoff, UINT64_MAX - 100, "program headers outside the file")                   \
    SPOIL(header, e_phoff, FILE_BYTES - SEGMENTS * sizeof(Elf64_Phdr), "nothing to load")          \
    SPOIL(header, e_entry, 0, "entry in no executable segment")                                    \
    SPOIL(header, e_entry, BASE - 1, "entry in no executable segment")                             \
    SPOIL(header, e_entry, BASE + 0x1000, "entry in no executable segment")                        \
    SPOIL(header, e_entry, BASE + 0x2900, "entry in no executable segment")                        \
    SPOIL(header, e_entry, UINT64_MAX, "entry outside user addresses")                             \
    SPOIL(programs[0], p_filesz, 0x400, "entry in no executable segment")                          \
    SPOIL(programs[0], p_flags, PF_R, "entry in no executable segment")                            \
    SPOIL(programs[0], p_flags, PF_R | PF_W | PF_X, "segment writable and executable")             \
    SPOIL(programs[0], p_flags, PF_W | PF_X, "segment writable and executable")                    \
    SPOIL(programs[1], p_flags, 0, "segment without access")                                       \
    SPOIL(programs[1], p_flags, 0xfffffff8, "segment without access")                              \
    SPOIL(programs[4], p_type, PT_INTERP, "needs an interpreter: link it statically")              \
    SPOIL(programs[2], p_filesz, 0x3001, "segment larger in the file than in memory")              \
    SPOIL(programs[2], p_memsz, 0, "segment larger in the file than in memory")                    \
    SPOIL(programs[2], p_offset, FILE_BYTES - 0x6ff, "segment outside the file")                   \
    SPOIL(programs[2], p_offset, UINT64_MAX, "segment outside the file")                           \
    SPOIL(programs[2], p_offset, UINT64_MAX - 0x7ff, "segment outside the file")                   \
    SPOIL(programs[0], p_vaddr, 0, "segment outside user addresses")                               \
    SPOIL(programs[0], p_vaddr, CAD_USER_BASE - PAGE_SIZE, "segment outside user addresses")       \
    SPOIL(programs[2], p_vaddr, CAD_SYSTEM_BASE - 0x2800, "segment outside user addresses")        \
    SPOIL(programs[2], p_vaddr, CAD_SYSTEM_BASE + 0x800, "segment outside user addresses")         \
    SPOIL(programs[2], p_vaddr, UINT64_C(0xffffffff80000800), "segment outside user addresses")    \
    SPOIL(programs[2], p_vaddr, UINT64_C(0xfffffffffffff800), "segment outside user addresses")    \
    SPOIL(programs[2], p_memsz, UINT64_MAX, "segment outside user addresses")                      \
    SPOIL(programs[2], p_memsz, CAD_SYSTEM_BASE - (BASE + 0x2800) + 1,                             \
          "segment outside user addresses")                                                        \
    SPOIL(programs[2], p_align, 0x1001, "segment alignment is no power of two")                    \
    SPOIL(programs[2], p_align, UINT64_MAX, "segment alignment is no power of two")                \
    SPOIL(programs[2], p_align, 0x4000,                                                            \
          "segment at a wrong place in the file for its alignment")                                \
    SPOIL(programs[2], p_offset, 0x1801,                                                           \
          "segment at a wrong place in the file for its alignment")                                \
    SPOIL(programs[2], p_vaddr, BASE + 0x1800,                                                     \
          "segments overlap, share a page or are not sorted")                                      \
    SPOIL(programs[1], p_vaddr, BASE, "segments overlap, share a page or are not sorted")          \
    SPOIL(programs[1], p_vaddr, BASE - 0x1000,                                                     \
          "segments overlap, share a page or are not sorted")                                      \
    SPOIL(programs[0], p_memsz, 0x1001, "segments overlap, share a page or are not sorted")        \
    SPOIL(programs[3], p_type, PT_LOAD, "segments overlap, share a page or are not sorted")

static void each_spoilt_field_is_refused_by_its_own_reason(void **state)
{
    (void)state;
#define SPOIL_TRY(which, field, value, expected)                                                   \
    {                                                                                              \
        struct image image = good;                                                                 \
        image.which.field = (value);                                                               \
        check_refused(&image, expected);                                                           \
    }
    SPOIL_LIST(SPOIL_TRY)
#undef SPOIL_TRY
}

static void a_file_cut_anywhere_below_its_segments_is_refused(void **state)
{
    (void)state;
    for (uint64_t size = 0; size < FILE_BYTES; size += size < 0x200 ? 1 : 37) {
        struct image image = good;
        struct elf_plan plan;
        const char *reason;
        status_t status;

        image.size_bytes = size;
        status = plan_at(&image, BASE, &plan, &reason);
        assert_int_equal(status, size < LOADED_END ? CAD_BAD_IMAGE : CAD_OK);
        assert_true((status == CAD_OK) == (reason == NULL));
    }
}

static void a_file_that_cannot_be_read_is_refused(void **state)
{
    struct image image = good;

    (void)state;
    image.size_bytes = sizeof(Elf64_Ehdr) - 1;
    check_refused(&image, "too short for an ELF header");
    image = good;
    image.reads_left = 0;
    check_refused(&image, "too short for an ELF header");
    for (unsigned reads = 1; reads <= SEGMENTS; reads++) {
        image = good;
        image.reads_left = reads;
        check_refused(&image, "program headers cannot be read");
    }
}

/* `count` one-page segments after the text. */
static void add_segments(struct image *image, unsigned count)
{
    image->header.e_phnum = (uint16_t)(1 + count);
    for (unsigned i = 1; i <= count; i++) {
        Elf64_Phdr added = { PT_LOAD, PF_R, 0x1000, BASE + i * 0x1000, 0, 1, 1, 0x1000 };

        image->programs[i] = added;
    }
}

static void as_many_segments_fit_as_a_plan_holds_and_no_more(void **state)
{
    struct image image = good;
    struct elf_plan plan;

    (void)state;
    add_segments(&image, ELF_SEGMENTS_MAX - 1);
    check_accepted(&image, &plan);
    assert_int_equal(plan.count, ELF_SEGMENTS_MAX);
    add_segments(&image, ELF_SEGMENTS_MAX);
    check_refused(&image, "too many segments");
}

static void empty_segments_are_left_out(void **state)
{
    struct image image = good;
    struct elf_plan plan;

    (void)state;
    image.programs[1].p_filesz = 0;
    image.programs[1].p_memsz = 0;
    check_accepted(&image, &plan);
    assert_int_equal(plan.count, 2);
    for (unsigned i = 0; i < 3; i++) {
        image.programs[i].p_filesz = 0;
        image.programs[i].p_memsz = 0;
    }
    check_refused(&image, "nothing to load");
}

static void execute_and_write_imply_read(void **state)
{
    struct image image = good;
    struct elf_plan plan;

    (void)state;
    image.programs[0].p_flags = PF_X;
    image.programs[2].p_flags = PF_W;
    check_accepted(&image, &plan);
    assert_int_equal(plan.segments[0].protection, CAD_PROT_READ | CAD_PROT_EXECUTE);
    assert_int_equal(plan.segments[2].protection, CAD_PROT_READ | CAD_PROT_WRITE);
}

static void program_headers_that_are_not_loaded_whole_have_no_address(void **state)
{
    struct image image = good;
    struct elf_plan plan;

    (void)state;
    image.programs[0].p_offset = 0x1000; /* the file's start is in no segment */
    check_accepted(&image, &plan);
    assert_int_equal(plan.program_headers, 0);
    image = good;
    image.header.e_entry = BASE + 0x10;
    image.programs[0].p_filesz = sizeof(Elf64_Ehdr) + SEGMENTS * sizeof(Elf64_Phdr) - 1;
    check_accepted(&image, &plan);
    assert_int_equal(plan.program_headers, 0);
    image.programs[0].p_filesz = 0x80; /* less than the headers themselves */
    check_accepted(&image, &plan);
    assert_int_equal(plan.program_headers, 0);
    image.programs[0].p_filesz = sizeof(Elf64_Ehdr) + SEGMENTS * sizeof(Elf64_Phdr);
    check_accepted(&image, &plan);
    assert_int_equal(plan.program_headers, BASE + sizeof(Elf64_Ehdr));
}

static struct image position_independent(void)
{
    struct image image = good;

    image.header.e_type = ET_DYN;
    image.header.e_entry -= BASE;
    for (unsigned i = 0; i < SEGMENTS - 1; i++) {
        image.programs[i].p_vaddr -= BASE;
    }
    return image;
}

static void a_static_pie_is_planned_at_its_load_base(void **state)
{
    const virt_addr_t base = UINT64_C(0x555500000000);
    struct image image = position_independent();
    struct elf_plan plan;
    const char *reason;

    (void)state;
    assert_int_equal(plan_at(&image, base, &plan, &reason), CAD_OK);
    check_safe(&plan, FILE_BYTES);
    assert_int_equal(plan.segments[0].address, base);
    assert_int_equal(plan.segments[2].address, base + 0x2000);
    assert_int_equal(plan.entry, base + 0x400);
    assert_int_equal(plan.program_headers, base + sizeof(Elf64_Ehdr));
}

static void a_load_base_that_does_not_fit_is_refused(void **state)
{
    struct image image = position_independent();
    struct elf_plan plan;
    const char *reason;

    (void)state;
    assert_int_equal(plan_at(&image, CAD_SYSTEM_BASE - 0x5000, &plan, &reason), CAD_BAD_IMAGE);
    assert_string_equal(reason, "segment outside user addresses");
    assert_int_equal(plan_at(&image, CAD_SYSTEM_BASE, &plan, &reason), CAD_BAD_IMAGE);
    assert_int_equal(plan_at(&image, 0, &plan, &reason), CAD_BAD_IMAGE);
    assert_int_equal(plan_at(&image, CAD_SYSTEM_BASE - 0x6000, &plan, &reason), CAD_OK);
    image.programs[0].p_align = 0x200000;
    assert_int_equal(plan_at(&image, UINT64_C(0x400000), &plan, &reason), CAD_OK);
    assert_int_equal(plan_at(&image, UINT64_C(0x401000), &plan, &reason), CAD_BAD_IMAGE);
    assert_string_equal(reason, "segment alignment above the load address's");
    expect_assert_failure((void)(plan_at(&image, BASE + 1, &plan, &reason) == CAD_OK));
}

static void the_machine_is_the_one_asked_for(void **state)
{
    struct image image = good;
    struct elf_source source = { image_read, &image, FILE_BYTES };
    struct elf_plan plan;
    const char *reason;

    (void)state;
    assert_int_equal(elf_plan(&source, ELF_MACHINE_AARCH64, BASE, &plan, &reason), CAD_BAD_IMAGE);
    image.header.e_machine = EM_AARCH64;
    assert_int_equal(elf_plan(&source, ELF_MACHINE_AARCH64, BASE, &plan, &reason), CAD_OK);
}

/* Bytes and edge values at random places of the headers: refused, or safe. */
static void garbage_is_refused_or_safe(void **state)
{
    static const uint64_t edges[] = { 0, 1, 0x7fffffff, 0xffffffff, UINT64_MAX, 0x1000,
                                      UINT64_C(1) << 63, CAD_SYSTEM_BASE, CAD_USER_BASE };
    uint64_t random = 20261120;
    unsigned accepted = 0;

    (void)state;
    for (unsigned round = 0; round < 40000; round++) {
        struct image image = round % 2 == 0 ? good : position_independent();
        struct elf_plan plan;
        const char *reason;

        for (uint64_t spots = 1 + next_random(&random) % 3; spots > 0; spots--) {
            uint64_t edge = edges[next_random(&random) % ARRAY_COUNT(edges)];
            uint64_t width = UINT64_C(1) << next_random(&random) % 4;
            uint64_t place = next_random(&random) % (64 + SEGMENTS * 56 - width);

            memcpy((uint8_t *)&image + place, &edge, width);
        }
        if (plan_at(&image, BASE, &plan, &reason) == CAD_OK) {
            check_safe(&plan, FILE_BYTES);
            accepted++;
        } else {
            assert_true(reason != NULL && plan.count == 0);
        }
    }
    assert_in_range(accepted, 1000, 39000); /* both ends were seen */
}

static void a_file_that_changes_while_it_is_read_is_refused_or_safe(void **state)
{
    unsigned accepted = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 20000; seed++) {
        struct image image = good;
        struct elf_plan plan;
        const char *reason;

        image.noise = seed * UINT64_C(0x9e3779b97f4a7c15);
        if (plan_at(&image, BASE, &plan, &reason) == CAD_OK) {
            check_safe(&plan, FILE_BYTES);
            accepted++;
        }
    }
    assert_in_range(accepted, 100, 19900);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_image_becomes_its_segments),
        cmocka_unit_test(each_spoilt_field_is_refused_by_its_own_reason),
        cmocka_unit_test(a_file_cut_anywhere_below_its_segments_is_refused),
        cmocka_unit_test(a_file_that_cannot_be_read_is_refused),
        cmocka_unit_test(as_many_segments_fit_as_a_plan_holds_and_no_more),
        cmocka_unit_test(empty_segments_are_left_out),
        cmocka_unit_test(execute_and_write_imply_read),
        cmocka_unit_test(program_headers_that_are_not_loaded_whole_have_no_address),
        cmocka_unit_test(a_static_pie_is_planned_at_its_load_base),
        cmocka_unit_test(a_load_base_that_does_not_fit_is_refused),
        cmocka_unit_test(the_machine_is_the_one_asked_for),
        cmocka_unit_test(garbage_is_refused_or_safe),
        cmocka_unit_test(a_file_that_changes_while_it_is_read_is_refused_or_safe),
    };

    return cmocka_run_group_tests_name("elf", tests, NULL, NULL);
}
