// SPDX-License-Identifier: BSD-2-Clause
/*
 * The capability ring: kernel/ring.c over core/ring.c, abi/ring.h.
 *
 * SLOTS slots, indices modulo 8.  The user's threads share the ring's pages with the
 * kernel, which runs batches of at most SLOTS.  What is no operation is completed many for
 * one look at the indices.  An honest user submits COUNT numbered entries, of which number 3
 * alone is an operation, and collects their completions, while batches run.  A hostile one
 * (HOSTILE) writes any index and any slot, STRIKES times at any moment, and then wants to go
 * on.
 *
 * Checked: a slot is always inside the ring; what is judged is what is done; no batch
 * does more than was asked; an honest user's entries are done once each, in order, and
 * no completion is lost; after BAD_RING the ring works (RG2).
 *
 * RUN   honest: -DCOUNT=5 -DSTRIKES=0
 * RUN   hostile: -DCOUNT=0 -DSTRIKES=3 -DHOSTILE
 * CATCH run-past-the-end: -DCOUNT=5 -DSTRIKES=0 -DBUG_RUN_MASK assertion
 * CATCH run-without-room: -DCOUNT=5 -DSTRIKES=0 -DBUG_RUN_ROOM assertion
 * CATCH run-head-published-first: -DCOUNT=5 -DSTRIKES=0 -DBUG_RUN_HEAD assertion
 * CATCH run-tail-published-first: -DCOUNT=5 -DSTRIKES=0 -DBUG_RUN_TAIL assertion
 * CATCH run-not-counted: -DCOUNT=0 -DSTRIKES=3 -DHOSTILE -DBUG_RUN_COUNT assertion
 * CATCH run-through-operations: -DCOUNT=5 -DSTRIKES=0 -DBUG_RUN_ALL assertion
 * CATCH slot-not-masked: -DCOUNT=5 -DSTRIKES=0 -DBUG_MASK assertion
 * CATCH completions-unbounded: -DCOUNT=5 -DSTRIKES=0 -DBUG_ROOM assertion
 * CATCH head-published-first: -DCOUNT=5 -DSTRIKES=0 -DBUG_HEAD assertion
 * CATCH tail-published-first: -DCOUNT=5 -DSTRIKES=0 -DBUG_TAIL assertion
 * CATCH read-twice: -DCOUNT=0 -DSTRIKES=3 -DHOSTILE -DBUG_TWICE assertion
 * CATCH count-from-ring: -DCOUNT=0 -DSTRIKES=4 -DHOSTILE -DBUG_COUNT assertion
 * CATCH difference-unchecked: -DCOUNT=0 -DSTRIKES=3 -DHOSTILE -DBUG_CHECK assertion
 * CATCH no-recovery: -DCOUNT=0 -DSTRIKES=3 -DHOSTILE -DBUG_RECOVER assertion
 */
#define SLOTS 2
#define WRAP(x) ((x) & 7)
#ifdef BUG_MASK
#define SLOT(x) (x)
#else
#define SLOT(x) ((x) & (SLOTS - 1))
#endif
#ifdef BUG_RUN_MASK
#define RUN_SLOT(x) (x)
#else
#define RUN_SLOT(x) ((x) & (SLOTS - 1))
#endif
#define OPERATION  3

byte sq_head, sq_tail, cq_head, cq_tail;
byte submission[SLOTS], completion[SLOTS];
bool done;                     /* the user has struck or collected all */
byte done_operations;

/* core/ring.c: sets `bad`, `pending`, `space` and the position; indices are read one by one. */
inline batch_room()
{
    head = sq_head;
    b = sq_tail;
    pending = WRAP(b - head);
    a = cq_head;
    tail = cq_tail;
    d_step {
        space = WRAP(tail - a);
#ifdef BUG_CHECK
        bad = false;
#else
        bad = pending > SLOTS || space > SLOTS;
#endif
        space = (bad -> 0 : WRAP(SLOTS - space));
        a = 0; b = 0
    }
}

inline recover()
{
    a = sq_tail;
#ifndef BUG_RECOVER
    sq_head = a;
#endif
    a = cq_head;
#ifndef BUG_RECOVER
    cq_tail = a;
#endif
    a = 0
}

