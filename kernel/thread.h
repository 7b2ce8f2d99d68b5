// SPDX-License-Identifier: BSD-2-Clause
/*
 * Threads: a saved context and a state.
 *
 * There is no kernel stack behind a thread.  A thread that must wait is put in
 * a list by thread_block() under the list's lock; from the unlock on, its CPU
 * does not touch it any more, because another CPU may already run it.  So
 * thread_block() saves its registers and the time it used before that.
 * Whoever wakes it writes results straight into its context.
 *
 * A waiting thread belongs to whoever took it out of its list under
 * `wait_lock` (AWAITING_REPLY: whoever turned call_generation even).  That one
 * wakes it, ends it, or puts it back; all others who want it wait meanwhile.
 *
 * Records are type-stable (the pool never shrinks): a stale pointer finds a
 * record whose generation tells.
 */
#ifndef KERNEL_THREAD_H
#define KERNEL_THREAD_H

#include "abi/invoke.h"
#include "abi/ring.h"
#include "abi/status.h"
#include "arch/context.h"
#include "base/assert.h"
#include "base/atomic.h"
#include "base/types.h"
#include "core/id_pool.h"
#include "kernel/lock.h"
#include "kernel/starvation.h"

struct process;

/* STATE(NAME, name, meaning) */
#define THREAD_STATE_LIST(STATE)                                                                   \
    STATE(CREATED, created, "not started yet")                                                     \
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

/* EDGE(from, to, function).  A waiting state goes back to RUNNING when the
 * thread was killed before it was in its list. */
#define THREAD_EDGE_LIST(EDGE)                                                                     \
    EDGE(CREATED, READY, thread_start)                                                             \
    EDGE(CREATED, ENDED, thread_kill)                                                              \
    EDGE(READY, RUNNING, scheduler_pick)                                                           \
    EDGE(READY, READY, scheduler_set_priority)                                                     \
    EDGE(READY, ENDED, thread_kill)                                                                \
    EDGE(RUNNING, READY, scheduler_preempt)                                                        \
    EDGE(RUNNING, ENDED, thread_finish)                                                            \
    EDGE(RUNNING, CALLING, thread_block)                                                           \
    EDGE(CALLING, RUNNING, thread_block)                                                           \
    EDGE(CALLING, READY, thread_wake)                                                              \
    EDGE(CALLING, ENDED, thread_kill)                                                              \
    EDGE(CALLING, AWAITING_REPLY, endpoint_receive)                                                \
    EDGE(RUNNING, AWAITING_REPLY, thread_block)                                                    \
    EDGE(AWAITING_REPLY, RUNNING, scheduler_hand_over)                                             \
    EDGE(AWAITING_REPLY, READY, thread_wake)                                                       \
    EDGE(AWAITING_REPLY, ENDED, thread_kill)                                                       \
    EDGE(RUNNING, RECEIVING, thread_block)                                                         \
    EDGE(RECEIVING, RUNNING, scheduler_hand_over)                                                  \
    EDGE(RECEIVING, READY, thread_wake)                                                            \
    EDGE(RECEIVING, ENDED, thread_kill)                                                            \
    EDGE(RUNNING, WAITING, thread_block)                                                           \
    EDGE(WAITING, RUNNING, thread_block)                                                           \
    EDGE(WAITING, READY, thread_wake)                                                              \
    EDGE(WAITING, ENDED, thread_kill)                                                              \
    EDGE(RUNNING, PARKED, thread_block)                                                            \
    EDGE(PARKED, RUNNING, thread_block)                                                            \
    EDGE(PARKED, READY, thread_wake)                                                               \
    EDGE(PARKED, ENDED, thread_kill)                                                               \
    EDGE(RUNNING, SLEEPING, thread_block)                                                          \
    EDGE(SLEEPING, RUNNING, thread_block)                                                          \
    EDGE(SLEEPING, READY, thread_wake)                                                             \
    EDGE(SLEEPING, ENDED, thread_kill)                                                             \
    EDGE(RUNNING, JOINING, thread_block)                                                           \
    EDGE(JOINING, RUNNING, thread_block)                                                           \
    EDGE(JOINING, READY, thread_wake)                                                              \
    EDGE(JOINING, ENDED, thread_kill)                                                              \
    EDGE(RUNNING, READING, thread_block)                                                           \
    EDGE(READING, RUNNING, thread_block)                                                           \
    EDGE(READING, READY, thread_wake)                                                              \
    EDGE(READING, ENDED, thread_kill)

#define THREAD_STATE_ENUM(NAME, name, meaning) THREAD_##NAME,
enum thread_state { THREAD_STATE_LIST(THREAD_STATE_ENUM) };
#undef THREAD_STATE_ENUM

/* Threads that wait for one thing, first come first served.
 * Locks: what thread_block() was given. */
