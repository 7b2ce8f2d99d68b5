// SPDX-License-Identifier: BSD-2-Clause
/*
 * Birth and death of memory objects.
 *
 * A create first makes the record and its claim (object_begin), which nobody
 * can name yet, then takes the frames.  What may fail after object_begin is one
 * call, and its failure goes through object_abandon.
 */
#include "core/object.h"

#include "base/assert.h"
#include "core/cadastre.h"
#include "core/charge.h"
#include "core/object_index.h"

/* What is decided about an object before it exists. */
struct object_design {
    enum cad_object_kind kind;
    uint32_t ledger, untyped, pages;
};

/*@ // Every number has a record here: coarser than the machine, where only live ones have.
    predicate objects_shape{L}(struct core_cpu *cpu) =
      \valid_read(cpu) && \valid(cpu->cadastre) && id_pool_shape(&cpu->cadastre->objects.ids) &&
      \valid(cpu->cadastre->objects.objects + (0 .. UINT32_MAX)) &&
      \separated(cpu, cpu->cadastre, cpu->cadastre->objects.objects + (0 .. UINT32_MAX),
                 cpu->cadastre->objects.ids.slots + (0 .. cpu->cadastre->objects.ids.limit - 1));
    predicate object_live{L}(struct core_cpu *cpu, integer object) =
      id_live(&cpu->cadastre->objects.ids, object);
    logic struct object *object_record{L}(struct core_cpu *cpu, integer object) =
      cpu->cadastre->objects.objects + object;
*/

/*@ requires objects_shape(cpu);
    requires live: object_live(cpu, object);
    terminates \true;
    exits   \false;
    assigns \result \from cpu, object;
    ensures \result == object_record(cpu, object);
*/
static struct object *object_at(const struct core_cpu *cpu, uint32_t object)
{
    ASSERT(id_is_live(&cpu->cadastre->objects.ids, object));
    return &cpu->cadastre->objects.objects[object];
}

/*@ terminates \true;
    exits   \false;
    assigns \nothing;
    ensures \result == \true <==> 0 < pages <= OBJECT_PAGES_MAX;
*/
static bool is_pages_count(uint32_t pages)
{
    return pages > 0 && pages <= OBJECT_PAGES_MAX;
}

/* Metadata bytes of the record and its index. */
/*@ requires pages <= OBJECT_PAGES_MAX;
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures record_and_nodes: \result == CHARGE_OBJECT +
      (kind == CAD_OBJECT_PAGES ? index_nodes(pages) * CHARGE_FRAME : 0);
*/
static uint64_t metadata_bytes(enum cad_object_kind kind, uint32_t pages)
{
    uint64_t nodes = kind == CAD_OBJECT_PAGES ? object_index_nodes(pages) : 0;

    return CHARGE_OBJECT + nodes * CHARGE_FRAME;
}

/*@ requires objects_shape(cpu) && \valid_read(design) && 0 < design->pages <= OBJECT_PAGES_MAX;
    requires \separated(design, object_record(cpu, object));
    requires live: object_live(cpu, object);
    requires kind: 0 <= design->kind <= UINT8_MAX;
    terminates \true;
    exits   \false;
    assigns *object_record(cpu, object);
    ensures one_reference: object_record(cpu, object)->references == 1 &&
      object_record(cpu, object)->dying == 0;
    ensures unmapped: object_record(cpu, object)->mappings == ID_NONE &&
      object_record(cpu, object)->mapping_count == 0;
    ensures unclaimed: object_record(cpu, object)->claims == ID_NONE &&
      object_record(cpu, object)->claim_count == 0;
    ensures no_frame: object_record(cpu, object)->first == FRAME_NONE &&
      object_record(cpu, object)->destroyed == 0;
    ensures designed: object_record(cpu, object)->kind == design->kind &&
      object_record(cpu, object)->ledger == design->ledger &&
      object_record(cpu, object)->untyped == design->untyped &&
      object_record(cpu, object)->pages == design->pages;
    ensures height: design->kind != CAD_OBJECT_PAGES ==> object_record(cpu, object)->height == 0;
    ensures height: design->kind == CAD_OBJECT_PAGES ==>
      design->pages <= index_span(object_record(cpu, object)->height);
*/
static void object_init(struct core_cpu *cpu, uint32_t object, const struct object_design *design)
{
    struct object *record = object_at(cpu, object);

    record->kind = (uint8_t)design->kind;
    record->height = 0;
    if (design->kind == CAD_OBJECT_PAGES) {
        record->height = (uint8_t)object_index_height(design->pages);
    }
    record->dying = 0;
    record->reserved = 0;
    record->ledger = design->ledger;
    record->untyped = design->untyped;
    record->pages = design->pages;
    record->first = FRAME_NONE;
    record->references = 1;
    record->mappings = ID_NONE;
    record->mapping_count = 0;
    record->claims = ID_NONE;
    record->claim_count = 0;
    record->destroyed = 0;
    record->host_next = 0;
}