/* nothings_run(): sets `ran`.  An entry is judged by one read, its copy is of another. */
inline nothings_run()
{
    ran = 0;
#ifdef BUG_RUN_HEAD
    sq_head = WRAP(head + pending);
#endif
#ifdef BUG_RUN_TAIL
    cq_tail = WRAP(tail + pending);
#endif
    do
#ifdef BUG_RUN_ROOM
    :: ran == pending -> break
    :: ran < pending ->
#else
    :: ran == pending || ran == space || ran == remaining -> break
    :: ran < pending && ran < space && ran < remaining ->
#endif
        assert(RUN_SLOT(head + ran) < SLOTS && RUN_SLOT(tail + ran) < SLOTS);
        copy = submission[RUN_SLOT(head + ran)];
        if
#ifndef BUG_RUN_ALL
        :: copy == OPERATION -> break
#endif
        :: else ->
            copy = submission[RUN_SLOT(head + ran)];
            completion[RUN_SLOT(tail + ran)] = copy;
            ran++
        fi
    od;
    if
    :: ran == 0
    :: ran != 0 ->
        sq_head = WRAP(head + ran);
        cq_tail = WRAP(tail + ran);
        d_step {
#ifndef BUG_RUN_COUNT
            remaining = remaining - ran;
#endif
            work = work + ran;
            assert(work <= SLOTS)
        }
    fi;
    copy = 0
}

inline submission_run()
{
#ifdef BUG_HEAD
    sq_head = WRAP(head + 1);
#endif
    assert(SLOT(head) < SLOTS);
    copy = submission[SLOT(head)];
#ifdef BUG_TWICE
    assert(submission[SLOT(head)] == copy);   /* judged the one, does the other */
#endif
#ifndef BUG_HEAD
    sq_head = WRAP(head + 1);
#endif
    d_step {
#ifndef HOSTILE
        done_operations++;
#endif
        work++;
        assert(work <= SLOTS)
    }
}

inline submission_complete()
{
    b = cq_tail;
#ifdef BUG_TAIL
    cq_tail = WRAP(b + 1);
#endif
    assert(SLOT(b) < SLOTS);
    completion[SLOT(b)] = copy;
#ifndef BUG_TAIL
    cq_tail = WRAP(b + 1);
#endif
    d_step { b = 0; copy = 0 }
}

inline ring_enter()            /* sets `bad` */
{
    remaining = SLOTS;
    do
    :: remaining == 0 -> break
    :: remaining > 0 ->
        batch_room();
#ifdef BUG_ROOM
        space = SLOTS;
#endif
        if
        :: bad -> recover(); break
        :: !bad ->
#ifdef BUG_CHECK
            assert(pending <= SLOTS && space <= SLOTS);
#endif
            if
            :: pending == 0 || space == 0 -> break
            :: else ->
                nothings_run();
                if
                :: ran != 0
                :: ran == 0 ->
                    submission_run();
                    submission_complete();
#ifndef BUG_COUNT
                    remaining--
#endif
                fi
            fi
        fi
    od;
    atomic { work = 0; remaining = 0; pending = 0; space = 0; head = 0; tail = 0; ran = 0 }
}

active proctype kernel()
{
    byte a, b, head, tail, pending, space, copy, remaining, work, ran;
    bool bad;

end:
    do
    :: !done -> ring_enter(); bad = false
#ifdef HOSTILE
    :: done ->                 /* one may still be answered BAD_RING, not two */
        ring_enter();
        bad = false;
        ring_enter();
        assert(!bad);
        break
#endif
    od
}

#ifdef HOSTILE
active proctype user()
{
    byte strikes, value;

    do
    :: strikes < STRIKES ->
        strikes++;
        select(value : 0 .. 7);
        if
        :: sq_head = value
        :: sq_tail = value
        :: cq_head = value
        :: cq_tail = value
        :: submission[0] = value
        :: submission[1] = value
        fi
    :: else -> break
    od;
    done = true
}
#else
active proctype user()
{
    byte sent, collected, tail, head;

    do
    :: sent < COUNT && WRAP(tail - sq_head) < SLOTS ->
        submission[tail & (SLOTS - 1)] = sent + 1;
        tail = WRAP(tail + 1);
        sq_tail = tail;
        sent++
    :: head != cq_tail ->
        assert(completion[head & (SLOTS - 1)] == collected + 1);
        completion[head & (SLOTS - 1)] = 0;
        collected++;
        head = WRAP(head + 1);
        cq_head = head
    :: collected == COUNT -> break
    od;
    assert(head == cq_tail && sent == COUNT);
    assert(done_operations == 1);  /* number 3 */
    done = true
}
#endif
