// SPDX-License-Identifier: BSD-2-Clause
/*
 * Mapping records: which part of which object is mapped where, and how far its
 * protection may go.  The record is the mapping's identity (MO3): object id and
 * generation, first page, space id and generation, and its own generation.
 *
 * Entries of a space name their record; an object lists its records, so all
 * places that map one of its pages are found in time that grows with its
 * mappings alone (MO4).
 *
 * A record holds a reference to its object and a claim for its space's ledger,
 * and is charged to that ledger (metadata).  This module alone writes the list
 * heads and counts in `struct object` and `struct space`.  Its generation is
 * that of its id.  Locks: objects.
 */
#ifndef CORE_MAPPING_H
#define CORE_MAPPING_H

#include "abi/status.h"
#include "base/types.h"
#include "core/id_pool.h"

struct mapping {
    uint32_t object, space;
    uint64_t object_generation, space_generation;
    virt_addr_t address;       /* of the first page */
    uint32_t first_page, pages; /* of the object; pages > 0 */
    uint32_t ceiling;          /* CAD_PROT_* the capability allowed; W^X holds of each use */
    uint32_t ledger;
    uint32_t next, previous;   /* in the object's list */
    uint32_t space_next, space_previous; /* in the space's list */
};

struct mapping_table {
    struct mapping *mappings;
    struct id_pool ids;
};

/* Fails: QUOTA_METADATA, QUOTA_COMMITTED (the claim), PRESSURE; state unchanged. */
MUST_CHECK status_t mapping_create(struct core_cpu *cpu, uint32_t object, uint32_t space,
                                   virt_addr_t address, uint32_t first_page, uint32_t pages,
                                   uint32_t ceiling, uint32_t *out);
/* Splits at `pages_before` (0 < pages_before < pages); the new record is the tail.
 * The caller rewrites the tail's entries.  Fails: as mapping_create. */
MUST_CHECK status_t mapping_split(struct core_cpu *cpu, uint32_t mapping, uint32_t pages_before,
                                  uint32_t *tail);
/* Drops pages at one end.  Needs: what is left is not empty. */
void mapping_trim_head(struct core_cpu *cpu, uint32_t mapping, uint32_t pages);
void mapping_trim_tail(struct core_cpu *cpu, uint32_t mapping, uint32_t pages);
/* Its entries are gone.  Gives: true when the object's last reference went with
 * it: the caller queues the object for destruction, after the TLB round. */
bool mapping_destroy(struct core_cpu *cpu, uint32_t mapping);

/*@ // Its last address and its last page of the object have numbers.
    predicate mapping_fits{L}(struct mapping *mapping) =
      mapping->address + mapping->pages * PAGE_SIZE <= UINT64_MAX &&
      mapping->first_page + mapping->pages <= UINT32_MAX;
    predicate mapping_covers{L}(struct mapping *mapping, integer address) =
      mapping->address <= address < mapping->address + mapping->pages * PAGE_SIZE;
*/

/*@ requires \valid_read(mapping) && mapping_fits(mapping);
    requires inside: mapping_covers(mapping, address);
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures page: \result == mapping->first_page + (address - mapping->address) / PAGE_SIZE;
    ensures inside: mapping->first_page <= \result < mapping->first_page + mapping->pages;
*/
static inline uint32_t mapping_page(const struct mapping *mapping, virt_addr_t address)
{
    return mapping->first_page + (uint32_t)((address - mapping->address) / PAGE_SIZE);
}

#endif
