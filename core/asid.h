// SPDX-License-Identifier: BSD-2-Clause
/*
 * Tags of translations (x86's PCID, Arm's ASID): what one CPU still holds of spaces that it
 * has left.
 *
 * A CPU has ASID_TAGS tags.  Each is of one space, and remembers how many of its changes
 * the CPU's translations have seen: a space counts the changes that weaken its entries.  Who
 * enters a space under its tag again keeps its translations only if nothing was changed since;
 * so a CPU that has left a space is not interrupted for it, and drops what it holds when it
 * comes back (TL2).  A tag that gets another space is dropped with that.
 *
 * A space is named by a number that no other space ever has again, so what is left of one
 * that ended is never used.  Who weakens entries counts the change, then asks the CPUs that
 * are in the space; who enters says that it is in, then reads the count: one of them sees
 * the other (proof/models/asid.pml; kernel/tlb.c, kernel/space_load.h).
 *
 * Locks: none; each CPU has its own.
 */
#ifndef CORE_ASID_H
#define CORE_ASID_H

#include "base/types.h"

#ifndef ASID_TAGS /* fewer in the test that looks at every state */
#define ASID_TAGS 6
#endif
/* Of the root that holds only the kernel half. */
#define ASID_NONE 0

struct asid_tag {
    uint64_t space;   /* 0: of none */
    uint64_t changes; /* seen by all that the CPU holds under the tag */
};

struct asid_cpu {
    struct asid_tag tags[ASID_TAGS]; /* tag n is tags[n - 1] */
    uint32_t current;                /* ASID_NONE: in no space */
    uint32_t next;                   /* index of the tag that is given away next */
};

struct asid_entry {
    uint32_t tag;
    bool keeps; /* what the CPU holds under the tag; else it is dropped */
};

/*@ // no space has two tags
    predicate asid_unique{L}(struct asid_cpu *cpu) =
      \forall integer i, j; 0 <= i < j < ASID_TAGS && cpu->tags[i].space != 0 ==>
        cpu->tags[i].space != cpu->tags[j].space;
    predicate asid_in_range{L}(struct asid_cpu *cpu) =
      cpu->next < ASID_TAGS && cpu->current <= ASID_TAGS;
*/

/* The CPU goes into a space that counts `changes`, read after the CPU said that it is in.
 * Gives: the tag, and whether the switch keeps what the CPU holds under it.
 * Needs: space not 0. */
/*@ requires room: \valid(cpu);
    requires some: space != 0;
    requires in_range: asid_in_range(cpu);
    requires unique: asid_unique(cpu);
    terminates \true;
    exits   \false;
    assigns *cpu;
    ensures tag: 1 <= \result.tag <= ASID_TAGS && cpu->current == \result.tag;
    ensures named: cpu->tags[\result.tag - 1].space == space;
    ensures seen: cpu->tags[\result.tag - 1].changes == changes;
    ensures kept: \result.keeps ==>
      \old(*cpu).tags[\result.tag - 1].space == space &&
      \old(*cpu).tags[\result.tag - 1].changes == changes;
    ensures others: \forall integer i; 0 <= i < ASID_TAGS && i != \result.tag - 1 ==>
      cpu->tags[i].space == \old(*cpu).tags[i].space &&
      cpu->tags[i].changes == \old(*cpu).tags[i].changes;
    ensures in_range: asid_in_range(cpu);
    ensures unique: asid_unique(cpu);
*/
struct asid_entry asid_enter(struct asid_cpu *cpu, uint64_t space, uint64_t changes);

/* The CPU is in no space any more; it keeps what it holds. */
/*@ requires room: \valid(cpu);
    terminates \true;
    exits   \false;
    assigns cpu->current;
    ensures left: cpu->current == ASID_NONE;
*/
void asid_leave(struct asid_cpu *cpu);

/* All translations of the space that the CPU is in were dropped, after `changes` was read. */
/*@ requires room: \valid(cpu);
    requires in_range: asid_in_range(cpu);
    terminates \true;
    exits   \false;
    assigns cpu->tags[0 .. ASID_TAGS - 1].changes;
    ensures seen: cpu->current != ASID_NONE ==> cpu->tags[cpu->current - 1].changes == changes;
    ensures others: \forall integer i; 0 <= i < ASID_TAGS && i != cpu->current - 1 ==>
      cpu->tags[i].changes == \old(cpu->tags[i].changes);
*/
void asid_flush(struct asid_cpu *cpu, uint64_t changes);

/* Those were dropped that the change with this number was about, and no others. */
/*@ requires room: \valid(cpu);
    requires in_range: asid_in_range(cpu);
    requires counted: change > 0;
    terminates \true;
    exits   \false;
    assigns cpu->tags[0 .. ASID_TAGS - 1].changes;
    ensures seen: cpu->current != ASID_NONE &&
      \old(cpu->tags[cpu->current - 1].changes) == change - 1 ==>
      cpu->tags[cpu->current - 1].changes == change;
    ensures missed: \forall integer i; 0 <= i < ASID_TAGS &&
      (i != cpu->current - 1 || \old(cpu->tags[i].changes) != change - 1) ==>
      cpu->tags[i].changes == \old(cpu->tags[i].changes);
*/
void asid_flush_part(struct asid_cpu *cpu, uint64_t change);

#endif
