// SPDX-License-Identifier: BSD-2-Clause
#include "core/test_audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Scratch comes full of rubbish: the audit clears it itself. */
static void *scratch_allocate(size_t count, size_t bytes)
{
    void *memory = malloc(count * bytes + 1);

    assert_non_null(memory);
    memset(memory, 0xee, count * bytes + 1);
    return memory;
}

static void keep(void *context, const struct cad_violation *violation)
{
    struct test_audit *audit = context;

    if (audit->kept < TEST_AUDIT_KEPT)
        audit->violations[audit->kept++] = *violation;
}

static void add_holdings(void *context, struct audit *core)
{
    struct test_audit *audit = context;

    audit_host_ledger(core, audit->world->root);
    audit_host_ledger(core, audit->world->ledger);
    if (audit->add_holdings != NULL)
        audit->add_holdings(audit->context, core);
}

void test_audit_run(struct test_audit *audit)
{
    const struct cadastre *cadastre = &audit->world->cadastre;
    const struct core_cpu *cpus[WORLD_CPUS];
    struct audit_host host = { .context = audit, .report = keep, .add_holdings = add_holdings,
                               .cpus = cpus, .cpu_count = WORLD_CPUS,
                               .quarantined = audit->quarantined };
    struct audit_scratch scratch = {
        .ledgers = scratch_allocate(cadastre->ledgers.ids.capacity, sizeof(struct audit_ledger)),
        .untypeds = scratch_allocate(cadastre->untypeds.ids.capacity,
                                     sizeof(struct audit_untyped)),
        .object_references = scratch_allocate(cadastre->objects.ids.capacity, sizeof(uint32_t)),
        .claim_reasons = scratch_allocate(cadastre->objects.claim_ids.capacity, sizeof(uint32_t)),
        .reached = scratch_allocate((audit->world->frame_count + 63) / 64, sizeof(uint64_t)),
        .frame_limit = audit->world->frame_count,
    };

    for (unsigned i = 0; i < WORLD_CPUS; i++)
        cpus[i] = &audit->world->cpus[i];
    audit->kept = 0;
    audit_run(audit->world->cpu, &host, &scratch, &audit->result);
    free(scratch.ledgers);
    free(scratch.untypeds);
    free(scratch.object_references);
    free(scratch.claim_reasons);
    free(scratch.reached);
}

bool test_audit_found(const struct test_audit *audit, enum audit_check check)
{
    for (uint32_t i = 0; i < audit->kept; i++) {
        if (strcmp(audit->violations[i].what, audit_check_what(check)) == 0)
            return true;
    }
    return false;
}

void test_audit_expect_clean(struct test_audit *audit)
{
    test_audit_run(audit);
    for (uint32_t i = 0; i < audit->kept; i++) {
        const struct cad_violation *violation = &audit->violations[i];
        fprintf(stderr, "%s: %s %llu, %s: not so; other %llu, expected %llu, found %llu\n",
                violation->requirement, violation->kind, (unsigned long long)violation->id,
                violation->what, (unsigned long long)violation->other,
                (unsigned long long)violation->expected, (unsigned long long)violation->found);
    }
    assert_int_equal(audit->result.violations, 0);
    assert_true(audit->result.checks > 0);
}
