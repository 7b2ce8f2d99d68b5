// SPDX-License-Identifier: BSD-2-Clause
/*
 * Claims: a ledger pays for an object once, however it reaches it (LG4).
 */
#include "base/assert.h"
#include "core/cadastre.h"
#include "core/charge.h"

/*@ // Every number has a record here: coarser than the machine, where only live ones have.
    predicate claims_shape{L}(struct core_cpu *cpu) =
      \valid_read(cpu) && \valid(cpu->cadastre) && id_pool_shape(&cpu->cadastre->objects.ids) &&
      \valid(cpu->cadastre->objects.objects + (0 .. UINT32_MAX)) &&
      \valid(cpu->cadastre->objects.claims + (0 .. UINT32_MAX)) &&
      \separated(cpu, cpu->cadastre, cpu->cadastre->objects.objects + (0 .. UINT32_MAX),
                 cpu->cadastre->objects.claims + (0 .. UINT32_MAX));
    predicate claims_live{L}(struct core_cpu *cpu, integer object) =
      id_live(&cpu->cadastre->objects.ids, object);
    logic struct object *claims_object{L}(struct core_cpu *cpu, integer object) =
      cpu->cadastre->objects.objects + object;
    logic struct claim *claim_record{L}(struct core_cpu *cpu, integer claim) =
      cpu->cadastre->objects.claims + claim;
*/

/*@ requires claims_shape(cpu);
    requires live: claims_live(cpu, object);
    terminates \true;
    exits   \false;
    assigns \result \from cpu, object;
    ensures \result == claims_object(cpu, object);
*/
static struct object *object_at(const struct core_cpu *cpu, uint32_t object)
{
    ASSERT(id_is_live(&cpu->cadastre->objects.ids, object));
    return &cpu->cadastre->objects.objects[object];
}

