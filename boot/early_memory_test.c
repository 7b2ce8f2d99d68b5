// SPDX-License-Identifier: BSD-2-Clause
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <stdlib.h>
#include <string.h>

#include "boot/early_memory.c"

#define MIB           UINT64_C(0x100000)
#define MEMORY_BYTES  (8 * MIB)
#define RANDOM_ROUNDS 3000
#define RANDOM_SPACE  64 /* pages that random regions lie in */
#define NO_LIMIT      (UINT64_C(1) << 46)

static uint8_t memory[MEMORY_BYTES];
static struct boot_info boot;

void *early_pointer(phys_addr_t address)
{
    assert_true(address < MEMORY_BYTES);
    return memory + address;
}

static int clear(void **state)
{
    (void)state;
    boot = (struct boot_info){0};
    memset(memory, 0xa5, sizeof(memory));
    return 0;
}

static void add(phys_addr_t start, phys_addr_t end, enum boot_region_kind kind)
{
    assert_true(boot_region_add(&boot, start, end - start, kind));
}

static void assert_region(unsigned index, phys_addr_t start, phys_addr_t end,
                          enum boot_region_kind kind)
{
    assert_int_equal(boot.regions[index].start, start);
    assert_int_equal(boot.regions[index].end, end);
    assert_int_equal(boot.regions[index].kind, kind);
}

static void reserved_wins_over_usable(void **state)
{
    (void)state;
    add(0, 16 * PAGE_SIZE, BOOT_REGION_USABLE);
    add(4 * PAGE_SIZE + 100, 5 * PAGE_SIZE + 100, BOOT_REGION_RESERVED);
    assert_true(boot_regions_normalise(&boot, NO_LIMIT));
    assert_int_equal(boot.region_count, 3);
    assert_region(0, 0, 4 * PAGE_SIZE, BOOT_REGION_USABLE);
    assert_region(1, 4 * PAGE_SIZE + 100, 5 * PAGE_SIZE + 100, BOOT_REGION_RESERVED);
    assert_region(2, 6 * PAGE_SIZE, 16 * PAGE_SIZE, BOOT_REGION_USABLE);
}

static void neighbours_and_overlaps_become_one(void **state)
{
    (void)state;
    add(8 * PAGE_SIZE, 12 * PAGE_SIZE, BOOT_REGION_USABLE);
    add(0, 4 * PAGE_SIZE, BOOT_REGION_USABLE);
    add(2 * PAGE_SIZE, 8 * PAGE_SIZE, BOOT_REGION_USABLE);
    assert_true(boot_regions_normalise(&boot, NO_LIMIT));
    assert_int_equal(boot.region_count, 1);
    assert_region(0, 0, 12 * PAGE_SIZE, BOOT_REGION_USABLE);
}

static void memory_beyond_the_limit_is_dropped(void **state)
{
    (void)state;
    add(0, 4 * PAGE_SIZE, BOOT_REGION_USABLE);
    add(6 * PAGE_SIZE, UINT64_MAX, BOOT_REGION_USABLE);
    add(100 * PAGE_SIZE, 101 * PAGE_SIZE, BOOT_REGION_USABLE);
    assert_true(boot_regions_normalise(&boot, 9 * PAGE_SIZE));
    assert_int_equal(boot.region_count, 2);
    assert_region(1, 6 * PAGE_SIZE, 9 * PAGE_SIZE, BOOT_REGION_USABLE);
    assert_int_equal(boot_frame_limit(&boot), 9);
}

static void a_list_that_overflows_is_refused(void **state)
{
    (void)state;
    add(0, 4096 * PAGE_SIZE, BOOT_REGION_USABLE);
    for (unsigned i = 1; i < BOOT_REGIONS_MAX; i++)
        add(8 * i * PAGE_SIZE, (8 * i + 1) * PAGE_SIZE, BOOT_REGION_RESERVED);
    assert_false(boot_region_add(&boot, 0, PAGE_SIZE, BOOT_REGION_USABLE));
    assert_int_equal(boot.region_count, BOOT_REGIONS_MAX);
    assert_false(boot_regions_normalise(&boot, NO_LIMIT)); /* the pieces do not fit */
}

/* What the list says of a whole page, before or after it was put in order. */
static bool page_is_usable(const struct boot_info *info, uint64_t page)
{
    uint64_t covered = 0; /* a bit for each eighth of the page */
    for (unsigned i = 0; i < info->region_count; i++) {
        const struct boot_region *region = &info->regions[i];
        for (unsigned part = 0; part < 8; part++) {
            uint64_t start = page * PAGE_SIZE + part * 512;
            bool touched = region->start < start + 512 && region->end > start;
            bool whole = region->start <= start && region->end >= start + 512;
            if (region->kind == BOOT_REGION_RESERVED && touched)
                return false;
            if (region->kind == BOOT_REGION_USABLE && whole)
                covered |= UINT64_C(1) << part;
        }
    }
    return covered == 0xff;
}

