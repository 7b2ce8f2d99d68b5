// SPDX-License-Identifier: BSD-2-Clause
/*
 * Range locks of a space: docs/decisions/0009-range-locks.md, core/space_cursor.c.
 *
 * A tree of LEVELS levels, two entries a table, FRAMES table frames; level 0 holds pages.
 * An entry is nothing, a uniform value for all below it, or a lower table.  Each
 * cursor does OPS operations "set pages [first, end) to value" of any range and value:
 * walk down without locks, lock the lowest table that spans the range, look again,
 * lock the tables below that the range reaches, change (splitting entries), unlink the tables
 * left empty, unlock; unlink the locked table itself, if empty, by a second cursor one level
 * up; run a round, then reuse the frames.  With HARDWARE a CPU's hardware walks at any
 * moment and keeps where it is.  With VISITOR the last CPU has the space not loaded; it
 * joins the set for each walk.  To look again is for the grain of the locks alone.
 * A round is one step a CPU here; tlb.pml has it in full.
 *
 * Checked: two cursors never own a page at once; each sees what the last one wrote; nobody,
 * hardware included, reads or locks a frame that is not a table of this place any more;
 * no deadlock; who starts over does so because another one removed a table;
 * at rest no table is empty, lost or locked.
 *
 * RUN   two-levels: -DLEVELS=2 -DFRAMES=7 -DCURSORS=2 -DOPS=1 -DMORE=1
 * RUN   three-levels: -DLEVELS=3 -DFRAMES=7 -DCURSORS=2 -DOPS=1
 * RUN   hardware: -DLEVELS=2 -DFRAMES=7 -DCURSORS=2 -DOPS=1 -DHARDWARE
 * RUN   visitor: -DLEVELS=2 -DFRAMES=7 -DCURSORS=2 -DOPS=1 -DVISITOR
 * CATCH stale-not-checked: -DLEVELS=2 -DFRAMES=7 -DCURSORS=2 -DOPS=1 -DMORE=1 -DBUG_STALE assertion
 * CATCH tables-below-not-locked: -DLEVELS=2 -DFRAMES=7 -DCURSORS=2 -DOPS=1 -DBUG_BELOW assertion
 * CATCH new-table-not-locked: -DLEVELS=2 -DFRAMES=7 -DCURSORS=2 -DOPS=1 -DBUG_NEW assertion
 * CATCH no-round: -DLEVELS=2 -DFRAMES=7 -DCURSORS=2 -DOPS=1 -DBUG_ROUND assertion
 * CATCH answers-and-goes-on: -DLEVELS=2 -DFRAMES=7 -DCURSORS=2 -DOPS=1 -DBUG_GOES_ON assertion
 * CATCH empty-not-checked: -DLEVELS=2 -DFRAMES=7 -DCURSORS=2 -DOPS=1 -DMORE=1 -DBUG_EMPTY assertion
 * CATCH locks-upwards: -DLEVELS=2 -DFRAMES=7 -DCURSORS=2 -DOPS=1 -DBUG_UPWARDS deadlock
 * CATCH own-translations-kept: -DLEVELS=2 -DFRAMES=7 -DCURSORS=2 -DOPS=1 -DHARDWARE -DBUG_OWN assertion
 * CATCH silent-visitor: -DLEVELS=2 -DFRAMES=7 -DCURSORS=2 -DOPS=1 -DVISITOR -DBUG_SILENT assertion
 * CATCH set-read-before-unlink: -DLEVELS=2 -DFRAMES=7 -DCURSORS=2 -DOPS=1 -DVISITOR -DBUG_SET assertion
 */
#ifndef MORE
#define MORE 0                   /* operations of the first cursor beside OPS */
#endif
#if LEVELS == 2
#define PAGES 4
#else
#define PAGES 8
#endif
#define ROOT  0
#define TOP   (LEVELS - 1)
#define NOBODY 255

#define TABLE_BASE 8             /* an entry: 0 or 1, the value of all below it, or a table */
#define IS_TABLE(word)  ((word) >= TABLE_BASE)
#define CHILD(word)     ((word) - TABLE_BASE)
#define ENTRY(f, l, p)  entry[(f) * 2 + (((p) >> (l)) & 1)]
#define IS_EMPTY(f)     (entry[(f) * 2] == 0 && entry[(f) * 2 + 1] == 0)
/* The range is inside one entry of a table of level l. */
#define INSIDE(l)       ((first >> (l)) == ((end - 1) >> (l)))

