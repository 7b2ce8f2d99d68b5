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

/* What a tree is, for contracts alone.  Maps of which nothing is assumed say whose child each is
 * (tree_up; ID_NONE: a root's parent, -1: of what is in no tree), what its links are, and from
 * where to where its part of a walk through all trees goes.  Links are a forest exactly if such
 * maps agree with them: each part lies inside its parent's and before its next sibling's.
 * _out: the maps without `slot`, whose children stand in its place; _in: those with `slot` below
 * `parent`.
 */
#define TREE_PART(S, i) (tree_from##S(i) <= tree_to##S(i) && tree_up##S(i) >= ID_NONE && \
    (tree_up##S(i) != ID_NONE ==> tree_up##S(tree_up##S(i)) >= ID_NONE && \
     tree_from##S(tree_up##S(i)) < tree_from##S(i) && tree_to##S(i) <= tree_to##S(tree_up##S(i))))
#define TREE_NEXT(S, i) (tree_next##S(i) != ID_NONE ==> \
    tree_previous##S(tree_next##S(i)) == i && tree_up##S(tree_next##S(i)) == tree_up##S(i) && \
    tree_to##S(i) < tree_from##S(tree_next##S(i)))
#define TREE_PREVIOUS(S, i) (tree_previous##S(i) != ID_NONE ==> \
    tree_next##S(tree_previous##S(i)) == i && tree_up##S(tree_previous##S(i)) == tree_up##S(i))
#define TREE_ENDS(S, i) \
    (tree_link##S(i) == (tree_previous##S(i) == ID_NONE || tree_next##S(i) == ID_NONE ? \
                         tree_up##S(i) : ID_NONE) && \
     (tree_link##S(i) != ID_NONE && tree_previous##S(i) == ID_NONE ==> \
      tree_first##S(tree_link##S(i)) == i) && \
     (tree_link##S(i) != ID_NONE && tree_next##S(i) == ID_NONE ==> \
      tree_last##S(tree_link##S(i)) == i))
#define TREE_CHILDREN(S, i) ((tree_first##S(i) == ID_NONE <==> tree_last##S(i) == ID_NONE) && \
    (tree_first##S(i) != ID_NONE ==> tree_previous##S(tree_first##S(i)) == ID_NONE && \
     tree_up##S(tree_first##S(i)) == i) && \
    (tree_last##S(i) != ID_NONE ==> tree_next##S(tree_last##S(i)) == ID_NONE && \
     tree_up##S(tree_last##S(i)) == i))
#define TREE_NODE(S, i) (i > ID_NONE && TREE_PART(S, i) && TREE_NEXT(S, i) && \
    TREE_PREVIOUS(S, i) && TREE_ENDS(S, i) && TREE_CHILDREN(S, i))
#define TREE_LINKS(S, i) (slots[i].next_sibling == tree_next##S(i) && \
    slots[i].previous_sibling == tree_previous##S(i) && \
    slots[i].first_child == tree_first##S(i) && slots[i].last_child == tree_last##S(i) && \
    slots[i].parent == tree_link##S(i))

#define tree_up_out(i)       out_up(slot, i)
#define tree_from_out(i)     tree_from(i)
#define tree_to_out(i)       tree_to(i)
#define tree_next_out(i)     out_next(slot, i)
#define tree_previous_out(i) out_previous(slot, i)
#define tree_first_out(i)    out_first(slot, i)
#define tree_last_out(i)     out_last(slot, i)
#define tree_link_out(i)     out_link(slot, i)

#define tree_up_in(i)       (i == slot ? parent : tree_up(i))
#define tree_from_in(i)     in_from(parent, slot, i)
#define tree_to_in(i)       in_to(parent, slot, i)
#define tree_next_in(i)     in_next(parent, slot, i)
#define tree_previous_in(i) in_previous(parent, slot, i)
#define tree_first_in(i)    in_first(parent, slot, i)
#define tree_last_in(i)     in_last(parent, slot, i)
#define tree_link_in(i)     in_link(parent, slot, i)

/*@ predicate tree_alone{L}(struct cap_slot *slots, integer i) =
      slots[i].parent == ID_NONE && slots[i].first_child == ID_NONE &&
      slots[i].last_child == ID_NONE && slots[i].next_sibling == ID_NONE &&
      slots[i].previous_sibling == ID_NONE;
    axiomatic tree_maps {
      logic integer tree_up(integer i);
      logic integer tree_from(integer i);
      logic integer tree_to(integer i);
      logic integer tree_bound;
      logic integer tree_next(integer i);
      logic integer tree_previous(integer i);
      logic integer tree_first(integer i);
      logic integer tree_last(integer i);
      logic integer tree_link(integer i);
    }
    logic integer out_up(integer out, integer i) =
      i == out ? -1 : tree_up(i) == out ? tree_up(out) : tree_up(i);
    logic integer out_next(integer out, integer i) =
      i == out ? ID_NONE : i == ID_NONE ? tree_next(i) :
      i == tree_previous(out) ? (tree_first(out) == ID_NONE ? tree_next(out) : tree_first(out)) :
      i == tree_last(out) ? tree_next(out) : tree_next(i);
    logic integer out_previous(integer out, integer i) =
      i == out ? ID_NONE : i == ID_NONE ? tree_previous(i) :
      i == tree_next(out) ? (tree_last(out) == ID_NONE ? tree_previous(out) : tree_last(out)) :
      i == tree_first(out) ? tree_previous(out) : tree_previous(i);
    logic integer out_first(integer out, integer i) =
      i == out ? ID_NONE :
      i != ID_NONE && i == tree_link(out) && tree_previous(out) == ID_NONE ?
        (tree_first(out) == ID_NONE ? tree_next(out) : tree_first(out)) : tree_first(i);
    logic integer out_last(integer out, integer i) =
      i == out ? ID_NONE :
      i != ID_NONE && i == tree_link(out) && tree_next(out) == ID_NONE ?
        (tree_last(out) == ID_NONE ? tree_previous(out) : tree_last(out)) : tree_last(i);
    logic integer out_link(integer out, integer i) =
      i == out ? ID_NONE : i == ID_NONE ? tree_link(i) :
      i == tree_first(out) || i == tree_last(out) ||
      (tree_first(out) == ID_NONE && (i == tree_previous(out) || i == tree_next(out)) &&
       (tree_previous(out) == ID_NONE || tree_next(out) == ID_NONE)) ?
        (out_next(out, i) == ID_NONE || out_previous(out, i) == ID_NONE ?
         tree_link(out) : ID_NONE) : tree_link(i);
    // room for the part of `in` is made where its parent's begins
    logic integer in_from(integer parent, integer in, integer i) =
      i == in ? tree_from(parent) + 1 :
      tree_from(i) > tree_from(parent) ? tree_from(i) + 1 : tree_from(i);
    logic integer in_to(integer parent, integer in, integer i) =
      i == in ? tree_from(parent) + 1 :
      tree_to(i) >= tree_from(parent) ? tree_to(i) + 1 : tree_to(i);
    logic integer in_next(integer parent, integer in, integer i) =
      i == in ? tree_first(parent) : tree_next(i);
    logic integer in_previous(integer parent, integer in, integer i) =
      i != ID_NONE && i == tree_first(parent) ? in : tree_previous(i);
    logic integer in_first(integer parent, integer in, integer i) =
      i == parent ? in : tree_first(i);
    logic integer in_last(integer parent, integer in, integer i) =
      i == parent && tree_first(parent) == ID_NONE ? in : tree_last(i);
    logic integer in_link(integer parent, integer in, integer i) =
      i == in ? parent :
      i != ID_NONE && i == tree_first(parent) ?
        (tree_next(i) == ID_NONE ? parent : ID_NONE) : tree_link(i);
    // it, its parent, its neighbours and the ends of its children are nowhere the same
    predicate tree_apart(integer i) =
      i != ID_NONE && tree_link(i) != i && tree_previous(i) != i && tree_next(i) != i &&
      tree_first(i) != i && tree_last(i) != i &&
      (tree_first(i) == ID_NONE <==> tree_last(i) == ID_NONE) &&
      (tree_link(i) != ID_NONE ==>
        tree_link(i) != tree_previous(i) && tree_link(i) != tree_next(i) &&
        tree_link(i) != tree_first(i) && tree_link(i) != tree_last(i)) &&
      (tree_previous(i) != ID_NONE ==>
        tree_previous(i) != tree_next(i) && tree_previous(i) != tree_first(i) &&
        tree_previous(i) != tree_last(i)) &&
      (tree_next(i) != ID_NONE ==>
        tree_next(i) != tree_first(i) && tree_next(i) != tree_last(i));
*/

/* `slot` stands alone: no parent, sibling or child. */
/*@ requires \valid(slots + slot);
    terminates \true;
    exits   \false;
    assigns slots[slot].parent, slots[slot].first_child, slots[slot].last_child,
            slots[slot].next_sibling, slots[slot].previous_sibling;
    ensures alone: tree_alone(slots, slot);
    ensures others: \forall integer i; i != slot ==>
      slots[i].next_sibling == \old(slots[i].next_sibling) &&
      slots[i].previous_sibling == \old(slots[i].previous_sibling) &&
      slots[i].first_child == \old(slots[i].first_child) &&
      slots[i].last_child == \old(slots[i].last_child) &&
      slots[i].parent == \old(slots[i].parent);
*/
void tree_init(struct cap_slot *slots, uint32_t slot);
/* `slot`, which stands alone, becomes the first child of `parent`. */
/*@ requires \valid(slots + {slot, parent, slots[parent].first_child});
    requires links: TREE_LINKS(, slot) && TREE_LINKS(, parent);
    requires alone: tree_alone(slots, slot) && slot > ID_NONE && tree_up(slot) == -1;
    requires parent: TREE_NODE(, parent);
    requires first: tree_first(parent) != ID_NONE ==> TREE_NODE(, tree_first(parent));
    terminates \true;
    exits   \false;
    assigns slots[slot].parent, slots[slot].next_sibling,
            slots[parent].first_child, slots[parent].last_child,
            slots[slots[parent].first_child].previous_sibling,
            slots[slots[parent].first_child].parent;
    // what links were, with these changed, is what _in says
    ensures next: \forall integer i; slots[i].next_sibling ==
      (i == slot ? tree_first(parent) : \old(slots[i].next_sibling));
    ensures previous: \forall integer i; slots[i].previous_sibling ==
      (i != ID_NONE && i == tree_first(parent) ? slot : \old(slots[i].previous_sibling));
    ensures first_child: \forall integer i; slots[i].first_child ==
      (i == parent ? slot : \old(slots[i].first_child));
    ensures last_child: \forall integer i; slots[i].last_child ==
      (i == parent && tree_first(parent) == ID_NONE ? slot : \old(slots[i].last_child));
    ensures parent: \forall integer i; slots[i].parent ==
      (i == slot ? parent :
       i != ID_NONE && i == tree_first(parent) ?
         (slots[i].next_sibling == ID_NONE ? parent : ID_NONE) : \old(slots[i].parent));
    ensures comes: TREE_NODE(_in, slot);
    ensures tree_still: \forall integer i; TREE_NODE(, i) ==> TREE_NODE(_in, i);
*/
void tree_add(struct cap_slot *slots, uint32_t parent, uint32_t slot);
/* `slot` leaves; its children stand in its place, in their order. */
/*@ requires \valid(slots + (0 .. UINT32_MAX));
    requires links: \forall integer i; TREE_LINKS(, i);
    requires node: TREE_NODE(, slot);
    requires parent: tree_up(slot) != ID_NONE ==> TREE_NODE(, tree_up(slot));
    requires before: tree_previous(slot) != ID_NONE ==> TREE_NODE(, tree_previous(slot));
    requires after: tree_next(slot) != ID_NONE ==> TREE_NODE(, tree_next(slot));
    requires first: tree_first(slot) != ID_NONE ==> TREE_NODE(, tree_first(slot));
    requires last: tree_last(slot) != ID_NONE ==> TREE_NODE(, tree_last(slot));
    terminates \true;
    exits   \false;
    assigns slots[0 .. UINT32_MAX].parent, slots[0 .. UINT32_MAX].first_child,
            slots[0 .. UINT32_MAX].last_child, slots[0 .. UINT32_MAX].next_sibling,
            slots[0 .. UINT32_MAX].previous_sibling;
    ensures links: \forall integer i; i != slot ==> TREE_LINKS(_out, i);
    ensures alone: tree_alone(slots, slot);
    ensures tree_still: \forall integer i; i != slot && TREE_NODE(, i) ==> TREE_NODE(_out, i);
*/
void tree_remove(struct cap_slot *slots, uint32_t slot);
/* Cost: O(siblings after it). */
/*@ requires \valid_read(slots + (0 .. UINT32_MAX));
    requires links: \forall integer i; TREE_LINKS(, i);
    requires tree: \forall integer i; i > ID_NONE && tree_up(i) >= ID_NONE ==> TREE_NODE(, i);
    requires finite: \forall integer i; tree_to(i) <= tree_bound;
    requires inside: slot > ID_NONE && tree_up(slot) >= ID_NONE;
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures parent: \result == tree_up(slot);
*/
uint32_t tree_parent(const struct cap_slot *slots, uint32_t slot);
/* The links of `slot` to parent, siblings and ends of its own list agree with theirs; CHECKs. */
void tree_check(const struct cap_slot *slots, uint32_t slot);

#endif
