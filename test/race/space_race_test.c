// SPDX-License-Identifier: BSD-2-Clause
/*
 * AS6 with real threads, under the thread sanitizer: each plays a CPU and works on one space
 * without any lock of its own but those that core/ asks of its host.
 *
 *   private pages   lie in the same leaf tables as those of the others; what they hold and
 *                   answer must be what their one thread did to them
 *   large pages     two whole 2 MiB, which are filled, cut and given back
 *   shared pages    anything may happen; whoever holds one adds to a plain counter in it, so
 *                   that the sanitizer sees two holders, or one of a page that was given away
 *
 * A round waits until each other thread has been outside of an operation once, which is what
 * rounds promise to cursors (kernel/tlb.h).  RACE_OPS: operations a thread, 20,000 if not set.
 */
#include <glob.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/space_priv.h"
#include "core/test_world.h"

#define RACERS        4
#define PRIVATE_PAGES 64 /* a thread's, every RACERS-th page */
#define SHARED_PAGES  1600u
#define OBJECT_PAGES  600u
#define RW            (CAD_PROT_READ | CAD_PROT_WRITE)
/* Ends of a 1 GiB entry, so that ranges are spanned by tables of all levels. */
#define PRIVATE       (UINT64_C(0x8040000000) - PRIVATE_PAGES * RACERS / 2 * PAGE_SIZE)
#define LARGE         (UINT64_C(0x80c0000000) - MMU_TABLE_ENTRIES * PAGE_SIZE)
#define SHARED        (UINT64_C(0x8080000000) - SHARED_PAGES / 2 * PAGE_SIZE)

enum private_state { PRIVATE_NONE, PRIVATE_RESERVED, PRIVATE_COMMITTED };

struct racer {
    struct core_cpu cpu;
    unsigned number;
    uint32_t epoch; /* odd: inside an operation */
    uint64_t random;
    enum private_state states[PRIVATE_PAGES];
    uint64_t values[PRIVATE_PAGES];
    pthread_t thread;
};

static struct test_world *world;
static struct racer racers[RACERS];
static uint32_t space, object, rounds_owed;
static uint32_t large_seen; /* queries that met a large page with its frames */
static pthread_mutex_t frames_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t objects_mutex = PTHREAD_MUTEX_INITIALIZER;

static void expect(bool holds, const char *what, uint64_t value)
{
    if (!holds) {
        fprintf(stderr, "space_race: %s: 0x%llx\n", what, (unsigned long long)value);
        abort();
    }
}

/* --- the host --- */

static void race_refill(struct core_cpu *cpu)
{
    pthread_mutex_lock(&frames_mutex);
    magazine_fill(&cpu->cadastre->frames, &cpu->magazine, 16);
    pthread_mutex_unlock(&frames_mutex);
}

static void race_drain(struct core_cpu *cpu)
{
    pthread_mutex_lock(&frames_mutex);
    magazine_empty(&cpu->cadastre->frames, &cpu->magazine, MAGAZINE_FRAMES / 2);
    pthread_mutex_unlock(&frames_mutex);
}

static frame_no_t race_block_take(struct core_cpu *cpu, unsigned order)
{
    pthread_mutex_lock(&frames_mutex);
    frame_no_t first = frame_block_take(&cpu->cadastre->frames, order);
    pthread_mutex_unlock(&frames_mutex);
    return first;
}

static void race_run_put(struct core_cpu *cpu, frame_no_t first, uint32_t count)
{
    pthread_mutex_lock(&frames_mutex);
    frame_run_put(&cpu->cadastre->frames, first, count);
    pthread_mutex_unlock(&frames_mutex);
}

static void race_table_wait(struct core_cpu *cpu)
{
    (void)cpu;
    sched_yield();
}

static void inside(struct racer *racer)
{
    (void)__atomic_fetch_add(&racer->epoch, 1, __ATOMIC_SEQ_CST);
}

static void outside(struct racer *racer)
{
    (void)__atomic_fetch_add(&racer->epoch, 1, __ATOMIC_SEQ_CST);
}

/* Whoever holds tables, or is between two walks, may answer rounds. */
static void race_interrupt_window(const struct core_cpu *cpu)
{
    struct racer *racer = (struct racer *)(void *)(uintptr_t)cpu;

    COMPILE_ASSERT(offsetof(struct racer, cpu) == 0, cpu_is_first);
    outside(racer);
    inside(racer);
    sched_yield(); /* time for who waited for it to reuse what it took out */
}

static void round_run(const struct racer *self)
{
    for (unsigned i = 0; i < RACERS; i++) {
        uint32_t seen = __atomic_load_n(&racers[i].epoch, __ATOMIC_SEQ_CST);
        if (&racers[i] == self || seen % 2 == 0) {
            continue;
        }
        while (__atomic_load_n(&racers[i].epoch, __ATOMIC_SEQ_CST) == seen) {
            sched_yield();
        }
    }
}

