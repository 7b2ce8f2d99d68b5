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
#ifdef __FRAMAC__
/* To the prover a failed CHECK ends the machine: nothing is claimed of what follows, so a
 * contract may promise what CHECKs have seen to.  An ASSERT, which is not there in
 * release builds, must be shown to hold. */
/*@ terminates \true;
    exits   \false;
    assigns \nothing;
    ensures holds == \true; */
void check_holds(bool holds);
/*@ requires assertion: holds == \true;
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures holds == \true; */
void assert_holds(bool holds);
#define CHECK_VALUE(expression, value) check_holds(expression)
#else
#define CHECK_VALUE(expression, value)                                                             \
    ((expression) ? (void)0                                                                        \
                  : assert_failed("CHECK", #expression, (uint64_t)(value), __FILE__, __LINE__))
#endif
#define CHECK(expression) CHECK_VALUE(expression, 0)

#ifdef __FRAMAC__
#define ASSERT(expression) assert_holds(expression)
#elif defined(CONFIG_ASSERT)
#define ASSERT(expression)                                                                         \
    ((expression) ? (void)0 : assert_failed("ASSERT", #expression, 0, __FILE__, __LINE__))
#else
#define ASSERT(expression) ((void)sizeof((expression) ? 1 : 0))
#endif

#endif
