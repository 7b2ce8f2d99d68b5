// SPDX-License-Identifier: BSD-2-Clause
/* Slots: in one table's list and in one place of the tree, narrower than above. */
#include "core/audit_priv.h"
#include "core/charge.h"

static const struct cap_slot *slot_at(const struct audit *audit, uint32_t slot)
{
    return &audit->cadastre->caps.slots[slot];
}

static bool slot_lives(const struct audit *audit, uint32_t slot)
{
    return id_is_live(&audit->cadastre->caps.slot_ids, slot);
}

/* ID_NONE or a slot that lives. */
static bool is_link(const struct audit *audit, uint32_t slot)
{
    return slot == ID_NONE || slot_lives(audit, slot);
}

static bool is_end(const struct cap_slot *slot)
{
    return slot->previous_sibling == ID_NONE || slot->next_sibling == ID_NONE;
}

/* --- tables --- */

/* Gives: slots its list has. */
static uint32_t audit_cap_table(struct audit *audit, uint32_t table)
{
    const struct cap_table *record = &audit->cadastre->caps.tables[table];
    uint32_t at = record->first, before = ID_NONE, found = 0;

    audit_ledger_reference(audit, record->ledger, table);
    audit_charge(audit, record->ledger, table, CAD_RESOURCE_METADATA, CHARGE_CAP_TABLE);
    for (; found < record->count; found++) {
        if (!audit_true(audit, AUDIT_SLOT_TABLE, at, table, slot_lives(audit, at)))
            return found;
        (void)audit_true(audit, AUDIT_SLOT_TABLE, at, table,
                         slot_at(audit, at)->table == table &&
                             slot_at(audit, at)->table_previous == before);
        before = at;
        at = slot_at(audit, at)->table_next;
    }
    (void)audit_equal(audit, AUDIT_SLOT_TABLE, before, table, ID_NONE, at);
    return found;
}

/* --- one slot --- */

static void audit_links(struct audit *audit, uint32_t id)
{
    const struct cap_slot *slot = slot_at(audit, id);
    uint32_t before = slot->previous_sibling, after = slot->next_sibling;
    uint32_t first = slot->first_child, last = slot->last_child;

    if (!audit_true(audit, AUDIT_SLOT_TREE, id, 0,
                    is_link(audit, before) && is_link(audit, after) && is_link(audit, first) &&
                        is_link(audit, last) && is_link(audit, slot->parent)))
        return;
    (void)audit_true(audit, AUDIT_SLOT_TREE, id, before,
                     before == ID_NONE || slot_at(audit, before)->next_sibling == id);
    (void)audit_true(audit, AUDIT_SLOT_TREE, id, after,
                     after == ID_NONE || slot_at(audit, after)->previous_sibling == id);
    (void)audit_true(audit, AUDIT_SLOT_TREE, id, first, (first == ID_NONE) == (last == ID_NONE));
    if (slot->parent == ID_NONE)
        return;
    const struct cap_slot *parent = slot_at(audit, slot->parent);

    (void)audit_true(audit, AUDIT_SLOT_TREE, id, slot->parent,
                     is_end(slot) && (before != ID_NONE || parent->first_child == id) &&
                         (after != ID_NONE || parent->last_child == id));
}

/* Each child is no wider and names the same object; `budget` bounds all lists together. */
/* A child is the same object with no more rights, or made from an untyped's memory. */
static bool narrows(const struct cap_slot *slot, const struct cap_slot *child)
{
    if (child->object.interface == slot->object.interface &&
        child->object.index == slot->object.index &&
        child->object.generation == slot->object.generation)
        return (child->rights & ~slot->rights) == 0;
    return slot->object.interface == CAD_INTERFACE_UNTYPED &&
           (child->object.interface == CAD_INTERFACE_UNTYPED ||
            child->object.interface == CAD_INTERFACE_MEMORY_OBJECT);
}

