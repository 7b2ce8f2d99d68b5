// SPDX-License-Identifier: BSD-2-Clause
/*
 * Run queues, idle CPUs, attention and the stop of the world: kernel/scheduler.c, world.c.
 *
 * Each CPU has a queue, each thread a priority of its own.  A CPU's thread blocks, makes a blocked thread
 * ready, or (one of them, once) stops the world; an interrupt makes a thread ready on whatever
 * CPU it comes to, halted ones too.  kernel_resume() and idle() go step by step; a CPU that
 * is prodded gets an IPI, which it takes in user mode or halted.
 *
 * Checked: no CPU is idle while a thread is ready, and no thread waits behind a lower one at
 * its own CPU, once nothing moves any more; a stop of the world stops all and ends.
 * Steps are sequentially consistent; where the code has a fence, the variant without it does
 * the load before the store.  Left out: time slices, locks (a step each), threads that end,
 * changes of priority, the reaper, affinity's cost.
 *
 * RUN   wake-ups: -DNCPU=2 -DTHREADS=3 -DACTS=1 -DSTOPS=0 -DIRQS=1
 * RUN   stop: -DNCPU=2 -DTHREADS=2 -DACTS=1 -DSTOPS=1 -DIRQS=1
 * RUN   three-cpus: -DNCPU=3 -DTHREADS=2 -DACTS=1 -DSTOPS=1 -DIRQS=0
 * CATCH stop-lost-out-of-idleness: -DNCPU=2 -DTHREADS=2 -DACTS=1 -DSTOPS=1 -DIRQS=1 -DBUG_STOP_FIRST deadlock
 * CATCH stop-lost-in-attend: -DNCPU=2 -DTHREADS=2 -DACTS=1 -DSTOPS=1 -DIRQS=1 -DBUG_ATTEND_LAST deadlock
 * CATCH stop-without-prod: -DNCPU=2 -DTHREADS=2 -DACTS=1 -DSTOPS=1 -DIRQS=0 -DBUG_NO_PROD deadlock
 * CATCH queued-without-fence: -DNCPU=2 -DTHREADS=3 -DACTS=1 -DSTOPS=0 -DIRQS=1 -DBUG_NOTE_EARLY assertion
 * CATCH idle-without-fence: -DNCPU=2 -DTHREADS=3 -DACTS=1 -DSTOPS=0 -DIRQS=1 -DBUG_PICK_EARLY assertion
 * CATCH enter-without-fence: -DNCPU=2 -DTHREADS=3 -DACTS=1 -DSTOPS=0 -DIRQS=1 -DBUG_ENTER_EARLY assertion
 * CATCH idle-is-not-prodded: -DNCPU=2 -DTHREADS=3 -DACTS=1 -DSTOPS=0 -DIRQS=1 -DBUG_NO_IDLE_PROD assertion
 * CATCH interrupts-on-before-halt: -DNCPU=2 -DTHREADS=3 -DACTS=1 -DSTOPS=0 -DIRQS=1 -DBUG_EARLY_STI assertion
 */
#define NONE 255
#define IDLE 0                 /* running_priority is one more than the code's */

mtype = { RUNNING, READY, BLOCKED };
mtype state[THREADS] = BLOCKED;
byte last_cpu[THREADS];
byte acts[THREADS];            /* left */
#define PRIORITY(t) ((t) + 1)

byte queue[NCPU];              /* bit set of threads: each has a priority of its own */
byte running[NCPU];            /* running_priority */
byte current[NCPU] = NONE;
bool attention[NCPU], ipi[NCPU], halted[NCPU];
byte idle_cpus;                /* bit set */
byte irqs = IRQS, stops = STOPS;

byte world_stopper, waiting, epoch;
bool waits[NCPU];              /* of the proof: is in world_wait() */

#define BIT(c)  (1 << (c))
#define FIRST_OF(set) (((set) & 1) != 0 -> 0 : (((set) & 2) != 0 -> 1 : 2))
/* Its highest priority, 0 if none. */
#define TOP(c)  ((queue[c] & 4) != 0 -> 3 : ((queue[c] & 2) != 0 -> 2 : queue[c] & 1))

/* --- who makes others run --- */

