// SPDX-License-Identifier: BSD-2-Clause
/*
 * A run of frames is all an untyped is: retype hands out [first + next, ...),
 * so it costs one change of state a page and nothing is searched.
 */
#include "core/untyped.h"

#include "base/assert.h"
#include "core/cadastre.h"
#include "core/charge.h"
#include "core/frame_priv.h"

/*@ // Where an untyped's operations work, all apart from each other.
    predicate untypeds_shape{L}(struct core_cpu *cpu) =
      \valid_read(cpu) && \valid(cpu->cadastre) &&
      id_pool_shape(&cpu->cadastre->untypeds.ids) &&
      \valid(cpu->cadastre->untypeds.untypeds + (0 .. cpu->cadastre->untypeds.ids.limit - 1)) &&
      \valid(cpu->cadastre->frames.frames + (0 .. UINT32_MAX)) &&
      \separated(cpu->cadastre, cpu->cadastre->frames.frames + (0 .. UINT32_MAX),
        cpu->cadastre->untypeds.untypeds + (0 .. cpu->cadastre->untypeds.ids.limit - 1),
        cpu->cadastre->untypeds.ids.slots + (0 .. cpu->cadastre->untypeds.ids.limit - 1));
    predicate untyped_live{L}(struct core_cpu *cpu, integer untyped) =
      id_live(&cpu->cadastre->untypeds.ids, untyped);
    logic struct untyped *untyped_record{L}(struct core_cpu *cpu, integer untyped) =
      cpu->cadastre->untypeds.untypeds + untyped;
    // Its range is of frame numbers, and what it handed out is inside it.
    predicate untyped_range_ok{L}(struct core_cpu *cpu, integer untyped) =
      untyped_record(cpu, untyped)->next <= untyped_record(cpu, untyped)->pages &&
      untyped_record(cpu, untyped)->first + untyped_record(cpu, untyped)->pages <= 0x100000000;
    logic integer untyped_next{L}(struct core_cpu *cpu, integer untyped) =
      untyped_record(cpu, untyped)->first + untyped_record(cpu, untyped)->next;
*/

/*@ requires untypeds_shape(cpu);
    terminates \true;
    exits   \false;
    assigns \result \from cpu, untyped;
    ensures \result == untyped_record(cpu, untyped) && \valid(\result);
    ensures live: untyped_live(cpu, untyped);
*/
static struct untyped *untyped_at(struct core_cpu *cpu, uint32_t untyped)
{
    CHECK_VALUE(id_is_live(&cpu->cadastre->untypeds.ids, untyped), untyped);
    return &cpu->cadastre->untypeds.untypeds[untyped];
}

/* A record with one reference, its metadata charged and the ledger referenced. */
static status_t untyped_record_create(struct core_cpu *cpu, uint32_t ledger, uint32_t *out)
{
    status_t status = ledger_reserve(cpu, ledger, CAD_RESOURCE_METADATA, CHARGE_UNTYPED);

    if (status != CAD_OK)
        return status;
    if (!id_pool_take(cpu, &cpu->cadastre->untypeds.ids, out)) {
        ledger_release(cpu, ledger, CAD_RESOURCE_METADATA, CHARGE_UNTYPED);
        return CAD_PRESSURE;
    }
    struct untyped *record = &cpu->cadastre->untypeds.untypeds[*out];

    ledger_take(cpu, ledger);
    record->parent = ID_NONE;
    record->ledger = ledger;
    record->first = FRAME_NONE;
    record->pages = 0;
    record->next = 0;
    record->children = 0;
    record->references = 1;
    return CAD_OK;
}

static void untyped_record_destroy(struct core_cpu *cpu, uint32_t untyped)
{
    uint32_t ledger = untyped_at(cpu, untyped)->ledger;

    id_pool_put(&cpu->cadastre->untypeds.ids, untyped);
    ledger_release(cpu, ledger, CAD_RESOURCE_METADATA, CHARGE_UNTYPED);
    ledger_put(cpu, ledger);
}