struct wait_list {
    struct thread *head, *tail;
};

#define RING_PAGES (CAD_RING_BYTES / PAGE_SIZE)

struct thread {
    struct arch_context context; /* user registers; message words are in them */
    struct arch_fpu fpu;
    uint32_t id;
    enum thread_state state;     /* written by thread_set_state alone */
    struct process *process;     /* referenced */
    uint32_t ledger;             /* referenced; pays sizeof(struct thread) while the record
                                  * lives, and one of THREADS until the thread has ended */
    uint32_t references;         /* atomic: capabilities, and 1 until it has ended */
    uint8_t priority;
    bool killed;                 /* must end at the next way out of the kernel; atomic */
    bool in_ring;                /* runs a ring batch: see kernel/ring.h */
    uint8_t room_turns;          /* more tries of a call that found memory short: dispatch.c */
    bool is_taken;               /* CREATED: somebody starts or ends it; atomic */
    uint8_t queued_priority;     /* where in the run queue it is */
    uint32_t queued_cpu;         /* CPU + 1 whose run queue it is in, 0: none; that queue's lock */
    uint32_t cpu;                /* where it ran last */

    struct thread *queue_next, *queue_previous; /* run queue or wait list */
    struct thread *process_next, *process_previous;
    struct wait_list joiners;    /* who waits for its end; waiters_lock */

    /* waiting: both written under wait_lock itself, NULL while nobody's list holds it */
    struct spinlock *wait_lock;
    struct wait_list *wait_list; /* NULL: PARKED, in core/park's bucket */
    uint64_t deadline_ns;

    /* its deadline in a CPU's heap (kernel/timers.h) */
    struct thread *timer_parent, *timer_left, *timer_right;
    uint32_t timer_rank;
    uint32_t timer_cpu;          /* CPU + 1; 0: in no heap */

    /* calling: a reply token is (id, call_generation); odd: awaiting a reply */
    uint64_t call_generation;    /* atomic; only grows, in later lives of the record too */
    uint64_t badge;              /* of the capability it calls through */
    uint32_t server;             /* process id that received its call, and may reply */

    /* ring batch */
    uint32_t ring_remaining, ring_completed;
    uint64_t ring_cap, ring_words[CAD_MESSAGE_WORDS]; /* ring_enter's own registers */
    uint64_t ring_user_data;     /* of the submission that runs */
    bool ring_stop;              /* it asked to stop the batch if it fails */
    bool ring_waits;             /* it blocked: its completion is to be written */
    uint64_t ring_address;       /* 0: no ring */
    frame_no_t ring_frames[RING_PAGES];

    uint64_t run_cycles, switches;
    uint64_t turn_cycles;        /* run since its turn began, preemptions included */
#ifdef CONFIG_FAULT_POINTS
    struct starvation starvation; /* what it ordered of itself */
#endif
};

COMPILE_ASSERT(offsetof(struct thread, context) == 0, the_context_comes_first);
static inline struct thread *thread_of_context(struct arch_context *context)
{
    return (struct thread *)(void *)context;
}

struct thread_table {
    struct thread *threads;
    struct id_pool ids;          /* Locks: processes */
};
extern struct thread_table threads;
/* Guards every wait list that has no lock of its own: joiners, sleepers, console readers. */
extern struct spinlock waiters_lock;

static inline uint64_t thread_generation(const struct thread *thread)
{
    return threads.ids.slots[thread->id].generation;
}
const char *thread_state_name(enum thread_state state);
__attribute__((unused)) /* evaluated in builds with assertions */
static inline bool thread_edge_is_listed(enum thread_state from, enum thread_state to)
{
#define EDGE_TEST(FROM, TO, function) || (from == THREAD_##FROM && to == THREAD_##TO)
    return false THREAD_EDGE_LIST(EDGE_TEST);
#undef EDGE_TEST
}

/* The only writer of `state`. */
static inline void thread_set_state(struct thread *thread, enum thread_state state)
{
    ASSERT(thread_edge_is_listed(thread->state, state));
    atomic_store_release(&thread->state, state);
}

/* A reference on the thread that (id, generation) names.  Gives: NULL if it is gone. */
struct thread *thread_try_take(uint32_t id, uint64_t generation);
void thread_take(struct thread *thread);
void thread_put(struct thread *thread);

/* Where and how a thread begins. */
struct thread_entry {
    uint64_t pc, sp, argument, tls, runtime;
    uint8_t priority;
};
/* A thread that runs once thread_start is called; charged to the process's ledger.
 * Gives: a reference that thread_start() or thread_discard() consumes.
 * Fails: QUOTA_THREADS, QUOTA_METADATA, PRESSURE, DISCONNECTED (process is ending). */
MUST_CHECK status_t thread_create(struct process *process, const struct thread_entry *entry,
                                  struct thread **out);
