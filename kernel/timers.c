// SPDX-License-Identifier: BSD-2-Clause
/* The heap is merged along right spines only; recursion is as deep as the spine (18). */
#include "kernel/timers.h"

#include "arch/timer.h"
#include "arch/trap.h"
#include "base/assert.h"
#include "base/atomic.h"
#include "kernel/cpu.h"
#include "kernel/thread.h"

static uint32_t rank_of(const struct thread *thread)
{
    return thread != NULL ? thread->timer_rank : 0;
}

/* Puts the children in order and the rank right. Gives: whether the rank changed. */
static bool heap_settle(struct thread *node)
{
    uint32_t before = node->timer_rank;

    if (rank_of(node->timer_left) < rank_of(node->timer_right)) {
        struct thread *left = node->timer_left;
        node->timer_left = node->timer_right;
        node->timer_right = left;
    }
    node->timer_rank = rank_of(node->timer_right) + 1;
    return node->timer_rank != before;
}

static struct thread *heap_merge(struct thread *a, struct thread *b)
{
    if (a == NULL)
        return b;
    if (b == NULL)
        return a;
    if (b->deadline_ns < a->deadline_ns) {
        struct thread *first = b;
        b = a;
        a = first;
    }
    a->timer_right = heap_merge(a->timer_right, b);
    a->timer_right->timer_parent = a;
    (void)heap_settle(a);
    return a;
}

static void heap_add(struct cpu *cpu, struct thread *thread)
{
    thread->timer_left = NULL;
    thread->timer_right = NULL;
    thread->timer_rank = 1;
    cpu->timers = heap_merge(cpu->timers, thread);
    cpu->timers->timer_parent = NULL;
    atomic_store_relaxed(&thread->timer_cpu, cpu->index + 1);
}

static void heap_remove(struct cpu *cpu, struct thread *thread)
{
    struct thread *rest = heap_merge(thread->timer_left, thread->timer_right);
    struct thread *parent = thread->timer_parent;

    if (rest != NULL)
        rest->timer_parent = parent;
    if (parent == NULL)
        cpu->timers = rest;
    else if (parent->timer_left == thread)
        parent->timer_left = rest;
    else
        parent->timer_right = rest;
    while (parent != NULL && heap_settle(parent))
        parent = parent->timer_parent;
    atomic_store_relaxed(&thread->timer_cpu, 0);
}

void timers_add(struct cpu *cpu, struct thread *thread)
{
    ASSERT(thread->timer_cpu == 0);
    spin_lock(&cpu->timers_lock);
    heap_add(cpu, thread);
    spin_unlock(&cpu->timers_lock);
    timers_arm(cpu, thread->deadline_ns);
}

void timers_arm(struct cpu *cpu, uint64_t deadline_ns)
{
    if (deadline_ns >= cpu->armed_ns)
        return;
    cpu->armed_ns = deadline_ns;
    timer_arm(deadline_ns);
}

void timers_remove(struct thread *thread)
{
    uint32_t number = atomic_load_relaxed(&thread->timer_cpu);

    if (number == 0)
        return;
    struct cpu *cpu = cpu_by_index(number - 1);
    spin_lock(&cpu->timers_lock);
    if (thread->timer_cpu == number) /* else its own timer took it out just now */
        heap_remove(cpu, thread);
    spin_unlock(&cpu->timers_lock);
}

/* The next one that is due, which is in the heap no more; NULL if there is none. */
static struct thread *due_take(struct cpu *cpu, uint64_t now_ns)
{
    struct thread *thread = cpu->late;

    cpu->late = NULL;
    if (thread != NULL)
        return thread;
    spin_lock(&cpu->timers_lock);
    thread = cpu->timers;
    if (thread != NULL && thread->deadline_ns <= now_ns)
        heap_remove(cpu, thread);
    else
        thread = NULL;
    spin_unlock(&cpu->timers_lock);
    return thread;
}

/* Who cannot be timed out now is about to be woken, or put back, by a CPU that may wait for
 * the tables which this one holds in a window: then the rest is left to a later time. */
void timers_run(struct cpu *cpu, uint64_t now_ns)
{
    struct thread *thread;

    while ((thread = due_take(cpu, now_ns)) != NULL) {
        while (!thread_try_time_out(thread, now_ns)) {
            if (cpu->in_window) {
                cpu->late = thread;
                return;
            }
            kernel_tlb_service();
            cpu_relax();
        }
    }
}

uint64_t timers_next(struct cpu *cpu)
{
    spin_lock(&cpu->timers_lock);
    uint64_t next = cpu->timers != NULL ? cpu->timers->deadline_ns : UINT64_MAX;
    spin_unlock(&cpu->timers_lock);
    return next;
}
