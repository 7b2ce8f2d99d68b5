// SPDX-License-Identifier: BSD-2-Clause
/*
 * One function a kind of abi/inspect.h, inspect_<KIND>(): fills the zeroed record
 * that stands at or after the cursor and moves the cursor past it.
 * Gives: false when there is none.  Needs: the world stopped.
 */
#ifndef KERNEL_INSPECT_RECORDS_H
#define KERNEL_INSPECT_RECORDS_H

#include "abi/inspect.h"
#include "base/types.h"
#include "core/id_pool.h"

struct inspect_cursor {
    uint64_t at;
    uint64_t argument;
    bool not_found; /* the argument names nothing */
    bool counted;   /* FRAME_STATES: this call has gone over the table */
};

#define INSPECT_MEMBER(NAME, number, record, meaning) struct record NAME;
union inspect_record {
    CAD_INSPECT_LIST(INSPECT_MEMBER)
};
#undef INSPECT_MEMBER

#define INSPECT_FUNCTION(NAME, number, record, meaning)                                            \
    bool inspect_##NAME(struct inspect_cursor *cursor, union inspect_record *record);
CAD_INSPECT_LIST(INSPECT_FUNCTION)
#undef INSPECT_FUNCTION

/* The first live index at or after the cursor; the cursor moves past it. */
bool inspect_next_live(struct inspect_cursor *cursor, const struct id_pool *ids, uint32_t *index);

#endif
