// SPDX-License-Identifier: BSD-2-Clause
/*
 * One entry of a page table: its states, its transitions, its 64 bits.
 *
 * The page-table tree is the record of a space; there is no second one that
 * could disagree.  An entry at level n > 0 stands for its whole uniform range,
 * until part of it changes and it is split into a table.
 *
 * Word (base/mmu_format.h has the hardware's part):
 *   present:  bit 0, hardware bits, frame address
 *   absent:   bits 12..43 value: HIDDEN: frame number; BORROWED: mapping id; COMMITTED at
 *             level 1: the leaf table that stands by (core/space_large.c);
 *             accessed and dirty bits of a page that was present before (TL5)
 *   all:      bits 55..58 state, bits 59..61 owed protection
 * A word of 0 is NONE.
 */
#ifndef CORE_ENTRY_H
#define CORE_ENTRY_H

#include "abi/methods.h"
#include "abi/status.h"
#include "base/mmu_format.h"
#include "base/types.h"

/* STATE(NAME, name, levels, present, frame, meaning).  Levels: PAGE 0, LARGE 0 and 1, UPPER all
 * but 0. */
#define ENTRY_STATE_LIST(STATE)                                                                    \
    STATE(NONE, none, ANY, NO, NO, "nothing may be here")                                          \
    STATE(TABLE, table, UPPER, YES, TABLE, "a lower table; not a leaf")                            \
    STATE(RESERVED, reserved, ANY, NO, NO, "anonymous reservation, not committed")                 \
    STATE(COMMITTED, committed, LARGE, NO, NO, "charged; a frame of zeroes on first touch")        \
    STATE(RESIDENT, resident, LARGE, YES, ANON, "anonymous, present")                              \
    STATE(HIDDEN, hidden, LARGE, NO, ANON, "committed, protection none: frame and data kept")      \
    STATE(BORROWED, borrowed, PAGE, MAYBE, OBJECT, "an object's page, present or filled on touch") \
    STATE(GUARD, guard, ANY, NO, NO, "never mappable by anyone")                                   \
    STATE(SYSTEM, system, PAGE, YES, KERNEL, "ring and CapSet pages")

