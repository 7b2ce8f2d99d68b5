// SPDX-License-Identifier: BSD-2-Clause
/*
 * Translations on other CPUs: kernel/tlb.c, cpu_load_space() of kernel/cpu.c,
 * the polling of spin_lock().
 *
 * NCPU CPUs, one space, one page that is mapped and removed again; each mapping
 * is a new life of the page, of a frame of its own.  A walker may fill the TLB of
 * any CPU that has the space loaded, at any moment, in the kernel too.
 *
 * A CPU is in user mode or idle (interrupts on: takes its IPI whenever it likes), or in
 * the kernel (interrupts off: serves requests only where the code polls).  It keeps the
 * space loaded when its thread leaves, until another thread runs.
 * ROUNDERS CPUs do OPS operations each; the others only run threads.  With EVICT, one
 * CPU ends the space: its threads stop, then tlb_evict_space().
 *
 * Checked: no CPU holds a translation of a life when its frame becomes free (TL2);
 * no thread uses an older life than one whose map call has returned; no CPU has the
 * space loaded after eviction; no CPU waits for ever.
 * Steps are sequentially consistent.  Numbers do not wrap.
 *
 * A CPU's thread begins and leaves TURNS times, so that waiting for ever is seen.
 *
 * RUN   two-cpus: -DNCPU=2 -DROUNDERS=2 -DOPS=2 -DTURNS=2
 * RUN   three-cpus: -DNCPU=3 -DROUNDERS=2 -DOPS=1 -DTURNS=1 -DROLES
 * RUN   three-rounders: -DNCPU=3 -DROUNDERS=3 -DOPS=1 -DTURNS=0 -DROLES
 * RUN   eviction: -DNCPU=2 -DROUNDERS=2 -DOPS=1 -DTURNS=2 -DEVICT
 * CATCH no-wait: -DNCPU=2 -DROUNDERS=1 -DOPS=1 -DTURNS=1 -DBUG_NO_WAIT assertion
 * CATCH number-before-change: -DNCPU=3 -DROUNDERS=2 -DOPS=1 -DMORE=1 -DTURNS=1 -DBUG_EARLY_NUMBER assertion
 * CATCH set-read-before-change: -DNCPU=2 -DROUNDERS=1 -DOPS=1 -DTURNS=1 -DBUG_EARLY_SET assertion
 * CATCH bit-set-after-load: -DNCPU=2 -DROUNDERS=1 -DOPS=1 -DTURNS=1 -DBUG_LATE_BIT assertion
 * CATCH bit-cleared-before-switch: -DNCPU=2 -DROUNDERS=1 -DOPS=1 -DTURNS=1 -DBUG_EARLY_CLEAR assertion
 * CATCH acknowledge-before-flush: -DNCPU=2 -DROUNDERS=1 -DOPS=1 -DTURNS=1 -DBUG_ACK_FIRST assertion
 * CATCH number-read-after-flush: -DNCPU=3 -DROUNDERS=2 -DOPS=1 -DMORE=1 -DTURNS=1 -DBUG_READ_LATE assertion
 * CATCH wait-without-serving: -DNCPU=2 -DROUNDERS=2 -DOPS=1 -DTURNS=1 -DBUG_NO_SERVICE deadlock
 * CATCH no-interrupt: -DNCPU=2 -DROUNDERS=1 -DOPS=1 -DTURNS=1 -DBUG_NO_IPI deadlock
 * CATCH map-does-not-settle: -DNCPU=3 -DROUNDERS=2 -DOPS=1 -DTURNS=1 -DBUG_NO_SETTLE assertion
 * CATCH announced-after-unlock: -DNCPU=3 -DROUNDERS=2 -DOPS=1 -DTURNS=1 -DBUG_LATE_ANNOUNCE assertion
 * CATCH ended-space-stays: -DNCPU=2 -DROUNDERS=1 -DOPS=1 -DTURNS=1 -DEVICT -DBUG_STAYS assertion
 */