/* What the operation left to its host. */
static void finish(struct racer *racer, struct space_work *work)
{
    if (work->flush) {
        round_run(racer);
    }
    if (work->announced) {
        (void)atomic_fetch_sub(&rounds_owed, 1);
    }
    while (!frame_quarantine_release(&racer->cpu, &work->chain, 64)) {
    }
    expect(work->dead_count == 0, "an object died", work->dead_count);
}

/* --- one thread --- */

static uint64_t below(struct racer *racer, uint64_t limit)
{
    racer->random ^= racer->random << 13;
    racer->random ^= racer->random >> 7;
    racer->random ^= racer->random << 17;
    return (racer->random >> 11) % limit;
}

static bool chance(struct racer *racer, unsigned one_in)
{
    return below(racer, one_in) == 0;
}

/* The word of a page, once held; given to `use`. */
static status_t with_word(struct racer *racer, virt_addr_t address,
                          void (*use)(struct racer *racer, uint64_t *word, unsigned index),
                          unsigned index)
{
    struct space_hold hold;
    status_t status = space_hold(&racer->cpu, space, address, CAD_PROT_WRITE, &hold);
    if (status == CAD_OK) {
        use(racer, (uint64_t *)(void *)world_page(world, hold.frame), index);
        space_let_go(&racer->cpu, &hold);
    }
    return status;
}

static void check_and_change(struct racer *racer, uint64_t *word, unsigned index)
{
    expect(*word == racer->values[index], "a private page holds", *word);
    *word = racer->values[index] = below(racer, UINT64_MAX) | 1;
}

static status_t private_step(struct racer *racer, unsigned index, virt_addr_t address,
                             struct space_work *work)
{
    enum private_state *state = &racer->states[index];
    switch (*state) {
    case PRIVATE_NONE:
        *state = PRIVATE_RESERVED;
        return space_reserve(&racer->cpu, space, &address, 1, RW);
    case PRIVATE_RESERVED:
        *state = PRIVATE_COMMITTED;
        racer->values[index] = 0;
        return space_commit(&racer->cpu, space, address, 1, RW,
                            chance(racer, 2) ? CAD_COMMIT_EAGER : 0);
    case PRIVATE_COMMITTED:
        break;
    }
    if (!chance(racer, 4)) {
        return with_word(racer, address, check_and_change, index);
    }
    if (chance(racer, 2)) {
        *state = PRIVATE_RESERVED;
        return space_decommit(&racer->cpu, space, address, 1, work);
    }
    *state = PRIVATE_NONE;
    return space_unmap(&racer->cpu, space, address, 1, work);
}

static void private_operation(struct racer *racer)
{
    struct space_work work = { .chain = { .head = FRAME_NONE }, .rounds_owed = &rounds_owed };
    unsigned index = (unsigned)below(racer, PRIVATE_PAGES);
    virt_addr_t address = PRIVATE + (index * RACERS + racer->number) * PAGE_SIZE;
    inside(racer);
    status_t status = private_step(racer, index, address, &work);
    outside(racer);
    expect(status == CAD_OK, "a private operation gave", status);
    finish(racer, &work);
}

static void count_up(struct racer *racer, uint64_t *word, unsigned index)
{
    (void)racer;
    (void)index;
    (*word)++;
}

static status_t object_step(struct racer *racer, virt_addr_t address, uint64_t pages,
                            struct space_work *work)
{
    struct object_map_request request = {
        .object = object, .first_page = (uint32_t)below(racer, OBJECT_PAGES - pages + 1),
        .pages = pages, .address = address, .protection = RW, .ceiling = RW,
        .populate = chance(racer, 2) };
    pthread_mutex_lock(&objects_mutex);
    status_t status = CAD_OK;
    switch (below(racer, 4)) {
    case 0:
        status = space_map_object(&racer->cpu, space, &request, &address);
        break;
    case 1:
        status = space_protect_object(&racer->cpu, space, object, address, pages,
                                      chance(racer, 2) ? CAD_PROT_NONE : RW, work);
        break;
    default:
        status = space_unmap_object(&racer->cpu, space, object, address, pages, work);
    }
    pthread_mutex_unlock(&objects_mutex);
    return status;
}

