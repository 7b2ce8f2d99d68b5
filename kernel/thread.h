// SPDX-License-Identifier: BSD-2-Clause
/*
 * Threads: a saved context and a state.
 *
 * There is no kernel stack behind a thread.  A thread that must wait is put in
 * a queue by thread_block() under the queue's lock; from the unlock on, its CPU
 * does not touch it any more, because another CPU may already run it.  So
 * thread_block() saves the FPU and the time it used before it is published.
 * Whoever wakes it writes results straight into its context.
 *
 * Records are type-stable (the pool never shrinks): a stale pointer finds a
 * record whose generation tells.
 */
#ifndef KERNEL_THREAD_H
#define KERNEL_THREAD_H

#include "abi/status.h"
#include "arch/context.h"
#include "core/id_pool.h"
#include "kernel/lock.h"

struct process;

/* STATE(NAME, name, meaning) */
#define THREAD_STATE_LIST(STATE)                                                                   \
    STATE(READY, ready, "in a run queue")                                                          \
    STATE(RUNNING, running, "current on a CPU")                                                    \
    STATE(CALLING, calling, "queued at an endpoint")                                               \
    STATE(AWAITING_REPLY, awaiting_reply, "its call was received")                                 \
    STATE(RECEIVING, receiving, "waits at an endpoint for a call")                                 \
    STATE(WAITING, waiting, "waits on a notification")                                             \
    STATE(PARKED, parked, "waits on a word of memory")                                             \
    STATE(SLEEPING, sleeping, "waits for the clock")                                               \
    STATE(JOINING, joining, "waits for a thread or process to end")                                \
    STATE(READING, reading, "waits for the console")                                               \
    STATE(ENDED, ended, "will not run again")

/* EDGE(from, to, function) */
#define THREAD_EDGE_LIST(EDGE)                                                                     \
    EDGE(READY, RUNNING, scheduler_pick)                                                           \
    EDGE(RUNNING, READY, scheduler_preempt)                                                        \
    EDGE(RUNNING, CALLING, thread_block)                                                           \
    EDGE(RUNNING, AWAITING_REPLY, thread_block)                                                    \
    EDGE(CALLING, AWAITING_REPLY, endpoint_receive)                                                \
    EDGE(RUNNING, RECEIVING, thread_block)                                                         \
    EDGE(RUNNING, WAITING, thread_block)                                                           \
    EDGE(RUNNING, PARKED, thread_block)                                                            \
    EDGE(RUNNING, SLEEPING, thread_block)                                                          \
    EDGE(RUNNING, JOINING, thread_block)                                                           \
    EDGE(RUNNING, READING, thread_block)                                                           \
    EDGE(CALLING, READY, thread_wake)                                                              \
    EDGE(AWAITING_REPLY, READY, thread_wake)                                                       \
    EDGE(RECEIVING, READY, thread_wake)                                                            \
    EDGE(WAITING, READY, thread_wake)                                                              \
    EDGE(PARKED, READY, thread_wake)                                                               \
    EDGE(SLEEPING, READY, thread_wake)                                                             \
    EDGE(JOINING, READY, thread_wake)                                                              \
    EDGE(READING, READY, thread_wake)                                                              \
    EDGE(RUNNING, ENDED, thread_end)                                                               \
    EDGE(READY, ENDED, thread_end)

#define THREAD_STATE_ENUM(NAME, name, meaning) THREAD_##NAME,
enum thread_state { THREAD_STATE_LIST(THREAD_STATE_ENUM) };
#undef THREAD_STATE_ENUM

struct thread {
    struct arch_context context; /* user registers; message words are in them */
    struct arch_fpu fpu;
    uint32_t id;
    enum thread_state state;     /* written by thread_set_state alone */
    struct process *process;     /* referenced */
    uint32_t references;         /* capabilities, and 1 until it has ended */
    uint8_t priority;
    bool killed;                 /* must end at the next way out of the kernel */
    bool in_ring;                /* runs a ring batch: see kernel/ring.h */
    uint32_t cpu;                /* where it ran last */

    struct thread *queue_next, *queue_previous; /* run queue or the one it waits in */
    struct thread *process_next, *process_previous;
    struct thread *joiners;      /* who waits for its end */

    /* waiting */
    void *wait_queue;            /* the endpoint, notification... of its state; NULL: none */
    uint64_t deadline_ns;
    uint32_t timer_position;     /* in the timer heap, 0: not there */

    /* calling: reply tokens are (id, call_generation); the server must be the receiver's process */
    uint64_t call_generation;
    uint64_t badge;              /* of the capability it calls through */
    uint32_t server;             /* process id that received its call */
    uint32_t transit[4], transit_count; /* capability slots in transit (table ID_NONE) */

    /* ring batch */
    struct arch_context ring_saved;
    uint32_t ring_remaining, ring_completed;
    uint64_t ring_address;       /* 0: no ring */

    uint64_t run_ns, run_started_ns, switches;
};

struct thread_table {
    struct thread *threads;
    struct id_pool ids;
};
extern struct thread_table threads;

struct thread *thread_by_id(uint32_t id); /* NULL if not live */
static inline uint64_t thread_generation(const struct thread *thread)
{
    return threads.ids.slots[thread->id].generation;
}

/* A thread that is READY once thread_start is called; charged to the process's ledger.
 * Fails: QUOTA_THREADS, QUOTA_METADATA, PRESSURE, DISCONNECTED (process is ending). */
MUST_CHECK status_t thread_create(struct process *process, uint8_t priority, uint64_t pc,
                                  uint64_t sp, uint64_t argument, uint64_t tls, uint64_t runtime,
                                  struct thread **out);
void thread_start(struct thread *thread);

/* The current thread waits: FPU and time saved, state set, deadline armed.
 * Needs: the lock of `wait_queue` held; the caller enqueues it and unlocks, then
 * returns DISPATCH_BLOCKED. */
void thread_block(struct thread *thread, enum thread_state state, void *wait_queue,
                  uint64_t deadline_ns);
/* Out of its queue already; results are in its context.  Sets the call's status, makes it READY. */
void thread_wake(struct thread *thread, status_t status);

/* Ends a thread wherever it is: takes it out of the queue it waits in, or marks it
 * killed and interrupts its CPU. */
void thread_kill(struct thread *thread);
/* The current thread ends; the way out of the kernel picks another. */
void thread_end_current(void);

#endif
