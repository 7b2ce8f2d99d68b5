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

status_t untyped_retype_object(struct core_cpu *cpu, uint32_t untyped, uint32_t object,
                               uint32_t pages, frame_no_t *first)
{
    struct untyped *record = untyped_at(cpu, untyped);
    struct frame_change change = { .from = FRAME_UNTYPED, .from_owner = untyped,
                                   .to = FRAME_OBJECT, .to_owner = object, .numbered = true };

    if (pages == 0)
        return CAD_INVALID;
    if (pages > record->pages - record->next)
        return CAD_USED_UP;
    frame_no_t run = record->first + record->next;

    for (uint32_t i = 0; i < pages; i++)
        cpu->cadastre->host.page_clear(run + i);
    frame_set_state(&cpu->cadastre->frames, run, pages, &change);
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

void untyped_retract(struct core_cpu *cpu, uint32_t untyped, frame_no_t first, uint32_t pages)
{
    struct untyped *record = untyped_at(cpu, untyped);

    if (pages <= record->next && first == record->first + (record->next - pages))
        record->next -= pages;
}

status_t untyped_reset(struct core_cpu *cpu, uint32_t untyped)
{
    struct untyped *record = untyped_at(cpu, untyped);

    if (record->children > 0)
        return CAD_BUSY;
    record->next = 0;
    return CAD_OK;
}

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
