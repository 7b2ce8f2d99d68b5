// SPDX-License-Identifier: BSD-2-Clause
/*
 * The operations of bench/budgets.toml as Linux has them: /init of an initial
 * RAM disk, booted by bench/peers.py.  Each metric bears the name of ours and is
 * measured by the same batches (bench/programs/bench/measure.c).
 *
 * Where Linux has no such thing, its nearest: getppid for a null invocation,
 * io_uring for the ring, a socket pair between processes for call and reply (a
 * pipe for an empty one), eventfd for notifications, futex for park, memfd for
 * memory objects, vfork and exec for spawn.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "../programs/bench/scaling.h"

enum { PAGE = 4096, MANY = 4096, TOUCHED = 512, RING = 64, WORDS = 4, SETTLED = 256 };
#define GIB  ((size_t)1 << 30)
#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

/* The first instruction of user code leaves its time here (linked as the entry point);
 * %rdx is what the C library's start takes as a function to call at exit. */
uint64_t first_instruction = 1;
__asm__(".globl first\n"
        "first: rdtsc\n"
        "mov %eax, first_instruction(%rip)\n"
        "mov %edx, first_instruction+4(%rip)\n"
        "xor %edx, %edx\n"
        "jmp _start\n");

static _Noreturn void power_off(void)
{
    tcdrain(1);
    reboot(RB_POWER_OFF);
    _exit(1);
}

_Noreturn void give_up(const char *what)
{
    printf("bench: %s failed\n", what);
    fflush(stdout);
    power_off();
}

static void must(int good, const char *what)
{
    if (!good)
        give_up(what);
}

/* --- memory --- */

static char *range;
static int object = -1;

/* A range of small pages, as huge ones are another row. */
static char *map(size_t bytes, int protection, int flags)
{
    char *at = mmap(NULL, bytes, protection, flags, object, 0);

    must(at != MAP_FAILED, "mmap");
    return at;
}

static void reserve_many(void)
{
    range = map((size_t)MANY * PAGE, RW, ANON);
    must(madvise(range, (size_t)MANY * PAGE, MADV_NOHUGEPAGE) == 0, "madvise");
}

static void touch(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        *(volatile char *)(range + (size_t)i * PAGE) = 1;
}

static void fill_many(void)
{
    reserve_many();
    touch(MANY);
}

static void drop_many(void)
{
    must(munmap(range, (size_t)MANY * PAGE) == 0, "munmap");
}

static void commit_eager(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        must(madvise(range, (size_t)MANY * PAGE, MADV_POPULATE_WRITE) == 0, "populate");
}

static void decommit(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        (void)madvise(range, (size_t)MANY * PAGE, MADV_DONTNEED);
}

static void protect_many(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        (void)mprotect(range, (size_t)MANY * PAGE, i % 2 == 0 ? PROT_READ : RW);
}

/* Inside a larger mapping, as ours is: Linux splits it and joins it again. */
static void protect_one(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        (void)mprotect(range + 7 * PAGE, PAGE, i % 2 == 0 ? PROT_READ : RW);
}

static void unmap_one(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        (void)munmap(range + (size_t)(2 * i + 1) * PAGE, PAGE);
}

static void reserve_and_unmap(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        (void)munmap(map(GIB, RW, ANON | MAP_NORESERVE), GIB);
}

static void make_object(void)
{
    object = memfd_create("object", 0);
    must(object >= 0 && fallocate(object, 0, 0, (off_t)MANY * PAGE) == 0, "memfd");
}

static void drop_object(void)
{
    close(object);
    object = -1;
}

static void map_and_unmap_one(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        (void)munmap(map(PAGE, RW, MAP_SHARED | MAP_POPULATE), PAGE);
}

static void map_many(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        range = map((size_t)MANY * PAGE, RW, MAP_SHARED | MAP_POPULATE);
}

static void unmap_and_drop_object(void)
{
    drop_many();
    drop_object();
}

static const struct metric memory_rows[] = {
    { "first_touch", touch, reserve_many, drop_many, TOUCHED, 1 },
    { "commit_eager_4096_each", commit_eager, reserve_many, drop_many, 1, MANY },
    { "decommit_4096_each", decommit, fill_many, drop_many, 1, MANY },
    { "protect_4096_each", protect_many, fill_many, drop_many, 2, MANY },
    { "protect_one", protect_one, fill_many, drop_many, 64, 1 },
    { "unmap_one", unmap_one, fill_many, drop_many, 64, 1 },
    { "reserve_unmap_1gib", reserve_and_unmap, 0, 0, 64, 1 },
    { "map_unmap_one_object_page", map_and_unmap_one, make_object, drop_object, 64, 1 },
    { "map_4096_object_pages_each", map_many, make_object, unmap_and_drop_object, 1, MANY },
    { 0 },
};

