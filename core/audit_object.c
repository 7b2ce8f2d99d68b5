// SPDX-License-Identifier: BSD-2-Clause
/*
 * Objects from both sides: their frames from the index, their references and
 * claims from all that refers, their `maps` from the entries of their mappings.
 */
#include "core/audit_priv.h"
#include "core/charge.h"
#include "core/object_index.h"

/* --- mapping records, each by itself --- */

static void audit_mapping(struct audit *audit, uint32_t id)
{
    const struct cadastre *cadastre = audit->cadastre;
    const struct mapping *mapping = &cadastre->mappings.mappings[id];
    bool has_space = id_matches(&cadastre->spaces.ids, mapping->space, mapping->space_generation);
    uint64_t bytes = (uint64_t)mapping->pages << PAGE_SHIFT;

    audit_charge(audit, mapping->ledger, id, CAD_RESOURCE_METADATA, CHARGE_MAPPING);
    (void)audit_true(audit, AUDIT_MAPPING_IDENTITY, id, mapping->space, has_space);
    (void)audit_true(audit, AUDIT_MAPPING_RANGE, id, mapping->address,
                     is_page_aligned(mapping->address) && mapping->address >= CAD_USER_BASE &&
                         mapping->address < CAD_USER_END &&
                         bytes <= CAD_USER_END - mapping->address);
    if (!audit_true(audit, AUDIT_MAPPING_IDENTITY, id, mapping->object,
                    id_matches(&cadastre->objects.ids, mapping->object,
                               mapping->object_generation)))
        return;
    uint32_t pages = cadastre->objects.objects[mapping->object].pages;

    (void)audit_true(audit, AUDIT_MAPPING_RANGE, id, mapping->object,
                     mapping->pages > 0 && mapping->first_page < pages &&
                         mapping->pages <= pages - mapping->first_page);
    audit_object_reference(audit, mapping->object, mapping->ledger);
}

void audit_mappings(struct audit *audit)
{
    const struct id_pool *ids = &audit->cadastre->mappings.ids;

    for (uint32_t i = 1; i < ids->capacity; i++) {
        if (id_is_live(ids, i))
            audit_mapping(audit, i);
    }
}

/* --- frames --- */

/* Entries of all spaces that show this page now.  Cost: O(mappings of the object). */
static uint64_t entries_showing(const struct audit *audit, uint32_t object, uint32_t page,
                                frame_no_t frame)
{
    const struct cadastre *cadastre = audit->cadastre;
    const struct object *record = &cadastre->objects.objects[object];
    uint32_t at = record->mappings;
    uint64_t showing = 0;

    for (uint32_t i = 0; i < record->mapping_count; i++) {
        if (!id_is_live(&cadastre->mappings.ids, at))
            break;
        const struct mapping *mapping = &cadastre->mappings.mappings[at];
        at = mapping->next;
        if (page < mapping->first_page || page - mapping->first_page >= mapping->pages ||
            !id_is_live(&cadastre->spaces.ids, mapping->space))
            continue;
        uint64_t offset = (uint64_t)(page - mapping->first_page) << PAGE_SHIFT;
        uint64_t word = audit_entry(audit, mapping->space, mapping->address + offset);
        showing += entry_state(word) == ENTRY_BORROWED && entry_is_present(word) &&
                   entry_value(word) == frame;
    }
    return showing;
}

/* Gives: whether the frame is this page of the object's. */
static bool audit_page(struct audit *audit, uint32_t object, uint32_t page, frame_no_t number)
{
    if (!audit_reach(audit, number, object))
        return false;
    const struct frame *frame = &audit->cadastre->frames.frames[number];

    if (!audit_true(audit, AUDIT_OBJECT_FRAME, number, object,
                    frame->state == FRAME_OBJECT && frame->owner == object &&
                        frame->detail == page))
        return false;
    return audit_equal(audit, AUDIT_OBJECT_MAPS, number, object,
                       entries_showing(audit, object, page, number), frame->maps);
}

/* The nodes of one level, those above being there.  Gives: whether all are. */
static bool audit_level(struct audit *audit, uint32_t object, unsigned level)
{
    const struct object *record = &audit->cadastre->objects.objects[object];
    uint64_t span = object_index_span(level);
    bool are_there = true;

    for (uint64_t page = 0; page < record->pages; page += span) {
        if ((page + span < record->pages ? page + span : record->pages) <= record->destroyed)
            continue;
        frame_no_t node = object_index_frame(audit->cpu, object, level, (uint32_t)page);
        bool is_there = audit_reach(audit, node, object);
        if (is_there) {
            const struct frame *frame = &audit->cadastre->frames.frames[node];
            is_there = audit_true(audit, AUDIT_OBJECT_NODE, node, object,
                                  frame->state == FRAME_KERNEL &&
                                      frame->kind == FRAME_KIND_INDEX && frame->owner == object &&
                                      frame->detail ==
                                          object_index_detail(level, (uint32_t)page));
        }
        are_there = are_there && is_there;
    }
    return are_there;
}

static void audit_object_frames(struct audit *audit, uint32_t object)
{
    const struct object *record = &audit->cadastre->objects.objects[object];

    for (unsigned level = record->height; level > 0; level--) {
        if (!audit_level(audit, object, level))
            return;
    }
    for (uint32_t page = record->destroyed; page < record->pages; page++) {
        frame_no_t frame = record->first + page;
        if (record->kind == CAD_OBJECT_PAGES)
            frame = object_index_frame(audit->cpu, object, 0, page);
        (void)audit_page(audit, object, page, frame);
    }
}