static status_t shared_step(struct racer *racer, virt_addr_t address, uint64_t pages,
                            struct space_work *work)
{
    struct space_run run;
    virt_addr_t at = address;
    switch (below(racer, 12)) {
    case 0:
    case 1:
        return space_reserve(&racer->cpu, space, &at, pages, RW);
    case 2:
    case 3:
        return space_commit(&racer->cpu, space, address, pages, RW,
                            chance(racer, 3) ? CAD_COMMIT_EAGER : 0);
    case 4:
        return space_decommit(&racer->cpu, space, address, pages, work);
    case 5:
        return space_protect(&racer->cpu, space, address, pages,
                             chance(racer, 2) ? CAD_PROT_NONE : RW, work);
    case 6:
        return space_unmap(&racer->cpu, space, address, pages, work);
    case 7:
        space_query(&racer->cpu, space, address, &run);
        return CAD_OK;
    case 8:
        at = 0;
        return space_reserve(&racer->cpu, space, &at, 1, RW) == CAD_OK
                   ? space_unmap(&racer->cpu, space, at, 1, work) : CAD_OK;
    case 9:
    case 10:
        return object_step(racer, address, pages <= OBJECT_PAGES ? pages : OBJECT_PAGES, work);
    default:
        return with_word(racer, address, count_up, 0);
    }
}

/* Short ranges and long ones, clustered, so that they meet. */
static void shared_operation(struct racer *racer)
{
    struct space_work work = { .chain = { .head = FRAME_NONE }, .rounds_owed = &rounds_owed };
    uint64_t most = chance(racer, 8) ? SHARED_PAGES : 8;
    uint64_t first = below(racer, SHARED_PAGES), left = SHARED_PAGES - first;
    uint64_t pages = 1 + below(racer, most < left ? most : left);
    inside(racer);
    (void)shared_step(racer, SHARED + first * PAGE_SIZE, pages, &work);
    outside(racer);
    finish(racer, &work);
}

static status_t large_step(struct racer *racer, virt_addr_t base, struct space_work *work)
{
    struct space_run run;
    uint64_t first = chance(racer, 2) ? 0 : below(racer, MMU_TABLE_ENTRIES);
    uint64_t pages = first == 0 ? MMU_TABLE_ENTRIES : 1 + below(racer, MMU_TABLE_ENTRIES - first);
    virt_addr_t address = base + first * PAGE_SIZE;
    switch (below(racer, 10)) {
    case 0:
        return space_reserve(&racer->cpu, space, &base, MMU_TABLE_ENTRIES, RW);
    case 1:
    case 2:
        return space_commit(&racer->cpu, space, address, pages, RW,
                            chance(racer, 3) ? CAD_COMMIT_EAGER : 0);
    case 3:
        return space_decommit(&racer->cpu, space, address, pages, work);
    case 4:
        return space_protect(&racer->cpu, space, address, pages,
                             chance(racer, 2) ? CAD_PROT_NONE : RW, work);
    case 5:
        return space_unmap(&racer->cpu, space, base, MMU_TABLE_ENTRIES, work);
    case 6:
        space_query(&racer->cpu, space, address, &run);
        if (run.level > 0 && run.state == ENTRY_RESIDENT) {
            (void)atomic_fetch_add(&large_seen, 1);
        }
        return CAD_OK;
    default:
        return with_word(racer, address, count_up, 0);
    }
}

/* Whole 2 MiB, and parts of them. */
static void large_operation(struct racer *racer)
{
    struct space_work work = { .chain = { .head = FRAME_NONE }, .rounds_owed = &rounds_owed };
    inside(racer);
    (void)large_step(racer, LARGE + below(racer, 2) * MMU_TABLE_ENTRIES * PAGE_SIZE, &work);
    outside(racer);
    finish(racer, &work);
}

static unsigned operations(void)
{
    const char *text = getenv("RACE_OPS");
    return text == NULL ? 20000 : (unsigned)atoi(text);
}

static void *race(void *argument)
{
    struct racer *racer = argument;
    for (unsigned i = operations(); i > 0; i--) {
        if (chance(racer, 2)) {
            private_operation(racer);
        } else if (chance(racer, 3)) {
            large_operation(racer);
        } else {
            shared_operation(racer);
        }
    }
    return NULL;
}

/* --- all of them --- */

static void race_make(void)
{
    world = world_create(8192);
    world->cadastre.host.magazine_refill = race_refill;
    world->cadastre.host.magazine_drain = race_drain;
    world->cadastre.host.block_take = race_block_take;
    world->cadastre.host.run_put = race_run_put;
    world->cadastre.host.table_wait = race_table_wait;
    world->cadastre.host.interrupt_window = race_interrupt_window;
    world->cadastre.host.fault_point = NULL;
    assert_int_equal(ledger_donate(world->cpu, world->root, world->ledger,
                                   CAD_RESOURCE_COMMITTED, 3000), CAD_OK);
    assert_int_equal(space_create(world->cpu, world->ledger, &space), CAD_OK);
    assert_int_equal(object_create(world->cpu, world->ledger, OBJECT_PAGES, &object), CAD_OK);
    for (unsigned i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){ .number = i, .random = (i + 1) * UINT64_C(0x9e3779b97f4a7c15) };
        core_cpu_join(&racers[i].cpu, &world->cadastre);
    }
}