#ifndef MORE
#define MORE 0                /* operations of CPU 1 beside OPS */
#endif

byte pte = 1;            /* the life it maps; 0: not present */
byte life = 1;           /* the newest */
byte returned;           /* newest life whose map call has returned */
bool lock;               /* the space's */
byte owed;               /* rounds_owed */

byte space_cpus;         /* bit set */
byte generation;
byte requested[NCPU], acknowledged[NCPU];
bool ipi[NCPU], loaded[NCPU], running[NCPU];
byte tlb[NCPU];          /* the life that is cached, 0: none */
bool ending, phase_space, evicted;

#define BIT(c)  (1 << (c))
#define HAS(c)  ((space_cpus & BIT(c)) != 0)
#if NCPU == 2
#define RUNS_NOWHERE (!running[0] && !running[1])
#else
#define RUNS_NOWHERE (!running[0] && !running[1] && !running[2])
#endif
#ifdef ROLES                  /* CPU 1 maps, others remove */
#define MAY_MAP(c)    ((c) == 1)
#define MAY_REMOVE(c) ((c) != 1)
#else
#define MAY_MAP(c)    true
#define MAY_REMOVE(c) true
#endif
#ifdef BUG_NO_SERVICE
#define IS_ASKED(c) false
#else
#define IS_ASKED(c) (requested[c] != acknowledged[c])
#endif

inline load_space(c) {           /* cpu_load_space(process) */
#ifdef BUG_LATE_BIT
    d_step { loaded[c] = true; tlb[c] = 0 }
    space_cpus = space_cpus | BIT(c)
#else
    space_cpus = space_cpus | BIT(c);
    d_step { loaded[c] = true; tlb[c] = 0 }
#endif
}

inline leave_space(c) {          /* cpu_load_space(NULL), or another space */
#ifdef BUG_EARLY_CLEAR
    space_cpus = space_cpus & ~BIT(c);
    d_step { loaded[c] = false; tlb[c] = 0 }
#else
    d_step { loaded[c] = false; tlb[c] = 0 }
    space_cpus = space_cpus & ~BIT(c)
#endif
}

inline leave_ended_space(c) {
    if
    :: loaded[c] && phase_space -> leave_space(c)
    :: else
    fi
}

inline service(c) {              /* kernel_tlb_service() */
    r = requested[c];
    if
    :: d_step { r == acknowledged[c] -> r = 0 }
    :: else ->
#ifndef BUG_STAYS
        leave_ended_space(c);
#endif
#ifdef BUG_ACK_FIRST
        acknowledged[c] = r;
        d_step { tlb[c] = 0; r = 0 }
#else
        tlb[c] = 0;
#ifdef BUG_READ_LATE
        r = requested[c];
#endif
        d_step { acknowledged[c] = r; r = 0 }
#endif
    fi
}

inline space_lock(c) {
    do
    :: atomic { !lock -> lock = true }; break
    :: lock && IS_ASKED(c) -> service(c)
    od
}

inline round_run(c) {
#ifndef BUG_EARLY_NUMBER
    d_step { generation++; number = generation }
#endif
    i = 0;
    do
    :: d_step { i < NCPU ->
                if
                :: (asked & BIT(i)) != 0 ->
#ifndef BUG_NO_IPI
                    ipi[i] = true;
#endif
                    if
                    :: requested[i] < number -> requested[i] = number
                    :: else
                    fi
                :: else
                fi;
                i++ }
    :: i >= NCPU -> break
    od;
    i = 0;
#ifndef BUG_NO_WAIT
    do
    :: d_step { i < NCPU && ((asked & BIT(i)) == 0 || acknowledged[i] >= number) -> i++ }
    :: i < NCPU && (asked & BIT(i)) != 0 && acknowledged[i] < number && IS_ASKED(c) -> service(c)
    :: i >= NCPU -> break
    od;
#endif
    i = 0; number = 0
}

