// SPDX-License-Identifier: BSD-2-Clause
/* The fuzzer's bytes, read one after the other; zeroes once they are used up. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <string.h>

#include "base/types.h"

struct input {
    const uint8_t *bytes;
    size_t left;
};

static inline uint64_t input_take(struct input *input, size_t bytes)
{
    uint64_t value = 0;
    size_t count = bytes < input->left ? bytes : input->left;

    memcpy(&value, input->bytes, count);
    input->bytes += count;
    input->left -= count;
    return value;
}

static inline uint8_t input_byte(struct input *input)
{
    return (uint8_t)input_take(input, 1);
}

#endif