#define FREE       0             /* of a frame; and what else it may be used for */
#define TABLE      1
#define QUARANTINE 2

byte state[FRAMES];
byte entry[FRAMES * 2];
byte lock[FRAMES];               /* cursor + 1 */
byte space_cpus;                 /* bit set */
byte owed[CURSORS];              /* rounds that a CPU has not answered, a bit a rounder */
byte hardware[CURSORS];          /* the table that the CPU's walk stands in */

/* Of the proof alone. */
byte owner[PAGES], content[PAGES];
byte level[FRAMES], base[FRAMES];
byte events;                     /* removals so far */
byte resting;                    /* cursors that are done */

/* Some CPU has not answered the round of c. */
#if CURSORS == 2
#define AWAITED(c)      (((owed[0] | owed[1]) & 1 << (c)) != 0)
#else
#define AWAITED(c)      (((owed[0] | owed[1] | owed[2]) & 1 << (c)) != 0)
#endif
#define IN_USE(f)       (state[f] != FREE)
#define STANDS(f, l, p) (state[f] != FREE && level[f] == (l) && base[f] == ((p) >> ((l) + 1)))

inline serve(c)                  /* kernel_tlb_service() */
{
    d_step { owed[c] = 0; hardware[c] = NOBODY }
}

/* Why a cursor may start over: something has happened since it last began. */
inline start_over()
{
    d_step { assert(events != seen); seen = events; at = ROOT; l = TOP }
}

/* The walk, without locks, to the lowest table that spans the range, but not below `floor`. */
inline walk()
{
    do
    :: l > floor && INSIDE(l) ->
        d_step {
            assert(STANDS(at, l, first));
            word = ENTRY(at, l, first);
            if
            :: IS_TABLE(word) -> at = CHILD(word); l--
            :: else
            fi
        }
        if
        :: IS_TABLE(word) -> word = 0
        :: else -> word = 0; break
        fi
    :: else -> break
    od
}

/* Takes the lock of `at` if it is a table still: one compare-and-exchange of its frame's
 * state and kind.  Who waits here answers no round: it has read tables and holds none. */
inline lock_spanning(c)
{
    do
    :: d_step { lock[at] == 0 && state[at] == TABLE ->
                assert(STANDS(at, l, first)); lock[at] = c + 1; held = 1 << at }
        if
        :: l > floor && INSIDE(l) && IS_TABLE(ENTRY(at, l, first)) ->
            d_step { lock[at] = 0; held = 0 };   /* split meanwhile: on downwards */
            walk()
        :: else -> break
        fi
    :: state[at] != TABLE ->
        assert(IN_USE(at));
#ifdef BUG_STALE
        d_step { lock[at] == 0 -> lock[at] = c + 1; held = 1 << at }; break
#else
        start_over(); walk()
#endif
#ifdef BUG_GOES_ON
    :: owed[c] != 0 -> serve(c)
#endif
    od
}

inline lock_below(c, f)          /* its parent is held, so it stays; rounds may be answered */
{
    do
    :: d_step { lock[f] == 0 -> assert(state[f] == TABLE); lock[f] = c + 1; held = held | 1 << f };
        break
    :: lock[f] != 0 && owed[c] != 0 -> serve(c)
    od
}

/* In a d_step: `f` at level `k` is the lowest table of page p that is held. */
#if defined(BUG_BELOW) || defined(BUG_NEW)
#define HELD(f) true
#else
#define HELD(f) ((held & 1 << (f)) != 0)
#endif
#define DOWN \
    f = at; k = l; parent = at; \
    do \
    :: IS_TABLE(ENTRY(f, k, p)) && HELD(CHILD(ENTRY(f, k, p))) -> \
        parent = f; f = CHILD(ENTRY(f, k, p)); k-- \
    :: else -> break \
    od
#define NEXT_ENTRY   p = ((p >> k) + 1) << k
#define WHOLE_ENTRY  (((p >> k) << k) >= first && (((p >> k) + 1) << k) <= end)

/* Goes on to the first page of the range of whose lowest table `what` holds; sets `found`.
 * The tables are held, so nobody else sees this as more than one step. */
inline find(what)
{
    d_step {
        p = first;
        found = false;
        do
        :: p < end && !found ->
            DOWN;
            if
            :: what -> found = true
            :: else -> NEXT_ENTRY
            fi
        :: else -> break
        od
    }
}

inline forget() { d_step { p = 0; f = 0; k = 0; parent = 0; found = false } }

