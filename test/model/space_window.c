// SPDX-License-Identifier: BSD-2-Clause
#include "test/model/space_window.h"

#define R   CAD_PROT_READ
#define RW  (CAD_PROT_READ | CAD_PROT_WRITE)
#define RX  (CAD_PROT_READ | CAD_PROT_EXECUTE)
#define RWX (CAD_PROT_READ | CAD_PROT_WRITE | CAD_PROT_EXECUTE)

const struct window_kind window_kinds[WINDOW_KINDS] = {
    { "reserve", ENTRY_OP_RESERVE, RW, 0, false },
    { "commit", ENTRY_OP_COMMIT, RW, 0, false },
    { "commit eager", ENTRY_OP_COMMIT, RX, 0, true },
    { "decommit", ENTRY_OP_DECOMMIT, 0, 0, false },
    { "protect RW", ENTRY_OP_PROTECT, RW, 0, false },
    { "protect RX", ENTRY_OP_PROTECT, RX, 0, false },
    { "hide", ENTRY_OP_HIDE, 0, 0, false },
    { "unmap", ENTRY_OP_UNMAP, 0, 0, false },
    { "map_object R", ENTRY_OP_MAP_OBJECT, R, R, false },
    { "map_object RW, populate", ENTRY_OP_MAP_OBJECT, RW, RWX, true },
    { "protect_object none", ENTRY_OP_PROTECT_OBJECT, 0, 0, false },
    { "protect_object R", ENTRY_OP_PROTECT_OBJECT, R, 0, false },
    { "protect_object RX", ENTRY_OP_PROTECT_OBJECT, RX, 0, false },
    { "unmap_object", ENTRY_OP_UNMAP_OBJECT, 0, 0, false },
    { "read", ENTRY_OP_FAULT, R, 0, false },
    { "write", ENTRY_OP_FAULT, CAD_PROT_WRITE, 0, false },
    { "guard", ENTRY_OP_GUARD, 0, 0, false },
};

virt_addr_t window_address(const struct window *window, unsigned cell)
{
    virt_addr_t address = window->base;

    for (unsigned i = 0; i < cell; i++)
        address += window->pages[i] << PAGE_SHIFT;
    return address;
}

uint64_t window_pages(const struct window *window, const struct cell *cells, unsigned states)
{
    uint64_t pages = 0;

    for (unsigned i = 0; i < window->count; i++) {
        if ((states & (1u << cells[i].state)) != 0)
            pages += window->pages[i];
    }
    return pages;
}

bool window_allows(const struct window *window, const struct window_step *step)
{
    const struct window_kind *kind = &window_kinds[step->kind];
    bool is_touch = kind->operation == ENTRY_OP_FAULT;
    bool is_short = true;

    for (unsigned i = step->first; i <= step->last; i++)
        is_short = is_short && window->pages[i] == 1;
    if (is_touch)
        return is_short && step->first == step->last;
    return is_short || (!kind->fills && kind->operation != ENTRY_OP_MAP_OBJECT);
}

/* What the table says of each cell, and of the whole what it leaves to the operation. */
static status_t refusal(const struct window *window, const struct window_step *step,
                        uint64_t committed_left, const struct cell *cells)
{
    const struct window_kind *kind = &window_kinds[step->kind];
    uint64_t fresh = 0;

    for (unsigned i = step->first; i <= step->last; i++) {
        const struct entry_transition *row = entry_transition(cells[i].state, kind->operation);
        if (row->refusal != CAD_OK)
            return row->refusal;
        if (row->charge == CHARGE_COMMITTED)
            fresh += window->pages[i];
    }
    for (unsigned i = step->first; i <= step->last; i++) {
        if (kind->operation == ENTRY_OP_PROTECT_OBJECT &&
            (kind->protection & ~(uint32_t)cells[i].ceiling) != 0)
            return CAD_NO_RIGHT;
        if (kind->operation == ENTRY_OP_FAULT && (cells[i].protection & kind->protection) == 0)
            return CAD_BAD_ADDRESS;
    }
    return fresh > committed_left ? CAD_QUOTA_COMMITTED : CAD_OK;
}

static void touch(struct cell *cell)
{
    if (cell->protection == CAD_PROT_NONE)
        return;
    cell->state = entry_transition(cell->state, ENTRY_OP_FAULT)->to;
    cell->present = true;
}

static void apply(const struct window_kind *kind, struct cell *cell, uint32_t page)
{
    const struct entry_transition *row = entry_transition(cell->state, kind->operation);
    bool is_kept = cell->state != ENTRY_NONE && cell->state != ENTRY_RESERVED;

    cell->state = row->to;
    switch (kind->operation) {
    case ENTRY_OP_COMMIT:
        if (is_kept)
            return;
        cell->protection = (uint8_t)kind->protection;
        break;
    case ENTRY_OP_DECOMMIT:
        cell->present = false;
        return;
    case ENTRY_OP_FAULT:
        touch(cell);
        return;
    case ENTRY_OP_UNMAP:
    case ENTRY_OP_UNMAP_OBJECT:
        *cell = (struct cell){ .state = row->to };
        return;
    case ENTRY_OP_MAP_OBJECT:
        cell->object_page = page;
        cell->ceiling = (uint8_t)kind->ceiling;
        cell->protection = (uint8_t)kind->protection;
        break;
    default:
        cell->protection = (uint8_t)kind->protection;
        if (kind->protection == CAD_PROT_NONE)
            cell->present = false;
        else if (cell->state == ENTRY_RESIDENT)
            cell->present = true;
    }
    if (kind->fills)
        touch(cell);
}

status_t window_predict(const struct window *window, const struct window_step *step,
                        uint64_t committed_left, bool is_one, struct cell *cells)
{
    const struct window_kind *kind = &window_kinds[step->kind];
    status_t status = refusal(window, step, committed_left, cells);

    if (status != CAD_OK)
        return status;
    for (unsigned i = step->first; i <= step->last; i++)
        apply(kind, &cells[i], window_object_page(step->first) + i - step->first);
    if (kind->operation == ENTRY_OP_FAULT && is_one && step->first == window->large)
        touch(&cells[window->large + 1]);
    return CAD_OK;
}
