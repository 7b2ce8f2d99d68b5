// SPDX-License-Identifier: BSD-2-Clause
/* Memory, ledgers and capabilities; what runs is in kernel/inspect_running.c. */
#include "kernel/inspect_records.h"

#include "kernel/cpu.h"
#include "kernel/memory.h"
#include "kernel/process.h"

static void name_set(char *to, const char *prefix, const char *name)
{
    unsigned used = 0;

    for (; *prefix != '\0' && used + 1 < CAD_INSPECT_NAME_BYTES; prefix++)
        to[used++] = *prefix;
    for (; *name != '\0' && used + 1 < CAD_INSPECT_NAME_BYTES; name++)
        to[used++] = *name;
    to[used] = '\0';
}

bool inspect_next_live(struct inspect_cursor *cursor, const struct id_pool *ids, uint32_t *index)
{
    for (; cursor->at < ids->capacity; cursor->at++) {
        if (id_is_live(ids, (uint32_t)cursor->at)) {
            *index = (uint32_t)cursor->at++;
            return true;
        }
    }
    return false;
}

/* --- frames --- */

/* Records: each state but KERNEL, then each kind of KERNEL. */
bool inspect_FRAME_STATES(struct inspect_cursor *cursor, union inspect_record *record)
{
    static uint64_t states[FRAME_STATE_COUNT], kinds[FRAME_KIND_COUNT];
    struct cad_frame_count *out = &record->FRAME_STATES;

    if (cursor->at == FRAME_KERNEL)
        cursor->at++;
    if (cursor->at >= FRAME_STATE_COUNT + FRAME_KIND_COUNT)
        return false;
    if (!cursor->counted)
        frame_count(&cadastre.frames, states, kinds);
    cursor->counted = true;
    if (cursor->at < FRAME_STATE_COUNT) {
        name_set(out->state, "", frame_state_name((enum frame_state)cursor->at));
        out->frames = states[cursor->at];
    } else {
        uint64_t kind = cursor->at - FRAME_STATE_COUNT;
        name_set(out->state, "kernel:", frame_kind_name((enum frame_kind)kind));
        out->frames = kinds[kind];
    }
    cursor->at++;
    return true;
}

/* The first frame at or after the cursor that has an entry. */
static bool next_frame(struct inspect_cursor *cursor, frame_no_t *frame)
{
    const struct frame_table *table = &cadastre.frames;

    for (uint32_t i = 0; i < table->range_count; i++) {
        if (cursor->at >= table->ranges[i].end)
            continue;
        if (cursor->at < table->ranges[i].first)
            cursor->at = table->ranges[i].first;
        *frame = (frame_no_t)cursor->at++;
        return true;
    }
    return false;
}

bool inspect_FRAMES(struct inspect_cursor *cursor, union inspect_record *record)
{
    struct cad_frame_info *out = &record->FRAMES;
    frame_no_t number;

    if (!next_frame(cursor, &number))
        return false;
    const struct frame *frame = &cadastre.frames.frames[number];
    out->frame = number;
    out->maps = frame->maps;
    out->pins = frame->pins;
    out->owner = frame->owner;
    out->detail = frame->detail;
    if (frame->state == FRAME_KERNEL)
        name_set(out->state, "kernel:", frame_kind_name((enum frame_kind)frame->kind));
    else
        name_set(out->state, "", frame_state_name((enum frame_state)frame->state));
    name_set(out->owner_kind, "", frame_owner_kind(frame));
    return true;
}

/* --- ledgers, untypeds --- */

bool inspect_LEDGERS(struct inspect_cursor *cursor, union inspect_record *record)
{
    struct cad_ledger_info *out = &record->LEDGERS;
    uint32_t id;

    if (!inspect_next_live(cursor, &cadastre.ledgers.ids, &id))
        return false;
    const struct ledger *ledger = &cadastre.ledgers.ledgers[id];
    out->id = id;
    out->parent = ledger->parent;
    out->generation = cadastre.ledgers.ids.slots[id].generation;
    for (unsigned what = 0; what < CAD_RESOURCE_COUNT; what++) {
        out->used[what] = ledger_used(ledger, (enum cad_resource)what);
        out->limit[what] = ledger->limit[what];
        out->donated[what] = ledger->donated[what];
    }
    name_set(out->name, "", ledger->name);
    return true;
}

bool inspect_UNTYPEDS(struct inspect_cursor *cursor, union inspect_record *record)
{
    struct cad_untyped_info *out = &record->UNTYPEDS;
    uint32_t id;

    if (!inspect_next_live(cursor, &cadastre.untypeds.ids, &id))
        return false;
    const struct untyped *untyped = &cadastre.untypeds.untypeds[id];
    out->id = id;
    out->parent = untyped->parent;
    out->first_frame = untyped->first;
    out->pages = untyped->pages;
    out->used_pages = untyped->next;
    out->children = untyped->children;
    return true;
}

/* --- objects --- */

