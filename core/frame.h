// SPDX-License-Identifier: BSD-2-Clause
/*
 * The frame table: the only inventory of physical memory.
 *
 * One 16-byte entry a frame.  Its state is its owner (FR1); `frame_set_state`
 * is the single writer of it and refuses an edge that is not listed below
 * (FR4), in release builds too.  Numbers of frames outside the machine's
 * memory have no entry: ranges say which exist.
 *
 * Free frames are in a buddy allocator threaded through the table itself
 * (never through the frames, FR5): orders 0..FRAME_ORDER_MAX, so single frames
 * and aligned runs both come in O(orders).  Each CPU keeps a magazine of free
 * single frames in front of it (FR6), which it uses with no lock, and clears while it is idle.
 *
 * Who may touch an entry: FREE and not in a magazine: the frames lock; in a
 * magazine: its CPU; otherwise: its owner under the owner's lock.  `maps` of
 * OBJECT frames changes atomically.
 *
 * `maps` counts what the owner does not say: present entries that show an OBJECT
 * frame, entries of a TABLE that are not NONE, entries that hold a SYSTEM page.
 * It stays 0 for all others: an ANON frame's one entry is its owner.
 *
 * Frames in other CPUs' magazines are out of this CPU's reach, so whoever
 * guarantees committed memory leaves MAGAZINE_FRAMES a CPU out of the sum.
 */
#ifndef CORE_FRAME_H
#define CORE_FRAME_H

#include "abi/status.h"
#include "base/types.h"
#include "core/memory.h"

/* STATE(NAME, name, owner means, detail means, meaning) */
#define FRAME_STATE_LIST(STATE)                                                                    \
    STATE(RESERVED, reserved, NONE, NONE, "firmware, holes, frame 0, the table, kernel image")     \
    STATE(FREE, free, NONE, NONE, "in the allocator or a CPU's magazine")                          \
    STATE(UNTYPED, untyped, UNTYPED, NONE, "inside an untyped, not retyped")                       \
    STATE(KERNEL, kernel, BY_KIND, BY_KIND, "kernel metadata of the entry's kind")                 \
    STATE(ANON, anon, TABLE, SLOT, "private page owned by the leaf table that holds it")           \
    STATE(OBJECT, object, OBJECT, PAGE, "page of a memory object")                                 \
    STATE(QUARANTINE, quarantine, NEXT, BELOW, "unmapped, in the chain of a TLB round")

/* EDGE(from, to, function that performs it).  Whole runs may take an edge at once. */
#define FRAME_EDGE_LIST(EDGE)                                                                      \
    EDGE(RESERVED, FREE, frame_table_add_free)                                                     \
    EDGE(RESERVED, OBJECT, frame_adopt_object)                                                     \
    EDGE(RESERVED, KERNEL, frame_adopt_kernel)                                                     \
    EDGE(FREE, UNTYPED, untyped_create)                                                            \
    EDGE(FREE, KERNEL, frame_take_kernel)                                                          \
    EDGE(FREE, ANON, frame_take_anon)                                                              \
    EDGE(FREE, OBJECT, frame_take_object)                                                          \
    EDGE(UNTYPED, OBJECT, untyped_retype_object)                                                   \
    EDGE(UNTYPED, UNTYPED, untyped_retype_untyped)                                                 \
    EDGE(UNTYPED, FREE, untyped_end)                                                               \
    EDGE(KERNEL, QUARANTINE, frame_quarantine)                                                     \
    EDGE(KERNEL, FREE, frame_release)                                                              \
    EDGE(ANON, QUARANTINE, frame_quarantine)                                                       \
    EDGE(ANON, FREE, frame_release)                                                                \
    EDGE(OBJECT, UNTYPED, untyped_return_object)                                                   \
    EDGE(OBJECT, FREE, frame_release)                                                              \
    EDGE(QUARANTINE, FREE, frame_quarantine_release)

/* KIND(NAME, name, owner means, meaning) of KERNEL frames */
#define FRAME_KERNEL_KIND_LIST(KIND)                                                               \
    KIND(COMPANION, companion, SPACE, "mapping ids of a leaf table's entries; maps: BORROWED"      \
                                      " ones; detail: the table")                                  \
    KIND(TABLE, table, SPACE, "page table of a space; maps: entries that are not NONE;"            \
                              " detail: its companion")                                            \
    KIND(TABLE_HELD, table_held, SPACE, "the same, while a range operation holds it")              \
    KIND(INDEX, index, OBJECT, "index node of a memory object")                                    \
    KIND(SYSTEM, system, SPACE, "ring or CapSet page; maps: entries that hold it")                 \
    KIND(POOL, pool, POOL, "records; detail: page number in the pool")                             \
    KIND(KERNEL_TABLE, kernel_table, NONE, "page table of the kernel half")                        \
    KIND(BOOT, boot, NONE, "boot tables, per-CPU data and stacks")

