// SPDX-License-Identifier: BSD-2-Clause
/* Batches, blocking ones too; corrupt indices; what a ring refuses (RG1, RG2). */
#include <pthread.h>
#include <unistd.h>

#include "abi/ring.h"
#include "execution.h"

static struct worker worker;

static volatile struct cad_ring *ring;

static void submit(uint32_t call, cap_id_t cap, uint64_t word, uint64_t user_data, uint32_t flags)
{
    volatile struct cad_submission *entry =
        &ring->submissions[ring->sq_tail % CAD_RING_SUBMISSIONS];

    entry->call = call;
    entry->flags = flags;
    entry->cap = cap;
    entry->user_data = user_data;
    for (unsigned i = 0; i < CAD_MESSAGE_WORDS; i++)
        entry->words[i] = word;
    ring->sq_tail++;
}

static void expect(uint64_t user_data, status_t status)
{
    CHECK_THAT(ring->cq_head != ring->cq_tail);
    volatile struct cad_completion *entry =
        &ring->completions[ring->cq_head % CAD_RING_COMPLETIONS];
    CHECK_EQUAL(entry->user_data, user_data);
    CHECK_STATUS((status_t)entry->status, status);
    ring->cq_head++;
}

static uint64_t enter(uint64_t count, status_t expected)
{
    uint64_t completed = 0;
    CHECK_STATUS(cad_process_ring_enter(self_process, count, &completed), expected);
    return completed;
}

#define SELF_CALL CAD_CALL(CAD_INTERFACE_PROCESS, CAD_METHOD_PROCESS_thread_self)
#define SLEEP     CAD_CALL(CAD_INTERFACE_CLOCK, CAD_METHOD_CLOCK_sleep)
#define SIGNAL    CAD_CALL(CAD_INTERFACE_NOTIFICATION, CAD_METHOD_NOTIFICATION_signal)
#define WAIT      CAD_CALL(CAD_INTERFACE_NOTIFICATION, CAD_METHOD_NOTIFICATION_wait)

static void batches(void)
{
    uint64_t id = 0;

    REQUIRE_OK(cad_process_thread_self(self_process, &id));
    for (unsigned i = 0; i < CAD_RING_SUBMISSIONS; i++)
        submit(i % 2 == 0 ? 0 : SELF_CALL, self_process, 1000 + i, i, 0);
    CHECK_EQUAL(enter(1000, CAD_OK), CAD_RING_SUBMISSIONS);
    for (unsigned i = 0; i < CAD_RING_SUBMISSIONS; i++) {
        CHECK_EQUAL(ring->completions[i].words[0], i % 2 == 0 ? 1000 + i : id);
        CHECK_EQUAL(ring->completions[i].words[9], 1000 + i);
        expect(i, CAD_OK);
    }
    CHECK_EQUAL(enter(1, CAD_OK), 0);
    /* only as many as asked for, only while completions have room */
    for (unsigned i = 0; i < CAD_RING_SUBMISSIONS; i++)
        submit(0, 0, 0, i, 0);
    CHECK_EQUAL(enter(3, CAD_OK), 3);
    CHECK_EQUAL(enter(64, CAD_OK), 61);
    submit(0, 0, 0, 64, 0);
    CHECK_EQUAL(enter(1, CAD_OK), 0);
    for (unsigned i = 0; i < CAD_RING_SUBMISSIONS; i++)
        expect(i, CAD_OK);
    CHECK_EQUAL(enter(1, CAD_OK), 1);
    expect(64, CAD_OK);
}

static void failures(void)
{
    submit(SELF_CALL, 0, 0, 1, 0);
    submit(0x1234, self_process, 0, 2, 0);
    submit(CAD_CALL(77, 1), self_process, 0, 3, 0);
    submit(SELF_CALL, self_process, 0, 4, 2); /* a flag that is none */
    submit(CAD_CALL(CAD_INTERFACE_PROCESS, CAD_METHOD_PROCESS_ring_enter), self_process, 1, 5, 0);
    submit(SELF_CALL, 0, 0, 6, CAD_SUBMISSION_STOP_ON_ERROR);
    submit(0, 0, 0, 7, 0);
    CHECK_EQUAL(enter(64, CAD_OK), 6);
    expect(1, CAD_STALE);
    expect(2, CAD_BAD_CALL);
    expect(3, CAD_BAD_CALL);
    expect(4, CAD_INVALID);
    expect(5, CAD_INVALID);
    expect(6, CAD_STALE);
    CHECK_EQUAL(enter(64, CAD_OK), 1);
    expect(7, CAD_OK);
    /* indices out of step: said once, then all is well */
    ring->sq_tail = ring->sq_head + CAD_RING_SUBMISSIONS + 1;
    CHECK_EQUAL(enter(64, CAD_BAD_RING), 0);
    CHECK_EQUAL(ring->sq_head, ring->sq_tail);
    ring->cq_head += 5;
    CHECK_EQUAL(enter(64, CAD_BAD_RING), 0);
    CHECK_EQUAL(ring->cq_head, ring->cq_tail);
    submit(SELF_CALL, self_process, 0, 8, 0);
    CHECK_EQUAL(enter(64, CAD_OK), 1);
    expect(8, CAD_OK);
}

