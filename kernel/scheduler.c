// SPDX-License-Identifier: BSD-2-Clause
/*
 * kernel_resume() is a loop of small steps, each of which may change what there
 * is to do: an ended thread is finished, a higher one preempts, a woken one goes
 * on with its ring.  It leaves when the current thread needs nothing more.
 *
 * Lost wake-ups: who makes a thread ready puts it into the queue, then (after a
 * fence) reads running_priority; an idle CPU stores -1 there, then (after a
 * fence) looks at the queue.  Interrupts are off until cpu_idle() halts.
 */
#include "kernel/scheduler.h"

#include "arch/timer.h"
#include "arch/trap.h"
#include "base/assert.h"
#include "base/atomic.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/interrupt_window.h"
#include "kernel/process.h"
#include "kernel/reaper.h"
#include "kernel/ring.h"
#include "kernel/thread.h"
#include "kernel/thread_switch.h"
#include "kernel/timers.h"
#include "kernel/world.h"

/* Steps of the reaper on one way out, and how soon it comes back for the rest. */
#define REAPER_STEPS     4
#define REAPER_PERIOD_NS UINT64_C(1000000)

static uint64_t idle_cpus; /* atomic set */

/* --- queues; Locks: the queue's --- */

static inline void queue_note(struct cpu *cpu, struct thread *thread, uint8_t priority)
{
    thread->cpu = cpu->index;
    thread->queued_priority = priority;
    atomic_store_relaxed(&thread->queued_cpu, cpu->index + 1);
    thread_set_state(thread, THREAD_READY);
    cpu->queue.ready_mask |= 1u << priority;
}

/* Behind `previous`, NULL: first. */
static inline void queue_insert(struct cpu *cpu, struct thread *thread, uint8_t priority,
                                struct thread *previous)
{
    struct run_queue *queue = &cpu->queue;
    struct thread **link = previous != NULL ? &previous->queue_next : &queue->head[priority];
    struct thread *next = *link;

    thread->queue_next = next;
    thread->queue_previous = previous;
    *link = thread;
    *(next != NULL ? &next->queue_previous : &queue->tail[priority]) = thread;
    queue_note(cpu, thread, priority);
}

static void queue_remove(struct cpu *cpu, struct thread *thread)
{
    struct run_queue *queue = &cpu->queue;
    uint8_t priority = thread->queued_priority;

    if (thread->queue_previous != NULL)
        thread->queue_previous->queue_next = thread->queue_next;
    else
        queue->head[priority] = thread->queue_next;
    if (thread->queue_next != NULL)
        thread->queue_next->queue_previous = thread->queue_previous;
    else
        queue->tail[priority] = thread->queue_previous;
    if (queue->head[priority] == NULL)
        queue->ready_mask &= ~(1u << priority);
    atomic_store_relaxed(&thread->queued_cpu, 0);
}

/* Highest ready priority, -1 if none; a hint without the lock. */
static int queue_top(const struct run_queue *queue)
{
    uint32_t mask = atomic_load_relaxed(&queue->ready_mask);
    return mask != 0 ? 31 - __builtin_clz(mask) : -1;
}

/* The first thread of the highest priority, which is now RUNNING at `to`; NULL if none. */
static inline struct thread *queue_take(struct cpu *from, struct cpu *to)
{
    struct run_queue *queue = &from->queue;
    struct thread *thread = NULL;

    spin_lock(&queue->lock);
    int top = queue_top(queue);
    if (LIKELY(top >= 0)) {
        thread = queue->head[top];
        struct thread *next = thread->queue_next;
        queue->head[top] = next;
        if (next != NULL) {
            next->queue_previous = NULL;
        } else {
            queue->tail[top] = NULL;
            queue->ready_mask &= ~(1u << top);
        }
        atomic_store_relaxed(&thread->queued_cpu, 0);
        thread->cpu = to->index;
        thread_set_state(thread, THREAD_RUNNING);
    }
    spin_unlock(&queue->lock);
    return thread;
}

/* --- turns ---
 *
 * A turn is timed while a second thread of its priority is ready here.  The timer stays where
 * it is when a turn ends before it: it fires in a later turn, and is set anew for that one.
 * Who is handed the CPU over goes on with the turn of who did, or two that call each other
 * would keep all others of their priority from it. */

static uint64_t slice_cycles;

void scheduler_init(void)
{
    slice_cycles = timer_ns_to_cycles(SCHEDULER_SLICE_NS);
}

