// SPDX-License-Identifier: BSD-2-Clause
/*
 * Waiting on a word of memory: kernel/parking.c over kernel/thread.c, wait_list.c.
 *
 * Two threads park on a word while it is 0; a third stores 1 and unparks all; the page
 * may be unmapped at any moment; deadlines and killers strike one of the two.
 * One bucket.  From the resolution of the word to the enqueue its page is held, or, without a
 * deadline, its CPU answers no round: then the unmap's round waits for it, not its change.
 *
 * Checked: no wake-up is lost, by the store or the unmap (PK1, PK2); a wait ends
 * once, its charge with it; parked_count is right at rest; a killed thread ends.
 *
 * RUN   all: -DTIMEOUTS=1 -DKILLS=1
 * CATCH word-read-before-lock: -DTIMEOUTS=0 -DKILLS=0 -DBUG_WORD assertion
 * CATCH space-let-go-before-enqueue: -DTIMEOUTS=0 -DKILLS=0 -DBUG_SPACE assertion
 * CATCH counted-after-space-lock: -DTIMEOUTS=0 -DKILLS=0 -DBUG_COUNT assertion
 * CATCH unmap-wakes-before-change: -DTIMEOUTS=0 -DKILLS=0 -DBUG_ORDER assertion
 * CATCH round-answered-before-enqueue: -DTIMEOUTS=0 -DKILLS=0 -DBUG_ANSWER assertion
 * CATCH unmap-wakes-before-round: -DTIMEOUTS=0 -DKILLS=0 -DBUG_ROUND assertion
 * CATCH walk-before-lock: -DTIMEOUTS=0 -DKILLS=0 -DBUG_WALK assertion
 * CATCH count-not-undone: -DTIMEOUTS=0 -DKILLS=1 -DBUG_UNDO assertion
 * CATCH wait-lock-kept: -DTIMEOUTS=1 -DKILLS=0 -DBUG_KEPT assertion
 */
#define THREADS 2
#define BUCKET  0
#define SPACE   1
#define LOCKS   2
#define REMOVE(t) bucket??eval(t)
#define timed_out(t) assert(due[t])

chan bucket = [THREADS] of { byte };
#include "thread.inc"

bool word, is_mapped = true;
bool walks[THREADS];           /* its CPU read a table and answers no round yet */

inline count()
{
    parked++
}

inline park_begin(t, has_deadline)
{
#ifdef BUG_COUNT
    if
    :: has_deadline
    :: !has_deadline -> count()
    fi;
#else
    count();
#endif
    thread_block(t, PARKED, BUCKET, bucket, has_deadline);
    if
    :: blocked
    :: !blocked ->
#ifndef BUG_UNDO
        parked--;
#endif
        charged[t] = false
    fi
}

inline park_held(t)
{
#ifdef BUG_WORD
    value = word;
#endif
    lock_take(BUCKET);
#ifndef BUG_WORD
    value = word;
#endif
    if
    :: value -> charged[t] = false             /* MISMATCH */
    :: !value -> park_begin(t, true)
    fi;
    lock_drop(BUCKET);
    value = false
}

inline park_slowly(t)
{
    lock_take(SPACE);
    if
    :: !is_mapped -> charged[t] = false; lock_drop(SPACE)
    :: is_mapped ->
#ifdef BUG_SPACE
        lock_drop(SPACE);
        park_held(t)
#else
        park_held(t);
        lock_drop(SPACE);
#ifdef BUG_COUNT
        if
        :: blocked -> count()
        :: !blocked
        fi
#endif
#endif
    fi
}

inline walk(t)                 /* the unmap's round may be answered before it, not after */
{
    atomic { walks[t] = true; is_read = is_mapped }
}

inline park_at_once(t)
{
#ifdef BUG_WALK
    walk(t);
    walks[t] = false;          /* in the wait for the lock */
    lock_take(BUCKET);
#else
    lock_take(BUCKET);
    walk(t);
#endif
    value = word;
#ifdef BUG_ANSWER
    walks[t] = false;
#endif
    if
    :: !is_read
    :: is_read && value -> charged[t] = false
    :: is_read && !value -> park_begin(t, false)
    fi;
    walks[t] = false;
    lock_drop(BUCKET);
    value = false
}

inline park(t)
{
    charged[t] = true;
    if
    :: park_at_once(t);
        if
        :: !is_read -> park_slowly(t)
        :: is_read -> is_read = false
        fi
    :: park_slowly(t)
    fi;
    if
    :: blocked ->
end_waiting:
        (state[t] == READY || state[t] == ENDED);
        d_step {
            if
            :: state[t] == READY -> state[t] = RUNNING
            :: else
            fi
        }
    :: !blocked
    fi
}

proctype thread(byte t)
{
    bool blocked, value, is_read;

    park(t);
end:
    do
    :: state[t] == ENDED -> break
    :: d_step { state[t] == RUNNING && killed[t] -> state[t] = ENDED }; break
    od
}

inline wake_all()              /* under the bucket's lock */
{
    lock_take(BUCKET);
    do
    :: nempty(bucket) -> take_first(bucket, t); wake(t)
    :: empty(bucket) -> break
    od;
    lock_drop(BUCKET)
}

active proctype waker()
{
    byte t;

    if
    :: word = true; wake_all()
    :: skip
    fi
}

inline wake_range()
{
    if
    :: parked == 0
    :: parked != 0 ->
        if
        :: empty(bucket)       /* the head is read without the lock */
        :: nempty(bucket) -> wake_all()
        fi
    fi
}

active proctype unmapper()
{
    byte t;

    if
    :: true ->
#ifdef BUG_ORDER
        wake_range();
#endif
        lock_take(SPACE);
        is_mapped = false;
        lock_drop(SPACE);
#ifdef BUG_ROUND
        wake_range();
#endif
        !walks[0];             /* each CPU answers the round once */
        !walks[1];
#if !defined(BUG_ORDER) && !defined(BUG_ROUND)
        wake_range()
#else
        skip
#endif
    :: skip
    fi
}

#if KILLS > 0
active proctype killer()
{
    byte wl, g;
    bool mine;

    if
    :: kill(0)
    :: skip
    fi
}
#endif

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

#define LEFT_BEHIND(t) (WAITS(t) && (killed[t] || word || !is_mapped))

active proctype at_rest()
{
end:
    timeout;
    assert(!LEFT_BEHIND(0) && !LEFT_BEHIND(1));
    assert(!owned[0] && !owned[1] && !lock[0] && !lock[1]);
    assert(charged[0] == (state[0] == PARKED) && charged[1] == (state[1] == PARKED));
    assert(parked == (state[0] == PARKED) + (state[1] == PARKED))
}

init {
    atomic { run thread(0); run thread(1) }
}
