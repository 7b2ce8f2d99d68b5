// SPDX-License-Identifier: BSD-2-Clause
/*
 * Ownership of frames: states, counts, and the way of single frames between
 * their owners and this CPU's magazine.  The free lists are in frame_free.c.
 */
#include "core/frame.h"

#include "base/assert.h"
#include "base/atomic.h"
#include "core/cadastre.h"
#include "core/frame_priv.h"

/*@ // Every frame number has an entry here: coarser than the machine, where only ranges have one.
    // What is proved of frames named by a number does not depend on the others.
    predicate frames_shape{L}(struct core_cpu *cpu) =
      \valid(cpu) && \valid(cpu->cadastre) &&
      \valid(cpu->cadastre->frames.frames + (0 .. UINT32_MAX)) &&
      \separated(cpu, cpu->cadastre, cpu->cadastre->frames.frames + (0 .. UINT32_MAX)) &&
      cpu->magazine.zeroed <= cpu->magazine.count <= MAGAZINE_FRAMES;
    predicate frames_others{A,B}(struct frame *frames, integer but) =
      \forall integer i; 0 <= i <= UINT32_MAX && i != but ==> frame_same{A,B}(frames, i);
*/

/*@ terminates \true;
    exits   \false;
    assigns \nothing;
    ensures \result == \true <==>
      0 <= from < FRAME_STATE_COUNT && 0 <= to < FRAME_STATE_COUNT && frame_edge(from, to);
*/
bool frame_edge_allowed(enum frame_state from, enum frame_state to)
{
    return (unsigned)from < FRAME_STATE_COUNT && (unsigned)to < FRAME_STATE_COUNT &&
           frame_edge_listed((unsigned)from, (unsigned)to);
}

const char *frame_state_name(enum frame_state state)
{
#define FRAME_STATE_NAME(NAME, name, owner, detail, meaning) [FRAME_##NAME] = #name,
    static const char *const names[] = { FRAME_STATE_LIST(FRAME_STATE_NAME) };
#undef FRAME_STATE_NAME
    return (unsigned)state < ARRAY_COUNT(names) ? names[state] : "?";
}

const char *frame_kind_name(enum frame_kind kind)
{
#define FRAME_KIND_NAME(NAME, name, owner, meaning) [FRAME_KIND_##NAME] = #name,
    static const char *const names[] = { FRAME_KERNEL_KIND_LIST(FRAME_KIND_NAME) };
#undef FRAME_KIND_NAME
    return (unsigned)kind < ARRAY_COUNT(names) ? names[kind] : "?";
}

/* The words of the two lists' owner columns. */
#define OWNER_NONE    "none"
#define OWNER_UNTYPED "untyped"
#define OWNER_TABLE   "table"
#define OWNER_OBJECT  "object"
#define OWNER_NEXT    "next"
#define OWNER_SPACE   "space"
#define OWNER_POOL    "pool"
#define OWNER_BY_KIND NULL

const char *frame_owner_kind(const struct frame *frame)
{
#define FRAME_STATE_OWNER(NAME, name, owner, detail, meaning) [FRAME_##NAME] = OWNER_##owner,
    static const char *const by_state[] = { FRAME_STATE_LIST(FRAME_STATE_OWNER) };
#undef FRAME_STATE_OWNER
#define FRAME_KIND_OWNER(NAME, name, owner, meaning) [FRAME_KIND_##NAME] = OWNER_##owner,
    static const char *const by_kind[] = { FRAME_KERNEL_KIND_LIST(FRAME_KIND_OWNER) };
#undef FRAME_KIND_OWNER
    if (frame->state >= FRAME_STATE_COUNT)
        return "?";
    if (frame->state != FRAME_KERNEL)
        return by_state[frame->state];
    return frame->kind < FRAME_KIND_COUNT ? by_kind[frame->kind] : "?";
}

/* --- boot --- */

/*@ requires \valid_read(table) && \valid(table->frames + (0 .. UINT32_MAX));
    requires \separated(table, table->frames + (0 .. UINT32_MAX));
    requires table->range_count <= FRAME_RANGES_MAX;
    requires \valid_read(change) && \separated(change, table, table->frames + (0 .. UINT32_MAX));
    requires change->from < FRAME_STATE_COUNT && change->to < FRAME_STATE_COUNT;
    requires change->numbered == \false;
    terminates \true;
    exits   \false;
    assigns table->frames[frame];
    ensures not_0: frame != FRAME_NONE;
    ensures listed: frame_edge(change->from, change->to);
    ensures left: frame_leaves{Pre}(table->frames, frame, change);
    ensures arrived: frame_arrives(table->frames, frame, frame, change);
*/
static void frame_adopt(struct frame_table *table, frame_no_t frame,
                        const struct frame_change *change)
{
    CHECK_VALUE(frame != FRAME_NONE && frame_exists(table, frame), frame);
    frame_set_state(table, frame, 1, change);
}

/*@ requires \valid_read(table) && \valid(table->frames + (0 .. UINT32_MAX));
    requires \separated(table, table->frames + (0 .. UINT32_MAX));
    requires table->range_count <= FRAME_RANGES_MAX;
    requires 0 <= kind < FRAME_KIND_COUNT;
    terminates \true;
    exits   \false;
    assigns table->frames[frame];
    ensures not_0: frame != FRAME_NONE;
    ensures was_reserved: \old(table->frames[frame].state) == FRAME_RESERVED;
    ensures owned: frame_is(table->frames, frame, FRAME_KERNEL, kind, owner, detail);
*/
void frame_adopt_kernel(struct frame_table *table, frame_no_t frame, enum frame_kind kind,
                        uint32_t owner, uint32_t detail)
{
    struct frame_change change = { .from = FRAME_RESERVED, .to = FRAME_KERNEL,
                                   .to_kind = (uint8_t)kind, .to_owner = owner,
                                   .to_detail = detail };
    frame_adopt(table, frame, &change);
}

