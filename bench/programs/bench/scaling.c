// SPDX-License-Identifier: BSD-2-Clause
/* The same for Linux and for us: threads, a common start, times, a storm without system calls. */
#include "scaling.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

enum { SUMMED_WORDS = 4096 };

struct worker {
    pthread_t id;
    const struct storm *storm;
    unsigned number, operations;
    uint64_t start_ns, end_ns;
};

static struct worker workers[SCALING_THREADS_MAX];
static pthread_barrier_t start, end;
static uint64_t summed[SCALING_THREADS_MAX][SUMMED_WORDS];
static volatile uint64_t sums[SCALING_THREADS_MAX * 8]; /* a cache line each */

void checksum(unsigned thread, unsigned operations)
{
    for (unsigned i = 0; i < operations; i++) {
        uint64_t sum = i;

        for (unsigned word = 0; word < SUMMED_WORDS; word++)
            sum = (sum << 7 | sum >> 57) ^ (summed[thread][word] + word);
        summed[thread][i % SUMMED_WORDS] = sum;
        sums[thread * 8] = sum;
    }
}

static uint64_t now_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void *work(void *context)
{
    struct worker *worker = context;
    const struct storm *storm = worker->storm;

    if (storm->before != NULL)
        storm->before(worker->number);
    pthread_barrier_wait(&start);
    worker->start_ns = now_ns();
    storm->run(worker->number, worker->operations);
    worker->end_ns = now_ns();
    pthread_barrier_wait(&end);
    if (storm->after != NULL)
        storm->after(worker->number);
    return NULL;
}

/* Gives: from the first start to the last end. */
static uint64_t work_ns(unsigned threads)
{
    uint64_t first = workers[0].start_ns, last = workers[0].end_ns;

    for (unsigned i = 1; i < threads; i++) {
        first = workers[i].start_ns < first ? workers[i].start_ns : first;
        last = workers[i].end_ns > last ? workers[i].end_ns : last;
    }
    return last - first;
}

static void round_of(const struct storm *storm, unsigned threads, unsigned operations,
                     uint64_t *work_time_ns, uint64_t *total_ns)
{
    uint64_t began = now_ns();

    pthread_barrier_init(&start, NULL, threads + 1);
    pthread_barrier_init(&end, NULL, threads + 1);
    for (unsigned i = 0; i < threads; i++) {
        workers[i] = (struct worker){.storm = storm, .number = i, .operations = operations};
        if (pthread_create(&workers[i].id, NULL, work, &workers[i]) != 0)
            give_up("pthread_create");
    }
    window_begin(); /* the threads cannot start before this one comes to the barrier */
    pthread_barrier_wait(&start);
    pthread_barrier_wait(&end);
    window_end();
    for (unsigned i = 0; i < threads; i++)
        pthread_join(workers[i].id, NULL);
    *total_ns = now_ns() - began;
    *work_time_ns = work_ns(threads);
}

/* The round with the least work time: what else the host did is in the others. */
static void scale(const struct storm *storm, unsigned threads, unsigned operations, int rounds)
{
    uint64_t work_best = UINT64_MAX, total_best = UINT64_MAX;

    for (int i = 0; i < rounds; i++) {
        uint64_t work_time_ns, total_ns;

        round_of(storm, threads, operations, &work_time_ns, &total_ns);
        if (work_time_ns < work_best) {
            work_best = work_time_ns;
            total_best = total_ns;
        }
    }
    printf("scaling\t%s\t%u\t%llu\t%llu\t%llu\n", storm->name, threads,
           (unsigned long long)threads * operations, (unsigned long long)work_best,
           (unsigned long long)total_best);
}

void scale_all(const struct storm *list, unsigned threads, unsigned operations, int rounds)
{
    if (threads == 0 || threads > SCALING_THREADS_MAX)
        give_up("scaling: a number of threads from 1 to 16 is expected; it");
    for (; list->name != NULL; list++)
        scale(list, threads, operations != 0 ? operations : list->operations, rounds);
}
