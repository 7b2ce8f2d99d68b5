// SPDX-License-Identifier: BSD-2-Clause
/* The ChaCha20 block function (RFC 8439, section 2.3). */
#ifndef BASE_CHACHA_H
#define BASE_CHACHA_H

#include "base/types.h"

#define CHACHA_KEY_WORDS   8
#define CHACHA_NONCE_WORDS 3
#define CHACHA_BLOCK_BYTES 64

void chacha_block(const uint32_t key[CHACHA_KEY_WORDS], uint32_t counter,
                  const uint32_t nonce[CHACHA_NONCE_WORDS], uint8_t out[CHACHA_BLOCK_BYTES]);

#endif
