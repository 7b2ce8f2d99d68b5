// SPDX-License-Identifier: BSD-2-Clause
/*
 * Calls between processes: kernel/endpoint.c over kernel/thread.c, wait_list.c.
 *
 * Callers call; servers of one process receive, keep up to two reply tokens and
 * reply in any order, late too; capabilities in a message may fail to move; deadlines
 * and killers strike at any moment; a killed caller's record lives again, with its
 * call_generation; the server process ends: its threads, then callers that
 * await a reply, then the endpoint.
 *
 * Checked: one owner a thread at a time; a wait ends once, its charge with it; a
 * reply ends the very call its token was given for (IP1); nobody waits
 * for ever, the server's death included.
 * Left out: several server processes (token's server check), the run queues.
 *
 * RUN   two-lives: -DCALLERS=1 -DLIVES=2 -DCALLS=1 -DTIMEOUTS=0
 * RUN   two-calls: -DCALLERS=1 -DLIVES=1 -DCALLS=2 -DTIMEOUTS=1
 * RUN   two-callers: -DCALLERS=2 -DLIVES=1 -DCALLS=1 -DTIMEOUTS=0
 * CATCH token-of-a-cancelled-call: -DCALLERS=1 -DLIVES=2 -DCALLS=1 -DTIMEOUTS=0 -DBUG_TOKEN assertion
 * CATCH claim-without-exchange: -DCALLERS=1 -DLIVES=1 -DCALLS=1 -DTIMEOUTS=1 -DBUG_CLAIM assertion
 * CATCH generation-unchecked: -DCALLERS=1 -DLIVES=1 -DCALLS=2 -DTIMEOUTS=1 -DBUG_STALE assertion
 * CATCH published-before-state: -DCALLERS=1 -DLIVES=1 -DCALLS=1 -DTIMEOUTS=0 -DBUG_PUBLISH assertion
 * CATCH put-back-into-closed: -DCALLERS=1 -DLIVES=1 -DCALLS=1 -DTIMEOUTS=0 -DBUG_PUT_BACK assertion
 * CATCH put-back-forgets-callers: -DCALLERS=2 -DLIVES=1 -DCALLS=1 -DTIMEOUTS=0 -DBUG_FORGETS assertion
 * CATCH no-disconnect: -DCALLERS=1 -DLIVES=1 -DCALLS=1 -DTIMEOUTS=0 -DBUG_NO_DISCONNECT assertion
 * CATCH enter-when-closed: -DCALLERS=1 -DLIVES=1 -DCALLS=1 -DTIMEOUTS=0 -DBUG_ENTER assertion
 */
#define SERVER  CALLERS
#define THREADS (CALLERS + 1)
#define LOCKS   1
#define REMOVE(t) if \
    :: state[t] == RECEIVING -> receivers??eval(t) \
    :: else -> callers??eval(t) \
    fi
#define timed_out(t) skip

chan callers = [THREADS] of { byte };
chan receivers = [THREADS] of { byte };
#include "thread.inc"

bool closed, ending;
byte serial[THREADS];          /* of the proof: which call of the thread this is */
bool has_message;              /* for the server that waits: a token, else DISCONNECTED */
byte message_thread, message_generation, message_serial;

inline deliver_call(t)         /* to the server, as a token */
{
    d_step {
        message_thread = t;
        message_generation = generation[t] + 1;
        message_serial = serial[t];
        has_message = true
    }
}

inline publish_call(t)
{
    d_step { assert((generation[t] & 1) == 0); generation[t]++; owned[t] = false }
}

inline call_receiver(c)
{
    deliver_call(c);
    end_wait(r);
#ifdef BUG_PUBLISH
    publish_call(c);
#endif
    state[c] = AWAITING;       /* thread_block() without a list */
    if
    :: killed[c] ->
        state[c] = RUNNING;
#if !defined(BUG_TOKEN) && !defined(BUG_PUBLISH)
        generation[c] = generation[c] + 2;     /* the token names no later call */
#endif
        blocked = false
    :: !killed[c] ->
        if
        :: due[c] = true
        :: due[c] = false
        fi;
#ifndef BUG_PUBLISH
        publish_call(c);
#endif
        blocked = true
    fi;
    d_step { owned[r] = false; state[r] = READY; r = 0 }    /* scheduler_hand_over() */
}

