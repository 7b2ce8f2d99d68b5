// SPDX-License-Identifier: BSD-2-Clause
/*
 * Costs in instructions.  Under QEMU's `-icount shift=0` the time-stamp counter
 * ticks once per guest instruction, so a difference of two readings is a count
 * that repeats to the digit.  A metric is run in batches: WARM_UPS that do not
 * count, then BATCHES; the cost of an empty batch is subtracted, the median and
 * the least are printed as `metric<TAB>median<TAB>least`.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdint.h>

enum { WARM_UPS = 2, BATCHES = 9 };

/* Prepares (not measured) one batch; NULL: nothing to prepare. */
typedef void (*prepare_function)(void);
/* Does `operations` operations. */
typedef void (*batch_function)(unsigned operations);

static inline uint64_t instructions(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

struct metric {
    const char *name;
    batch_function run;
    prepare_function before, after; /* around each batch */
    unsigned operations;            /* a batch */
    unsigned each;                  /* items an operation: the cost is divided by it too */
};

/* `batches` of them, BATCHES at most. */
void measure(const struct metric *metric, int batches);
void report(const char *name, uint64_t median, uint64_t least);
/* bench/trace.py and bench/scaling.py keep what runs between these two. */
void window_begin(void);
void window_end(void);
_Noreturn void give_up(const char *what);
/* `bench growth` (growth.c). */
void measure_growth(void);
/* memory_process_bytes: what a small process that waits holds (storms.c). */
void measure_process_memory(void);

extern const struct metric memory_metrics[], call_metrics[], process_metrics[];

#endif
