// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every state of the park queues that THREADS threads and WORDS words can reach, by
 * sequences of any length: a search, breadth first (PK1, PK2).
 *
 * From each state each thread parks on each word, leaves by itself (deadline, kill), each
 * word is unparked, and memory goes away from each range, bucket by bucket.  The model is
 * a list of who came, in the order of arrival: who wakes is the first in it who may.  After
 * each step every bucket's queue is that list's part of it, linked both ways.
 *
 * The words lie in one bucket but for the one of OTHER_BUCKET, and differ in one part of the
 * key only where they can.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/test_world.h" /* assert_failed */

#include "core/park.h"

#define THREADS      4
#define WORDS        5
#define OTHER_BUCKET 3
#define DIGITS       (THREADS * WORDS + 1)
#define STATES_MAX   (DIGITS * DIGITS * DIGITS * DIGITS)

COMPILE_ASSERT(THREADS == 4, a_digit_of_a_state_for_each_thread);

/* Who waits, for which word, oldest first. */
struct arrivals {
    uint32_t count;
    struct {
        uint32_t thread, word;
    } at[THREADS];
};

struct snapshot {
    struct park_waiter waiters[THREADS];
    struct park_table table;
    struct arrivals model;
    struct snapshot *next;
};

struct range {
    uint32_t space;
    uint64_t generation;
    virt_addr_t start, end;
};

static struct park_key words[WORDS];
static uint32_t buckets[2];
static struct range ranges[5];
static struct snapshot now;
static bool seen[STATES_MAX];
static uint32_t seen_count;
static uint64_t made;
static struct snapshot *queue_first, **queue_last = &queue_first;

/* --- states --- */

static uint32_t number_of(const struct arrivals *model)
{
    uint32_t number = 0;

    for (uint32_t i = 0; i < model->count; i++)
        number = number * DIGITS + 1 + model->at[i].thread * WORDS + model->at[i].word;
    return number;
}

static void remember(void)
{
    bool *known = &seen[number_of(&now.model)];

    if (*known)
        return;
    struct snapshot *copy = malloc(sizeof(*copy));

    assert_non_null(copy);
    *known = true;
    seen_count++;
    *copy = now;
    copy->next = NULL;
    *queue_last = copy;
    queue_last = &copy->next;
}

static void restore(const struct snapshot *from)
{
    now = *from;
    now.table.waiters = now.waiters;
}

/* --- the model --- */

static uint32_t model_find(uint32_t thread)
{
    uint32_t i = 0;

    while (i < now.model.count && now.model.at[i].thread != thread)
        i++;
    return i;
}

/* Gives: who it was. */
static uint32_t model_drop(uint32_t index)
{
    uint32_t thread = now.model.at[index].thread;

    now.model.count--;
    for (uint32_t i = index; i < now.model.count; i++)
        now.model.at[i] = now.model.at[i + 1];
    return thread;
}

static uint32_t model_wake(uint32_t word)
{
    for (uint32_t i = 0; i < now.model.count; i++) {
        if (now.model.at[i].word == word)
            return model_drop(i);
    }
    return PARK_NONE;
}

static uint32_t model_bucket(uint32_t word)
{
    return buckets[word == OTHER_BUCKET];
}

static bool is_inside(uint32_t word, const struct range *range)
{
    return words[word].space == range->space && words[word].generation == range->generation &&
           words[word].address >= range->start && words[word].address < range->end;
}

static uint32_t model_wake_range(uint32_t bucket, const struct range *range)
{
    for (uint32_t i = 0; i < now.model.count; i++) {
        uint32_t word = now.model.at[i].word;

        if (model_bucket(word) == bucket && is_inside(word, range))
            return model_drop(i);
    }
    return PARK_NONE;
}

/* --- comparison --- */

static void compare_bucket(uint32_t bucket)
{
    uint32_t waiter = now.table.head[bucket];

    for (uint32_t i = 0; i < now.model.count; i++) {
        uint32_t word = now.model.at[i].word;

        if (model_bucket(word) != bucket)
            continue;
        assert_int_equal(waiter, now.model.at[i].thread);
        assert_memory_equal(&now.waiters[waiter].key, &words[word], sizeof(words[word]));
        waiter = now.waiters[waiter].next;
    }
    assert_int_equal(waiter, PARK_NONE);
    park_check_invariants(&now.table, bucket);
}

