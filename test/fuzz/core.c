// SPDX-License-Identifier: BSD-2-Clause
/*
 * Sequences of core operations against the naive model of test/model, an audit after
 * each: the input takes the place of chance.
 */
#define main core_model_test_main
#include "test/model/core_model_test.c"
#undef main

#define STEPS_MAX 120

static const uint8_t *input;
static size_t input_left;

static uint8_t input_byte(void)
{
    if (input_left == 0)
        return 0;
    input_left--;
    return *input++;
}

static uint32_t input_below(uint32_t limit)
{
    uint32_t value = input_byte();

    if (limit > 0x100)
        value = value << 8 | input_byte();
    if (limit > 0x10000)
        value = value << 16 | (uint32_t)input_byte() << 8 | input_byte();
    return value % limit;
}

int LLVMFuzzerInitialize(int *argument_count, char ***arguments)
{
    (void)argument_count;
    (void)arguments;
    (void)core_model_test_main;
    setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failed assert_*() is a crash, not an exit */
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    void *none = NULL;

    input = data;
    input_left = bytes;
    make(&none);
    model.choose = input_below;
    bool may_stress = input_below(2) != 0;

    for (unsigned i = 0; input_left > 0 && i < STEPS_MAX; i++)
        step(i, may_stress);
    model_spaces_read_all(&model);
    unmap_all_objects();
    test_audit_expect_clean(&audit);
    model.is_done = true;
    end(&none);
    return 0;
}
