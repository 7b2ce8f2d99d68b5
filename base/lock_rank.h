// SPDX-License-Identifier: BSD-2-Clause
/*
 * The order of locks: one may be taken only while every lock held has a lower
 * rank.  Debug builds check it on every take; docs/locks.md comes from here.
 */
#ifndef BASE_LOCK_RANK_H
#define BASE_LOCK_RANK_H

/* RANK(NAME, what it protects) outermost first */
#define LOCK_RANK_LIST(RANK)                                                                       \
    RANK(DERIVATION, "capability slots, their tables and derivation tree; ids of tables")          \
    RANK(PROCESSES, "process and thread ids, a process's list of threads, states of ending")       \
    RANK(OBJECTS, "memory objects, claims, mapping records, untypeds; ids of spaces")              \
    RANK(TABLES, "page tables of one space: a range's, from above and by rising address")          \
    RANK(LEDGERS, "the tree of ledgers (charges themselves are atomic)")                           \
    RANK(PARK, "one bucket of parked threads")                                                     \
    RANK(ENDPOINT, "one endpoint: its queues of callers and receivers")                            \
    RANK(NOTIFICATION, "one notification: bits and waiters")                                       \
    RANK(WAITERS, "lists of threads that wait for a thread, a process, the console")               \
    RANK(TIMERS, "the queue of deadlines")                                                         \
    RANK(RUN_QUEUE, "one CPU's run queue (never two at once)")                                     \
    RANK(REAPER, "the queue of things to destroy")                                                 \
    RANK(POOLS, "growth of record pools, page tables of the kernel half")                          \
    RANK(FRAMES, "free lists of the frame table")                                                  \
    RANK(CONSOLE, "the console's transmitter")                                                     \
    RANK(ENTROPY, "state of the random generator")                                                 \
    RANK(TRACE, "the trace buffer")

#define LOCK_RANK_ENUM(NAME, protects) LOCK_##NAME,
enum lock_rank { LOCK_RANK_LIST(LOCK_RANK_ENUM) };
#undef LOCK_RANK_ENUM

#endif
