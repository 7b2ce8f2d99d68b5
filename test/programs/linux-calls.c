// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the runtime promises to Linux programs (user/rt/served.h), call by call,
 * through plain musl: memory, files, threads, time, errors.  It knows nothing
 * of the system but the files of its archive.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static unsigned checks, failures;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        checks++;                                                                                  \
        if (!(condition)) {                                                                        \
            failures++;                                                                            \
            printf("FAILED line %d: %s (errno %d)\n", __LINE__, #condition, errno);                \
        }                                                                                          \
    } while (0)
#define CHECK_ERROR(call, error) CHECK((errno = 0, (call)) == -1 && errno == (error))

enum { PAGE = 4096 };

static void *map(size_t pages, int protection)
{
    return mmap(NULL, pages * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void memory_is_mapped_and_given_back(void)
{
    char *pages = map(8, PROT_READ | PROT_WRITE);

    CHECK(pages != MAP_FAILED && pages[0] == 0 && pages[8 * PAGE - 1] == 0);
    memset(pages, 7, 8 * PAGE);
    CHECK(munmap(pages + PAGE, PAGE) == 0);
    CHECK(munmap(pages, 8 * PAGE) == 0); /* passes over the hole */
    CHECK(munmap(pages, 8 * PAGE) == 0); /* Linux: nothing there is no error */
    CHECK_ERROR(munmap(pages + 1, PAGE), EINVAL);
    CHECK_ERROR(munmap(pages, 0), EINVAL);
    CHECK(map(1, PROT_READ | PROT_EXEC) == MAP_FAILED && errno == EACCES);
    CHECK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    CHECK(map((size_t)1 << 36, PROT_READ | PROT_WRITE) == MAP_FAILED && errno == ENOMEM);
}

static void fixed_mappings_replace(void)
{
    char *pages = map(4, PROT_READ | PROT_WRITE), *middle;

    memset(pages, 9, 4 * PAGE);
    middle = mmap(pages + PAGE, 2 * PAGE, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(middle == pages + PAGE && middle[0] == 0 && middle[2 * PAGE - 1] == 0);
    CHECK(pages[0] == 9 && pages[3 * PAGE] == 9);
    CHECK(mmap(pages, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
              MAP_FAILED && errno == EEXIST);
    CHECK(munmap(pages, 4 * PAGE) == 0);
}

static void protection_and_advice(void)
{
    char *pages = map(4, PROT_NONE);

    CHECK(mprotect(pages, 2 * PAGE, PROT_READ | PROT_WRITE) == 0);
    pages[0] = pages[PAGE] = 5;
    CHECK(mprotect(pages, PAGE, PROT_NONE) == 0);
    CHECK(mprotect(pages, 4 * PAGE, PROT_READ | PROT_WRITE) == 0);
    CHECK(pages[0] == 5 && pages[2 * PAGE] == 0);
    CHECK_ERROR(mprotect(pages, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC), EACCES);
    CHECK(madvise(pages, 4 * PAGE, MADV_DONTNEED) == 0 && pages[0] == 0 && pages[PAGE] == 0);
    pages[0] = 6;
    CHECK(madvise(pages, 4 * PAGE, MADV_WILLNEED) == 0 && pages[0] == 6);
    CHECK(munmap(pages, 4 * PAGE) == 0);
}

static void memory_is_resized(void)
{
    char *pages = map(2, PROT_READ | PROT_WRITE), *moved;

    pages[0] = 1;
    pages[2 * PAGE - 1] = 2;
    moved = mremap(pages, 2 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
    CHECK(moved != MAP_FAILED && moved[0] == 1 && moved[2 * PAGE - 1] == 2);
    CHECK(mremap(moved, 64 * PAGE, PAGE, 0) == moved && moved[0] == 1);
    CHECK(munmap(moved, PAGE) == 0);
}

static void the_break_moves(void)
{
    char *start = sbrk(0), *grown;

    CHECK(start != (void *)-1);
    /* musl's sbrk only tells; its malloc uses the call itself. */
    grown = (char *)(uintptr_t)syscall(12, start + 3 * PAGE + 5);
    CHECK(grown == start + 3 * PAGE + 5);
    memset(start, 3, (size_t)(grown - start));
    CHECK(syscall(12, start) == (long)(uintptr_t)start);
    CHECK(syscall(12, start + PAGE) == (long)(uintptr_t)(start + PAGE) && start[0] == 0);
    CHECK(syscall(12, start) == (long)(uintptr_t)start);
}

static void heap_survives_mixed_use(void)
{
    enum { BLOCKS = 200, ROUNDS = 4000 };
    static unsigned char *blocks[BLOCKS];
    static size_t sizes[BLOCKS];
    unsigned seed = 1, wrong = 0;

    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned at;
        seed = seed * 1103515245 + 12345;
        at = seed / 65536 % BLOCKS;
        for (size_t k = 0; k < sizes[at]; k += 97)
            wrong += blocks[at][k] != at;
        sizes[at] = (seed >> 8) % ((seed & 64) != 0 ? 200000 : 500);
        blocks[at] = realloc(blocks[at], sizes[at] + 1);
        wrong += blocks[at] == NULL;
        memset(blocks[at], (int)at, sizes[at]);
    }
    CHECK(wrong == 0);
    for (unsigned i = 0; i < BLOCKS; i++)
        free(blocks[i]);
}

static void files_are_read(void)
{
    char whole[8192], part[64], a[5], b[7];
    int file = open("/etc/manifest", O_RDONLY | O_CLOEXEC);
    ssize_t bytes = read(file, whole, sizeof(whole));
    struct iovec pieces[2] = {{a, sizeof(a)}, {b, sizeof(b)}};
    struct stat facts;
    char *mapped;

    CHECK(file >= 3 && bytes > 100 && read(file, part, 1) == 0);
    CHECK(fstat(file, &facts) == 0 && facts.st_size == bytes && S_ISREG(facts.st_mode));
    CHECK(lseek(file, 10, SEEK_SET) == 10 && read(file, part, 20) == 20);
    CHECK(memcmp(part, whole + 10, 20) == 0 && lseek(file, 0, SEEK_CUR) == 30);
    CHECK(lseek(file, -4, SEEK_END) == bytes - 4 && read(file, part, 64) == 4);
    CHECK_ERROR(lseek(file, -1, SEEK_SET), EINVAL);
    CHECK(pread(file, part, 8, 3) == 8 && memcmp(part, whole + 3, 8) == 0);
    CHECK(lseek(file, 0, SEEK_SET) == 0 && readv(file, pieces, 2) == 12);
    CHECK(memcmp(a, whole, 5) == 0 && memcmp(b, whole + 5, 7) == 0);
    mapped = mmap(NULL, (size_t)bytes, PROT_READ, MAP_PRIVATE, file, 0);
    CHECK(mapped != MAP_FAILED && memcmp(mapped, whole, (size_t)bytes) == 0);
    CHECK(mapped != MAP_FAILED && mapped[bytes] == 0); /* the rest of the page */
    CHECK(munmap(mapped, (size_t)bytes) == 0);
    CHECK_ERROR(write(file, "x", 1), EBADF);
    CHECK(fcntl(file, F_GETFD) == FD_CLOEXEC && fcntl(file, F_GETFL) == O_RDONLY);
    CHECK(dup2(file, 40) == 40 && fcntl(40, F_GETFD) == 0 && close(40) == 0);
    CHECK(dup3(file, 41, O_CLOEXEC) == 41 && fcntl(41, F_GETFD) == FD_CLOEXEC && close(41) == 0);
    CHECK_ERROR(dup3(file, file, 0), EINVAL);
    CHECK_ERROR(dup2(99, 4), EBADF);
    CHECK(close(file) == 0);
    CHECK_ERROR(close(file), EBADF);
    CHECK_ERROR(read(file, part, 1), EBADF);
}

static void paths_are_found_or_refused(void)
{
    const char *volatile no_path = NULL;
    char place[16];
    struct stat facts;

    CHECK(stat("/bin", &facts) == 0 && S_ISDIR(facts.st_mode));
    CHECK(stat("//etc/./../etc/manifest", &facts) == 0 && S_ISREG(facts.st_mode));
    CHECK(access("etc/manifest", R_OK) == 0);
    CHECK_ERROR(access("/etc/manifest", W_OK), EROFS);
    CHECK_ERROR(open("/etc/nothing", O_RDONLY), ENOENT);
    CHECK_ERROR(open("/etc/manifest/x", O_RDONLY), ENOTDIR);
    CHECK_ERROR(open("/etc/manifest/", O_RDONLY), ENOTDIR);
    CHECK_ERROR(open("/etc/manifest", O_RDWR), EROFS);
    CHECK_ERROR(open("/etc/new", O_WRONLY | O_CREAT, 0600), EROFS);
    CHECK_ERROR(open("/etc", O_WRONLY), EISDIR);
    CHECK_ERROR(open("", O_RDONLY), ENOENT);
    CHECK_ERROR(open(no_path, O_RDONLY), EFAULT);
    CHECK_ERROR(stat(no_path, &facts), EFAULT);
    CHECK_ERROR(access(no_path, R_OK), EFAULT);
    CHECK_ERROR(readlink("/etc/manifest", place, sizeof(place)), EINVAL);
    CHECK_ERROR(readlink("/etc/nothing", place, sizeof(place)), ENOENT);
    CHECK(getcwd(place, sizeof(place)) == place && strcmp(place, "/") == 0);
    CHECK(getcwd(place, 1) == NULL && errno == ERANGE);
}

static void folders_are_listed(void)
{
    DIR *folder = opendir("/");
    struct dirent *entry;
    unsigned found = 0;

    CHECK(folder != NULL);
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        found |= strcmp(entry->d_name, "bin") == 0 && entry->d_type == DT_DIR ? 1 : 0;
        found |= strcmp(entry->d_name, "rt") == 0 && entry->d_type == DT_REG ? 2 : 0;
    }
    CHECK(found == 3);
    rewinddir(folder);
    CHECK(readdir(folder) != NULL && closedir(folder) == 0);
    CHECK(opendir("/etc/manifest") == NULL && errno == ENOTDIR);
}

static void devices_are_there(void)
{
    unsigned char bytes[64] = {0};
    unsigned sum = 0;
    int null = open("/dev/null", O_RDWR), random = open("/dev/urandom", O_RDONLY);

    CHECK(write(null, "abc", 3) == 3 && read(null, bytes, 3) == 0);
    CHECK(read(random, bytes, sizeof(bytes)) == sizeof(bytes));
    for (unsigned i = 0; i < sizeof(bytes); i++)
        sum |= bytes[i];
    CHECK(sum != 0 && close(null) == 0 && close(random) == 0);
    CHECK(getrandom(bytes, sizeof(bytes), 0) == sizeof(bytes));
    CHECK(isatty(0) == 1 && isatty(1) == 1);
}

static void time_passes(void)
{
    struct timespec start, end, wall, moment;
    struct timespec wrong = {0, 1000000000};

    clock_gettime(CLOCK_MONOTONIC, &start);
    CHECK(nanosleep(&(struct timespec){0, 30000000}, NULL) == 0);
    clock_gettime(CLOCK_MONOTONIC, &end);
    CHECK((end.tv_sec - start.tv_sec) * 1000000000 + end.tv_nsec - start.tv_nsec >= 30000000);
    CHECK(clock_gettime(CLOCK_REALTIME, &wall) == 0 && wall.tv_sec > 1600000000);
    CHECK(time(NULL) - wall.tv_sec <= 1);
    moment = end;
    moment.tv_sec += moment.tv_nsec >= 980000000;
    moment.tv_nsec = (moment.tv_nsec + 20000000) % 1000000000;
    CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &moment, NULL) == 0);
    clock_gettime(CLOCK_MONOTONIC, &end);
    CHECK(end.tv_sec > moment.tv_sec ||
          (end.tv_sec == moment.tv_sec && end.tv_nsec >= moment.tv_nsec));
    CHECK_ERROR(nanosleep(&wrong, NULL), EINVAL);
    CHECK_ERROR(clock_gettime(77, &wall), EINVAL);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static sem_t go, gone;
static _Thread_local unsigned own = 11;

static void *waits_for_go(void *argument)
{
    sem_wait(&go);
    own += *(unsigned *)argument;
    sem_post(&gone);
    return (void *)(uintptr_t)own;
}

static void threads_meet(void)
{
    pthread_t threads[4];
    unsigned numbers[4] = {1, 2, 3, 4}, sum = 0;
    struct timespec deadline;

    sem_init(&go, 0, 0);
    sem_init(&gone, 0, 0);
    for (unsigned i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, waits_for_go, &numbers[i]) == 0);
    CHECK(sem_trywait(&gone) == -1 && errno == EAGAIN);
    for (unsigned i = 0; i < 4; i++)
        sem_post(&go);
    for (unsigned i = 0; i < 4; i++) {
        void *result;
        CHECK(pthread_join(threads[i], &result) == 0);
        sum += (unsigned)(uintptr_t)result;
    }
    CHECK(sum == 4 * 11 + 10 && own == 11);

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += deadline.tv_nsec >= 950000000;
    deadline.tv_nsec = (deadline.tv_nsec + 50000000) % 1000000000;
    pthread_mutex_lock(&mutex);
    CHECK(pthread_cond_timedwait(&condition, &mutex, &deadline) == ETIMEDOUT);
    pthread_mutex_unlock(&mutex);
}

static void *posts_gone(void *argument)
{
    sem_post(argument);
    return NULL;
}

/* A detached thread unmaps the stack it runs on; its kernel and runtime parts come back too:
 * the budget of threads would not last for this many.  The next stack is put where the last was
 * while other CPUs may still know its old frames (TL2). */
static void detached_threads_leave_nothing(void)
{
    pthread_attr_t attributes;
    unsigned started = 0;
    pthread_t thread;

    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    for (unsigned i = 0; i < 1000; i++) {
        int error = EAGAIN;
        for (unsigned attempt = 0; attempt < 1000 && error == EAGAIN; attempt++) {
            error = pthread_create(&thread, &attributes, posts_gone, &gone);
            if (error == EAGAIN)
                sched_yield();
        }
        started += error == 0;
        sem_wait(&gone);
    }
    CHECK(started == 1000);
}

static void facts_are_told(void)
{
    struct utsname name;
    struct rlimit limit;
    struct sysinfo facts;
    cpu_set_t cpus;

    CHECK(uname(&name) == 0 && strcmp(name.machine, "x86_64") == 0);
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= 16);
    CHECK(sysinfo(&facts) == 0 && facts.totalram > 0 && facts.freeram <= facts.totalram);
    CHECK(sched_getaffinity(0, sizeof(cpus), &cpus) == 0);
    CHECK(CPU_COUNT(&cpus) == sysconf(_SC_NPROCESSORS_ONLN));
    CHECK(getpid() == gettid() && getpid() > 0 && getuid() == 0);
    CHECK(kill(getpid(), 0) == 0 && prctl(PR_SET_NAME, "tester") == 0);
    CHECK_ERROR(syscall(334, 0, 0, 0, 0), ENOSYS); /* rseq */
    CHECK_ERROR(kill(9999, SIGTERM), ESRCH);
    CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR && raise(SIGUSR1) == 0);
}

