// SPDX-License-Identifier: BSD-2-Clause
/*
 * Filling goes up the page numbers and takes a node just before its first page;
 * releasing goes the same way and gives a node back just after its last page,
 * so at every moment the entries above what is left are there to find it.
 */
#include "core/object_index.h"

#include "base/assert.h"
#include "core/cadastre.h"

COMPILE_ASSERT(OBJECT_NODE_ENTRIES * sizeof(uint32_t) == PAGE_SIZE, node_fills_a_frame);

static struct object *object_at(const struct core_cpu *cpu, uint32_t object)
{
    return &cpu->cadastre->objects.objects[object];
}

typedef frame_no_t __attribute__((may_alias)) node_entry_t;

static node_entry_t *node_entries(const struct core_cpu *cpu, frame_no_t node)
{
    return (node_entry_t *)(void *)table_words(cpu, node);
}

/* The entry, in the node of `level` + 1, of what covers `page` at `level`. */
static uint32_t entry_of(unsigned level, uint32_t page)
{
    return page >> (level * OBJECT_NODE_BITS) & (OBJECT_NODE_ENTRIES - 1);
}

unsigned object_index_height(uint32_t pages)
{
    unsigned height = 0;

    /*@ loop invariant 0 <= height <= 3;
        loop invariant smallest: height > 0 ==> index_span(height - 1) < pages;
        loop assigns height;
        loop variant 3 - height;
    */
    while (object_index_span(height) < pages) {
        height++;
    }
    return height;
}

uint32_t object_index_nodes(uint32_t pages)
{
    uint32_t nodes = 0;
    uint32_t covered = pages;

    /*@ loop invariant 0 <= covered <= pages;
        loop invariant every_level: nodes + index_nodes(covered) == index_nodes(pages);
        loop invariant fewer: 0 <= nodes <= pages - covered;
        loop assigns covered, nodes;
        loop variant covered;
    */
    while (covered > 1) {
        /*@ assert next: index_nodes(covered) ==
              index_above(covered) + index_nodes(index_above(covered));
        */
        covered = (covered + OBJECT_NODE_ENTRIES - 1) / OBJECT_NODE_ENTRIES;
        //@ assert above: covered == index_above(\at(covered,LoopCurrent));
        nodes += covered;
    }
    //@ assert nothing: index_nodes(0) == 0;
    //@ assert root: index_nodes(1) == 0;
    return nodes;
}

frame_no_t object_index_frame(const struct core_cpu *cpu, uint32_t object, unsigned level,
                              uint32_t page)
{
    const struct object *record = object_at(cpu, object);
    frame_no_t frame = record->first;

    for (unsigned at = record->height; at > level && frame != FRAME_NONE; at--) {
        frame = node_entries(cpu, frame)[entry_of(at - 1, page)];
    }
    return frame;
}

uint32_t object_index_run(const struct core_cpu *cpu, uint32_t object, uint32_t page,
                          uint32_t limit, frame_no_t *frames)
{
    if (object_at(cpu, object)->height == 0) {
        frames[0] = object_at(cpu, object)->first;
        return 1;
    }
    const node_entry_t *leaf = node_entries(cpu, object_index_frame(cpu, object, 1, page));
    uint32_t first = entry_of(0, page), left = OBJECT_NODE_ENTRIES - first;
    uint32_t count = limit < left ? limit : left;

    for (uint32_t i = 0; i < count; i++) {
        frames[i] = leaf[first + i];
    }
    return count;
}

/* Needs: the node above, if level is not the root's, is there. */
static void index_link(struct core_cpu *cpu, uint32_t object, unsigned level, uint32_t page,
                       frame_no_t frame)
{
    struct object *record = object_at(cpu, object);

    if (level == record->height) {
        record->first = frame;
    } else {
        frame_no_t node = object_index_frame(cpu, object, level + 1, page);

        node_entries(cpu, node)[entry_of(level, page)] = frame;
    }
}

static bool index_take(struct core_cpu *cpu, uint32_t object, unsigned level, uint32_t page)
{
    frame_no_t frame;

    if (level == 0) {
        frame = frame_take_object(cpu, object, page);
    } else {
        frame = frame_take_kernel(cpu, FRAME_KIND_INDEX, object, object_index_detail(level, page));
    }
    if (frame == FRAME_NONE) {
        return false;
    }
    index_link(cpu, object, level, page, frame);
    return true;
}

/* Absent ones are skipped: a filling that stopped leaves the last path incomplete. */
static void index_give(struct core_cpu *cpu, uint32_t object, unsigned level, uint32_t page)
{
    frame_no_t frame = object_index_frame(cpu, object, level, page);

    if (frame == FRAME_NONE) {
        return;
    }
    frame_release(cpu, frame, level == 0 ? FRAME_OBJECT : FRAME_KERNEL, object);
    index_link(cpu, object, level, page, FRAME_NONE);
}

/* Highest level at which `page` is the first of its node; 0 for most. */
static unsigned level_starting_at(unsigned height, uint32_t page)
{
    unsigned level = 0;

    while (level < height && (page & (object_index_span(level + 1) - 1)) == 0) {
        level++;
    }
    return level;
}

/* Highest level at which `page` is the last of its node. */
static unsigned level_ending_at(unsigned height, uint32_t page, uint32_t pages)
{
    return page + 1 == pages ? height : level_starting_at(height, page + 1);
}

static void index_release(struct core_cpu *cpu, uint32_t object, uint32_t from, uint32_t to,
                          uint32_t pages)
{
    unsigned height = object_at(cpu, object)->height;

    for (uint32_t page = from; page < to; page++) {
        unsigned top = level_ending_at(height, page, pages);

        for (unsigned level = 0; level <= top; level++) {
            index_give(cpu, object, level, page);
        }
    }
}

bool object_index_fill(struct core_cpu *cpu, uint32_t object)
{
    uint32_t pages = object_at(cpu, object)->pages;
    unsigned height = object_at(cpu, object)->height;

    ASSERT(height == object_index_height(pages));
    for (uint32_t page = 0; page < pages; page++) {
        for (unsigned above = level_starting_at(height, page) + 1; above > 0; above--) {
            if (!index_take(cpu, object, above - 1, page)) {
                index_release(cpu, object, 0, page + 1, page + 1);
                return false;
            }
        }
        window_at(cpu, page, page + 1);
    }
    return true;
}

void object_index_release(struct core_cpu *cpu, uint32_t object, uint32_t from, uint32_t to)
{
    uint32_t pages = object_at(cpu, object)->pages;

    ASSERT(from <= to && to <= pages);
    index_release(cpu, object, from, to, pages);
}
