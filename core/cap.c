// SPDX-License-Identifier: BSD-2-Clause
/*
 * Slots in their tables.  A slot is in exactly one table's list and in one place
 * of the tree (core/cap_tree.h); both sets of links are by slot number.
 */
#include "core/cap.h"

#include "base/assert.h"
#include "base/atomic.h"
#include "core/cadastre.h"
#include "core/cap_tree.h"
#include "core/charge.h"

/* An id is generation * CAP_SLOT_SPAN + slot, as arithmetic, of which compilers make shifts. */
#define CAP_SLOT_SPAN (UINT64_C(1) << CAD_CAP_SLOT_BITS)

/*@ // Where slots and tables are, all apart from each other.
    predicate caps_shape{L}(struct core_cpu *cpu) =
      \valid_read(cpu) && \valid(cpu->cadastre) &&
      id_pool_shape(&cpu->cadastre->caps.slot_ids) &&
      id_pool_shape(&cpu->cadastre->caps.table_ids) &&
      \valid(cpu->cadastre->caps.slots + (0 .. cpu->cadastre->caps.slot_ids.limit - 1)) &&
      \valid(cpu->cadastre->caps.tables + (0 .. cpu->cadastre->caps.table_ids.limit - 1)) &&
      \separated(cpu->cadastre,
        cpu->cadastre->caps.slots + (0 .. cpu->cadastre->caps.slot_ids.limit - 1),
        cpu->cadastre->caps.tables + (0 .. cpu->cadastre->caps.table_ids.limit - 1),
        cpu->cadastre->caps.slot_ids.slots + (0 .. cpu->cadastre->caps.slot_ids.limit - 1),
        cpu->cadastre->caps.table_ids.slots + (0 .. cpu->cadastre->caps.table_ids.limit - 1));
    predicate cap_live{L}(struct core_cpu *cpu, integer slot) =
      id_live(&cpu->cadastre->caps.slot_ids, slot);
    predicate table_is_live{L}(struct core_cpu *cpu, integer table) =
      id_live(&cpu->cadastre->caps.table_ids, table);
    logic integer cap_generation{L}(struct core_cpu *cpu, integer slot) =
      cpu->cadastre->caps.slot_ids.slots[slot].generation;
    logic struct cap_slot *cap_record{L}(struct core_cpu *cpu, integer slot) =
      cpu->cadastre->caps.slots + slot;
    logic struct cap_table *table_record{L}(struct core_cpu *cpu, integer table) =
      cpu->cadastre->caps.tables + table;
    logic struct ledger *table_ledger{L}(struct core_cpu *cpu, integer table) =
      ledger_record(cpu, table_record(cpu, table)->ledger);
    // A slot's number and any generation of it have an id of their own.
    predicate cap_ids_fit{L}(struct core_cpu *cpu) =
      cpu->cadastre->caps.slot_ids.limit <= CAP_SLOT_SPAN &&
      cpu->cadastre->caps.slot_ids.generation_max < CAP_SLOT_SPAN * 0x10000 &&
      id_generations(&cpu->cadastre->caps.slot_ids);
    // CP1: the id is of a capability that lives, of this generation, in this table
    predicate cap_named{L}(struct core_cpu *cpu, integer table, integer id) =
      cap_live(cpu, id % CAP_SLOT_SPAN) &&
      cap_generation(cpu, id % CAP_SLOT_SPAN) == id / CAP_SLOT_SPAN &&
      cap_record(cpu, id % CAP_SLOT_SPAN)->table == table;
*/

/*@ requires caps_shape(cpu) && slot < cpu->cadastre->caps.slot_ids.limit;
    terminates \true;
    exits   \false;
    assigns \result \from cpu, slot;
    ensures \result == cap_record(cpu, slot) && \valid(\result);
*/
static struct cap_slot *slot_at(const struct core_cpu *cpu, uint32_t slot)
{
    return &cpu->cadastre->caps.slots[slot];
}

/*@ requires caps_shape(cpu) && cap_live(cpu, slot);
    terminates \true;
    exits   \false;
    assigns \result \from cpu, slot;
    ensures \result == cap_record(cpu, slot) && \valid(\result);
*/
static struct cap_slot *slot_live(const struct core_cpu *cpu, uint32_t slot)
{
    ASSERT(id_is_live(&cpu->cadastre->caps.slot_ids, slot));
    return slot_at(cpu, slot);
}

