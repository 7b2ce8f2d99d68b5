// SPDX-License-Identifier: BSD-2-Clause
/*
 * The audit (IN1): every structure of core/ against every other.
 *
 * It derives each number a second time from the structures that cause it, and
 * compares: what each ledger has used, from all that holds something; reference
 * counts, from all that refers; `maps`, from page-table entries; and it marks
 * every frame it reaches, so that none is reached twice and none that has an
 * owner is out of its owner's reach.
 *
 * It believes nothing it has not checked: numbers are compared with their limits
 * before use, lists are cut at the longest they could be, walks at the number of
 * tables the space says it has.  So a corrupt structure is reported and not followed.
 *
 * It sees core/ alone.  What the host holds beyond capabilities (its records'
 * charges, references of processes and of objects under way) the host adds when
 * asked, by the audit_host_* functions.
 *
 * Needs: nothing changes meanwhile, no operation is half done (chains of frames in
 * quarantine may be: the host says how many frames they hold).
 * Changes nothing but the scratch memory.  Cost: O(frames + records + entries).
 */
#ifndef CORE_AUDIT_H
#define CORE_AUDIT_H

#include "abi/inspect.h"
#include "abi/interfaces.h"
#include "core/cadastre.h"

/* CHECK(NAME, requirement, kind of `id`, what does not hold) */
#define AUDIT_CHECK_LIST(CHECK)                                                                    \
    CHECK(FRAME_SUM, "FR1", "frame", "states sum to the machine's frames")                         \
    CHECK(FRAME_STATE, "FR1", "frame", "state and kind exist")                                     \
    CHECK(FRAME_RESERVED, "FR2", "frame", "frame 0 is reserved")                                   \
    CHECK(FRAME_EXISTS, "FR1", "frame", "a frame that is referred to exists")                      \
    CHECK(FRAME_ONCE, "FR1", "frame", "reached once")                                              \
    CHECK(FRAME_LOST, "FR1", "frame", "reached from its owner")                                    \
    CHECK(FRAME_FREE_LIST, "FR5", "frame", "free lists and blocks agree")                          \
    CHECK(FRAME_FREE_COUNT, "FR1", "frame", "free frames in lists as counted")                     \
    CHECK(FRAME_MAGAZINE, "FR6", "frame", "a magazine's frame is free and marked")                 \
    CHECK(FRAME_ZEROED, "FR5", "frame", "a frame set aside as zeroed is zero")                     \
    CHECK(FRAME_QUARANTINE, "TL2", "frame", "frames in quarantine as the host holds")              \
    CHECK(FRAME_PINS, "MO5", "frame", "nothing pins it")                                           \
    CHECK(FRAME_MAPS_NONE, "FR3", "frame", "maps is 0 in this state")                              \
    CHECK(POOL, "CP1", "pool", "live, free and retired ids as counted")                            \
    CHECK(POOL_GENERATION, "CP1", "pool", "generation in its range")                               \
    CHECK(LEDGER_PARENT, "LG6", "ledger", "parent lives")                                          \
    CHECK(LEDGER_DONATED, "LG6", "ledger", "donated is the sum of its children's limits")          \
    CHECK(LEDGER_CHILDREN, "LG6", "ledger", "children as counted")                                 \
    CHECK(LEDGER_SUM, "LG6", "ledger", "limit covers available and donated")                       \
    CHECK(LEDGER_USED, "LG2", "ledger", "used is what its holders hold")                           \
    CHECK(LEDGER_REFERENCES, "LG2", "ledger", "references as counted")                             \
    CHECK(CHARGED_LEDGER, "LG5", "ledger", "a ledger that is charged lives")                       \
    CHECK(UNTYPED_RANGE, "UT1", "untyped", "inside its parent's used part")                        \
    CHECK(UNTYPED_CHILDREN, "UT3", "untyped", "children as counted")                               \
    CHECK(UNTYPED_REFERENCES, "UT2", "untyped", "references as counted")                           \
    CHECK(UNTYPED_FRAME, "UT1", "frame", "frame of an untyped is its own")                         \
    CHECK(OBJECT_SHAPE, "MO3", "object", "kind, size, height and life agree")                      \
    CHECK(OBJECT_FRAME, "FR1", "frame", "page of an object says so")                               \
    CHECK(OBJECT_NODE, "FR1", "frame", "index node of an object says so")                          \
    CHECK(OBJECT_REFERENCES, "MO2", "object", "references as counted")                             \
    CHECK(OBJECT_MAPPINGS, "MO4", "object", "its list of mappings")                                \
    CHECK(OBJECT_MAPS, "MO4", "frame", "maps is the number of entries that show it")               \
    CHECK(CLAIM_LIST, "LG4", "object", "its list of claims")                                       \
    CHECK(CLAIM_REASONS, "LG4", "claim", "count is the reasons to pay")                            \
    CHECK(MAPPING_IDENTITY, "MO3", "mapping", "object, space and generations live")                \
    CHECK(MAPPING_RANGE, "MO3", "mapping", "pages inside the object, addresses the user's")        \
    CHECK(MAPPING_CEILING, "AS3", "mapping", "protection within the ceiling")                      \
    CHECK(MAPPING_ENTRIES, "MO4", "space", "entries that borrow are its mappings' pages")          \
    CHECK(SPACE_MAPPINGS, "MO3", "space", "its list of mappings")                                  \
    CHECK(SPACE_COUNTERS, "AS1", "space", "counters are what a walk finds")                        \
    CHECK(ENTRY_STATE, "AS1", "space", "an entry's state exists at its level")                     \
    CHECK(ENTRY_WORD, "AS1", "space", "an entry's bits are its state's")                           \
    CHECK(ENTRY_WRITE_EXECUTE, "AS3", "space", "never writable and executable")                    \
    CHECK(ENTRY_TABLE, "AS2", "space", "a table of the space, not too many")                       \
    CHECK(ENTRY_TABLE_COUNT, "AS2", "frame", "maps is the table's entries")                        \
    CHECK(ENTRY_ANON, "FR1", "frame", "a private page is owned by its entry")                      \
    CHECK(ENTRY_BORROWED, "MO3", "space", "a borrowed page is its mapping's")                      \
    CHECK(ENTRY_COMPANION, "MO3", "frame", "a companion is its table's and counts its ids")        \
    CHECK(ENTRY_SYSTEM, "VM4", "frame", "a system page is the space's, at its addresses")          \
    CHECK(SLOT_TABLE, "CP3", "slot", "in one table's list")                                        \
    CHECK(SLOT_TREE, "CP2", "slot", "derivation links agree")                                      \
    CHECK(SLOT_NARROWS, "CP1", "slot", "rights and object are within its parent's")                \
    CHECK(SLOT_OBJECT, "CP1", "slot", "its object lives")