/* A run of FREE frames, in no list; the block's surplus goes back at once. */
static frame_no_t run_take(struct core_cpu *cpu, uint32_t pages)
{
    unsigned order = frame_order_for(pages);
    frame_no_t first = FAULT_POINT(cpu, block_take, CAD_PRESSURE)
                           ? FRAME_NONE : cpu->cadastre->host.block_take(cpu, order);

    if (first != FRAME_NONE && pages < UINT32_C(1) << order)
        cpu->cadastre->host.run_put(cpu, first + pages, (UINT32_C(1) << order) - pages);
    return first;
}

static status_t untyped_fill(struct core_cpu *cpu, uint32_t untyped, uint32_t pages)
{
    struct untyped *record = untyped_at(cpu, untyped);
    frame_no_t first = run_take(cpu, pages);
    struct frame_change change = { .from = FRAME_FREE, .from_kind = FRAME_FREE_MAGAZINE,
                                   .to = FRAME_UNTYPED, .to_owner = untyped };

    if (first == FRAME_NONE)
        return CAD_PRESSURE;
    frame_set_state(&cpu->cadastre->frames, first, pages, &change);
    record->first = first;
    record->pages = pages;
    return CAD_OK;
}

status_t untyped_create(struct core_cpu *cpu, uint32_t ledger, uint32_t pages, uint32_t *out)
{
    uint32_t untyped;

    if (pages == 0 || pages > UINT32_C(1) << FRAME_ORDER_MAX)
        return CAD_INVALID;
    status_t status = ledger_reserve(cpu, ledger, CAD_RESOURCE_COMMITTED, pages);

    if (status != CAD_OK)
        return status;
    status = untyped_record_create(cpu, ledger, &untyped);
    if (status == CAD_OK) {
        status = untyped_fill(cpu, untyped, pages);
        if (status != CAD_OK)
            untyped_record_destroy(cpu, untyped);
    }
    if (status != CAD_OK) {
        ledger_release(cpu, ledger, CAD_RESOURCE_COMMITTED, pages);
        return status;
    }
    *out = untyped;
    return CAD_OK;
}

status_t untyped_retype_untyped(struct core_cpu *cpu, uint32_t untyped, uint32_t ledger,
                                uint32_t pages, uint32_t *out)
{
    struct untyped *parent = untyped_at(cpu, untyped);
    uint32_t id;

    if (pages == 0)
        return CAD_INVALID;
    if (pages > parent->pages - parent->next)
        return CAD_USED_UP;
    status_t status = untyped_record_create(cpu, ledger, &id);

    if (status != CAD_OK)
        return status;
    struct untyped *child = untyped_at(cpu, id);
    struct frame_change change = { .from = FRAME_UNTYPED, .from_owner = untyped,
                                   .to = FRAME_UNTYPED, .to_owner = id };

    child->parent = untyped;
    child->first = parent->first + parent->next;
    child->pages = pages;
    frame_set_state(&cpu->cadastre->frames, child->first, pages, &change);
    parent->next += pages;
    parent->children++;
    parent->references++;
    *out = id;
    return CAD_OK;
}

