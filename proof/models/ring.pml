// SPDX-License-Identifier: BSD-2-Clause
/*
 * The capability ring: kernel/ring.c over core/ring.c, abi/ring.h.
 *
 * SLOTS slots, indices modulo 8.  The user's threads share the ring's pages with the
 * kernel, which runs batches of at most SLOTS.  An honest user submits COUNT numbered
 * entries and collects their completions, while batches run.  A hostile one (HOSTILE)
 * writes any index and any slot, STRIKES times at any moment, and then wants to go on.
 *
 * Checked: a slot is always inside the ring; what is judged is what is done; no batch
 * does more than was asked; an honest user's entries are done once each, in order, and
 * no completion is lost; after BAD_RING the ring works (RG2).
 *
 * RUN   honest: -DCOUNT=5 -DSTRIKES=0
 * RUN   hostile: -DCOUNT=0 -DSTRIKES=3 -DHOSTILE
 * CATCH slot-not-masked: -DCOUNT=5 -DSTRIKES=0 -DBUG_MASK assertion
 * CATCH completions-unbounded: -DCOUNT=5 -DSTRIKES=0 -DBUG_ROOM assertion
 * CATCH head-published-first: -DCOUNT=5 -DSTRIKES=0 -DBUG_HEAD assertion
 * CATCH tail-published-first: -DCOUNT=5 -DSTRIKES=0 -DBUG_TAIL assertion
 * CATCH read-twice: -DCOUNT=0 -DSTRIKES=3 -DHOSTILE -DBUG_TWICE assertion
 * CATCH count-from-ring: -DCOUNT=0 -DSTRIKES=3 -DHOSTILE -DBUG_COUNT assertion
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

byte sq_head, sq_tail, cq_head, cq_tail;
byte submission[SLOTS], completion[SLOTS];
bool done;                     /* the user has struck or collected all */

/* core/ring.c: sets `bad`, `pending`, `space`; indices are read one by one. */
inline batch_room()
{
    a = sq_head;
    b = sq_tail;
    pending = WRAP(b - a);
    a = cq_head;
    b = cq_tail;
    d_step {
        space = WRAP(b - a);
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

inline submission_run()
{
    a = sq_head;
#ifdef BUG_HEAD
    sq_head = WRAP(a + 1);
#endif
    assert(SLOT(a) < SLOTS);
    copy = submission[SLOT(a)];
#ifdef BUG_TWICE
    assert(submission[SLOT(a)] == copy);   /* judged the one, does the other */
#endif
#ifndef BUG_HEAD
    sq_head = WRAP(a + 1);
#endif
    d_step { a = 0; work++; assert(work <= SLOTS) }
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
                submission_run();
                submission_complete();
#ifndef BUG_COUNT
                remaining--
#endif
            fi
        fi
    od;
    atomic { work = 0; remaining = 0; pending = 0; space = 0 }
}

active proctype kernel()
{
    byte a, b, pending, space, copy, remaining, work;
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
    done = true
}
#endif