#define AUDIT_CHECK_ENUM(NAME, requirement, kind, what) AUDIT_##NAME,
enum audit_check { AUDIT_CHECK_LIST(AUDIT_CHECK_ENUM) };
#undef AUDIT_CHECK_ENUM

/* What one ledger should say, summed from all its holders. */
struct audit_ledger {
    uint64_t used[CAD_RESOURCE_COUNT];
    uint64_t donated[CAD_RESOURCE_COUNT];
    uint64_t references, children;
};

/* What one untyped should say. */
struct audit_untyped {
    uint32_t references, children;
};

/* Memory of the caller's: an entry for each index the pool may have now
 * (id_pool.capacity), a bit for each frame number below `frame_limit`. */
struct audit_scratch {
    struct audit_ledger *ledgers;
    struct audit_untyped *untypeds;
    uint32_t *object_references;
    uint32_t *claim_reasons;
    uint64_t *reached;
    frame_no_t frame_limit; /* one more than the highest that exists */
};

struct audit;

struct audit_host {
    void *context;
    /* One thing that does not add up; called as often as there are. */
    void (*report)(void *context, const struct cad_violation *violation);
    /* Adds what the host holds, by audit_host_*. */
    void (*add_holdings)(void *context, struct audit *audit);
    const struct core_cpu *const *cpus; /* all that have a magazine */
    uint32_t cpu_count;
    uint64_t quarantined; /* frames in chains under way */
};

struct audit_result {
    uint64_t checks, violations;
};

/* Needs: scratch of the sizes above; it need not be cleared. */
void audit_run(const struct core_cpu *cpu, const struct audit_host *host,
               const struct audit_scratch *scratch, struct audit_result *result);

/* --- from add_holdings alone; `id` that does not live is itself a violation --- */

/* A host's record charged `amount` to the ledger. */
void audit_host_charge(struct audit *audit, uint32_t ledger, enum cad_resource what,
                       uint64_t amount);
void audit_host_ledger(struct audit *audit, uint32_t ledger);
/* A reference to the object and a claim for the ledger, beside those of capabilities. */
void audit_host_object(struct audit *audit, uint32_t object, uint32_t ledger);
void audit_host_untyped(struct audit *audit, uint32_t untyped);

/* The text that its violations carry. */
const char *audit_check_what(enum audit_check check);

#endif