/* --- calls and waits --- */

static void null_invocation(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        syscall(SYS_getppid);
}

static struct {
    int file;
    atomic_uint *tail;
    unsigned *array;
    atomic_uint *head, *end;
} ring;

static void ring_open(void)
{
    struct io_uring_params p = { 0 };

    ring.file = (int)syscall(SYS_io_uring_setup, RING, &p);
    must(ring.file >= 0 && (p.features & IORING_FEAT_SINGLE_MMAP), "io_uring_setup");
    char *rings = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe), RW,
                       MAP_SHARED | MAP_POPULATE, ring.file, IORING_OFF_SQ_RING);
    char *entries = mmap(NULL, RING * sizeof(struct io_uring_sqe), RW,
                         MAP_SHARED | MAP_POPULATE, ring.file, IORING_OFF_SQES);
    must(rings != MAP_FAILED && entries != MAP_FAILED, "map of the ring");
    memset(entries, 0, RING * sizeof(struct io_uring_sqe)); /* IORING_OP_NOP */
    ring.tail = (atomic_uint *)(void *)(rings + p.sq_off.tail);
    ring.array = (unsigned *)(void *)(rings + p.sq_off.array);
    ring.head = (atomic_uint *)(void *)(rings + p.cq_off.head);
    ring.end = (atomic_uint *)(void *)(rings + p.cq_off.tail);
    for (unsigned i = 0; i < RING; i++)
        ring.array[i] = i;
}

static void ring_nops(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++) {
        atomic_fetch_add(ring.tail, RING);
        must(syscall(SYS_io_uring_enter, ring.file, RING, RING, IORING_ENTER_GETEVENTS, NULL,
                     0) == RING, "io_uring_enter");
        atomic_store(ring.head, atomic_load(ring.end));
    }
}

static void ring_close(void)
{
    close(ring.file);
}

static int to_peer[2], from_peer[2];
static uint64_t message[WORDS];
static pthread_t peer;

static void close_ends(void)
{
    for (int i = 0; i < 2; i++) {
        close(to_peer[i]);
        close(from_peer[i]);
    }
}

/* A process that sends back what it gets, until its end is closed. */
static void serve_in_child(size_t bytes)
{
    int mine = from_peer[1], theirs = to_peer[0];
    pid_t child = fork();

    must(child >= 0, "fork");
    if (child > 0)
        return;
    close(to_peer[1]);
    close(from_peer[0]);
    while (read(theirs, message, bytes) == (ssize_t)bytes)
        if (write(mine, message, bytes) != (ssize_t)bytes)
            break;
    _exit(0);
}

static void pipes_open(void)
{
    must(pipe(to_peer) == 0 && pipe(from_peer) == 0, "pipe");
    serve_in_child(1);
}

static void sockets_open(void)
{
    int ends[2];

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
    to_peer[1] = ends[0];
    to_peer[0] = ends[1];
    from_peer[0] = dup(ends[0]);
    from_peer[1] = dup(ends[1]);
    serve_in_child(sizeof message);
}

static void ends_close(void)
{
    shutdown(to_peer[1], SHUT_RDWR);
    close_ends();
    wait(NULL);
}

static void exchange(unsigned operations, size_t bytes)
{
    for (unsigned i = 0; i < operations; i++) {
        must(write(to_peer[1], message, bytes) == (ssize_t)bytes, "write");
        must(read(from_peer[0], message, bytes) == (ssize_t)bytes, "read");
    }
}

static void exchange_byte(unsigned operations)
{
    exchange(operations, 1);
}

static void exchange_words(unsigned operations)
{
    exchange(operations, sizeof message);
}

static void *answer_events(void *unused)
{
    uint64_t value;

    while (read(to_peer[0], &value, 8) == 8 && value == 1)
        (void)!write(from_peer[0], &value, 8);
    return unused;
}

static void events_open(void)
{
    to_peer[0] = eventfd(0, 0);
    from_peer[0] = eventfd(0, 0);
    must(pthread_create(&peer, NULL, answer_events, NULL) == 0, "pthread_create");
}

static void exchange_events(unsigned operations)
{
    uint64_t one = 1, value;

    for (unsigned i = 0; i < operations; i++) {
        (void)!write(to_peer[0], &one, 8);
        (void)!read(from_peer[0], &value, 8);
    }
}

static void events_close(void)
{
    uint64_t end = 2;

    (void)!write(to_peer[0], &end, 8);
    pthread_join(peer, NULL);
    close(to_peer[0]);
    close(from_peer[0]);
}