/*@ requires caps_shape(cpu) && table_is_live(cpu, table);
    terminates \true;
    exits   \false;
    assigns \result \from cpu, table;
    ensures \result == table_record(cpu, table) && \valid(\result);
*/
static struct cap_table *table_live(const struct core_cpu *cpu, uint32_t table)
{
    ASSERT(id_is_live(&cpu->cadastre->caps.table_ids, table));
    return &cpu->cadastre->caps.tables[table];
}

/*@ requires caps_shape(cpu) && cap_ids_fit(cpu) && cap_live(cpu, slot);
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures names_slot: \result % CAP_SLOT_SPAN == slot;
    ensures names_generation: \result / CAP_SLOT_SPAN == cap_generation(cpu, slot);
*/
cap_id_t cap_id(const struct core_cpu *cpu, uint32_t slot)
{
    ASSERT(id_is_live(&cpu->cadastre->caps.slot_ids, slot));
    return cpu->cadastre->caps.slot_ids.slots[slot].generation * CAP_SLOT_SPAN + slot;
}

status_t cap_table_create(struct core_cpu *cpu, uint32_t ledger, uint32_t process, uint32_t *out)
{
    struct cap_tables *caps = &cpu->cadastre->caps;
    uint32_t table;
    status_t status = ledger_reserve(cpu, ledger, CAD_RESOURCE_METADATA, CHARGE_CAP_TABLE);

    if (status != CAD_OK) {
        return status;
    }
    if (!id_pool_take(cpu, &caps->table_ids, &table)) {
        ledger_release(cpu, ledger, CAD_RESOURCE_METADATA, CHARGE_CAP_TABLE);
        return CAD_PRESSURE;
    }
    /* commit */
    ledger_take(cpu, ledger);
    caps->tables[table].ledger = ledger;
    caps->tables[table].process = process;
    caps->tables[table].first = ID_NONE;
    caps->tables[table].count = 0;
    *out = table;
    return CAD_OK;
}

void cap_table_destroy(struct core_cpu *cpu, uint32_t table)
{
    const struct cap_table *record = table_live(cpu, table);
    uint32_t ledger = record->ledger;

    CHECK_VALUE(record->first == ID_NONE && record->count == 0, table);
    id_pool_put(&cpu->cadastre->caps.table_ids, table);
    ledger_release(cpu, ledger, CAD_RESOURCE_METADATA, CHARGE_CAP_TABLE);
    ledger_put(cpu, ledger);
}

/*@ requires caps_shape(cpu);
    requires \valid(slot);
    terminates \true;
    exits   \false;
    assigns *slot;
    behavior stale:
      assumes !cap_named(cpu, table, id);
      assigns \nothing;
      ensures \result == CAD_STALE;
    behavior wrong_type:
      assumes cap_named(cpu, table, id) && interface != CAD_INTERFACE_NONE &&
        cap_record(cpu, id % CAP_SLOT_SPAN)->object.interface != interface;
      assigns \nothing;
      ensures \result == CAD_WRONG_TYPE;
    behavior no_right:
      assumes cap_named(cpu, table, id) && (interface == CAD_INTERFACE_NONE ||
        cap_record(cpu, id % CAP_SLOT_SPAN)->object.interface == interface);
      assumes (cap_record(cpu, id % CAP_SLOT_SPAN)->rights & rights) != rights;
      assigns \nothing;
      ensures \result == CAD_NO_RIGHT;
    behavior found:
      assumes cap_named(cpu, table, id) && (interface == CAD_INTERFACE_NONE ||
        cap_record(cpu, id % CAP_SLOT_SPAN)->object.interface == interface);
      assumes (cap_record(cpu, id % CAP_SLOT_SPAN)->rights & rights) == rights;
      ensures \result == CAD_OK;
      ensures its_slot: *slot == id % CAP_SLOT_SPAN;
    complete behaviors;
    disjoint behaviors;
*/
status_t cap_lookup(const struct core_cpu *cpu, uint32_t table, cap_id_t id, uint32_t interface,
                    uint32_t rights, uint32_t *slot)
{
    const struct cap_tables *caps = &cpu->cadastre->caps;
    uint32_t index = (uint32_t)(id % CAP_SLOT_SPAN);
    const struct cap_slot *found;

    if (!id_matches(&caps->slot_ids, index, id / CAP_SLOT_SPAN)) {
        return CAD_STALE;
    }
    found = &caps->slots[index];
    if (found->table != table) {
        return CAD_STALE;
    }
    if (interface != CAD_INTERFACE_NONE && found->object.interface != interface) {
        return CAD_WRONG_TYPE;
    }
    if ((found->rights & rights) != rights) {
        return CAD_NO_RIGHT;
    }
    *slot = index;
    return CAD_OK;
}