static void audit_children(struct audit *audit, uint32_t id, uint32_t *budget)
{
    const struct cap_slot *slot = slot_at(audit, id);
    uint32_t at = slot->first_child, before = ID_NONE;

    while (at != ID_NONE) {
        if (!audit_true(audit, AUDIT_SLOT_TREE, id, at, slot_lives(audit, at) && *budget > 0))
            return;
        const struct cap_slot *child = slot_at(audit, at);
        *budget -= 1;
        (void)audit_true(audit, AUDIT_SLOT_TREE, at, id,
                         child->previous_sibling == before &&
                             child->parent == (is_end(child) ? id : ID_NONE));
        (void)audit_true(audit, AUDIT_SLOT_NARROWS, at, id, narrows(slot, child));
        before = at;
        at = child->next_sibling;
    }
    (void)audit_equal(audit, AUDIT_SLOT_TREE, id, before, before, slot->last_child);
}

/* What the slot holds on an object of core/; others are the host's. */
static void audit_slot_object(struct audit *audit, uint32_t id, uint32_t ledger)
{
    const struct cadastre *cadastre = audit->cadastre;
    const struct cap_object *object = &slot_at(audit, id)->object;
    const struct id_pool *ids = NULL;

    if (object->interface == CAD_INTERFACE_LEDGER)
        ids = &cadastre->ledgers.ids;
    if (object->interface == CAD_INTERFACE_UNTYPED)
        ids = &cadastre->untypeds.ids;
    if (object->interface == CAD_INTERFACE_MEMORY_OBJECT)
        ids = &cadastre->objects.ids;
    (void)audit_true(audit, AUDIT_SLOT_OBJECT, id, object->interface,
                     object->interface != CAD_INTERFACE_NONE &&
                         object->interface < CAD_INTERFACE_COUNT);
    if (ids == NULL)
        return;
    if (!audit_true(audit, AUDIT_SLOT_OBJECT, id, object->index,
                    id_matches(ids, object->index, object->generation)))
        return;
    if (object->interface == CAD_INTERFACE_LEDGER)
        audit_ledger_reference(audit, object->index, id);
    if (object->interface == CAD_INTERFACE_UNTYPED)
        audit_untyped_reference(audit, object->index, id);
    if (object->interface == CAD_INTERFACE_MEMORY_OBJECT)
        audit_object_reference(audit, object->index, ledger);
}

static void audit_slot(struct audit *audit, uint32_t id, uint32_t *budget)
{
    const struct cap_tables *caps = &audit->cadastre->caps;
    const struct cap_slot *slot = slot_at(audit, id);

    audit_links(audit, id);
    audit_children(audit, id, budget);
    (void)audit_true(audit, AUDIT_SLOT_NARROWS, id, slot->rights,
                     (slot->rights & ~(uint32_t)CAD_RIGHT_ALL) == 0);
    if (!audit_true(audit, AUDIT_SLOT_TABLE, id, slot->table,
                    id_is_live(&caps->table_ids, slot->table)))
        return;
    uint32_t ledger = caps->tables[slot->table].ledger;

    audit_charge(audit, ledger, id, CAD_RESOURCE_METADATA, CHARGE_CAP_SLOT);
    audit_charge(audit, ledger, id, CAD_RESOURCE_SLOTS, 1);
    audit_slot_object(audit, id, ledger);
}

void audit_caps(struct audit *audit)
{
    const struct cap_tables *caps = &audit->cadastre->caps;
    uint32_t listed = 0, budget = caps->slot_ids.live_count;

    for (uint32_t i = 1; i < caps->table_ids.capacity; i++) {
        if (id_is_live(&caps->table_ids, i))
            listed += audit_cap_table(audit, i);
    }
    (void)audit_equal(audit, AUDIT_SLOT_TABLE, 0, 0, caps->slot_ids.live_count, listed);
    for (uint32_t i = 1; i < caps->slot_ids.capacity; i++) {
        if (id_is_live(&caps->slot_ids, i))
            audit_slot(audit, i, &budget);
    }
}