static atomic_uint word;
enum { PING, PONG, END };

/* Says `mine` and waits until the other side says otherwise. */
static void hand_over(unsigned mine)
{
    atomic_store(&word, mine);
    syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    while (mine != END && atomic_load(&word) == mine)
        syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, mine, NULL, NULL, 0);
}

static void *answer_parked(void *unused)
{
    while (atomic_load(&word) == PING)
        hand_over(PONG);
    return unused;
}

static void parked_open(void)
{
    atomic_store(&word, PING);
    must(pthread_create(&peer, NULL, answer_parked, NULL) == 0, "pthread_create");
    while (atomic_load(&word) == PING)
        sched_yield();
}

static void exchange_parked(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++)
        hand_over(PING);
}

static void parked_close(void)
{
    hand_over(END);
    pthread_join(peer, NULL);
}

static atomic_bool yielding;

static void *yield_back(void *unused)
{
    while (atomic_load(&yielding))
        sched_yield();
    return unused;
}

static long switches(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nvcsw + usage.ru_nivcsw;
}

/* Linux lets the caller go on while the other thread has less claim to the processor. */
static void yield_open(void)
{
    atomic_store(&yielding, 1);
    must(pthread_create(&peer, NULL, yield_back, NULL) == 0, "pthread_create");
    for (long before = switches(), tries = 0; switches() - before < 2 * SETTLED; tries++) {
        must(tries < 1000 * SETTLED, "two threads that take turns");
        sched_yield();
    }
}

/* Two switches: there and back. */
static void yields(unsigned operations)
{
    long before = switches();

    for (unsigned i = 0; i < operations; i++)
        sched_yield();
    must(switches() - before >= (long)operations, "a switch at each yield");
}

static void yield_close(void)
{
    atomic_store(&yielding, 0);
    pthread_join(peer, NULL);
}

static const struct metric call_rows[] = {
    { "null_invocation", null_invocation, 0, 0, 512, 1 },
    { "ring_nop_64_each", ring_nops, ring_open, ring_close, 16, RING },
    { "call_round_trip_0_words", exchange_byte, pipes_open, ends_close, 256, 1 },
    { "call_round_trip_4_words", exchange_words, sockets_open, ends_close, 256, 1 },
    { "notification_round_trip", exchange_events, events_open, events_close, 256, 1 },
    { "park_round_trip", exchange_parked, parked_open, parked_close, 256, 1 },
    { "yield_to_another_thread", yields, yield_open, yield_close, 256, 2 },
    { 0 },
};

/* --- processes and threads --- */

/* As posix_spawn does it: the child borrows our memory until it runs another program. */
static pid_t spawn(void)
{
    static char *const arguments[] = { "nothing", NULL }, *const none[] = { NULL };
    pid_t child = vfork();

    if (child == 0) {
        execve("/nothing", arguments, none);
        _exit(1);
    }
    return child;
}

static void spawn_and_wait(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++) {
        pid_t child = spawn();

        must(child > 0 && waitpid(child, NULL, 0) == child, "vfork");
    }
}

static void *nothing(void *unused)
{
    return unused;
}

static void create_and_join(unsigned operations)
{
    pthread_t id;

    for (unsigned i = 0; i < operations; i++) {
        must(pthread_create(&id, NULL, nothing, NULL) == 0, "pthread_create");
        pthread_join(id, NULL);
    }
}

static const struct metric process_rows[] = {
    { "spawn_exit_wait", spawn_and_wait, 0, 0, 16, 1 },
    { "thread_create_join", create_and_join, 0, 0, 32, 1 },
    { 0 },
};

static void measure_all(const struct metric *rows)
{
    for (; rows->name != NULL; rows++)
        measure(rows, BATCHES);
}

/* The last words are ours: the kernel gives /init those behind `--`, and others that it
 * does not know. */
int main(int argc, char **argv)
{
    struct sysinfo info;

    if (argc > 2 && strcmp(argv[argc - 2], "scaling") == 0) {
        scale_all(storms, (unsigned)atoi(argv[argc - 1]), 0, SCALING_ROUNDS);
        printf("bench: done\n");
        fflush(stdout);
        power_off();
    }
    must(sysinfo(&info) == 0, "sysinfo");
    report("boot_to_init", first_instruction, first_instruction);
    report("memory_after_boot_bytes", (GIB - info.freeram), (GIB - info.freeram));
    measure_all(memory_rows);
    measure_all(call_rows);
    measure_all(process_rows);
    printf("bench: done\n");
    fflush(stdout);
    power_off();
}
