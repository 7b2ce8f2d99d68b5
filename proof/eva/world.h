// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every table of core/, holding anything.
 *
 * world_any() gives each field of each record every value that its own range allows: an
 * index is inside its array, a count or an address is anything at all.  Records need not
 * agree with each other; that no operation goes wrong even then is what EVA is asked.
 * The drivers call operations in a loop without end, so what an operation may leave
 * behind is what the next one finds.
 */
#ifndef PROOF_EVA_WORLD_H
#define PROOF_EVA_WORLD_H

#include "core/cadastre.h"
#include "core/park.h"

/* A volatile word is another one, whatever it likes, each time it is read. */
extern volatile uint64_t anything;
#define ANY_LONG()          anything
#define ANY_WORD()          ((uint32_t)anything)
#define ANY_SHORT()         ((uint16_t)anything)
#define ANY_BYTE()          ((uint8_t)anything)
#define ANY_BELOW(limit)    ((uint32_t)(anything % (limit)))
#define ANY_FROM(low, high) ((low) + ANY_BELOW((high) - (low) + 1))
#define ANY_BOOL()          (anything % 2 != 0)
#define ANY_INDEX()        ANY_BELOW(RECORDS)
#define ANY_FRAME()        ANY_BELOW(FRAMES)
/* Ids as callers have them: not none. */
#define ANY_ID()           ANY_FROM(1, RECORDS - 1)

extern struct cadastre world;
extern struct core_cpu cpus[2];
#define CPU (&cpus[0])
extern struct id_slot slots[8][RECORDS];
extern uint64_t memory[FRAMES * PAGE_SIZE / sizeof(uint64_t)];

void world_any(void);
/* As elf_source.read: other bytes each time, or a refusal. */
bool any_bytes(void *context, uint64_t offset, void *to, uint64_t bytes);

#endif
