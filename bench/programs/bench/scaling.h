// SPDX-License-Identifier: BSD-2-Clause
/*
 * How work grows with the CPUs: as many threads as CPUs each do the same work on
 * what is theirs alone.  "work" is from the first thread's first operation to the
 * last one's last, "total" has the threads' making and end besides.  Printed:
 *
 *     scaling<TAB>name<TAB>threads<TAB>operations in all<TAB>work ns<TAB>total ns
 *
 * bench/scaling.py reads it; the program for Linux is measured by the same text.
 */
#ifndef SCALING_H
#define SCALING_H

#include "measure.h"

enum { SCALING_THREADS_MAX = 16, SCALING_ROUNDS = 3 };

struct storm {
    const char *name;
    void (*before)(unsigned thread); /* not measured; in the thread itself */
    void (*run)(unsigned thread, unsigned operations);
    void (*after)(unsigned thread);
    unsigned operations;             /* each thread */
};

/* Ends with an entry without a name.  `operations` 0: each storm's own number. */
void scale_all(const struct storm *storms, unsigned threads, unsigned operations, int rounds);
/* Sums pages of its own: no kernel in it. */
void checksum(unsigned thread, unsigned operations);

extern const struct storm storms[];

#endif
