// SPDX-License-Identifier: BSD-2-Clause
/* bench: measures every row of bench/budgets.toml that exists; bench/run.py boots it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "scaling.h"
#include "server.h"

enum { COUNTED_OPERATIONS = 64 }; /* by each thread, when bench/scaling.py counts */

_Noreturn void give_up(const char *what)
{
    printf("bench: %s failed\n", what);
    exit(1);
}

/* One metric alone is for bench/trace.py, which looks at its last batch. */
static void measure_all(const struct metric *metrics, const char *only)
{
    for (; metrics->name != NULL; metrics++) {
        if (only == NULL || strcmp(metrics->name, only) == 0)
            measure(metrics, only == NULL ? BATCHES : 1);
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "server") == 0)
        return serve();
    if (argc == 2 && strcmp(argv[1], "growth") == 0) {
        measure_growth();
        printf("bench: done\n");
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "scaling") == 0) {
        scale_all(storms, (unsigned)atoi(argv[2]), 0, SCALING_ROUNDS);
        printf("bench: done\n");
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "counted") == 0) {
        scale_all(storms, (unsigned)atoi(argv[2]), COUNTED_OPERATIONS, 1);
        printf("bench: done\n");
        return 0;
    }
    const char *only = argc == 2 ? argv[1] : NULL;
    measure_all(memory_metrics, only);
    measure_all(call_metrics, only);
    measure_all(process_metrics, only);
    if (only == NULL)
        measure_process_memory();
    printf("bench: done\n");
    return 0;
}
