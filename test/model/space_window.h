// SPDX-License-Identifier: BSD-2-Clause
/*
 * A window of a space as a few cells, and a naive model of it: what the transition
 * table says of each cell by itself.  A cell is a run of pages that operations take
 * whole, so that a window can span a 2 MiB or 512 GiB entry and stay small.
 *
 * The model has no tables, spans, plans or mapping records.  What it predicts of an
 * operation is the table's refusal of the lowest refused cell, else the table's
 * target of each cell, and the protection that the operation gives.
 */
#ifndef TEST_MODEL_SPACE_WINDOW_H
#define TEST_MODEL_SPACE_WINDOW_H

#include "core/entry.h"

#define WINDOW_CELLS 5

struct cell {
    uint8_t state;        /* enum entry_state */
    uint8_t protection;
    uint8_t ceiling;      /* BORROWED */
    bool present;
    uint32_t object_page; /* BORROWED */
};

struct window {
    const char *name;
    virt_addr_t base;
    unsigned count;
    uint64_t pages[WINDOW_CELLS];
    unsigned depth;       /* longest sequences of operations; 0: all */
    /* The ledger can pay for cells [large, large + 1], which are one 2 MiB entry as long as they
     * are alike; 0: for none. */
    unsigned large;
};

/* An operation with its arguments but for the range. */
struct window_kind {
    const char *name;
    enum entry_operation operation;
    uint32_t protection, ceiling;
    bool fills; /* commit: eager; map_object: populate */
};
enum { WINDOW_KINDS = 17 };
extern const struct window_kind window_kinds[WINDOW_KINDS];

/* One operation on cells [first, last]. */
struct window_step {
    uint8_t kind, first, last;
};

virt_addr_t window_address(const struct window *window, unsigned cell);
/* Pages of the cells whose state is in the set `states`. */
uint64_t window_pages(const struct window *window, const struct cell *cells, unsigned states);
/* Object page that a mapping of cells from `first` on starts with. */
static inline uint32_t window_object_page(unsigned first)
{
    return 2 * first;
}
/* Whether the step is one that the search makes: a touch is of one page; what fills or
 * maps page by page is not made of cells that are long. */
bool window_allows(const struct window *window, const struct window_step *step);
/* Gives: the status it must have; if OK, `cells` are what it must leave.
 * committed_left: pages that the ledger has.  is_one: cells `large` and the next are one entry
 * now, which a touch of any page of it fills. */
status_t window_predict(const struct window *window, const struct window_step *step,
                        uint64_t committed_left, bool is_one, struct cell *cells);

#endif
