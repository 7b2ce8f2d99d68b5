// SPDX-License-Identifier: BSD-2-Clause
/*
 * The transition table as an array, and how a word is put together.
 *
 * The array is indexed [operation][state], so that a loop over entries under
 * one operation holds one row of it.  TABLE has no transitions: walks descend
 * through it and never look it up.
 */
#include "core/entry.h"

#include "base/assert.h"
#include "core/entry_transitions.h"

/* A pair stated twice is a name defined twice here; with that, the count says
 * that no pair is missing. */
#define PAIR_LEGAL(FROM, OPERATION, TO, charge, frame, tlb) PAIR_##FROM##_##OPERATION,
#define PAIR_REFUSED(FROM, OPERATION, STATUS)               PAIR_##FROM##_##OPERATION,
enum { ENTRY_TRANSITION_LIST(PAIR_LEGAL, PAIR_REFUSED) PAIR_COUNT };
COMPILE_ASSERT(PAIR_COUNT == (ENTRY_STATE_COUNT - 1) * ENTRY_OPERATION_COUNT,
               every_state_and_operation_has_one_row);
COMPILE_ASSERT(ENTRY_STATE_COUNT <= 16, entry_state_fits_its_bits);

#define ROW_LEGAL(FROM, OPERATION, TO, charge, frame, tlb)                                         \
    [ENTRY_OP_##OPERATION][ENTRY_##FROM] = { ENTRY_##TO, (charge), (frame), (tlb), CAD_OK },
#define ROW_REFUSED(FROM, OPERATION, STATUS)                                                       \
    [ENTRY_OP_##OPERATION][ENTRY_##FROM] = { ENTRY_##FROM, CHARGE_NONE, FRAME_KEEP, TLB_NOTHING,   \
                                             CAD_##STATUS },
static const struct entry_transition transitions[ENTRY_OPERATION_COUNT][ENTRY_STATE_COUNT] = {
    ENTRY_TRANSITION_LIST(ROW_LEGAL, ROW_REFUSED)
};

#define STATE_NAME(NAME, name, levels, present, frame, meaning) [ENTRY_##NAME] = #name,
static const char *const state_names[ENTRY_STATE_COUNT] = { ENTRY_STATE_LIST(STATE_NAME) };
#define OPERATION_NAME(NAME, name, meaning) [ENTRY_OP_##NAME] = #name,
static const char *const operation_names[ENTRY_OPERATION_COUNT] = { ENTRY_OPERATION_LIST(
    OPERATION_NAME) };

enum { LEVELS_ANY = MMU_LEVELS - 1, LEVELS_UPPER = MMU_LEVELS - 1, LEVELS_LARGE = 1,
       LEVELS_PAGE = 0 };
#define STATE_LEVEL(NAME, name, levels, present, frame, meaning) [ENTRY_##NAME] = LEVELS_##levels,
static const uint8_t state_level_max[ENTRY_STATE_COUNT] = { ENTRY_STATE_LIST(STATE_LEVEL) };

#define CELL_LEGAL(FROM, OPERATION, TO, charge, frame, tlb)                                        \
    && entry_cell(ENTRY_##FROM, ENTRY_OP_##OPERATION, ENTRY_##TO, charge, frame, tlb)
#define CELL_REFUSED(FROM, OPERATION, STATUS)                                                      \
    && CAD_##STATUS != CAD_OK && ENTRY_OP_##OPERATION != ENTRY_OP_TEARDOWN
/*@ // AS1, of the table itself: each legal cell charges, and takes or gives up frames, as its two
    // states differ; what leaves a living space owes a flush; a teardown is never refused and
    // leaves nothing; what a user may do is refused in guard and system pages.
    logic integer holds_virtual(integer state) =
      ENTRY_RESERVED <= state <= ENTRY_BORROWED ? 1 : 0;
    logic integer holds_committed(integer state) =
      ENTRY_COMMITTED <= state <= ENTRY_HIDDEN ? 1 : 0;
    logic integer holds_frame(integer state) =
      state == ENTRY_RESIDENT || state == ENTRY_HIDDEN || state == ENTRY_SYSTEM ? 1 : 0;
    logic integer charge_virtual(integer charge) =
      charge == CHARGE_VIRTUAL ? 1 :
      charge == UNCHARGE_VIRTUAL || charge == UNCHARGE_BOTH ? -1 : 0;
    logic integer charge_committed(integer charge) =
      charge == CHARGE_COMMITTED ? 1 :
      charge == UNCHARGE_COMMITTED || charge == UNCHARGE_BOTH ? -1 : 0;
    logic integer frame_kept(integer frame) =
      frame == FRAME_FILL ? 1 : frame == FRAME_DROP ? -1 : 0;
    predicate entry_cell(integer from, integer operation, integer to, integer charge,
                         integer frame, integer tlb) =
      holds_virtual(to) - holds_virtual(from) == charge_virtual(charge) &&
      holds_committed(to) - holds_committed(from) == charge_committed(charge) &&
      holds_frame(to) - holds_frame(from) == frame_kept(frame) &&
      ((frame == FRAME_DROP || frame == FRAME_UNBORROW) && operation != ENTRY_OP_TEARDOWN ==>
        tlb == TLB_FLUSH) &&
      (operation == ENTRY_OP_TEARDOWN ==> to == ENTRY_NONE) &&
      (from == ENTRY_GUARD || from == ENTRY_SYSTEM ==> operation >= ENTRY_OP_FAULT);
    predicate entry_table_right = \true ENTRY_TRANSITION_LIST(CELL_LEGAL, CELL_REFUSED);
*/

/*@ requires 0 <= operation < ENTRY_OPERATION_COUNT;
    terminates \true;
    exits   \false;
    assigns \result \from operation;
    ensures \result == &transitions[operation][0];
*/
const struct entry_transition *entry_operation_column(enum entry_operation operation)
{
    ASSERT((unsigned)operation < ENTRY_OPERATION_COUNT);
    return transitions[operation];
}

/*@ requires 0 <= operation < ENTRY_OPERATION_COUNT;
    requires 0 <= from < ENTRY_STATE_COUNT && from != ENTRY_TABLE;
    terminates \true;
    exits   \false;
    assigns \result \from operation, from;
    ensures \result == &transitions[operation][from];
    ensures table: entry_table_right;
*/
const struct entry_transition *entry_transition(enum entry_state from,
                                                enum entry_operation operation)
{
    ASSERT((unsigned)from < ENTRY_STATE_COUNT && from != ENTRY_TABLE);
    ASSERT((unsigned)operation < ENTRY_OPERATION_COUNT);
    return &transitions[operation][from];
}

/*@ requires 0 <= state < ENTRY_STATE_COUNT && state != ENTRY_TABLE;
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures \result == state_level_max[state];
*/
unsigned entry_state_level_max(enum entry_state state)
{
    ASSERT((unsigned)state < ENTRY_STATE_COUNT && state != ENTRY_TABLE);
    return state_level_max[state];
}

const char *entry_state_name(enum entry_state state)
{
    return (unsigned)state < ENTRY_STATE_COUNT ? state_names[state] : "?";
}

const char *entry_operation_name(enum entry_operation operation)
{
    return (unsigned)operation < ENTRY_OPERATION_COUNT ? operation_names[operation] : "?";
}

/*@ requires \valid_read(format) && 0 <= protection < 8;
    requires fits: (state & 15) == state && (protection & 7) == protection;
    requires readable: (protection & CAD_PROT_READ) != 0;
    requires write_or_execute:
      !((protection & CAD_PROT_WRITE) != 0 && (protection & CAD_PROT_EXECUTE) != 0);
    requires apart: WORD_IS_APART(format->page[protection]);
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures present: WORD_BIT(\result, 0);
    ensures state: WORD_HAS_4(\result, ENTRY_STATE_SHIFT, state);
    ensures protection: WORD_HAS_3(\result, ENTRY_PROTECTION_SHIFT, protection);
    ensures frame: WORD_HAS_32(\result, PAGE_SHIFT, frame);
    ensures hardware: WORD_HAS_8(\result, 0, format->page[protection], 1) &&
      WORD_HAS_1(\result, 0, format->page[protection], 9) &&
      WORD_HAS_1(\result, 0, format->page[protection], 10) &&
      WORD_HAS_1(\result, 0, format->page[protection], 11) &&
      WORD_HAS_1(\result, 0, format->page[protection], 62) &&
      WORD_HAS_1(\result, 0, format->page[protection], 63);
*/
uint64_t entry_make_page(const struct mmu_format *format, enum entry_state state,
                         uint32_t protection, frame_no_t frame)
{
    ASSERT((protection & CAD_PROT_READ) != 0);
    ASSERT(protection_check(protection) == CAD_OK);
    return entry_make_absent(state, protection, frame) | format->page[protection] | MMU_PRESENT;
}

/*@ requires \valid_read(format) && 0 <= protection < 8;
    requires fits: (protection & 7) == protection;
    requires readable: (protection & CAD_PROT_READ) != 0;
    requires write_or_execute:
      !((protection & CAD_PROT_WRITE) != 0 && (protection & CAD_PROT_EXECUTE) != 0);
    requires apart: WORD_IS_APART(format->block[protection]);
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures present: WORD_BIT(\result, 0);
    ensures state: WORD_HAS_4(\result, ENTRY_STATE_SHIFT, ENTRY_RESIDENT);
    ensures protection: WORD_HAS_3(\result, ENTRY_PROTECTION_SHIFT, protection);
    ensures frame: WORD_HAS_32(\result, PAGE_SHIFT, frame);
    ensures hardware: WORD_HAS_8(\result, 0, format->block[protection], 1) &&
      WORD_HAS_1(\result, 0, format->block[protection], 9) &&
      WORD_HAS_1(\result, 0, format->block[protection], 10) &&
      WORD_HAS_1(\result, 0, format->block[protection], 11) &&
      WORD_HAS_1(\result, 0, format->block[protection], 62) &&
      WORD_HAS_1(\result, 0, format->block[protection], 63);
*/
uint64_t entry_make_large(const struct mmu_format *format, uint32_t protection, frame_no_t frame)
{
    ASSERT((protection & CAD_PROT_READ) != 0);
    ASSERT(protection_check(protection) == CAD_OK);
    return entry_make_absent(ENTRY_RESIDENT, protection, frame) | format->block[protection] |
           MMU_PRESENT;
}

/*@ requires \valid_read(format) && WORD_IS_APART(format->table);
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures present: WORD_BIT(\result, 0);
    ensures state: WORD_HAS_4(\result, ENTRY_STATE_SHIFT, ENTRY_TABLE);
    ensures frame: WORD_HAS_32(\result, PAGE_SHIFT, frame);
*/
uint64_t entry_make_table(const struct mmu_format *format, frame_no_t frame)
{
    return entry_make_absent(ENTRY_TABLE, CAD_PROT_NONE, frame) | format->table | MMU_PRESENT;
}

/*@ terminates \true;
    exits   \false;
    assigns \nothing;
    ensures unknown: \result == CAD_INVALID <==> protection > 7;
    ensures write_or_execute: \result == CAD_WRITE_EXECUTE <==> protection <= 7 &&
      (protection & CAD_PROT_WRITE) != 0 && (protection & CAD_PROT_EXECUTE) != 0;
    ensures \result == CAD_OK || \result == CAD_INVALID || \result == CAD_WRITE_EXECUTE;
*/
status_t protection_check(uint32_t protection)
{
    if (protection > (CAD_PROT_READ | CAD_PROT_WRITE | CAD_PROT_EXECUTE)) {
        return CAD_INVALID;
    }
    if ((protection & CAD_PROT_WRITE) != 0 && (protection & CAD_PROT_EXECUTE) != 0) {
        return CAD_WRITE_EXECUTE;
    }
    return CAD_OK;
}
