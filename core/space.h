// SPDX-License-Identifier: BSD-2-Clause
/*
 * Address spaces with one level of truth: the page-table tree (core/entry.h).
 *
 * Every operation is: check the range, walk it once to check every entry's
 * transition and count what it will charge and which tables it needs, reserve
 * all of that, then walk again and commit.  After the commit line nothing fails.
 *
 * Committed ranges have their leaf tables from commit on, object mappings from
 * map on, so a fault on either never needs a table and never fails for quota;
 * an anonymous fault needs one frame, which the committed charge guarantees.
 * Uniform ranges that are reserved, guard or none stay single entries at the highest
 * level; part of one changes only after it was split, so every operation on part of a
 * range may need tables (QUOTA_METADATA, PRESSURE).  Decommit keeps tables, unmap
 * takes out those it leaves empty.
 *
 * A whole 2 MiB entry that is committed stays one entry, a large page: the first touch of any
 * of its 512 pages fills all, from an aligned run of frames if one is free, else only that page.
 * Its leaf table is charged and stands by (space_large.c), so part of it changes without
 * needing anything.
 *
 * Charges to the space's ledger: virtual pages (reserved and mapped), committed
 * pages (anonymous), metadata bytes (4,096 a table, companion, system page).
 *
 * Anonymous frames are ANON(leaf table, slot), also those of large pages; their `maps` stays 0:
 * owner and detail are the one entry that holds them.  Table frames are KERNEL(TABLE, space) with
 * `maps` = entries that are not NONE (of the root: of its user half; a table that
 * falls to zero is freed) and `detail` = companion frame, which a leaf table has while
 * it has BORROWED entries: word i holds the mapping id of entry i.  A companion's
 * `maps` = those entries, its `detail` = the leaf table.  A SYSTEM frame's `maps` is 1.
 * An OBJECT frame's `maps` = present BORROWED entries.
 *
 * Locks: tables.  An operation locks those of its range by itself (AS6), so that different
 * ranges are worked on side by side.  Callers hold objects where a mapping record is made or
 * dropped (map, unmap, protect of objects; teardown), and nothing of a rank after TABLES.  The
 * CPU has the space loaded, or is asked by each round of it meanwhile (kernel/tlb.h).
 */
#ifndef CORE_SPACE_H
#define CORE_SPACE_H

#include "abi/status.h"
#include "base/types.h"
#include "core/entry.h"
#include "core/frame.h"
#include "core/id_pool.h"

struct space {
    frame_no_t root;
    uint32_t ledger;         /* charged; referenced */
    uint64_t virtual_pages;  /* anonymous reservations and object mappings */
    uint64_t committed_pages, resident_pages; /* anonymous; resident includes HIDDEN */
    uint64_t borrowed_pages;
    uint32_t table_pages;    /* tables, root included, and companions */
    uint32_t system_pages;
    uint32_t mappings;       /* head of its mapping records */
    uint32_t mapping_count;
    virt_addr_t search;      /* a hint where the next search for free addresses starts */
    virt_addr_t teardown;    /* progress of space_teardown_step */
    uint32_t joins_begun, joins_done; /* of CPUs' counts to resident_pages: space_count.c */
};

struct cadastre;

struct space_table {
    struct space *spaces;
    struct id_pool ids;
};

/* Filled by each call.  What a range operation leaves to its host, all after
 * the call: one TLB round if `flush`, then the chain is released, then the dead
 * objects are queued for destruction. */
#define SPACE_DEAD_OBJECTS_MAX 8
struct space_work {
    bool flush;
    virt_addr_t start, end;   /* smallest range that covers what was weakened */
    struct frame_chain chain; /* frames and tables to release after the round */
    uint32_t dead_objects[SPACE_DEAD_OBJECTS_MAX];
    uint32_t dead_count;
    bool more;                /* teardown: dead_objects was full; call again for the rest */
    bool announced;           /* *rounds_owed was raised, before the range's locks were dropped */
    uint32_t *rounds_owed;    /* the host's, set by it before the call; NULL: none */
};

/* Charges are released when entries go, frames only after the round.  So while any
 * chain is held, frames may be short although quota is not: the host lets whoever
 * got PRESSURE then try again once the rounds under way are done. */

/* A range as it came in; the operations trust it only after space_check_range. */
struct user_range {
    virt_addr_t start;
    uint64_t pages;
};

/* Locks: objects.
 * Fails: QUOTA_METADATA, PRESSURE; state unchanged.  The host then fills the
 * kernel half of `root`. */
MUST_CHECK status_t space_create(struct core_cpu *cpu, uint32_t ledger, uint32_t *out);

/* --- anonymous memory (VirtualMemory) --- */