/*@ requires \valid_read(table) && \valid(table->frames + (0 .. UINT32_MAX));
    requires \separated(table, table->frames + (0 .. UINT32_MAX));
    requires table->range_count <= FRAME_RANGES_MAX;
    terminates \true;
    exits   \false;
    assigns table->frames[frame];
    ensures not_0: frame != FRAME_NONE;
    ensures was_reserved: \old(table->frames[frame].state) == FRAME_RESERVED;
    ensures owned: frame_is(table->frames, frame, FRAME_OBJECT, 0, object, page);
*/
void frame_adopt_object(struct frame_table *table, frame_no_t frame, uint32_t object,
                        uint32_t page)
{
    struct frame_change change = { .from = FRAME_RESERVED, .to = FRAME_OBJECT,
                                   .to_owner = object, .to_detail = page };
    frame_adopt(table, frame, &change);
}

/* --- single frames by the magazine --- */

#undef frame_take_kernel
#undef frame_take_anon
#undef frame_take_object

#ifdef __FRAMAC__
/* What the prover believes of core_host's hooks: they touch free frames' entries only, which
 * it is not told of, and this CPU's magazine. */
/*@ requires frames_shape(cpu);
    terminates \true;
    exits   \false;
    assigns cpu->magazine;
    ensures frames_shape(cpu);
*/
void host_magazine_refill(struct core_cpu *cpu);
/*@ requires frames_shape(cpu);
    terminates \true;
    exits   \false;
    assigns cpu->magazine;
    ensures frames_shape(cpu);
*/
void host_magazine_drain(struct core_cpu *cpu);
/*@ terminates \true;
    exits   \false;
    assigns \nothing;
*/
void host_run_put(struct core_cpu *cpu, frame_no_t first, uint32_t count);
/*@ terminates \true;
    exits   \false;
    assigns \nothing;
    ensures room: order == FRAME_ORDER_LARGE ==> \result + FRAMES_LARGE <= UINT32_MAX;
*/
frame_no_t host_block_take(struct core_cpu *cpu, unsigned order);
#endif

#ifdef CONFIG_ASSERT
static bool is_zero(const struct core_cpu *cpu, frame_no_t frame)
{
    const uint64_t *words = table_words(cpu, frame);
    uint64_t any = 0;

    for (unsigned i = 0; i < PAGE_SIZE / sizeof(*words); i++)
        any |= words[i];
    return any == 0;
}
#define ASSERT_ZERO(cpu, frame) ASSERT(is_zero(cpu, frame))
#else
#define ASSERT_ZERO(cpu, frame) ((void)0)
#endif

/* A zeroed frame, still FREE and marked as taken; FRAME_NONE when memory is short. */
/*@ requires frames_shape(cpu);
    terminates \true;
    exits   \false;
    assigns cpu->magazine;
    ensures frames_shape(cpu);
    ensures none: \result == FRAME_NONE || cpu->magazine.count < MAGAZINE_FRAMES;
*/
static inline frame_no_t magazine_pop(struct core_cpu *cpu)
{
    struct magazine *magazine = &cpu->magazine;

    if (magazine->count == 0) {
        HOST(cpu, magazine_refill)(cpu);
        if (magazine->count == 0)
            return FRAME_NONE;
    }
    uint32_t last = --magazine->count;
    frame_no_t frame = magazine->frames[last];

    if (LIKELY(magazine->zeroed == 0)) {
        HOST(cpu, pages_clear)(frame, 1);
        return frame;
    }
    uint32_t at = --magazine->zeroed;
    frame_no_t zeroed = magazine->frames[at];

    magazine->frames[at] = frame;
    ASSERT_ZERO(cpu, zeroed);
    return zeroed;
}

/*@ requires frames_shape(cpu);
    terminates \true;
    exits   \false;
    assigns cpu->magazine;
    ensures frames_shape(cpu);
    ensures on_top: cpu->magazine.count > 0 &&
      cpu->magazine.frames[cpu->magazine.count - 1] == frame;
    ensures not_zeroed: cpu->magazine.zeroed < cpu->magazine.count;
*/
static inline void magazine_push(struct core_cpu *cpu, frame_no_t frame)
{
    struct magazine *magazine = &cpu->magazine;

    if (magazine->count == MAGAZINE_FRAMES)
        HOST(cpu, magazine_drain)(cpu);
    CHECK_VALUE(magazine->count < MAGAZINE_FRAMES, frame);
    magazine->frames[magazine->count++] = frame;
}

/* A zero page joins those that are taken before others. */
/*@ requires frames_shape(cpu);
    terminates \true;
    exits   \false;
    assigns cpu->magazine;
    ensures frames_shape(cpu);
    ensures among_zeroed: cpu->magazine.zeroed > 0 &&
      cpu->magazine.frames[cpu->magazine.zeroed - 1] == frame;
*/
static void magazine_push_zeroed(struct core_cpu *cpu, frame_no_t frame)
{
    struct magazine *magazine = &cpu->magazine;

    ASSERT_ZERO(cpu, frame);
    magazine_push(cpu, frame);
    magazine->frames[magazine->count - 1] = magazine->frames[magazine->zeroed];
    magazine->frames[magazine->zeroed++] = frame;
}