#define FRAME_STATE_ENUM(NAME, name, owner, detail, meaning) FRAME_##NAME,
enum frame_state { FRAME_STATE_LIST(FRAME_STATE_ENUM) };
#undef FRAME_STATE_ENUM
#define FRAME_KIND_ENUM(NAME, name, owner, meaning) FRAME_KIND_##NAME,
enum frame_kind { FRAME_KERNEL_KIND_LIST(FRAME_KIND_ENUM) };
#undef FRAME_KIND_ENUM
#define FRAME_COUNT_ONE(...) +1
enum { FRAME_STATE_COUNT = 0 FRAME_STATE_LIST(FRAME_COUNT_ONE) };
enum { FRAME_KIND_COUNT = 0 FRAME_KERNEL_KIND_LIST(FRAME_COUNT_ONE) };

struct frame {
    uint8_t state;   /* enum frame_state; written by frame_set_state alone */
    uint8_t kind;    /* KERNEL: enum frame_kind; FREE: order of the block it heads, or below */
    uint16_t pins;
    uint32_t maps;
    uint32_t owner;  /* id by state; FREE: next block of the order's list */
    uint32_t detail; /*            ; FREE: previous block */
};
COMPILE_ASSERT(sizeof(struct frame) == 16, frame_is_16_bytes);

/* What `kind` says of a QUARANTINE frame that is known to be zero; others have 0.  No kind of a
 * KERNEL frame. */
#define FRAME_QUARANTINE_ZERO 0xff

/* FREE entries that head no block. */
#define FRAME_FREE_INSIDE   0xff /* inside a larger free block */
#define FRAME_FREE_MAGAZINE 0xfe /* in a CPU's magazine */

#define FRAME_ORDER_MAX    18 /* blocks of up to 1 GiB */
#define FRAME_ORDER_LARGE  9  /* of a large page: 2 MiB */
#define FRAMES_LARGE       (1u << FRAME_ORDER_LARGE)
#define FRAME_RANGES_MAX   64
#define MAGAZINE_FRAMES    64

struct frame_range {
    frame_no_t first, end; /* [first, end): frames that have entries */
};

struct frame_table {
    struct frame *frames; /* indexed by frame number; only inside the ranges */
    struct frame_range ranges[FRAME_RANGES_MAX];
    uint32_t range_count;
    frame_no_t free_head[FRAME_ORDER_MAX + 1];
    uint64_t free_frames;   /* in blocks; magazines not counted */
    uint64_t total_frames;  /* entries in all ranges */
};

/* One CPU's stock of FREE frames.  Only its CPU touches it.  The first `zeroed` are zero, as they
 * were page tables, or were cleared while the CPU was idle: they are taken first, and go back to
 * the allocator last. */
struct magazine {
    uint32_t count, zeroed;
    frame_no_t frames[MAGAZINE_FRAMES];
};

/* A chain of runs of QUARANTINE frames, held by one operation.  A run is named by its highest
 * frame: `owner` of each is the next run's, `detail` how many frames of the run are below. */
struct frame_chain {
    frame_no_t head;
    uint32_t count; /* frames */
};

/* --- boot: single-threaded, before anything else; Locks: none --- */

/* `frames` covers every number a range will name, and is zeroed (so: RESERVED). */
void frame_table_init(struct frame_table *table, struct frame *frames);
/* Adds [first, end) as RESERVED.  Ranges come sorted and disjoint; ones that touch are merged.
 * Fails: INVALID for an empty, unsorted or overlapping range; PRESSURE: no room for a range. */
MUST_CHECK status_t frame_table_add_range(struct frame_table *table, frame_no_t first,
                                          frame_no_t end);
/* RESERVED frames [first, end) become FREE; frame 0 stays (FR2).
 * Fails: INVALID if empty, or any is outside the ranges or not RESERVED; nothing changed. */
MUST_CHECK status_t frame_table_add_free(struct frame_table *table, frame_no_t first,
                                         frame_no_t end);
/* A RESERVED frame that boot put to use gets its true owner. */
void frame_adopt_kernel(struct frame_table *table, frame_no_t frame, enum frame_kind kind,
                        uint32_t owner, uint32_t detail);
void frame_adopt_object(struct frame_table *table, frame_no_t frame, uint32_t object,
                        uint32_t page);

/* --- the allocator; Locks: frames (core/ itself comes here through core_host) --- */

/*@ requires \valid_read(table) && table->range_count <= FRAME_RANGES_MAX;
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures \result == \true ==> \exists integer i; 0 <= i < table->range_count &&
      table->ranges[i].first <= frame < table->ranges[i].end;
*/
bool frame_exists(const struct frame_table *table, frame_no_t frame);
/* Takes an aligned block of 2^order frames out of the free lists; all stay FREE
 * with kind FRAME_FREE_MAGAZINE until the caller gives them an owner.
 * Gives: FRAME_NONE if there is none. */
