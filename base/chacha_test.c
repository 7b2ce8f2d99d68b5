// SPDX-License-Identifier: BSD-2-Clause
/* The block function against RFC 8439's own vectors (2.3.2 and A.1 #1, #2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/chacha.h"

static void the_rfc_example_block_comes_out(void **state)
{
    static const uint8_t expected[CHACHA_BLOCK_BYTES] = {
        0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15, 0x50, 0x0f, 0xdd, 0x1f, 0xa3, 0x20, 0x71,
        0xc4, 0xc7, 0xd1, 0xf4, 0xc7, 0x33, 0xc0, 0x68, 0x03, 0x04, 0x22, 0xaa, 0x9a, 0xc3, 0xd4,
        0x6c, 0x4e, 0xd2, 0x82, 0x64, 0x46, 0x07, 0x9f, 0xaa, 0x09, 0x14, 0xc2, 0xd7, 0x05, 0xd9,
        0x8b, 0x02, 0xa2, 0xb5, 0x12, 0x9c, 0xd1, 0xde, 0x16, 0x4e, 0xb9, 0xcb, 0xd0, 0x83, 0xe8,
        0xa2, 0x50, 0x3c, 0x4e};
    static const uint32_t key[CHACHA_KEY_WORDS] = {0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c,
                                                   0x13121110, 0x17161514, 0x1b1a1918, 0x1f1e1d1c};
    static const uint32_t nonce[CHACHA_NONCE_WORDS] = {0x09000000, 0x4a000000, 0};
    uint8_t block[CHACHA_BLOCK_BYTES];

    (void)state;
    chacha_block(key, 1, nonce, block);
    assert_memory_equal(block, expected, sizeof(expected));
}

static void the_zero_key_gives_the_known_first_bytes(void **state)
{
    static const uint8_t first[8] = {0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90};
    static const uint8_t second[8] = {0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a};
    static const uint32_t key[CHACHA_KEY_WORDS] = {0};
    static const uint32_t nonce[CHACHA_NONCE_WORDS] = {0};
    uint8_t block[CHACHA_BLOCK_BYTES];

    (void)state;
    chacha_block(key, 0, nonce, block);
    assert_memory_equal(block, first, sizeof(first));
    chacha_block(key, 1, nonce, block);
    assert_memory_equal(block, second, sizeof(second));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rfc_example_block_comes_out),
        cmocka_unit_test(the_zero_key_gives_the_known_first_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
