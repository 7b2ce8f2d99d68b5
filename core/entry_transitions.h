// SPDX-License-Identifier: BSD-2-Clause
/*
 * What every operation does to every state of an entry: the one statement of it
 * (AS1).  core/space*.c obeys it, core/entry_test.c walks it, the printed
 * documentation is generated from it.
 *
 *   TRANSITION(FROM, OPERATION, TO, charge, frame, tlb)
 *   REFUSAL(FROM, OPERATION, STATUS)
 *
 * Read beside it:
 * - A range operation is refused whole, by the refusal of its lowest refused page.
 * - tlb: FLUSH is owed where the entry lost rights, or an execute right was
 *   gained (a stale writable translation must be gone first: AS3), or a frame
 *   leaves; wherever a table page was removed it is owed too.
 *   A HIDDEN page's frame leaves with a FLUSH of its own, because the round of
 *   the operation that hid it may still be under way on another CPU; for the
 *   same reason UNMAP_OBJECT always flushes.
 * - BORROWED: a present entry counts in its frame's `maps`; frame BORROW and
 *   UNBORROW are that count, UNBORROW only if it was present.
 * - COMMIT with `new` is refused with OVERLAP, after all others, unless every page is RESERVED.
 * - COMMIT with `eager` is COMMIT followed by FAULT; MAP_OBJECT with `populate` likewise.
 * - UNMAP and UNMAP_OBJECT do not touch GUARD and SYSTEM pages: those end with
 *   the space, or by UNMAP_SYSTEM.
 */
#ifndef CORE_ENTRY_TRANSITIONS_H
#define CORE_ENTRY_TRANSITIONS_H

