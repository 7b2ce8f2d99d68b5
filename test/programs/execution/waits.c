// SPDX-License-Identifier: BSD-2-Clause
/* Every kind of wait: killed, timed out, woken, its object gone. */
#include "execution.h"

static struct worker worker, other;

static void do_call(struct worker *self)
{
    self->status = cad_message_call(self->cap, &self->message, FOREVER);
}

static void do_receive(struct worker *self)
{
    self->status = cad_message_receive(self->cap, &self->message, FOREVER);
}

static void do_wait(struct worker *self)
{
    uint64_t bits = 0;
    self->status = cad_notification_wait(self->cap, self->deadline_ns, &bits);
    self->result = bits;
}

static void do_park(struct worker *self)
{
    self->status = cad_park_space_park(self_park, (uint64_t)&self->word, 0, self->deadline_ns);
}

static void do_sleep(struct worker *self)
{
    self->status = cad_clock_sleep(the_clock, FOREVER);
}

static void do_join(struct worker *self)
{
    self->status = cad_thread_wait(self->cap, FOREVER);
}

static void do_spin(struct worker *self)
{
    for (;;)
        self->result++;
}

static void do_yield(struct worker *self)
{
    for (;;)
        (void)cad_process_thread_yield(self_process);
}

static void kill_in(void (*run)(struct worker *), cap_id_t cap, unsigned state)
{
    worker = (struct worker){.cap = cap, .deadline_ns = FOREVER};
    worker_start(&worker, run);
    worker_reach(&worker, state);
    worker_kill(&worker);
    /* the same with a deadline armed */
    worker = (struct worker){.cap = cap, .deadline_ns = now_ns() + 100000 * MILLISECONDS};
    worker_start(&worker, run);
    worker_reach(&worker, state);
    worker_kill(&worker);
}

void test_kills(void)
{
    cap_id_t endpoint = new_endpoint(), notification = new_notification();
    struct cad_message message = {0};

    kill_in(do_call, endpoint, STATE_CALLING);
    kill_in(do_receive, endpoint, STATE_RECEIVING);
    kill_in(do_wait, notification, STATE_WAITING);
    kill_in(do_park, 0, STATE_PARKED);
    kill_in(do_sleep, 0, STATE_SLEEPING);
    /* a call that was received: the reply comes too late */
    worker = (struct worker){.cap = endpoint};
    worker_start(&worker, do_call);
    REQUIRE_OK(cad_message_receive(endpoint, &message, FOREVER));
    worker_reach(&worker, STATE_AWAITING_REPLY);
    worker_kill(&worker);
    CHECK_STATUS(cad_message_reply(endpoint, &message), CAD_BAD_TOKEN);
    /* running, or ready on some CPU */
    for (unsigned i = 0; i < 20; i++) {
        worker = (struct worker){0};
        worker_start(&worker, i % 2 == 0 ? do_spin : do_yield);
        if (i % 4 < 2)
            (void)cad_clock_sleep(the_clock, now_ns() + MILLISECONDS);
        worker_kill(&worker);
    }
    /* who waits for the one that is killed */
    worker = (struct worker){0};
    worker_start(&worker, do_sleep);
    other = (struct worker){.cap = worker.thread};
    worker_start(&other, do_join);
    worker_reach(&other, STATE_JOINING);
    CHECK_OK(cad_thread_kill(worker.thread));
    worker_join(&other);
    CHECK_STATUS(other.status, CAD_OK);
    worker_join(&worker);
    CHECK_STATUS(cad_thread_kill(worker.thread), CAD_STALE);
    drop(notification);
    drop(endpoint);
}

static void notifications(void)
{
    cap_id_t notification = new_notification();
    uint64_t bits = 0;

    CHECK_STATUS(cad_notification_wait(notification, 0, &bits), CAD_WOULD_BLOCK);
    CHECK_STATUS(cad_notification_wait(notification, now_ns() + MILLISECONDS, &bits),
                 CAD_TIMED_OUT);
    CHECK_STATUS(cad_notification_signal(notification, 0), CAD_INVALID);
    CHECK_OK(cad_notification_signal(notification, 1));
    CHECK_OK(cad_notification_signal(notification, 4));
    CHECK_OK(cad_notification_wait(notification, FOREVER, &bits));
    CHECK_EQUAL(bits, 5);
    worker = (struct worker){.cap = notification, .deadline_ns = FOREVER};
    worker_start(&worker, do_wait);
    worker_reach(&worker, STATE_WAITING);
    CHECK_OK(cad_notification_signal(notification, 8));
    worker_join(&worker);
    CHECK_EQUAL(worker.result, 8);
    worker_start(&worker, do_wait);
    worker_reach(&worker, STATE_WAITING);
    drop(notification);
    worker_join(&worker);
    CHECK_STATUS(worker.status, CAD_STALE);
}

