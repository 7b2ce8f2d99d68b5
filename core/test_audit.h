// SPDX-License-Identifier: BSD-2-Clause
/* Runs the audit over a test world and keeps what it reported. */
#ifndef CORE_TEST_AUDIT_H
#define CORE_TEST_AUDIT_H

#include "core/audit.h"
#include "core/test_world.h"

#define TEST_AUDIT_KEPT 256

struct test_audit {
    /* Beside the world's own references to root and ledger; NULL: nothing. */
    void (*add_holdings)(void *context, struct audit *audit);
    void *context;
    uint64_t quarantined;
    struct test_world *world;
    struct audit_result result;
    uint32_t kept;
    struct cad_violation violations[TEST_AUDIT_KEPT]; /* the first ones */
};

/* Needs: world; the first three as wanted. */
void test_audit_run(struct test_audit *audit);
bool test_audit_found(const struct test_audit *audit, enum audit_check check);
/* Fails the test, naming each violation, unless there is none. */
void test_audit_expect_clean(struct test_audit *audit);

#endif
