/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records that inspector.read gives, and audit's.  All are facts at one moment;
 * ids are the kernel's indices, generations tell reuse.  0 in an id means none.
 */
#ifndef ABI_INSPECT_H
#define ABI_INSPECT_H

#include "abi/interfaces.h"
#include "abi/types.h"

/* INSPECT(NAME, number, record, meaning of `first` and `argument`) */
#define CAD_INSPECT_LIST(INSPECT)                                                                  \
    INSPECT(FRAME_STATES, 1, cad_frame_count, "first: state; one record a state and kind")         \
    INSPECT(FRAMES, 2, cad_frame_info, "first: frame number")                                      \
    INSPECT(LEDGERS, 3, cad_ledger_info, "first: ledger id")                                       \
    INSPECT(PROCESSES, 4, cad_process_info, "first: process id")                                   \
    INSPECT(THREADS, 5, cad_thread_info, "first: thread id")                                       \
    INSPECT(SPACE, 6, cad_space_run, "first: address; argument: process id; uniform runs")         \
    INSPECT(OBJECTS, 7, cad_object_info, "first: object id")                                       \
    INSPECT(MAPPINGS, 8, cad_mapping_info, "first: mapping id")                                    \
    INSPECT(CLAIMS, 9, cad_claim_info, "first: claim id")                                          \
    INSPECT(CAPS, 10, cad_cap_info, "first: slot; argument: process id, 0 for all")                \
    INSPECT(COUNTERS, 11, cad_counter, "first: counter number; TLB, scheduler, traps")             \
    INSPECT(UNTYPEDS, 12, cad_untyped_info, "first: untyped id")                                   \
    INSPECT(TRACE, 13, cad_trace_record, "first: sequence number")

#define CAD_INSPECT_ENUM(NAME, number, record, meaning) CAD_INSPECT_##NAME = number,
enum cad_inspect { CAD_INSPECT_LIST(CAD_INSPECT_ENUM) };
#undef CAD_INSPECT_ENUM

#define CAD_INSPECT_NAME_BYTES 24

struct cad_frame_count {
    char state[CAD_INSPECT_NAME_BYTES]; /* frame state, or KERNEL kind as "kernel:..." */
    uint64_t frames;
};

struct cad_frame_info {
    uint32_t frame;
    uint32_t maps;
    uint32_t pins;
    uint32_t owner;  /* meaning by state: see core/frame.h */
    uint32_t detail;
    uint32_t reserved;
    char state[CAD_INSPECT_NAME_BYTES];
    char owner_kind[CAD_INSPECT_NAME_BYTES]; /* "untyped", "space", "object", "table"... */
};

struct cad_ledger_info {
    uint32_t id, parent;
    uint64_t generation;
    uint64_t used[CAD_RESOURCE_COUNT];
    uint64_t limit[CAD_RESOURCE_COUNT];
    uint64_t donated[CAD_RESOURCE_COUNT];
    char name[CAD_INSPECT_NAME_BYTES];
};

struct cad_process_info {
    uint32_t id, space, ledger, parent;
    uint32_t threads, state; /* CAD_PROCESS_* */
    uint32_t exit_reason, exit_status;
    uint64_t caps, reserved_pages, committed_pages, resident_pages, table_pages, run_ns;
    char name[CAD_INSPECT_NAME_BYTES];
};
enum { CAD_PROCESS_RUNNING = 1, CAD_PROCESS_ENDING = 2, CAD_PROCESS_ENDED = 3 };

struct cad_thread_info {
    uint32_t id, process;
    uint32_t cpu, priority;
    uint64_t run_ns, switches;
    char state[CAD_INSPECT_NAME_BYTES];
};

struct cad_space_run {
    uint64_t start, pages;
    uint32_t protection;   /* CAD_PROT_*; what is owed */
    uint32_t mapping;      /* mapping id of object runs */
    uint32_t object, first_page;
    uint32_t level;        /* level of the entries: 0 is 4 KiB */
    uint32_t first_frame;  /* of present and hidden runs */
    char state[CAD_INSPECT_NAME_BYTES];
};

struct cad_object_info {
    uint32_t id, kind;
    uint64_t generation, pages;
    uint32_t references, mappings, claims, untyped;
    uint64_t pins;
    uint32_t first_frame, reserved;
};

struct cad_mapping_info {
    uint32_t id, object;
    uint32_t space, ledger;
    uint64_t generation, object_generation, space_generation;
    uint64_t address, first_page, pages;
    uint32_t ceiling, process;
};

struct cad_claim_info {
    uint32_t id, object, ledger, count;
    uint64_t pages;
};

struct cad_cap_info {
    cap_id_t cap;
    uint32_t slot, process;
    uint32_t interface, rights;
    uint32_t object, parent_slot;
    uint64_t object_generation, badge;
    uint32_t children, transferable;
};

struct cad_counter {
    char name[CAD_INSPECT_NAME_BYTES + 8];
    uint64_t value;
};

struct cad_untyped_info {
    uint32_t id, parent;
    uint32_t first_frame, pages;
    uint32_t used_pages, children;
};

struct cad_trace_record {
    uint64_t sequence, time_ns;
    uint32_t cpu, thread;
    uint32_t call, status;
    uint64_t object;
};

/* One thing that does not add up: `check` names the invariant (docs/invariants.md). */
struct cad_violation {
    char requirement[8];
    char what[48];
    char kind[16];         /* of `id`: frame, ledger, space, object, mapping, slot ... */
    uint64_t id, other;
    uint64_t expected, found;
};

#endif
