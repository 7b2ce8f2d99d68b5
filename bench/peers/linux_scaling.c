// SPDX-License-Identifier: BSD-2-Clause
/* The storms of bench/programs/bench/storms.c as Linux has them, measured by the same text. */
#define _GNU_SOURCE
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../programs/bench/scaling.h"

enum { PAGE = 4096, TOUCHED_PAGES = 64, RANGE_BYTES = 512 * PAGE, WORDS = 4 };

/* --- memory --- */

static char *ranges[SCALING_THREADS_MAX];

static void range_make(unsigned thread)
{
    ranges[thread] = mmap(NULL, RANGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                          -1, 0);
    if (ranges[thread] == MAP_FAILED)
        give_up("mmap");
    madvise(ranges[thread], RANGE_BYTES, MADV_NOHUGEPAGE);
}

static void range_drop(unsigned thread)
{
    munmap(ranges[thread], RANGE_BYTES);
}

static void touch(unsigned thread, unsigned operations)
{
    for (unsigned done = 0; done < operations; done += TOUCHED_PAGES) {
        for (unsigned page = 0; page < TOUCHED_PAGES; page++)
            *(volatile char *)&ranges[thread][page * PAGE] = 1;
        madvise(ranges[thread], TOUCHED_PAGES * PAGE, MADV_DONTNEED);
    }
}

/* --- processes --- */

static pid_t child_start(void)
{
    static char *const arguments[] = {"nothing", NULL}, *const none[] = {NULL};
    pid_t child = vfork();

    if (child == 0) {
        execve("/nothing", arguments, none);
        _exit(1);
    }
    return child;
}

static void spawn(unsigned thread, unsigned operations)
{
    (void)thread;
    for (unsigned i = 0; i < operations; i++) {
        pid_t child = child_start();

        if (child < 0 || waitpid(child, NULL, 0) != child)
            give_up("vfork");
    }
}

/* --- calls: a socket pair with a process at its other end --- */

static int ends[SCALING_THREADS_MAX];

static void call(unsigned thread, unsigned operations)
{
    uint64_t message[WORDS] = {1, 2, 3, 4};

    for (unsigned i = 0; i < operations; i++) {
        if (write(ends[thread], message, sizeof message) != sizeof message ||
            read(ends[thread], message, sizeof message) != sizeof message)
            give_up("a call");
    }
}

static void server_start(unsigned thread)
{
    uint64_t message[WORDS];
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        give_up("socketpair");
    if (fork() == 0) {
        close(pair[0]);
        while (read(pair[1], message, sizeof message) == sizeof message)
            if (write(pair[1], message, sizeof message) != sizeof message)
                break;
        _exit(0);
    }
    close(pair[1]);
    ends[thread] = pair[0];
    call(thread, 1);
}

static void server_stop(unsigned thread)
{
    shutdown(ends[thread], SHUT_RDWR);
    close(ends[thread]);
    wait(NULL);
}

const struct storm storms[] = {
    {"checksum", NULL, checksum, NULL, 2000},
    {"touch", range_make, touch, range_drop, 16384},
    {"spawn", NULL, spawn, NULL, 64},
    {"call", server_start, call, server_stop, 8192},
    {0},
};
