// SPDX-License-Identifier: BSD-2-Clause
/*
 * Fault points on the host: which passes fail, what was seen of them, and the log of
 * all sites that were made to fail, for tools/fault_sites.py.
 */
#ifndef CORE_TEST_FAULT_H
#define CORE_TEST_FAULT_H

#include "core/cadastre.h"

struct fault_run {
    uint64_t first, count; /* passes to refuse, numbered from 1; first 0: only count them */
    uint64_t passed, refused;
    status_t status;       /* what the first refused step fails with */
    const struct fault_site *site;
};

/* core_host.fault_point's part: counts the pass.  Gives: true when it is to fail. */
bool fault_run_point(struct fault_run *run, const struct fault_site *site, status_t status);
/* A line a site and status to the file that FAULT_SITES_LOG names in the environment. */
void fault_log_write(void);

#endif