bool inspect_OBJECTS(struct inspect_cursor *cursor, union inspect_record *record)
{
    struct cad_object_info *out = &record->OBJECTS;
    uint32_t id;

    if (!inspect_next_live(cursor, &cadastre.objects.ids, &id))
        return false;
    const struct object *object = &cadastre.objects.objects[id];
    out->id = id;
    out->kind = object->kind;
    out->generation = cadastre.objects.ids.slots[id].generation;
    out->pages = object->pages;
    out->references = object->references;
    out->mappings = object->mapping_count;
    out->claims = object->claim_count;
    out->untyped = object->untyped;
    /* A dying object's pages go one by one, the first ones first. */
    if (!object->dying) {
        out->first_frame = object_page(this_core(), id, 0);
        for (uint32_t page = 0; page < object->pages; page++)
            out->pins += cadastre.frames.frames[object_page(this_core(), id, page)].pins;
    }
    return true;
}

bool inspect_MAPPINGS(struct inspect_cursor *cursor, union inspect_record *record)
{
    struct cad_mapping_info *out = &record->MAPPINGS;
    uint32_t id;

    if (!inspect_next_live(cursor, &cadastre.mappings.ids, &id))
        return false;
    const struct mapping *mapping = &cadastre.mappings.mappings[id];
    const struct process *process = process_by_space(mapping->space);
    out->id = id;
    out->object = mapping->object;
    out->space = mapping->space;
    out->ledger = mapping->ledger;
    out->generation = cadastre.mappings.ids.slots[id].generation;
    out->object_generation = mapping->object_generation;
    out->space_generation = mapping->space_generation;
    out->address = mapping->address;
    out->first_page = mapping->first_page;
    out->pages = mapping->pages;
    out->ceiling = mapping->ceiling;
    out->process = process != NULL ? process->id : ID_NONE;
    return true;
}

bool inspect_CLAIMS(struct inspect_cursor *cursor, union inspect_record *record)
{
    struct cad_claim_info *out = &record->CLAIMS;
    uint32_t id;

    if (!inspect_next_live(cursor, &cadastre.objects.claim_ids, &id))
        return false;
    const struct claim *claim = &cadastre.objects.claims[id];
    const struct object *object = &cadastre.objects.objects[claim->object];
    bool is_paid_for = object->untyped != ID_NONE || object->kind == CAD_OBJECT_BOOT;
    out->id = id;
    out->object = claim->object;
    out->ledger = claim->ledger;
    out->count = claim->count;
    out->pages = is_paid_for ? 0 : object->pages;
    return true;
}

/* --- spaces --- */

bool inspect_SPACE(struct inspect_cursor *cursor, union inspect_record *record)
{
    struct cad_space_run *out = &record->SPACE;
    struct space_run run;

    cursor->not_found = cursor->argument > UINT32_MAX ||
                        !id_is_live(&processes.ids, (uint32_t)cursor->argument);
    if (cursor->not_found)
        return false;
    const struct process *process = &processes.processes[cursor->argument];
    if (process->space == ID_NONE ||
        !space_next_run(this_core(), process->space, cursor->at, &run))
        return false;
    out->start = run.start;
    out->pages = run.pages;
    out->protection = run.protection;
    out->level = run.level;
    out->first_frame = run.first_frame;
    name_set(out->state, "", entry_state_name(run.state));
    if (run.state == ENTRY_BORROWED) {
        const struct mapping *mapping = &cadastre.mappings.mappings[run.mapping];
        out->mapping = run.mapping;
        out->object = mapping->object;
        out->first_page = mapping_page(mapping, run.start);
    }
    cursor->at = run.start + run.pages * PAGE_SIZE;
    return true;
}

/* --- capabilities --- */

static uint32_t children_count(const struct cap_slot *slot)
{
    uint32_t count = 0;

    for (uint32_t child = slot->first_child; child != ID_NONE;
         child = cadastre.caps.slots[child].next_sibling)
        count++;
    return count;
}

bool inspect_CAPS(struct inspect_cursor *cursor, union inspect_record *record)
{
    struct cad_cap_info *out = &record->CAPS;
    const struct cap_slot *slot;
    uint32_t index, process;

    do {
        if (!inspect_next_live(cursor, &cadastre.caps.slot_ids, &index))
            return false;
        slot = &cadastre.caps.slots[index];
        process = cadastre.caps.tables[slot->table].process;
    } while (cursor->argument != 0 && cursor->argument != process);
    out->cap = cap_id(this_core(), index);
    out->slot = index;
    out->process = process;
    out->interface = slot->object.interface;
    out->rights = slot->rights;
    out->object = slot->object.index;
    out->parent_slot = cap_parent(this_core(), index);
    out->object_generation = slot->object.generation;
    out->badge = slot->badge;
    out->children = children_count(slot);
    out->transferable = (slot->rights & CAD_RIGHT_TRANSFER) != 0;
    return true;
}