#define ENTRY_STATE_ENUM(NAME, name, levels, present, frame, meaning) ENTRY_##NAME,
enum entry_state { ENTRY_STATE_LIST(ENTRY_STATE_ENUM) };
#undef ENTRY_STATE_ENUM
#define ENTRY_COUNT_ONE(...) +1
#define ENTRY_STATE_ABI(NAME, number, meaning)                                                     \
    COMPILE_ASSERT(ENTRY_##NAME == (number), abi_says_so);
CAD_PAGE_STATE_LIST(ENTRY_STATE_ABI)
#undef ENTRY_STATE_ABI
enum { ENTRY_STATE_COUNT = 0 ENTRY_STATE_LIST(ENTRY_COUNT_ONE) };

/* OPERATION(NAME, name, meaning) */
#define ENTRY_OPERATION_LIST(OPERATION)                                                            \
    OPERATION(RESERVE, reserve, "virtual_memory.reserve")                                          \
    OPERATION(COMMIT, commit, "virtual_memory.commit")                                             \
    OPERATION(DECOMMIT, decommit, "virtual_memory.decommit")                                       \
    OPERATION(PROTECT, protect, "virtual_memory.protect to a protection that gives access")        \
    OPERATION(HIDE, hide, "virtual_memory.protect to none")                                        \
    OPERATION(UNMAP, unmap, "virtual_memory.unmap")                                                \
    OPERATION(MAP_OBJECT, map_object, "memory_object.map")                                         \
    OPERATION(PROTECT_OBJECT, protect_object, "memory_object.protect")                             \
    OPERATION(UNMAP_OBJECT, unmap_object, "memory_object.unmap")                                   \
    OPERATION(FAULT, fault, "touch that the owed protection allows")                               \
    OPERATION(GUARD, guard, "the loader's guard pages")                                            \
    OPERATION(MAP_SYSTEM, map_system, "the kernel maps a ring or CapSet page")                     \
    OPERATION(UNMAP_SYSTEM, unmap_system, "the kernel ends a ring")                                \
    OPERATION(TEARDOWN, teardown, "the space ends")

#define ENTRY_OPERATION_ENUM(NAME, name, meaning) ENTRY_OP_##NAME,
enum entry_operation { ENTRY_OPERATION_LIST(ENTRY_OPERATION_ENUM) };
#undef ENTRY_OPERATION_ENUM
enum { ENTRY_OPERATION_COUNT = 0 ENTRY_OPERATION_LIST(ENTRY_COUNT_ONE) };

/* What a transition does to the charge, to the frame, and to translations. */
enum entry_charge { CHARGE_NONE, CHARGE_VIRTUAL, CHARGE_COMMITTED, UNCHARGE_COMMITTED,
                    UNCHARGE_VIRTUAL, UNCHARGE_BOTH };
enum entry_frame { FRAME_KEEP, FRAME_FILL, FRAME_DROP, FRAME_BORROW, FRAME_UNBORROW };
enum entry_tlb { TLB_NOTHING, TLB_FLUSH };

/* The table is core/entry_transitions.h: TRANSITION(FROM, OPERATION, TO, charge, frame, tlb)
 * for each legal pair, REFUSAL(FROM, OPERATION, STATUS) for each other.  Every pair of
 * (state but TABLE) x operation has exactly one row (checked at compile time and by test). */
struct entry_transition {
    uint8_t to;      /* enum entry_state */
    uint8_t charge, frame, tlb;
    status_t refusal; /* CAD_OK: legal */
};
/* Needs: from is not TABLE. */
const struct entry_transition *entry_transition(enum entry_state from,
                                                enum entry_operation operation);
/* The operation's column, indexed by enum entry_state, for loops over entries. */
const struct entry_transition *entry_operation_column(enum entry_operation operation);
/* The highest level that the state exists at.  Needs: not TABLE. */
unsigned entry_state_level_max(enum entry_state state);
const char *entry_state_name(enum entry_state state);
const char *entry_operation_name(enum entry_operation operation);

#define ENTRY_STATE_SHIFT      55
#define ENTRY_STATE_MASK       (UINT64_C(15) << ENTRY_STATE_SHIFT)
#define ENTRY_PROTECTION_SHIFT 59
#define ENTRY_PROTECTION_MASK  (UINT64_C(7) << ENTRY_PROTECTION_SHIFT)

/* What is said of words in contracts is said bit by bit: bits of `word` from `low` on are those
 * of `value`. */
#define WORD_BIT(word, i) (((word) & (1 << (i))) != 0)
#define WORD_HAS_1(word, low, value, i) (WORD_BIT(word, (low) + (i)) <==> WORD_BIT(value, i))
#define WORD_HAS_3(word, low, value)                                                               \
    (WORD_HAS_1(word, low, value, 0) && WORD_HAS_1(word, low, value, 1) &&                         \
     WORD_HAS_1(word, low, value, 2))
#define WORD_HAS_4(word, low, value)                                                               \
    (WORD_HAS_3(word, low, value) && WORD_HAS_1(word, low, value, 3))
#define WORD_HAS_8(word, low, value, i)                                                            \
    (WORD_HAS_1(word, low, value, (i)) && WORD_HAS_1(word, low, value, (i) + 1) &&                 \
     WORD_HAS_1(word, low, value, (i) + 2) && WORD_HAS_1(word, low, value, (i) + 3) &&             \
     WORD_HAS_1(word, low, value, (i) + 4) && WORD_HAS_1(word, low, value, (i) + 5) &&             \
     WORD_HAS_1(word, low, value, (i) + 6) && WORD_HAS_1(word, low, value, (i) + 7))
#define WORD_HAS_32(word, low, value)                                                              \
    (WORD_HAS_8(word, low, value, 0) && WORD_HAS_8(word, low, value, 8) &&                         \
     WORD_HAS_8(word, low, value, 16) && WORD_HAS_8(word, low, value, 24))
/* What the hardware reads of a word is in no field of ours. */
#define WORD_IS_APART(word)                                                                        \
    (WORD_HAS_32(word, PAGE_SHIFT, 0) && WORD_HAS_4(word, ENTRY_STATE_SHIFT, 0) &&                 \
     WORD_HAS_3(word, ENTRY_PROTECTION_SHIFT, 0))

/*@ terminates \true;
    exits   \false;
    assigns \nothing;
    ensures bits: WORD_HAS_1(word, ENTRY_STATE_SHIFT, \result, 0) &&
      WORD_HAS_1(word, ENTRY_STATE_SHIFT, \result, 1) &&
      WORD_HAS_1(word, ENTRY_STATE_SHIFT, \result, 2) &&
      WORD_HAS_1(word, ENTRY_STATE_SHIFT, \result, 3);
    ensures only: 0 <= \result <= 15;
*/
static inline enum entry_state entry_state(uint64_t word)
{
    return (enum entry_state)((word >> ENTRY_STATE_SHIFT) & 15);
}
/* What the entry owes its user, present or not; READ is in it if anything is. */
/*@ terminates \true;
    exits   \false;
    assigns \nothing;
    ensures bits: WORD_HAS_3(word, ENTRY_PROTECTION_SHIFT, \result);
    ensures only: \result <= 7;
*/
static inline uint32_t entry_protection(uint64_t word)
{
    return (uint32_t)((word >> ENTRY_PROTECTION_SHIFT) & 7);
}
/*@ terminates \true;
    exits   \false;
    assigns \nothing;
    ensures \result == \true <==> WORD_BIT(word, 0);
*/
static inline bool entry_is_present(uint64_t word)
{
    return (word & MMU_PRESENT) != 0;
}
/* Frame of a present or HIDDEN entry, mapping id of an absent BORROWED one. */
/*@ terminates \true;
    exits   \false;
    assigns \nothing;
    ensures bits: WORD_HAS_32(word, PAGE_SHIFT, \result);
*/
static inline uint32_t entry_value(uint64_t word)
{
    return (uint32_t)((word >> PAGE_SHIFT) & UINT32_MAX);
}

/* An entry without translation.  Needs: protection <= 7; value as the state says. */
/*@ requires fits: (state & 15) == state && (protection & 7) == protection;
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures absent: !WORD_BIT(\result, 0);
    ensures state: WORD_HAS_4(\result, ENTRY_STATE_SHIFT, state);
    ensures protection: WORD_HAS_3(\result, ENTRY_PROTECTION_SHIFT, protection);
    ensures value: WORD_HAS_32(\result, PAGE_SHIFT, value);
    ensures only: WORD_HAS_8(\result, 0, 0, 1) && WORD_HAS_3(\result, 9, 0) &&
      !WORD_BIT(\result, 62) && !WORD_BIT(\result, 63);
*/
static inline uint64_t entry_make_absent(enum entry_state state, uint32_t protection,
                                         uint32_t value)
{
    return (uint64_t)state << ENTRY_STATE_SHIFT |
           (uint64_t)protection << ENTRY_PROTECTION_SHIFT | (uint64_t)value << PAGE_SHIFT;
}
/* A present entry of level 0. Needs: protection has READ, and not WRITE with EXECUTE. */
uint64_t entry_make_page(const struct mmu_format *format, enum entry_state state,
                         uint32_t protection, frame_no_t frame);
/* The same of level 1, for 2 MiB.  Needs: RESIDENT; frame is aligned to 512. */
uint64_t entry_make_large(const struct mmu_format *format, uint32_t protection, frame_no_t frame);
uint64_t entry_make_table(const struct mmu_format *format, frame_no_t frame);

/* Fails: INVALID: unknown bits; WRITE_EXECUTE: both at once (AS3). */
MUST_CHECK status_t protection_check(uint32_t protection);
/* The accessed and dirty bits of a word, for the one that replaces it (TL5). */
/*@ requires \valid_read(format);
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures marks: \forall integer i; 0 <= i < 64 ==> (WORD_BIT(\result, i) <==>
      WORD_BIT(word, i) && (WORD_BIT(format->accessed, i) || WORD_BIT(format->dirty, i)));
*/
static inline uint64_t entry_marks(const struct mmu_format *format, uint64_t word)
{
    return word & (format->accessed | format->dirty);
}
/* The form that entries store: WRITE and EXECUTE imply READ. */
/*@ terminates \true;
    exits   \false;
    assigns \nothing;
    ensures nothing: protection == CAD_PROT_NONE ==> \result == CAD_PROT_NONE;
    ensures reads: protection != CAD_PROT_NONE ==> WORD_BIT(\result, 0);
    ensures rest: \forall integer i; 1 <= i < 32 ==>
      (WORD_BIT(\result, i) <==> WORD_BIT(protection, i));
*/
static inline uint32_t protection_normal(uint32_t protection)
{
    return protection == CAD_PROT_NONE ? CAD_PROT_NONE : protection | CAD_PROT_READ;
}

#endif