static void blocking(void)
{
    cap_id_t notification = new_notification();
    uint64_t start = now_ns();

    submit(SLEEP, the_clock, start + 3 * MILLISECONDS, 1, 0);
    submit(SIGNAL, notification, 6, 2, 0);
    submit(WAIT, notification, FOREVER, 3, 0);
    submit(WAIT, notification, now_ns() + 6 * MILLISECONDS, 4, 0);
    submit(SELF_CALL, self_process, 0, 5, 0);
    CHECK_EQUAL(enter(64, CAD_OK), 5);
    CHECK_THAT(now_ns() >= start + 6 * MILLISECONDS);
    CHECK_EQUAL(ring->completions[(ring->cq_head + 2) % CAD_RING_COMPLETIONS].words[0], 6);
    expect(1, CAD_OK);
    expect(2, CAD_OK);
    expect(3, CAD_OK);
    expect(4, CAD_TIMED_OUT);
    expect(5, CAD_OK);
    drop(notification);
}

static void do_ring(struct worker *self)
{
    uint64_t address = 0, completed = 0;

    self->status = cad_process_ring_create(self_process, &address);
    if (self->status != CAD_OK)
        return;
    self->result = address;
    volatile struct cad_ring *own = (volatile struct cad_ring *)address;
    own->submissions[0].call = SLEEP;
    own->submissions[0].cap = the_clock;
    own->submissions[0].words[0] = self->deadline_ns;
    own->sq_tail = 1;
    self->status = cad_process_ring_enter(self_process, 64, &completed);
    self->step = (uint32_t)completed;
}

/* Rings of other threads come and go: their pages are given back. */
void test_other_rings(void)
{
    worker = (struct worker){.deadline_ns = now_ns() + 2 * MILLISECONDS};
    worker_start(&worker, do_ring);
    worker_join(&worker);
    CHECK_STATUS(worker.status, CAD_OK);
    CHECK_EQUAL(worker.step, 1);
    worker = (struct worker){.deadline_ns = FOREVER};
    worker_start(&worker, do_ring);
    worker_reach(&worker, STATE_SLEEPING);
    worker_kill(&worker);
}

/* No operations of every slot, those across two pages too, come back as they were sent: from
 * slot to slot, and (as they ask to stop) through the thread's registers. */
static void nothings(void)
{
    uint64_t completed = 0;

    for (unsigned round = 0; round < 4; round++) {
        uint64_t mark = (round + 1) * UINT64_C(0x1000000);
        uint32_t flags = round % 2 == 0 ? 0 : CAD_SUBMISSION_STOP_ON_ERROR;

        for (uint32_t i = 0; i < CAD_RING_SUBMISSIONS; i++) {
            volatile struct cad_submission *to =
                &ring->submissions[(ring->sq_head + i) % CAD_RING_SUBMISSIONS];
            to->call = 0;
            to->flags = flags;
            to->cap = mark + i * 16 + 14;
            to->user_data = mark + i * 16 + 15;
            for (unsigned k = 0; k < CAD_MESSAGE_WORDS; k++)
                to->words[k] = mark + i * 16 + k;
        }
        ring->sq_tail = ring->sq_head + CAD_RING_SUBMISSIONS;
        CHECK_OK(cad_process_ring_enter(self_process, CAD_RING_SUBMISSIONS, &completed));
        CHECK_EQUAL(completed, CAD_RING_SUBMISSIONS);
        for (uint32_t i = 0; i < CAD_RING_SUBMISSIONS; i++) {
            volatile struct cad_completion *done =
                &ring->completions[(ring->cq_head + i) % CAD_RING_COMPLETIONS];
            bool same = done->user_data == mark + i * 16 + 15 && done->status == CAD_OK &&
                        done->badge == mark + i * 16 + 14;
            for (unsigned k = 0; k < CAD_MESSAGE_WORDS; k++)
                same = same && done->words[k] == mark + i * 16 + k;
            CHECK_THAT(same);
        }
        ring->cq_head = ring->cq_tail;
    }
}

static void count_turns(struct worker *self)
{
    while (self->step == 0) {
        self->rounds++;
        (void)cad_process_thread_yield(self_process);
    }
}

/* A batch gives way between its calls as its thread would between traps. */
static void sharing(void)
{
    volatile uint64_t *turns = &worker.rounds;

    worker = (struct worker){0};
    worker_start_at(&worker, count_turns, CAD_PRIORITY_SAME); /* else it starves on one CPU */
    while (*turns == 0)
        (void)cad_process_thread_yield(self_process);
    for (unsigned i = 0; i < CAD_RING_SUBMISSIONS; i++)
        submit(CAD_CALL(CAD_INTERFACE_PROCESS, CAD_METHOD_PROCESS_thread_yield), self_process, 0,
               i, 0);
    uint64_t before = *turns;
    CHECK_EQUAL(enter(CAD_RING_SUBMISSIONS, CAD_OK), CAD_RING_SUBMISSIONS);
    if (sysconf(_SC_NPROCESSORS_ONLN) == 1)
        CHECK_THAT(*turns - before >= CAD_RING_SUBMISSIONS / 2);
    for (unsigned i = 0; i < CAD_RING_SUBMISSIONS; i++)
        expect(i, CAD_OK);
    worker.step = 1;
    worker_join(&worker);
}

/* All in a thread of its own, so that its ring goes with it; the checks print,
 * so that thread is a pthread. */
static void *own_ring(void *unused)
{
    uint64_t address = 0;

    (void)unused;
    CHECK_STATUS(cad_process_ring_enter(self_process, 1, &address), CAD_NOT_FOUND);
    REQUIRE_OK(cad_process_ring_create(self_process, &address));
    CHECK_STATUS(cad_process_ring_create(self_process, &address), CAD_BUSY);
    ring = (volatile struct cad_ring *)address;
    nothings();
    sharing();
    batches();
    failures();
    blocking();
    return NULL;
}

void test_own_ring(void)
{
    pthread_t thread;

    CHECK_THAT(pthread_create(&thread, NULL, own_ring, NULL) == 0);
    CHECK_THAT(pthread_join(thread, NULL) == 0);
}
