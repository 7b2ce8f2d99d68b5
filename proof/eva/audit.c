// SPDX-License-Identifier: BSD-2-Clause
/* The audit.  Its host's scratch memory has an entry for each index there may be. */
#include "core/audit.h"

#include "world.h"

static const struct core_cpu *const all_cpus[] = { &cpus[0], &cpus[1] };
static struct audit_ledger sums[RECORDS];
static struct audit_untyped holds[RECORDS];
static uint32_t references[RECORDS], reasons[RECORDS];
static uint64_t reached[(FRAMES + 63) / 64];

static void report(void *context, const struct cad_violation *violation)
{
    (void)context, (void)violation;
}

static void add_holdings(void *context, struct audit *audit)
{
    (void)context;
    while (ANY_BOOL()) {
        audit_host_charge(audit, ANY_WORD(), ANY_BELOW(CAD_RESOURCE_COUNT), ANY_LONG());
        audit_host_ledger(audit, ANY_WORD());
        audit_host_object(audit, ANY_WORD(), ANY_WORD());
        audit_host_untyped(audit, ANY_WORD());
    }
}

void eva_audit(void)
{
    const struct audit_scratch scratch = { sums, holds, references, reasons, reached, FRAMES };
    const struct audit_host host = {
        .report = report, .add_holdings = add_holdings, .cpus = all_cpus, .cpu_count = 2,
        .quarantined = ANY_LONG(),
    };
    struct audit_result result;

    world_any();
    audit_run(CPU, &host, &scratch, &result);
    (void)audit_check_what(ANY_BELOW(AUDIT_SLOT_OBJECT + 1));
}
