// SPDX-License-Identifier: BSD-2-Clause
/*
 * ResourceLedger: a tree of budgets.
 *
 * For each resource:  limit = available + used + donated, where `used` is what
 * this ledger's holders keep alive and `donated` what its children's limits
 * hold (LG6: so the sum of guarantees never exceeds the root's, which is the
 * machine's memory).  Only limit, available and donated are stored.
 *
 * Reserve takes from available; commit and release are its two ends: what is
 * reserved is already charged, so a later step cannot fail for quota (LG3);
 * roll back is release.  These touch one word, atomically, and need no lock;
 * nor do references, as who adds one has one.  Donation and the tree's shape,
 * creation and collection: Locks: ledgers.
 */
#ifndef CORE_LEDGER_H
#define CORE_LEDGER_H

#include "abi/interfaces.h"
#include "abi/status.h"
#include "base/types.h"
#include "core/id_pool.h"

#define LEDGER_NAME_BYTES 24

struct ledger {
    uint32_t parent;     /* ID_NONE: the root */
    uint32_t children;
    uint32_t references; /* capabilities and holders (processes, objects, spaces...); atomic */
    uint32_t host_dying; /* the host's: objects charged here that it still destroys; atomic */
    uint64_t limit[CAD_RESOURCE_COUNT];
    uint64_t available[CAD_RESOURCE_COUNT]; /* atomic */
    uint64_t donated[CAD_RESOURCE_COUNT];
    char name[LEDGER_NAME_BYTES];
};

struct ledger_table {
    struct ledger *ledgers;
    struct id_pool ids;
};

/*@ // LG6, of one word, in mathematical integers: so no sum below can wrap.
    predicate ledger_word_ok{L}(struct ledger *ledger, integer what) =
      ledger->available[what] + ledger->donated[what] <= ledger->limit[what];
    logic integer ledger_in_use{L}(struct ledger *ledger, integer what) =
      ledger->limit[what] - ledger->donated[what] - ledger->available[what];
    predicate ledger_word_is{L}(struct ledger *ledger, integer what, integer limit,
                                integer available, integer donated) =
      ledger->limit[what] == limit && ledger->available[what] == available &&
      ledger->donated[what] == donated;
*/

/* The root, with limits of the whole machine. Boot only; one reference is the caller's.
 * Fails: PRESSURE; state unchanged. */
MUST_CHECK status_t ledger_create_root(struct core_cpu *cpu,
                                       const uint64_t limits[CAD_RESOURCE_COUNT], uint32_t *out);
/* An empty child; its record is charged to the parent (metadata). One reference is the caller's.
 * Fails: QUOTA_METADATA, PRESSURE; state unchanged. */
MUST_CHECK status_t ledger_create_child(struct core_cpu *cpu, uint32_t parent, const char *name,
                                        uint32_t *out);
/* Needs: a reference that keeps it alive meanwhile.  Locks: none. */
void ledger_take(struct core_cpu *cpu, uint32_t ledger);
/* Same for who has none.  Gives: false if the last one is gone.
 * Needs: live, and kept from being collected: Locks: ledgers. */
MUST_CHECK bool ledger_try_take(struct core_cpu *cpu, uint32_t ledger);
/* Drops a reference; after the last, tells host.ledger_idle.
 * Locks: none (and not ledgers, which the hook may take). */
void ledger_put(struct core_cpu *cpu, uint32_t ledger);
/* If the ledger lives without references and children, what it was given goes
 * back to its parent and the record dies; then the same for the parent (bounded
 * by depth).  Else nothing: so a late or second call does no harm.
 * CHECKs that nothing is used then.  Locks: ledgers. */
void ledger_collect(struct core_cpu *cpu, uint32_t ledger);

/* All or nothing.  Fails: the resource's QUOTA_*; state unchanged. */
MUST_CHECK status_t ledger_reserve(struct core_cpu *cpu, uint32_t ledger, enum cad_resource what,
                                   uint64_t amount);
/* Exact inverse; CHECKs that it does not give back more than is used (LG2). */
void ledger_release(struct core_cpu *cpu, uint32_t ledger, enum cad_resource what, uint64_t amount);

/* Moves `amount` of what the ledger has available into its child's limit.  Locks: ledgers.
 * Fails: INVALID: no such resource, or child's parent is not ledger; the QUOTA_* of the
 * resource; state unchanged. */
MUST_CHECK status_t ledger_donate(struct core_cpu *cpu, uint32_t ledger, uint32_t child,
                                  enum cad_resource what, uint64_t amount);
/* Moves `amount` of what the child has available back.  Locks: ledgers.
 * Fails: INVALID as above; UNCHARGED: more than was donated or is unused; state unchanged. */
MUST_CHECK status_t ledger_take_back(struct core_cpu *cpu, uint32_t ledger, uint32_t child,
                                     enum cad_resource what, uint64_t amount);

/* Exact while nobody donates; never below the truth otherwise by more than one donation. */
/*@ requires \valid_read(ledger) && 0 <= what < CAD_RESOURCE_COUNT;
    requires ledger_word_ok(ledger, what);
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures \result == ledger_in_use(ledger, what);
*/
uint64_t ledger_used(const struct ledger *ledger, enum cad_resource what);
/*@ terminates \true;
    exits   \false;
    assigns \nothing;
    ensures own: 0 <= what < CAD_RESOURCE_COUNT ==> \result == CAD_QUOTA_VIRTUAL + what;
    ensures refusal: \result != CAD_OK;
*/
status_t ledger_quota_status(enum cad_resource what);
const char *ledger_resource_name(enum cad_resource what);

#endif
