// SPDX-License-Identifier: BSD-2-Clause
/* One key for the machine.  Every block, of seeding and of output, has a sample in its
 * nonce, and its first half is the next key. */
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
#define HALF_BYTES   (CHACHA_BLOCK_BYTES / 2)

static struct spinlock entropy_lock = SPINLOCK_INIT(LOCK_ENTROPY);
static uint32_t key[CHACHA_KEY_WORDS];

COMPILE_ASSERT(sizeof(key) == HALF_BYTES, a_block_is_a_key_and_as_much_output);

/* A new key out of the old one and the samples, and as much output. Locks: entropy. */
static void key_replace(uint64_t sample, uint32_t jitter, uint8_t output[HALF_BYTES])
{
    const uint32_t nonce[CHACHA_NONCE_WORDS] = {(uint32_t)sample, (uint32_t)(sample >> 32),
                                                jitter};
    uint8_t block[CHACHA_BLOCK_BYTES];

    chacha_block(key, 0, nonce, block);
    __builtin_memcpy(key, block, HALF_BYTES);
    __builtin_memcpy(output, block + HALF_BYTES, HALF_BYTES);
    __builtin_memset(block, 0, sizeof(block));
}

void entropy_init(void)
{
    unsigned from_hardware = 0;
    uint8_t unused[HALF_BYTES];

    spin_lock(&entropy_lock);
    key_replace(timer_boot_wall_seconds(), 0, unused);
    for (unsigned i = 0; i < SEED_SAMPLES; i++) {
        uint64_t sample = 0;
        from_hardware += cpu_hardware_random(&sample);
        key_replace(sample, (uint32_t)(cpu_cycles() ^ timer_now_ns()), unused);
    }
    spin_unlock(&entropy_lock);
    if (from_hardware == 0)
        print("entropy: this CPU has no generator; seeded by the jitter of its counter alone\n");
}

void entropy_fill(void *to, uint64_t bytes)
{
    uint8_t *out = to;
    uint8_t output[HALF_BYTES];

    CHECK_VALUE(bytes <= ENTROPY_FILL_MAX, bytes);
    while (bytes > 0) {
        uint64_t part = bytes < HALF_BYTES ? bytes : HALF_BYTES;
        spin_lock(&entropy_lock);
        key_replace(cpu_cycles(), 0, output);
        spin_unlock(&entropy_lock);
        __builtin_memcpy(out, output, part);
        out += part;
        bytes -= part;
    }
    __builtin_memset(output, 0, sizeof(output));
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
