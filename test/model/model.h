// SPDX-License-Identifier: BSD-2-Clause
/*
 * A naive model of the core, and the random operations that drive both.
 *
 * The model knows each page of a window of each space by itself, and each
 * capability by its parent; it has no trees, no runs, no counters.  What a ledger
 * should have used is counted anew each time, from the pages and capabilities
 * that exist.  Every operation predicts its status before it is made; what the
 * core gives must agree, and a refused one must have changed nothing.
 *
 * Under stress (some operations) an allocation fails: then PRESSURE is right too
 * where the model said OK, a quota or USED_UP, and nothing else.
 */
#ifndef TEST_MODEL_MODEL_H
#define TEST_MODEL_MODEL_H

#include "core/test_audit.h"

#define MODEL_SPACES  3
#define MODEL_LEDGERS 2
#define MODEL_TABLES  3
#define MODEL_OBJECTS 6
#define MODEL_CAPS    40
#define MODEL_STALE   32
#define MODEL_PAGES   1400 /* of the window; three leaf tables, none of them whole at its ends */
#define MODEL_OBJECT_PAGES 64
#define MODEL_BASE    (CAD_SEARCH_BASE / 2 + 300 * PAGE_SIZE) /* where nothing is chosen */
#define MODEL_NONE    UINT32_MAX

enum model_state { MODEL_FREE, MODEL_RESERVED, MODEL_COMMITTED, MODEL_BORROWED, MODEL_GUARD };

struct model_page {
    enum model_state state;
    uint32_t protection, value;
    uint32_t object, object_page, ceiling; /* BORROWED; object by model number */
};

struct model_space {
    uint32_t id, ledger; /* ledger by model number */
    struct model_page pages[MODEL_PAGES];
};

struct model_object {
    bool lives, is_paid; /* is_paid: by its untyped, claims are of 0 pages */
    uint32_t id, pages;
    uint64_t generation;
    uint32_t values[MODEL_OBJECT_PAGES];
};

struct model_cap {
    bool lives;
    uint32_t slot, table, object, rights, parent; /* model numbers but slot */
    cap_id_t id;
};

struct model {
    struct test_world *world;
    struct core_cpu *cpu; /* of this operation */
    uint64_t random;
    uint32_t (*choose)(uint32_t limit); /* in place of chance; NULL: none */
    bool stress, is_done;
    uint32_t ledgers[MODEL_LEDGERS], tables[MODEL_TABLES];
    uint64_t virtual_limit[MODEL_LEDGERS], committed_limit[MODEL_LEDGERS];
    struct model_space spaces[MODEL_SPACES];
    struct model_object objects[MODEL_OBJECTS];
    struct model_cap caps[MODEL_CAPS];
    cap_id_t stale[MODEL_STALE];
    uint32_t stale_next, untyped;
    uint64_t made, refused, pressed; /* operations by what came of them */
};

uint32_t model_below(struct model *model, uint32_t limit);
/* Takes the world's state before an operation; under stress, arms the refusals. */
uint64_t model_begin(struct model *model);
/* Compares the status with the prediction.  Gives: whether the operation was made. */
bool model_end(struct model *model, uint64_t before, status_t expected, status_t status);

/* --- model_space.c --- */

void model_space_operation(struct model *model);
/* Window and runs of each space agree, page by page. */
void model_spaces_compare(struct model *model);
/* Every readable page holds what was written last, anywhere it is seen. */
void model_spaces_read_all(struct model *model);
void model_spaces_end(struct model *model);
uint64_t model_virtual_used(const struct model *model, uint32_t ledger);
uint64_t model_anonymous_used(const struct model *model, uint32_t ledger);
bool model_is_mapped(const struct model *model, uint32_t object, uint32_t ledger);

/* --- model_cap.c --- */

static inline uint32_t model_table_ledger(uint32_t table)
{
    return table % MODEL_LEDGERS;
}
void model_cap_operation(struct model *model);
void model_caps_compare(struct model *model);
void model_caps_end(struct model *model);
/* Whether the ledger pays for the object now, by capability or mapping. */
bool model_has_claim(const struct model *model, uint32_t object, uint32_t ledger);
/* Pages a first claim charges. */
uint64_t model_claim_pages(const struct model *model, uint32_t object);
uint64_t model_committed_used(const struct model *model, uint32_t ledger);
/* After pages or capabilities went: the object dies if nothing names it. */
bool model_object_should_die(const struct model *model, uint32_t object);
void model_object_die(struct model *model, uint32_t object);

#endif
