// SPDX-License-Identifier: BSD-2-Clause
/* A program that knows nothing of the system: what a user's own file looks like. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void *child(void *argument)
{
    char *text = malloc(64);

    snprintf(text, 64, "thread %d", *(int *)argument);
    return text;
}

static int fail(const char *what)
{
    printf("plain: FAILED: %s: %s\n", what, strerror(errno));
    return 1;
}

/* Sizes from a few bytes to beyond malloc's mmap threshold, filled and checked. */
static int use_heap(void)
{
    unsigned char *blocks[64];

    for (unsigned i = 0; i < 64; i++) {
        size_t size = (size_t)1 << (i % 20);

        blocks[i] = malloc(size);
        if (blocks[i] == NULL)
            return fail("malloc");
        memset(blocks[i], (int)i, size);
    }
    for (unsigned i = 0; i < 64; i++) {
        for (size_t at = 0; at < (size_t)1 << (i % 20); at++) {
            if (blocks[i][at] != i)
                return fail("heap contents");
        }
        blocks[i] = realloc(blocks[i], 100000);
        if (blocks[i] == NULL || blocks[i][0] != i)
            return fail("realloc");
        free(blocks[i]);
    }
    return 0;
}

static int use_mappings(void)
{
    char *pages = mmap(NULL, 16 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (pages == MAP_FAILED)
        return fail("mmap");
    pages[5 * 4096] = 1;
    if (mprotect(pages + 4096, 4096, PROT_NONE) != 0 ||
        madvise(pages, 16 * 4096, MADV_DONTNEED) != 0)
        return fail("mprotect or madvise");
    if (pages[5 * 4096] != 0)
        return fail("MADV_DONTNEED kept data");
    return munmap(pages, 16 * 4096) == 0 ? 0 : fail("munmap");
}

static int use_files(void)
{
    char line[128];
    FILE *file = fopen("/etc/manifest", "r");

    if (file == NULL || fgets(line, sizeof line, file) == NULL)
        return fail("reading /etc/manifest");
    fclose(file);
    if (fopen("/no/such/file", "r") != NULL || errno != ENOENT)
        return fail("a file that is not there");
    if (fopen("/etc/manifest", "w") != NULL)
        return fail("writing a read-only file");
    return 0;
}

int main(int argc, char **argv)
{
    struct timespec now, later;
    unsigned char random[16] = { 0 }, zero[16] = { 0 };
    pthread_t thread;
    int number = 7;
    void *text;

    printf("plain: %d arguments:", argc);
    for (int i = 0; i < argc; i++)
        printf(" [%s]", argv[i]);
    printf("\n");
    clock_gettime(CLOCK_MONOTONIC, &now);
    nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
    clock_gettime(CLOCK_MONOTONIC, &later);
    if ((later.tv_sec - now.tv_sec) * 1000000000 + later.tv_nsec - now.tv_nsec < 20000000)
        return fail("slept too short");
    if (getentropy(random, sizeof random) != 0 || memcmp(random, zero, sizeof zero) == 0)
        return fail("getentropy");
    if (use_heap() != 0 || use_mappings() != 0 || use_files() != 0)
        return 1;
    if (pthread_create(&thread, NULL, child, &number) != 0 || pthread_join(thread, &text) != 0)
        return fail("a thread");
    printf("plain: %s, pid %d, %s\n", (char *)text, getpid(),
           isatty(1) ? "a terminal" : "no terminal");
    free(text);
    errno = 0;
    if (fork() != -1 || errno != ENOSYS)
        return fail("fork is not ENOSYS");
    return argc - 1;
}
