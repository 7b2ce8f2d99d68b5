// SPDX-License-Identifier: BSD-2-Clause
/*
 * A thread that is killed while it moves between CPUs: thread_kill() of kernel/thread.c,
 * end_killed(), attend() and idle() of kernel/scheduler.c.
 *
 * One thread of LIVES lives in one record runs, is preempted TURNS times at most, waits ACTS
 * times.  Two CPUs take it, from their own queue or the other's.  A killer strikes once, in
 * the first life.  A CPU looks for the mark only when its `attention` is set; in user mode or halted
 * it looks at `attention` only after an IPI.
 *
 * Checked: once nothing moves any more, who was killed has ended; nobody ends another life
 * than the one that was killed; a thread that saw its mark makes no other call.
 * Steps are sequentially consistent (wake.pml has the store buffers of the fences).
 *
 * RUN   preempted: -DLIVES=2 -DTURNS=2 -DACTS=0
 * RUN   waits: -DLIVES=2 -DTURNS=1 -DACTS=2
 * CATCH nobody-told: -DLIVES=1 -DTURNS=1 -DACTS=0 -DBUG_NO_PROD assertion
 * CATCH withdrawn-only: -DLIVES=1 -DTURNS=1 -DACTS=0 -DBUG_WITHDRAW assertion
 * CATCH mark-read-before-attention: -DLIVES=1 -DTURNS=1 -DACTS=0 -DBUG_ATTEND_LAST assertion
 * CATCH any-life: -DLIVES=2 -DTURNS=2 -DACTS=0 -DBUG_ANY_LIFE assertion
 * CATCH preempted-without-look: -DLIVES=1 -DTURNS=1 -DACTS=0 -DBUG_NO_LOOK assertion
 * CATCH back-to-user-mode: -DLIVES=1 -DTURNS=0 -DACTS=2 -DBUG_SEEN assertion
 */
#define NCPU 2

mtype = { RUNNING, READY, WAITING, ENDED };

mtype state = RUNNING;
bool killed;
byte at;                       /* thread->cpu */
byte queued;                   /* thread->queued_cpu: CPU + 1; 0: in no queue */
bool listed;                   /* in a wait list, for anyone to take */
byte references = 2;           /* its own, while it lives, and the killer's */
byte life = 1;
bool saw;                      /* of the proof: it found its mark */
byte turns = TURNS, acts = ACTS, ticks = TURNS + 1;

bool attention[NCPU], ipi[NCPU], current[NCPU];

inline prod(to)
{
    attention[to] = true;
    ipi[to] = true             /* to oneself it is a trap more, no harm */
}

/* thread_finish() and its last thread_put(). */
inline finish()
{
    d_step {
        assert(killed && life == 1);
        state = ENDED;
        references--
    }
}

/* kill_try() until it succeeds. */
inline kill()
{
    killed = true;
    do
    :: state == ENDED -> break
    :: state == RUNNING ->
#ifndef BUG_NO_PROD
        to = at;
        prod(to);
        to = 0;
#endif
        break
    :: atomic { state == READY && queued != 0 -> queued = 0 } finish(); break
    :: atomic { state == WAITING && listed -> listed = false } finish(); break
    od
}

/* The life `g` was preempted here and is in a queue, or was taken since. */
inline end_killed()
{
    if
    :: !killed
    :: killed ->
        d_step {               /* thread_try_take() */
            mine = references > 0;
#ifndef BUG_ANY_LIFE
            mine = mine && life == g;
#endif
            references = references + (mine -> 1 : 0)
        }
        if
        :: !mine
        :: mine ->
#ifdef BUG_WITHDRAW
            if
            :: atomic { state == READY && queued != 0 -> queued = 0 } finish()
            :: else
            fi;
#else
            kill();
#endif
            references--
        fi
    fi
}

inline attend()
{
#ifdef BUG_ATTEND_LAST
    mine = killed;
    attention[c] = false;
#else
    attention[c] = false;
    mine = killed;
#endif
    if
    :: mine -> current[c] = false; finish()
    :: !mine && turns > 0 ->
        d_step { turns--; g = life; current[c] = false }
        atomic {
            if                 /* its own queue, or an idle CPU's */
            :: queued = 1
            :: queued = 2
            fi;
            state = READY
        }
#ifndef BUG_NO_LOOK
        end_killed();
#endif
        g = 0
    :: !mine
    fi;
    mine = false
}

/* thread_block() */
inline block()
{
    state = WAITING;
    if
    :: killed ->
        state = RUNNING;
        saw = true;
#ifndef BUG_SEEN
        attention[c] = true
#endif
    :: !killed -> d_step { current[c] = false; listed = true }
    fi
}

proctype cpu(byte c)
{
    byte to, g;
    bool mine;

resume:
    if
    :: current[c]
    :: !current[c] ->
        do                     /* idle(); whoever queues it asks an idle CPU */
        ::
            attention[c] = false;
            if
            :: atomic { queued != 0 -> queued = 0; at = c; state = RUNNING; current[c] = true }
                break
            :: queued == 0 ->
end_halted:
                if
                :: ipi[c] -> ipi[c] = false
                :: queued != 0
                fi
            fi
        od
    fi;
    if
    :: attention[c] -> attend(); goto resume
    :: !attention[c]
    fi;
end_user:
    if
    :: ipi[c] -> ipi[c] = false
    :: ticks > 0 -> ticks--; attention[c] = true   /* a turn is over, a step for the reaper */
    :: acts > 0 -> acts--; assert(!saw); block()
    fi;
    goto resume
}

active proctype waker()
{
end:
    do
    :: atomic { listed -> listed = false };
        atomic {
            if
            :: queued = 1
            :: queued = 2
            fi;
            state = READY
        }
    od
}

active proctype killer()
{
    byte to;

    if
    :: kill()
    :: skip
    fi;
    references--
}

/* The record's next life begins. */
active proctype creator()
{
end:
    do
    :: atomic {
        references == 0 && life < LIVES ->
            life++;
            references = 1;
            killed = false;
            saw = false;
            state = READY;
            queued = 1
        }
    od
}

active proctype at_rest()
{
end:
    timeout;
    assert(!(killed && state != ENDED))
}

init {
    atomic {
        current[0] = true;
        run cpu(0);
        run cpu(1)
    }
}
