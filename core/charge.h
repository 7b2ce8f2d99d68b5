// SPDX-License-Identifier: BSD-2-Clause
/*
 * What each record costs its ledger in metadata bytes (LG5, UT4): the size of
 * the record itself, stated here and nowhere else.  The numbers are pinned, so
 * that a grown record is a decision and not an accident.
 */
#ifndef CORE_CHARGE_H
#define CORE_CHARGE_H

#include "core/cap.h"
#include "core/ledger.h"
#include "core/mapping.h"
#include "core/object.h"
#include "core/space.h"
#include "core/untyped.h"

/* CHARGE(NAME, bytes, record, to whom) */
#define CHARGE_LIST(CHARGE)                                                                        \
    CHARGE(LEDGER, 256, struct ledger, "the parent ledger; the root's to nobody")                  \
    CHARGE(UNTYPED, 28, struct untyped, "the ledger that asked")                                   \
    CHARGE(OBJECT, 48, struct object, "the creator's ledger")                                      \
    CHARGE(CLAIM, 16, struct claim, "the claim's ledger")                                          \
    CHARGE(MAPPING, 64, struct mapping, "the space's ledger")                                      \
    CHARGE(SPACE, 80, struct space, "the space's ledger")                                          \
    CHARGE(CAP_SLOT, 64, struct cap_slot, "the table's ledger")                                    \
    CHARGE(CAP_TABLE, 16, struct cap_table, "the table's ledger")

#define CHARGE_ENUM(NAME, bytes, record, whom) CHARGE_##NAME = (bytes),
enum { CHARGE_LIST(CHARGE_ENUM)
       /* A frame of metadata: page table, companion, index node, system page. */
       CHARGE_FRAME = PAGE_SIZE };
#undef CHARGE_ENUM

#define CHARGE_ASSERT(NAME, bytes, record, whom)                                                   \
    COMPILE_ASSERT(sizeof(record) == (bytes), charge_is_the_size_of_##NAME);
CHARGE_LIST(CHARGE_ASSERT)
#undef CHARGE_ASSERT

#endif
