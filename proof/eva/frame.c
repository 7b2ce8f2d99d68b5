// SPDX-License-Identifier: BSD-2-Clause
/* The frame table and its allocator.  Needs: of frame.h: a run is inside the table, an
 * order is at most the largest; a magazine's frames exist. */
#include "core/frame.h"

#include "world.h"

static void boot(void)
{
    struct frame_table *table = &world.frames;

    (void)frame_table_add_range(table, ANY_WORD(), ANY_FRAME());
    (void)frame_table_add_free(table, ANY_WORD(), ANY_WORD());
    frame_adopt_kernel(table, ANY_FRAME(), ANY_BELOW(FRAME_KIND_COUNT), ANY_WORD(), ANY_WORD());
    frame_adopt_object(table, ANY_FRAME(), ANY_WORD(), ANY_WORD());
}

static void allocator(void)
{
    struct frame_table *table = &world.frames;
    frame_no_t first = frame_block_take(table, ANY_FROM(0, FRAME_ORDER_MAX));

    (void)frame_exists(table, ANY_WORD());
    if (first != FRAME_NONE) {
        frame_run_put(table, first, ANY_WORD());
    }
    (void)frame_order_for(ANY_WORD());
    magazine_fill(table, &CPU->magazine, ANY_WORD());
    magazine_empty(table, &CPU->magazine, ANY_WORD());
}

static void single(void)
{
    struct frame_chain chain = { .head = ANY_FRAME(), .count = ANY_WORD() };

    (void)frame_take_kernel(CPU, ANY_BELOW(FRAME_KIND_COUNT), ANY_INDEX(), ANY_FRAME());
    (void)frame_take_anon(CPU, ANY_FRAME(), ANY_FRAME());
    (void)frame_take_object(CPU, ANY_INDEX(), ANY_FRAME());
    (void)frame_large_take_anon(CPU, ANY_FRAME());
    (void)magazine_clear_ahead(CPU);
    frame_run_clear(CPU, ANY_FRAME(), ANY_WORD());
    frame_run_to_object(CPU, ANY_FRAME(), ANY_WORD(), ANY_INDEX());
    frame_release(CPU, ANY_FRAME(), ANY_BELOW(FRAME_STATE_COUNT), ANY_WORD());
    frame_release_zero(CPU, ANY_FRAME(), ANY_WORD());
    frame_quarantine(CPU, &chain, ANY_FRAME(), ANY_BELOW(FRAME_STATE_COUNT), ANY_WORD());
    frame_quarantine_zero(CPU, &chain, ANY_FRAME(), ANY_WORD());
    frame_run_quarantine(CPU, &chain, ANY_FRAME(), ANY_WORD(), ANY_FRAME());
    (void)frame_quarantine_release(CPU, &chain, ANY_WORD());
}

static void counts(void)
{
    struct frame_table *table = &world.frames;
    uint64_t states[FRAME_STATE_COUNT], kinds[FRAME_KIND_COUNT];

    frame_map(table, ANY_FRAME(), ANY_BELOW(FRAME_STATE_COUNT));
    frame_unmap(table, ANY_FRAME(), ANY_BELOW(FRAME_STATE_COUNT));
    frame_map_many(table, ANY_FRAME(), ANY_BELOW(FRAME_STATE_COUNT), ANY_WORD());
    frame_unmap_many(table, ANY_FRAME(), ANY_BELOW(FRAME_STATE_COUNT), ANY_WORD());
    frame_set_companion(table, ANY_FRAME(), ANY_FRAME());
    frame_count(table, states, kinds);
    (void)frame_state_name(ANY_WORD());
    (void)frame_kind_name(ANY_WORD());
    (void)frame_owner_kind(&table->frames[ANY_FRAME()]);
    (void)frame_edge_allowed(ANY_WORD(), ANY_WORD());
    frame_check_invariants(table);
}

void eva_frame(void)
{
    static struct frame others[FRAMES];
    struct frame_table table;

    world_any();
    frame_table_init(&table, others);
    while (ANY_BOOL()) {
        switch (ANY_BELOW(4)) {
        case 0: boot(); break;
        case 1: allocator(); break;
        case 2: single(); break;
        default: counts(); break;
        }
    }
}
