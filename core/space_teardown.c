// SPDX-License-Identifier: BSD-2-Clause
/*
 * The end of a space, a bounded step at a time: first its entries and tables,
 * lowest addresses first, then its mapping records, then the root and the record.
 * After each step counters, charges and tables agree, as after any operation.
 */
#include "base/assert.h"
#include "core/charge.h"
#include "core/space_priv.h"

/* Gives: entries looked at, a large page as its 512. */
static uint32_t clear_from(struct core_cpu *cpu, uint32_t space, struct space_change *change,
                           struct space_work *work)
{
    struct space *record = space_of(cpu, space);
    struct cursor cursor = cursor_unlocked(cpu, space);
    struct span span;
    span_find(cpu, &cursor, record->teardown, CAD_USER_END, &span);
    bool is_large = span.level > 0 && entry_is_committed(span.words[0]);
    span_clear(cpu, space, &span, LEVEL_ROOT, change, work);
    record->teardown = span.next;
    return is_large ? span.count * MMU_TABLE_ENTRIES : span.count;
}

static void mapping_drop(struct core_cpu *cpu, uint32_t mapping, struct space_work *work)
{
    uint32_t object = cpu->cadastre->mappings.mappings[mapping].object;
    if (mapping_destroy(cpu, mapping)) {
        work->dead_objects[work->dead_count++] = object;
    }
}

static void space_end(struct core_cpu *cpu, uint32_t space, struct space_work *work)
{
    struct space *record = space_of(cpu, space);
    uint32_t ledger = record->ledger;
    frame_quarantine(cpu, &work->chain, record->root, FRAME_KERNEL, space);
    record->root = FRAME_NONE;
    space_settle(cpu, space, &(struct space_charges){ .metadata_frames = 0 },
                 &(struct space_change){ .table_pages = 0u - 1 });
    CHECK_VALUE(record->table_pages == 0 && record->system_pages == 0, space);
    CHECK_VALUE(record->virtual_pages == 0 && record->committed_pages == 0, space);
    CHECK_VALUE(record->resident_pages == 0 && record->borrowed_pages == 0, space);
    ledger_release(cpu, ledger, CAD_RESOURCE_METADATA, CHARGE_SPACE);
    id_pool_put(&cpu->cadastre->spaces.ids, space);
    ledger_put(cpu, ledger);
}

bool space_teardown_step(struct core_cpu *cpu, uint32_t space, uint32_t budget,
                         struct space_work *work)
{
    struct space *record = space_of(cpu, space);
    struct space_change change = { .table_pages = 0 };
    uint32_t spent = 0;
    work_init(work);
    space_cpu_leave(cpu);
    if (record->teardown == 0) {
        record->teardown = CAD_USER_BASE;
    }
    while (spent <= budget && frame_of(cpu, record->root)->maps > 0) {
        spent += clear_from(cpu, space, &change, work);
    }
    work->flush = false; /* no CPU can see the space any more */
    space_settle(cpu, space, &(struct space_charges){ .metadata_frames = 0 }, &change);
    while (spent <= budget && record->mappings != ID_NONE) {
        if (work->dead_count == SPACE_DEAD_OBJECTS_MAX) {
            work->more = true;
            return false;
        }
        mapping_drop(cpu, record->mappings, work);
        spent++;
    }
    if (spent > budget) {
        return false;
    }
    space_end(cpu, space, work);
    return true;
}