static void compare(void)
{
    made++;
    for (uint32_t bucket = 0; bucket < PARK_BUCKETS; bucket++) {
        bool is_used = bucket == buckets[0] || bucket == buckets[1];

        assert_true(is_used || (now.table.head[bucket] == PARK_NONE &&
                                now.table.tail[bucket] == PARK_NONE));
    }
    compare_bucket(buckets[0]);
    compare_bucket(buckets[1]);
    for (uint32_t thread = 0; thread < THREADS; thread++)
        assert_int_equal(now.waiters[thread].queued, model_find(thread) < now.model.count);
    remember();
}

/* --- operations, each from the state `from` --- */

static void try_park(const struct snapshot *from, uint32_t thread, uint32_t word)
{
    restore(from);
    if (model_find(thread) < now.model.count)
        return;
    now.model.at[now.model.count].thread = thread;
    now.model.at[now.model.count].word = word;
    now.model.count++;
    park_enqueue(&now.table, thread, &words[word]);
    compare();
}

static void try_leave(const struct snapshot *from, uint32_t thread)
{
    restore(from);
    uint32_t index = model_find(thread);
    bool waits = index < now.model.count;

    if (waits)
        (void)model_drop(index);
    assert_int_equal(park_remove(&now.table, thread), waits);
    compare();
}

static void try_unpark(const struct snapshot *from, uint32_t word)
{
    restore(from);
    uint32_t expected = model_wake(word);

    assert_int_equal(park_dequeue(&now.table, &words[word]), expected);
    compare();
}

static void try_unmap(const struct snapshot *from, uint32_t bucket, const struct range *range)
{
    restore(from);
    uint32_t expected = model_wake_range(bucket, range);

    assert_int_equal(park_dequeue_range(&now.table, bucket, range->space, range->generation,
                                        range->start, range->end), expected);
    compare();
}

static void try_all(const struct snapshot *from)
{
    for (uint32_t thread = 0; thread < THREADS; thread++) {
        for (uint32_t word = 0; word < WORDS; word++)
            try_park(from, thread, word);
        try_leave(from, thread);
    }
    for (uint32_t word = 0; word < WORDS; word++)
        try_unpark(from, word);
    for (uint32_t i = 0; i < ARRAY_COUNT(ranges); i++) {
        try_unmap(from, buckets[0], &ranges[i]);
        try_unmap(from, buckets[1], &ranges[i]);
    }
}

/* --- the words --- */

static void choose_words(void)
{
    const struct park_key first = { .space = 1, .generation = 1, .address = 0x10000 };

    for (uint32_t i = 0; i < WORDS; i++)
        words[i] = first;
    buckets[0] = park_bucket(&first);
    words[1].address = 0x11000;
    while (park_bucket(&words[1]) != buckets[0])
        words[1].address += 4;
    do {
        words[2].generation++;
    } while (park_bucket(&words[2]) != buckets[0]);
    words[OTHER_BUCKET].address += 4;
    buckets[1] = park_bucket(&words[OTHER_BUCKET]);
    do {
        words[4].space++;
    } while (park_bucket(&words[4]) != buckets[0]);
    assert_int_not_equal(buckets[0], buckets[1]);
}

/* The page of words 0 and 3, that word 1's on, one end between two words, each other space. */
static void choose_ranges(void)
{
    virt_addr_t second = words[1].address;

    ranges[0] = (struct range){ 1, 1, 0x10000, 0x11000 };
    ranges[1] = (struct range){ 1, 1, 0x11000, second + 4 };
    ranges[2] = (struct range){ 1, 1, 0x10004, second };
    ranges[3] = (struct range){ 1, words[2].generation, 0, UINT64_MAX };
    ranges[4] = (struct range){ words[4].space, 1, 0, UINT64_MAX };
}

static void every_queue_wakes_in_the_order_of_arrival(void **state)
{
    (void)state;
    choose_words();
    choose_ranges();
    park_init(&now.table, now.waiters);
    compare();
    while (queue_first != NULL) {
        struct snapshot *from = queue_first;

        queue_first = from->next;
        if (queue_first == NULL)
            queue_last = &queue_first;
        try_all(from);
        free(from);
    }
    printf("%u states, %llu steps\n", seen_count, (unsigned long long)made);
    /* 24 orders of 4 threads on any words, 24 of 3, 12 of 2, 4 of 1, none */
    assert_int_equal(seen_count, 24 * 625 + 24 * 125 + 12 * 25 + 4 * 5 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_queue_wakes_in_the_order_of_arrival),
    };

    return cmocka_run_group_tests_name("park_exhaustive", tests, NULL, NULL);
}
