// SPDX-License-Identifier: BSD-2-Clause
/* One key for the machine; seeding absorbs samples by running the key through the block. */
#include "kernel/entropy.h"

#include "arch/cpu.h"
#include "arch/timer.h"
#include "base/assert.h"
#include "base/chacha.h"
#include "base/print.h"
#include "kernel/cpu.h"
#include "kernel/dispatch.h"
#include "kernel/user_copy.h"

#define SEED_SAMPLES 64

static struct spinlock entropy_lock = SPINLOCK_INIT(LOCK_ENTROPY);
static uint32_t key[CHACHA_KEY_WORDS];

/* A new key out of the old one and `sample`. Locks: entropy. */
static void key_absorb(uint64_t sample)
{
    const uint32_t nonce[CHACHA_NONCE_WORDS] = {(uint32_t)sample, (uint32_t)(sample >> 32),
                                                UINT32_MAX};
    uint8_t block[CHACHA_BLOCK_BYTES];

    chacha_block(key, 0, nonce, block);
    __builtin_memcpy(key, block, sizeof(key));
    __builtin_memset(block, 0, sizeof(block));
}

void entropy_init(void)
{
    unsigned from_hardware = 0;

    spin_lock(&entropy_lock);
    key_absorb(timer_boot_wall_seconds());
    for (unsigned i = 0; i < SEED_SAMPLES; i++) {
        uint64_t sample = 0;
        from_hardware += cpu_hardware_random(&sample);
        key_absorb(sample);
        key_absorb(cpu_cycles() ^ timer_now_ns());
    }
    spin_unlock(&entropy_lock);
    if (from_hardware == 0)
        print("entropy: this CPU has no generator; seeded by the jitter of its counter alone\n");
}

void entropy_fill(void *to, uint64_t bytes)
{
    static const uint32_t nonce[CHACHA_NONCE_WORDS] = {0, 0, 0};
    uint8_t *out = to;
    uint8_t block[CHACHA_BLOCK_BYTES];
    uint32_t fill_key[CHACHA_KEY_WORDS];

    CHECK_VALUE(bytes <= ENTROPY_FILL_MAX, bytes);
    spin_lock(&entropy_lock);
    key_absorb(cpu_cycles());
    chacha_block(key, 0, nonce, block);
    __builtin_memcpy(fill_key, block, sizeof(fill_key));
    __builtin_memcpy(key, block + sizeof(fill_key), sizeof(key));
    spin_unlock(&entropy_lock);
    for (uint32_t counter = 1; bytes > 0; counter++) {
        uint64_t part = bytes < sizeof(block) ? bytes : sizeof(block);
        chacha_block(fill_key, counter, nonce, block);
        __builtin_memcpy(out, block, part);
        out += part;
        bytes -= part;
    }
    __builtin_memset(block, 0, sizeof(block));
    __builtin_memset(fill_key, 0, sizeof(fill_key));
}

status_t method_entropy_fill(struct invocation *call)
{
    uint64_t bytes = argument(call, 1);
    uint8_t data[ENTROPY_FILL_MAX];

    if (bytes > ENTROPY_FILL_MAX)
        return CAD_INVALID;
    entropy_fill(data, bytes);
    return copy_to_user(call->process, argument(call, 0), data, bytes);
}