static void slice_timer_set(struct cpu *cpu, uint64_t end)
{
    uint64_t now = cpu_cycles();

    cpu->slice_timer = end;
    timers_arm(cpu, timer_now_ns() + timer_cycles_to_ns(end > now ? end - now : 0));
}

/* A preempted turn goes on with what was left of it, so that frequent interruptions
 * cannot make it endless. */
static uint64_t turn_end(const struct cpu *cpu, const struct thread *thread)
{
    uint64_t used = thread->turn_cycles;

    return cpu->switched + (used < slice_cycles ? slice_cycles - used : 0);
}

void scheduler_time_turn(struct cpu *cpu, const struct thread *thread)
{
    uint64_t end = turn_end(cpu, thread);

    if (end < cpu->slice_timer)
        slice_timer_set(cpu, end);
}

/* The timer fired, for a slice or for something else. */
static void slice_check(struct cpu *cpu)
{
    const struct thread *thread = cpu->current;
    uint64_t now = cpu_cycles(), end = UINT64_MAX;

    if (cpu->slice_timer <= now)
        cpu->slice_timer = UINT64_MAX;
    if (thread != NULL && queue_top(&cpu->queue) >= thread->priority)
        end = turn_end(cpu, thread);
    if (end <= now) {
        scheduler_yield(cpu);
        end = UINT64_MAX;
    }
    if (end > cpu->slice_timer)
        end = cpu->slice_timer;
    if (end != UINT64_MAX)
        slice_timer_set(cpu, end);
}

/* --- who makes others run --- */

void scheduler_prod(uint32_t cpu_index)
{
    struct cpu *cpu = cpu_by_index(cpu_index);

    atomic_store_release(&cpu->attention, true);
    if (cpu != this_cpu())
        cpu_send_ipi(cpu_index, IPI_RESCHEDULE);
}

void scheduler_prod_idle(void)
{
    uint64_t idle = atomic_load_relaxed(&idle_cpus);

    if (idle != 0)
        scheduler_prod((uint32_t)__builtin_ctzll(idle));
    else
        atomic_store_release(&this_cpu()->attention, true);
}

static inline struct cpu *place(const struct thread *thread)
{
    struct cpu *last = cpu_by_index(thread->cpu);

    if (atomic_load_relaxed(&last->running_priority) < thread->priority)
        return last;
    uint64_t idle = atomic_load_relaxed(&idle_cpus);
    return idle != 0 ? cpu_by_index((unsigned)__builtin_ctzll(idle)) : last;
}

/* What runs at the CPU got company of its own priority: its turn is timed from now on.
 * Between two threads whoever comes next sees to it. */
static inline void note_company(struct cpu *cpu)
{
    if (cpu != this_cpu())
        scheduler_prod(cpu->index);
    else if (cpu->current != NULL)
        scheduler_note_company(cpu, cpu->current);
}

/* After a thread of this priority came into the CPU's queue. */
static inline void note_queued(struct cpu *cpu, int priority)
{
    atomic_fence(); /* with thread_make_current() and idle() */
    int running = atomic_load_relaxed(&cpu->running_priority);
    if (running < priority) {
        scheduler_prod(cpu->index); /* idle, or lower */
        return;
    }
    if (running == priority)
        note_company(cpu);
    if (UNLIKELY(atomic_load_relaxed(&idle_cpus) != 0))
        scheduler_prod_idle(); /* went idle since place() looked: it takes the thread */
}

enum queue_end { QUEUE_FIRST, QUEUE_LAST };

/* Gives: its priority; nothing may touch the thread after. */
static inline uint8_t queue_add(struct cpu *cpu, struct thread *thread, enum queue_end end)
{
    uint8_t priority = thread->priority;

    spin_lock(&cpu->queue.lock);
    queue_insert(cpu, thread, priority,
                 end == QUEUE_FIRST ? NULL : cpu->queue.tail[priority]);
    spin_unlock(&cpu->queue.lock);
    return priority;
}

void scheduler_ready(struct thread *thread)
{
    struct cpu *cpu = place(thread);

    note_queued(cpu, queue_add(cpu, thread, QUEUE_LAST));
}

void scheduler_hand_over(struct cpu *cpu, struct thread *thread)
{
    if (cpu->current != NULL || cpu->handoff != NULL ||
        !scheduler_may_run_next(cpu, thread)) {
        scheduler_ready(thread);
        return;
    }
    thread->cpu = cpu->index;
    thread->turn_cycles = cpu->turn_cycles;
    thread_set_state(thread, THREAD_RUNNING);
    cpu->handoff = thread;
}