/* What `count` more slots cost the table's ledger. Fails: state unchanged. */
/*@ requires caps_shape(cpu) && ledgers_shape(cpu) && table_is_live(cpu, table);
    requires ledger_word_ok(table_ledger(cpu, table), CAD_RESOURCE_SLOTS);
    terminates \true;
    exits   \false;
    assigns table_ledger(cpu, table)->available[CAD_RESOURCE_SLOTS],
            table_ledger(cpu, table)->available[CAD_RESOURCE_METADATA];
    ensures both: \result == CAD_OK ==>
      table_ledger(cpu, table)->available[CAD_RESOURCE_SLOTS] ==
        \old(table_ledger(cpu, table)->available[CAD_RESOURCE_SLOTS]) - count &&
      table_ledger(cpu, table)->available[CAD_RESOURCE_METADATA] ==
        \old(table_ledger(cpu, table)->available[CAD_RESOURCE_METADATA]) -
          count * CHARGE_CAP_SLOT;
    ensures or_none: \result != CAD_OK ==>
      table_ledger(cpu, table)->available[CAD_RESOURCE_SLOTS] ==
        \old(table_ledger(cpu, table)->available[CAD_RESOURCE_SLOTS]) &&
      table_ledger(cpu, table)->available[CAD_RESOURCE_METADATA] ==
        \old(table_ledger(cpu, table)->available[CAD_RESOURCE_METADATA]);
    ensures \result == CAD_OK || \result == CAD_QUOTA_VIRTUAL + CAD_RESOURCE_SLOTS ||
      \result == CAD_QUOTA_VIRTUAL + CAD_RESOURCE_METADATA;
*/
static inline status_t slots_charge(struct core_cpu *cpu, uint32_t table, uint32_t count)
{
    uint32_t ledger = table_live(cpu, table)->ledger;
    status_t status = ledger_reserve(cpu, ledger, CAD_RESOURCE_SLOTS, count);

    if (status != CAD_OK) {
        return status;
    }
    status = ledger_reserve(cpu, ledger, CAD_RESOURCE_METADATA, (uint64_t)count * CHARGE_CAP_SLOT);
    if (status != CAD_OK) {
        ledger_release(cpu, ledger, CAD_RESOURCE_SLOTS, count);
    }
    return status;
}

/*@ requires caps_shape(cpu) && ledgers_shape(cpu) && table_is_live(cpu, table);
    requires ledger_word_ok(table_ledger(cpu, table), CAD_RESOURCE_SLOTS) &&
      ledger_word_ok(table_ledger(cpu, table), CAD_RESOURCE_METADATA);
    terminates \true;
    exits   \false;
    assigns table_ledger(cpu, table)->available[CAD_RESOURCE_SLOTS],
            table_ledger(cpu, table)->available[CAD_RESOURCE_METADATA];
    ensures given_back: table_ledger(cpu, table)->available[CAD_RESOURCE_SLOTS] ==
      \old(table_ledger(cpu, table)->available[CAD_RESOURCE_SLOTS]) + count;
    ensures given_back: table_ledger(cpu, table)->available[CAD_RESOURCE_METADATA] ==
      \old(table_ledger(cpu, table)->available[CAD_RESOURCE_METADATA]) +
        count * CHARGE_CAP_SLOT;
*/
static inline void slots_uncharge(struct core_cpu *cpu, uint32_t table, uint32_t count)
{
    uint32_t ledger = table_live(cpu, table)->ledger;

    ledger_release(cpu, ledger, CAD_RESOURCE_METADATA, (uint64_t)count * CHARGE_CAP_SLOT);
    ledger_release(cpu, ledger, CAD_RESOURCE_SLOTS, count);
}