static void parking(void)
{
    uint64_t woken = 9;
    static uint32_t word = 3;

    CHECK_STATUS(cad_park_space_park(self_park, (uint64_t)&word, 4, FOREVER), CAD_MISMATCH);
    CHECK_STATUS(cad_park_space_park(self_park, (uint64_t)&word, 3, 0), CAD_WOULD_BLOCK);
    CHECK_STATUS(cad_park_space_park(self_park, (uint64_t)&word, 3, now_ns() + MILLISECONDS),
                 CAD_TIMED_OUT);
    CHECK_STATUS(cad_park_space_park(self_park, (uint64_t)&word + 1, 3, FOREVER), CAD_INVALID);
    CHECK_STATUS(cad_park_space_park(self_park, 0x1000, 3, FOREVER), CAD_BAD_ADDRESS);
    CHECK_STATUS(cad_park_space_park(self_park, (uint64_t)&word, UINT64_C(1) << 32, FOREVER),
                 CAD_INVALID);
    CHECK_OK(cad_park_space_unpark(self_park, (uint64_t)&word, 5, &woken));
    CHECK_EQUAL(woken, 0);
    worker = (struct worker){.deadline_ns = FOREVER};
    worker_start(&worker, do_park);
    worker_reach(&worker, STATE_PARKED);
    CHECK_EQUAL(ledger_used(CAD_RESOURCE_WAITERS), 1);
    CHECK_OK(cad_park_space_unpark(self_park, (uint64_t)&worker.word, 1, &woken));
    CHECK_EQUAL(woken, 1);
    worker_join(&worker);
    CHECK_STATUS(worker.status, CAD_OK);
}

static void do_park_far(struct worker *self)
{
    self->status = cad_park_space_park(self_park, self->cap, 0, FOREVER);
}

static void touch(uint64_t address)
{
    (void)*(volatile unsigned char *)address;
}

static void parked_on_memory_that_goes(void)
{
    cap_id_t memory = cad_find(CAD_ROLE_SELF_MEMORY);

    for (unsigned way = 0; way < 4; way++) {
        bool decommits = way % 2 == 0, is_there = way >= 2;
        uint64_t page = 0;
        REQUIRE_OK(cad_virtual_memory_reserve(memory, 0, 3, CAD_PROT_READ | CAD_PROT_WRITE, 0,
                                              &page));
        REQUIRE_OK(cad_virtual_memory_commit(memory, page, 3, CAD_PROT_READ | CAD_PROT_WRITE, 0));
        if (is_there)
            touch(page + PAGE_SIZE);
        worker = (struct worker){.cap = page + PAGE_SIZE + 40};
        worker_start(&worker, do_park_far);
        worker_reach(&worker, STATE_PARKED);
        if (decommits)
            CHECK_OK(cad_virtual_memory_decommit(memory, page, 2));
        else
            CHECK_OK(cad_virtual_memory_unmap(memory, page + PAGE_SIZE, 1));
        worker_join(&worker);
        CHECK_STATUS(worker.status, CAD_CANCELLED);
        CHECK_OK(cad_virtual_memory_unmap(memory, page, decommits ? 3 : 1));
        if (!decommits)
            CHECK_OK(cad_virtual_memory_unmap(memory, page + 2 * PAGE_SIZE, 1));
    }
}

static void do_park_until_gone(struct worker *self)
{
    do {
        self->step = 1;
        do_park_far(self);
    } while (self->status == CAD_OK);
}

/* At every moment of a park that finds its page: who is left behind never ends. */
static void memory_goes_as_one_parks(void)
{
    cap_id_t memory = cad_find(CAD_ROLE_SELF_MEMORY);
    uint64_t page = 0;

    REQUIRE_OK(cad_virtual_memory_reserve(memory, 0, 1, CAD_PROT_READ | CAD_PROT_WRITE, 0, &page));
    for (unsigned i = 0; i < 150; i++) {
        REQUIRE_OK(cad_virtual_memory_commit(memory, page, 1, CAD_PROT_READ | CAD_PROT_WRITE, 0));
        touch(page);
        worker = (struct worker){.cap = page};
        worker_start(&worker, do_park_until_gone);
        for (volatile unsigned spin = 0; worker.step == 0 && spin < 20000; spin++)
            ; /* it may have no other CPU */
        for (volatile unsigned spin = 0; spin < i * 13 % 512; spin++)
            ;
        CHECK_OK(cad_virtual_memory_decommit(memory, page, 1));
        worker_join(&worker);
        CHECK_THAT(worker.status == CAD_CANCELLED || worker.status == CAD_BAD_ADDRESS);
    }
    CHECK_OK(cad_virtual_memory_unmap(memory, page, 1));
}

