// SPDX-License-Identifier: BSD-2-Clause
/* What the model counts and sees, against what the core says it has. */
#include "test/model/model.h"

uint64_t model_virtual_used(const struct model *model, uint32_t ledger)
{
    uint64_t used = 0;

    for (unsigned s = 0; s < MODEL_SPACES; s++) {
        for (unsigned i = 0; i < MODEL_PAGES && model->spaces[s].ledger == ledger; i++) {
            enum model_state state = model->spaces[s].pages[i].state;
            used += state != MODEL_FREE && state != MODEL_GUARD;
        }
    }
    return used;
}

uint64_t model_anonymous_used(const struct model *model, uint32_t ledger)
{
    uint64_t used = 0;

    for (unsigned s = 0; s < MODEL_SPACES; s++) {
        for (unsigned i = 0; i < MODEL_PAGES && model->spaces[s].ledger == ledger; i++)
            used += model->spaces[s].pages[i].state == MODEL_COMMITTED;
    }
    return used;
}

bool model_is_mapped(const struct model *model, uint32_t object, uint32_t ledger)
{
    for (unsigned s = 0; s < MODEL_SPACES; s++) {
        for (unsigned i = 0; i < MODEL_PAGES && model->spaces[s].ledger == ledger; i++) {
            const struct model_page *page = &model->spaces[s].pages[i];
            if (page->state == MODEL_BORROWED && page->object == object)
                return true;
        }
    }
    return false;
}

bool model_has_claim(const struct model *model, uint32_t object, uint32_t ledger)
{
    for (unsigned i = 0; i < MODEL_CAPS; i++) {
        const struct model_cap *cap = &model->caps[i];
        if (cap->lives && cap->object == object && model_table_ledger(cap->table) == ledger)
            return true;
    }
    return model_is_mapped(model, object, ledger);
}

uint64_t model_claim_pages(const struct model *model, uint32_t object)
{
    return model->objects[object].is_paid ? 0 : model->objects[object].pages;
}

uint64_t model_committed_used(const struct model *model, uint32_t ledger)
{
    uint64_t used = model_anonymous_used(model, ledger);

    for (unsigned i = 0; i < MODEL_OBJECTS; i++) {
        if (model->objects[i].lives && model_has_claim(model, i, ledger))
            used += model_claim_pages(model, i);
    }
    return used;
}

bool model_object_should_die(const struct model *model, uint32_t object)
{
    if (!model->objects[object].lives)
        return false;
    for (uint32_t ledger = 0; ledger < MODEL_LEDGERS; ledger++) {
        if (model_has_claim(model, object, ledger))
            return false;
    }
    return true;
}

/* --- page by page --- */

static bool state_agrees(const struct model_page *page, enum entry_state state)
{
    switch (page->state) {
    case MODEL_FREE:
        return state == ENTRY_NONE;
    case MODEL_RESERVED:
        return state == ENTRY_RESERVED;
    case MODEL_COMMITTED:
        if (page->protection == CAD_PROT_NONE)
            return state == ENTRY_COMMITTED || state == ENTRY_HIDDEN;
        return state == ENTRY_COMMITTED || state == ENTRY_RESIDENT;
    case MODEL_BORROWED:
        return state == ENTRY_BORROWED;
    case MODEL_GUARD:
        return state == ENTRY_GUARD;
    }
    return false;
}

static void page_compare(const struct model_page *page, const struct space_run *run)
{
    assert_true(state_agrees(page, run->state));
    if (page->state != MODEL_FREE && page->state != MODEL_GUARD)
        assert_int_equal(run->protection, page->protection);
}

static void space_compare(struct model *model, struct model_space *space)
{
    virt_addr_t at = MODEL_BASE, end = MODEL_BASE + MODEL_PAGES * PAGE_SIZE;
    struct space_run none = { .state = ENTRY_NONE }, run;

    while (at < end) {
        bool found = space_next_run(model->cpu, space->id, at, &run);
        virt_addr_t start = found && run.start > at ? run.start : at;
        virt_addr_t stop = found ? run.start + run.pages * PAGE_SIZE : end;
        if (!found)
            start = end;
        for (; at < start && at < end; at += PAGE_SIZE)
            page_compare(&space->pages[(at - MODEL_BASE) / PAGE_SIZE], &none);
        for (; at < stop && at < end; at += PAGE_SIZE)
            page_compare(&space->pages[(at - MODEL_BASE) / PAGE_SIZE], &run);
    }
}

