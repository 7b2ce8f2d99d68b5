// SPDX-License-Identifier: BSD-2-Clause
/*
 * ASSERT: our own bug; on in debug, host and QEMU test builds, type-checked in
 * all.  CHECK: always on; integrity on cold paths and answers of hardware.
 * Input from users is never asserted.  Each host (kernel, test program) links
 * one assert_failed(), which does not return.
 */
#ifndef BASE_ASSERT_H
#define BASE_ASSERT_H

#include "base/types.h"

_Noreturn void assert_failed(const char *kind, const char *expression, uint64_t value,
                             const char *file, int line);

/* CHECK_VALUE names the object's number or the wrong value in the report. */
#define CHECK_VALUE(expression, value)                                                             \
    ((expression) ? (void)0                                                                        \
                  : assert_failed("CHECK", #expression, (uint64_t)(value), __FILE__, __LINE__))
#define CHECK(expression) CHECK_VALUE(expression, 0)

#ifdef CONFIG_ASSERT
#define ASSERT(expression)                                                                         \
    ((expression) ? (void)0 : assert_failed("ASSERT", #expression, 0, __FILE__, __LINE__))
#else
#define ASSERT(expression) ((void)sizeof((expression) ? 1 : 0))
#endif

#endif
