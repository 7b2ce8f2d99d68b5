// SPDX-License-Identifier: BSD-2-Clause
/*
 * Checks for programs that show and test the system: a failed one says where,
 * what was expected and what was found, and the program ends with status 1.
 */
#ifndef CADASTRE_CHECK_H
#define CADASTRE_CHECK_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "abi/status.h"
#include "cadastre/status.h"

/* One pair a program, however many files it has. */
__attribute__((weak)) unsigned check_count, check_failures;

static inline void check_that(bool holds, const char *what, const char *file, int line)
{
    check_count++;
    if (!holds) {
        check_failures++;
        printf("FAILED %s:%d: %s\n", file, line, what);
    }
}

static inline void check_equal(uint64_t found, uint64_t expected, const char *what,
                               const char *file, int line)
{
    check_count++;
    if (found != expected) {
        check_failures++;
        printf("FAILED %s:%d: %s is %" PRIu64 " (0x%" PRIx64 "), expected %" PRIu64 " (0x%" PRIx64
               ")\n",
               file, line, what, found, found, expected, expected);
    }
}

static inline void check_status(status_t found, status_t expected, const char *what,
                                const char *file, int line)
{
    check_count++;
    if (found != expected) {
        check_failures++;
        printf("FAILED %s:%d: %s gave %s, expected %s\n", file, line, what,
               cad_status_name(found), cad_status_name(expected));
    }
}

#define CHECK_THAT(condition)       check_that((condition), #condition, __FILE__, __LINE__)
#define CHECK_EQUAL(found, wanted)  check_equal((found), (wanted), #found, __FILE__, __LINE__)
#define CHECK_STATUS(call, wanted)  check_status((call), (wanted), #call, __FILE__, __LINE__)
#define CHECK_OK(call)              CHECK_STATUS(call, CAD_OK)

/* Ends the program at once: what follows would make no sense. */
#define REQUIRE_OK(call)                                                                           \
    do {                                                                                           \
        status_t require_status_ = (call);                                                         \
        check_status(require_status_, CAD_OK, #call, __FILE__, __LINE__);                          \
        if (require_status_ != CAD_OK)                                                             \
            exit(1);                                                                               \
    } while (0)

/* The last line of such a program, and its exit status. */
static inline int check_report(const char *program)
{
    printf("%s: %u checks, %u failed\n", program, check_count, check_failures);
    return check_failures == 0 ? 0 : 1;
}

#endif