static void random_maps_say_the_same_in_order(void **state)
{
    (void)state;
    srand(1);
    for (unsigned round = 0; round < RANDOM_ROUNDS; round++) {
        bool aligned = rand() % 2 == 0;
        uint64_t unit = aligned ? PAGE_SIZE : 512;
        boot.region_count = 0;
        for (unsigned i = 0; i < 8; i++) {
            phys_addr_t start = (uint64_t)rand() % (RANDOM_SPACE * PAGE_SIZE / unit) * unit;
            add(start, start + (uint64_t)(rand() % 64) * unit,
                rand() % 3 == 0 ? BOOT_REGION_RESERVED : BOOT_REGION_USABLE);
        }
        struct boot_info before = boot;
        assert_true(boot_regions_normalise(&boot, NO_LIMIT));
        for (unsigned i = 1; i < boot.region_count; i++)
            assert_true(boot.regions[i - 1].end <= boot.regions[i].start);
        for (uint64_t page = 0; page < RANDOM_SPACE + 8; page++) {
            bool usable = boot_range_is_usable(&boot, page * PAGE_SIZE, (page + 1) * PAGE_SIZE);
            /* A page put together from pieces of two regions is lost: less, never more. */
            if (usable || aligned)
                assert_int_equal(usable, page_is_usable(&before, page));
        }
    }
}

/* Low memory, then 7 MiB with the kernel in front and an archive in the middle. */
static void make_machine(void)
{
    add(0, 0x9f000, BOOT_REGION_USABLE);
    add(0x9f000, MIB, BOOT_REGION_RESERVED);
    add(MIB, MEMORY_BYTES, BOOT_REGION_USABLE);
    assert_true(boot_regions_normalise(&boot, NO_LIMIT));
    boot.kernel_start = MIB;
    boot.kernel_end = MIB + 10 * PAGE_SIZE + 1;
    boot.archive_start = 2 * MIB + 5;
    boot.archive_end = 2 * MIB + PAGE_SIZE + 5;
}

static void taken_frames_avoid_what_is_held(void **state)
{
    (void)state;
    make_machine();
    uint64_t free_before = 0, free_after = 0, taken = 0;
    for (frame_no_t f = 0; f < MEMORY_BYTES / PAGE_SIZE; f++)
        free_before += boot_frame_is_free(&boot, f);
    assert_false(boot_frame_is_free(&boot, 0));
    assert_false(boot_frame_is_free(&boot, address_frame(boot.kernel_end)));
    assert_false(boot_frame_is_free(&boot, address_frame(boot.archive_end)));
    for (uint64_t count = 1;; count = count % 7 + 1) {
        frame_no_t frame = boot_take_frames(&boot, count);
        if (frame == FRAME_NONE)
            break;
        for (frame_no_t f = frame; f < frame + count; f++) {
            assert_true(frame_address(f) >= BOOT_LOW_MEMORY_END);
            assert_false(boot_frame_is_free(&boot, f));
            assert_int_equal(memory[frame_address(f)], 0); /* zeroed, and not given twice */
            assert_int_equal(memory[frame_address(f) + PAGE_SIZE - 1], 0);
            memory[frame_address(f)] = 1;
        }
        taken += count;
    }
    for (frame_no_t f = 0; f < MEMORY_BYTES / PAGE_SIZE; f++)
        free_after += boot_frame_is_free(&boot, f);
    assert_int_equal(free_before - free_after, taken);
    assert_true(taken > 7 * 256 - 30);
    assert_int_equal(memory[boot.kernel_end], 0xa5);
    assert_int_equal(memory[boot.archive_end], 0xa5);
}

static void a_low_frame_is_low_and_never_frame_0(void **state)
{
    (void)state;
    make_machine();
    frame_no_t low = boot_take_low_frame(&boot);
    assert_int_equal(low, 1);
    assert_false(boot_frame_is_free(&boot, low));
    assert_int_not_equal(boot_take_low_frame(&boot), low);
}

static void more_than_there_is_changes_nothing(void **state)
{
    (void)state;
    make_machine();
    assert_int_equal(boot_take_frames(&boot, MEMORY_BYTES / PAGE_SIZE), FRAME_NONE);
    assert_int_equal(boot_take_frames(&boot, 0), FRAME_NONE);
    assert_int_equal(boot_take_frames(&boot, UINT64_MAX / PAGE_SIZE), FRAME_NONE);
    assert_int_equal(boot.taken_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reserved_wins_over_usable, clear),
        cmocka_unit_test_setup(neighbours_and_overlaps_become_one, clear),
        cmocka_unit_test_setup(memory_beyond_the_limit_is_dropped, clear),
        cmocka_unit_test_setup(a_list_that_overflows_is_refused, clear),
        cmocka_unit_test_setup(random_maps_say_the_same_in_order, clear),
        cmocka_unit_test_setup(taken_frames_avoid_what_is_held, clear),
        cmocka_unit_test_setup(a_low_frame_is_low_and_never_frame_0, clear),
        cmocka_unit_test_setup(more_than_there_is_changes_nothing, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
