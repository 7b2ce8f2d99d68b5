// SPDX-License-Identifier: BSD-2-Clause
/*
 * Free frames: the buddy allocator, its ranges, and the filling of magazines.
 *
 * A free block is its head's entry: kind = order, owner = next head of that
 * order, detail = previous; the entries inside carry FRAME_FREE_INSIDE.  A block
 * merges with its buddy only inside one range, so entries that do not exist are
 * never read.  Frame 0 is in no block, so FRAME_NONE ends the lists.
 */
#include "base/assert.h"
#include "core/frame.h"
#include "core/frame_priv.h"

/*@ predicate ranges_sorted{L}(struct frame_table *table) =
      \forall integer i, j; 0 <= i < j < table->range_count ==>
        table->ranges[i].end <= table->ranges[j].first;
    predicate ranges_ok{L}(struct frame_table *table) =
      table->range_count <= FRAME_RANGES_MAX && ranges_sorted(table) &&
      \forall integer i; 0 <= i < table->range_count ==>
        table->ranges[i].first < table->ranges[i].end;
    logic integer order_size(integer order) = order <= 0 ? 1 : 2 * order_size(order - 1);
*/

/*@ requires \valid_read(table) && table->range_count <= FRAME_RANGES_MAX;
    terminates \true;
    exits   \false;
    assigns \result \from table, frame;
    ensures \result != \null ==> \exists integer i; 0 <= i < table->range_count &&
      \result == &table->ranges[i] && table->ranges[i].first <= frame < table->ranges[i].end;
    ensures none: ranges_sorted(table) && \result == \null ==>
      \forall integer i; 0 <= i < table->range_count ==>
        !(table->ranges[i].first <= frame < table->ranges[i].end);
*/
static const struct frame_range *range_of(const struct frame_table *table, frame_no_t frame)
{
    /*@ loop invariant 0 <= i <= table->range_count;
        loop invariant \forall integer k; 0 <= k < i ==> table->ranges[k].end <= frame;
        loop assigns i;
        loop variant table->range_count - i;
    */
    for (uint32_t i = 0; i < table->range_count; i++) {
        const struct frame_range *range = &table->ranges[i];
        if (frame < range->end)
            return frame >= range->first ? range : NULL;
    }
    return NULL;
}

bool frame_exists(const struct frame_table *table, frame_no_t frame)
{
    return range_of(table, frame) != NULL;
}

/* --- blocks --- */

/*@ // The whole table: coarser than the machine, where only ranges have entries.
    predicate free_shape{L}(struct frame_table *table) =
      \valid(table) && \valid(table->frames + (0 .. UINT32_MAX)) &&
      \separated(table, table->frames + (0 .. UINT32_MAX));
    predicate free_same{A,B}(struct frame *frames, integer i) =
      \at(frames[i].kind,A) == \at(frames[i].kind,B) &&
      \at(frames[i].owner,A) == \at(frames[i].owner,B) &&
      \at(frames[i].detail,A) == \at(frames[i].detail,B);
    // its neighbours name it, or the head of its list does, and it is between two others
    predicate free_linked{L}(struct frame_table *table, integer first, integer order) =
      (table->frames[first].owner != FRAME_NONE ==>
        table->frames[table->frames[first].owner].detail == first) &&
      (table->frames[first].detail != FRAME_NONE ==>
        table->frames[table->frames[first].detail].owner == first) &&
      (table->frames[first].detail == FRAME_NONE ==> table->free_head[order] == first) &&
      table->frames[first].owner != first && table->frames[first].detail != first &&
      (table->frames[first].owner == table->frames[first].detail ==>
        table->frames[first].owner == FRAME_NONE);
*/

/*@ requires free_shape(table) && order <= FRAME_ORDER_MAX;
    requires new: first != FRAME_NONE && table->free_head[order] != first;
    requires room: table->free_frames + (1 << order) <= UINT64_MAX;
    terminates \true;
    exits   \false;
    assigns table->frames[first].kind, table->frames[first].owner, table->frames[first].detail,
            table->frames[table->free_head[order]].detail, table->free_head[order],
            table->free_frames;
    ensures head: table->free_head[order] == first && table->frames[first].kind == order &&
      table->frames[first].owner == \old(table->free_head[order]) &&
      table->frames[first].detail == FRAME_NONE;
    ensures back: \old(table->free_head[order]) != FRAME_NONE ==>
      table->frames[\old(table->free_head[order])].detail == first;
    ensures counted: table->free_frames == \old(table->free_frames) + (1 << order);
    ensures frame_0: free_same{Pre,Post}(table->frames, 0);
*/
static void block_insert(struct frame_table *table, frame_no_t first, unsigned order)
{
    frame_no_t next = table->free_head[order];

    table->frames[first].kind = (uint8_t)order;
    table->frames[first].owner = next;
    table->frames[first].detail = FRAME_NONE;
    if (next != FRAME_NONE)
        table->frames[next].detail = first;
    table->free_head[order] = first;
    table->free_frames += UINT64_C(1) << order;
}