inline prod(to)
{
    attention[to] = true;
    if
    :: to != c -> ipi[to] = true
    :: else
    fi
}

inline queue_push(to, t)
{
    d_step { queue[to] = queue[to] | BIT(t); last_cpu[t] = to; state[t] = READY }
}

/* note_queued(), after `r` was read from running[to]. */
inline prod_for(to, t)
{
    if
    :: r < PRIORITY(t) -> prod(to)
    :: r >= PRIORITY(t) ->
#ifndef BUG_NO_IDLE_PROD
        i = idle_cpus;
        if
        :: i != 0 -> i = FIRST_OF(i); prod(i)
        :: i == 0
        fi
#endif
    fi
}

inline ready_at(to, t)
{
#ifdef BUG_NOTE_EARLY
    r = running[to];
    queue_push(to, t);
#else
    queue_push(to, t);
    r = running[to];
#endif
    prod_for(to, t)
}

/* scheduler_ready(): place(), then the queue. */
inline ready(t)
{
    to = last_cpu[t];
    if
    :: running[to] < PRIORITY(t)
    :: else ->
        i = idle_cpus;
        if
        :: i != 0 -> to = FIRST_OF(i)
        :: i == 0
        fi
    fi;
    ready_at(to, t);
    d_step { to = 0; r = 0; i = 0 }
}

/* make_ready(): the thread that was current comes into the queue here. */
inline make_ready(old)
{
    queue_push(c, old);
#ifndef BUG_NO_IDLE_PROD
    i = idle_cpus;
    if
    :: i != 0 -> i = FIRST_OF(i); prod(i)
    :: i == 0
    fi;
    i = 0
#endif
}

/* A blocked thread, if there is one: its waker has it. */
inline wake_one()
{
    d_step {
        if
        :: state[0] == BLOCKED -> w = 0; state[0] = READY
        :: state[0] != BLOCKED && state[1] == BLOCKED -> w = 1; state[1] = READY
#if THREADS == 3
        :: state[0] != BLOCKED && state[1] != BLOCKED && state[2] == BLOCKED ->
            w = 2; state[2] = READY
        :: state[2] == BLOCKED -> w = 2; state[2] = READY
#endif
        :: else -> w = NONE
        fi
    }
    if
    :: w != NONE -> ready(w)
    :: w == NONE
    fi;
    w = 0
}

/* --- the world --- */

inline world_wait()
{
    e = epoch;
    if
    :: world_stopper == 0
    :: world_stopper != 0 ->
        d_step { waiting++; waits[c] = true }
        epoch != e;            /* a CPU that waits goes on by itself */
        waits[c] = false
    fi;
    e = 0
}

#if NCPU == 2
#define ALL_WAIT (waits[1 - c])
#else
#define ALL_WAIT (waits[(c + 1) % 3] && waits[(c + 2) % 3])
#endif

inline world_stop()
{
    do
    :: atomic { world_stopper == 0 -> world_stopper = c + 1; break }
    :: world_stopper != 0 -> world_wait()
    od;
#ifndef BUG_NO_PROD
    for (i : 0 .. NCPU - 1) {
        if
        :: i != c -> prod(i)
        :: else
        fi
    }
    i = 0;
#endif
    waiting == NCPU - 1;
    assert(ALL_WAIT);
    waiting = 0;               /* world_resume() */
    world_stopper = 0;
    epoch++
}

/* --- kernel_resume() --- */

/* queue_take() of the highest of CPU `from`. */
inline take(from)
{
    d_step {
        if
        :: queue[from] != 0 ->
            t = TOP(from) - 1;
            queue[from] = queue[from] & ~BIT(t);
            state[t] = RUNNING;
            last_cpu[t] = c
        :: else -> t = NONE
        fi
    }
}

/* From the CPU with the highest ready thread; a hint, then its lock. */
inline steal()
{
    d_step {
        i = NONE;
        r = 0;
        o = 0;
        do
        :: o < NCPU && o != c && TOP(o) > r -> i = o; r = TOP(o); o++
        :: o < NCPU && !(o != c && TOP(o) > r) -> o++
        :: o == NCPU -> break
        od;
        r = 0;
        o = 0
    }
    if
    :: i != NONE -> take(i)
    :: i == NONE
    fi;
    i = 0
}

