// SPDX-License-Identifier: BSD-2-Clause
/*
 * The Linux system calls the runtime serves: SERVED(name, function, limits).
 * Dispatch and the documentation come from this list; anything else is ENOSYS.
 */
#ifndef RT_SERVED_H
#define RT_SERVED_H

#include "runtime.h"

// clang-format off
#define SERVED_LIST(SERVED)                                                                        \
    SERVED(read, call_read, "console, archive files, /dev/null, /dev/urandom")                     \
    SERVED(readv, call_readv, "as read")                                                           \
    SERVED(pread64, call_pread, "archive files")                                                   \
    SERVED(write, call_write, "console, /dev/null")                                                \
    SERVED(writev, call_writev, "as write")                                                        \
    SERVED(open, call_open, "read-only files and folders of the boot archive")                     \
    SERVED(openat, call_openat, "as open; relative names start at /")                              \
    SERVED(close, call_close, "")                                                                  \
    SERVED(dup, call_dup, "the copy has its own position")                                         \
    SERVED(dup2, call_dup2, "as dup")                                                              \
    SERVED(dup3, call_dup3, "as dup")                                                              \
    SERVED(lseek, call_lseek, "archive files and folders")                                         \
    SERVED(fstat, call_fstat, "")                                                                  \
    SERVED(stat, call_stat, "")                                                                    \
    SERVED(lstat, call_stat, "there are no symbolic links")                                        \
    SERVED(newfstatat, call_newfstatat, "relative names start at /")                               \
    SERVED(access, call_access, "")                                                                \
    SERVED(faccessat, call_faccessat, "relative names start at /")                                 \
    SERVED(readlink, call_readlink, "there are no symbolic links")                                 \
    SERVED(getdents64, call_getdents, "")                                                          \
    SERVED(getcwd, call_getcwd, "always /")                                                        \
    SERVED(ioctl, call_ioctl, "console: window size, terminal modes")                              \
    SERVED(fcntl, call_fcntl, "F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL")                       \
    SERVED(brk, call_brk, "")                                                                      \
    SERVED(mmap, call_mmap, "private anonymous memory; private copies of archive files")           \
    SERVED(munmap, call_munmap, "anonymous memory")                                                \
    SERVED(mprotect, call_mprotect, "anonymous memory, never executable")                          \
    SERVED(madvise, call_madvise, "DONTNEED and FREE discard; other advice is ignored")            \
    SERVED(mremap, call_mremap, "by copying, or shrinking in place")                               \
    SERVED(clone, call_clone, "threads only")                                                      \
    SERVED(exit, call_exit, "")                                                                    \
    SERVED(exit_group, call_exit_group, "")                                                        \
    SERVED(futex, call_futex, "WAIT, WAKE, WAIT_BITSET, WAKE_BITSET; REQUEUE wakes; no PI")        \
    SERVED(set_tid_address, call_set_tid_address, "")                                              \
    SERVED(set_robust_list, call_accept, "accepted, not used")                                     \
    SERVED(arch_prctl, call_arch_prctl, "ARCH_SET_FS")                                             \
    SERVED(rt_sigprocmask, call_sigprocmask, "accepted: there are no signals")                     \
    SERVED(rt_sigaction, call_sigaction, "accepted: handlers never run")                           \
    SERVED(sigaltstack, call_accept, "accepted, not used")                                         \
    SERVED(kill, call_kill, "to itself: the end, with status 128 + signal")                        \
    SERVED(tkill, call_tkill, "as kill")                                                           \
    SERVED(tgkill, call_tgkill, "as kill")                                                         \
    SERVED(pause, call_pause, "for ever")                                                          \
    SERVED(clock_gettime, call_clock_gettime, "every clock but CPU time")                          \
    SERVED(clock_getres, call_clock_getres, "1 ns")                                                \
    SERVED(gettimeofday, call_gettimeofday, "")                                                    \
    SERVED(time, call_time, "")                                                                    \
    SERVED(nanosleep, call_nanosleep, "")                                                          \
    SERVED(clock_nanosleep, call_clock_nanosleep, "")                                              \
    SERVED(getrandom, call_getrandom, "")                                                          \
    SERVED(getpid, call_getpid, "")                                                                \
    SERVED(gettid, call_gettid, "")                                                                \
    SERVED(getppid, call_zero, "0")                                                                \
    SERVED(getuid, call_zero, "0")                                                                 \
    SERVED(geteuid, call_zero, "0")                                                                \
    SERVED(getgid, call_zero, "0")                                                                 \
    SERVED(getegid, call_zero, "0")                                                                \
    SERVED(sched_yield, call_sched_yield, "")                                                      \
    SERVED(sched_getaffinity, call_sched_getaffinity, "all CPUs")                                  \
    SERVED(uname, call_uname, "")                                                                  \
    SERVED(prlimit64, call_prlimit, "reading only")                                                \
    SERVED(getrlimit, call_getrlimit, "")                                                          \
    SERVED(sysinfo, call_sysinfo, "memory is the process's own budget")                            \
    SERVED(prctl, call_prctl, "PR_SET_NAME, accepted, not used")                                   \
    SERVED(rseq, call_decline, "ENOSYS without a word: C libraries only try it")                   \
    SERVED(umask, call_umask, "always 022")
// clang-format on

/* One type for all; a few functions serve several numbers. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wredundant-decls"
#define SERVED_PROTOTYPE(name, function, limits) long function(struct linux_registers *r);
SERVED_LIST(SERVED_PROTOTYPE)
#undef SERVED_PROTOTYPE
#pragma GCC diagnostic pop

#endif
