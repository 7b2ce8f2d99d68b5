// SPDX-License-Identifier: BSD-2-Clause
/*
 * threads: a plain pthread program. More threads than CPUs compute in floating
 * point while they preempt each other, so a lost register file shows as a wrong
 * sum (EX1); a mutex, a condition variable and a barrier made of them must lose
 * no count and no wake-up (PK2). Nothing here knows the system it runs on.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 4, STEPS = 400000, THREADS_MAX = 64, HANDOVERS = 2000 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrived_all = PTHREAD_COND_INITIALIZER;
static unsigned thread_count, arrived, generation;
static uint64_t shared_sum;
static _Thread_local uint64_t own_rounds;

/* Waits until all threads are here. */
static void barrier(void)
{
    pthread_mutex_lock(&mutex);
    unsigned mine = generation;

    if (++arrived == thread_count) {
        arrived = 0;
        generation++;
        pthread_cond_broadcast(&arrived_all);
    }
    while (mine == generation)
        pthread_cond_wait(&arrived_all, &mutex);
    pthread_mutex_unlock(&mutex);
}

/* A series whose every step depends on the last: one wrong register, wrong result. */
static double series(unsigned seed)
{
    double x = 1.0 + seed / 16.0, y = 0.5;

    for (unsigned i = 0; i < STEPS; i++) {
        y = y * 0.999 + x / (1.0 + y * y);
        x = x * 1.0000001 - y * 0.0000003;
    }
    return x + y;
}

struct work {
    unsigned seed;
    double expected, found;
};

static void *worker(void *argument)
{
    struct work *work = argument;

    for (unsigned round = 0; round < ROUNDS; round++) {
        work->found = series(work->seed);
        if (work->found != work->expected)
            return (void *)1;
        pthread_mutex_lock(&mutex);
        shared_sum += work->seed;
        pthread_mutex_unlock(&mutex);
        own_rounds++;
        barrier();
    }
    return own_rounds == ROUNDS ? NULL : (void *)2;
}

static unsigned turn;
static pthread_cond_t turn_changed = PTHREAD_COND_INITIALIZER;

/* Two threads that strictly alternate. */
static void *alternate(void *argument)
{
    unsigned me = (unsigned)(uintptr_t)argument;

    for (unsigned i = 0; i < HANDOVERS; i++) {
        pthread_mutex_lock(&mutex);
        while (turn % 2 != me)
            pthread_cond_wait(&turn_changed, &mutex);
        turn++;
        pthread_cond_signal(&turn_changed);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void *counts_up(void *counter)
{
    for (unsigned i = 0; i < 1000; i++)
        atomic_fetch_add((atomic_uint *)counter, 1);
    void *block = malloc(100000); /* its own heap use, freed by nobody else */

    free(block);
    return block == NULL ? (void *)1 : NULL;
}

static void fail(const char *what)
{
    printf("threads: FAILED: %s\n", what);
    exit(1);
}

static void many_short_threads(void)
{
    atomic_uint counter = 0;

    for (unsigned i = 0; i < 100; i++) {
        pthread_t pair[2];
        void *first, *second;

        if (pthread_create(&pair[0], NULL, counts_up, &counter) != 0 ||
            pthread_create(&pair[1], NULL, counts_up, &counter) != 0)
            fail("pthread_create of a short thread");
        pthread_join(pair[0], &first);
        pthread_join(pair[1], &second);
        if (first != NULL || second != NULL)
            fail("a short thread could not allocate");
    }
    if (counter != 200000)
        fail("short threads lost counts");
}

int main(void)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    pthread_t ids[THREADS_MAX];
    struct work work[THREADS_MAX];
    struct timespec start, end;
    uint64_t expected_sum = 0;
    void *outcome;

    thread_count = (unsigned)(cpus > 0 ? cpus : 1) * 2;
    if (thread_count > THREADS_MAX)
        thread_count = THREADS_MAX;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (unsigned i = 0; i < thread_count; i++) {
        work[i] = (struct work){ .seed = i, .expected = series(i) };
        expected_sum += (uint64_t)i * ROUNDS;
    }
    for (unsigned i = 0; i < thread_count; i++) {
        if (pthread_create(&ids[i], NULL, worker, &work[i]) != 0)
            fail("pthread_create");
    }
    for (unsigned i = 0; i < thread_count; i++) {
        if (pthread_join(ids[i], &outcome) != 0)
            fail("pthread_join");
        if (outcome == (void *)1)
            fail("floating-point state was lost");
        if (outcome != NULL)
            fail("thread-local state was lost");
    }
    if (shared_sum != expected_sum)
        fail("the mutex let counts be lost");

    pthread_create(&ids[0], NULL, alternate, (void *)0);
    pthread_create(&ids[1], NULL, alternate, (void *)1);
    pthread_join(ids[0], NULL);
    pthread_join(ids[1], NULL);
    if (turn != 2 * HANDOVERS)
        fail("alternation lost a turn");
    many_short_threads();
    clock_gettime(CLOCK_MONOTONIC, &end);
    if (end.tv_sec < start.tv_sec || (end.tv_sec == start.tv_sec && end.tv_nsec <= start.tv_nsec))
        fail("time did not advance");
    printf("threads: %u threads on %ld CPUs: all sums right\n", thread_count, cpus);
    return 0;
}