/* --- claims and mappings of an object --- */

static void audit_claims(struct audit *audit, uint32_t object)
{
    const struct object_table *table = &audit->cadastre->objects;
    const struct object *record = &table->objects[object];
    uint32_t at = record->claims;

    for (uint32_t i = 0; i < record->claim_count; i++) {
        if (!audit_true(audit, AUDIT_CLAIM_LIST, object, at, id_is_live(&table->claim_ids, at)))
            return;
        const struct claim *claim = &table->claims[at];
        (void)audit_equal(audit, AUDIT_CLAIM_LIST, object, at, object, claim->object);
        (void)audit_equal(audit, AUDIT_CLAIM_REASONS, at, object,
                          audit->scratch->claim_reasons[at], claim->count);
        audit_ledger_reference(audit, claim->ledger, at);
        audit_charge(audit, claim->ledger, at, CAD_RESOURCE_METADATA, CHARGE_CLAIM);
        audit_charge(audit, claim->ledger, at, CAD_RESOURCE_COMMITTED,
                     object_claim_pages(record));
        at = claim->next;
    }
    (void)audit_equal(audit, AUDIT_CLAIM_LIST, object, 0, ID_NONE, at);
}

static void audit_object_list(struct audit *audit, uint32_t object)
{
    const struct mapping_table *table = &audit->cadastre->mappings;
    const struct object *record = &audit->cadastre->objects.objects[object];
    uint32_t at = record->mappings, before = ID_NONE;

    for (uint32_t i = 0; i < record->mapping_count; i++) {
        if (!audit_true(audit, AUDIT_OBJECT_MAPPINGS, object, at, id_is_live(&table->ids, at)))
            return;
        (void)audit_true(audit, AUDIT_OBJECT_MAPPINGS, object, at,
                         table->mappings[at].object == object &&
                             table->mappings[at].previous == before);
        before = at;
        at = table->mappings[at].next;
    }
    (void)audit_equal(audit, AUDIT_OBJECT_MAPPINGS, object, before, ID_NONE, at);
}

/* --- objects --- */

/* Gives: whether its frames can be looked for. */
static bool audit_shape(struct audit *audit, uint32_t id)
{
    const struct object *object = &audit->cadastre->objects.objects[id];
    bool is_kind = object->kind == CAD_OBJECT_PAGES || object->kind == CAD_OBJECT_CONTIGUOUS ||
                   object->kind == CAD_OBJECT_BOOT;
    bool is_size = object->pages > 0 && object->pages <= OBJECT_PAGES_MAX;
    unsigned height = is_size && object->kind == CAD_OBJECT_PAGES
                          ? object_index_height(object->pages) : 0;
    bool is_life = (object->references == 0) == (object->dying != 0) &&
                   object->destroyed <= (object->dying ? object->pages : 0);

    return audit_true(audit, AUDIT_OBJECT_SHAPE, id, object->kind, is_kind) &&
           audit_true(audit, AUDIT_OBJECT_SHAPE, id, object->pages, is_size) &&
           audit_true(audit, AUDIT_OBJECT_SHAPE, id, object->references, is_life) &&
           audit_equal(audit, AUDIT_OBJECT_SHAPE, id, 0, height, object->height);
}

static void audit_object_untyped(struct audit *audit, uint32_t id)
{
    uint32_t untyped = audit->cadastre->objects.objects[id].untyped;

    if (untyped == ID_NONE)
        return;
    audit_untyped_reference(audit, untyped, id);
    if (id_is_live(&audit->cadastre->untypeds.ids, untyped))
        audit->scratch->untypeds[untyped].children++;
}

static void audit_object(struct audit *audit, uint32_t id)
{
    const struct object *object = &audit->cadastre->objects.objects[id];

    audit_ledger_reference(audit, object->ledger, id);
    audit_object_untyped(audit, id);
    audit_claims(audit, id);
    audit_object_list(audit, id);
    (void)audit_equal(audit, AUDIT_OBJECT_REFERENCES, id, 0,
                      audit->scratch->object_references[id], object->references);
    if (!audit_shape(audit, id))
        return;
    uint64_t nodes = object->kind == CAD_OBJECT_PAGES ? object_index_nodes(object->pages) : 0;

    audit_charge(audit, object->ledger, id, CAD_RESOURCE_METADATA,
                 CHARGE_OBJECT + nodes * CHARGE_FRAME);
    audit_object_frames(audit, id);
}

void audit_objects(struct audit *audit)
{
    const struct object_table *table = &audit->cadastre->objects;
    uint64_t claims = 0, mappings = 0;

    for (uint32_t i = 1; i < table->ids.capacity; i++) {
        if (!id_is_live(&table->ids, i))
            continue;
        audit_object(audit, i);
        claims += table->objects[i].claim_count;
        mappings += table->objects[i].mapping_count;
    }
    (void)audit_equal(audit, AUDIT_CLAIM_LIST, 0, 0, table->claim_ids.live_count, claims);
    (void)audit_equal(audit, AUDIT_OBJECT_MAPPINGS, 0, 0,
                      audit->cadastre->mappings.ids.live_count, mappings);
}
