// SPDX-License-Identifier: BSD-2-Clause
/*
 * The derivation tree's links, and nothing else: core/cap.h says what they mean.
 *
 * A list of siblings runs by next_sibling from its parent's first_child to its
 * last_child.  The two ends name the parent, those between have ID_NONE there;
 * ends without parent are roots.  Every function is O(1), but tree_parent.
 * Locks: derivation.
 */
#ifndef CORE_CAP_TREE_H
#define CORE_CAP_TREE_H

#include "base/types.h"
#include "core/cap.h"

/* `slot` stands alone: no parent, sibling or child. */
void tree_init(struct cap_slot *slots, uint32_t slot);
/* `slot`, which stands alone, becomes the first child of `parent`. */
void tree_add(struct cap_slot *slots, uint32_t parent, uint32_t slot);
/* `slot` leaves; its children stand in its place, in their order. */
void tree_remove(struct cap_slot *slots, uint32_t slot);
/* Cost: O(siblings after it). */
uint32_t tree_parent(const struct cap_slot *slots, uint32_t slot);
/* The links of `slot` to parent, siblings and ends of its own list agree with theirs; CHECKs. */
void tree_check(const struct cap_slot *slots, uint32_t slot);

#endif
