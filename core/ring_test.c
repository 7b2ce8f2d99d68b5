// SPDX-License-Identifier: BSD-2-Clause
#include "core/ring.h"

#include "core/test_world.h"

#define CAPACITY 64u
#define UNTOUCHED 0xdeadu

static void an_empty_ring_has_nothing_pending_and_all_free(void **state)
{
    uint32_t count = UNTOUCHED;

    (void)state;
    assert_true(ring_pending(7, 7, CAPACITY, &count));
    assert_int_equal(count, 0);
    assert_true(ring_space(7, 7, CAPACITY, &count));
    assert_int_equal(count, CAPACITY);
}

static void a_full_ring_has_all_pending_and_nothing_free(void **state)
{
    uint32_t count = UNTOUCHED;

    (void)state;
    assert_true(ring_pending(7, 7 + CAPACITY, CAPACITY, &count));
    assert_int_equal(count, CAPACITY);
    assert_true(ring_space(7, 7 + CAPACITY, CAPACITY, &count));
    assert_int_equal(count, 0);
}

static void indices_run_on_past_the_word(void **state)
{
    uint32_t count = UNTOUCHED;

    (void)state;
    assert_true(ring_pending(UINT32_MAX - 1, 3, CAPACITY, &count));
    assert_int_equal(count, 5);
    assert_true(ring_space(UINT32_MAX - 1, 3, CAPACITY, &count));
    assert_int_equal(count, CAPACITY - 5);
}

static void a_tail_too_far_ahead_or_behind_is_refused(void **state)
{
    static const uint32_t distances[] = { CAPACITY + 1, CAPACITY * 2, 0x80000000u, UINT32_MAX };

    (void)state;
    for (unsigned i = 0; i < sizeof(distances) / sizeof(distances[0]); i++) {
        for (uint32_t head = UINT32_MAX - 2; head != 3; head++) {
            uint32_t count = UNTOUCHED;

            assert_false(ring_pending(head, head + distances[i], CAPACITY, &count));
            assert_false(ring_space(head, head + distances[i], CAPACITY, &count));
            assert_int_equal(count, UNTOUCHED);
        }
    }
}

static void slots_wrap_at_the_capacity(void **state)
{
    (void)state;
    assert_int_equal(ring_slot(CAPACITY - 1, CAPACITY), CAPACITY - 1);
    assert_int_equal(ring_slot(CAPACITY, CAPACITY), 0);
    assert_int_equal(ring_slot(UINT32_MAX, CAPACITY), CAPACITY - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_ring_has_nothing_pending_and_all_free),
        cmocka_unit_test(a_full_ring_has_all_pending_and_nothing_free),
        cmocka_unit_test(indices_run_on_past_the_word),
        cmocka_unit_test(a_tail_too_far_ahead_or_behind_is_refused),
        cmocka_unit_test(slots_wrap_at_the_capacity),
    };

    return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
