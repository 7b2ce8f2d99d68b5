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
#include "kernel/thread.h"

enum process_phase {       /* of ending, in order; Locks: processes */
    PROCESS_PHASE_RUNNING,
    PROCESS_PHASE_THREADS, /* no new thread; those it has are ended */
    PROCESS_PHASE_CALLS,   /* callers that wait for its reply are disconnected */
    PROCESS_PHASE_CAPS,    /* capabilities are deleted, then the table */
    PROCESS_PHASE_SPACE,   /* translations off all CPUs, then the space */
    PROCESS_PHASE_OBJECTS, /* objects charged to its ledger that are still being destroyed */
    PROCESS_PHASE_ENDED,
};

struct process {
    uint32_t id, parent;
    enum process_phase phase;
    uint32_t references;      /* atomic: capabilities, threads, and 1 until ended */
    uint32_t space, table;    /* ID_NONE once they are gone */
    uint32_t ledger;          /* its budget; referenced until it has ended, then ID_NONE */
    uint32_t payer;           /* its ledger's parent (the root's own: the root); referenced; pays
                               * sizeof(struct process) while the record lives, so that a
                               * handle on an ended process holds none of its budget */
    uint64_t space_generation;
    frame_no_t root;          /* of its space's tables */
    uint64_t space_name;      /* no other space ever has it: core/asid.h */
    uint64_t space_changes;   /* that weakened its entries, if the machine has tags; atomic */
    uint64_t space_cpus;      /* CPUs that may use translations of it; kernel/tlb.h */
    uint64_t space_visitors;  /* CPUs that work on its tables and may not have it loaded; same */
    uint32_t rounds_owed;     /* by operations on its space; atomic; kernel/tlb.h */
    struct thread *threads, *last_thread; /* list; Locks: processes */
    uint32_t thread_count, ring_next;
    uint32_t parked_count;    /* atomic: its threads' park waiters */
    uint32_t end_cursor;      /* progress inside a phase */
    bool end_waits;           /* the reaper waits for the last thread; Locks: processes */
    bool has_served;          /* it received a call once */
    bool building;            /* not spawned yet: process_try_take() does not find it; atomic */
    uint64_t foreign_handler;
    uint8_t priority_max;
    uint32_t exit_reason, exit_status;
    uint64_t exit_address;
    struct wait_list waiters; /* waiters_lock */
    struct process *reap_next;
    char name[CAD_INSPECT_NAME_BYTES];
    uint64_t run_cycles;      /* of threads that have ended */
};

struct process_table {
    struct process *processes;
    struct id_pool ids;
};
extern struct process_table processes;
extern struct spinlock processes_lock;

/* A reference on the process that (id, generation) names.  Gives: NULL if it is gone. */
struct process *process_try_take(uint32_t id, uint64_t generation);
static inline uint64_t process_generation(const struct process *process)
{
    return processes.ids.slots[process->id].generation;
}
/* The process whose space it was made for; NULL for none.  It lives as long as the space. */
struct process *process_by_space(uint32_t space);

/* An empty process: space, table, ledger reference, no threads.
 * Takes over the caller's reference on `ledger` when it succeeds.
 * Fails: QUOTA_METADATA, PRESSURE; state unchanged. */
MUST_CHECK status_t process_create(const char *name, uint32_t ledger, uint32_t parent,
                                   uint8_t priority_max, struct process **out);
/* A thread waits for the end: the results are there, or it blocks.  For process.wait. */
MUST_CHECK status_t process_join(struct process *process, struct thread *thread,
                                 uint64_t deadline_ns);
/* The process whose end ends the machine (main.c). */
extern uint32_t init_process;
/* Cycles from the machine's entry to init's first instruction. */
extern uint64_t boot_cycles;
_Noreturn void init_ended(const struct process *process);
void process_take(struct process *process);
void process_put(struct process *process);

/* Starts the end (first reason wins); the rest happens in the reaper.  Needs: no lock held. */
void process_end(struct process *process, enum cad_exit reason, uint32_t status, uint64_t address);
/* Marks it as ending.  Gives: whether this call did; the caller then queues it for the reaper.
 * Locks: processes. */
bool process_end_begin(struct process *process, enum cad_exit reason, uint32_t status,
                       uint64_t address);
/* Its space is gone.  Needs: nobody can enter it. */
void process_forget_space(struct process *process);
/* Locks: processes. */
void process_add_thread(struct process *process, struct thread *thread);
/* Its thread has ended and leaves the list.  Needs: no lock held. */
void process_unlink_thread(struct process *process, struct thread *thread);
/* After that thread's own reference was dropped; the last one gone ends the process. */
void process_thread_gone(struct process *process);

/* One bounded step of a process's end; the reaper's.
 * Gives: whether there is more to do now (not: ended, or its last thread will queue it again). */
bool process_end_step(struct process *process);
/* Runs the whole end here: for a process that nobody else ever saw. */
void process_end_now(struct process *process);

#endif
