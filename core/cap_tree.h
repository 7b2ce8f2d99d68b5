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

/*@ predicate tree_alone{L}(struct cap_slot *slots, integer i) =
      slots[i].parent == ID_NONE && slots[i].first_child == ID_NONE &&
      slots[i].last_child == ID_NONE && slots[i].next_sibling == ID_NONE &&
      slots[i].previous_sibling == ID_NONE;
    predicate tree_is_end{L}(struct cap_slot *slots, integer i) =
      slots[i].previous_sibling == ID_NONE || slots[i].next_sibling == ID_NONE;
    // `end` is the first end of a list that is met from `at` on
    inductive tree_end{L}(struct cap_slot *slots, integer at, integer end) {
      case here{L}: \forall struct cap_slot *slots, integer at;
        tree_is_end(slots, at) ==> tree_end(slots, at, at);
      case later{L}: \forall struct cap_slot *slots, integer at, end;
        !tree_is_end(slots, at) && tree_end(slots, slots[at].next_sibling, end) ==>
        tree_end(slots, at, end);
    }
    predicate tree_links_inside{L}(struct cap_slot *slots, integer limit) =
      \valid_read(slots + (0 .. limit - 1)) &&
      \forall integer i; 0 <= i < limit ==> 0 <= slots[i].next_sibling < limit;
*/

/* `slot` stands alone: no parent, sibling or child. */
/*@ requires \valid(slots + slot);
    terminates \true;
    exits   \false;
    assigns slots[slot].parent, slots[slot].first_child, slots[slot].last_child,
            slots[slot].next_sibling, slots[slot].previous_sibling;
    ensures alone: tree_alone(slots, slot);
*/
void tree_init(struct cap_slot *slots, uint32_t slot);
/* `slot`, which stands alone, becomes the first child of `parent`. */
/*@ requires \valid(slots + {slot, parent, slots[parent].first_child});
    requires alone: tree_alone(slots, slot) && slot != parent && slot != ID_NONE;
    requires names_parent: slots[parent].first_child != slot;
    terminates \true;
    exits   \false;
    assigns slots[slot].parent, slots[slot].next_sibling,
            slots[parent].first_child, slots[parent].last_child,
            slots[slots[parent].first_child].previous_sibling,
            slots[slots[parent].first_child].parent;
    ensures next: \forall integer i; slots[i].next_sibling ==
      (i == slot ? \old(slots[parent].first_child) : \old(slots[i].next_sibling));
    ensures previous: \forall integer i; slots[i].previous_sibling ==
      (i != ID_NONE && i == \old(slots[parent].first_child) ? slot :
       \old(slots[i].previous_sibling));
    ensures first_child: \forall integer i; slots[i].first_child ==
      (i == parent ? slot : \old(slots[i].first_child));
    ensures last_child: \forall integer i; slots[i].last_child ==
      (i == parent && \old(slots[parent].first_child) == ID_NONE ? slot :
       \old(slots[i].last_child));
    ensures parent: \forall integer i; slots[i].parent ==
      (i == slot ? parent :
       i != ID_NONE && i == \old(slots[parent].first_child) ?
         (slots[i].next_sibling == ID_NONE ? parent : ID_NONE) : \old(slots[i].parent));
*/
void tree_add(struct cap_slot *slots, uint32_t parent, uint32_t slot);
/* `slot` leaves; its children stand in its place, in their order. */
void tree_remove(struct cap_slot *slots, uint32_t slot);
/* Cost: O(siblings after it). */
/*@ // That the walk ends is searched: test/model/revoke_exhaustive_test.c.
    requires \exists integer limit; slot < limit && tree_links_inside(slots, limit);
    exits   \false;
    assigns \nothing;
    ensures of_its_end: \exists integer end; tree_end(slots, slot, end) &&
      \result == slots[end].parent;
*/
uint32_t tree_parent(const struct cap_slot *slots, uint32_t slot);
/* The links of `slot` to parent, siblings and ends of its own list agree with theirs; CHECKs. */
void tree_check(const struct cap_slot *slots, uint32_t slot);

#endif
