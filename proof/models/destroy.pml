// SPDX-License-Identifier: BSD-2-Clause
/*
 * The end of a process and late references: kernel/process.c, process_end.c, reaper.c.
 *
 * One record, type-stable, lives LIVES times.  Each life has THREADS threads that end
 * when they like or are ended, a capability that is dropped when its holder likes, and
 * is ended by process.kill or by its last thread.  Two reapers.  A late holder of a
 * name tries it, generation checked, at any moment.
 *
 * Checked: one reaper at a time has a process, and it is queued once; a record is
 * given back once, by the last reference, after its end; whoever got a reference by name
 * has that life; what a life's last thread does never reaches a later life;
 * every life that ends is reaped to its end.
 *
 * RUN   two-lives: -DLIVES=2 -DTHREADS=1
 * RUN   two-threads: -DLIVES=1 -DTHREADS=2
 * CATCH end-begun-after-unlock: -DLIVES=2 -DTHREADS=1 -DBUG_END_AFTER assertion
 * CATCH reference-from-zero: -DLIVES=2 -DTHREADS=1 -DBUG_FROM_ZERO assertion
 * CATCH generation-unchecked: -DLIVES=2 -DTHREADS=1 -DBUG_GENERATION assertion
 * CATCH read-then-add: -DLIVES=2 -DTHREADS=1 -DBUG_NO_EXCHANGE assertion
 * CATCH waits-decided-unlocked: -DLIVES=1 -DTHREADS=2 -DBUG_WAITS assertion
 * CATCH requeued-while-waiting: -DLIVES=1 -DTHREADS=2 -DBUG_REQUEUE assertion
 * CATCH no-reference-until-ended: -DLIVES=1 -DTHREADS=1 -DBUG_NO_REFERENCE assertion
 */
mtype = { RUNNING, ENDING_THREADS, CALLS, OBJECTS, ENDED };

byte life, generation, references, thread_count;
mtype phase = ENDED;
bool end_waits, must_end, is_free = true, lock;
chan queue = [4] of { byte };
/* of the proof: */
byte in_hand;              /* reapers that have the process, or it is queued */
bool ended[LIVES + 1];

inline lock_take() { atomic { !lock -> lock = true } }
inline lock_drop() { lock = false }

inline reaper_add()
{
    d_step { assert(in_hand == 0); in_hand++; queue!life }
}

/* Sets `begins`; of whose life it was meant. Locks: processes. */
inline end_begin(meant)
{
    if
    :: phase == RUNNING -> assert(life == meant); phase = ENDING_THREADS; begins = true
    :: phase != RUNNING -> begins = false
    fi
}

inline process_put()
{
    d_step { assert(references > 0); references--; last = (references == 0) }
    if
    :: last ->
        last = false;
        assert(phase == ENDED && !is_free);
        lock_take();
        d_step { generation++; is_free = true; lock = false }
    :: !last
    fi
}

/* Sets `taken`. */
inline process_try_take(wanted)
{
    do
    :: count = references;
#ifndef BUG_FROM_ZERO
        if
        :: count == 0 -> taken = false; break
        :: count != 0
        fi;
#endif
#ifdef BUG_NO_EXCHANGE
        d_step { references++; taken = true; count = 0 }
        break
#else
        if
        :: d_step { references == count -> references = count + 1; taken = true; count = 0 }; break
        :: references != count     /* again */
        fi
#endif
    od;
    count = 0;
    if
    :: !taken
    :: taken && generation == wanted
#ifdef BUG_GENERATION
    :: taken && generation != wanted
#else
    :: taken && generation != wanted -> taken = false; process_put()
#endif
    fi
}

inline end_process(meant)      /* process_end() */
{
    lock_take();
    end_begin(meant);
    lock_drop();
    if
    :: begins -> begins = false; reaper_add()
    :: !begins
    fi
}

/* A thread ends: thread_finish(), thread_put(), process_thread_gone(). */
proctype thread(byte mine)
{
    bool last, begins, wants;

    if
    :: true
    :: must_end
    fi;
    process_put();             /* its own reference on the process */
    lock_take();
    assert(life == mine);
    thread_count--;
#ifdef BUG_END_AFTER
    wants = thread_count == 0 && end_waits;
    begins = thread_count == 0 && phase == RUNNING;
    end_waits = end_waits && !wants;
    lock_drop();
    if
    :: begins -> begins = false; end_process(mine)
    :: !begins && wants -> reaper_add()
    :: else
    fi
#else
    if
    :: thread_count == 0 && end_waits -> end_waits = false; wants = true
    :: thread_count == 0 && !end_waits -> end_begin(mine); wants = begins
    :: thread_count != 0
    fi;
    lock_drop();
    if
    :: wants -> reaper_add()
    :: !wants
    fi
#endif
}

inline end_threads()           /* sets `more` */
{
    must_end = true;           /* thread_kill() of each */
#ifdef BUG_WAITS
    more = thread_count == 0;
    lock_take();
    if
    :: more -> phase = CALLS
    :: !more -> end_waits = true; in_hand--
    fi;
    lock_drop()
#else
    lock_take();
    if
    :: thread_count != 0 ->
        end_waits = true;
#ifndef BUG_REQUEUE
        more = false;
        in_hand--
#endif
    :: thread_count == 0 -> phase = CALLS
    fi;
    lock_drop()
#endif
}

inline announce()
{
    d_step { ended[life] = true; in_hand--; phase = ENDED }
#ifndef BUG_NO_REFERENCE
    process_put();
#endif
    more = false
}

proctype reaper()
{
    byte it;
    bool more, last;

end:
    do
    :: queue?it ->
        assert(it == life && in_hand == 1 && !is_free && phase != RUNNING && phase != ENDED);
        more = true;
        if
        :: phase == ENDING_THREADS -> end_threads()
        :: phase == CALLS -> phase = OBJECTS
        :: phase == OBJECTS -> announce()
        fi;
        if
        :: more -> queue!it; more = false
        :: !more
        fi;
        it = 0
    od
}

/* process.kill through a capability, which then is dropped. */
proctype holder(byte mine, named)
{
    byte count;
    bool taken, begins, last;

    if
    :: process_try_take(named);
        if
        :: taken -> taken = false; assert(life == mine); end_process(mine); process_put()
        :: !taken
        fi
    :: skip
    fi;
    process_put()              /* the slot's own */
}

/* Somebody with a name that may be old: a view of a capability just deleted. */
active proctype late()
{
    byte count, named, mine;
    bool taken, last;

end:
    d_step { references > 0 -> named = generation; mine = life }
    process_try_take(named);
    if
    :: taken -> assert(!is_free && life == mine); process_put()
    :: !taken
    fi
}

active proctype creator()
{
    byte k;

    do
    :: life < LIVES ->
        is_free;
        lock_take();
        is_free = false;
        lock_drop();
        d_step {               /* nobody reaches it: references are 0 */
            life++;
            phase = RUNNING;
            end_waits = false;
            must_end = false;
            thread_count = THREADS
        }
        atomic {               /* until it has ended, the capability, the threads */
#ifdef BUG_NO_REFERENCE
            references = 1 + THREADS;
#else
            references = references + 2 + THREADS;
#endif
            for (k : 1 .. THREADS) {
                run thread(life)
            }
            run holder(life, generation)
        }
    :: else -> break
    od
}

active proctype at_rest()
{
end:
    timeout;
    assert(ended[LIVES] && is_free && references == 0 && in_hand == 0)
}

init {
    atomic { run reaper(); run reaper() }
}
