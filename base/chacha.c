// SPDX-License-Identifier: BSD-2-Clause
/* Names are the RFC's: a state of 16 words, 20 rounds, the input added back. */
#include "base/chacha.h"

#define STATE_WORDS   16
#define DOUBLE_ROUNDS 10

static inline uint32_t rotate_left(uint32_t value, unsigned bits)
{
    return value << bits | value >> (32 - bits);
}

/* Inlined at constant indices, so that words of the state stay in registers. */
static inline void quarter_round(uint32_t *state, unsigned a, unsigned b, unsigned c, unsigned d)
{
    state[a] += state[b];
    state[d] = rotate_left(state[d] ^ state[a], 16);
    state[c] += state[d];
    state[b] = rotate_left(state[b] ^ state[c], 12);
    state[a] += state[b];
    state[d] = rotate_left(state[d] ^ state[a], 8);
    state[c] += state[d];
    state[b] = rotate_left(state[b] ^ state[c], 7);
}

void chacha_block(const uint32_t key[CHACHA_KEY_WORDS], uint32_t counter,
                  const uint32_t nonce[CHACHA_NONCE_WORDS], uint8_t out[CHACHA_BLOCK_BYTES])
{
    uint32_t input[STATE_WORDS] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    uint32_t state[STATE_WORDS];

    __builtin_memcpy(&input[4], key, CHACHA_KEY_WORDS * sizeof(uint32_t));
    input[12] = counter;
    __builtin_memcpy(&input[13], nonce, CHACHA_NONCE_WORDS * sizeof(uint32_t));
    __builtin_memcpy(state, input, sizeof(state));
    for (unsigned round = 0; round < DOUBLE_ROUNDS; round++) {
        quarter_round(state, 0, 4, 8, 12);
        quarter_round(state, 1, 5, 9, 13);
        quarter_round(state, 2, 6, 10, 14);
        quarter_round(state, 3, 7, 11, 15);
        quarter_round(state, 0, 5, 10, 15);
        quarter_round(state, 1, 6, 11, 12);
        quarter_round(state, 2, 7, 8, 13);
        quarter_round(state, 3, 4, 9, 14);
    }
    for (unsigned i = 0; i < STATE_WORDS; i++)
        state[i] += input[i];
    __builtin_memcpy(out, state, sizeof(state)); /* little-endian, as both machines are */
}
