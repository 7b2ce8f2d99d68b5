// SPDX-License-Identifier: BSD-2-Clause
/*
 * Processes: a space, a capability table, a ledger, threads, an exit status.
 *
 * The end of a process is a sequence of bounded steps run by the reaper (EX4):
 * threads end, capabilities are deleted, the space is torn down after its last
 * translation is gone, ledger and table are dropped; only then do waiters see
 * the exit status, so everything it held has been given back.
 */
#ifndef KERNEL_PROCESS_H
#define KERNEL_PROCESS_H

#include "abi/exit.h"
#include "abi/inspect.h"
#include "abi/status.h"
#include "core/id_pool.h"
#include "kernel/lock.h"

struct thread;

enum process_phase { /* of ending, in order */
    PROCESS_PHASE_RUNNING,
    PROCESS_PHASE_THREADS,
    PROCESS_PHASE_CAPS,
    PROCESS_PHASE_SPACE,
    PROCESS_PHASE_ENDED,
};

struct process {
    uint32_t id, parent;
    enum process_phase phase;
    uint32_t references;      /* capabilities, threads, and 1 until ended */
    uint32_t space, table, ledger;
    uint64_t space_generation;
    struct spinlock space_lock; /* rank SPACE: the lock of `space` */
    uint64_t space_cpus;      /* CPUs that may hold translations of it; kernel/tlb.h */
    struct thread *threads;   /* list */
    uint32_t thread_count, ring_next;
    uint64_t foreign_handler;
    uint8_t priority_max;
    uint32_t exit_reason, exit_status;
    uint64_t exit_address;
    struct thread *waiters;
    struct process *reap_next;
    char name[CAD_INSPECT_NAME_BYTES];
    uint64_t run_ns;          /* of threads that have ended */
};

struct process_table {
    struct process *processes;
    struct id_pool ids;
};
extern struct process_table processes;
extern struct spinlock processes_lock;

struct process *process_by_id(uint32_t id); /* NULL if not live */
/* The process whose space it is; spaces name theirs by a side table. */
struct process *process_by_space(uint32_t space);

/* An empty process: space, table, ledger reference, no threads.
 * Takes over the caller's reference on `ledger` when it succeeds.
 * Fails: QUOTA_METADATA, PRESSURE; state unchanged. */
MUST_CHECK status_t process_create(const char *name, uint32_t ledger, uint32_t parent,
                                   uint8_t priority_max, struct process **out);
void process_take(struct process *process);
void process_put(struct process *process);

/* Starts the end (first reason wins); the rest happens in the reaper. */
void process_end(struct process *process, enum cad_exit reason, uint32_t status, uint64_t address);
/* One bounded step of a process's end. Gives: true when it has ended. */
bool process_end_step(struct process *process);

#endif
