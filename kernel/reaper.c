// SPDX-License-Identifier: BSD-2-Clause
/*
 * Queues of what is to be destroyed, linked through the records.  A CPU takes
 * an entry out, does one step of it, and puts it back if there is more; so each
 * has one reaper at a time, and several CPUs work on several.
 */
#include "kernel/reaper.h"

#include "arch/timer.h"
#include "arch/trap.h"
#include "base/atomic.h"
#include "kernel/cpu.h"
#include "kernel/endpoint.h"
#include "kernel/interrupt_window.h"
#include "kernel/lock.h"
#include "kernel/memory.h"
#include "kernel/notification.h"
#include "kernel/process.h"
#include "kernel/scheduler.h"
#include "kernel/world.h"

#define OBJECT_PAGES_BUDGET 64
#define HURRY_STEPS         8
#define HURRY_NS            UINT64_C(5000000)
#define MAKE_ROOM_NS        UINT64_C(200000000) /* longer than any round */

static struct spinlock reaper_lock = SPINLOCK_INIT(LOCK_REAPER);
static uint32_t pending; /* entries in all queues; atomic */
uint32_t reaper_entries; /* the same and those that are out of their queue for a step; atomic */

static struct process *process_head, *process_tail;
static struct endpoint *endpoint_head;
static struct notification *notification_head;
static uint32_t object_head; /* ID_NONE: empty */

bool reaper_has_work(void)
{
    return atomic_load_relaxed(&pending) != 0;
}

void reaper_each_endpoint(void (*see)(void *context, uint32_t endpoint), void *context)
{
    for (const struct endpoint *at = endpoint_head; at != NULL; at = at->reap_next)
        see(context, at->id);
}

/* --- what a ledger still pays for ---
 *
 * Counted in the ledger's record, which is type-stable: the count may go down when
 * the ledger is gone already; a later life of the record then waits a little longer. */

static uint32_t *dying(uint32_t ledger)
{
    return &cadastre.ledgers.ledgers[ledger].host_dying;
}

bool reaper_has_dying(uint32_t ledger)
{
    return atomic_load_acquire(dying(ledger)) != 0;
}

/* --- into the queues --- */

static void entry_added(void)
{
    (void)atomic_fetch_add(&reaper_entries, 1);
    (void)atomic_fetch_add(&pending, 1);
}

static void process_queue(struct process *process)
{
    spin_lock(&reaper_lock);
    process->reap_next = NULL;
    if (process_tail != NULL)
        process_tail->reap_next = process;
    else
        process_head = process;
    process_tail = process;
    entry_added();
    spin_unlock(&reaper_lock);
}

static void object_queue(uint32_t object)
{
    spin_lock(&reaper_lock);
    cadastre.objects.objects[object].host_next = object_head;
    object_head = object;
    entry_added();
    spin_unlock(&reaper_lock);
}

static void endpoint_queue(struct endpoint *endpoint)
{
    spin_lock(&reaper_lock);
    endpoint->reap_next = endpoint_head;
    endpoint_head = endpoint;
    entry_added();
    spin_unlock(&reaper_lock);
}

static void notification_queue(struct notification *notification)
{
    spin_lock(&reaper_lock);
    notification->reap_next = notification_head;
    notification_head = notification;
    entry_added();
    spin_unlock(&reaper_lock);
}

void reaper_add_process(struct process *process)
{
    process_queue(process);
    scheduler_prod_idle();
}

void reaper_add_object(uint32_t object)
{
    (void)atomic_fetch_add(dying(cadastre.objects.objects[object].ledger), 1);
    object_queue(object);
    scheduler_prod_idle();
}

void reaper_add_endpoint(struct endpoint *endpoint)
{
    (void)atomic_fetch_add(dying(endpoint->ledger), 1);
    endpoint_queue(endpoint);
    scheduler_prod_idle();
}

void reaper_add_notification(struct notification *notification)
{
    (void)atomic_fetch_add(dying(notification->ledger), 1);
    notification_queue(notification);
    scheduler_prod_idle();
}

/* --- and out --- */

/* What one step works on: at most one field is set. */
struct work {
    struct process *process;
    struct endpoint *endpoint;
    struct notification *notification;
    uint32_t object;
};

static struct work take(void)
{
    struct work work = {.object = ID_NONE};

    spin_lock(&reaper_lock);
    if (object_head != ID_NONE) {
        work.object = object_head;
        object_head = cadastre.objects.objects[object_head].host_next;
    } else if (endpoint_head != NULL) {
        work.endpoint = endpoint_head;
        endpoint_head = endpoint_head->reap_next;
    } else if (notification_head != NULL) {
        work.notification = notification_head;
        notification_head = notification_head->reap_next;
    } else if (process_head != NULL) {
        work.process = process_head;
        process_head = process_head->reap_next;
        if (process_head == NULL)
            process_tail = NULL;
    } else {
        spin_unlock(&reaper_lock);
        return work;
    }
    (void)atomic_fetch_sub(&pending, 1);
    spin_unlock(&reaper_lock);
    return work;
}

static void reap_object(uint32_t object)
{
    uint32_t ledger = cadastre.objects.objects[object].ledger;

    spin_lock(&objects_lock);
    bool gone = object_destroy_step(this_core(), object, OBJECT_PAGES_BUDGET);
    spin_unlock(&objects_lock);
    if (gone)
        (void)atomic_fetch_sub(dying(ledger), 1);
    else
        object_queue(object);
}

static void reap_endpoint(struct endpoint *endpoint)
{
    uint32_t ledger = endpoint->ledger;

    if (endpoint_reap_step(endpoint))
        endpoint_queue(endpoint);
    else
        (void)atomic_fetch_sub(dying(ledger), 1);
}

static void reap_notification(struct notification *notification)
{
    uint32_t ledger = notification->ledger;

    if (notification_reap_step(notification))
        notification_queue(notification);
    else
        (void)atomic_fetch_sub(dying(ledger), 1);
}

/* Gives: false if there was nothing to do. */
static bool step(void)
{
    struct work work = take();

    if (work.object != ID_NONE)
        reap_object(work.object);
    else if (work.endpoint != NULL)
        reap_endpoint(work.endpoint);
    else if (work.notification != NULL)
        reap_notification(work.notification);
    else if (work.process == NULL)
        return false;
    else if (process_end_step(work.process))
        process_queue(work.process);
    (void)atomic_fetch_sub(&reaper_entries, 1); /* after it was queued anew, if it was */
    return true;
}

bool reaper_run(unsigned steps)
{
    bool worked = false;

    while (steps-- > 0 && reaper_has_work() && step()) {
        worked = true;
        if (steps > 0)
            interrupt_window();
    }
    return worked;
}

bool reaper_make_room(uint64_t *until_ns)
{
    uint64_t now_ns = timer_now_ns();

    if (atomic_load_relaxed(&world_stopper) == this_cpu()->index + 1)
        return false; /* nobody else moves, and nothing may change */
    if (*until_ns == 0)
        *until_ns = now_ns + MAKE_ROOM_NS;
    kernel_tlb_service();
    if (!reaper_run(HURRY_STEPS))
        cpu_relax();
    return now_ns < *until_ns;
}

bool reaper_hurry(void)
{
    uint64_t until_ns = timer_now_ns() + HURRY_NS;
    bool worked = false;

    while (reaper_is_busy() && timer_now_ns() < until_ns) {
        worked = true;
        if (!reaper_run(HURRY_STEPS))
            cpu_relax();
        kernel_tlb_service();
    }
    return worked;
}
