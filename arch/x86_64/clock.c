// SPDX-License-Identifier: BSD-2-Clause
/*
 * Calibration brackets each reading of the reference between two of the TSC
 * and keeps the narrowest bracket of some tries, because a reading may be held
 * up (an emulator's thread loses its CPU) for longer than what is measured.
 */
#include "clock.h"

#include "acpi.h"
#include "apic.h"
#include "arch/cpu.h"
#include "arch/timer.h"
#include "arch/trap.h"
#include "base/assert.h"
#include "base/atomic.h"
#include "instructions.h"

#define NS_PER_SECOND    UINT64_C(1000000000)
#define PM_TIMER_HZ      UINT64_C(3579545)
#define PM_TIMER_MASK    0xffffffu
#define PIT_HZ           UINT64_C(1193182)
#define PIT_COUNTER_2    0x42
#define PIT_COMMAND      0x43
#define PIT_GATE         0x61
#define PIT_GATE_ON      0x01
#define PIT_SPEAKER      0x02
#define PIT_2_RATE_WORD  0xb4 /* counter 2, both bytes, counts down and around */
#define PIT_2_LATCH      0x80
#define PIT_MASK         0xffffu
#define CALIBRATE_NS     800000u
#define CALIBRATE_TRIES  8
#define STUCK_READINGS   100000u
#define SCALE_SHIFT      32
#define FOLLOW_ROUNDS    16
#define TIMER_LONGEST_NS (4 * NS_PER_SECOND) /* later deadlines are reached in steps */

struct reference {
    uint32_t (*read)(void); /* counts up */
    uint32_t mask;
    uint64_t hz;
};

struct reading {
    uint64_t cycles; /* TSC in the middle of the bracket */
    uint64_t width;  /* of the bracket: the uncertainty */
    uint32_t count, timer;
};

static uint64_t boot_cycles;
static uint64_t ns_per_cycle_scaled;   /* << SCALE_SHIFT */
static uint64_t cycle_per_ns_scaled;
static uint64_t ticks_per_ns_scaled;   /* of the APIC timer */

/* A reading of CPU 0 for the CPU that starts: turn 0 nobody, 1 asked, 2 answered. */
static struct {
    uint32_t turn;
    uint64_t cycles;
} lead;

static uint64_t cycles_now(void)
{
    __asm__ volatile("lfence" ::: "memory"); /* not before earlier loads */
    return cpu_cycles();
}

static uint64_t scale(uint64_t value, uint64_t factor)
{
    return (uint64_t)((unsigned __int128)value * factor >> SCALE_SHIFT);
}

/* a / b, scaled.  Only a machine held up for seconds loses low bits here. */
static uint64_t ratio(uint64_t a, uint64_t b)
{
    for (; a >> SCALE_SHIFT != 0; a >>= 1)
        b >>= 1;
    return (a << SCALE_SHIFT) / (b > 0 ? b : 1);
}

static uint32_t pm_timer_read(void)
{
    return port_read32(acpi_info.pm_timer_port) & PM_TIMER_MASK;
}

static uint32_t pit_read(void)
{
    port_write8(PIT_COMMAND, PIT_2_LATCH);
    uint32_t low = port_read8(PIT_COUNTER_2);
    return ~(low | (uint32_t)port_read8(PIT_COUNTER_2) << 8) & PIT_MASK;
}

static void pit_start(void)
{
    port_write8(PIT_GATE, (uint8_t)((port_read8(PIT_GATE) & ~PIT_SPEAKER) | PIT_GATE_ON));
    port_write8(PIT_COMMAND, PIT_2_RATE_WORD);
    port_write8(PIT_COUNTER_2, 0);
    port_write8(PIT_COUNTER_2, 0);
}

static bool reference_counts(const struct reference *reference)
{
    uint32_t first = reference->read();
    for (unsigned i = 0; i < STUCK_READINGS; i++) {
        if (reference->read() != first)
            return true;
    }
    return false;
}

static bool reference_choose(struct reference *reference)
{
    *reference = (struct reference){pm_timer_read, PM_TIMER_MASK, PM_TIMER_HZ};
    if (acpi_info.pm_timer_port != 0 && reference_counts(reference))
        return true;
    *reference = (struct reference){pit_read, PIT_MASK, PIT_HZ};
    pit_start();
    return reference_counts(reference);
}