void thread_start(struct thread *thread);
void thread_discard(struct thread *thread);

/* What a blocking step answers when the thread waits: not a status of the ABI; its
 * waker gives that.  Methods return it as DISPATCH_BLOCKED. */
#define THREAD_BLOCKED ((status_t)-1)

/* The current thread waits: registers and time saved, state set, deadline armed, at the
 * tail of `list`.  The caller unlocks `lock` and returns DISPATCH_BLOCKED.
 * list NULL: the caller enqueues it itself before it unlocks (PARKED).
 * lock NULL: nobody's list; the caller publishes it itself (AWAITING_REPLY).
 * Gives: false if it was killed meanwhile and ends: nothing changed, return CANCELLED.
 * Needs: `lock` held. */
MUST_CHECK bool thread_block(struct thread *thread, enum thread_state state, struct spinlock *lock,
                             struct wait_list *list, uint64_t deadline_ns);
/* What a wait that cannot begin answers: WOULD_BLOCK for a deadline of 0, TIMED_OUT for
 * one that passed; OK: it may wait. */
MUST_CHECK status_t thread_may_wait_until(uint64_t deadline_ns);
MUST_CHECK static inline status_t thread_may_wait(uint64_t deadline_ns)
{
    return deadline_ns == CAD_DEADLINE_FOREVER ? CAD_OK : thread_may_wait_until(deadline_ns);
}
/* Takes the first waiter out: from now on the caller must wake it (or put it back).
 * Locks: the list's. */
static inline void wait_list_take_first(struct wait_list *list, struct thread *first)
{
    struct thread *next = first->queue_next;

    list->head = next;
    *(next != NULL ? &next->queue_previous : &list->tail) = NULL;
    atomic_store_release(&first->wait_lock, NULL);
}
/* The same if there is one. */
static inline struct thread *wait_list_take(struct wait_list *list)
{
    struct thread *first = list->head;

    if (first != NULL)
        wait_list_take_first(list, first);
    return first;
}
/* Last; from here on a waker may have it once the lock is dropped. Locks: `lock`, the list's. */
static inline void wait_list_join(struct wait_list *list, struct spinlock *lock,
                                  struct thread *thread)
{
    struct thread *last = list->tail;

    thread->queue_next = NULL;
    thread->queue_previous = last;
    *(last != NULL ? &last->queue_next : &list->head) = thread;
    list->tail = thread;
    thread->wait_list = list;
    atomic_store_release(&thread->wait_lock, lock);
}
/* Puts a thread that wait_list_take gave back where it was: first. */
void wait_list_put_back(struct wait_list *list, struct spinlock *lock, struct thread *thread);
/* What the wait was charged for, or the heap of deadlines it is in: for thread_end_wait(). */
void thread_release_wait(struct thread *thread);
/* Results are in its context.  Sets the call's status and ends the wait's charges; what is
 * left is to make it READY or RUNNING.  Needs: the caller took it out of its list. */
static inline void thread_end_wait(struct thread *thread, status_t status)
{
    enum thread_state state = thread->state;

    ASSERT(thread->wait_lock == NULL);
    if (state <= THREAD_AWAITING_REPLY || state == THREAD_PARKED ||
        UNLIKELY(atomic_load_relaxed(&thread->timer_cpu) != 0))
        thread_release_wait(thread);
    context_set_status(&thread->context, status);
}
/* Turns an awaited call's generation even: the caller owns the thread now. */
static inline bool thread_claim_reply(struct thread *thread, uint64_t call_generation)
{
    uint64_t expected = call_generation;

    return (call_generation & 1) != 0 &&
           atomic_compare_exchange(&thread->call_generation, &expected, call_generation + 1);
}
/* Its deadline passed: TIMED_OUT (SLEEPING: OK) if it still waits and is due at `now_ns`.
 * Gives: false if another CPU has just taken it, and will wake it or put it back: to be tried
 * again. */
MUST_CHECK bool thread_try_time_out(struct thread *thread, uint64_t now_ns);

/* Ends a thread wherever it is: takes it out of the list it waits in, or marks it
 * killed and interrupts its CPU.  Needs: no lock held; a reference is the caller's. */
void thread_kill(struct thread *thread);
/* The current thread ends on this way out of the kernel. */
void thread_end_current(void);
/* Whether the current thread was killed: then it ends on this way out, although its killer
 * may not have reached its CPU yet. */
static inline bool thread_sees_end(const struct thread *thread)
{
    if (LIKELY(!atomic_load_relaxed(&thread->killed)))
        return false;
    thread_end_current();
    return true;
}
/* What is left to do for a thread that will not run again; by its CPU or its killer.
 * Needs: no lock held; it is in no list. */
void thread_finish(struct thread *thread);

#endif