/*@ requires free_shape(table) && order <= FRAME_ORDER_MAX && first != FRAME_NONE;
    requires linked: free_linked(table, first, order);
    requires counted: table->free_frames >= (1 << order);
    terminates \true;
    exits   \false;
    assigns table->frames[first].kind, table->frames[first].owner, table->frames[first].detail,
            table->frames[table->frames[first].owner].detail,
            table->frames[table->frames[first].detail].owner, table->free_head[order],
            table->free_frames;
    ensures was_free: \old(table->frames[first].state) == FRAME_FREE &&
      \old(table->frames[first].kind) == order;
    ensures inside: table->frames[first].kind == FRAME_FREE_INSIDE &&
      table->frames[first].owner == 0 && table->frames[first].detail == 0;
    ensures next: \old(table->frames[first].owner) != FRAME_NONE ==>
      table->frames[\old(table->frames[first].owner)].detail ==
        \old(table->frames[first].detail);
    ensures previous: \old(table->frames[first].detail) != FRAME_NONE ==>
      table->frames[\old(table->frames[first].detail)].owner ==
        \old(table->frames[first].owner) &&
      table->free_head[order] == \old(table->free_head[order]);
    ensures head: \old(table->frames[first].detail) == FRAME_NONE ==>
      table->free_head[order] == \old(table->frames[first].owner);
    ensures counted: table->free_frames == \old(table->free_frames) - (1 << order);
    ensures frame_0: free_same{Pre,Post}(table->frames, 0);
*/
static void block_remove(struct frame_table *table, frame_no_t first, unsigned order)
{
    struct frame *head = &table->frames[first];

    CHECK_VALUE(head->state == FRAME_FREE && head->kind == order, first);
    if (head->owner != FRAME_NONE)
        table->frames[head->owner].detail = head->detail;
    if (head->detail != FRAME_NONE)
        table->frames[head->detail].owner = head->owner;
    else
        table->free_head[order] = head->owner;
    head->kind = FRAME_FREE_INSIDE;
    head->owner = 0;
    head->detail = 0;
    table->free_frames -= UINT64_C(1) << order;
}

/* Inserts a block whose entries are all INSIDE, merged as far as its buddies go. */
static void block_put(struct frame_table *table, const struct frame_range *range,
                      frame_no_t first, unsigned order)
{
    for (; order < FRAME_ORDER_MAX; order++) {
        uint32_t size = UINT32_C(1) << order;
        frame_no_t buddy = first ^ size;
        if (buddy < range->first || buddy >= range->end || range->end - buddy < size)
            break;
        if (!FRAME_IS_FREE(&table->frames[buddy], order))
            break;
        block_remove(table, buddy, order);
        first &= ~size;
    }
    block_insert(table, first, order);
}

/* The largest aligned blocks that [first, first + count), all INSIDE, is made of. */
static void run_put(struct frame_table *table, const struct frame_range *range, frame_no_t first,
                    uint32_t count)
{
    while (count > 0) {
        unsigned aligned = (unsigned)__builtin_ctz(first | (UINT32_C(1) << FRAME_ORDER_MAX));
        unsigned fits = 31 - (unsigned)__builtin_clz(count);
        unsigned order = aligned < fits ? aligned : fits;
        block_put(table, range, first, order);
        first += UINT32_C(1) << order;
        count -= UINT32_C(1) << order;
    }
}

frame_no_t frame_block_take(struct frame_table *table, unsigned order)
{
    unsigned found = order;

    while (found <= FRAME_ORDER_MAX && table->free_head[found] == FRAME_NONE)
        found++;
    if (found > FRAME_ORDER_MAX)
        return FRAME_NONE;
    frame_no_t first = table->free_head[found];

    block_remove(table, first, found);
    while (found > order) {
        found--;
        block_insert(table, first + (UINT32_C(1) << found), found);
    }
    for (uint32_t i = 0; i < UINT32_C(1) << order; i++)
        table->frames[first + i].kind = FRAME_FREE_MAGAZINE;
    return first;
}

void frame_run_put(struct frame_table *table, frame_no_t first, uint32_t count)
{
    const struct frame_range *range = range_of(table, first);
    struct frame *run = &table->frames[first];

    CHECK_VALUE(range != NULL && range->end - first >= count, first);
    for (uint32_t i = 0; i < count; i++) {
        struct frame *frame = &run[i];
        CHECK_VALUE(frame->state == FRAME_FREE && frame->kind == FRAME_FREE_MAGAZINE, first + i);
        frame->kind = FRAME_FREE_INSIDE;
    }
    run_put(table, range, first, count);
}

