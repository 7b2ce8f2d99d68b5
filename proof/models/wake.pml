// SPDX-License-Identifier: BSD-2-Clause
/*
 * Blocking, waking, timing out and killing: kernel/thread.c, wait_list.c.
 *
 * A thread waits at one of two lists, each with a lock of its own (notifications:
 * waiters only while no bit is set); signallers set bits or take a waiter out and wake
 * it, or put it back and wake it later; deadlines and killers strike at any moment.
 * With TSO, `killed` of the killer and `state` of the thread that blocks go through
 * store buffers, as on x86: the fences of thread_block() and thread_kill() empty them.
 *
 * A thread looks for the mark only when the `attention` of its CPU is set; that it moves
 * between CPUs is kill.pml's part.
 *
 * Checked: a waiting thread has one owner at a time and is woken once; a deadline ends no
 * other wait than its own; no signal is lost; a killed thread ends, and makes no call after
 * one that found the mark.
 *
 * RUN   two-lists: -DBLOCKS=2 -DSIGNALS=2 -DTIMEOUTS=1
 * RUN   store-buffers: -DBLOCKS=1 -DSIGNALS=1 -DTIMEOUTS=1 -DTSO
 * CATCH block-without-fence: -DBLOCKS=1 -DSIGNALS=0 -DTIMEOUTS=0 -DTSO -DBUG_BLOCK_FENCE assertion
 * CATCH kill-without-fence: -DBLOCKS=1 -DSIGNALS=0 -DTIMEOUTS=0 -DTSO -DBUG_KILL_FENCE assertion
 * CATCH killed-read-before-state: -DBLOCKS=1 -DSIGNALS=0 -DTIMEOUTS=0 -DBUG_KILLED_FIRST assertion
 * CATCH kill-without-prod: -DBLOCKS=1 -DSIGNALS=1 -DTIMEOUTS=0 -DBUG_NO_PROD assertion
 * CATCH mark-seen-and-left: -DBLOCKS=2 -DSIGNALS=0 -DTIMEOUTS=0 -DBUG_SEEN assertion
 * CATCH mark-read-before-attention: -DBLOCKS=1 -DSIGNALS=1 -DTIMEOUTS=0 -DBUG_ATTEND_LAST assertion
 * CATCH withdraw-without-recheck: -DBLOCKS=2 -DSIGNALS=2 -DTIMEOUTS=1 -DBUG_NO_RECHECK assertion
 * CATCH deadline-not-rechecked: -DBLOCKS=2 -DSIGNALS=2 -DTIMEOUTS=1 -DBUG_DEADLINE assertion
 * CATCH bit-set-after-unlock: -DBLOCKS=1 -DSIGNALS=1 -DTIMEOUTS=0 -DBUG_LATE_BIT assertion
 * CATCH wait-lock-kept: -DBLOCKS=1 -DSIGNALS=1 -DTIMEOUTS=0 -DBUG_KEPT assertion
 */
#define THREADS 1
#define LOCKS   2
#define REMOVE(t) assert(list[wl - 1]??[t]); list[wl - 1]??eval(t)
#define timed_out(t) assert(due[t])

bool state_pending, killed_pending;        /* in a store buffer */
#ifdef TSO
#define SET_WAITING(t, waiting) state_pending = true
#define BLOCK_STORED  !state_pending
#define SET_KILLED(t) killed_pending = true
#ifdef BUG_BLOCK_FENCE
#define BLOCK_FENCE true
#else
#define BLOCK_FENCE !state_pending
#endif
#ifdef BUG_KILL_FENCE
#define KILL_FENCE true
#else
#define KILL_FENCE !killed_pending
#endif
#endif

bool attention, saw;           /* of the CPU; of the proof: the thread found its mark */
#ifdef BUG_NO_PROD
#define PROD(t) skip
#else
#define PROD(t) attention = true
#endif
#ifdef BUG_SEEN
#define SEES_END(t) saw = true
#else
#define SEES_END(t) saw = true; attention = true
#endif

chan list[2] = [1] of { byte };
#include "thread.inc"

bool bits[2];

inline wait(l)
{
    lock_take(l);
    if
    :: bits[l] -> d_step { bits[l] = false; lock[l] = false }
    :: !bits[l] ->
        if
        :: thread_block(0, WAITING, l, list[l], true)
        :: thread_block(0, WAITING, l, list[l], false)
        fi;
        lock_drop(l);
        if
        :: blocked ->
end_waiting:
            (state[0] == READY || state[0] == ENDED);
            d_step {
                if
                :: state[0] == READY -> state[0] = RUNNING
                :: else
                fi
            }
        :: !blocked
        fi
    fi
}

/* attend(); a step for the reaper brings it too. */
inline attend()
{
#ifdef BUG_ATTEND_LAST
    mark = killed[0];
    attention = false;
#else
    attention = false;
    mark = killed[0];
#endif
    if
    :: mark -> state[0] = ENDED
    :: !mark
    fi
}

active proctype thread()
{
    byte waits;
    bool blocked, mark, stepped;

end:
    do
    :: state[0] == ENDED -> break
    :: state[0] == RUNNING && attention -> attend()
    :: state[0] == RUNNING && !stepped -> stepped = true; attention = true
    :: state[0] == RUNNING && !attention && waits < BLOCKS ->
        assert(!saw);
        waits++;
        wait(0)
    :: state[0] == RUNNING && !attention && waits < BLOCKS ->
        waits++;
        wait(1)
    od
}

#if SIGNALS > 0
inline signal(l)
{
    lock_take(l);
    if
    :: nempty(list[l]) -> take_first(list[l], t); lock_drop(l); wake(t)
#ifdef BUG_LATE_BIT
    :: empty(list[l]) -> lock_drop(l); bits[l] = true
#else
    :: empty(list[l]) -> bits[l] = true; lock_drop(l)
#endif
    fi
}

active proctype signaller()
{
    byte t, signals;

    do
    :: signals < SIGNALS -> signals++; signal(0)
    :: signals < SIGNALS -> signals++; signal(1)
    :: break
    od
}
#endif

active proctype killer()
{
    byte wl, g;
    bool mine;

    if
    :: kill(0)
    :: skip
    fi
}

#if TIMEOUTS > 0
active proctype timer()
{
    byte wl, g;
    bool mine;

end:
    WAITS(0) && due[0];
    time_out(0)
}
#endif

#ifdef TSO
active proctype buffers()
{
end:
    do
    :: d_step { state_pending -> state[0] = WAITING; state_pending = false }
    :: d_step { killed_pending -> killed[0] = true; killed_pending = false }
    od
}
#endif

active proctype at_rest()
{
end:
    timeout;
    assert(!killed[0] || state[0] == ENDED);
    assert(!(WAITS(0) && (bits[0] && wait_lock[0] == 1 || bits[1] && wait_lock[0] == 2)));
    assert(!owned[0] && !lock[0] && !lock[1])
}
