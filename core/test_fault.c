// SPDX-License-Identifier: BSD-2-Clause
#include "core/test_fault.h"

#include <stdio.h>
#include <stdlib.h>

#define SITES_MAX    256
#define STATUSES_MAX 96

/* One program, one log. */
static bool seen[SITES_MAX][STATUSES_MAX];

bool fault_run_point(struct fault_run *run, const struct fault_site *site, status_t status)
{
    run->passed++;
    if (run->first == 0 || run->passed < run->first || run->passed - run->first >= run->count)
        return false;
    if (run->refused++ == 0) {
        run->status = status;
        run->site = site;
    }
    seen[site - __start_fault_sites][status] = true;
    return true;
}

static const char *status_name(status_t status)
{
#define CASE(name, number, layer, meaning)                                                         \
    case CAD_##name:                                                                               \
        return #name;
    switch (status) {
        CAD_STATUS_LIST(CASE)
    }
#undef CASE
    return "?";
}

void fault_log_write(void)
{
    const char *name = getenv("FAULT_SITES_LOG");
    FILE *file = name != NULL ? fopen(name, "w") : NULL;

    if (file == NULL)
        return;
    for (const struct fault_site *site = __start_fault_sites; site < __stop_fault_sites; site++) {
        for (unsigned status = 0; status < STATUSES_MAX; status++) {
            if (seen[site - __start_fault_sites][status])
                fprintf(file, "fault site %s:%u %s %s %s\n", site->file, site->line,
                        site->function, site->primitive, status_name((status_t)status));
        }
    }
    fclose(file);
}