frame_no_t frame_block_take(struct frame_table *table, unsigned order);
/* The block, or any run of frames marked as above, goes back. */
void frame_run_put(struct frame_table *table, frame_no_t first, uint32_t count);
/* The smallest order whose blocks hold `pages`. Needs: 0 < pages <= 2^FRAME_ORDER_MAX. */
unsigned frame_order_for(uint32_t pages);
/* Moves single frames between the allocator and a magazine.  A fill of less than `count` but at
 * least half of it will do where more would split a block. */
void magazine_fill(struct frame_table *table, struct magazine *magazine, uint32_t count);
void magazine_empty(struct frame_table *table, struct magazine *magazine, uint32_t keep);

/* --- single frames by this CPU's magazine; Locks: the new owner's --- */

/* Gives: a zeroed frame in its new state, or FRAME_NONE when memory is short. */
frame_no_t frame_take_kernel(struct core_cpu *cpu, enum frame_kind kind, uint32_t owner,
                             uint32_t detail);
frame_no_t frame_take_anon(struct core_cpu *cpu, frame_no_t table_frame, uint32_t slot);
frame_no_t frame_take_object(struct core_cpu *cpu, uint32_t object, uint32_t page);
/* An idle CPU's step: a frame of its magazine is cleared ahead of its use, for which one less than
 * half full is filled.  Locks: none.  Gives: false when there is no more to do.  Cost: a page. */
bool magazine_clear_ahead(struct core_cpu *cpu);

/* Zeros a run that nobody can reach yet; interrupts are let in at bounded steps. */
void frame_run_clear(const struct core_cpu *cpu, frame_no_t first, uint32_t count);
/* A run out of host.block_take becomes, zeroed, pages 0.. of the object. */
void frame_run_to_object(struct core_cpu *cpu, frame_no_t first, uint32_t count,
                         uint32_t object);

/* An aligned run of FRAMES_LARGE becomes, zeroed, all entries of the leaf table.  Gives: the first,
 * or FRAME_NONE if no such run is free.  Takes the frames lock. */
frame_no_t frame_large_take_anon(struct core_cpu *cpu, frame_no_t table_frame);

/* KERNEL, ANON or OBJECT to FREE.  For frames no translation ever reached, or
 * whose round is done.  CHECKs owner, maps == 0 and pins == 0 (FR3). */
void frame_release(struct core_cpu *cpu, frame_no_t frame, enum frame_state state, uint32_t owner);
/* Same for a KERNEL frame whose page is zero: who gets it next need not clear it. */
void frame_release_zero(struct core_cpu *cpu, frame_no_t frame, uint32_t owner);

/* A frame just unlinked from a table joins the operation's chain.  CHECKs as above. */
void frame_quarantine(struct core_cpu *cpu, struct frame_chain *chain, frame_no_t frame,
                      enum frame_state state, uint32_t owner);
/* Same for a KERNEL frame whose page is zero, as an empty table's is. */
void frame_quarantine_zero(struct core_cpu *cpu, struct frame_chain *chain, frame_no_t frame,
                           uint32_t owner);
/* Same for neighbours, ANON pages of one table, that go at once. */
void frame_run_quarantine(struct core_cpu *cpu, struct frame_chain *chain, frame_no_t first,
                          uint32_t count, frame_no_t table_frame);
/* After the round: at most `budget` frames of the chain become FREE.
 * Gives: true when the chain is empty. */
bool frame_quarantine_release(struct core_cpu *cpu, struct frame_chain *chain, uint32_t budget);

/* --- counts; Locks: the owner's --- */

/* Adds or takes one; CHECKs the state and that the count does not overflow (FR3). */
void frame_map(struct frame_table *table, frame_no_t frame, enum frame_state state);
void frame_unmap(struct frame_table *table, frame_no_t frame, enum frame_state state);
/* Same for `count` entries of a TABLE at once. */
void frame_map_many(struct frame_table *table, frame_no_t frame, enum frame_state state,
                    uint32_t count);
void frame_unmap_many(struct frame_table *table, frame_no_t frame, enum frame_state state,
                      uint32_t count);
/* The companion of a TABLE frame, FRAME_NONE for none; the one writer of its `detail`. */
void frame_set_companion(struct frame_table *table, frame_no_t frame, frame_no_t companion);

/* Sum over states, for the audit and `mem`: counts[FRAME_STATE_COUNT], kinds[FRAME_KIND_COUNT]. */
void frame_count(const struct frame_table *table, uint64_t *counts, uint64_t *kinds);
const char *frame_state_name(enum frame_state state);
const char *frame_kind_name(enum frame_kind kind);
/* What `owner` of such a frame is, in the words of the lists above, lower case. */
const char *frame_owner_kind(const struct frame *frame);
bool frame_edge_allowed(enum frame_state from, enum frame_state to);

/* Free lists and table agree, counts too (FR1, FR5); CHECKs.  Cost: O(frames). */
void frame_check_invariants(const struct frame_table *table);

#endif