/*@ requires caps_shape(cpu) && table_is_live(cpu, table);
    requires slot != ID_NONE && slot < cpu->cadastre->caps.slot_ids.limit;
    requires head: table_record(cpu, table)->first < cpu->cadastre->caps.slot_ids.limit &&
      table_record(cpu, table)->first != slot;
    requires room: table_record(cpu, table)->count < UINT32_MAX;
    terminates \true;
    exits   \false;
    assigns cap_record(cpu, slot)->table, cap_record(cpu, slot)->table_next,
            cap_record(cpu, slot)->table_previous, table_record(cpu, table)->first,
            table_record(cpu, table)->count,
            cap_record(cpu, table_record(cpu, table)->first)->table_previous;
    ensures in_it: cap_record(cpu, slot)->table == table;
    ensures first_now: table_record(cpu, table)->first == slot &&
      cap_record(cpu, slot)->table_previous == ID_NONE;
    ensures next: cap_record(cpu, slot)->table_next == \old(table_record(cpu, table)->first);
    ensures linked_back: cap_record(cpu, slot)->table_next != ID_NONE ==>
      cap_record(cpu, cap_record(cpu, slot)->table_next)->table_previous == slot;
    ensures counted: table_record(cpu, table)->count ==
      \old(table_record(cpu, table)->count) + 1;
*/
static inline void table_add(struct core_cpu *cpu, uint32_t table, uint32_t slot)
{
    struct cap_table *record = table_live(cpu, table);
    uint32_t second = record->first;

    /* Last of the fields that a lock-free reader copies: it checks the table first. */
    atomic_store_release(&slot_at(cpu, slot)->table, table);
    slot_at(cpu, slot)->table_next = second;
    slot_at(cpu, slot)->table_previous = ID_NONE;
    if (second != ID_NONE) {
        slot_at(cpu, second)->table_previous = slot;
    }
    //@ assert kept: record->count == \at(table_record(cpu, table)->count,Pre);
    record->first = slot;
    record->count++;
}

static inline void table_remove(struct core_cpu *cpu, uint32_t slot)
{
    const struct cap_slot *at = slot_at(cpu, slot);
    struct cap_table *record = table_live(cpu, at->table);

    if (at->table_previous == ID_NONE) {
        record->first = at->table_next;
    } else {
        slot_at(cpu, at->table_previous)->table_next = at->table_next;
    }
    if (at->table_next != ID_NONE) {
        slot_at(cpu, at->table_next)->table_previous = at->table_previous;
    }
    record->count--;
}

status_t cap_insert(struct core_cpu *cpu, uint32_t table, struct cap_object object,
                    uint32_t rights, uint64_t badge, uint32_t *slot)
{
    struct cap_slot *at;
    uint32_t taken;
    status_t status = slots_charge(cpu, table, 1);

    if (status != CAD_OK) {
        return status;
    }
    if (!id_pool_take(cpu, &cpu->cadastre->caps.slot_ids, &taken)) {
        slots_uncharge(cpu, table, 1);
        return CAD_PRESSURE;
    }
    /* commit */
    at = slot_at(cpu, taken);
    at->object.interface = object.interface;
    at->object.index = object.index;
    at->object.generation = object.generation;
    at->badge = badge;
    at->rights = rights;
    at->reserved = 0;
    tree_init(cpu->cadastre->caps.slots, taken);
    table_add(cpu, table, taken);
    *slot = taken;
    return CAD_OK;
}

status_t cap_insert_below(struct core_cpu *cpu, uint32_t source, uint32_t table,
                          struct cap_object object, uint32_t rights, uint32_t *slot)
{
    uint32_t child;
    status_t status;

    ASSERT(slot_live(cpu, source)->object.interface == CAD_INTERFACE_UNTYPED);
    status = cap_insert(cpu, table, object, rights, 0, &child);
    if (status != CAD_OK) {
        return status;
    }
    /* commit */
    tree_add(cpu->cadastre->caps.slots, source, child);
    *slot = child;
    return CAD_OK;
}

/* May `source` have such a child? */
/*@ requires \valid_read(source);
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures kept_here: table != source->table && (source->rights & CAD_RIGHT_TRANSFER) == 0 <==>
      \result == CAD_NOT_TRANSFERABLE;
    ensures no_derive: \result == CAD_OK ==> table == source->table || badge != 0 ==>
      (source->rights & CAD_RIGHT_DERIVE) != 0;
    ensures no_derive: \result == CAD_NO_RIGHT ==> (table == source->table || badge != 0) &&
      (source->rights & CAD_RIGHT_DERIVE) == 0;
    ensures badged_once: \result == CAD_OK ==> badge == 0 || source->badge == 0;
    ensures badged_once: \result == CAD_INVALID ==> badge != 0 && source->badge != 0;
    ensures \result == CAD_OK || \result == CAD_NOT_TRANSFERABLE || \result == CAD_NO_RIGHT ||
      \result == CAD_INVALID;
*/
static status_t derive_check(const struct cap_slot *source, uint32_t table, uint64_t badge)
{
    if (table != source->table && (source->rights & CAD_RIGHT_TRANSFER) == 0) {
        return CAD_NOT_TRANSFERABLE;
    }
    if ((table == source->table || badge != 0) && (source->rights & CAD_RIGHT_DERIVE) == 0) {
        return CAD_NO_RIGHT;
    }
    if (badge != 0 && source->badge != 0) {
        return CAD_INVALID;
    }
    return CAD_OK;
}