/* The record is gone; its frames and claims went before. */
static void object_retire(struct core_cpu *cpu, uint32_t object)
{
    const struct object *record = object_at(cpu, object);
    uint32_t ledger = record->ledger;
    uint64_t bytes = metadata_bytes((enum cad_object_kind)record->kind, record->pages);

    id_pool_put(&cpu->cadastre->objects.ids, object);
    ledger_release(cpu, ledger, CAD_RESOURCE_METADATA, bytes);
    ledger_put(cpu, ledger);
}

/* Quota, record and first claim. Fails: state unchanged. */
static status_t object_begin(struct core_cpu *cpu, const struct object_design *design,
                             uint32_t *object)
{
    uint64_t bytes = metadata_bytes(design->kind, design->pages);
    status_t status = ledger_reserve(cpu, design->ledger, CAD_RESOURCE_METADATA, bytes);

    if (status != CAD_OK) {
        return status;
    }
    if (!id_pool_take(cpu, &cpu->cadastre->objects.ids, object)) {
        ledger_release(cpu, design->ledger, CAD_RESOURCE_METADATA, bytes);
        return CAD_PRESSURE;
    }
    ledger_take(cpu, design->ledger);
    object_init(cpu, *object, design);
    status = object_claim(cpu, *object, design->ledger);
    if (status != CAD_OK) {
        object_retire(cpu, *object);
    }
    return status;
}

/* The frames did not come. Needs: after object_begin, no frame held. */
static void object_abandon(struct core_cpu *cpu, uint32_t object, uint32_t ledger)
{
    object_unclaim(cpu, object, ledger);
    object_retire(cpu, object);
}

status_t object_create(struct core_cpu *cpu, uint32_t ledger, uint32_t pages, uint32_t *out)
{
    struct object_design design = { CAD_OBJECT_PAGES, ledger, ID_NONE, pages };
    uint32_t object;
    status_t status;

    if (!is_pages_count(pages)) {
        return CAD_INVALID;
    }
    status = object_begin(cpu, &design, &object);
    if (status != CAD_OK) {
        return status;
    }
    if (!object_index_fill(cpu, object)) {
        object_abandon(cpu, object, ledger);
        return CAD_PRESSURE;
    }
    *out = object;
    return CAD_OK;
}

/* An aligned run of exactly `pages` frames; what the block has more goes back. */
static frame_no_t run_take(struct core_cpu *cpu, uint32_t pages, uint32_t alignment_pages)
{
    const struct core_host *host = &cpu->cadastre->host;
    uint32_t smallest = pages > alignment_pages ? pages : alignment_pages;
    unsigned order = frame_order_for(smallest);
    frame_no_t first =
        FAULT_POINT(cpu, block_take, CAD_PRESSURE) ? FRAME_NONE : host->block_take(cpu, order);

    if (first != FRAME_NONE && pages < 1u << order) {
        host->run_put(cpu, first + pages, (1u << order) - pages);
    }
    return first;
}

status_t object_create_contiguous(struct core_cpu *cpu, uint32_t ledger, uint32_t pages,
                                  uint32_t alignment_pages, uint32_t *out)
{
    struct object_design design = { CAD_OBJECT_CONTIGUOUS, ledger, ID_NONE, pages };
    const uint32_t most = 1u << FRAME_ORDER_MAX;
    uint32_t object;
    frame_no_t first;
    status_t status;

    if (pages == 0 || pages > most || alignment_pages == 0 || alignment_pages > most ||
        (alignment_pages & (alignment_pages - 1)) != 0) {
        return CAD_INVALID;
    }
    status = object_begin(cpu, &design, &object);
    if (status != CAD_OK) {
        return status;
    }
    first = run_take(cpu, pages, alignment_pages);
    if (first == FRAME_NONE) {
        object_abandon(cpu, object, ledger);
        return CAD_PRESSURE;
    }
    /* commit */
    frame_run_to_object(cpu, first, pages, object);
    object_at(cpu, object)->first = first;
    *out = object;
    return CAD_OK;
}