// clang-format off
#define ENTRY_TRANSITION_LIST(TRANSITION, REFUSAL)                                                 \
    TRANSITION(NONE,      RESERVE, RESERVED, CHARGE_VIRTUAL, FRAME_KEEP, TLB_NOTHING)              \
    REFUSAL(   NONE,      COMMIT,         NOT_RESERVED)                                            \
    REFUSAL(   NONE,      DECOMMIT,       NOT_RESERVED)                                            \
    REFUSAL(   NONE,      PROTECT,        NOT_RESERVED)                                            \
    REFUSAL(   NONE,      HIDE,           NOT_RESERVED)                                            \
    REFUSAL(   NONE,      UNMAP,          NOT_RESERVED)                                            \
    TRANSITION(NONE,      MAP_OBJECT, BORROWED, CHARGE_VIRTUAL, FRAME_KEEP, TLB_NOTHING)           \
    REFUSAL(   NONE,      PROTECT_OBJECT, WRONG_OBJECT)                                            \
    REFUSAL(   NONE,      UNMAP_OBJECT,   WRONG_OBJECT)                                            \
    REFUSAL(   NONE,      FAULT,          BAD_ADDRESS)                                             \
    TRANSITION(NONE,      GUARD, GUARD, CHARGE_NONE, FRAME_KEEP, TLB_NOTHING)                      \
    TRANSITION(NONE,      MAP_SYSTEM, SYSTEM, CHARGE_NONE, FRAME_FILL, TLB_NOTHING)                \
    REFUSAL(   NONE,      UNMAP_SYSTEM,   NOT_FOUND)                                               \
    TRANSITION(NONE,      TEARDOWN, NONE, CHARGE_NONE, FRAME_KEEP, TLB_NOTHING)                    \
                                                                                                   \
    REFUSAL(   RESERVED,  RESERVE,        OVERLAP)                                                 \
    TRANSITION(RESERVED,  COMMIT, COMMITTED, CHARGE_COMMITTED, FRAME_KEEP, TLB_NOTHING)            \
    TRANSITION(RESERVED,  DECOMMIT, RESERVED, CHARGE_NONE, FRAME_KEEP, TLB_NOTHING)                \
    TRANSITION(RESERVED,  PROTECT, RESERVED, CHARGE_NONE, FRAME_KEEP, TLB_NOTHING)                 \
    TRANSITION(RESERVED,  HIDE, RESERVED, CHARGE_NONE, FRAME_KEEP, TLB_NOTHING)                    \
    TRANSITION(RESERVED,  UNMAP, NONE, UNCHARGE_VIRTUAL, FRAME_KEEP, TLB_NOTHING)                  \
    REFUSAL(   RESERVED,  MAP_OBJECT,     OVERLAP)                                                 \
    REFUSAL(   RESERVED,  PROTECT_OBJECT, WRONG_OBJECT)                                            \
    REFUSAL(   RESERVED,  UNMAP_OBJECT,   WRONG_OBJECT)                                            \
    REFUSAL(   RESERVED,  FAULT,          BAD_ADDRESS)                                             \
    REFUSAL(   RESERVED,  GUARD,          OVERLAP)                                                 \
    REFUSAL(   RESERVED,  MAP_SYSTEM,     OVERLAP)                                                 \
    REFUSAL(   RESERVED,  UNMAP_SYSTEM,   NOT_FOUND)                                               \
    TRANSITION(RESERVED,  TEARDOWN, NONE, UNCHARGE_VIRTUAL, FRAME_KEEP, TLB_NOTHING)               \
                                                                                                   \
    REFUSAL(   COMMITTED, RESERVE,        OVERLAP)                                                 \
    TRANSITION(COMMITTED, COMMIT, COMMITTED, CHARGE_NONE, FRAME_KEEP, TLB_NOTHING)                 \
    TRANSITION(COMMITTED, DECOMMIT, RESERVED, UNCHARGE_COMMITTED, FRAME_KEEP, TLB_NOTHING)         \
    TRANSITION(COMMITTED, PROTECT, COMMITTED, CHARGE_NONE, FRAME_KEEP, TLB_NOTHING)                \
    TRANSITION(COMMITTED, HIDE, COMMITTED, CHARGE_NONE, FRAME_KEEP, TLB_NOTHING)                   \
    TRANSITION(COMMITTED, UNMAP, NONE, UNCHARGE_BOTH, FRAME_KEEP, TLB_NOTHING)                     \
    REFUSAL(   COMMITTED, MAP_OBJECT,     OVERLAP)                                                 \
    REFUSAL(   COMMITTED, PROTECT_OBJECT, WRONG_OBJECT)                                            \
    REFUSAL(   COMMITTED, UNMAP_OBJECT,   WRONG_OBJECT)                                            \
    TRANSITION(COMMITTED, FAULT, RESIDENT, CHARGE_NONE, FRAME_FILL, TLB_NOTHING)                   \
    REFUSAL(   COMMITTED, GUARD,          OVERLAP)                                                 \
    REFUSAL(   COMMITTED, MAP_SYSTEM,     OVERLAP)                                                 \
    REFUSAL(   COMMITTED, UNMAP_SYSTEM,   NOT_FOUND)                                               \
    TRANSITION(COMMITTED, TEARDOWN, NONE, UNCHARGE_BOTH, FRAME_KEEP, TLB_NOTHING)                  \
                                                                                                   \
    REFUSAL(   RESIDENT,  RESERVE,        OVERLAP)                                                 \
    TRANSITION(RESIDENT,  COMMIT, RESIDENT, CHARGE_NONE, FRAME_KEEP, TLB_NOTHING)                  \
    TRANSITION(RESIDENT,  DECOMMIT, RESERVED, UNCHARGE_COMMITTED, FRAME_DROP, TLB_FLUSH)           \
    TRANSITION(RESIDENT,  PROTECT, RESIDENT, CHARGE_NONE, FRAME_KEEP, TLB_FLUSH)                   \
    TRANSITION(RESIDENT,  HIDE, HIDDEN, CHARGE_NONE, FRAME_KEEP, TLB_FLUSH)                        \
    TRANSITION(RESIDENT,  UNMAP, NONE, UNCHARGE_BOTH, FRAME_DROP, TLB_FLUSH)                       \
    REFUSAL(   RESIDENT,  MAP_OBJECT,     OVERLAP)                                                 \
    REFUSAL(   RESIDENT,  PROTECT_OBJECT, WRONG_OBJECT)                                            \
    REFUSAL(   RESIDENT,  UNMAP_OBJECT,   WRONG_OBJECT)                                            \
    TRANSITION(RESIDENT,  FAULT, RESIDENT, CHARGE_NONE, FRAME_KEEP, TLB_NOTHING)                   \
    REFUSAL(   RESIDENT,  GUARD,          OVERLAP)                                                 \
    REFUSAL(   RESIDENT,  MAP_SYSTEM,     OVERLAP)                                                 \
    REFUSAL(   RESIDENT,  UNMAP_SYSTEM,   NOT_FOUND)                                               \
    TRANSITION(RESIDENT,  TEARDOWN, NONE, UNCHARGE_BOTH, FRAME_DROP, TLB_NOTHING)                  \
                                                                                                   \
    REFUSAL(   HIDDEN,    RESERVE,        OVERLAP)                                                 \
    TRANSITION(HIDDEN,    COMMIT, HIDDEN, CHARGE_NONE, FRAME_KEEP, TLB_NOTHING)                    \
    TRANSITION(HIDDEN,    DECOMMIT, RESERVED, UNCHARGE_COMMITTED, FRAME_DROP, TLB_FLUSH)           \
    TRANSITION(HIDDEN,    PROTECT, RESIDENT, CHARGE_NONE, FRAME_KEEP, TLB_FLUSH)                   \
    TRANSITION(HIDDEN,    HIDE, HIDDEN, CHARGE_NONE, FRAME_KEEP, TLB_NOTHING)                      \
    TRANSITION(HIDDEN,    UNMAP, NONE, UNCHARGE_BOTH, FRAME_DROP, TLB_FLUSH)                       \
    REFUSAL(   HIDDEN,    MAP_OBJECT,     OVERLAP)                                                 \
    REFUSAL(   HIDDEN,    PROTECT_OBJECT, WRONG_OBJECT)                                            \
    REFUSAL(   HIDDEN,    UNMAP_OBJECT,   WRONG_OBJECT)                                            \
    REFUSAL(   HIDDEN,    FAULT,          BAD_ADDRESS)                                             \
    REFUSAL(   HIDDEN,    GUARD,          OVERLAP)                                                 \
    REFUSAL(   HIDDEN,    MAP_SYSTEM,     OVERLAP)                                                 \
    REFUSAL(   HIDDEN,    UNMAP_SYSTEM,   NOT_FOUND)                                               \
    TRANSITION(HIDDEN,    TEARDOWN, NONE, UNCHARGE_BOTH, FRAME_DROP, TLB_NOTHING)                  \
                                                                                                   \
    REFUSAL(   BORROWED,  RESERVE,        OVERLAP)                                                 \
    REFUSAL(   BORROWED,  COMMIT,         NOT_RESERVED)                                            \
    REFUSAL(   BORROWED,  DECOMMIT,       NOT_RESERVED)                                            \
    REFUSAL(   BORROWED,  PROTECT,        NOT_RESERVED)                                            \
    REFUSAL(   BORROWED,  HIDE,           NOT_RESERVED)                                            \
    REFUSAL(   BORROWED,  UNMAP,          NOT_RESERVED)                                            \
    REFUSAL(   BORROWED,  MAP_OBJECT,     OVERLAP)                                                 \
    TRANSITION(BORROWED,  PROTECT_OBJECT, BORROWED, CHARGE_NONE, FRAME_UNBORROW, TLB_FLUSH)        \
    TRANSITION(BORROWED,  UNMAP_OBJECT, NONE, UNCHARGE_VIRTUAL, FRAME_UNBORROW, TLB_FLUSH)         \
    TRANSITION(BORROWED,  FAULT, BORROWED, CHARGE_NONE, FRAME_BORROW, TLB_NOTHING)                 \
    REFUSAL(   BORROWED,  GUARD,          OVERLAP)                                                 \
    REFUSAL(   BORROWED,  MAP_SYSTEM,     OVERLAP)                                                 \
    REFUSAL(   BORROWED,  UNMAP_SYSTEM,   NOT_FOUND)                                               \
    TRANSITION(BORROWED,  TEARDOWN, NONE, UNCHARGE_VIRTUAL, FRAME_UNBORROW, TLB_NOTHING)           \
                                                                                                   \
    REFUSAL(   GUARD,     RESERVE,        PROTECTED_RANGE)                                         \
    REFUSAL(   GUARD,     COMMIT,         PROTECTED_RANGE)                                         \
    REFUSAL(   GUARD,     DECOMMIT,       PROTECTED_RANGE)                                         \
    REFUSAL(   GUARD,     PROTECT,        PROTECTED_RANGE)                                         \
    REFUSAL(   GUARD,     HIDE,           PROTECTED_RANGE)                                         \
    REFUSAL(   GUARD,     UNMAP,          PROTECTED_RANGE)                                         \
    REFUSAL(   GUARD,     MAP_OBJECT,     PROTECTED_RANGE)                                         \
    REFUSAL(   GUARD,     PROTECT_OBJECT, PROTECTED_RANGE)                                         \
    REFUSAL(   GUARD,     UNMAP_OBJECT,   PROTECTED_RANGE)                                         \
    REFUSAL(   GUARD,     FAULT,          BAD_ADDRESS)                                             \
    REFUSAL(   GUARD,     GUARD,          OVERLAP)                                                 \
    REFUSAL(   GUARD,     MAP_SYSTEM,     OVERLAP)                                                 \
    REFUSAL(   GUARD,     UNMAP_SYSTEM,   NOT_FOUND)                                               \
    TRANSITION(GUARD,     TEARDOWN, NONE, CHARGE_NONE, FRAME_KEEP, TLB_NOTHING)                    \
                                                                                                   \
    REFUSAL(   SYSTEM,    RESERVE,        PROTECTED_RANGE)                                         \
    REFUSAL(   SYSTEM,    COMMIT,         PROTECTED_RANGE)                                         \
    REFUSAL(   SYSTEM,    DECOMMIT,       PROTECTED_RANGE)                                         \
    REFUSAL(   SYSTEM,    PROTECT,        PROTECTED_RANGE)                                         \
    REFUSAL(   SYSTEM,    HIDE,           PROTECTED_RANGE)                                         \
    REFUSAL(   SYSTEM,    UNMAP,          PROTECTED_RANGE)                                         \
    REFUSAL(   SYSTEM,    MAP_OBJECT,     PROTECTED_RANGE)                                         \
    REFUSAL(   SYSTEM,    PROTECT_OBJECT, PROTECTED_RANGE)                                         \
    REFUSAL(   SYSTEM,    UNMAP_OBJECT,   PROTECTED_RANGE)                                         \
    TRANSITION(SYSTEM,    FAULT, SYSTEM, CHARGE_NONE, FRAME_KEEP, TLB_NOTHING)                     \
    REFUSAL(   SYSTEM,    GUARD,          PROTECTED_RANGE)                                         \
    REFUSAL(   SYSTEM,    MAP_SYSTEM,     OVERLAP)                                                 \
    TRANSITION(SYSTEM,    UNMAP_SYSTEM, NONE, CHARGE_NONE, FRAME_DROP, TLB_FLUSH)                  \
    TRANSITION(SYSTEM,    TEARDOWN, NONE, CHARGE_NONE, FRAME_DROP, TLB_NOTHING)
// clang-format on

#endif
