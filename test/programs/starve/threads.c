// SPDX-License-Identifier: BSD-2-Clause
/* Threads, their rings, parked ones. */
#include <pthread.h>

#include "starve.h"

enum { THREADS = 20 };

static struct helper helper;

/* --- native threads --- */

static void helper_main(struct helper *self)
{
    self->run(self);
    for (;;)
        (void)cad_process_thread_exit(self_process, 0);
}

static status_t create(struct helper *one)
{
    return cad_process_create_thread(self_process, (uint64_t)helper_main,
                                     (uint64_t)one->stack + sizeof one->stack - 8, (uint64_t)one,
                                     0, 0, CAD_PRIORITY_SAME, &one->thread);
}

void helper_start(struct helper *one, void (*run)(struct helper *))
{
    one->run = run;
    one->go = 0;
    one->status = CAD_OK;
    REQUIRE_OK(create(one));
}

void helper_join(struct helper *one)
{
    REQUIRE_OK(cad_thread_wait(one->thread, now_ns() + 20000 * MILLISECONDS));
    drop(one->thread);
}

/* --- creation --- */

static void do_nothing(struct helper *self)
{
    self->go = 1;
}

static status_t create_thread(void)
{
    return create(&helper);
}

static void join_thread(void)
{
    helper_join(&helper);
}

/* Ended threads whose capabilities are kept keep their records: the pool must grow. */
static cap_id_t ended[THREADS];
static unsigned ended_count;

static status_t create_another(void)
{
    status_t status = create(&helper);

    if (status == CAD_OK)
        ended[ended_count++] = helper.thread;
    return status;
}

static uint64_t threads_used(void)
{
    uint64_t used = 0, limit, donated;

    REQUIRE_OK(cad_ledger_info(self_ledger, CAD_RESOURCE_THREADS, &used, &limit, &donated));
    return used;
}

static void starve_thread_pool(void)
{
    static const struct subject another = {"threads, until their pool grew", NULL, create_another,
                                           NULL, CAD_OK};

    while (ended_count < THREADS && check_failures == 0) {
        starve(&another);
        REQUIRE_OK(cad_thread_wait(helper.thread, now_ns() + 20000 * MILLISECONDS));
        for (unsigned i = 0; i < 1000 && threads_used() != 1; i++)
            sleep_ms(1); /* its charge goes a little later */
    }
    while (ended_count > 0)
        drop(ended[--ended_count]);
}

/* --- a ring, which lasts as long as its thread --- */

static uint64_t ring_address;

static status_t create_ring(void)
{
    return cad_process_ring_create(self_process, &ring_address);
}

static bool somebody_is_parked(void)
{
    uint64_t used, limit, donated;

    REQUIRE_OK(cad_ledger_info(self_ledger, CAD_RESOURCE_WAITERS, &used, &limit, &donated));
    return used != 0;
}

/* It prints, so its thread is the C library's: printf wants that one's own memory. */
static void *starve_ring(void *unused)
{
    static const struct subject ring = {"ring_create", NULL, create_ring, NULL, CAD_OK};

    /* Who started it has to have come to rest: what it holds is not to change. */
    while (!somebody_is_parked())
        sleep_ms(1);
    starve(&ring);
    return unused;
}

/* --- waiting on a word --- */

static volatile uint32_t word;
static uint64_t deadline_ns;

static void soon(void)
{
    deadline_ns = now_ns() + MILLISECONDS;
}

static status_t park(void)
{
    return cad_park_space_park(self_park, (uint64_t)&word, 0, deadline_ns);
}

static void nothing(void)
{
}

void starve_threads(void)
{
    static const struct subject thread = {"create_thread", NULL, create_thread, join_thread,
                                          CAD_OK};
    static const struct subject parking = {"park", soon, park, nothing, CAD_TIMED_OUT};

    helper.run = do_nothing;
    starve(&thread);
    starve_thread_pool();
    starve(&parking);
    pthread_t ring;
    CHECK_THAT(pthread_create(&ring, NULL, starve_ring, NULL) == 0);
    CHECK_THAT(pthread_join(ring, NULL) == 0);
}
