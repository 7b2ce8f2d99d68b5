// SPDX-License-Identifier: BSD-2-Clause
/*
 * Objects and their capabilities, with this file as the host: a slot is a
 * reference to its object and a claim for its table's ledger, taken before the
 * slot exists and put after it is gone.
 */
#include "test/model/model.h"

static uint32_t free_number(struct model *model)
{
    for (uint32_t i = 0; i < MODEL_CAPS; i++) {
        if (!model->caps[i].lives)
            return i;
    }
    return MODEL_NONE;
}

static uint32_t living_cap(struct model *model)
{
    uint32_t start = model_below(model, MODEL_CAPS);

    for (uint32_t i = 0; i < MODEL_CAPS; i++) {
        if (model->caps[(start + i) % MODEL_CAPS].lives)
            return (start + i) % MODEL_CAPS;
    }
    return MODEL_NONE;
}

static void remember_stale(struct model *model, cap_id_t id)
{
    model->stale[model->stale_next++ % MODEL_STALE] = id;
}

static uint32_t table_ledger(const struct model *model, uint32_t table)
{
    return model->ledgers[model_table_ledger(table)];
}

/* --- what a slot holds --- */

static status_t object_hold(struct model *model, uint32_t object, uint32_t table)
{
    status_t status = object_claim(model->cpu, model->objects[object].id,
                                   table_ledger(model, table));

    if (status == CAD_OK)
        object_take(model->cpu, model->objects[object].id);
    return status;
}

/* Gives: whether it was the last reference. */
static bool object_drop(struct model *model, uint32_t object, uint32_t table)
{
    object_unclaim(model->cpu, model->objects[object].id, table_ledger(model, table));
    return object_put(model->cpu, model->objects[object].id);
}

static void destroy(struct model *model, uint32_t id)
{
    while (!object_destroy_step(model->cpu, id, 1 + model_below(model, 20)))
        ;
}

void model_object_die(struct model *model, uint32_t object)
{
    destroy(model, model->objects[object].id);
    model->objects[object].lives = false;
}

/* The hold comes first, so under stress it may be what is refused. */
static status_t model_pressed(const struct model *model, status_t expected)
{
    return model->stress ? CAD_PRESSURE : expected;
}

static status_t predict_hold(const struct model *model, uint32_t object, uint32_t table)
{
    uint32_t ledger = model_table_ledger(table);
    uint64_t left = model->committed_limit[ledger] - model_committed_used(model, ledger);

    if (model_has_claim(model, object, ledger) || model_claim_pages(model, object) <= left)
        return CAD_OK;
    return CAD_QUOTA_COMMITTED;
}

/* --- birth --- */

static status_t object_make(struct model *model, uint32_t ledger, struct model_object *object,
                            uint32_t kind)
{
    object->is_paid = kind == 2;
    if (kind == 2)
        return object_create_untyped(model->cpu, ledger, model->untyped, object->pages,
                                     &object->id);
    if (kind == 1)
        return object_create_contiguous(model->cpu, ledger, object->pages, 1, &object->id);
    return object_create(model->cpu, ledger, object->pages, &object->id);
}

static status_t predict_create(const struct model *model, const struct model_object *object,
                               uint32_t kind, uint32_t ledger)
{
    const struct untyped *untyped = &model->world->cadastre.untypeds.untypeds[model->untyped];

    if (kind == 2)
        return object->pages > untyped->pages - untyped->next ? CAD_USED_UP : CAD_OK;
    return object->pages >
                   model->committed_limit[ledger] - model_committed_used(model, ledger)
               ? CAD_QUOTA_COMMITTED
               : CAD_OK;
}

static void do_create(struct model *model)
{
    struct model_object object = { .lives = true };
    uint32_t number = 0, cap = free_number(model), table = model_below(model, MODEL_TABLES);
    uint32_t kind = model_below(model, 3), slot;

    while (number < MODEL_OBJECTS && model->objects[number].lives)
        number++;
    if (number == MODEL_OBJECTS || cap == MODEL_NONE)
        return;
    object.pages = kind == 0 ? 16 + model_below(model, MODEL_OBJECT_PAGES - 15)
                             : 1 + model_below(model, 12);
    if (kind == 2 && untyped_reset(model->cpu, model->untyped) != CAD_OK)
        object.pages = 1;
    status_t expected = predict_create(model, &object, kind, model_table_ledger(table));
    uint64_t before = model_begin(model);
    status_t status = object_make(model, table_ledger(model, table), &object, kind);

    if (status == CAD_OK) {
        object.generation = model->world->cadastre.objects.ids.slots[object.id].generation;
        struct cap_object named = { CAD_INTERFACE_MEMORY_OBJECT, object.id, object.generation };
        status = cap_insert(model->cpu, model->tables[table], named, CAD_RIGHT_ALL, 0, &slot);
        if (status != CAD_OK) {
            model->objects[number] = object;
            assert_true(object_drop(model, number, table));
            model->objects[number].lives = false;
            destroy(model, object.id);
            before = world_hash(model->world); /* pages of an untyped are not unused again */
        }
    }
    if (!model_end(model, before, expected, status))
        return;
    model->objects[number] = object;
    model->caps[cap] = (struct model_cap){
        .lives = true, .slot = slot, .table = table, .object = number, .rights = CAD_RIGHT_ALL,
        .parent = MODEL_NONE, .id = cap_id(model->cpu, slot) };
}

/* --- derive, move --- */