/*@ requires frames_shape(cpu);
    terminates \true;
    exits   \false;
    assigns cpu->magazine;
    ensures frames_shape(cpu);
    ensures done: \result == \false ==> cpu->magazine.zeroed == cpu->magazine.count;
    ensures full: \result == \false ==>
      \old(cpu->magazine.zeroed) == \old(cpu->magazine.count);
    ensures one_more: \old(cpu->magazine.zeroed) < \old(cpu->magazine.count) ==>
      cpu->magazine.zeroed == \old(cpu->magazine.zeroed) + 1 &&
      cpu->magazine.count == \old(cpu->magazine.count) &&
      \forall integer k; 0 <= k < MAGAZINE_FRAMES ==>
        cpu->magazine.frames[k] == \old(cpu->magazine.frames[k]);
*/
bool magazine_clear_ahead(struct core_cpu *cpu)
{
    struct magazine *magazine = &cpu->magazine;

    if (magazine->zeroed == magazine->count && magazine->count < MAGAZINE_FRAMES / 2)
        HOST(cpu, magazine_refill)(cpu);
    if (magazine->zeroed == magazine->count)
        return false;
    HOST(cpu, pages_clear)(magazine->frames[magazine->zeroed], 1);
    magazine->zeroed++;
    return true;
}

/*@ requires frames_shape(cpu);
    requires 0 <= state < FRAME_STATE_COUNT && 0 <= kind < FRAME_KIND_COUNT;
    terminates \true;
    exits   \false;
    assigns cpu->magazine, cpu->cadastre->frames.frames[0 .. UINT32_MAX];
    ensures frames_shape(cpu);
    ensures none: \result == FRAME_NONE ==>
      frames_others{Pre,Post}(cpu->cadastre->frames.frames, -1);
    ensures owned: \result != FRAME_NONE ==>
      frame_is(cpu->cadastre->frames.frames, \result, state, kind, owner, detail);
    ensures was_free: \result != FRAME_NONE ==>
      \at(cpu->cadastre->frames.frames[\at(\result,Post)].state,Pre) == FRAME_FREE;
    ensures only_this: frames_others{Pre,Post}(cpu->cadastre->frames.frames, \result);
*/
ALWAYS_INLINE static inline frame_no_t frame_take(struct core_cpu *cpu, enum frame_state state,
                                                  enum frame_kind kind, uint32_t owner,
                                                  uint32_t detail)
{
    frame_no_t frame = magazine_pop(cpu);

    if (frame != FRAME_NONE) {
        struct frame_change change = { .from = FRAME_FREE, .to = (uint8_t)state,
                                       .from_kind = FRAME_FREE_MAGAZINE, .to_kind = (uint8_t)kind,
                                       .to_owner = owner, .to_detail = detail };
        //@ ghost Popped: ;
        frame_set_state(&cpu->cadastre->frames, frame, 1, &change);
        //@ assert left: frame_leaves{Popped}(cpu->cadastre->frames.frames, frame, &change);
        //@ assert arrived: frame_arrives(cpu->cadastre->frames.frames, frame, frame, &change);
    }
    return frame;
}

/*@ requires frames_shape(cpu);
    requires 0 <= kind < FRAME_KIND_COUNT;
    terminates \true;
    exits   \false;
    assigns cpu->magazine, cpu->cadastre->frames.frames[0 .. UINT32_MAX];
    ensures frames_shape(cpu);
    ensures none: \result == FRAME_NONE ==>
      frames_others{Pre,Post}(cpu->cadastre->frames.frames, -1);
    ensures owned: \result != FRAME_NONE ==>
      frame_is(cpu->cadastre->frames.frames, \result, FRAME_KERNEL, kind, owner, detail);
    ensures was_free: \result != FRAME_NONE ==>
      \at(cpu->cadastre->frames.frames[\at(\result,Post)].state,Pre) == FRAME_FREE;
    ensures only_this: frames_others{Pre,Post}(cpu->cadastre->frames.frames, \result);
*/
frame_no_t frame_take_kernel(struct core_cpu *cpu, enum frame_kind kind, uint32_t owner,
                             uint32_t detail)
{
    return frame_take(cpu, FRAME_KERNEL, kind, owner, detail);
}

/*@ requires frames_shape(cpu);
    terminates \true;
    exits   \false;
    assigns cpu->magazine, cpu->cadastre->frames.frames[0 .. UINT32_MAX];
    ensures frames_shape(cpu);
    ensures none: \result == FRAME_NONE ==>
      frames_others{Pre,Post}(cpu->cadastre->frames.frames, -1);
    ensures owned: \result != FRAME_NONE ==>
      frame_is(cpu->cadastre->frames.frames, \result, FRAME_ANON, 0, table_frame, slot);
    ensures was_free: \result != FRAME_NONE ==>
      \at(cpu->cadastre->frames.frames[\at(\result,Post)].state,Pre) == FRAME_FREE;
    ensures only_this: frames_others{Pre,Post}(cpu->cadastre->frames.frames, \result);
*/
frame_no_t frame_take_anon(struct core_cpu *cpu, frame_no_t table_frame, uint32_t slot)
{
    return frame_take(cpu, FRAME_ANON, 0, table_frame, slot);
}

/*@ requires frames_shape(cpu);
    terminates \true;
    exits   \false;
    assigns cpu->magazine, cpu->cadastre->frames.frames[0 .. UINT32_MAX];
    ensures frames_shape(cpu);
    ensures none: \result == FRAME_NONE ==>
      frames_others{Pre,Post}(cpu->cadastre->frames.frames, -1);
    ensures owned: \result != FRAME_NONE ==>
      frame_is(cpu->cadastre->frames.frames, \result, FRAME_OBJECT, 0, object, page);
    ensures was_free: \result != FRAME_NONE ==>
      \at(cpu->cadastre->frames.frames[\at(\result,Post)].state,Pre) == FRAME_FREE;
    ensures only_this: frames_others{Pre,Post}(cpu->cadastre->frames.frames, \result);
*/
frame_no_t frame_take_object(struct core_cpu *cpu, uint32_t object, uint32_t page)
{
    return frame_take(cpu, FRAME_OBJECT, 0, object, page);
}

