// SPDX-License-Identifier: BSD-2-Clause
/*
 * Capability slots and their derivation tree.
 *
 * All slots are one array; each belongs to one table (a process).  A CapId is
 * slot number + the slot's generation, so a deleted capability's id never
 * resolves again (CP1).  Derive and copy make a child with rights no wider (what is
 * retyped from an untyped is a child too, with an object and rights of its own);
 * move keeps the place in the tree.  Revoke deletes every descendant, one a
 * step (CP2).  Delete of an inner one gives its children to its parent.
 *
 * Every step is O(1), whatever the number of children (CP3): children are a
 * doubly linked list whose first and last member alone name their parent, so a
 * whole list moves up by changing its two ends.  Roots that were brothers stay
 * linked, with no parent.  A capability is always in a table: transfers go from
 * table to table in one step, so nothing in transit escapes a revoke.
 *
 * An object is named by (interface, index, generation); the host counts one
 * reference a slot and drops it when told.
 *
 * Charges: one slot and sizeof(struct cap_slot) bytes of metadata to the
 * table's ledger, plus what the host charges for the object (its claim).
 * Locks: derivation.
 */
#ifndef CORE_CAP_H
#define CORE_CAP_H

#include "abi/interfaces.h"
#include "abi/rights.h"
#include "abi/status.h"
#include "base/types.h"
#include "core/id_pool.h"

struct cap_object {
    uint32_t interface; /* enum cad_interface */
    uint32_t index;
    uint64_t generation;
};

struct cap_slot {
    struct cap_object object;
    uint64_t badge;
    uint32_t rights;
    uint32_t table;                   /* cap table id */
    uint32_t parent;                  /* of a first or last sibling; else ID_NONE: cap_parent() */
    uint32_t first_child, last_child;
    uint32_t next_sibling, previous_sibling;
    uint32_t table_next, table_previous;
    uint32_t reserved;
};
COMPILE_ASSERT(sizeof(struct cap_slot) == 64, cap_slot_is_a_cache_line);

/* What a slot that was deleted held on its object: the host drops that. */
struct cap_holding {
    struct cap_object object;
    uint32_t rights;
};

struct cap_table {
    uint32_t ledger;  /* charged; referenced */
    uint32_t process; /* whose */
    uint32_t first;   /* head of its slots */
    uint32_t count;
};

struct cap_tables {
    struct cap_slot *slots;
    struct id_pool slot_ids; /* limit 2^24, generation_max 2^40 - 1 */
    struct cap_table *tables;
    struct id_pool table_ids;
};

cap_id_t cap_id(const struct core_cpu *cpu, uint32_t slot);

/* Fails: QUOTA_METADATA, PRESSURE. */
MUST_CHECK status_t cap_table_create(struct core_cpu *cpu, uint32_t ledger, uint32_t process,
                                     uint32_t *out);
/* Needs: no slot left. */
void cap_table_destroy(struct core_cpu *cpu, uint32_t table);

/* The slot that `id` names in `table`.
 * Fails: STALE; WRONG_TYPE if interface is not NONE and differs; NO_RIGHT. In that order. */
MUST_CHECK status_t cap_lookup(const struct core_cpu *cpu, uint32_t table, cap_id_t id,
                               uint32_t interface, uint32_t rights, uint32_t *slot);

/* A root capability (no parent).  Fails: QUOTA_SLOTS, QUOTA_METADATA, PRESSURE. */
MUST_CHECK status_t cap_insert(struct core_cpu *cpu, uint32_t table, struct cap_object object,
                               uint32_t rights, uint64_t badge, uint32_t *slot);
/* Same, but below `source`: what is made out of an untyped's memory goes when its
 * capability is revoked (UT2).  Needs: source names an untyped, `object` is made from it.
 * Fails: as cap_insert. */
MUST_CHECK status_t cap_insert_below(struct core_cpu *cpu, uint32_t source, uint32_t table,
                                     struct cap_object object, uint32_t rights, uint32_t *slot);
/* A child of `source` in `table`: rights = source's & rights; badge 0 keeps the source's;
 * only an unbadged capability may give a badge.  A copy to another table needs TRANSFER;
 * a child in the same table, or one with a badge of its own, needs DERIVE.
 * Fails: NOT_TRANSFERABLE (lacks TRANSFER), NO_RIGHT (lacks DERIVE), INVALID (badge),
 * in that order; QUOTA_SLOTS, QUOTA_METADATA, PRESSURE; state unchanged. */
MUST_CHECK status_t cap_derive(struct core_cpu *cpu, uint32_t source, uint32_t table,
                               uint32_t rights, uint64_t badge, uint32_t *slot);
/* The capability leaves its table for another, its place in the tree and its children
 * with it; the old id is stale.  It keeps its slot number, with a new generation.
 * Fails: NOT_TRANSFERABLE (no TRANSFER right), QUOTA_SLOTS, QUOTA_METADATA, PRESSURE; unchanged. */
MUST_CHECK status_t cap_move(struct core_cpu *cpu, uint32_t source, uint32_t table,
                             uint32_t *slot);
/* Same for `count` distinct slots, all or none.  Fails: as cap_move. */
MUST_CHECK status_t cap_move_all(struct core_cpu *cpu, const uint32_t *sources, uint32_t count,
                                 uint32_t table);
/* Takes the slot out; its children go to its parent.  Gives the object whose
 * reference the host drops. */
struct cap_object cap_delete(struct core_cpu *cpu, uint32_t slot);
/* One step of revoke: deletes at most `most` children of `slot` that are side by side in one
 * table; their own children become `slot`'s and go in later steps.
 * Gives: how many, 0 when there is none left; else what each held, and whose table it was in.
 * Needs: most > 0. */
uint32_t cap_revoke_step(struct core_cpu *cpu, uint32_t slot, struct cap_holding *held,
                         uint32_t most, uint32_t *table);
/* First slot of a table, ID_NONE when empty: for a table's end. */
uint32_t cap_table_first(const struct core_cpu *cpu, uint32_t table);

/* The slot that `slot` was derived from, ID_NONE for a root.  Cost: O(siblings). */
uint32_t cap_parent(const struct core_cpu *cpu, uint32_t slot);

/* Slots, tables and the tree agree; CHECKs.  Cost: O(slots). */
void cap_check_invariants(const struct core_cpu *cpu);

#endif
