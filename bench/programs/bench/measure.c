// SPDX-License-Identifier: BSD-2-Clause
/* Batches, medians, and the lines that bench/run.py reads.  Nothing here is ours alone: the
 * program for Linux (bench/peers) is measured by the same text. */
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>

static void nothing(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        __asm__ volatile("" ::: "memory");
}

void report(const char *name, uint64_t median, uint64_t least)
{
    printf("metric\t%s\t%llu\t%llu\n", name, (unsigned long long)median,
           (unsigned long long)least);
}

/* They must not become one. */
__attribute__((noinline)) void window_begin(void)
{
    __asm__ volatile("nop # begin");
}

__attribute__((noinline)) void window_end(void)
{
    __asm__ volatile("nop # end");
}

static uint64_t batch(batch_function run, unsigned operations)
{
    uint64_t start = instructions();

    run(operations);
    return instructions() - start;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

void measure(const struct metric *metric, int batches)
{
    uint64_t costs[BATCHES], empty;
    uint64_t items = (uint64_t)metric->operations * metric->each;

    for (int i = -WARM_UPS; i < batches; i++) {
        if (metric->before != NULL)
            metric->before();
        window_begin();
        uint64_t cost = batch(metric->run, metric->operations);
        window_end();
        if (metric->after != NULL)
            metric->after();
        empty = batch(nothing, metric->operations);
        if (i >= 0)
            costs[i] = cost > empty ? (cost - empty + items / 2) / items : 0;
    }
    qsort(costs, (size_t)batches, sizeof costs[0], compare);
    report(metric->name, costs[batches / 2], costs[0]);
    printf("items\t%s\t%llu\n", metric->name, (unsigned long long)items);
}
