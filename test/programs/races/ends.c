// SPDX-License-Identifier: BSD-2-Clause
/* Ends in the middle: of a process that faults on every CPU, of a thread in any operation. */
#include "races.h"

#include <stdlib.h>

enum { FAULTERS_MAX = 16, FAULTED_PAGES = 32, PROCESSES = 16, KILLS = 10, STATUS = 7,
       RANGE_PAGES = 300 };
#define RW (CAD_PROT_READ | CAD_PROT_WRITE)

/* --- a process ends while all CPUs fault in it --- */

static struct racer faulters[FAULTERS_MAX];
static volatile uint32_t faulting;

static void fault_for_ever(struct racer *self)
{
    REQUIRE_OK(cad_virtual_memory_reserve(self_memory, 0, FAULTED_PAGES, RW, 0, &self->word));
    for (bool first = true;; first = false) {
        REQUIRE_OK(cad_virtual_memory_commit(self_memory, self->word, FAULTED_PAGES, RW, 0));
        for (uint64_t page = 0; page < FAULTED_PAGES; page++)
            *(volatile uint64_t *)(self->word + page * PAGE_SIZE) = page;
        if (first)
            (void)__atomic_fetch_add(&faulting, 1, __ATOMIC_SEQ_CST);
        REQUIRE_OK(cad_virtual_memory_decommit(self_memory, self->word, FAULTED_PAGES));
    }
}

/* As many threads as CPUs, of which this one ends the process or waits for its end. */
static _Noreturn void fault_everywhere(bool exits)
{
    uint32_t count = cad_capset()->cpu_count;
    uint64_t seed = now_ns() | 1;

    count = count < FAULTERS_MAX ? count : FAULTERS_MAX;
    for (uint32_t i = 0; i < count; i++)
        racer_start(&faulters[i], fault_for_ever);
    while (faulting != count)
        (void)cad_process_thread_yield(self_process);
    if (exits) {
        spin(random_next(&seed) % 100000);
        (void)cad_process_exit(self_process, STATUS);
    }
    for (;;)
        (void)cad_clock_sleep(cad_find(CAD_ROLE_CLOCK), CAD_DEADLINE_FOREVER);
}

_Noreturn void child_exits_faulting(void)
{
    fault_everywhere(true);
}

_Noreturn void child_faults(void)
{
    fault_everywhere(false);
}

/* What a child charged is with the parent again when its end is seen. */
void test_ends_under_faults(void)
{
    uint64_t seed = now_ns() | 1, status;

    for (unsigned i = 0; i < PROCESSES; i++) {
        uint64_t committed = cad_ledger_left(CAD_RESOURCE_COMMITTED);
        bool killed = i % 2 != 0;
        cap_id_t child = child_start(killed ? "faults" : "exits-faulting", false);
        if (killed) {
            (void)cad_clock_sleep(cad_find(CAD_ROLE_CLOCK),
                                  now_ns() + random_next(&seed) % (20 * MILLISECONDS));
            CHECK_OK(cad_process_kill(child));
        }
        CHECK_EQUAL(child_join(child, &status), killed ? CAD_EXIT_KILLED : CAD_EXIT_STATUS);
        CHECK_EQUAL(status, killed ? 0 : STATUS);
        CHECK_OK(cad_cap_table_delete(self_table, child));
        CHECK_EQUAL(cad_ledger_left(CAD_RESOURCE_COMMITTED), committed);
    }
}

/* --- a thread is killed in the middle of every operation --- */

static cap_id_t notification, endpoint, object;
static uint64_t range;
static volatile uint32_t parked_word, never;
/* CANCELLED if a killed thread came back from its call. */
static volatile status_t op_status;

static void op_touch(void)
{
    uint64_t address = 0;

    if (cad_virtual_memory_reserve(self_memory, 0, 4, RW, 0, &address) != CAD_OK)
        return;
    if (cad_virtual_memory_commit(self_memory, address, 4, RW, 0) == CAD_OK)
        *(volatile uint64_t *)address = 1;
    (void)cad_virtual_memory_protect(self_memory, address, 2, CAD_PROT_READ);
    (void)cad_virtual_memory_decommit(self_memory, address, 4);
    (void)cad_virtual_memory_unmap(self_memory, address, 4);
}

/* Long enough for interrupts, and so for the news of its end, to come in its middle. */
static void op_range(void)
{
    (void)cad_virtual_memory_commit(self_memory, range, RANGE_PAGES, RW, CAD_COMMIT_EAGER);
    (void)cad_virtual_memory_protect(self_memory, range, RANGE_PAGES, CAD_PROT_READ);
    (void)cad_virtual_memory_decommit(self_memory, range, RANGE_PAGES);
}

static void op_map(void)
{
    uint64_t address = 0;

    if (cad_memory_object_map(object, self_space, 0, 0, 2, CAD_PROT_READ, CAD_MAP_POPULATE,
                              &address) == CAD_OK)
        (void)cad_memory_object_unmap(object, self_space, address, 2);
}

static void op_allocate(void)
{
    cap_id_t made;

    if (cad_frame_allocator_allocate(frames, 2, &made) == CAD_OK)
        (void)cad_cap_table_delete(self_table, made);
}

static void op_derive(void)
{
    cap_id_t derived, child;

    if (cad_cap_table_derive(self_table, notification, CAD_RIGHT_ALL, 0, &derived) != CAD_OK)
        return;
    (void)cad_cap_table_derive(self_table, derived, CAD_RIGHT_ALL, 0, &child);
    status_t status = cad_cap_table_revoke(self_table, derived);
    if (status != CAD_OK)
        op_status = status;
    (void)cad_cap_table_delete(self_table, derived);
}