inline lock_tables(c)
{
#ifndef BUG_BELOW
    do
    :: find(IS_TABLE(ENTRY(f, k, p)));
        if
        :: found -> f = CHILD(ENTRY(f, k, p)); lock_below(c, f)
        :: !found -> break
        fi
    od;
#endif
    forget()
}

inline own(c)                    /* and what the tables say is what was last written */
{
    d_step {
        p = first;
        do
        :: p < end ->
            assert(owner[p] == 0);
            owner[p] = c + 1;
            DOWN;
            assert(ENTRY(f, k, p) == content[p]);
            p++
        :: else -> break
        od;
        p = 0; f = 0; k = 0; parent = 0
    }
}

inline disown(c)
{
    d_step {
        p = first;
        do
        :: p < end -> assert(owner[p] == c + 1); owner[p] = 0; content[p] = value; p++
        :: else -> break
        od;
        p = 0
    }
}

/* Page p's uniform entry, in `f` at level `k`, becomes a table of entries like it. */
inline split(c)
{
    d_step {
        child = 1;
        do
        :: child < FRAMES && state[child] != FREE -> child++
        :: else -> break
        od;
        assert(child < FRAMES);
        state[child] = TABLE;
        level[child] = k - 1;
        base[child] = p >> k;
#ifndef BUG_NEW
        lock[child] = c + 1;
        held = held | 1 << child;
#endif
        entry[child * 2] = ENTRY(f, k, p);
        entry[child * 2 + 1] = ENTRY(f, k, p)
    };
    ENTRY(f, k, p) = TABLE_BASE + child;
    child = 0
}

inline change(c)
{
    do
    :: find(ENTRY(f, k, p) != value);
        if
        :: found && WHOLE_ENTRY -> ENTRY(f, k, p) = value
        :: found && !WHOLE_ENTRY -> split(c)
        :: !found -> break
        fi
    od;
    forget()
}

inline unlink(f, parent, k, p)
{
    d_step {
        assert(ENTRY(parent, k, p) == TABLE_BASE + f);
        ENTRY(parent, k, p) = 0
    };
    d_step { state[f] = QUARANTINE; lock[f] = 0; held = held & ~(1 << f); chain = chain | 1 << f;
             events++ }
}

/* Held tables below `at` that were left empty; lowest first. */
inline prune_below()
{
    do
    :: find(f != at && IS_EMPTY(f));
        if
        :: found -> unlink(f, parent, k + 1, p)
        :: !found -> break
        fi
    od;
    forget()
}

inline unlock_all()
{
    do
    :: held != 0 ->
        d_step {
            f = 0;
            do
            :: (held & 1 << f) == 0 -> f++
            :: else -> break
            od;
            lock[f] = 0;
            held = held & ~(1 << f);
            f = 0
        }
    :: held == 0 -> break
    od
}

/* Flush, ask every CPU of the set, wait for all answers, answering too; then reuse. */
inline run_round(c)
{
#ifndef BUG_SET
    asked = space_cpus;
#endif
#ifndef BUG_ROUND
    d_step {
#ifndef BUG_OWN
        hardware[c] = NOBODY;
#endif
        asked = asked & ~(1 << c);
        f = 0;
        do
        :: f < CURSORS ->
            if
            :: (asked & 1 << f) != 0 -> owed[f] = owed[f] | 1 << c
            :: else
            fi;
            f++
        :: else -> break
        od;
        f = 0
    };
    do
    :: !AWAITED(c) -> break
    :: AWAITED(c) && owed[c] != 0 -> serve(c)
    od;
#endif
    skip;
    d_step {
        f = 0;
        do
        :: f < FRAMES ->
            if
            :: (chain & 1 << f) != 0 ->
                assert(state[f] == QUARANTINE && lock[f] == 0);
                state[f] = FREE;
                entry[f * 2] = 0;
                entry[f * 2 + 1] = 0
            :: else
            fi;
            f++
        :: else -> break
        od;
        f = 0; chain = 0; asked = 0
    }
}

inline join(c)
{
#ifdef BUG_SET
    asked = space_cpus;
#endif
    skip;
#if defined(VISITOR) && !defined(BUG_SILENT)
    if
    :: c == CURSORS - 1 -> space_cpus = space_cpus | 1 << c
    :: else
    fi
#endif
}

inline leave(c)
{
    skip;
#if defined(VISITOR) && !defined(BUG_SILENT)
    if
    :: c == CURSORS - 1 -> space_cpus = space_cpus & ~(1 << c)
    :: else
    fi
#endif
}