inline flush_everywhere(c) {
#ifndef BUG_EARLY_SET
    asked = space_cpus;
#endif
    if
    :: (asked & BIT(c)) != 0 -> tlb[c] = 0
    :: else
    fi;
    asked = asked & ~BIT(c);
    if
    :: asked != 0 -> round_run(c)
    :: else -> number = 0
    fi;
    asked = 0
}

inline remove(c) {               /* unmap, then tlb_finish() */
#ifdef BUG_EARLY_SET
    asked = space_cpus;
#endif
#ifdef BUG_EARLY_NUMBER
    d_step { generation++; number = generation }
#endif
    space_lock(c);
    if
    :: pte == 0 -> d_step { lock = false; asked = 0; number = 0 }
    :: else ->
        old = pte;
        pte = 0;
#ifndef BUG_LATE_ANNOUNCE
        owed++;
#endif
        lock = false;
#ifdef BUG_LATE_ANNOUNCE
        owed++;
#endif
        flush_everywhere(c);
        owed--;
        d_step {
            i = 0;
            do
            :: i < NCPU -> assert(tlb[i] != old); i++
            :: else -> i = 0; break
            od;
            old = 0
        }
    fi
}

inline map(c) {
    space_lock(c);
    if
    :: pte != 0 -> lock = false
    :: else ->
        d_step { life++; old = life }
        pte = old;
#ifdef BUG_NO_SETTLE
        lock = false;
#else
        if
        :: owed != 0 -> lock = false; flush_everywhere(c)
        :: else -> lock = false
        fi;
#endif
        d_step {
            if
            :: returned < old -> returned = old
            :: else
            fi;
            old = 0
        }
    fi
}

inline evict(c) {                /* tlb_evict_space(); the reaper of an ending process */
    phase_space = true;
    leave_ended_space(c);
    asked = space_cpus & ~BIT(c);
    if
    :: asked != 0 -> round_run(c)
    :: else
    fi;
    asked = 0;
    assert(space_cpus == 0);
    d_step {
        i = 0;
        do
        :: i < NCPU -> assert(!loaded[i]); i++
        :: else -> i = 0; break
        od;
        evicted = true
    }
}

#define FILL(c) d_step { loaded[c] && tlb[c] == 0 && pte != 0 -> tlb[c] = pte }

active proctype walker()
{
end:
    do
    :: FILL(0)
    :: FILL(1)
#if NCPU > 2
    :: FILL(2)
#endif
    od
}

proctype cpu(byte c)
{
    byte r, i, asked, number, old, ops, turns;

    d_step {
        ops = (c < ROUNDERS -> OPS : 0) + (c == 1 -> MORE : 0);
        turns = TURNS;
#if TURNS == 0
        running[c] = true; loaded[c] = true; space_cpus = space_cpus | BIT(c)
#endif
    }
end:
    do                           /* user mode, or idle */
    :: d_step { running[c] && tlb[c] != 0 && tlb[c] < returned -> assert(false) }
    :: d_step { ipi[c] -> ipi[c] = false }; service(c)
    :: d_step { ops > 0 && MAY_REMOVE(c) -> ops-- }; remove(c)
    :: d_step { ops > 0 && MAY_MAP(c) -> ops-- }; map(c)
#if TURNS > 0
    :: running[c] ->             /* its thread leaves; the space stays for now */
        running[c] = false;
        do
        :: IS_ASKED(c) -> service(c)
        :: break
        od;
        if
        :: loaded[c] -> leave_space(c)
        :: !loaded[c]
        :: d_step { loaded[c] && !ending && turns > 0 -> turns--; running[c] = true }
        fi
    :: d_step { !running[c] && !ending && turns > 0 -> turns--; running[c] = true };
        load_space(c)            /* scheduled: from here on the end waits for it */
#endif
#ifdef EVICT
    :: c == 0 && !ending -> ending = true
    :: c == 0 && ending && !evicted && RUNS_NOWHERE -> evict(c)
#endif
    od
}

init {
    atomic {
        byte k;
        for (k : 0 .. NCPU - 1) {
            run cpu(k)
        }
    }
}