void frame_run_clear(const struct core_cpu *cpu, frame_no_t first, uint32_t count)
{
    uint32_t done = 0;

    /*@ loop invariant 0 <= done <= count;
        loop assigns done;
        loop variant count - done;
    */
    while (done < count) {
        uint32_t some = count - done < WINDOW_STEPS ? count - done : WINDOW_STEPS;
        HOST(cpu, pages_clear)(first + done, some);
        window_at(cpu, done, done + some);
        done += some;
    }
}

/* A run of frames marked as taken gets its owner, zeroed. */
/*@ requires frames_shape(cpu) && 0 <= state < FRAME_STATE_COUNT;
    requires first + count <= UINT32_MAX;
    terminates \true;
    exits   \false;
    assigns cpu->cadastre->frames.frames[first .. first + count - 1];
    ensures frames_shape(cpu);
    ensures were_free: \forall integer i; first <= i < first + count ==>
      \old(cpu->cadastre->frames.frames[i].state) == FRAME_FREE;
    ensures owned: \forall integer i; first <= i < first + count ==>
      cpu->cadastre->frames.frames[i].state == state &&
      cpu->cadastre->frames.frames[i].kind == 0 &&
      cpu->cadastre->frames.frames[i].maps == 0 &&
      cpu->cadastre->frames.frames[i].pins == 0 &&
      cpu->cadastre->frames.frames[i].owner == owner &&
      cpu->cadastre->frames.frames[i].detail == i - first;
*/
static void run_give(struct core_cpu *cpu, frame_no_t first, uint32_t count,
                     enum frame_state state, uint32_t owner)
{
    struct frame_change change = { .from = FRAME_FREE, .to = (uint8_t)state,
                                   .from_kind = FRAME_FREE_MAGAZINE, .to_owner = owner,
                                   .numbered = true };
    frame_run_clear(cpu, first, count);
    //@ ghost Cleared: ;
    /*@ assert same: \forall integer i; first <= i < first + count ==>
          frame_same{Pre,Here}(cpu->cadastre->frames.frames, i); */
    frame_set_state(&cpu->cadastre->frames, first, count, &change);
    /*@ assert left: \forall integer i; first <= i < first + count &&
          frame_leaves{Cleared}(cpu->cadastre->frames.frames, i, &change) &&
          frame_same{Pre,Cleared}(cpu->cadastre->frames.frames, i) ==>
          \at(cpu->cadastre->frames.frames[i].state,Pre) == FRAME_FREE; */
    /*@ assert arrived: \forall integer i; first <= i < first + count &&
          frame_arrives(cpu->cadastre->frames.frames, first, i, &change) ==>
          cpu->cadastre->frames.frames[i].state == state &&
          cpu->cadastre->frames.frames[i].kind == 0 &&
          cpu->cadastre->frames.frames[i].maps == 0 &&
          cpu->cadastre->frames.frames[i].pins == 0 &&
          cpu->cadastre->frames.frames[i].owner == owner &&
          cpu->cadastre->frames.frames[i].detail == i - first; */
}

/*@ requires frames_shape(cpu) && first + count <= UINT32_MAX;
    terminates \true;
    exits   \false;
    assigns cpu->cadastre->frames.frames[first .. first + count - 1];
    ensures frames_shape(cpu);
    ensures were_free: \forall integer i; first <= i < first + count ==>
      \old(cpu->cadastre->frames.frames[i].state) == FRAME_FREE;
    ensures owned: \forall integer i; first <= i < first + count ==>
      frame_is(cpu->cadastre->frames.frames, i, FRAME_OBJECT, 0, object, i - first);
*/
void frame_run_to_object(struct core_cpu *cpu, frame_no_t first, uint32_t count, uint32_t object)
{
    run_give(cpu, first, count, FRAME_OBJECT, object);
}

/*@ requires frames_shape(cpu);
    terminates \true;
    exits   \false;
    assigns cpu->cadastre->frames.frames[0 .. UINT32_MAX];
    ensures frames_shape(cpu);
    ensures none: \result == FRAME_NONE ==>
      frames_others{Pre,Post}(cpu->cadastre->frames.frames, -1);
    ensures owned: \result != FRAME_NONE ==>
      \forall integer i; \result <= i < \result + FRAMES_LARGE ==>
        frame_is(cpu->cadastre->frames.frames, i, FRAME_ANON, 0, table_frame, i - \result);
*/
frame_no_t frame_large_take_anon(struct core_cpu *cpu, frame_no_t table_frame)
{
    bool is_refused = FAULT_POINT(cpu, block_take, CAD_PRESSURE);
    frame_no_t first = is_refused ? FRAME_NONE : HOST(cpu, block_take)(cpu, FRAME_ORDER_LARGE);

    if (first != FRAME_NONE)
        run_give(cpu, first, FRAMES_LARGE, FRAME_ANON, table_frame);
    return first;
}

/*@ requires frames_shape(cpu) && 0 <= state < FRAME_STATE_COUNT;
    terminates \true;
    exits   \false;
    assigns cpu->magazine, cpu->cadastre->frames.frames[0 .. UINT32_MAX];
    ensures frames_shape(cpu);
    ensures right_state: state == FRAME_KERNEL || state == FRAME_ANON || state == FRAME_OBJECT;
    ensures by_its_owner: \old(cpu->cadastre->frames.frames[frame].state) == state &&
      \old(cpu->cadastre->frames.frames[frame].owner) == owner;
    ensures unused: \old(cpu->cadastre->frames.frames[frame].maps) == 0 &&
      \old(cpu->cadastre->frames.frames[frame].pins) == 0;
    ensures free: frame_is(cpu->cadastre->frames.frames, frame, FRAME_FREE, FRAME_FREE_MAGAZINE,
                           0, 0);
    ensures only_this: frames_others{Pre,Post}(cpu->cadastre->frames.frames, frame);
    ensures on_top: cpu->magazine.frames[cpu->magazine.count - 1] == frame;
*/
void frame_release(struct core_cpu *cpu, frame_no_t frame, enum frame_state state, uint32_t owner)
{
    struct frame_change change = { .from = (uint8_t)state, .to = FRAME_FREE, .from_owner = owner,
                                   .to_kind = FRAME_FREE_MAGAZINE };
    CHECK_VALUE(state == FRAME_KERNEL || state == FRAME_ANON || state == FRAME_OBJECT, frame);
    frame_set_state(&cpu->cadastre->frames, frame, 1, &change);
    //@ assert left: frame_leaves{Pre}(cpu->cadastre->frames.frames, frame, &change);
    //@ assert arrived: frame_arrives(cpu->cadastre->frames.frames, frame, frame, &change);
    magazine_push(cpu, frame);
}