/* Frames of the untyped become, zeroed, pages 0.. of the object. */
/*@ requires untypeds_shape(cpu) && first + pages <= 0x100000000;
    terminates \true;
    exits   \false;
    assigns cpu->cadastre->frames.frames[first .. first + pages - 1];
    ensures own: \forall integer i; first <= i < first + pages ==>
      \old(cpu->cadastre->frames.frames[i].state) == FRAME_UNTYPED &&
      \old(cpu->cadastre->frames.frames[i].owner) == untyped;
    ensures unused: \forall integer i; first <= i < first + pages ==>
      \old(cpu->cadastre->frames.frames[i].maps) == 0 &&
      \old(cpu->cadastre->frames.frames[i].pins) == 0;
    ensures owned: \forall integer i; first <= i < first + pages ==>
      cpu->cadastre->frames.frames[i].state == FRAME_OBJECT &&
      cpu->cadastre->frames.frames[i].owner == object &&
      cpu->cadastre->frames.frames[i].detail == i - first;
*/
static void run_to_object(struct core_cpu *cpu, uint32_t untyped, uint32_t object,
                          frame_no_t first, uint32_t pages)
{
    struct frame_change change = { .from = FRAME_UNTYPED, .from_owner = untyped,
                                   .to = FRAME_OBJECT, .to_owner = object, .numbered = true };

    frame_run_clear(cpu, first, pages);
    //@ ghost Cleared: ;
    frame_set_state(&cpu->cadastre->frames, first, pages, &change);
    /*@ assert left: \forall integer i; frame_leaves{Cleared}(cpu->cadastre->frames.frames, i,
                                                             &change) ==>
          \at(cpu->cadastre->frames.frames[i].state,Pre) == FRAME_UNTYPED &&
          \at(cpu->cadastre->frames.frames[i].owner,Pre) == untyped &&
          \at(cpu->cadastre->frames.frames[i].maps,Pre) == 0 &&
          \at(cpu->cadastre->frames.frames[i].pins,Pre) == 0;
    */
    /*@ assert arrived: \forall integer i; frame_arrives(cpu->cadastre->frames.frames, first, i,
                                                        &change) ==>
          cpu->cadastre->frames.frames[i].state == FRAME_OBJECT &&
          cpu->cadastre->frames.frames[i].owner == object &&
          cpu->cadastre->frames.frames[i].detail == i - first;
    */
}

/*@ requires untypeds_shape(cpu) && untyped_range_ok(cpu, untyped);
    requires \valid(first) && \separated(first, cpu->cadastre, untyped_record(cpu, untyped),
      cpu->cadastre->frames.frames + (0 .. UINT32_MAX),
      cpu->cadastre->untypeds.ids.slots + untyped);
    requires no_overflow: untyped_record(cpu, untyped)->children < UINT32_MAX &&
      untyped_record(cpu, untyped)->references < UINT32_MAX;
    terminates \true;
    exits   \false;
    assigns *first, untyped_record(cpu, untyped)->next, untyped_record(cpu, untyped)->children,
            untyped_record(cpu, untyped)->references,
            cpu->cadastre->frames.frames[untyped_record(cpu, untyped)->first +
              untyped_record(cpu, untyped)->next .. untyped_record(cpu, untyped)->first +
              untyped_record(cpu, untyped)->next + pages - 1];
    ensures live: untyped_live(cpu, untyped);
    ensures untyped_range_ok(cpu, untyped);
    behavior nothing_asked:
      assumes pages == 0;
      assigns \nothing;
      ensures \result == CAD_INVALID;
    behavior used_up:
      assumes pages > 0;
      assumes pages > untyped_record(cpu, untyped)->pages - untyped_record(cpu, untyped)->next;
      assigns \nothing;
      ensures \result == CAD_USED_UP;
    behavior fits:
      assumes pages > 0;
      assumes pages <= untyped_record(cpu, untyped)->pages - untyped_record(cpu, untyped)->next;
      ensures \result == CAD_OK;
      ensures in_order: *first == \old(untyped_next(cpu, untyped));
      ensures own: \forall integer i; \old(untyped_next(cpu, untyped)) <= i <
        \old(untyped_next(cpu, untyped)) + pages ==>
        \old(cpu->cadastre->frames.frames[i].state) == FRAME_UNTYPED &&
        \old(cpu->cadastre->frames.frames[i].owner) == untyped;
      ensures unused: \forall integer i; \old(untyped_next(cpu, untyped)) <= i <
        \old(untyped_next(cpu, untyped)) + pages ==>
        \old(cpu->cadastre->frames.frames[i].maps) == 0 &&
        \old(cpu->cadastre->frames.frames[i].pins) == 0;
      ensures owned: \forall integer i; \old(untyped_next(cpu, untyped)) <= i <
        \old(untyped_next(cpu, untyped)) + pages ==>
        cpu->cadastre->frames.frames[i].state == FRAME_OBJECT &&
        cpu->cadastre->frames.frames[i].owner == object;
      ensures numbered: \forall integer i; \old(untyped_next(cpu, untyped)) <= i <
        \old(untyped_next(cpu, untyped)) + pages ==>
        cpu->cadastre->frames.frames[i].detail == i - \old(untyped_next(cpu, untyped));
      ensures handed_out: untyped_record(cpu, untyped)->next ==
        \old(untyped_record(cpu, untyped)->next) + pages;
      ensures child: untyped_record(cpu, untyped)->children ==
        \old(untyped_record(cpu, untyped)->children) + 1;
      ensures child: untyped_record(cpu, untyped)->references ==
        \old(untyped_record(cpu, untyped)->references) + 1;
    complete behaviors;
    disjoint behaviors;
*/
status_t untyped_retype_object(struct core_cpu *cpu, uint32_t untyped, uint32_t object,
                               uint32_t pages, frame_no_t *first)
{
    struct untyped *record = untyped_at(cpu, untyped);

    if (pages == 0)
        return CAD_INVALID;
    if (pages > record->pages - record->next)
        return CAD_USED_UP;
    frame_no_t run = record->first + record->next;

    //@ ghost Checked: ;
    run_to_object(cpu, untyped, object, run, pages);
    //@ assert live: untyped_live(cpu, untyped);
    /*@ assert kept: record->first == \at(record->first,Checked) &&
          record->pages == \at(record->pages,Checked) &&
          record->next == \at(record->next,Checked) &&
          record->children == \at(record->children,Checked) &&
          record->references == \at(record->references,Checked);
    */
    record->next += pages;
    record->children++;
    record->references++;
    *first = run;
    return CAD_OK;
}

