// SPDX-License-Identifier: BSD-2-Clause
/*
 * Mapping records stand in two lists, the object's and the space's; new ones
 * come first in both.
 */
#include "core/mapping.h"

#include "base/assert.h"
#include "core/cadastre.h"
#include "core/charge.h"

/*@ // Every number has a record here: coarser than the machine, where only live ones have.
    predicate mappings_shape{L}(struct core_cpu *cpu) =
      \valid_read(cpu) && \valid_read(cpu->cadastre) &&
      \valid(cpu->cadastre->mappings.mappings + (0 .. UINT32_MAX)) &&
      \valid(cpu->cadastre->objects.objects + (0 .. UINT32_MAX)) &&
      \valid(cpu->cadastre->spaces.spaces + (0 .. UINT32_MAX)) &&
      \separated(cpu, cpu->cadastre, cpu->cadastre->mappings.mappings + (0 .. UINT32_MAX),
                 cpu->cadastre->objects.objects + (0 .. UINT32_MAX),
                 cpu->cadastre->spaces.spaces + (0 .. UINT32_MAX));
    logic struct mapping *mapping_record{L}(struct core_cpu *cpu, integer mapping) =
      cpu->cadastre->mappings.mappings + mapping;
    logic struct object *mapping_object{L}(struct core_cpu *cpu, struct mapping *record) =
      cpu->cadastre->objects.objects + record->object;
    logic struct space *mapping_space{L}(struct core_cpu *cpu, struct mapping *record) =
      cpu->cadastre->spaces.spaces + record->space;
*/

/*@ requires mappings_shape(cpu);
    terminates \true;
    exits   \false;
    assigns \result \from cpu, mapping;
    ensures \result == mapping_record(cpu, mapping);
*/
static struct mapping *mapping_at(const struct core_cpu *cpu, uint32_t mapping)
{
    return &cpu->cadastre->mappings.mappings[mapping];
}

/*@ requires mappings_shape(cpu) && id_pool_shape(&cpu->cadastre->mappings.ids);
    requires live: id_live(&cpu->cadastre->mappings.ids, mapping);
    terminates \true;
    exits   \false;
    assigns \result \from cpu, mapping;
    ensures \result == mapping_record(cpu, mapping);
*/
static struct mapping *mapping_live(const struct core_cpu *cpu, uint32_t mapping)
{
    ASSERT(id_is_live(&cpu->cadastre->mappings.ids, mapping));
    return mapping_at(cpu, mapping);
}

/*@ requires mappings_shape(cpu);
    requires not_in_it: mapping_object(cpu, mapping_record(cpu, mapping))->mappings != mapping;
    requires room: mapping_object(cpu, mapping_record(cpu, mapping))->mapping_count < UINT32_MAX;
    terminates \true;
    exits   \false;
    assigns mapping_record(cpu, mapping)->next, mapping_record(cpu, mapping)->previous,
            mapping_record(cpu, mapping_object(cpu, mapping_record(cpu, mapping))->mappings)
              ->previous,
            mapping_object(cpu, mapping_record(cpu, mapping))->mappings,
            mapping_object(cpu, mapping_record(cpu, mapping))->mapping_count;
    ensures first: mapping_object(cpu, mapping_record(cpu, mapping))->mappings == mapping;
    ensures first: mapping_record(cpu, mapping)->previous == ID_NONE;
    ensures before_the_old: mapping_record(cpu, mapping)->next ==
      \old(mapping_object(cpu, mapping_record(cpu, mapping))->mappings);
    ensures told: mapping_record(cpu, mapping)->next != ID_NONE ==>
      mapping_record(cpu, mapping_record(cpu, mapping)->next)->previous == mapping;
    ensures counted: mapping_object(cpu, mapping_record(cpu, mapping))->mapping_count ==
      \old(mapping_object(cpu, mapping_record(cpu, mapping))->mapping_count) + 1;
*/
static void object_link(struct core_cpu *cpu, uint32_t mapping)
{
    struct mapping *record = mapping_at(cpu, mapping);
    struct object *object = &cpu->cadastre->objects.objects[record->object];

    record->next = object->mappings;
    record->previous = ID_NONE;
    if (record->next != ID_NONE) {
        mapping_at(cpu, record->next)->previous = mapping;
    }
    object->mappings = mapping;
    object->mapping_count++;
}