/*@ requires frames_shape(cpu);
    terminates \true;
    exits   \false;
    assigns cpu->magazine, cpu->cadastre->frames.frames[0 .. UINT32_MAX];
    ensures frames_shape(cpu);
    ensures by_its_owner: \old(cpu->cadastre->frames.frames[frame].state) == FRAME_KERNEL &&
      \old(cpu->cadastre->frames.frames[frame].owner) == owner;
    ensures unused: \old(cpu->cadastre->frames.frames[frame].maps) == 0 &&
      \old(cpu->cadastre->frames.frames[frame].pins) == 0;
    ensures free: frame_is(cpu->cadastre->frames.frames, frame, FRAME_FREE, FRAME_FREE_MAGAZINE,
                           0, 0);
    ensures only_this: frames_others{Pre,Post}(cpu->cadastre->frames.frames, frame);
    ensures among_zeroed: cpu->magazine.frames[cpu->magazine.zeroed - 1] == frame;
*/
void frame_release_zero(struct core_cpu *cpu, frame_no_t frame, uint32_t owner)
{
    struct frame_change change = { .from = FRAME_KERNEL, .to = FRAME_FREE, .from_owner = owner,
                                   .to_kind = FRAME_FREE_MAGAZINE };
    frame_set_state(&cpu->cadastre->frames, frame, 1, &change);
    //@ assert left: frame_leaves{Pre}(cpu->cadastre->frames.frames, frame, &change);
    //@ assert arrived: frame_arrives(cpu->cadastre->frames.frames, frame, frame, &change);
    magazine_push_zeroed(cpu, frame);
}

/*@ requires frames_shape(cpu);
    requires \valid(chain) && chain->count + count <= UINT32_MAX;
    requires count > 0 && first + count <= UINT32_MAX;
    requires \separated(chain, cpu, cpu->cadastre,
                        cpu->cadastre->frames.frames + (0 .. UINT32_MAX));
    terminates \true;
    exits   \false;
    assigns *chain, cpu->cadastre->frames.frames[first .. first + count - 1];
    ensures frames_shape(cpu);
    ensures by_its_owner: \forall integer i; first <= i < first + count ==>
      \old(cpu->cadastre->frames.frames[i].state) == FRAME_ANON &&
      \old(cpu->cadastre->frames.frames[i].owner) == table_frame;
    ensures unused: \forall integer i; first <= i < first + count ==>
      \old(cpu->cadastre->frames.frames[i].maps) == 0 &&
      \old(cpu->cadastre->frames.frames[i].pins) == 0;
    ensures chained: \forall integer i; first <= i < first + count ==>
      frame_is(cpu->cadastre->frames.frames, i, FRAME_QUARANTINE, 0, \old(chain->head),
               i - first);
    ensures chained: chain->head == first + count - 1 &&
      chain->count == \old(chain->count) + count;
*/
void frame_run_quarantine(struct core_cpu *cpu, struct frame_chain *chain, frame_no_t first,
                          uint32_t count, frame_no_t table_frame)
{
    struct frame_change change = { .from = FRAME_ANON, .to = FRAME_QUARANTINE,
                                   .from_owner = table_frame, .to_owner = chain->head,
                                   .numbered = true };
    //@ ghost Filled: ;
    /*@ assert same: \forall integer i; first <= i < first + count ==>
          frame_same{Pre,Here}(cpu->cadastre->frames.frames, i); */
    frame_set_state(&cpu->cadastre->frames, first, count, &change);
    /*@ assert left: \forall integer i; first <= i < first + count &&
          frame_leaves{Filled}(cpu->cadastre->frames.frames, i, &change) &&
          frame_same{Pre,Filled}(cpu->cadastre->frames.frames, i) ==>
          \at(cpu->cadastre->frames.frames[i].state,Pre) == FRAME_ANON &&
          \at(cpu->cadastre->frames.frames[i].maps,Pre) == 0 &&
          \at(cpu->cadastre->frames.frames[i].pins,Pre) == 0 &&
          \at(cpu->cadastre->frames.frames[i].owner,Pre) == table_frame; */
    /*@ assert arrived: \forall integer i; first <= i < first + count &&
          frame_arrives(cpu->cadastre->frames.frames, first, i, &change) ==>
          cpu->cadastre->frames.frames[i].state == FRAME_QUARANTINE &&
          cpu->cadastre->frames.frames[i].kind == 0 &&
          cpu->cadastre->frames.frames[i].maps == 0 &&
          cpu->cadastre->frames.frames[i].pins == 0 &&
          cpu->cadastre->frames.frames[i].owner == \at(chain->head,Pre) &&
          cpu->cadastre->frames.frames[i].detail == i - first; */
    chain->head = first + (count - 1);
    chain->count += count;
}

