// SPDX-License-Identifier: BSD-2-Clause
/*
 * Claims: a ledger pays for an object once, however it reaches it (LG4).
 */
#include "base/assert.h"
#include "core/cadastre.h"
#include "core/charge.h"

static struct object *object_at(const struct core_cpu *cpu, uint32_t object)
{
    ASSERT(id_is_live(&cpu->cadastre->objects.ids, object));
    return &cpu->cadastre->objects.objects[object];
}

static struct claim *claim_at(const struct core_cpu *cpu, uint32_t claim)
{
    return &cpu->cadastre->objects.claims[claim];
}

uint32_t object_claim_pages(const struct object *object)
{
    bool paid_already = object->untyped != ID_NONE || object->kind == CAD_OBJECT_BOOT;

    return paid_already ? 0 : object->pages;
}

/* Gives: the claim and the one before it in the list, or ID_NONE. */
static uint32_t claim_find(const struct core_cpu *cpu, uint32_t object, uint32_t ledger,
                           uint32_t *before)
{
    uint32_t claim = object_at(cpu, object)->claims;

    *before = ID_NONE;
    while (claim != ID_NONE && claim_at(cpu, claim)->ledger != ledger) {
        *before = claim;
        claim = claim_at(cpu, claim)->next;
    }
    return claim;
}

static status_t claim_reserve(struct core_cpu *cpu, uint32_t pages, uint32_t ledger,
                              uint32_t *claim)
{
    status_t status = ledger_reserve(cpu, ledger, CAD_RESOURCE_COMMITTED, pages);

    if (status != CAD_OK) {
        return status;
    }
    status = ledger_reserve(cpu, ledger, CAD_RESOURCE_METADATA, CHARGE_CLAIM);
    if (status == CAD_OK && !id_pool_take(cpu, &cpu->cadastre->objects.claim_ids, claim)) {
        ledger_release(cpu, ledger, CAD_RESOURCE_METADATA, CHARGE_CLAIM);
        status = CAD_PRESSURE;
    }
    if (status != CAD_OK) {
        ledger_release(cpu, ledger, CAD_RESOURCE_COMMITTED, pages);
    }
    return status;
}

status_t object_claim(struct core_cpu *cpu, uint32_t object, uint32_t ledger)
{
    struct object *record = object_at(cpu, object);
    uint32_t before, claim;
    status_t status;

    claim = claim_find(cpu, object, ledger, &before);
    if (claim != ID_NONE) {
        CHECK_VALUE(claim_at(cpu, claim)->count < UINT32_MAX, claim);
        claim_at(cpu, claim)->count++;
        return CAD_OK;
    }
    status = claim_reserve(cpu, object_claim_pages(record), ledger, &claim);
    if (status != CAD_OK) {
        return status;
    }
    /* commit */
    ledger_take(cpu, ledger);
    claim_at(cpu, claim)->object = object;
    claim_at(cpu, claim)->ledger = ledger;
    claim_at(cpu, claim)->count = 1;
    claim_at(cpu, claim)->next = record->claims;
    record->claims = claim;
    record->claim_count++;
    return CAD_OK;
}

/* The last reason is gone. */
static void claim_destroy(struct core_cpu *cpu, uint32_t claim, uint32_t before)
{
    uint32_t ledger = claim_at(cpu, claim)->ledger;
    uint32_t next = claim_at(cpu, claim)->next;
    struct object *record = object_at(cpu, claim_at(cpu, claim)->object);

    if (before == ID_NONE) {
        record->claims = next;
    } else {
        claim_at(cpu, before)->next = next;
    }
    record->claim_count--;
    ledger_release(cpu, ledger, CAD_RESOURCE_COMMITTED, object_claim_pages(record));
    ledger_release(cpu, ledger, CAD_RESOURCE_METADATA, CHARGE_CLAIM);
    id_pool_put(&cpu->cadastre->objects.claim_ids, claim);
    ledger_put(cpu, ledger);
}

void object_unclaim(struct core_cpu *cpu, uint32_t object, uint32_t ledger)
{
    uint32_t before;
    uint32_t claim = claim_find(cpu, object, ledger, &before);

    CHECK_VALUE(claim != ID_NONE, object);
    claim_at(cpu, claim)->count--;
    if (claim_at(cpu, claim)->count == 0) {
        claim_destroy(cpu, claim, before);
    }
}