/* Ranges: start page-aligned, not empty, inside user addresses (else INVALID), and below
 * CAD_SYSTEM_BASE (else PROTECTED_RANGE).  Among refusals by entries the lowest address
 * decides.  Protections: core/entry.h's protection_check.  All change nothing when they
 * fail. */

/* `*address` 0: first free range that fits, aligned to the largest page size that
 * divides the request up to 2 MiB; else exactly there.
 * Fails: INVALID (unaligned, zero, outside user addresses), OVERLAP, PROTECTED_RANGE,
 * NO_SPACE, WRITE_EXECUTE, QUOTA_VIRTUAL, QUOTA_METADATA, PRESSURE; state unchanged. */
MUST_CHECK status_t space_reserve(struct core_cpu *cpu, uint32_t space, virt_addr_t *address,
                                  uint64_t pages, uint32_t protection);
/* RESERVED -> COMMITTED (or RESIDENT at once if eager); already committed pages are NOT
 * touched or charged again.  Protection becomes `protection` for newly committed ones.
 * Eager fills as far as frames go now; the rest, and what has no access, stays
 * COMMITTED, which is guaranteed as well.  What fills a whole reserved 2 MiB entry becomes a
 * large page (AS7).  flags: CAD_COMMIT_*.
 * Fails: INVALID, PROTECTED_RANGE, WRITE_EXECUTE, NOT_RESERVED, OVERLAP (NEW, and a page was
 * committed), QUOTA_COMMITTED, QUOTA_METADATA, PRESSURE; state unchanged. */
MUST_CHECK status_t space_commit(struct core_cpu *cpu, uint32_t space, virt_addr_t address,
                                 uint64_t pages, uint32_t protection, uint32_t flags);
/* Back to RESERVED; pages that are RESERVED already stay so.
 * Fails: INVALID, PROTECTED_RANGE, NOT_RESERVED; state unchanged. */
MUST_CHECK status_t space_decommit(struct core_cpu *cpu, uint32_t space, virt_addr_t address,
                                   uint64_t pages, struct space_work *work);
/* What the pages owe; of pages that are only reserved too.  NONE keeps frame, data and
 * charge (VM3).
 * Fails: INVALID, WRITE_EXECUTE, PROTECTED_RANGE, NOT_RESERVED, QUOTA_METADATA and
 * PRESSURE (part of a larger entry); state unchanged. */
MUST_CHECK status_t space_protect(struct core_cpu *cpu, uint32_t space, virt_addr_t address,
                                  uint64_t pages, uint32_t protection, struct space_work *work);
/* Fails: INVALID, PROTECTED_RANGE, NOT_RESERVED, QUOTA_METADATA and PRESSURE (part of a
 * larger entry); state unchanged. */
MUST_CHECK status_t space_unmap(struct core_cpu *cpu, uint32_t space, virt_addr_t address,
                                uint64_t pages, struct space_work *work);

/* --- memory objects --- */

struct object_map_request {
    uint32_t object;
    uint32_t first_page;
    uint64_t pages;
    virt_addr_t address;  /* 0: the space chooses */
    uint32_t protection;
    uint32_t ceiling;     /* from the capability's rights; protection must be within it */
    bool populate;
};
/* Locks: objects and tables.
 * Fails: INVALID, NO_RIGHT (protection above ceiling), OVERLAP, PROTECTED_RANGE, NO_SPACE,
 * WRITE_EXECUTE, QUOTA_VIRTUAL, QUOTA_COMMITTED (claim), QUOTA_METADATA, PRESSURE; unchanged. */
MUST_CHECK status_t space_map_object(struct core_cpu *cpu, uint32_t space,
                                     const struct object_map_request *request,
                                     virt_addr_t *address);
/* Only where every page maps `object`, else WRONG_OBJECT; may split one record.
 * Locks: objects and tables.
 * Fails: INVALID, PROTECTED_RANGE, WRONG_OBJECT; a hole in the middle of one mapping:
 * QUOTA_METADATA, PRESSURE; state unchanged. */
MUST_CHECK status_t space_unmap_object(struct core_cpu *cpu, uint32_t space, uint32_t object,
                                       virt_addr_t address, uint64_t pages,
                                       struct space_work *work);
/* Locks: objects and tables.
 * Fails: INVALID, WRITE_EXECUTE, PROTECTED_RANGE, WRONG_OBJECT, NO_RIGHT: above the
 * ceiling of a mapping; state unchanged. */
MUST_CHECK status_t space_protect_object(struct core_cpu *cpu, uint32_t space, uint32_t object,
                                         virt_addr_t address, uint64_t pages, uint32_t protection,
                                         struct space_work *work);

/* --- the loader and the kernel --- */