/*@ requires frames_shape(cpu) && 0 <= state < FRAME_STATE_COUNT;
    requires \valid(chain) && chain->count < UINT32_MAX;
    requires \separated(chain, cpu, cpu->cadastre,
                        cpu->cadastre->frames.frames + (0 .. UINT32_MAX));
    terminates \true;
    exits   \false;
    assigns *chain, cpu->cadastre->frames.frames[0 .. UINT32_MAX];
    ensures frames_shape(cpu);
    ensures by_its_owner: \old(cpu->cadastre->frames.frames[frame].state) == state &&
      (state != FRAME_RESERVED && state != FRAME_FREE ==>
        \old(cpu->cadastre->frames.frames[frame].owner) == owner);
    ensures unused: \old(cpu->cadastre->frames.frames[frame].maps) == 0 &&
      \old(cpu->cadastre->frames.frames[frame].pins) == 0;
    ensures listed: frame_edge(state, FRAME_QUARANTINE);
    ensures chained: frame_is(cpu->cadastre->frames.frames, frame, FRAME_QUARANTINE, 0,
                              \old(chain->head), 0);
    ensures chained: chain->head == frame && chain->count == \old(chain->count) + 1;
    ensures only_this: frames_others{Pre,Post}(cpu->cadastre->frames.frames, frame);
*/
void frame_quarantine(struct core_cpu *cpu, struct frame_chain *chain, frame_no_t frame,
                      enum frame_state state, uint32_t owner)
{
    struct frame_change change = { .from = (uint8_t)state, .to = FRAME_QUARANTINE,
                                   .from_owner = owner, .to_owner = chain->head };
    frame_set_state(&cpu->cadastre->frames, frame, 1, &change);
    //@ assert left: frame_leaves{Pre}(cpu->cadastre->frames.frames, frame, &change);
    //@ assert arrived: frame_arrives(cpu->cadastre->frames.frames, frame, frame, &change);
    chain->head = frame;
    chain->count++;
}

/*@ requires frames_shape(cpu);
    requires \valid(chain) && chain->count < UINT32_MAX;
    requires \separated(chain, cpu, cpu->cadastre,
                        cpu->cadastre->frames.frames + (0 .. UINT32_MAX));
    terminates \true;
    exits   \false;
    assigns *chain, cpu->cadastre->frames.frames[0 .. UINT32_MAX];
    ensures frames_shape(cpu);
    ensures by_its_owner: \old(cpu->cadastre->frames.frames[frame].state) == FRAME_KERNEL &&
      \old(cpu->cadastre->frames.frames[frame].owner) == owner;
    ensures unused: \old(cpu->cadastre->frames.frames[frame].maps) == 0 &&
      \old(cpu->cadastre->frames.frames[frame].pins) == 0;
    ensures chained: frame_is(cpu->cadastre->frames.frames, frame, FRAME_QUARANTINE,
                              FRAME_QUARANTINE_ZERO, \old(chain->head), 0);
    ensures chained: chain->head == frame && chain->count == \old(chain->count) + 1;
    ensures only_this: frames_others{Pre,Post}(cpu->cadastre->frames.frames, frame);
*/
void frame_quarantine_zero(struct core_cpu *cpu, struct frame_chain *chain, frame_no_t frame,
                           uint32_t owner)
{
    struct frame_change change = { .from = FRAME_KERNEL, .to = FRAME_QUARANTINE,
                                   .to_kind = FRAME_QUARANTINE_ZERO, .from_owner = owner,
                                   .to_owner = chain->head };
    frame_set_state(&cpu->cadastre->frames, frame, 1, &change);
    //@ assert left: frame_leaves{Pre}(cpu->cadastre->frames.frames, frame, &change);
    //@ assert arrived: frame_arrives(cpu->cadastre->frames.frames, frame, frame, &change);
    chain->head = frame;
    chain->count++;
}

/* What fits goes where this CPU finds it again without a lock, a run that does not goes whole. */
/*@ requires frames_shape(cpu) && count > 0 && first + count <= UINT32_MAX;
    terminates \true;
    exits   \false;
    assigns cpu->magazine;
    ensures frames_shape(cpu);
    ensures on_top: count == 1 ==> cpu->magazine.count > 0 &&
      cpu->magazine.frames[cpu->magazine.count - 1] == first;
    ensures whole: count > 1 && count > MAGAZINE_FRAMES - \old(cpu->magazine.count) ==>
      cpu->magazine.count == \old(cpu->magazine.count);
    ensures fits: 1 < count <= MAGAZINE_FRAMES - \old(cpu->magazine.count) ==>
      cpu->magazine.count == \old(cpu->magazine.count) + count;
    ensures falling: 1 < count <= MAGAZINE_FRAMES - \old(cpu->magazine.count) ==>
      \forall integer k; \old(cpu->magazine.count) <= k < cpu->magazine.count ==>
        cpu->magazine.frames[k] == first + (cpu->magazine.count - 1 - k);
*/
static void magazine_push_run(struct core_cpu *cpu, frame_no_t first, uint32_t count)
{
    struct magazine *magazine = &cpu->magazine;

    if (count == 1) {
        magazine_push(cpu, first);
        return;
    }
    if (count > MAGAZINE_FRAMES - magazine->count) {
        HOST(cpu, run_put)(cpu, first, count);
        return;
    }
    /* Highest first, as in magazine_fill. */
    /*@ loop invariant 0 <= i <= count;
        loop invariant magazine->count == \at(cpu->magazine.count,Pre) + count - i;
        loop invariant magazine->zeroed == \at(cpu->magazine.zeroed,Pre);
        loop invariant \forall integer k;
          \at(cpu->magazine.count,Pre) <= k < cpu->magazine.count ==>
          cpu->magazine.frames[k] == first + i + (cpu->magazine.count - 1 - k);
        loop assigns i, cpu->magazine;
        loop variant i;
    */
    for (uint32_t i = count; i > 0; i--)
        magazine->frames[magazine->count++] = first + i - 1;
}