bool scheduler_withdraw(struct thread *thread)
{
    uint32_t number = atomic_load_relaxed(&thread->queued_cpu);

    if (number == 0)
        return false;
    struct cpu *cpu = cpu_by_index(number - 1);
    spin_lock(&cpu->queue.lock);
    bool is_there = thread->queued_cpu == number; /* changes under this lock alone */
    if (is_there)
        queue_remove(cpu, thread);
    spin_unlock(&cpu->queue.lock);
    return is_there;
}

void scheduler_yield(struct cpu *cpu)
{
    cpu->slice_over = true;
    atomic_store_relaxed(&cpu->attention, true);
}

void scheduler_set_priority(struct thread *thread, uint8_t priority)
{
    bool was_ready = scheduler_withdraw(thread);

    atomic_store_relaxed(&thread->priority, priority);
    if (was_ready)
        scheduler_ready(thread);
    else
        scheduler_prod(atomic_load_relaxed(&thread->cpu)); /* which reads the priority anew */
}

/* --- the current thread --- */

void cpu_enter_space_long(struct cpu *cpu, struct process *process)
{
    struct process *old = cpu->space;

    space_cpu_leave(&cpu->core);
    (void)atomic_fetch_or(&process->space_cpus, cpu->bit);
    space_load(cpu, process);
    cpu->space = process;
    if (old != NULL)
        (void)atomic_fetch_and(&old->space_cpus, ~cpu->bit);
}

struct arch_context *scheduler_enter(struct cpu *cpu, struct thread *thread)
{
    ASSERT(thread->state == THREAD_RUNNING && thread->cpu == cpu->index);
    ASSERT(cpu->current == NULL);
    cpu_set_context(&thread->context);
    return thread_make_current(cpu, thread);
}

/* A thread that was killed just before it became READY would end only when its turn
 * comes, which may be never, and its killer has only told this CPU: it is killed once more,
 * in its queue or where it runs by now.  It may even have ended: then the mark is of its
 * record's next life. */
static void end_killed(struct thread *thread, uint64_t generation)
{
    if (thread_try_take(thread->id, generation) == NULL)
        return;
    thread_kill(thread);
    thread_put(thread);
}

/* The current thread is READY here instead; the CPU has no current one. */
static void make_ready(struct cpu *cpu, struct thread *thread, enum queue_end end)
{
    uint64_t generation = thread_generation(thread);

    scheduler_leave(cpu, thread);
    if (end == QUEUE_LAST || thread->turn_cycles >= slice_cycles) {
        thread->turn_cycles = 0;
        end = QUEUE_LAST;
    }
    queue_add(cpu, thread, end);
    atomic_fence(); /* with idle(); and with thread_kill(): it saw READY, or we see the mark */
    if (UNLIKELY(atomic_load_relaxed(&thread->killed)))
        end_killed(thread, generation);
    if (UNLIKELY(atomic_load_relaxed(&idle_cpus) != 0))
        scheduler_prod_idle(); /* it takes whoever this CPU does not */
}

bool scheduler_give_way(struct thread *thread)
{
    struct cpu *cpu = this_cpu();

    if (queue_top(&cpu->queue) < thread->priority)
        return false;
    context_set_status(&thread->context, CAD_OK);
    make_ready(cpu, thread, QUEUE_LAST);
    return true;
}

/* Gives way to what is ready here, if that is higher, or the turn is over. */
static void preempt(struct cpu *cpu)
{
    struct thread *thread = cpu->current;
    int top = queue_top(&cpu->queue);
    bool is_turn_over = cpu->slice_over;

    cpu->slice_over = false;
    atomic_store_relaxed(&cpu->running_priority, thread->priority);
    if (top > thread->priority || (top == thread->priority && is_turn_over))
        make_ready(cpu, thread, is_turn_over ? QUEUE_LAST : QUEUE_FIRST);
    else if (top == thread->priority)
        scheduler_note_company(cpu, thread);
}

static void finish_current(struct cpu *cpu)
{
    struct thread *thread = cpu->current;

    scheduler_leave(cpu, thread);
    cpu_leave_space(cpu);
    thread_finish(thread);
}