/*@ requires claims_shape(cpu);
    terminates \true;
    exits   \false;
    assigns \result \from cpu, claim;
    ensures \result == claim_record(cpu, claim);
*/
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
/*@ // That the walk ends is not proved: a list without a loop is a matter of all its claims.
    requires claims_shape(cpu);
    requires live: claims_live(cpu, object);
    requires \valid(before) && \separated(before, cpu, cpu->cadastre,
      cpu->cadastre->objects.objects + (0 .. UINT32_MAX),
      cpu->cadastre->objects.claims + (0 .. UINT32_MAX),
      cpu->cadastre->objects.ids.slots + (0 .. cpu->cadastre->objects.ids.limit - 1));
    exits   \false;
    assigns *before;
    ensures found: \result != ID_NONE ==> claim_record(cpu, \result)->ledger == ledger;
    ensures first: *before == ID_NONE ==> \result == claims_object(cpu, object)->claims;
    ensures later: *before != ID_NONE ==> claim_record(cpu, *before)->next == \result &&
      claim_record(cpu, *before)->ledger != ledger;
*/
static uint32_t claim_find(const struct core_cpu *cpu, uint32_t object, uint32_t ledger,
                           uint32_t *before)
{
    uint32_t claim = object_at(cpu, object)->claims;

    *before = ID_NONE;
    /*@ loop invariant first: *before == ID_NONE ==> claim == claims_object(cpu, object)->claims;
        loop invariant later: *before != ID_NONE ==> claim_record(cpu, *before)->next == claim &&
          claim_record(cpu, *before)->ledger != ledger;
        loop assigns claim, *before;
    */
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

/* A new claim, of one reason, comes first in its object's list. */
/*@ requires claims_shape(cpu);
    requires live: claims_live(cpu, object);
    requires room: claims_object(cpu, object)->claim_count < UINT32_MAX;
    terminates \true;
    exits   \false;
    assigns *claim_record(cpu, claim), claims_object(cpu, object)->claims,
            claims_object(cpu, object)->claim_count;
    ensures first: claims_object(cpu, object)->claims == claim;
    ensures whose: claim_record(cpu, claim)->object == object &&
      claim_record(cpu, claim)->ledger == ledger;
    ensures one_reason: claim_record(cpu, claim)->count == 1;
    ensures before_the_old: claim_record(cpu, claim)->next ==
      \old(claims_object(cpu, object)->claims);
    ensures counted: claims_object(cpu, object)->claim_count ==
      \old(claims_object(cpu, object)->claim_count) + 1;
*/
static void claim_link(struct core_cpu *cpu, uint32_t claim, uint32_t object, uint32_t ledger)
{
    struct object *record = object_at(cpu, object);

    claim_at(cpu, claim)->object = object;
    claim_at(cpu, claim)->ledger = ledger;
    claim_at(cpu, claim)->count = 1;
    claim_at(cpu, claim)->next = record->claims;
    record->claims = claim;
    record->claim_count++;
}

/*@ requires claims_shape(cpu);
    requires live: claims_live(cpu, claim_record(cpu, claim)->object);
    requires in_it: claims_object(cpu, claim_record(cpu, claim)->object)->claim_count > 0;
    requires apart: before != claim;
    terminates \true;
    exits   \false;
    assigns claim_record(cpu, before)->next,
            claims_object(cpu, claim_record(cpu, claim)->object)->claims,
            claims_object(cpu, claim_record(cpu, claim)->object)->claim_count;
    ensures bridged: before != ID_NONE ==>
      claim_record(cpu, before)->next == claim_record(cpu, claim)->next &&
      claims_object(cpu, claim_record(cpu, claim)->object)->claims ==
        \old(claims_object(cpu, claim_record(cpu, claim)->object)->claims);
    ensures new_head: before == ID_NONE ==>
      claims_object(cpu, claim_record(cpu, claim)->object)->claims ==
        claim_record(cpu, claim)->next &&
      claim_record(cpu, 0)->next == \old(claim_record(cpu, 0)->next);
    ensures counted: claims_object(cpu, claim_record(cpu, claim)->object)->claim_count ==
      \old(claims_object(cpu, claim_record(cpu, claim)->object)->claim_count) - 1;
*/
static void claim_unlink(struct core_cpu *cpu, uint32_t claim, uint32_t before)
{
    struct object *record = object_at(cpu, claim_at(cpu, claim)->object);
    uint32_t next = claim_at(cpu, claim)->next;

    if (before == ID_NONE) {
        record->claims = next;
    } else {
        claim_at(cpu, before)->next = next;
    }
    record->claim_count--;
}

/* Another reason to pay what is paid for already. */
/*@ requires claims_shape(cpu);
    terminates \true;
    exits   \false;
    assigns claim_record(cpu, claim)->count;
    ensures counted: claim_record(cpu, claim)->count ==
      \old(claim_record(cpu, claim)->count) + 1;
*/
static void reason_add(struct core_cpu *cpu, uint32_t claim)
{
    CHECK_VALUE(claim_at(cpu, claim)->count < UINT32_MAX, claim);
    claim_at(cpu, claim)->count++;
}

status_t object_claim(struct core_cpu *cpu, uint32_t object, uint32_t ledger)
{
    uint32_t before;
    uint32_t claim = claim_find(cpu, object, ledger, &before);
    status_t status;

    if (claim != ID_NONE) {
        reason_add(cpu, claim);
        return CAD_OK;
    }
    status = claim_reserve(cpu, object_claim_pages(object_at(cpu, object)), ledger, &claim);
    if (status != CAD_OK) {
        return status;
    }
    /* commit */
    ledger_take(cpu, ledger);
    claim_link(cpu, claim, object, ledger);
    return CAD_OK;
}

/* The last reason is gone. */
static void claim_destroy(struct core_cpu *cpu, uint32_t claim, uint32_t before)
{
    uint32_t ledger = claim_at(cpu, claim)->ledger;
    const struct object *record = object_at(cpu, claim_at(cpu, claim)->object);

    claim_unlink(cpu, claim, before);
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