bool frame_quarantine_release(struct core_cpu *cpu, struct frame_chain *chain, uint32_t budget)
{
    struct frame_table *table = &cpu->cadastre->frames;

    while (chain->count > 0 && budget > 0) {
        frame_no_t head = chain->head, next = table->frames[head].owner;
        uint32_t below = table->frames[head].detail, count = below < budget ? below + 1 : budget;
        struct frame_change change = { .from = FRAME_QUARANTINE, .to = FRAME_FREE,
                                       .from_owner = next, .to_kind = FRAME_FREE_MAGAZINE };
        bool is_clear = table->frames[head].kind == FRAME_QUARANTINE_ZERO;
        CHECK_VALUE(below < chain->count && below < head, head);
        frame_set_state(table, head - (count - 1), count, &change);
        chain->head = count <= below ? head - count : next;
        chain->count -= count;
        budget -= count;
        if (is_clear) /* a run of one, by frame_quarantine_zero() */
            magazine_push_zeroed(cpu, head);
        else
            magazine_push_run(cpu, head - (count - 1), count);
    }
    CHECK_VALUE((chain->count == 0) == (chain->head == FRAME_NONE), chain->head);
    return chain->count == 0;
}

/* --- counts --- */

/*@ requires \valid_read(table) && \valid(table->frames + frame);
    requires \separated(table, table->frames + frame);
    requires no_wrap: state == FRAME_OBJECT ==> table->frames[frame].maps + count <= UINT32_MAX;
    terminates \true;
    exits   \false;
    assigns table->frames[frame].maps;
    ensures more: table->frames[frame].maps == \old(table->frames[frame].maps) + count;
    ensures counted_states: \old(table->frames[frame].state) == state &&
      (state == FRAME_OBJECT || state == FRAME_KERNEL);
*/
void frame_map_many(struct frame_table *table, frame_no_t frame, enum frame_state state,
                    uint32_t count)
{
    struct frame *entry = &table->frames[frame];

    CHECK_VALUE(atomic_load_relaxed(&entry->state) == state, frame);
    if (state == FRAME_OBJECT) {
        uint32_t before = atomic_fetch_add(&entry->maps, count);
        CHECK_VALUE(UINT32_MAX - before >= count, frame);
        return;
    }
    CHECK_VALUE(state == FRAME_KERNEL && UINT32_MAX - entry->maps >= count, frame);
    atomic_store_relaxed(&entry->maps, entry->maps + count);
}

/*@ requires \valid_read(table) && \valid(table->frames + frame);
    requires \separated(table, table->frames + frame);
    requires no_wrap: state == FRAME_OBJECT ==> table->frames[frame].maps >= count;
    terminates \true;
    exits   \false;
    assigns table->frames[frame].maps;
    ensures less: table->frames[frame].maps == \old(table->frames[frame].maps) - count;
    ensures counted_states: \old(table->frames[frame].state) == state &&
      (state == FRAME_OBJECT || state == FRAME_KERNEL);
*/
void frame_unmap_many(struct frame_table *table, frame_no_t frame, enum frame_state state,
                      uint32_t count)
{
    struct frame *entry = &table->frames[frame];

    CHECK_VALUE(atomic_load_relaxed(&entry->state) == state, frame);
    if (state == FRAME_OBJECT) {
        uint32_t before = atomic_fetch_sub(&entry->maps, count);
        CHECK_VALUE(before >= count, frame);
        return;
    }
    CHECK_VALUE(state == FRAME_KERNEL && entry->maps >= count, frame);
    atomic_store_relaxed(&entry->maps, entry->maps - count);
}

/*@ requires \valid_read(table) && \valid(table->frames + frame);
    requires \separated(table, table->frames + frame);
    requires no_wrap: state == FRAME_OBJECT ==> table->frames[frame].maps + 1 <= UINT32_MAX;
    terminates \true;
    exits   \false;
    assigns table->frames[frame].maps;
    ensures more: table->frames[frame].maps == \old(table->frames[frame].maps) + 1;
    ensures counted_states: \old(table->frames[frame].state) == state &&
      (state == FRAME_OBJECT || state == FRAME_KERNEL);
*/
void frame_map(struct frame_table *table, frame_no_t frame, enum frame_state state)
{
    frame_map_many(table, frame, state, 1);
}

/*@ requires \valid_read(table) && \valid(table->frames + frame);
    requires \separated(table, table->frames + frame);
    requires no_wrap: state == FRAME_OBJECT ==> table->frames[frame].maps >= 1;
    terminates \true;
    exits   \false;
    assigns table->frames[frame].maps;
    ensures less: table->frames[frame].maps == \old(table->frames[frame].maps) - 1;
    ensures counted_states: \old(table->frames[frame].state) == state &&
      (state == FRAME_OBJECT || state == FRAME_KERNEL);
*/
void frame_unmap(struct frame_table *table, frame_no_t frame, enum frame_state state)
{
    frame_unmap_many(table, frame, state, 1);
}

/*@ requires \valid_read(table) && \valid(table->frames + frame);
    requires \separated(table, table->frames + frame);
    terminates \true;
    exits   \false;
    assigns table->frames[frame].detail;
    ensures a_table: table->frames[frame].state == FRAME_KERNEL &&
      (table->frames[frame].kind == FRAME_KIND_TABLE ||
       table->frames[frame].kind == FRAME_KIND_TABLE_HELD);
    ensures written: table->frames[frame].detail == companion;
*/
void frame_set_companion(struct frame_table *table, frame_no_t frame, frame_no_t companion)
{
    struct frame *entry = &table->frames[frame];

    uint8_t kind = atomic_load_relaxed(&entry->kind);
    CHECK_VALUE(atomic_load_relaxed(&entry->state) == FRAME_KERNEL, frame);
    CHECK_VALUE(kind == FRAME_KIND_TABLE || kind == FRAME_KIND_TABLE_HELD, frame);
    entry->detail = companion;
}