void untyped_return_object(struct core_cpu *cpu, uint32_t untyped, uint32_t object,
                           frame_no_t first, uint32_t pages)
{
    struct untyped *record = untyped_at(cpu, untyped);
    struct frame_change change = { .from = FRAME_OBJECT, .from_owner = object,
                                   .to = FRAME_UNTYPED, .to_owner = untyped };

    CHECK_VALUE(record->children > 0, untyped);
    CHECK_VALUE(first >= record->first && first - record->first <= record->next &&
                pages <= record->next - (first - record->first), first);
    frame_set_state(&cpu->cadastre->frames, first, pages, &change);
    record->children--;
    untyped_put(cpu, untyped);
}

/*@ requires untypeds_shape(cpu) && untyped_range_ok(cpu, untyped);
    requires pages > 0 && first + pages <= 0x100000000;
    terminates \true;
    exits   \false;
    assigns untyped_record(cpu, untyped)->next;
    ensures live: untyped_live(cpu, untyped);
    ensures untyped_range_ok(cpu, untyped);
    behavior last_of_all:
      assumes first + pages == untyped_record(cpu, untyped)->first +
        untyped_record(cpu, untyped)->next;
      assumes inside: first >= untyped_record(cpu, untyped)->first;
      ensures undone: untyped_record(cpu, untyped)->next ==
        \old(untyped_record(cpu, untyped)->next) - pages;
    behavior others_follow:
      assumes first + pages != untyped_record(cpu, untyped)->first +
        untyped_record(cpu, untyped)->next || first < untyped_record(cpu, untyped)->first;
      ensures kept: untyped_record(cpu, untyped)->next ==
        \old(untyped_record(cpu, untyped)->next);
    complete behaviors;
    disjoint behaviors;
*/
void untyped_retract(struct core_cpu *cpu, uint32_t untyped, frame_no_t first, uint32_t pages)
{
    struct untyped *record = untyped_at(cpu, untyped);

    if (pages <= record->next && first == record->first + (record->next - pages))
        record->next -= pages;
}