void model_spaces_compare(struct model *model)
{
    for (unsigned s = 0; s < MODEL_SPACES; s++)
        space_compare(model, &model->spaces[s]);
    for (uint32_t ledger = 0; ledger < MODEL_LEDGERS; ledger++) {
        assert_int_equal(world_used(model->world, model->ledgers[ledger], CAD_RESOURCE_VIRTUAL),
                         model_virtual_used(model, ledger));
        assert_int_equal(world_used(model->world, model->ledgers[ledger],
                                    CAD_RESOURCE_COMMITTED),
                         model_committed_used(model, ledger));
    }
}

void model_spaces_read_all(struct model *model)
{
    for (unsigned s = 0; s < MODEL_SPACES; s++) {
        for (unsigned i = 0; i < MODEL_PAGES; i++) {
            const struct model_page *page = &model->spaces[s].pages[i];
            bool is_object = page->state == MODEL_BORROWED;
            frame_no_t frame;
            if (page->protection == 0 || (!is_object && page->state != MODEL_COMMITTED))
                continue;
            assert_int_equal(world_resolve(model->cpu, model->spaces[s].id,
                                           MODEL_BASE + (uint64_t)i * PAGE_SIZE, CAD_PROT_READ,
                                           &frame), CAD_OK);
            uint32_t *word = (uint32_t *)(void *)world_page(model->world, frame);
            assert_int_equal(*word, is_object
                                        ? model->objects[page->object].values[page->object_page]
                                        : page->value);
        }
    }
}

/* --- capabilities --- */

static void cap_compare(struct model *model, const struct model_cap *cap)
{
    const struct model_object *object = &model->objects[cap->object];
    const struct cap_slot *slots = model->world->cadastre.caps.slots;
    uint32_t slot;

    for (uint32_t table = 0; table < MODEL_TABLES; table++) {
        status_t expected = table == cap->table ? CAD_OK : CAD_STALE;
        assert_int_equal(cap_lookup(model->cpu, model->tables[table], cap->id,
                                    CAD_INTERFACE_MEMORY_OBJECT, cap->rights, &slot), expected);
    }
    assert_int_equal(slot, cap->slot);
    assert_int_equal(slots[slot].object.index, object->id);
    assert_int_equal(slots[slot].object.generation, object->generation);
    assert_int_equal(slots[slot].rights, cap->rights);
    assert_int_equal(cap_parent(model->cpu, slot),
                     cap->parent == MODEL_NONE ? ID_NONE : model->caps[cap->parent].slot);
    assert_int_equal(cap_lookup(model->cpu, model->tables[cap->table], cap->id,
                                CAD_INTERFACE_LEDGER, 0, &slot), CAD_WRONG_TYPE);
    if ((~cap->rights & CAD_RIGHT_ALL) != 0)
        assert_int_equal(cap_lookup(model->cpu, model->tables[cap->table], cap->id,
                                    CAD_INTERFACE_NONE, ~cap->rights & CAD_RIGHT_ALL, &slot),
                         CAD_NO_RIGHT);
}

void model_caps_compare(struct model *model)
{
    uint32_t live = 0, slot;

    for (unsigned i = 0; i < MODEL_CAPS; i++) {
        if (model->caps[i].lives)
            cap_compare(model, &model->caps[i]);
        live += model->caps[i].lives;
    }
    assert_int_equal(model->world->cadastre.caps.slot_ids.live_count, live);
    for (unsigned i = 0; i < MODEL_STALE; i++) {
        for (uint32_t table = 0; table < MODEL_TABLES; table++)
            assert_int_equal(cap_lookup(model->cpu, model->tables[table], model->stale[i], 0, 0,
                                        &slot), CAD_STALE);
    }
}
