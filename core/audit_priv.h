// SPDX-License-Identifier: BSD-2-Clause
/*
 * Inside of core/audit*.c: the state of one audit and how it reports.
 *
 *   audit.c          order of work, pools, ledgers, untypeds
 *   audit_frame.c    free lists, magazines, states; marks, and who was not reached
 *   audit_space.c    page tables
 *   audit_object.c   objects, claims, mapping records
 *   audit_cap.c      slots, tables, derivation
 */
#ifndef CORE_AUDIT_PRIV_H
#define CORE_AUDIT_PRIV_H

#include "core/audit.h"

struct audit {
    const struct core_cpu *cpu;
    const struct cadastre *cadastre;
    const struct audit_host *host;
    const struct audit_scratch *scratch;
    uint64_t checks, violations;
};

/* Counts a check. Gives: whether found is what was expected; else it is reported. */
bool audit_equal(struct audit *audit, enum audit_check check, uint64_t id, uint64_t other,
                 uint64_t expected, uint64_t found);
/* Same for a condition: expected 1, found 0. */
bool audit_true(struct audit *audit, enum audit_check check, uint64_t id, uint64_t other,
                bool holds);

/* A holder charged this; reports a ledger that does not live (`holder` is the other id). */
void audit_charge(struct audit *audit, uint32_t ledger, uint32_t holder, enum cad_resource what,
                  uint64_t amount);
void audit_ledger_reference(struct audit *audit, uint32_t ledger, uint32_t holder);
/* One more capability or host's hold on an object, paid by `ledger`. */
void audit_object_reference(struct audit *audit, uint32_t object, uint32_t ledger);
void audit_untyped_reference(struct audit *audit, uint32_t untyped, uint32_t holder);

/* audit_frame.c.  Gives: the frame exists and was not reached before; `from` says from where. */
bool audit_reach(struct audit *audit, frame_no_t frame, uint64_t from);
void audit_free_lists(struct audit *audit);
void audit_frames(struct audit *audit); /* after all that reaches */

void audit_spaces(struct audit *audit);
/* The leaf word of a user address, 0 where tables do not lead to one. */
uint64_t audit_entry(const struct audit *audit, uint32_t space, virt_addr_t address);

void audit_mappings(struct audit *audit); /* each by itself */
void audit_objects(struct audit *audit);  /* after spaces and capabilities */
void audit_caps(struct audit *audit);

#endif