status_t cap_derive(struct core_cpu *cpu, uint32_t source, uint32_t table, uint32_t rights,
                    uint64_t badge, uint32_t *slot)
{
    const struct cap_slot *from = slot_live(cpu, source);
    uint32_t child;
    status_t status = derive_check(from, table, badge);

    if (status != CAD_OK) {
        return status;
    }
    status = cap_insert(cpu, table, from->object, from->rights & rights,
                        badge != 0 ? badge : from->badge, &child);
    if (status != CAD_OK) {
        return status;
    }
    /* commit */
    tree_add(cpu->cadastre->caps.slots, source, child);
    *slot = child;
    return CAD_OK;
}

/* May each of `sources` move, and into a next generation? */
/*@ requires caps_shape(cpu) && \valid_read(sources + (0 .. count - 1));
    requires live: \forall integer i; 0 <= i < count ==> cap_live(cpu, sources[i]);
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures all_may: \result == CAD_OK ==> \forall integer i; 0 <= i < count ==>
      (cap_record(cpu, sources[i])->rights & CAD_RIGHT_TRANSFER) != 0;
    ensures all_renew: \result == CAD_OK ==> \forall integer i; 0 <= i < count ==>
      cap_generation(cpu, sources[i]) < cpu->cadastre->caps.slot_ids.generation_max;
    ensures kept_here: \result == CAD_NOT_TRANSFERABLE ==> \exists integer i; 0 <= i < count &&
      (cap_record(cpu, sources[i])->rights & CAD_RIGHT_TRANSFER) == 0;
    ensures worn_out: \result == CAD_PRESSURE ==> \exists integer i; 0 <= i < count &&
      cap_generation(cpu, sources[i]) >= cpu->cadastre->caps.slot_ids.generation_max;
    ensures \result == CAD_OK || \result == CAD_NOT_TRANSFERABLE || \result == CAD_PRESSURE;
*/
static status_t move_check(const struct core_cpu *cpu, const uint32_t *sources, uint32_t count)
{
    const struct id_pool *ids = &cpu->cadastre->caps.slot_ids;

    /*@ loop invariant 0 <= i <= count;
        loop invariant may: \forall integer k; 0 <= k < i ==>
          (cap_record(cpu, sources[k])->rights & CAD_RIGHT_TRANSFER) != 0;
        loop invariant renew: \forall integer k; 0 <= k < i ==>
          cap_generation(cpu, sources[k]) < cpu->cadastre->caps.slot_ids.generation_max;
        loop assigns i;
        loop variant count - i;
    */
    for (uint32_t i = 0; i < count; i++) {
        if ((slot_live(cpu, sources[i])->rights & CAD_RIGHT_TRANSFER) == 0) {
            return CAD_NOT_TRANSFERABLE;
        }
        if (ids->slots[sources[i]].generation >= ids->generation_max) {
            return CAD_PRESSURE;
        }
    }
    return CAD_OK;
}

status_t cap_move_all(struct core_cpu *cpu, const uint32_t *sources, uint32_t count,
                      uint32_t table)
{
    status_t status = move_check(cpu, sources, count);

    if (status != CAD_OK) {
        return status;
    }
    status = slots_charge(cpu, table, count);
    if (status != CAD_OK) {
        return status;
    }
    /* commit */
    for (uint32_t i = 0; i < count; i++) {
        bool renewed = id_pool_renew(&cpu->cadastre->caps.slot_ids, sources[i]);
        CHECK_VALUE(renewed, sources[i]);
        slots_uncharge(cpu, slot_at(cpu, sources[i])->table, 1);
        table_remove(cpu, sources[i]);
        table_add(cpu, table, sources[i]);
    }
    return CAD_OK;
}