inline begin_walk() { d_step { seen = events; at = ROOT; l = TOP } }

inline set_range(c)
{
    begin_walk();
    walk();
    lock_spanning(c);
    lock_tables(c);
    own(c);
    change(c);
    prune_below();
    disown(c);
    again = at != ROOT && IS_EMPTY(at)
}

/* The table that was left empty at level `floor` - 1, by a cursor of its own. */
inline prune(c)
{
    begin_walk();
    walk();
    lock_spanning(c);
    again = false;
    if
    :: l == floor && IS_TABLE(ENTRY(at, l, first)) ->
        f = CHILD(ENTRY(at, l, first));
        lock_below(c, f);
        if
#ifndef BUG_EMPTY
        :: IS_EMPTY(f) ->
#else
        :: true ->
#endif
            unlink(f, at, l, first);
            again = at != ROOT && IS_EMPTY(at)
#ifndef BUG_EMPTY
        :: else
#endif
        fi;
        f = 0
    :: else
    fi
}

/* Any range and value; two steps of choice, so that few states come of it. */
inline choose()
{
    select(first : 0 .. PAGES - 1);
    end = first + 1;
    do
    :: end < PAGES -> end++
    :: break
    od;
    if
    :: value = 0
    :: value = 1
    fi
}

proctype cursor(byte c)
{
    byte first, end, value, at, l, floor, seen, word, held, chain, asked, f, k, p, parent, child;
    byte ops = OPS + (c == 0 -> MORE : 0);
    bool again, found, is_resting;

end_idle:
    do
    :: d_step { ops == 0 && !is_resting -> is_resting = true; resting++ }
    :: owed[c] != 0 -> serve(c)
    :: atomic { ops > 0 -> ops--; choose() };
        join(c);
        set_range(c);
        do
        :: again ->
#ifdef BUG_UPWARDS
            d_step { lock[ROOT] == 0 -> lock[ROOT] = c + 1; held = held | 1 << ROOT };
            unlink(at, ROOT, TOP, first);
            at = ROOT;
            again = false
#else
            unlock_all();
            floor = l + 1;
            prune(c)
#endif
        :: else -> break
        od;
        unlock_all();
        leave(c);
        if
        :: chain != 0 -> run_round(c)
        :: else
        fi;
        d_step { first = 0; end = 0; value = 0; at = 0; l = 0; floor = 0; seen = 0 }
    od
}

/* The hardware of one CPU: a table's word leads it on, whatever is in it. */
proctype walker(byte c)
{
    byte word;

end:
    do
    :: d_step { hardware[c] == NOBODY && (space_cpus & 1 << c) != 0 -> hardware[c] = ROOT }
    :: atomic { hardware[c] != NOBODY ->
        assert(IN_USE(hardware[c]));
        if
        :: word = entry[hardware[c] * 2]
        :: word = entry[hardware[c] * 2 + 1]
        fi;
        hardware[c] = (IS_TABLE(word) -> CHILD(word) : NOBODY);
        word = 0 }
    od
}

/* Each table is linked once, none is empty, nothing is locked. */
active proctype at_rest()
{
    byte f, links;

    d_step {
        resting == CURSORS ->
        f = 0;
        do
        :: f < FRAMES * 2 -> links = links + (IS_TABLE(entry[f]) -> 1 : 0); f++
        :: else -> break
        od;
        f = 0;
        do
        :: f < FRAMES ->
            assert(lock[f] == 0 && state[f] != QUARANTINE);
            if
            :: f != ROOT && state[f] == TABLE -> assert(!IS_EMPTY(f)); links--
            :: else
            fi;
            f++
        :: else -> break
        od;
        assert(links == 0)
    }
}

init {
    atomic {
        byte n;
        state[ROOT] = TABLE;
        level[ROOT] = TOP;
        for (n : 1 .. TOP) {             /* page 0 is 1, with all the tables above it */
            state[n] = TABLE;
            level[n] = TOP - n;
            entry[(n - 1) * 2] = TABLE_BASE + n
        }
        entry[TOP * 2] = 1;
        content[0] = 1;
        for (n : 0 .. CURSORS - 1) {
            hardware[n] = NOBODY;
            run cursor(n)
        }
#ifdef VISITOR
        space_cpus = (1 << (CURSORS - 1)) - 1;
#else
        space_cpus = (1 << CURSORS) - 1;
#endif
#ifdef HARDWARE
        run walker(0)
#endif
    }
}