/* Registers that a system call must not change, vectors among them. */
static void calls_keep_registers(void)
{
    double before = 1.25, after;
    uint64_t number = 39, rbx = 0x1111, r12 = 0x2222, kept_b, kept_12;

    __asm__ volatile("movq %[rbx], %%rbx\n movq %[r12], %%r12\n movsd %[before], %%xmm9\n"
                     "movl $0x77, %%r8d\n syscall\n"
                     "movq %%rbx, %[kept_b]\n movq %%r12, %[kept_12]\n movsd %%xmm9, %[after]\n"
                     : "+a"(number), [kept_b] "=&r"(kept_b), [kept_12] "=&r"(kept_12),
                       [after] "=m"(after)
                     : [rbx] "m"(rbx), [r12] "m"(r12), [before] "m"(before)
                     : "rcx", "r11", "rbx", "r12", "r8", "xmm9", "memory");
    CHECK(number == (uint64_t)getpid() && kept_b == rbx && kept_12 == r12 && after == before);
}

int main(void)
{
    memory_is_mapped_and_given_back();
    fixed_mappings_replace();
    protection_and_advice();
    memory_is_resized();
    the_break_moves();
    heap_survives_mixed_use();
    files_are_read();
    paths_are_found_or_refused();
    folders_are_listed();
    devices_are_there();
    time_passes();
    threads_meet();
    detached_threads_leave_nothing();
    facts_are_told();
    calls_keep_registers();
    printf("linux-calls: %u checks, %u failed\n", checks, failures);
    return failures != 0;
}
