// SPDX-License-Identifier: BSD-2-Clause
/*
 * Spaces entered and left under tags while another CPU weakens an entry: core/asid.c,
 * kernel/space_load.h, kernel/thread_switch.h over the rounds of kernel/tlb.c.
 *
 * One page of one space.  A CPU enters and leaves the space TURNS times, keeps what it holds
 * under its tag if no change was counted since, and may look the page up whenever it is in.
 * OTHERS change the entry CHANGES times each: weaken it, count that, read who is in, ask those
 * and wait until they have answered; then the old frame has a new owner.  In the space, the
 * CPU changes another page OWN times itself, and drops that alone.
 *
 * Checked: nobody uses a translation to a frame that has a new owner; each round ends.
 * Steps are sequentially consistent; where the code has an atomic read-modify-write as a
 * fence, the variant without it does the load before the store.
 *
 * RUN   one-after-the-other: -DTURNS=3 -DOTHERS=1 -DCHANGES=2 -DOWN=0
 * RUN   two-changes: -DTURNS=3 -DOTHERS=2 -DCHANGES=1 -DOWN=0
 * RUN   own-changes: -DTURNS=2 -DOTHERS=1 -DCHANGES=1 -DOWN=2
 * CATCH count-read-before-bit: -DTURNS=2 -DOTHERS=1 -DCHANGES=1 -DOWN=0 -DBUG_READ_FIRST assertion
 * CATCH set-read-before-count: -DTURNS=2 -DOTHERS=1 -DCHANGES=1 -DOWN=0 -DBUG_SET_FIRST assertion
 * CATCH never-counted: -DTURNS=2 -DOTHERS=1 -DCHANGES=1 -DOWN=0 -DBUG_NO_COUNT assertion
 * CATCH counted-before-weakened: -DTURNS=2 -DOTHERS=1 -DCHANGES=1 -DOWN=0 -DBUG_COUNT_FIRST assertion
 * CATCH always-kept: -DTURNS=2 -DOTHERS=1 -DCHANGES=1 -DOWN=0 -DBUG_KEEP assertion
 * CATCH answered-with-a-later-count: -DTURNS=3 -DOTHERS=2 -DCHANGES=1 -DOWN=0 -DBUG_LATE assertion
 * CATCH one-drop-for-all-changes: -DTURNS=2 -DOTHERS=1 -DCHANGES=1 -DOWN=2 -DBUG_PART assertion
 */
#define NONE 0

byte frame = 1;                /* that the entry shows; the next one is one more */
byte freed;                    /* bit set of frames that have new owners */
byte changes;                  /* space_changes */
bool in;                       /* the CPU's bit in space_cpus */
byte asked, answered;          /* rounds */

/* The CPU: what it holds under its tag, and which changes that has seen. */
byte held, tag_changes;

/* While it is in: at any moment the machine looks up, the program uses. */
inline use()
{
    if
    :: held == NONE -> held = frame
    :: held != NONE
    fi;
    assert((freed & (1 << held)) == 0)
}

inline enter()
{
#ifdef BUG_READ_FIRST
    seen = changes;
    in = true;
#else
    in = true;
    seen = changes;
#endif
#ifndef BUG_KEEP
    if
    :: seen != tag_changes -> held = NONE
    :: seen == tag_changes
    fi;
#endif
    tag_changes = seen
}

/* kernel_tlb_service() */
inline answer(is_in)
{
    requested = asked;
    if
    :: requested == answered
    :: requested != answered ->
        if
        :: is_in ->
#ifdef BUG_LATE
            held = NONE;
            use();             /* a walk between the two */
            tag_changes = changes;
#else
            seen = changes;
            held = NONE;
            tag_changes = seen;
#endif
        :: !is_in
        fi;
        answered = requested
    fi
}

/* It changes another page itself, and drops what it holds of that. */
inline own_change()
{
    atomic { changes++; seen = changes }
#ifdef BUG_PART
    tag_changes = seen;
#else
    if
    :: tag_changes == seen - 1 -> tag_changes = seen
    :: else
    fi
#endif
}

active proctype cpu()
{
    byte turns, seen, requested, own;

    do
    :: turns < TURNS ->
        turns++;
        enter();
        do
        :: use()
        :: answer(true)
        :: own < OWN -> own++; own_change()
        :: break
        od;
        in = false             /* after another space was loaded */
    :: answer(false)
    :: turns == TURNS -> break
    od;
end:
    do
    :: asked != answered -> answer(false)
    od
}

active [OTHERS] proctype other()
{
    byte old, n, mine;
    bool is_in;

    do
    :: n < CHANGES ->
        n++;
#ifdef BUG_COUNT_FIRST
        changes++;
        atomic { old = frame; frame++ }
#else
        atomic { old = frame; frame++ }
#endif
#ifdef BUG_SET_FIRST
        is_in = in;
#endif
#if !defined(BUG_COUNT_FIRST) && !defined(BUG_NO_COUNT)
        changes++;
#endif
#ifndef BUG_SET_FIRST
        is_in = in;
#endif
        if
        :: is_in ->
            atomic { asked++; mine = asked }
            answered >= mine
        :: !is_in
        fi;
        d_step { freed = freed | (1 << old); old = 0; mine = 0; is_in = false }
    :: n == CHANGES -> break
    od
}