static void race_end(void)
{
    struct space_work work = { .chain = { .head = FRAME_NONE } };
    bool gone = false;
    for (unsigned i = 0; i < RACERS; i++) {
        space_cpu_leave(&racers[i].cpu);
        assert_int_equal(racers[i].cpu.tables_held, 0);
        magazine_empty(&world->cadastre.frames, &racers[i].cpu.magazine, 0);
    }
    space_check_invariants(world->cpu, space);
    assert_int_equal(rounds_owed, 0);
    while (!gone) {
        gone = space_teardown_step(world->cpu, space, UINT32_MAX, &work);
        assert_true(frame_quarantine_release(world->cpu, &work.chain, UINT32_MAX));
        assert_int_equal(work.dead_count, 0);
    }
    object_unclaim(world->cpu, object, world->ledger);
    assert_true(object_put(world->cpu, object));
    assert_true(object_destroy_step(world->cpu, object, UINT32_MAX));
    world_destroy(world);
}

static void threads_on_one_space_see_one_at_a_time(void **state)
{
    (void)state;
    race_make();
    for (unsigned i = 0; i < RACERS; i++) {
        assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    }
    for (unsigned i = 0; i < RACERS; i++) {
        assert_int_equal(pthread_join(racers[i].thread, NULL), 0);
    }
    race_end();
    expect(large_seen > 0, "large pages that a query met", large_seen);
}

/* --- neighbours in the allocator --- */

/* Of two neighbours one is in a CPU's magazine, so that it goes from owner to owner, never back
 * to the allocator. */
static frame_no_t pair;

static void *take_and_release(void *argument)
{
    struct racer *racer = argument;
    for (unsigned i = operations(); i > 0; i--) {
        frame_no_t frame = frame_take_anon(&racer->cpu, 9, 0);
        expect(frame == pair + 1, "a frame came from elsewhere", frame);
        frame_release(&racer->cpu, frame, FRAME_ANON, 9);
    }
    return NULL;
}

static void *put_beside_it(void *argument)
{
    struct racer *racer = argument;
    for (unsigned i = operations(); i > 0; i--) {
        race_run_put(&racer->cpu, pair, 1);
        pthread_mutex_lock(&frames_mutex);
        frame_no_t frame = frame_block_take(&world->cadastre.frames, 0);
        pthread_mutex_unlock(&frames_mutex);
        expect(frame == pair, "merged with a frame that is not in the allocator", frame);
    }
    return NULL;
}

static void a_neighbour_of_others_is_never_taken_for_a_free_block(void **state)
{
    (void)state;
    race_make();
    struct frame_table *frames = &world->cadastre.frames;
    pair = frame_block_take(frames, 1);
    racers[0].cpu.magazine = (struct magazine){ .count = 1, .frames = { pair + 1 } };
    assert_int_equal(pthread_create(&racers[0].thread, NULL, take_and_release, &racers[0]), 0);
    assert_int_equal(pthread_create(&racers[1].thread, NULL, put_beside_it, &racers[1]), 0);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_join(racers[i].thread, NULL), 0);
    frame_run_put(frames, pair, 1);
    race_end();
}

/* --- faults --- */

/* Gives: what waitpid says of the program's end. */
static int run_quietly(const char *path)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (freopen("/dev/null", "w", stderr) != NULL &&
            freopen("/dev/null", "w", stdout) != NULL) {
            execl(path, path, (char *)NULL);
        }
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* The same program with a rule of the protocol left out must fail: test/race/planted/NAME.sed
 * is built to planted/NAME beside this one.  There it finds none to run. */
static void a_broken_protocol_is_noticed(void **state)
{
    (void)state;
    char pattern[4096];
    glob_t planted;
    ssize_t length = readlink("/proc/self/exe", pattern, sizeof(pattern) - 16);
    assert_true(length > 0);
    pattern[length] = '\0';
    strcpy(strrchr(pattern, '/') + 1, "planted/*");
    if (glob(pattern, 0, NULL, &planted) != 0) {
        return;
    }
    for (size_t i = 0; i < planted.gl_pathc; i++) {
        const char *path = planted.gl_pathv[i];
        bool is_program = strchr(strrchr(path, '/'), '.') == NULL, is_noticed = false;
        for (unsigned tries = 0; is_program && !is_noticed && tries < 3; tries++) {
            is_noticed = run_quietly(path) != 0;
        }
        if (is_program && !is_noticed) {
            fail_msg("%s was not noticed", path);
        }
    }
    globfree(&planted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_on_one_space_see_one_at_a_time),
        cmocka_unit_test(a_neighbour_of_others_is_never_taken_for_a_free_block),
        cmocka_unit_test(a_broken_protocol_is_noticed),
    };
    return cmocka_run_group_tests_name("space_race", tests, NULL, NULL);
}
