// SPDX-License-Identifier: BSD-2-Clause
/*
 * The kernel's part of the audit: references of processes, threads, endpoints
 * and notifications, counted again from the capabilities and records that hold
 * them.  core/audit.h does the same for memory objects, untypeds and ledgers.
 */
#ifndef KERNEL_AUDIT_REFERENCES_H
#define KERNEL_AUDIT_REFERENCES_H

#include "core/audit.h"

/* CHECK(NAME, requirement, kind, what does not hold) */
#define REFERENCE_CHECK_LIST(CHECK)                                                                \
    CHECK(PROCESS, "EX3", "process", "references as counted")                                      \
    CHECK(PROCESS_THREADS, "EX3", "process", "threads as counted")                                 \
    CHECK(THREAD, "EX3", "thread", "references as counted")                                        \
    CHECK(ENDPOINT, "EX3", "endpoint", "references as counted")                                    \
    CHECK(RECEIVERS, "IP1", "endpoint", "capabilities that may receive")                           \
    CHECK(NOTIFICATION, "EX3", "notification", "references as counted")

/* Adds to `result`; each violation goes to host->report.
 * Needs: the world stopped, the scratch memory unused.
 * Gives: false when there is no memory for it; nothing was checked then. */
MUST_CHECK bool audit_references(const struct audit_host *host, struct audit_result *result);

#endif