status_t object_create_untyped(struct core_cpu *cpu, uint32_t ledger, uint32_t untyped,
                               uint32_t pages, uint32_t *out)
{
    struct object_design design = { CAD_OBJECT_CONTIGUOUS, ledger, untyped, pages };
    uint32_t object;
    frame_no_t first;
    status_t status;

    if (!is_pages_count(pages)) {
        return CAD_INVALID;
    }
    status = object_begin(cpu, &design, &object);
    if (status != CAD_OK) {
        return status;
    }
    status = untyped_retype_object(cpu, untyped, object, pages, &first);
    if (status != CAD_OK) {
        object_abandon(cpu, object, ledger);
        return status;
    }
    /* commit */
    object_at(cpu, object)->first = first;
    *out = object;
    return CAD_OK;
}

status_t object_create_boot(struct core_cpu *cpu, uint32_t ledger, frame_no_t first,
                            uint32_t pages, uint32_t *out)
{
    struct object_design design = { CAD_OBJECT_BOOT, ledger, ID_NONE, pages };
    uint32_t object;
    status_t status;

    if (!is_pages_count(pages)) {
        return CAD_INVALID;
    }
    status = object_begin(cpu, &design, &object);
    if (status != CAD_OK) {
        return status;
    }
    /* commit */
    for (uint32_t page = 0; page < pages; page++) {
        frame_adopt_object(&cpu->cadastre->frames, first + page, object, page);
    }
    object_at(cpu, object)->first = first;
    *out = object;
    return CAD_OK;
}

/*@ requires objects_shape(cpu);
    requires live: object_live(cpu, object);
    requires inside: page < object_record(cpu, object)->pages;
    requires run: object_record(cpu, object)->kind != CAD_OBJECT_PAGES ==>
      object_record(cpu, object)->first + page <= UINT32_MAX;
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures run: object_record(cpu, object)->kind != CAD_OBJECT_PAGES ==>
      \result == object_record(cpu, object)->first + page;
*/
frame_no_t object_page(const struct core_cpu *cpu, uint32_t object, uint32_t page)
{
    const struct object *record = object_at(cpu, object);

    ASSERT(page < record->pages);
    if (record->kind == CAD_OBJECT_PAGES) {
        return object_index_frame(cpu, object, 0, page);
    }
    return record->first + page;
}

uint32_t object_page_run(const struct core_cpu *cpu, uint32_t object, uint32_t page,
                         uint32_t limit, frame_no_t *frames)
{
    const struct object *record = object_at(cpu, object);

    ASSERT(limit > 0 && page < record->pages && limit <= record->pages - page);
    if (record->kind == CAD_OBJECT_PAGES) {
        return object_index_run(cpu, object, page, limit, frames);
    }
    for (uint32_t i = 0; i < limit; i++) {
        frames[i] = record->first + page + i;
    }
    return limit;
}

/*@ requires objects_shape(cpu);
    requires live: object_live(cpu, object);
    terminates \true;
    exits   \false;
    assigns object_record(cpu, object)->references;
    ensures not_dying: object_record(cpu, object)->dying == 0;
    ensures counted: object_record(cpu, object)->references ==
      \old(object_record(cpu, object)->references) + 1;
*/
void object_take(struct core_cpu *cpu, uint32_t object)
{
    struct object *record = object_at(cpu, object);

    CHECK_VALUE(!record->dying && record->references < UINT32_MAX, object);
    record->references++;
}