/*@ requires untypeds_shape(cpu) && untyped_range_ok(cpu, untyped);
    terminates \true;
    exits   \false;
    assigns untyped_record(cpu, untyped)->next;
    ensures live: untyped_live(cpu, untyped);
    ensures untyped_range_ok(cpu, untyped);
    behavior childless:
      assumes untyped_record(cpu, untyped)->children == 0;
      ensures \result == CAD_OK;
      ensures whole_again: untyped_record(cpu, untyped)->next == 0;
    behavior busy:
      assumes untyped_record(cpu, untyped)->children > 0;
      ensures \result == CAD_BUSY;
      ensures kept: untyped_record(cpu, untyped)->next ==
        \old(untyped_record(cpu, untyped)->next);
    complete behaviors;
    disjoint behaviors;
*/
status_t untyped_reset(struct core_cpu *cpu, uint32_t untyped)
{
    struct untyped *record = untyped_at(cpu, untyped);

    if (record->children > 0)
        return CAD_BUSY;
    record->next = 0;
    return CAD_OK;
}

/*@ requires untypeds_shape(cpu);
    terminates \true;
    exits   \false;
    assigns untyped_record(cpu, untyped)->references;
    ensures live: untyped_live(cpu, untyped);
    ensures had_one: \old(untyped_record(cpu, untyped)->references) > 0;
    ensures one_more: untyped_record(cpu, untyped)->references ==
      \old(untyped_record(cpu, untyped)->references) + 1;
*/
void untyped_take(struct core_cpu *cpu, uint32_t untyped)
{
    struct untyped *record = untyped_at(cpu, untyped);

    CHECK_VALUE(record->references > 0 && record->references < UINT32_MAX, untyped);
    record->references++;
}

/* The whole range takes one edge: to the parent, or to FREE (UT2). */
static void untyped_end(struct core_cpu *cpu, uint32_t untyped)
{
    struct untyped *record = untyped_at(cpu, untyped);
    struct frame_change change = { .from = FRAME_UNTYPED, .from_owner = untyped };

    CHECK_VALUE(record->children == 0, untyped);
    if (record->parent != ID_NONE) {
        struct untyped *parent = untyped_at(cpu, record->parent);
        CHECK_VALUE(parent->children > 0, record->parent);
        parent->children--;
        change.to = FRAME_UNTYPED;
        change.to_owner = record->parent;
        frame_set_state(&cpu->cadastre->frames, record->first, record->pages, &change);
    } else {
        change.to = FRAME_FREE;
        change.to_kind = FRAME_FREE_MAGAZINE;
        frame_set_state(&cpu->cadastre->frames, record->first, record->pages, &change);
        cpu->cadastre->host.run_put(cpu, record->first, record->pages);
        ledger_release(cpu, record->ledger, CAD_RESOURCE_COMMITTED, record->pages);
    }
    untyped_record_destroy(cpu, untyped);
}

void untyped_put(struct core_cpu *cpu, uint32_t untyped)
{
    while (untyped != ID_NONE) {
        struct untyped *record = untyped_at(cpu, untyped);
        uint32_t parent = record->parent;

        CHECK_VALUE(record->references > 0, untyped);
        record->references--;
        if (record->references > 0)
            return;
        untyped_end(cpu, untyped);
        untyped = parent;
    }
}

static void untyped_check(const struct core_cpu *cpu, uint32_t untyped)
{
    const struct untyped_table *table = &cpu->cadastre->untypeds;
    const struct untyped *record = &table->untypeds[untyped];

    CHECK_VALUE(record->pages > 0 && record->next <= record->pages, untyped);
    CHECK_VALUE(record->references > 0 && record->references >= record->children, untyped);
    CHECK_VALUE(id_is_live(&cpu->cadastre->ledgers.ids, record->ledger), untyped);
    if (record->parent == ID_NONE)
        return;
    const struct untyped *parent = &table->untypeds[record->parent];

    CHECK_VALUE(id_is_live(&table->ids, record->parent), untyped);
    CHECK_VALUE(parent->children > 0, untyped);
    CHECK_VALUE(record->first >= parent->first &&
                record->first - parent->first <= parent->next &&
                record->pages <= parent->next - (record->first - parent->first), untyped);
}

void untyped_check_invariants(const struct core_cpu *cpu)
{
    const struct id_pool *ids = &cpu->cadastre->untypeds.ids;

    for (uint32_t i = 1; i < ids->capacity; i++) {
        if (id_is_live(ids, i))
            untyped_check(cpu, i);
    }
}