static void sleeping_and_priorities(void)
{
    uint64_t start = now_ns(), id, state, priority, cpu, run_ns;

    CHECK_OK(cad_clock_sleep(the_clock, 0));
    CHECK_OK(cad_clock_sleep(the_clock, start + 5 * MILLISECONDS));
    CHECK_THAT(now_ns() >= start + 5 * MILLISECONDS);
    /* many sleepers, woken in the order of their deadlines */
    static struct worker sleepers[8];
    for (unsigned i = 0; i < 8; i++) {
        sleepers[i].deadline_ns = now_ns() + (8 - i) * 3 * MILLISECONDS;
        sleepers[i].cap = 0;
        sleepers[i].word = 0;
        worker_start(&sleepers[i], do_park);
    }
    for (unsigned i = 0; i < 8; i++) {
        worker_join(&sleepers[i]);
        CHECK_STATUS(sleepers[i].status, CAD_TIMED_OUT);
    }
    worker = (struct worker){0};
    worker_start(&worker, do_spin);
    CHECK_STATUS(cad_thread_set_priority(worker.thread, 32), CAD_INVALID);
    CHECK_OK(cad_thread_set_priority(worker.thread, 1));
    REQUIRE_OK(cad_thread_info(worker.thread, &id, &state, &priority, &cpu, &run_ns));
    CHECK_EQUAL(priority, 1);
    CHECK_STATUS(cad_thread_wait(worker.thread, now_ns() + MILLISECONDS), CAD_TIMED_OUT);
    CHECK_STATUS(cad_thread_wait(worker.thread, 0), CAD_WOULD_BLOCK);
    worker_kill(&worker);
    CHECK_STATUS(cad_process_create_thread(self_process, 0, 0, 0, 0, 0, 0, &id), CAD_INVALID);
    CHECK_STATUS(cad_process_create_thread(self_process, UINT64_C(1) << 63, 0, 0, 0, 0, 0, &id),
                 CAD_INVALID);
    CHECK_STATUS(cad_process_create_thread(self_process, 0x20000, 0, 0, 0, 0, 77, &id),
                 CAD_INVALID);
    CHECK_STATUS(cad_process_start_thread(self_process, 0, 0, 0, 0, 0, 0), CAD_INVALID);
    CHECK_STATUS(cad_process_start_thread(self_process, 0x20000, 0, 0, 0, 0, 77), CAD_INVALID);
}

static void count_and_exit(struct worker *self)
{
    self->result++;
    for (;;)
        (void)cad_process_thread_exit(self_process, (uint64_t)&self->running);
}

/* A thread that nobody has a capability for runs, ends, and leaves no slot behind. */
static void without_a_capability(void)
{
    uint64_t slots = ledger_used(CAD_RESOURCE_SLOTS);

    worker = (struct worker){.running = 1};
    REQUIRE_OK(cad_process_start_thread(self_process, (uint64_t)count_and_exit,
                                        (uint64_t)worker.stack + sizeof worker.stack - 8,
                                        (uint64_t)&worker, 0, 0, 0));
    CHECK_EQUAL(ledger_used(CAD_RESOURCE_SLOTS), slots);
    while (worker.running != 0)
        (void)cad_park_space_park(self_park, (uint64_t)&worker.running, 1,
                                  now_ns() + 1000 * MILLISECONDS);
    CHECK_EQUAL(worker.result, 1);
}

/* Waits until it counted on from `before`. */
static void await_progress(const struct worker *spinner, uint64_t before)
{
    uint64_t end = now_ns() + PATIENCE;

    while (spinner->result == before && now_ns() < end)
        (void)cad_clock_sleep(the_clock, now_ns() + MILLISECONDS);
    CHECK_THAT(spinner->result != before);
}

/* Spinning threads of one priority share the CPUs: each makes progress, although a
 * higher one, this thread, keeps interrupting whoever has the turn. */
static void turns(void)
{
    static struct worker spinners[10];

    for (unsigned i = 0; i < 10; i++) {
        spinners[i].result = 0;
        worker_start(&spinners[i], do_spin);
        CHECK_OK(cad_thread_set_priority(spinners[i].thread, 0));
    }
    for (unsigned i = 0; i < 10; i++)
        await_progress(&spinners[i], 0);
    for (unsigned i = 0; i < 10; i++)
        worker_kill(&spinners[i]);
}

static void serve_for_ever(struct worker *self)
{
    (void)cad_message_receive(self->cap, &self->message, FOREVER);
    for (;;)
        (void)cad_message_reply_receive(self->cap, &self->message);
}

static void call_for_ever(struct worker *self)
{
    for (;;)
        (void)cad_message_call(self->cap, &self->message, FOREVER);
}

/* A call goes on with the caller's turn: two that call each other do not keep a third of their
 * priority from its own. */
static void turns_beside_calls(void)
{
    static struct worker spinner;
    cap_id_t endpoint = new_endpoint();

    worker = (struct worker){.cap = endpoint};
    other = (struct worker){.cap = endpoint};
    spinner.result = 0;
    worker_start(&worker, serve_for_ever);
    worker_reach(&worker, STATE_RECEIVING);
    worker_start(&other, call_for_ever);
    (void)cad_clock_sleep(the_clock, now_ns() + 20 * MILLISECONDS);
    worker_start(&spinner, do_spin);
    for (unsigned i = 0; i < 5; i++) {
        (void)cad_clock_sleep(the_clock, now_ns() + 20 * MILLISECONDS);
        await_progress(&spinner, spinner.result);
    }
    worker_kill(&spinner);
    worker_kill(&other);
    worker_kill(&worker);
    drop(endpoint);
}

void test_waits(void)
{
    notifications();
    parking();
    parked_on_memory_that_goes();
    memory_goes_as_one_parks();
    sleeping_and_priorities();
    without_a_capability();
    turns();
    turns_beside_calls();
}