/*@ requires objects_shape(cpu);
    requires live: object_live(cpu, object);
    terminates \true;
    exits   \false;
    assigns object_record(cpu, object)->references, object_record(cpu, object)->dying;
    ensures counted: object_record(cpu, object)->references ==
      \old(object_record(cpu, object)->references) - 1;
    ensures last: \result == \true <==> object_record(cpu, object)->references == 0;
    ensures dies: \result == \true ==> object_record(cpu, object)->dying == 1;
    ensures unused: \result == \true ==> object_record(cpu, object)->claims == ID_NONE &&
      object_record(cpu, object)->mappings == ID_NONE;
    ensures lives: \result == \false ==>
      object_record(cpu, object)->dying == \old(object_record(cpu, object)->dying);
*/
bool object_put(struct core_cpu *cpu, uint32_t object)
{
    struct object *record = object_at(cpu, object);

    CHECK_VALUE(record->references > 0, object);
    record->references--;
    if (record->references > 0) {
        return false;
    }
    CHECK_VALUE(record->claims == ID_NONE && record->mappings == ID_NONE, object);
    record->dying = 1;
    return true;
}

/* Pages [from, to) of a dying object go back to where they came from. */
static void pages_release(struct core_cpu *cpu, uint32_t object, uint32_t from, uint32_t to)
{
    const struct object *record = object_at(cpu, object);

    if (record->untyped != ID_NONE) {
        untyped_return_object(cpu, record->untyped, object, record->first, record->pages);
    } else if (record->kind == CAD_OBJECT_PAGES) {
        object_index_release(cpu, object, from, to);
    } else {
        for (uint32_t page = from; page < to; page++) {
            frame_release(cpu, record->first + page, FRAME_OBJECT, object);
        }
    }
}

bool object_destroy_step(struct core_cpu *cpu, uint32_t object, uint32_t budget)
{
    struct object *record = object_at(cpu, object);
    uint32_t left = record->pages - record->destroyed;
    uint32_t now = record->untyped == ID_NONE && budget < left ? budget : left;

    CHECK_VALUE(record->dying, object);
    pages_release(cpu, object, record->destroyed, record->destroyed + now);
    record->destroyed += now;
    if (record->destroyed < record->pages) {
        return false;
    }
    object_retire(cpu, object);
    return true;
}

static void check_claims(const struct core_cpu *cpu, uint32_t object)
{
    const struct object_table *table = &cpu->cadastre->objects;
    const struct object *record = &table->objects[object];
    uint32_t found = 0;

    for (uint32_t claim = record->claims; claim != ID_NONE; claim = table->claims[claim].next) {
        CHECK_VALUE(id_is_live(&table->claim_ids, claim), claim);
        CHECK_VALUE(table->claims[claim].object == object, claim);
        CHECK_VALUE(table->claims[claim].count > 0, claim);
        CHECK_VALUE(id_is_live(&cpu->cadastre->ledgers.ids, table->claims[claim].ledger), claim);
        CHECK_VALUE(found < record->claim_count, object);
        found++;
    }
    CHECK_VALUE(found == record->claim_count, object);
}

static void check_mappings(const struct core_cpu *cpu, uint32_t object)
{
    const struct mapping_table *table = &cpu->cadastre->mappings;
    const struct object *record = &cpu->cadastre->objects.objects[object];
    uint32_t found = 0, before = ID_NONE;

    for (uint32_t at = record->mappings; at != ID_NONE; at = table->mappings[at].next) {
        CHECK_VALUE(id_is_live(&table->ids, at), at);
        CHECK_VALUE(table->mappings[at].object == object, at);
        CHECK_VALUE(table->mappings[at].previous == before, at);
        CHECK_VALUE(found < record->mapping_count, object);
        found++;
        before = at;
    }
    CHECK_VALUE(found == record->mapping_count, object);
    CHECK_VALUE(record->mapping_count <= record->references, object);
}

void object_check_invariants(const struct core_cpu *cpu)
{
    const struct object_table *table = &cpu->cadastre->objects;
    uint64_t claims = 0, mappings = 0;

    for (uint32_t object = 1; object < table->ids.capacity; object++) {
        const struct object *record = &table->objects[object];

        if (id_is_live(&table->ids, object)) {
            CHECK_VALUE((record->references == 0) == (record->dying != 0), object);
            CHECK_VALUE(record->dying || record->destroyed == 0, object);
            CHECK_VALUE(!record->dying || record->claim_count == 0, object);
            check_claims(cpu, object);
            check_mappings(cpu, object);
            claims += record->claim_count;
            mappings += record->mapping_count;
        }
    }
    CHECK_VALUE(claims == table->claim_ids.live_count, claims);
    CHECK_VALUE(mappings == cpu->cadastre->mappings.ids.live_count, mappings);
}
