// SPDX-License-Identifier: BSD-2-Clause
/* Capabilities and their tree.  A CapId, rights and a badge are a user's; slots and tables
 * are the caller's, and exist. */
#include "core/cap.h"

#include "core/cap_tree.h"
#include "world.h"

static void tables(void)
{
    struct cap_holding held[4];
    uint32_t out;

    (void)cap_table_create(CPU, ANY_ID(), ANY_WORD(), &out);
    cap_table_destroy(CPU, ANY_ID());
    (void)cap_table_first(CPU, ANY_ID());
    (void)cap_revoke_step(CPU, ANY_ID(), held, ANY_FROM(1, ARRAY_COUNT(held)), &out);
    (void)cap_delete(CPU, ANY_ID());
    (void)cap_parent(CPU, ANY_ID());
    (void)cap_id(CPU, ANY_ID());
    cap_check_invariants(CPU);
}

static void slots_of_tables(void)
{
    struct cap_object object = { ANY_WORD(), ANY_INDEX(), ANY_LONG() };
    uint32_t sources[4], out;

    for (unsigned i = 0; i < ARRAY_COUNT(sources); i++) {
        sources[i] = ANY_ID();
    }
    (void)cap_lookup(CPU, ANY_ID(), ANY_LONG(), ANY_WORD(), ANY_WORD(), &out);
    (void)cap_insert(CPU, ANY_ID(), object, ANY_WORD(), ANY_LONG(), &out);
    (void)cap_insert_below(CPU, ANY_ID(), ANY_ID(), object, ANY_WORD(), &out);
    (void)cap_derive(CPU, ANY_ID(), ANY_ID(), ANY_WORD(), ANY_LONG(), &out);
    (void)cap_move(CPU, ANY_ID(), ANY_ID(), &out);
    (void)cap_move_all(CPU, sources, ANY_FROM(0, ARRAY_COUNT(sources)), ANY_ID());
}

static void links(void)
{
    struct cap_slot *slot = world.caps.slots;

    tree_init(slot, ANY_ID());
    tree_add(slot, ANY_ID(), ANY_ID());
    tree_remove(slot, ANY_ID());
    (void)tree_parent(slot, ANY_ID());
    tree_check(slot, ANY_ID());
}

void eva_cap(void)
{
    world_any();
    while (ANY_BOOL()) {
        switch (ANY_BELOW(3)) {
        case 0: tables(); break;
        case 1: slots_of_tables(); break;
        default: links(); break;
        }
    }
}
