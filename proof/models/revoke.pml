// SPDX-License-Identifier: BSD-2-Clause
/*
 * An endpoint's capabilities go while calls are under way: kernel/endpoint.c (references, the
 * reaper's step, endpoint_enter()), kernel/methods_cap_table.c (derive, revoke).
 *
 * A maker has an endpoint and derives a capability that may call and one that may receive.
 * A caller and a server invoke them: each copies its slot without a lock and comes to the
 * endpoint later, when the slot, the endpoint or the record's whole life may be over.  The
 * server derives another capability that may receive; the maker revokes all that was derived,
 * and deletes its own before or after, while calls are queued, received and answered.  The
 * record's next life is another maker's endpoint.
 *
 * Checked: nobody comes into another life of the record than it had a name of; a reference is
 * taken only where there is one; whoever waits at an endpoint that nobody may receive from is
 * woken; none waits at one that goes; the life that is closed is the one that has ended.
 * A call that was received is not the endpoint's any more: its reply needs any capability that
 * may receive; without one it ends with the server (endpoint.pml).
 * Left out: deadlines and kills (endpoint.pml), how a slot is read (CP1), names that wrap.
 *
 * RUN   one-call: -DCALLS=1 -DRECEIVES=1
 * RUN   two-calls: -DCALLS=2 -DRECEIVES=2
 * CATCH name-unchecked: -DCALLS=1 -DRECEIVES=1 -DBUG_STALE assertion
 * CATCH name-checked-before-lock: -DCALLS=1 -DRECEIVES=1 -DBUG_EARLY assertion
 * CATCH name-kept: -DCALLS=1 -DRECEIVES=1 -DBUG_NAME_KEPT assertion
 * CATCH flushed-and-not-closed: -DCALLS=1 -DRECEIVES=1 -DBUG_NOT_CLOSED assertion
 * CATCH closed-after-flush: -DCALLS=1 -DRECEIVES=1 -DBUG_LATE_CLOSE assertion
 * CATCH reaped-without-reference: -DCALLS=1 -DRECEIVES=1 -DBUG_NO_REFERENCE assertion
 * CATCH closed-at-the-last-of-any-right: -DCALLS=1 -DRECEIVES=1 -DBUG_ANY_REFERENCE assertion
 * CATCH taken-after-unlock: -DCALLS=1 -DRECEIVES=1 -DBUG_LATE_TAKE assertion
 * CATCH put-before-slot-goes: -DCALLS=1 -DRECEIVES=1 -DBUG_EARLY_PUT assertion
 */
#define CALLER 0
#define SERVER 1
#define SLOTS  4

mtype = { RUNNING, QUEUED, RECEIVING, AWAITING };

/* The endpoint's record. */
bool taken = true, closed, lock;
byte name = 1;                 /* id_slot.generation */
byte references = 3, receivers_left = 2;
chan callers = [2] of { byte };
chan receivers = [2] of { byte };
byte life = 1;                 /* of the proof: endpoints that this record has been */

/* Slots: 0 the maker's, 1 may call, 2 may receive, 3 derived from that. */
bool derivation_lock;
byte slot_name[SLOTS];         /* 0: empty */

chan reaping = [1] of { byte };            /* the life that is meant is of the proof */
mtype state[2] = RUNNING;
byte life_of[2];               /* of the proof: the life that a thread's name is of */
bool has_token;                /* the server's, for the caller's call */

#define MAY_RECEIVE(k) ((k) != 1)

inline take_lock(l) { atomic { !l -> l = true } }

/* --- references --- */

/* endpoint_take() */
inline reference_take(k)
{
    d_step {
        assert(references != 0);
        references++;
        receivers_left = receivers_left + (MAY_RECEIVE(k) -> 1 : 0)
    }
}

inline drop()
{
    d_step {
        assert(references != 0);
        references--;
        last = references == 0
    }
    if
    :: last ->
        d_step {
            last = false;
            assert(empty(callers) && empty(receivers));
#ifndef BUG_NAME_KEPT
            name++;
#endif
            taken = false      /* id_pool_put() */
        }
    :: else
    fi
}

/* endpoint_put() */
inline reference_put(k)
{
#ifdef BUG_ANY_REFERENCE
    drop()
#else
    if
    :: MAY_RECEIVE(k) ->
        d_step {
            assert(receivers_left != 0);
            receivers_left--;
            last = receivers_left == 0
        }
        if
        :: last -> last = false; reaping!life      /* with this reference */
#ifdef BUG_NO_REFERENCE
            ; drop()
#endif
        :: else -> drop()
        fi
    :: !MAY_RECEIVE(k) -> drop()
    fi
#endif
}

/* --- invocations --- */

/* dispatch(): a copy of the slot, sets `named`; 0: STALE. */
inline view(who, k)
{
    d_step {
        named = slot_name[k];
        life_of[who] = life    /* a slot that is there names the life that is */
    }
}

/* endpoint_enter(): sets `entered`, with the lock. */
inline enter(who)
{
#ifdef BUG_EARLY
    entered = name == named;
    take_lock(lock);
    entered = entered && !closed;
#else
    take_lock(lock);
#ifdef BUG_STALE
    entered = !closed;
#else
    entered = !closed && name == named;
#endif
#endif
    if
    :: entered -> assert(life == life_of[who])
    :: !entered -> lock = false
    fi
}