inline look()                  /* at the queues, for a thread */
{
    take(c);
    if
    :: t == NONE -> steal()
    :: t != NONE
    fi
}

inline halt()
{
#ifdef BUG_EARLY_STI
    if
    :: ipi[c] -> ipi[c] = false        /* taken between sti and hlt */
    :: true
    fi;
#endif
    halted[c] = true;
end_halted:
    if
    :: atomic { ipi[c] -> ipi[c] = false; halted[c] = false }
    :: atomic { irqs > 0 -> irqs--; halted[c] = false }; wake_one()
    fi
}

inline idle()
{
#ifdef BUG_PICK_EARLY
    look();
    running[c] = IDLE;
    idle_cpus = idle_cpus | BIT(c);
    if
    :: t == NONE -> halt()
    :: else
    fi;
#else
    running[c] = IDLE;
    idle_cpus = idle_cpus | BIT(c);
#endif
    do
#ifdef BUG_PICK_EARLY
    :: t != NONE -> break
#endif
    ::
#ifdef BUG_STOP_FIRST
        if
        :: world_stopper != 0 -> world_wait()
        :: else
        fi;
        attention[c] = false;
        look();
#else
        attention[c] = false;
        if
        :: world_stopper != 0 -> world_wait()
        :: else
        fi;
        look();
#endif
        if
        :: t != NONE -> break
        :: t == NONE ->
            if
            :: !attention[c] -> halt()
            :: else
            fi
        fi
    od;
    idle_cpus = idle_cpus & ~BIT(c)
}

/* scheduler_enter() */
inline enter()
{
    current[c] = t;
#ifdef BUG_ENTER_EARLY
    r = TOP(c);
    running[c] = PRIORITY(t);
#else
    running[c] = PRIORITY(t);
    r = TOP(c);
#endif
    if
    :: r > PRIORITY(t) -> attention[c] = true
    :: else
    fi;
    d_step { r = 0; t = NONE }
}

/* attend(): preempt() */
inline attend()
{
    attention[c] = false;
    if
    :: current[c] != NONE && TOP(c) > PRIORITY(current[c]) ->
        t = current[c];
        current[c] = NONE;
        make_ready(t);
        t = NONE
    :: else
    fi
}

proctype cpu(byte c)
{
    byte t, to, r, i, o, w, e;

    t = NONE;
resume:
    if
    :: current[c] == NONE ->
        take(c);
        if
        :: t == NONE -> idle()
        :: t != NONE
        fi;
        enter()
    :: else
    fi;
    if
    :: !attention[c] -> goto user
    :: else
    fi;
#ifdef BUG_ATTEND_LAST
    if
    :: world_stopper != 0 -> world_wait()
    :: else
    fi;
    attend();
#else
    attend();
    if
    :: world_stopper != 0 -> world_wait()
    :: else
    fi;
#endif
    goto resume;
user:
end_user:
    if
    :: atomic { ipi[c] -> ipi[c] = false }
    :: atomic { irqs > 0 -> irqs-- }; wake_one()
    :: atomic { stops > 0 -> stops-- }; world_stop()
    :: atomic { acts[current[c]] > 0 -> acts[current[c]]-- }; wake_one()
    :: atomic { acts[current[c]] > 0 -> acts[current[c]]-- };
        d_step { state[current[c]] = BLOCKED; current[c] = NONE }
    fi;
    goto resume
}

#define KEEPS_BACK(c) (current[c] != NONE && TOP(c) > PRIORITY(current[c]))
#define WAITING(c)    (TOP(c) != 0)

active proctype at_rest()
{
end:
    timeout;
    assert(idle_cpus == 0 || !(WAITING(0) || WAITING(1) || WAITING(NCPU - 1)));
    assert(!(KEEPS_BACK(0) || KEEPS_BACK(1) || KEEPS_BACK(NCPU - 1)))
}

init {
    atomic {
        byte k;
        for (k : 0 .. THREADS - 1) {
            acts[k] = ACTS
        }
        for (k : 0 .. NCPU - 1) {
            run cpu(k)
        }
        state[0] = RUNNING;
        current[0] = 0;
        running[0] = PRIORITY(0)
    }
}