/*@ // How many frames of [first, end), and of the first `count` ranges, are in a state, and how
    // many KERNEL ones of a kind.
    logic integer state_sum{L}(struct frame *frames, integer first, integer end, integer state) =
      end <= first ? 0 : state_sum(frames, first, end - 1, state) +
        (frames[end - 1].state == state ? 1 : 0);
    logic integer state_count{L}(struct frame_table *table, integer count, integer state) =
      count <= 0 ? 0 : state_count(table, count - 1, state) +
        state_sum(table->frames, table->ranges[count - 1].first, table->ranges[count - 1].end,
                  state);
    logic integer kind_sum{L}(struct frame *frames, integer first, integer end, integer kind) =
      end <= first ? 0 : kind_sum(frames, first, end - 1, kind) +
        (frames[end - 1].state == FRAME_KERNEL && frames[end - 1].kind == kind ? 1 : 0);
    logic integer kind_count{L}(struct frame_table *table, integer count, integer kind) =
      count <= 0 ? 0 : kind_count(table, count - 1, kind) +
        kind_sum(table->frames, table->ranges[count - 1].first, table->ranges[count - 1].end,
                 kind);
*/

/*@ requires \valid_read(table) && table->range_count <= FRAME_RANGES_MAX;
    requires \valid_read(table->frames + (0 .. UINT32_MAX));
    requires \valid(counts + (0 .. FRAME_STATE_COUNT - 1));
    requires \valid(kinds + (0 .. FRAME_KIND_COUNT - 1));
    requires \separated(table, table->frames + (0 .. UINT32_MAX),
      counts + (0 .. FRAME_STATE_COUNT - 1), kinds + (0 .. FRAME_KIND_COUNT - 1));
    requires rising: \forall integer k; 0 <= k < table->range_count ==>
      table->ranges[k].first <= table->ranges[k].end;
    terminates \true;
    exits   \false;
    assigns counts[0 .. FRAME_STATE_COUNT - 1], kinds[0 .. FRAME_KIND_COUNT - 1];
    ensures counted: \forall integer k; 0 <= k < FRAME_STATE_COUNT ==>
      counts[k] == state_count(table, table->range_count, k);
    ensures counted_kinds: \forall integer k; 0 <= k < FRAME_KIND_COUNT ==>
      kinds[k] == kind_count(table, table->range_count, k);
*/
void frame_count(const struct frame_table *table, uint64_t *counts, uint64_t *kinds)
{
    /*@ loop invariant 0 <= i <= FRAME_STATE_COUNT;
        loop invariant \forall integer k; 0 <= k < i ==> counts[k] == 0;
        loop assigns i, counts[0 .. FRAME_STATE_COUNT - 1];
        loop variant FRAME_STATE_COUNT - i;
    */
    for (unsigned i = 0; i < FRAME_STATE_COUNT; i++)
        counts[i] = 0;
    /*@ loop invariant 0 <= i <= FRAME_KIND_COUNT;
        loop invariant \forall integer k; 0 <= k < i ==> kinds[k] == 0;
        loop assigns i, kinds[0 .. FRAME_KIND_COUNT - 1];
        loop variant FRAME_KIND_COUNT - i;
    */
    for (unsigned i = 0; i < FRAME_KIND_COUNT; i++)
        kinds[i] = 0;
    /*@ loop invariant 0 <= range <= table->range_count;
        loop invariant few: \forall integer k; 0 <= k < FRAME_STATE_COUNT ==>
          counts[k] <= range * 0x100000000;
        loop invariant few_kinds: \forall integer k; 0 <= k < FRAME_KIND_COUNT ==>
          kinds[k] <= range * 0x100000000;
        loop invariant counted: \forall integer k; 0 <= k < FRAME_STATE_COUNT ==>
          counts[k] == state_count(table, range, k);
        loop invariant counted_kinds: \forall integer k; 0 <= k < FRAME_KIND_COUNT ==>
          kinds[k] == kind_count(table, range, k);
        loop assigns range, counts[0 .. FRAME_STATE_COUNT - 1], kinds[0 .. FRAME_KIND_COUNT - 1];
        loop variant table->range_count - range;
    */
    for (uint32_t range = 0; range < table->range_count; range++) {
        /*@ loop invariant table->ranges[range].first <= i <= table->ranges[range].end;
            loop invariant few: \forall integer k; 0 <= k < FRAME_STATE_COUNT ==>
              counts[k] <= range * 0x100000000 + (i - table->ranges[range].first);
            loop invariant few_kinds: \forall integer k; 0 <= k < FRAME_KIND_COUNT ==>
              kinds[k] <= range * 0x100000000 + (i - table->ranges[range].first);
            loop invariant counted: \forall integer k; 0 <= k < FRAME_STATE_COUNT ==>
              counts[k] == state_count(table, range, k) +
                state_sum(table->frames, table->ranges[range].first, i, k);
            loop invariant counted_kinds: \forall integer k; 0 <= k < FRAME_KIND_COUNT ==>
              kinds[k] == kind_count(table, range, k) +
                kind_sum(table->frames, table->ranges[range].first, i, k);
            loop assigns i, counts[0 .. FRAME_STATE_COUNT - 1], kinds[0 .. FRAME_KIND_COUNT - 1];
            loop variant table->ranges[range].end - i;
        */
        for (frame_no_t i = table->ranges[range].first; i < table->ranges[range].end; i++) {
            const struct frame *frame = &table->frames[i];
            if (frame->state < FRAME_STATE_COUNT)
                counts[frame->state]++;
            if (frame->state == FRAME_KERNEL && frame->kind < FRAME_KIND_COUNT)
                kinds[frame->kind]++;
        }
    }
}