inline wake(t) { d_step { assert(state[t] != RUNNING); state[t] = RUNNING } }

proctype caller()
{
    byte named, calls;
    bool entered;

    do
    :: calls < CALLS ->
        calls++;
        view(CALLER, 1);
        if
        :: named == 0 -> break
        :: else -> enter(CALLER)
        fi;
        if
        :: entered && nempty(receivers) ->
            d_step {
                receivers?eval(SERVER);
                assert(life_of[SERVER] == life_of[CALLER]);
                has_token = true;
                state[CALLER] = AWAITING
            }
            lock = false;
            wake(SERVER)
        :: entered && empty(receivers) ->
            d_step { state[CALLER] = QUEUED; callers!CALLER }
            lock = false
        :: !entered -> break   /* DISCONNECTED */
        fi;
end_called:
        state[CALLER] == RUNNING
    :: calls == CALLS -> break
    od;
    named = 0
}

inline receive()
{
    view(SERVER, at);
    if
    :: named == 0 -> break
    :: else -> enter(SERVER)
    fi;
    if
    :: entered && nempty(callers) ->
        d_step {
            callers?eval(CALLER);
            assert(life_of[SERVER] == life_of[CALLER]);
            has_token = true;
            state[CALLER] = AWAITING
        }
        lock = false
    :: entered && empty(callers) ->
        d_step { state[SERVER] = RECEIVING; receivers!SERVER }
        lock = false;
end_receiving:
        state[SERVER] == RUNNING
    :: !entered -> break
    fi
}

/* Through any slot that it has: the token says which call. */
inline reply()
{
    if
    :: has_token && slot_name[at] != 0 -> has_token = false; wake(CALLER)
    :: else
    fi
}

/* derive: of slot 2, if it is there. */
inline derive()
{
    take_lock(derivation_lock);
    if
    :: slot_name[2] != 0 ->
#ifdef BUG_LATE_TAKE
        slot_name[3] = slot_name[2];
        derivation_lock = false;
        reference_take(3)
#else
        reference_take(3);
        slot_name[3] = slot_name[2];
        derivation_lock = false
#endif
    :: else -> derivation_lock = false
    fi
}

proctype server()
{
    byte named, receives, at;
    bool entered;

    at = 2;
    if
    :: derive(); at = 3
    :: skip
    fi;
    do
    :: receives < RECEIVES -> receives++; receive(); reply()
    :: receives == RECEIVES -> break
    od;
    /* Its process ends: endpoint_disconnect_callers(). */
    if
    :: has_token -> has_token = false; wake(CALLER)
    :: else
    fi;
    named = 0
}

/* --- the maker --- */

inline slot_clear(k)
{
#ifdef BUG_EARLY_PUT
    derivation_lock = false;
    reference_put(k);
    take_lock(derivation_lock);
    slot_name[k] = 0;
    derivation_lock = false
#else
    slot_name[k] = 0;
    derivation_lock = false;
    reference_put(k)
#endif
}

proctype maker()
{
    bool last;

    if
    :: take_lock(derivation_lock); slot_clear(0)   /* a delete alone: the others stay */
    :: skip
    fi;
    do
    :: take_lock(derivation_lock);
        if
        :: slot_name[1] != 0 -> slot_clear(1)
        :: slot_name[2] != 0 -> slot_clear(2)
        :: slot_name[3] != 0 -> slot_clear(3)
        :: slot_name[1] == 0 && slot_name[2] == 0 && slot_name[3] == 0 ->
            derivation_lock = false;
            break
        fi
    od;
    if
    :: slot_name[0] != 0 -> take_lock(derivation_lock); slot_clear(0)
    :: else
    fi;
    /* endpoint_create() of the next life, which stays. */
    atomic { !taken -> taken = true }
    take_lock(lock);
    d_step { life++; closed = false; receivers_left = 1; references = 1 }
    lock = false
}

/* endpoint_reap_step() */
inline flush()
{
    do
    :: nempty(callers) -> callers?eval(CALLER); woken[CALLER] = true
    :: nempty(receivers) -> receivers?eval(SERVER); woken[SERVER] = true
    :: empty(callers) && empty(receivers) -> break
    od
}

active proctype reaper()
{
    byte meant;
    bool last, woken[2];

end:
    do
    :: reaping?meant ->
        take_lock(lock);
        assert(life == meant && taken);
#ifdef BUG_LATE_CLOSE
        flush();
        lock = false;
        take_lock(lock);
#endif
#ifndef BUG_NOT_CLOSED
        closed = true;
#endif
#ifndef BUG_LATE_CLOSE
        flush();
#endif
        lock = false;
        if
        :: woken[CALLER] -> wake(CALLER)
        :: else
        fi;
        if
        :: woken[SERVER] -> wake(SERVER)
        :: else
        fi;
        d_step { woken[CALLER] = false; woken[SERVER] = false; meant = 0 }
#ifndef BUG_NO_REFERENCE
        drop()
#endif
    od
}

active proctype at_rest()
{
end:
    timeout;
    assert(life == 2 && state[CALLER] == RUNNING && state[SERVER] == RUNNING);
    assert(!lock && !derivation_lock && references == 1 && receivers_left == 1)
}

init {
    atomic {
        slot_name[0] = 1; slot_name[1] = 1; slot_name[2] = 1;
        run caller();
        run server();
        run maker()
    }
}