inline accept_call(t)          /* of a caller that was taken; sets `accepted` */
{
    if
    :: wake(t); accepted = false           /* its capabilities could not move */
    :: deliver_call(t); state[t] = AWAITING; publish_call(t); accepted = true
    fi
}

#define PUT(t) d_step { receivers!t; owned[t] = false; wait_lock[t] = 1; lock[0] = false }

inline receiver_put_back(t)
{
    do
    :: lock_take(0);
        if
#ifdef BUG_PUT_BACK
        :: closed -> PUT(t); break
#else
        :: closed -> lock_drop(0); d_step { has_message = false }; wake(t); break
#endif
#ifdef BUG_FORGETS
        :: !closed -> PUT(t); break
#else
        :: !closed && empty(callers) -> PUT(t); break
        :: !closed && nempty(callers) ->
            take_first(callers, other);
            lock_drop(0);
            accept_call(other);
            other = 0;
            if
            :: accepted -> accepted = false; wake(t); break
            :: !accepted
            fi
#endif
        fi
    od
}

inline call(c)
{
    d_step { assert(!charged[c]); charged[c] = true; serial[c]++; blocked = false }
    lock_take(0);
    if
#ifndef BUG_ENTER
    :: closed -> lock_drop(0)
    :: !closed && empty(receivers) ->
#else
    :: empty(receivers) ->
#endif
        if
        :: thread_block(c, CALLING, 0, callers, true)
        :: thread_block(c, CALLING, 0, callers, false)
        fi;
        lock_drop(0)
#ifndef BUG_ENTER
    :: !closed && nempty(receivers) ->
#else
    :: nempty(receivers) ->
#endif
        take_first(receivers, r);
        lock_drop(0);
        if
        :: receiver_put_back(r); r = 0  /* its capabilities could not move */
        :: call_receiver(c)
        fi
    fi;
    if
    :: blocked ->
end_calling:
        (state[c] == READY || state[c] == ENDED)
    :: !blocked -> charged[c] = false
    fi
}

proctype caller(byte c)
{
    byte r, other, calls, lives;
    bool blocked, accepted;

    lives = LIVES;
    do
    :: calls < CALLS && state[c] != ENDED ->
        calls++;
        call(c);
        d_step {
            if
            :: state[c] == READY -> state[c] = RUNNING
            :: else
            fi
        }
        if
        :: state[c] == RUNNING && killed[c] -> state[c] = ENDED
        :: else
        fi
    :: state[c] == ENDED && references[c] == 0 && lives > 1 ->
        d_step {               /* the record's next life */
            lives--;
            calls = 0;
            assert(!charged[c] && !owned[c] && wait_lock[c] == 0);
            killed[c] = false;
            state[c] = RUNNING
        }
    :: calls == CALLS && state[c] == RUNNING ->
        d_step { assert(!charged[c] && !owned[c]); state[c] = ENDED }
    :: state[c] == ENDED && lives == 1 -> break
    od
}

inline keep_token()
{
    d_step {
        assert(has_message);
        if
        :: tokens == 0 -> token_thread[0] = message_thread;
            token_generation[0] = message_generation; token_serial[0] = message_serial
        :: else -> token_thread[1] = message_thread;
            token_generation[1] = message_generation; token_serial[1] = message_serial
        fi;
        tokens++;
        has_message = false
    }
}

inline receive(s)
{
    lock_take(0);
    if
    :: closed -> lock_drop(0)
    :: !closed && nempty(callers) ->
        take_first(callers, c);
        lock_drop(0);
        accept_call(c);
        if
        :: accepted -> accepted = false; keep_token()
        :: !accepted
        fi;
        c = 0
    :: !closed && empty(callers) ->
        thread_block(s, RECEIVING, 0, receivers, false);
        lock_drop(0);
        if
        :: blocked ->
end_receiving:
            (state[s] == READY || state[s] == ENDED);
            d_step {
                if
                :: state[s] == READY -> state[s] = RUNNING
                :: else
                fi
            }
            if
            :: state[s] == RUNNING && has_message -> keep_token()
            :: else -> has_message = false
            fi
        :: !blocked
        fi
    fi
}