/*@ requires mappings_shape(cpu);
    requires not_in_it: mapping_space(cpu, mapping_record(cpu, mapping))->mappings != mapping;
    requires room: mapping_space(cpu, mapping_record(cpu, mapping))->mapping_count < UINT32_MAX;
    terminates \true;
    exits   \false;
    assigns mapping_record(cpu, mapping)->space_next, mapping_record(cpu, mapping)->space_previous,
            mapping_record(cpu, mapping_space(cpu, mapping_record(cpu, mapping))->mappings)
              ->space_previous,
            mapping_space(cpu, mapping_record(cpu, mapping))->mappings,
            mapping_space(cpu, mapping_record(cpu, mapping))->mapping_count;
    ensures first: mapping_space(cpu, mapping_record(cpu, mapping))->mappings == mapping;
    ensures first: mapping_record(cpu, mapping)->space_previous == ID_NONE;
    ensures before_the_old: mapping_record(cpu, mapping)->space_next ==
      \old(mapping_space(cpu, mapping_record(cpu, mapping))->mappings);
    ensures told: mapping_record(cpu, mapping)->space_next != ID_NONE ==>
      mapping_record(cpu, mapping_record(cpu, mapping)->space_next)->space_previous == mapping;
    ensures counted: mapping_space(cpu, mapping_record(cpu, mapping))->mapping_count ==
      \old(mapping_space(cpu, mapping_record(cpu, mapping))->mapping_count) + 1;
*/
static void space_link(struct core_cpu *cpu, uint32_t mapping)
{
    struct mapping *record = mapping_at(cpu, mapping);
    struct space *space = &cpu->cadastre->spaces.spaces[record->space];

    record->space_next = space->mappings;
    record->space_previous = ID_NONE;
    if (record->space_next != ID_NONE) {
        mapping_at(cpu, record->space_next)->space_previous = mapping;
    }
    space->mappings = mapping;
    space->mapping_count++;
}

/*@ requires mappings_shape(cpu);
    requires ours: \exists integer i; 0 < i <= UINT32_MAX && record == mapping_record(cpu, i);
    requires apart: mapping_record(cpu, record->next) != record;
    requires apart: mapping_record(cpu, record->previous) != record;
    requires in_it: mapping_object(cpu, record)->mapping_count > 0;
    terminates \true;
    exits   \false;
    assigns mapping_record(cpu, record->previous)->next,
            mapping_record(cpu, record->next)->previous,
            mapping_object(cpu, record)->mappings, mapping_object(cpu, record)->mapping_count;
    ensures bridged: record->previous != ID_NONE ==>
      mapping_record(cpu, record->previous)->next == record->next &&
      mapping_object(cpu, record)->mappings == \old(mapping_object(cpu, record)->mappings);
    ensures new_head: record->previous == ID_NONE ==>
      mapping_object(cpu, record)->mappings == record->next &&
      mapping_record(cpu, 0)->next == \old(mapping_record(cpu, 0)->next);
    ensures bridged: record->next != ID_NONE ==>
      mapping_record(cpu, record->next)->previous == record->previous;
    ensures none_after: record->next == ID_NONE ==>
      mapping_record(cpu, 0)->previous == \old(mapping_record(cpu, 0)->previous);
    ensures counted: mapping_object(cpu, record)->mapping_count ==
      \old(mapping_object(cpu, record)->mapping_count) - 1;
*/
static void object_unlink(struct core_cpu *cpu, const struct mapping *record)
{
    struct object *object = &cpu->cadastre->objects.objects[record->object];

    if (record->previous == ID_NONE) {
        object->mappings = record->next;
    } else {
        mapping_at(cpu, record->previous)->next = record->next;
    }
    if (record->next != ID_NONE) {
        mapping_at(cpu, record->next)->previous = record->previous;
    }
    object->mapping_count--;
}