static uint32_t random_rights(struct model *model)
{
    uint32_t rights = model_below(model, CAD_RIGHT_ALL + 1);

    if (model_below(model, 3) != 0)
        rights |= CAD_RIGHT_DERIVE | CAD_RIGHT_TRANSFER;
    return rights;
}

static void do_derive(struct model *model)
{
    uint32_t source = living_cap(model), number = free_number(model), slot;
    uint32_t table = model_below(model, MODEL_TABLES), rights = random_rights(model);

    if (source == MODEL_NONE || number == MODEL_NONE)
        return;
    const struct model_cap *from = &model->caps[source];
    status_t expected = predict_hold(model, from->object, table);

    if (expected == CAD_OK && table != from->table && (from->rights & CAD_RIGHT_TRANSFER) == 0)
        expected = CAD_NOT_TRANSFERABLE;
    if (expected == CAD_OK && table == from->table && (from->rights & CAD_RIGHT_DERIVE) == 0)
        expected = CAD_NO_RIGHT;
    uint64_t before = model_begin(model);
    status_t status = object_hold(model, from->object, table);

    if (status == CAD_PRESSURE)
        expected = model_pressed(model, expected);
    if (status == CAD_OK) {
        status = cap_derive(model->cpu, from->slot, model->tables[table], rights, 0, &slot);
        if (status != CAD_OK)
            assert_false(object_drop(model, from->object, table));
    }
    if (!model_end(model, before, expected, status))
        return;
    model->caps[number] = (struct model_cap){
        .lives = true, .slot = slot, .table = table, .object = from->object,
        .rights = from->rights & rights, .parent = source, .id = cap_id(model->cpu, slot) };
}

static void do_move(struct model *model)
{
    uint32_t source = living_cap(model), table = model_below(model, MODEL_TABLES), slot;

    if (source == MODEL_NONE)
        return;
    struct model_cap *cap = &model->caps[source];
    status_t expected = predict_hold(model, cap->object, table);

    if (expected == CAD_OK && (cap->rights & CAD_RIGHT_TRANSFER) == 0)
        expected = CAD_NOT_TRANSFERABLE;
    uint64_t before = model_begin(model);
    status_t status = object_hold(model, cap->object, table);

    if (status == CAD_PRESSURE)
        expected = model_pressed(model, expected);
    if (status == CAD_OK) {
        status = cap_move(model->cpu, cap->slot, model->tables[table], &slot);
        assert_false(object_drop(model, cap->object, status == CAD_OK ? cap->table : table));
    }
    if (!model_end(model, before, expected, status))
        return;
    remember_stale(model, cap->id);
    cap->table = table;
    cap->slot = slot;
    cap->id = cap_id(model->cpu, slot);
}

/* --- delete, revoke --- */

/* The core has deleted it: its hold goes, its children are its parent's. */
static void cap_gone(struct model *model, uint32_t number)
{
    struct model_cap *cap = &model->caps[number];

    cap->lives = false;
    remember_stale(model, cap->id);
    for (uint32_t i = 0; i < MODEL_CAPS; i++) {
        if (model->caps[i].lives && model->caps[i].parent == number)
            model->caps[i].parent = cap->parent;
    }
    bool is_last = object_drop(model, cap->object, cap->table);

    assert_int_equal(is_last, model_object_should_die(model, cap->object));
    if (is_last)
        model_object_die(model, cap->object);
}

static void delete_one(struct model *model, uint32_t number)
{
    struct cap_object object = cap_delete(model->cpu, model->caps[number].slot);

    assert_int_equal(object.index, model->objects[model->caps[number].object].id);
    cap_gone(model, number);
}

static bool is_below(const struct model *model, uint32_t number, uint32_t top)
{
    while (number != MODEL_NONE && number != top)
        number = model->caps[number].parent;
    return number == top;
}

static void do_revoke(struct model *model)
{
    uint32_t top = living_cap(model), table, descendants = 0;
    bool doomed[MODEL_CAPS] = { false };
    struct cap_holding held;

    if (top == MODEL_NONE)
        return;
    for (uint32_t i = 0; i < MODEL_CAPS; i++) {
        doomed[i] = model->caps[i].lives && i != top && is_below(model, i, top);
        descendants += doomed[i];
    }
    while (cap_revoke_step(model->cpu, model->caps[top].slot, &held, 1, &table) == 1) {
        uint32_t gone = MODEL_NONE, slot;
        for (uint32_t i = 0; i < MODEL_CAPS && gone == MODEL_NONE; i++) {
            if (doomed[i] && model->caps[i].lives &&
                cap_lookup(model->cpu, model->tables[model->caps[i].table], model->caps[i].id, 0,
                           0, &slot) == CAD_STALE)
                gone = i;
        }
        assert_int_not_equal(gone, MODEL_NONE);
        assert_int_equal(table, model->tables[model->caps[gone].table]);
        assert_int_equal(held.rights, model->caps[gone].rights);
        cap_gone(model, gone);
        descendants--;
    }
    assert_int_equal(descendants, 0);
}

void model_cap_operation(struct model *model)
{
    uint32_t choice = model_below(model, 100), cap = living_cap(model);

    if (choice < 30)
        do_create(model);
    else if (choice < 55)
        do_derive(model);
    else if (choice < 75)
        do_move(model);
    else if (choice < 95 && cap != MODEL_NONE)
        delete_one(model, cap);
    else
        do_revoke(model);
}

void model_caps_end(struct model *model)
{
    for (uint32_t i = 0; i < MODEL_CAPS; i++) {
        if (model->caps[i].lives)
            delete_one(model, i);
    }
}