inline reply(k)
{
    c = token_thread[k];
    g = token_generation[k];
    if
#ifndef BUG_STALE
    :: generation[c] != g -> mine = false      /* BAD_TOKEN */
    :: generation[c] == g ->
#else
    :: g = generation[c];
#endif
        if
        :: state[c] != AWAITING -> mine = false
        :: state[c] == AWAITING ->
#ifdef BUG_CLAIM
            if
            :: generation[c] == g -> mine = true; generation[c] = g + 1; own(c)
            :: else -> mine = false
            fi
#else
            claim_reply(c, g)
#endif
        fi
    fi;
    if
    :: mine -> mine = false;
        if
        :: d_step { owned[c] = false; generation[c] = g }   /* capabilities could not move */
        :: assert(serial[c] == token_serial[k]); wake(c); forget(k)
        fi
    :: else -> forget(k)
    fi;
    d_step { c = 0; g = 0 }
}

inline forget(k)
{
    d_step {
        tokens--;
        if
        :: k == 0 -> token_thread[0] = token_thread[1];
            token_generation[0] = token_generation[1]; token_serial[0] = token_serial[1]
        :: else
        fi;
        token_thread[1] = 0; token_generation[1] = 0; token_serial[1] = 0
    }
}

proctype server(byte s)
{
    byte c, g, tokens, token_thread[2], token_generation[2], token_serial[2];
    bool blocked, accepted, mine;

end:
    do
    :: state[s] == ENDED -> break
    :: state[s] == RUNNING && killed[s] -> state[s] = ENDED
    :: state[s] == RUNNING && !killed[s] && tokens < 2 && !closed -> receive(s)
    :: state[s] == RUNNING && !killed[s] && tokens > 0 -> reply(0)
    :: state[s] == RUNNING && !killed[s] && tokens > 1 -> reply(1)
    od
}

/* The server process ends, or deletes its last RECEIVE capability before it does. */
inline close()
{
    lock_take(0);
    closed = true;
    do
    :: nempty(callers) -> take_first(callers, t); lock_drop(0); wake(t); lock_take(0)
    :: empty(callers) && nempty(receivers) ->
        take_first(receivers, t); lock_drop(0); has_message = false; wake(t); lock_take(0)
    :: empty(callers) && empty(receivers) -> break
    od;
    lock_drop(0)
}

active proctype death()
{
    byte t, wl, g;
    bool mine;

    if
    :: close()
    :: close(); goto done      /* only its last RECEIVE capability goes */
    :: goto done               /* it lives on */
    :: skip
    fi;
    kill(SERVER);
    state[SERVER] == ENDED;
#ifndef BUG_NO_DISCONNECT
    t = 0;
    do
    :: t < CALLERS ->          /* endpoint_disconnect_callers() */
        g = generation[t];
        if
        :: state[t] == AWAITING ->
            claim_reply(t, g);
            if
            :: mine -> mine = false; wake(t)
            :: !mine
            fi
        :: else
        fi;
        t++
    :: else -> t = 0; break
    od;
#endif
    g = 0;
    close();
done:
    skip
}

active proctype killer()
{
    byte wl, g;
    bool mine;

    do
    :: d_step { state[0] != ENDED -> references[0]++ }; kill(0); references[0]--; break
    :: break
    od
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

/* A server that hoards tokens may keep its callers, while it lives. */
#define LEFT_BEHIND(c) \
    (state[c] == CALLING && (closed || state[SERVER] == RECEIVING) || \
     state[c] == AWAITING && state[SERVER] == ENDED || WAITS(c) && killed[c])

active proctype at_rest()
{
end:
    timeout;
    assert(!(closed && state[SERVER] == RECEIVING));
    assert(!LEFT_BEHIND(0) && !LEFT_BEHIND(CALLERS - 1));
    assert(!owned[0] && !owned[SERVER] && !lock[0])
}

init {
    atomic {
        byte k;
        for (k : 0 .. CALLERS - 1) {
            run caller(k)
        }
        run server(SERVER)
    }
}