/*@ requires mappings_shape(cpu);
    requires ours: \exists integer i; 0 < i <= UINT32_MAX && record == mapping_record(cpu, i);
    requires apart: mapping_record(cpu, record->space_next) != record;
    requires apart: mapping_record(cpu, record->space_previous) != record;
    requires in_it: mapping_space(cpu, record)->mapping_count > 0;
    terminates \true;
    exits   \false;
    assigns mapping_record(cpu, record->space_previous)->space_next,
            mapping_record(cpu, record->space_next)->space_previous,
            mapping_space(cpu, record)->mappings, mapping_space(cpu, record)->mapping_count;
    ensures bridged: record->space_previous != ID_NONE ==>
      mapping_record(cpu, record->space_previous)->space_next == record->space_next &&
      mapping_space(cpu, record)->mappings == \old(mapping_space(cpu, record)->mappings);
    ensures new_head: record->space_previous == ID_NONE ==>
      mapping_space(cpu, record)->mappings == record->space_next &&
      mapping_record(cpu, 0)->space_next == \old(mapping_record(cpu, 0)->space_next);
    ensures bridged: record->space_next != ID_NONE ==>
      mapping_record(cpu, record->space_next)->space_previous == record->space_previous;
    ensures none_after: record->space_next == ID_NONE ==>
      mapping_record(cpu, 0)->space_previous == \old(mapping_record(cpu, 0)->space_previous);
    ensures counted: mapping_space(cpu, record)->mapping_count ==
      \old(mapping_space(cpu, record)->mapping_count) - 1;
*/
static void space_unlink(struct core_cpu *cpu, const struct mapping *record)
{
    struct space *space = &cpu->cadastre->spaces.spaces[record->space];

    if (record->space_previous == ID_NONE) {
        space->mappings = record->space_next;
    } else {
        mapping_at(cpu, record->space_previous)->space_next = record->space_next;
    }
    if (record->space_next != ID_NONE) {
        mapping_at(cpu, record->space_next)->space_previous = record->space_previous;
    }
    space->mapping_count--;
}

/* Quota, claim and record. Fails: state unchanged. */
static status_t mapping_reserve(struct core_cpu *cpu, uint32_t object, uint32_t ledger,
                                uint32_t *mapping)
{
    status_t status = ledger_reserve(cpu, ledger, CAD_RESOURCE_METADATA, CHARGE_MAPPING);

    if (status != CAD_OK) {
        return status;
    }
    status = object_claim(cpu, object, ledger);
    if (status == CAD_OK && !id_pool_take(cpu, &cpu->cadastre->mappings.ids, mapping)) {
        object_unclaim(cpu, object, ledger);
        status = CAD_PRESSURE;
    }
    if (status != CAD_OK) {
        ledger_release(cpu, ledger, CAD_RESOURCE_METADATA, CHARGE_MAPPING);
    }
    return status;
}

/* Fills a record that mapping_reserve gave; nothing fails here. */
static void mapping_commit(struct core_cpu *cpu, uint32_t mapping, uint32_t object, uint32_t space)
{
    const struct cadastre *cadastre = cpu->cadastre;
    struct mapping *record = mapping_at(cpu, mapping);

    record->object = object;
    record->space = space;
    record->object_generation = cadastre->objects.ids.slots[object].generation;
    record->space_generation = cadastre->spaces.ids.slots[space].generation;
    record->ledger = cadastre->spaces.spaces[space].ledger;
    object_take(cpu, object);
    object_link(cpu, mapping);
    space_link(cpu, mapping);
}

status_t mapping_create(struct core_cpu *cpu, uint32_t object, uint32_t space, virt_addr_t address,
                        uint32_t first_page, uint32_t pages, uint32_t ceiling, uint32_t *out)
{
    const struct cadastre *cadastre = cpu->cadastre;
    uint32_t mapping;
    status_t status;

    ASSERT(id_is_live(&cadastre->objects.ids, object));
    ASSERT(id_is_live(&cadastre->spaces.ids, space));
    ASSERT(pages > 0 && first_page < cadastre->objects.objects[object].pages);
    ASSERT(pages <= cadastre->objects.objects[object].pages - first_page);
    status = mapping_reserve(cpu, object, cadastre->spaces.spaces[space].ledger, &mapping);
    if (status != CAD_OK) {
        return status;
    }
    /* commit */
    mapping_commit(cpu, mapping, object, space);
    mapping_at(cpu, mapping)->address = address;
    mapping_at(cpu, mapping)->first_page = first_page;
    mapping_at(cpu, mapping)->pages = pages;
    mapping_at(cpu, mapping)->ceiling = ceiling;
    *out = mapping;
    return CAD_OK;
}