/*@ terminates \true;
    exits   \false;
    assigns \nothing;
    ensures in_order: 0 < pages <= 1 << FRAME_ORDER_MAX;
    ensures holds: pages <= order_size(\result);
    ensures smallest: \result > 0 ==> order_size(\result - 1) < pages;
*/
unsigned frame_order_for(uint32_t pages)
{
    unsigned order = 0;
    uint32_t size = 1;

    CHECK_VALUE(pages > 0 && pages <= UINT32_C(1) << FRAME_ORDER_MAX, pages);
    /*@ loop invariant size == order_size(order) && 0 <= order < size;
        loop invariant size < 2 * pages;
        loop invariant order > 0 ==> order_size(order - 1) < pages;
        loop assigns order, size;
        loop variant pages - size;
    */
    while (size < pages) {
        size *= 2;
        order++;
    }
    return order;
}

/* --- magazines --- */

/* Prefers blocks that exist whole to splitting larger ones. */
static unsigned fill_order(const struct frame_table *table, uint32_t wanted)
{
    unsigned order = 0;

    while (order < FRAME_ORDER_MAX && table->free_head[order] == FRAME_NONE)
        order++;
    while ((UINT32_C(1) << order) > wanted)
        order--;
    return order;
}

void magazine_fill(struct frame_table *table, struct magazine *magazine, uint32_t count)
{
    uint32_t half = count / 2;

    CHECK_VALUE(count <= MAGAZINE_FRAMES && magazine->count <= MAGAZINE_FRAMES - count, count);
    while (count > 0 && table->free_frames > 0) {
        unsigned order = fill_order(table, count);
        /* Its rest would split the next one, and so on for ever. */
        if (table->free_head[order] == FRAME_NONE && count <= half)
            break;
        frame_no_t first = frame_block_take(table, order);
        CHECK_VALUE(first != FRAME_NONE, order);
        /* Highest first, so that frames leave in rising order. */
        for (uint32_t i = UINT32_C(1) << order; i > 0; i--)
            magazine->frames[magazine->count++] = first + i - 1;
        count -= UINT32_C(1) << order;
    }
}

/* How many of `limit` numbers are neighbours from the first on, rising or falling. */
static uint32_t neighbours(const frame_no_t *frames, uint32_t limit)
{
    uint32_t count = 1;

    if (limit > 1 && (frames[1] == frames[0] + 1 || frames[1] == frames[0] - 1)) {
        uint32_t step = frames[1] - frames[0];
        while (count < limit && frames[count] == frames[count - 1] + step)
            count++;
    }
    return count;
}

void magazine_empty(struct frame_table *table, struct magazine *magazine, uint32_t keep)
{
    uint32_t taken = magazine->count > keep ? magazine->count - keep : 0;
    uint32_t first = magazine->zeroed < keep ? magazine->zeroed : keep;

    /* Of those not zeroed the oldest go, as the newest are warm. */
    for (uint32_t i = first, run; i < first + taken; i += run) {
        run = neighbours(&magazine->frames[i], first + taken - i);
        frame_no_t one = magazine->frames[i], other = magazine->frames[i + run - 1];
        frame_run_put(table, one < other ? one : other, run);
    }
    for (uint32_t i = first + taken; i < magazine->count; i++)
        magazine->frames[i - taken] = magazine->frames[i];
    magazine->count -= taken;
    magazine->zeroed = first;
}

/* --- boot --- */

/*@ requires \valid(table);
    terminates \true;
    exits   \false;
    assigns *table;
    ensures given: table->frames == frames;
    ensures empty: table->range_count == 0 && table->free_frames == 0 &&
      table->total_frames == 0 && ranges_ok(table);
    ensures none_free: \forall integer order; 0 <= order <= FRAME_ORDER_MAX ==>
      table->free_head[order] == FRAME_NONE;
*/
void frame_table_init(struct frame_table *table, struct frame *frames)
{
    table->frames = frames;
    table->range_count = 0;
    table->free_frames = 0;
    table->total_frames = 0;
    /*@ loop invariant 0 <= order <= FRAME_ORDER_MAX + 1;
        loop invariant \forall integer done; 0 <= done < order ==>
          table->free_head[done] == FRAME_NONE;
        loop assigns order, table->free_head[0 .. FRAME_ORDER_MAX];
        loop variant FRAME_ORDER_MAX + 1 - order;
    */
    for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++)
        table->free_head[order] = FRAME_NONE;
}

