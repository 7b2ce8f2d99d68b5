// SPDX-License-Identifier: BSD-2-Clause
/*
 * core/ring.c: the input is a list of (head, tail, capacity) and of a hostile peer's
 * writes between the steps of a batch that is run as kernel/ring.c runs it.
 */
#include <stdlib.h>
#include <string.h>

#include "core/ring.h"

#define SLOTS 64u

static const uint8_t *input;
static size_t input_left;

static uint32_t input_word(void)
{
    uint32_t word = 0;
    size_t bytes = input_left < sizeof(word) ? input_left : sizeof(word);

    memcpy(&word, input, bytes);
    input += bytes;
    input_left -= bytes;
    return word;
}

static void expect(bool holds)
{
    if (!holds)
        abort();
}

static void check_differences(void)
{
    uint32_t head = input_word(), tail = input_word(), capacity = 1u << (input_word() % 31);
    uint32_t pending = 0xa5a5a5a5, space = 0xa5a5a5a5;
    uint64_t between = ((uint64_t)tail + (UINT64_C(1) << 32) - head) % (UINT64_C(1) << 32);

    expect(ring_pending(head, tail, capacity, &pending) == (between <= capacity));
    expect(pending == (between <= capacity ? between : 0xa5a5a5a5));
    expect(ring_space(head, tail, capacity, &space) == (between <= capacity));
    expect(space == (between <= capacity ? capacity - between : 0xa5a5a5a5));
    expect(ring_slot(head, capacity) < capacity);
    expect(ring_slot(head, capacity) == head % capacity);
}

struct indices {
    uint32_t sq_head, sq_tail, cq_head, cq_tail;
};

static void strike(struct indices *ring)
{
    uint32_t *const index[] = { &ring->sq_head, &ring->sq_tail, &ring->cq_head, &ring->cq_tail };
    uint32_t choice = input_word();

    if ((choice & 4) != 0)
        *index[choice & 3] += choice >> 24;
    else if ((choice & 8) != 0)
        *index[choice & 3] = input_word();
}

static void run_batch(struct indices *ring)
{
    uint32_t remaining = SLOTS, pending, space, work = 0;

    while (remaining > 0) {
        if (!ring_pending(ring->sq_head, ring->sq_tail, SLOTS, &pending) ||
            !ring_space(ring->cq_head, ring->cq_tail, SLOTS, &space)) {
            ring->sq_head = ring->sq_tail;
            ring->cq_tail = ring->cq_head;
            expect(ring_pending(ring->sq_head, ring->sq_tail, SLOTS, &pending) && pending == 0);
            expect(ring_space(ring->cq_head, ring->cq_tail, SLOTS, &space) && space == SLOTS);
            break;
        }
        expect(pending <= SLOTS && space <= SLOTS);
        if (pending == 0 || space == 0)
            break;
        strike(ring);
        expect(ring_slot(ring->sq_head, SLOTS) < SLOTS);
        ring->sq_head++;
        strike(ring);
        expect(ring_slot(ring->cq_tail, SLOTS) < SLOTS);
        ring->cq_tail++;
        remaining--;
        work++;
    }
    expect(work <= SLOTS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct indices ring = { 0, 0, 0, 0 };

    input = data;
    input_left = bytes;
    while (input_left > 0) {
        check_differences();
        strike(&ring);
        run_batch(&ring);
    }
    return 0;
}
