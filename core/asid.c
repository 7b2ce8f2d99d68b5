// SPDX-License-Identifier: BSD-2-Clause
/* Few tags, so they are looked at one by one and given away in turn. */
#include "core/asid.h"

/* Gives: the index of the space's tag, ASID_TAGS if it has none. */
/*@ requires room: \valid_read(cpu);
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures found: \result < ASID_TAGS ==> cpu->tags[\result].space == space;
    ensures missing: \result >= ASID_TAGS ==> \result == ASID_TAGS &&
      \forall integer i; 0 <= i < ASID_TAGS ==> cpu->tags[i].space != space;
*/
static uint32_t tag_find(const struct asid_cpu *cpu, uint64_t space)
{
    uint32_t i;

    /*@ loop invariant in: 0 <= i <= ASID_TAGS;
        loop invariant none: \forall integer k; 0 <= k < i ==> cpu->tags[k].space != space;
        loop assigns i;
        loop variant ASID_TAGS - i;
    */
    for (i = 0; i < ASID_TAGS; i++) {
        if (cpu->tags[i].space == space)
            return i;
    }
    return ASID_TAGS;
}

struct asid_entry asid_enter(struct asid_cpu *cpu, uint64_t space, uint64_t changes)
{
    uint32_t i = tag_find(cpu, space);
    bool keeps = false;

    if (i < ASID_TAGS) {
        keeps = cpu->tags[i].changes == changes;
    } else {
        i = cpu->next;
        cpu->next = i + 1 < ASID_TAGS ? i + 1 : 0;
        cpu->tags[i].space = space;
    }
    cpu->tags[i].changes = changes;
    cpu->current = i + 1;
    return (struct asid_entry){.tag = i + 1, .keeps = keeps};
}

void asid_leave(struct asid_cpu *cpu)
{
    cpu->current = ASID_NONE;
}

void asid_flush(struct asid_cpu *cpu, uint64_t changes)
{
    if (cpu->current != ASID_NONE)
        cpu->tags[cpu->current - 1].changes = changes;
}

void asid_flush_part(struct asid_cpu *cpu, uint64_t change)
{
    if (cpu->current != ASID_NONE && cpu->tags[cpu->current - 1].changes == change - 1)
        cpu->tags[cpu->current - 1].changes = change;
}