/* Fails: INVALID, PROTECTED_RANGE, OVERLAP, QUOTA_METADATA, PRESSURE; state unchanged. */
MUST_CHECK status_t space_guard(struct core_cpu *cpu, uint32_t space, virt_addr_t address,
                                uint64_t pages);
/* A zeroed KERNEL(SYSTEM) page at a SYSTEM address; gives its frame.
 * Fails: INVALID (elsewhere, or no access), WRITE_EXECUTE, OVERLAP, QUOTA_METADATA, PRESSURE;
 * state unchanged. */
MUST_CHECK status_t space_map_system(struct core_cpu *cpu, uint32_t space, virt_addr_t address,
                                     uint32_t protection, frame_no_t *frame);
/* Ends a system mapping (a thread's ring).  Fails: INVALID, NOT_FOUND; state unchanged. */
MUST_CHECK status_t space_unmap_system(struct core_cpu *cpu, uint32_t space, virt_addr_t address,
                                       struct space_work *work);

/* --- faults, and the kernel's own access to user memory --- */

/* Makes a touch with `access` (one CAD_PROT_* bit) possible.
 * Gives: OK, also if it was possible already: then a CPU may still hold what was there
 * before rights grew, so the host drops its own translation of the page.
 * Fails: BAD_ADDRESS: the owed protection forbids it; PRESSURE: out of frames (a broken
 * guarantee: only if memory was overcommitted by the host). */
MUST_CHECK status_t space_fault(struct core_cpu *cpu, uint32_t space, virt_addr_t address,
                                uint32_t access);
struct space_hold {
    frame_no_t frame; /* what a user access reaches */
    frame_no_t table; /* held */
};
/* Same, and holds the page until space_let_go; no lock of a rank up to TABLES is taken in
 * between.  Leaves the entry's accessed and dirty bits as the access would.
 * Fails: as space_fault; nothing is held then. */
MUST_CHECK status_t space_hold(struct core_cpu *cpu, uint32_t space, virt_addr_t address,
                               uint32_t access, struct space_hold *hold);
/* Ends the hold. */
void space_let_go(struct core_cpu *cpu, const struct space_hold *hold);
/* The aligned 32-bit word at `address` as a user's read finds it, without a lock, if its page is
 * there to be read and was before.  Until this CPU answers a round, no operation that takes the
 * page away has ended (0009).  Needs: rounds of the space ask this CPU.  Gives: false: ask
 * space_hold(). */
MUST_CHECK bool space_try_read(const struct core_cpu *cpu, uint32_t space, virt_addr_t address,
                               uint32_t *value);

/* --- seeing --- */

struct space_run {
    virt_addr_t start;
    uint64_t pages;
    enum entry_state state;
    uint32_t protection;
    uint32_t level;         /* of the largest entry in it */
    uint32_t mapping;       /* BORROWED */
    frame_no_t first_frame; /* present or HIDDEN */
};
/* The first run at or after `address` that is not NONE: adjacent entries of one state,
 * protection and mapping, SPACE_RUN_STEPS of them at most, a longer run comes in pieces.
 * It starts with the entry that holds `address` or the next.  Gives: false at the end. */
#define SPACE_RUN_STEPS 65536u
bool space_next_run(struct core_cpu *cpu, uint32_t space, virt_addr_t address,
                    struct space_run *run);
/* The run that holds a user address, NONE included, SPACE_RUN_STEPS entries each way. */
void space_query(struct core_cpu *cpu, uint32_t space, virt_addr_t address,
                 struct space_run *run);
/* The entry's word for an address, 0 where NONE; of a large page, with the page's frame. */
uint64_t space_entry(struct core_cpu *cpu, uint32_t space, virt_addr_t address);
/* Anonymous pages that are present, those that this moment's faults fill included.
 * Locks: none. */
uint64_t space_resident_pages(const struct cadastre *cadastre, uint32_t space);
/* This CPU's own counts join the space's: before it leaves the space for good (its bit in
 * space_cpus), and when it turns to another.  Locks: none. */
void space_cpu_leave(struct core_cpu *cpu);

/* --- the end --- */

/* No CPU runs the space or can see its translations any more, each has left it
 * (space_cpu_leave), and no other operation is made on it.  Looks at `budget` entries and
 * mapping records, and to the end of the table it is in; fills work->chain and
 * work->dead_objects, never asks for a flush.
 * Locks: objects and tables.
 * Gives: true when all is given back and the record is gone (ledger reference included). */
bool space_teardown_step(struct core_cpu *cpu, uint32_t space, uint32_t budget,
                         struct space_work *work);

/* The counters above equal what a walk finds; CHECKs. Cost: O(entries). */
void space_check_invariants(const struct core_cpu *cpu, uint32_t space);

#endif
