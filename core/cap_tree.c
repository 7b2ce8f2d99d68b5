// SPDX-License-Identifier: BSD-2-Clause
#include "core/cap_tree.h"

#include "base/assert.h"

/*@ requires \valid_read(slot);
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures \result == \true <==>
      slot->previous_sibling == ID_NONE || slot->next_sibling == ID_NONE;
*/
static bool is_end(const struct cap_slot *slot)
{
    return slot->previous_sibling == ID_NONE || slot->next_sibling == ID_NONE;
}

void tree_init(struct cap_slot *slots, uint32_t slot)
{
    slots[slot].parent = ID_NONE;
    slots[slot].first_child = ID_NONE;
    slots[slot].last_child = ID_NONE;
    slots[slot].next_sibling = ID_NONE;
    slots[slot].previous_sibling = ID_NONE;
}

void tree_add(struct cap_slot *slots, uint32_t parent, uint32_t slot)
{
    uint32_t second = slots[parent].first_child;

    slots[slot].parent = parent;
    slots[slot].next_sibling = second;
    slots[parent].first_child = slot;
    if (second == ID_NONE) {
        slots[parent].last_child = slot;
    } else {
        slots[second].previous_sibling = slot;
        slots[second].parent = is_end(&slots[second]) ? parent : ID_NONE;
    }
}

/* [first, last], linked among themselves, come between two siblings of `parent`, of
 * which either may be ID_NONE: then they are that end of the list.  ID_NONE for both
 * first and last: nothing comes between.
 * Needs: parent is right if an end changes. */
/*@ requires \valid(slots + {parent, before, after, first, last});
    requires both: first == ID_NONE <==> last == ID_NONE;
    requires apart: before != ID_NONE ==> before != after && before != first && before != last;
    requires apart: after != ID_NONE ==> after != first && after != last;
    terminates \true;
    exits   \false;
    assigns slots[before].next_sibling, slots[last].next_sibling,
            slots[after].previous_sibling, slots[first].previous_sibling,
            slots[parent].first_child, slots[parent].last_child;
    ensures next: \forall integer i; slots[i].next_sibling ==
      (i != ID_NONE && i == before ? (first == ID_NONE ? after : first) :
       i != ID_NONE && i == last ? after : \old(slots[i].next_sibling));
    ensures previous: \forall integer i; slots[i].previous_sibling ==
      (i != ID_NONE && i == after ? (last == ID_NONE ? before : last) :
       i != ID_NONE && i == first ? before : \old(slots[i].previous_sibling));
    ensures first_child: \forall integer i; slots[i].first_child ==
      (i != ID_NONE && i == parent && before == ID_NONE ? (first == ID_NONE ? after : first) :
       \old(slots[i].first_child));
    ensures last_child: \forall integer i; slots[i].last_child ==
      (i != ID_NONE && i == parent && after == ID_NONE ? (last == ID_NONE ? before : last) :
       \old(slots[i].last_child));
    ensures parent: \forall integer i; slots[i].parent == \old(slots[i].parent);
*/
static inline void list_join(struct cap_slot *slots, uint32_t parent, uint32_t before,
                             uint32_t after, uint32_t first, uint32_t last)
{
    uint32_t right = first == ID_NONE ? after : first;  /* what follows `before` */
    uint32_t left = last == ID_NONE ? before : last;    /* what `after` follows */

    if (before != ID_NONE) {
        slots[before].next_sibling = right;
    } else if (parent != ID_NONE) {
        slots[parent].first_child = right;
    }
    if (after != ID_NONE) {
        slots[after].previous_sibling = left;
    } else if (parent != ID_NONE) {
        slots[parent].last_child = left;
    }
    if (right != ID_NONE) {
        slots[right].previous_sibling = before;
    }
    if (left != ID_NONE) {
        slots[left].next_sibling = after;
    }
}

