// SPDX-License-Identifier: BSD-2-Clause
/* bench: measures every row of bench/budgets.toml that exists; bench/run.py boots it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/exit.h"
#include "measure.h"

static void nothing(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        __asm__ volatile("" ::: "memory");
}

_Noreturn void give_up(const char *what)
{
    printf("bench: %s failed\n", what);
    exit(1);
}

void report(const char *name, uint64_t median, uint64_t least)
{
    printf("metric\t%s\t%llu\t%llu\n", name, (unsigned long long)median,
           (unsigned long long)least);
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

void measure(const struct metric *metric)
{
    uint64_t costs[BATCHES], empty;
    uint64_t items = (uint64_t)metric->operations * metric->each;

    for (int i = -WARM_UPS; i < BATCHES; i++) {
        if (metric->before != NULL)
            metric->before();
        uint64_t cost = batch(metric->run, metric->operations);
        if (metric->after != NULL)
            metric->after();
        empty = batch(nothing, metric->operations);
        if (i >= 0)
            costs[i] = cost > empty ? (cost - empty + items / 2) / items : 0;
    }
    qsort(costs, BATCHES, sizeof costs[0], compare);
    report(metric->name, costs[BATCHES / 2], costs[0]);
}


static void measure_all(const struct metric *metrics)
{
    for (; metrics->name != NULL; metrics++)
        measure(metrics);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "server") == 0)
        return serve();
    if (argc == 2 && strcmp(argv[1], "nothing") == 0)
        return 0;
    measure_all(memory_metrics);
    measure_all(call_metrics);
    measure_all(process_metrics);
    printf("bench: done\n");
    return 0;
}