static inline struct thread *pick(struct cpu *cpu)
{
    struct thread *thread = cpu->handoff;

    if (thread != NULL) {
        cpu->handoff = NULL;
        return thread;
    }
    return queue_top(&cpu->queue) >= 0 ? queue_take(cpu, cpu) : NULL;
}

/* From the CPU with the highest ready thread. */
static struct thread *steal(struct cpu *cpu)
{
    struct cpu *best = NULL;

    for (unsigned i = 0; i < cpu_count(); i++) {
        struct cpu *other = cpu_by_index(i);
        if (other != cpu && queue_top(&other->queue) > (best ? queue_top(&best->queue) : -1))
            best = other;
    }
    return best != NULL ? queue_take(best, cpu) : NULL;
}

/* Until there is a thread to run. */
__attribute__((noinline)) static struct thread *idle(struct cpu *cpu)
{
    uint64_t bit = UINT64_C(1) << cpu->index;
    struct thread *thread;

    cpu_leave_space(cpu);
    atomic_store_relaxed(&cpu->running_priority, -1);
    (void)atomic_fetch_or(&idle_cpus, bit);
    for (;;) {
        kernel_tlb_service();
        atomic_store_relaxed(&cpu->attention, false);
        atomic_fence(); /* with note_queued(); and a stop of the world is seen here or asks again */
        if (atomic_load_acquire(&world_stopper) != 0)
            world_wait();
        thread = pick(cpu);
        if (thread == NULL)
            thread = steal(cpu);
        if (thread != NULL)
            break;
        if (reaper_run(1) || magazine_clear_ahead(&cpu->core))
            cpu_take_interrupts(); /* there may be many steps */
        else if (!atomic_load_relaxed(&cpu->attention))
            cpu_idle();
    }
    (void)atomic_fetch_and(&idle_cpus, ~bit);
    cpu->idle_cycles += scheduler_account(cpu);
    return thread;
}

static void attend(struct cpu *cpu)
{
    atomic_store_relaxed(&cpu->attention, false);
    atomic_fence(); /* what is asked from now on is seen next time */
    if (atomic_load_relaxed(&cpu->current->killed))
        finish_current(cpu);
    if (reaper_has_work() && reaper_run(REAPER_STEPS))
        timers_arm(cpu, timer_now_ns() + REAPER_PERIOD_NS);
    if (cpu->current != NULL)
        preempt(cpu);
}

/* What the current thread, or this CPU, has to do before user code runs.  The world is
 * looked at after attention was taken away: its stopper sets them in the other order. */
static void do_more(struct cpu *cpu)
{
    if (atomic_load_relaxed(&cpu->attention))
        attend(cpu);
    if (atomic_load_acquire(&world_stopper) != 0)
        world_wait();
    if (cpu->current != NULL && cpu->current->in_ring &&
        !atomic_load_relaxed(&cpu->current->killed))
        ring_continue(cpu->current);
}

struct arch_context *kernel_resume(void)
{
    struct cpu *cpu = this_cpu();

    lock_check_none_held();
    for (;;) {
        if (cpu->current == NULL) {
            struct thread *thread = pick(cpu);
            (void)scheduler_enter(cpu, LIKELY(thread != NULL) ? thread : idle(cpu));
        }
        if (LIKELY(!scheduler_needs_more(cpu) && !cpu->current->in_ring))
            return &cpu->current->context;
        do_more(cpu);
    }
}

struct arch_context *scheduler_go_on(void)
{
    struct cpu *cpu = this_cpu();
    struct thread *thread;

    lock_check_none_held();
    if (UNLIKELY(cpu->current != NULL || (thread = pick(cpu)) == NULL))
        return kernel_resume();
    struct arch_context *context = scheduler_enter(cpu, thread);
    return scheduler_needs_more(cpu) || UNLIKELY(thread->in_ring) ? kernel_resume() : context;
}

/* --- interrupts --- */

void kernel_reschedule(void)
{
    this_cpu()->interrupts++;
}

void kernel_timer(void)
{
    struct cpu *cpu = this_cpu();
    uint64_t now_ns = timer_now_ns();

    cpu->interrupts++;
    cpu->armed_ns = UINT64_MAX;
    timers_run(cpu, now_ns);
    if (!cpu->in_window)
        console_serve_late();
    else if (cpu->late != NULL || console_is_late())
        timers_arm(cpu, now_ns + WINDOW_LATE_NS);
    slice_check(cpu);
    if (reaper_has_work())
        atomic_store_relaxed(&cpu->attention, true);
    timers_arm(cpu, timers_next(cpu));
}