/* Without a stack, as it may outlive its maker; below everybody. */
void spin_for_ever(void);
__asm__("spin_for_ever: pause\n"
        "jmp spin_for_ever\n");

static void op_create_thread(void)
{
    cap_id_t thread;

    if (cad_process_create_thread(self_process, (uint64_t)spin_for_ever, 0, 0, 0, 0, 0,
                                  &thread) != CAD_OK)
        return;
    (void)cad_thread_kill(thread);
    (void)cad_cap_table_delete(self_table, thread);
}

static void op_ring(void)
{
    uint64_t address, completed;

    (void)cad_process_ring_create(self_process, &address);
    (void)cad_process_ring_enter(self_process, 8, &completed);
}

static void op_wait(void)
{
    uint64_t bits;

    (void)cad_notification_wait(notification, now_ns() + MILLISECONDS / 4, &bits);
    (void)cad_notification_wait(notification, CAD_DEADLINE_FOREVER, &bits);
}

static void op_signal(void)
{
    (void)cad_notification_signal(notification, 1);
}

static void op_park(void)
{
    (void)cad_park_space_park(cad_find(CAD_ROLE_SELF_PARK), (uint64_t)&parked_word, 0,
                              now_ns() + MILLISECONDS / 4);
    (void)cad_park_space_park(cad_find(CAD_ROLE_SELF_PARK), (uint64_t)&parked_word, 0,
                              CAD_DEADLINE_FOREVER);
}

static void op_unpark(void)
{
    uint64_t woken;

    (void)cad_park_space_unpark(cad_find(CAD_ROLE_SELF_PARK), (uint64_t)&parked_word, 4, &woken);
}

static void op_sleep(void)
{
    (void)cad_clock_sleep(cad_find(CAD_ROLE_CLOCK), now_ns() + MILLISECONDS / 8);
}

static void op_call(void)
{
    uint64_t words[CAD_MESSAGE_WORDS] = {1, 2, 3, 4, [9] = CAD_DEADLINE_FOREVER}, badge;

    (void)cad_invoke_10(CAD_CALL(CAD_INTERFACE_ENDPOINT, CAD_METHOD_ENDPOINT_call), endpoint,
                        words, &badge);
}

static void op_serve(void)
{
    uint64_t words[CAD_MESSAGE_WORDS] = {CAD_DEADLINE_FOREVER}, badge;

    if (cad_invoke_10(CAD_CALL(CAD_INTERFACE_ENDPOINT, CAD_METHOD_ENDPOINT_receive), endpoint,
                      words, &badge) != CAD_OK)
        return;
    words[4] = 0;
    (void)cad_invoke_10(CAD_CALL(CAD_INTERFACE_ENDPOINT, CAD_METHOD_ENDPOINT_reply), endpoint,
                        words, &badge);
}

static void op_yield(void)
{
    (void)cad_process_thread_yield(self_process);
}

/* Pairs that meet: each is killed while the next one runs too. */
static void (*const operations[])(void) = {
    op_touch, op_map,    op_allocate, op_derive, op_create_thread, op_ring, op_wait,
    op_signal, op_park, op_unpark,   op_range,  op_sleep,         op_call,  op_serve, op_yield,
};
#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

static struct racer victims[2];

static void operate(struct racer *self)
{
    while (never == 0) {
        self->rounds++;
        operations[self->word]();
    }
}

static void victim_kill(struct racer *victim)
{
    CHECK_OK(cad_thread_kill(victim->thread));
    racer_join(victim);
}

/* In a child, whose end gives back what the killed left behind. */
_Noreturn void child_kills(void)
{
    uint64_t seed = now_ns() | 1;

    REQUIRE_OK(cad_ledger_create_notification(self_ledger, &notification));
    REQUIRE_OK(cad_ledger_create_endpoint(self_ledger, &endpoint));
    REQUIRE_OK(cad_frame_allocator_allocate(frames, 2, &object));
    REQUIRE_OK(cad_virtual_memory_reserve(self_memory, 0, RANGE_PAGES, RW, 0, &range));
    for (unsigned i = 0; i < OPERATIONS * KILLS; i++) {
        for (unsigned pair = 0; pair < 2; pair++) {
            victims[pair].word = (i + pair) % OPERATIONS;
            victims[pair].rounds = 0;
            racer_start(&victims[pair], operate);
        }
        /* Every other time it may be killed before it ever ran. */
        while (i / OPERATIONS % 2 == 0 && (victims[0].rounds == 0 || victims[1].rounds == 0))
            (void)cad_process_thread_yield(self_process);
        spin(random_next(&seed) % 20000);
        victim_kill(&victims[0]);
        victim_kill(&victims[1]);
    }
    CHECK_OK(op_status);
    exit(check_report("killed in every operation"));
}

void test_killed_anywhere(void)
{
    uint64_t committed = cad_ledger_left(CAD_RESOURCE_COMMITTED), status;
    cap_id_t child = child_start("kills", true);

    CHECK_EQUAL(child_join(child, &status), CAD_EXIT_STATUS);
    CHECK_EQUAL(status, 0);
    CHECK_OK(cad_cap_table_delete(self_table, child));
    CHECK_EQUAL(cad_ledger_left(CAD_RESOURCE_COMMITTED), committed);
}
