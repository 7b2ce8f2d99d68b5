// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where failed assertions of core/ end in host tests.  Inside cmocka's
 * expect_assert_failure() they are what the test waits for; anywhere else they
 * end the program.
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include "base/assert.h"

_Noreturn void assert_failed(const char *kind, const char *expression, uint64_t value,
                             const char *file, int line)
{
    if (global_expecting_assert)
        mock_assert(0, expression, file, line);
    fprintf(stderr, "%s:%d: %s(%s) failed, value %#llx\n", file, line, kind, expression,
            (unsigned long long)value);
    abort();
}