/* The pages of `head` from `pages_before` on become those of `rest`. */
/*@ requires \valid(head) && \valid(rest) && \separated(head, rest);
    requires fits: mapping_fits(head);
    requires both: 0 < pages_before < head->pages;
    terminates \true;
    exits   \false;
    assigns head->pages, rest->address, rest->first_page, rest->pages, rest->ceiling;
    ensures some: head->pages == pages_before && rest->pages > 0;
    ensures nothing_lost: head->pages + rest->pages == \old(head->pages);
    ensures adjacent: rest->address == head->address + head->pages * PAGE_SIZE;
    ensures same_end: rest->address + rest->pages * PAGE_SIZE ==
      \old(head->address + head->pages * PAGE_SIZE);
    ensures same_pages: rest->first_page == head->first_page + head->pages;
    ensures same_ceiling: rest->ceiling == head->ceiling;
    ensures one_of_two: \forall integer address; mapping_covers{Pre}(head, address) <==>
      mapping_covers(head, address) || mapping_covers(rest, address);
    ensures not_both: \forall integer address;
      !(mapping_covers(head, address) && mapping_covers(rest, address));
*/
static void mapping_divide(struct mapping *head, struct mapping *rest, uint32_t pages_before)
{
    rest->address = head->address + (uint64_t)pages_before * PAGE_SIZE;
    rest->first_page = head->first_page + pages_before;
    rest->pages = head->pages - pages_before;
    rest->ceiling = head->ceiling;
    head->pages = pages_before;
}

status_t mapping_split(struct core_cpu *cpu, uint32_t mapping, uint32_t pages_before,
                       uint32_t *tail)
{
    struct mapping *head = mapping_live(cpu, mapping);
    uint32_t rest;
    status_t status;

    ASSERT(pages_before > 0 && pages_before < head->pages);
    status = mapping_reserve(cpu, head->object, head->ledger, &rest);
    if (status != CAD_OK) {
        return status;
    }
    /* commit */
    mapping_commit(cpu, rest, head->object, head->space);
    mapping_divide(head, mapping_at(cpu, rest), pages_before);
    *tail = rest;
    return CAD_OK;
}

/*@ requires mappings_shape(cpu) && id_pool_shape(&cpu->cadastre->mappings.ids);
    requires live: id_live(&cpu->cadastre->mappings.ids, mapping);
    requires fits: mapping_fits(mapping_record(cpu, mapping));
    requires some_left: pages < mapping_record(cpu, mapping)->pages;
    terminates \true;
    exits   \false;
    assigns mapping_record(cpu, mapping)->address, mapping_record(cpu, mapping)->first_page,
            mapping_record(cpu, mapping)->pages;
    ensures left: mapping_record(cpu, mapping)->pages ==
      \old(mapping_record(cpu, mapping)->pages) - pages;
    ensures moved: mapping_record(cpu, mapping)->address ==
      \old(mapping_record(cpu, mapping)->address) + pages * PAGE_SIZE;
    ensures same_pages: mapping_record(cpu, mapping)->first_page ==
      \old(mapping_record(cpu, mapping)->first_page) + pages;
*/
void mapping_trim_head(struct core_cpu *cpu, uint32_t mapping, uint32_t pages)
{
    struct mapping *record = mapping_live(cpu, mapping);

    ASSERT(pages < record->pages);
    record->address += (uint64_t)pages * PAGE_SIZE;
    record->first_page += pages;
    record->pages -= pages;
}

/*@ requires mappings_shape(cpu) && id_pool_shape(&cpu->cadastre->mappings.ids);
    requires live: id_live(&cpu->cadastre->mappings.ids, mapping);
    requires some_left: pages < mapping_record(cpu, mapping)->pages;
    terminates \true;
    exits   \false;
    assigns mapping_record(cpu, mapping)->pages;
    ensures left: mapping_record(cpu, mapping)->pages ==
      \old(mapping_record(cpu, mapping)->pages) - pages;
*/
void mapping_trim_tail(struct core_cpu *cpu, uint32_t mapping, uint32_t pages)
{
    struct mapping *record = mapping_live(cpu, mapping);

    ASSERT(pages < record->pages);
    record->pages -= pages;
}

bool mapping_destroy(struct core_cpu *cpu, uint32_t mapping)
{
    const struct mapping *record = mapping_live(cpu, mapping);
    uint32_t object = record->object;
    uint32_t ledger = record->ledger;

    object_unlink(cpu, record);
    space_unlink(cpu, record);
    id_pool_put(&cpu->cadastre->mappings.ids, mapping);
    ledger_release(cpu, ledger, CAD_RESOURCE_METADATA, CHARGE_MAPPING);
    object_unclaim(cpu, object, ledger);
    return object_put(cpu, object);
}