status_t cap_move(struct core_cpu *cpu, uint32_t source, uint32_t table, uint32_t *slot)
{
    status_t status = cap_move_all(cpu, &source, 1, table);

    if (status == CAD_OK) {
        *slot = source;
    }
    return status;
}

/* Takes the slot out of the tree, its table and use; only its charge stays. */
static inline void slot_remove(struct core_cpu *cpu, uint32_t slot)
{
    struct cap_slot *at = slot_live(cpu, slot);

    tree_remove(cpu->cadastre->caps.slots, slot);
    table_remove(cpu, slot);
    /* A name of the next generation finds no table here until it is true again. */
    atomic_store_release(&at->table, ID_NONE);
    at->rights = 0;
    id_pool_put(&cpu->cadastre->caps.slot_ids, slot);
}

struct cap_object cap_delete(struct core_cpu *cpu, uint32_t slot)
{
    struct cap_object object = slot_live(cpu, slot)->object;
    uint32_t table = slot_at(cpu, slot)->table;

    slot_remove(cpu, slot);
    slots_uncharge(cpu, table, 1);
    return object;
}

uint32_t cap_revoke_step(struct core_cpu *cpu, uint32_t slot, struct cap_holding *held,
                         uint32_t most, uint32_t *table)
{
    const struct cap_slot *parent = slot_live(cpu, slot);
    uint32_t child = parent->first_child, done = 0;

    if (child == ID_NONE) {
        return 0;
    }
    *table = slot_at(cpu, child)->table;
    while (done < most && child != ID_NONE && slot_at(cpu, child)->table == *table) {
        held[done].object = slot_at(cpu, child)->object;
        held[done].rights = slot_at(cpu, child)->rights;
        slot_remove(cpu, child);
        done++;
        child = parent->first_child;
    }
    slots_uncharge(cpu, *table, done);
    return done;
}

/*@ requires caps_shape(cpu) && table_is_live(cpu, table);
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures \result == table_record(cpu, table)->first;
*/
uint32_t cap_table_first(const struct core_cpu *cpu, uint32_t table)
{
    return table_live(cpu, table)->first;
}

/*@ requires caps_shape(cpu) && cap_live(cpu, slot);
    requires \valid_read(cpu->cadastre->caps.slots + (0 .. UINT32_MAX));
    requires links: \let slots = cpu->cadastre->caps.slots; \forall integer i; TREE_LINKS(, i);
    requires tree: \forall integer i; i > ID_NONE && tree_up(i) >= ID_NONE ==> TREE_NODE(, i);
    requires finite: \forall integer i; tree_to(i) <= tree_bound;
    requires inside: slot > ID_NONE && tree_up(slot) >= ID_NONE;
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures parent: \result == tree_up(slot);
*/
uint32_t cap_parent(const struct core_cpu *cpu, uint32_t slot)
{
    ASSERT(id_is_live(&cpu->cadastre->caps.slot_ids, slot));
    return tree_parent(cpu->cadastre->caps.slots, slot);
}

/* Gives: how many slots the table's list has. */
static uint32_t check_table(const struct core_cpu *cpu, uint32_t table)
{
    const struct cap_table *record = &cpu->cadastre->caps.tables[table];
    uint32_t found = 0, before = ID_NONE;

    CHECK_VALUE(id_is_live(&cpu->cadastre->ledgers.ids, record->ledger), table);
    for (uint32_t at = record->first; at != ID_NONE; at = slot_at(cpu, at)->table_next) {
        CHECK_VALUE(id_is_live(&cpu->cadastre->caps.slot_ids, at), at);
        CHECK_VALUE(slot_at(cpu, at)->table == table, at);
        CHECK_VALUE(slot_at(cpu, at)->table_previous == before, at);
        CHECK_VALUE(found < record->count, table);
        found++;
        before = at;
    }
    CHECK_VALUE(found == record->count, table);
    return found;
}

void cap_check_invariants(const struct core_cpu *cpu)
{
    const struct cap_tables *caps = &cpu->cadastre->caps;
    uint32_t found = 0;

    for (uint32_t table = 1; table < caps->table_ids.capacity; table++) {
        if (id_is_live(&caps->table_ids, table)) {
            found += check_table(cpu, table);
        }
    }
    CHECK_VALUE(found == caps->slot_ids.live_count, found);
    for (uint32_t slot = 1; slot < caps->slot_ids.capacity; slot++) {
        if (id_is_live(&caps->slot_ids, slot)) {
            tree_check(caps->slots, slot);
        }
    }
}