/* `slot` may have become an end of `parent`'s list, or may be none any more. */
/*@ requires \valid(slots + slot);
    terminates \true;
    exits   \false;
    assigns slots[slot].parent;
    ensures named: slot != ID_NONE ==> slots[slot].parent ==
      (slots[slot].previous_sibling == ID_NONE || slots[slot].next_sibling == ID_NONE ?
       parent : ID_NONE);
    ensures others: \forall integer i; i != slot || i == ID_NONE ==>
      slots[i].parent == \old(slots[i].parent);
*/
static void end_name_parent(struct cap_slot *slots, uint32_t slot, uint32_t parent)
{
    if (slot != ID_NONE) {
        slots[slot].parent = is_end(&slots[slot]) ? parent : ID_NONE;
    }
}

/* Those around `slot` are linked as if it had left, and its children stood in its place. */
/*@ requires \valid(slots + (0 .. UINT32_MAX));
    requires links: \forall integer i; TREE_LINKS(, i);
    requires apart: tree_apart(slot);
    terminates \true;
    exits   \false;
    assigns slots[0 .. UINT32_MAX].parent, slots[0 .. UINT32_MAX].first_child,
            slots[0 .. UINT32_MAX].last_child, slots[0 .. UINT32_MAX].next_sibling,
            slots[0 .. UINT32_MAX].previous_sibling;
    ensures links: \forall integer i; i != slot ==> TREE_LINKS(_out, i);
*/
static void tree_bridge(struct cap_slot *slots, uint32_t slot)
{
    uint32_t before = slots[slot].previous_sibling;
    uint32_t after = slots[slot].next_sibling;
    uint32_t first = slots[slot].first_child;
    uint32_t last = slots[slot].last_child;
    uint32_t parent = slots[slot].parent; /* ID_NONE between the ends, where no end changes */

    list_join(slots, parent, before, after, first, last);
    if (first != ID_NONE) {
        end_name_parent(slots, first, parent);
        end_name_parent(slots, last, parent);
    } else if (before == ID_NONE || after == ID_NONE) {
        end_name_parent(slots, before, parent);
        end_name_parent(slots, after, parent);
    }
}

void tree_remove(struct cap_slot *slots, uint32_t slot)
{
    tree_bridge(slots, slot);
    tree_init(slots, slot);
}

uint32_t tree_parent(const struct cap_slot *slots, uint32_t slot)
{
    uint32_t at = slot;

    /*@ loop invariant same_list: at != ID_NONE && tree_up(at) == tree_up(slot);
        loop assigns at;
        loop variant tree_bound - tree_from(at);
    */
    while (slots[at].previous_sibling != ID_NONE && slots[at].next_sibling != ID_NONE) {
        at = slots[at].next_sibling;
    }
    return slots[at].parent;
}

void tree_check(const struct cap_slot *slots, uint32_t slot)
{
    const struct cap_slot *at = &slots[slot];

    CHECK_VALUE(at->previous_sibling == ID_NONE ||
                slots[at->previous_sibling].next_sibling == slot, slot);
    CHECK_VALUE(at->next_sibling == ID_NONE ||
                slots[at->next_sibling].previous_sibling == slot, slot);
    CHECK_VALUE(is_end(at) || at->parent == ID_NONE, slot);
    if (at->parent != ID_NONE) {
        CHECK_VALUE(at->previous_sibling != ID_NONE || slots[at->parent].first_child == slot, slot);
        CHECK_VALUE(at->next_sibling != ID_NONE || slots[at->parent].last_child == slot, slot);
    }
    CHECK_VALUE((at->first_child == ID_NONE) == (at->last_child == ID_NONE), slot);
    if (at->first_child != ID_NONE) {
        CHECK_VALUE(slots[at->first_child].previous_sibling == ID_NONE, slot);
        CHECK_VALUE(slots[at->first_child].parent == slot, slot);
        CHECK_VALUE(slots[at->last_child].next_sibling == ID_NONE, slot);
        CHECK_VALUE(slots[at->last_child].parent == slot, slot);
    }
}
