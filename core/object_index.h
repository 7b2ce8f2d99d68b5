// SPDX-License-Identifier: BSD-2-Clause
/*
 * The index of a memory object of kind PAGES: from page number to frame.
 *
 * A tree of nodes, each a frame KERNEL(INDEX, object) that holds 1,024 frame
 * numbers.  Level 0 is the pages themselves, a node of
 * level n covers 1,024^n pages, the root is `object->first` at level
 * `object->height`; an object of one page has no node, its root is the page.
 *
 * Invariants: while the object lives every page and node is there; a node's
 * frame detail says its level and which of that level it is, so that each frame
 * points back at the one entry that holds it (FR1).
 * Locks: objects while filling and releasing; none to read, as nobody changes
 * an index between the two.
 */
#ifndef CORE_OBJECT_INDEX_H
#define CORE_OBJECT_INDEX_H

#include "base/types.h"
#include "core/object.h"

#define OBJECT_NODE_BITS    10u
#define OBJECT_NODE_ENTRIES (1u << OBJECT_NODE_BITS)

/* Spans are then exact in 32 bits, and a detail's number in its 28. */
COMPILE_ASSERT(OBJECT_PAGES_MAX <= 1u << 28, three_levels_of_index_reach_every_page);

/*@ // What a node of a level covers; how many nodes there are above so many pages.
    logic integer index_span(integer level) =
      level <= 0 ? 1 : level == 1 ? 1024 : level == 2 ? 1048576 : 1073741824;
    logic integer index_above(integer pages) = (pages + 1023) / 1024;
    logic integer index_nodes(integer pages) =
      pages <= 1 ? 0 : index_above(pages) + index_nodes(index_above(pages));
*/

/* Pages that one node of `level` covers; 1 at level 0. */
/*@ requires level <= 3;
    terminates \true;
    exits   \false;
    assigns \nothing;
    behavior pages:
      assumes level == 0;
      ensures \result == index_span(0);
    behavior leaves:
      assumes level == 1;
      ensures \result == index_span(1);
    behavior middle:
      assumes level == 2;
      ensures \result == index_span(2);
    behavior top:
      assumes level == 3;
      ensures \result == index_span(3);
    complete behaviors;
    disjoint behaviors;
*/
static inline uint32_t object_index_span(unsigned level)
{
    return 1u << (level * OBJECT_NODE_BITS);
}

/* Frame detail of the node of `level` that covers `page`. */
static inline uint32_t object_index_detail(unsigned level, uint32_t page)
{
    return (uint32_t)level << 28 | page >> (level * OBJECT_NODE_BITS);
}

/* Needs: 0 < pages <= OBJECT_PAGES_MAX. */
/*@ requires pages <= OBJECT_PAGES_MAX;
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures covers: \result <= 3 && pages <= index_span(\result);
    ensures smallest: \result > 0 ==> index_span(\result - 1) < pages;
*/
unsigned object_index_height(uint32_t pages);
/* Frames that the index of an object of `pages` pages takes. */
/*@ requires pages <= OBJECT_PAGES_MAX;
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures every_level: \result == index_nodes(pages);
    ensures fewer: \result <= pages;
*/
uint32_t object_index_nodes(uint32_t pages);

/* The node of `level` that covers `page`; level 0: the page.
 * Needs: kind PAGES, level <= height, page < pages.
 * Gives: FRAME_NONE where a filling stopped or a release has been.  Cost: O(height). */
/*@ terminates \true;
    exits   \false;
    assigns \nothing;
*/
frame_no_t object_index_frame(const struct core_cpu *cpu, uint32_t object, unsigned level,
                              uint32_t page);

/* Frames of `page` and those after it that one node names, at most `limit` > 0.
 * Needs: as object_index_frame; they are all there.  Gives: how many, > 0. */
uint32_t object_index_run(const struct core_cpu *cpu, uint32_t object, uint32_t page,
                          uint32_t limit, frame_no_t *frames);

/* Takes a frame for every node and page.
 * Needs: an object whose kind, pages and height are set and `first` is FRAME_NONE.
 * Gives: false when memory is short; all that was taken is given back. */
MUST_CHECK bool object_index_fill(struct core_cpu *cpu, uint32_t object);
/* Gives back pages [from, to), and each node when its last page goes.
 * Needs: ranges ascending from 0 over calls; to <= pages; nothing maps or pins them, CHECKed. */
void object_index_release(struct core_cpu *cpu, uint32_t object, uint32_t from, uint32_t to);

#endif