static struct reading reading_once(const struct reference *reference)
{
    struct reading r;
    uint64_t before = cycles_now();
    r.count = reference->read();
    r.timer = apic_timer_left();
    r.width = cycles_now() - before;
    r.cycles = before + r.width / 2;
    return r;
}

static struct reading reading_best(const struct reference *reference)
{
    struct reading best = reading_once(reference);
    for (unsigned i = 1; i < CALIBRATE_TRIES; i++) {
        struct reading r = reading_once(reference);
        if (r.width < best.width)
            best = r;
    }
    return best;
}

bool clock_calibrate(void)
{
    struct reference reference;
    if (!reference_choose(&reference))
        return false;
    apic_timer_start(UINT32_MAX);
    struct reading first = reading_best(&reference), last;
    uint64_t ns;
    do {
        last = reading_best(&reference);
        ns = (uint64_t)((last.count - first.count) & reference.mask) * NS_PER_SECOND /
             reference.hz;
    } while (ns < CALIBRATE_NS);
    apic_timer_start(0);
    uint64_t cycles = last.cycles - first.cycles, ticks = first.timer - last.timer;
    if (cycles == 0 || ticks == 0)
        return false;
    ns_per_cycle_scaled = ratio(ns, cycles);
    cycle_per_ns_scaled = ratio(cycles, ns);
    ticks_per_ns_scaled = ratio(ticks, ns);
    boot_cycles = first.cycles;
    return true;
}

uint64_t timer_now_ns(void)
{
    uint64_t cycles = cycles_now() + (uint64_t)cpu_self()->clock_offset;
    return scale(cycles - boot_cycles, ns_per_cycle_scaled);
}

uint64_t timer_cycles_to_ns(uint64_t cycles)
{
    return scale(cycles, ns_per_cycle_scaled);
}

uint64_t timer_ns_to_cycles(uint64_t ns)
{
    return scale(ns, cycle_per_ns_scaled);
}

void clock_wait_ns(uint64_t ns)
{
    uint64_t start = cpu_cycles(), wait = scale(ns, cycle_per_ns_scaled);
    while (cpu_cycles() - start < wait)
        cpu_relax();
}

/* One question answered; called again and again while a CPU starts. */
void clock_lead(void)
{
    if (atomic_load_acquire(&lead.turn) != 1)
        return;
    lead.cycles = cycles_now();
    atomic_store_release(&lead.turn, 2); /* pairs with clock_follow()'s load */
}

/* CPU 0's reading lies between our two, so our clock may be wrong by no more
 * than the narrowest pair around it; zero stays zero if it fits all of them. */
void clock_follow(struct arch_cpu *cpu)
{
    int64_t low = INT64_MIN, high = INT64_MAX;
    for (unsigned round = 0; round < FOLLOW_ROUNDS; round++) {
        uint64_t before = cycles_now();
        atomic_store_release(&lead.turn, 1);
        while (atomic_load_acquire(&lead.turn) != 2)
            cpu_relax();
        uint64_t after = cycles_now();
        int64_t least = (int64_t)(lead.cycles - after), most = (int64_t)(lead.cycles - before);
        low = least > low ? least : low;
        high = most < high ? most : high;
    }
    atomic_store_release(&lead.turn, 0);
    cpu->clock_offset = low > 0 ? low : high < 0 ? high : 0;
}

static void timer_load(struct arch_cpu *cpu)
{
    uint64_t now = timer_now_ns();
    uint64_t left = cpu->deadline_ns > now ? cpu->deadline_ns - now : 0;
    uint64_t wait = left < TIMER_LONGEST_NS ? left : TIMER_LONGEST_NS;
    uint64_t ticks = scale(wait, ticks_per_ns_scaled) + 1;
    apic_timer_start(ticks < UINT32_MAX ? (uint32_t)ticks : UINT32_MAX);
}

void timer_arm(uint64_t deadline_ns)
{
    struct arch_cpu *cpu = cpu_self();
    cpu->deadline_ns = deadline_ns;
    timer_load(cpu);
}

void timer_disarm(void)
{
    cpu_self()->deadline_ns = UINT64_MAX;
    apic_timer_start(0);
}

void clock_timer_interrupt(void)
{
    struct arch_cpu *cpu = cpu_self();
    if (cpu->deadline_ns == UINT64_MAX)
        return;
    if (timer_now_ns() < cpu->deadline_ns) {
        timer_load(cpu);
        return;
    }
    cpu->deadline_ns = UINT64_MAX;
    kernel_timer();
}