/*@ requires \valid(table) && ranges_ok(table);
    requires room: table->total_frames <= UINT64_MAX - UINT32_MAX;
    terminates \true;
    exits   \false;
    assigns table->ranges[0 .. FRAME_RANGES_MAX - 1], table->range_count, table->total_frames;
    ensures ranges_ok(table);
    ensures refused: \result == CAD_INVALID <==> first >= end ||
      (\old(table->range_count) > 0 &&
       first < \old(table->ranges[table->range_count - 1].end));
    ensures full: \result == CAD_PRESSURE ==> \old(table->range_count) == FRAME_RANGES_MAX;
    ensures unchanged: \result != CAD_OK ==> table->range_count == \old(table->range_count) &&
      table->total_frames == \old(table->total_frames);
    ensures last: \result == CAD_OK ==> table->range_count > 0 &&
      table->ranges[table->range_count - 1].end == end;
    ensures counted: \result == CAD_OK ==>
      table->total_frames == \old(table->total_frames) + end - first;
*/
status_t frame_table_add_range(struct frame_table *table, frame_no_t first, frame_no_t end)
{
    struct frame_range *last =
        table->range_count > 0 ? &table->ranges[table->range_count - 1] : NULL;

    if (first >= end || (last != NULL && first < last->end))
        return CAD_INVALID;
    if (last != NULL && first == last->end) {
        last->end = end;
    } else {
        if (table->range_count == FRAME_RANGES_MAX)
            return CAD_PRESSURE;
        table->ranges[table->range_count].first = first;
        table->ranges[table->range_count].end = end;
        table->range_count++;
    }
    table->total_frames += end - first;
    return CAD_OK;
}

/* Four at a time: at boot these are all of the machine's frames. */
static bool all_reserved(const struct frame *frames, uint32_t count)
{
    COMPILE_ASSERT(FRAME_RESERVED == 0, reserved_is_no_bit);
    unsigned others = 0;

    for (; count >= 4; count -= 4, frames += 4)
        others |= frames[0].state | frames[1].state | frames[2].state | frames[3].state;
    for (; count > 0; count--, frames++)
        others |= frames->state;
    return others == 0;
}

status_t frame_table_add_free(struct frame_table *table, frame_no_t first, frame_no_t end)
{
    const struct frame_range *range = range_of(table, first);
    struct frame_change change = { .from = FRAME_RESERVED, .to = FRAME_FREE,
                                   .to_kind = FRAME_FREE_INSIDE };

    if (first >= end || range == NULL || end > range->end ||
        !all_reserved(&table->frames[first], end - first))
        return CAD_INVALID;
    if (first == FRAME_NONE)
        first++;
    frame_set_state(table, first, end - first, &change);
    run_put(table, range, first, end - first);
    return CAD_OK;
}

/* --- invariants --- */

static uint64_t block_check(const struct frame_table *table, frame_no_t first, unsigned order)
{
    const struct frame_range *range = range_of(table, first);
    uint32_t size = UINT32_C(1) << order;

    CHECK_VALUE(first != FRAME_NONE && range != NULL && range->end - first >= size, first);
    CHECK_VALUE((first & (size - 1)) == 0, first);
    CHECK_VALUE(table->frames[first].state == FRAME_FREE, first);
    CHECK_VALUE(table->frames[first].kind == order, first);
    for (uint32_t i = 1; i < size; i++) {
        CHECK_VALUE(table->frames[first + i].state == FRAME_FREE, first + i);
        CHECK_VALUE(table->frames[first + i].kind == FRAME_FREE_INSIDE, first + i);
    }
    return size;
}

void frame_check_invariants(const struct frame_table *table)
{
    uint64_t listed = 0, in_blocks = 0, total = 0;

    for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++) {
        frame_no_t previous = FRAME_NONE;
        for (frame_no_t i = table->free_head[order]; i != FRAME_NONE; i = table->frames[i].owner) {
            listed += block_check(table, i, order);
            CHECK_VALUE(table->frames[i].detail == previous, i);
            CHECK_VALUE(listed <= table->total_frames, i);
            previous = i;
        }
    }
    for (uint32_t range = 0; range < table->range_count; range++) {
        for (frame_no_t i = table->ranges[range].first; i < table->ranges[range].end; i++) {
            const struct frame *frame = &table->frames[i];
            CHECK_VALUE(frame->state < FRAME_STATE_COUNT, i);
            CHECK_VALUE(frame->state != FRAME_KERNEL || frame->kind < FRAME_KIND_COUNT, i);
            in_blocks += frame->state == FRAME_FREE && frame->kind != FRAME_FREE_MAGAZINE;
            total++;
        }
    }
    CHECK_VALUE(listed == table->free_frames, listed);
    CHECK_VALUE(in_blocks == listed, in_blocks);
    CHECK_VALUE(total == table->total_frames, total);
}
