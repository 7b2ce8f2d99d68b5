// SPDX-License-Identifier: BSD-2-Clause
/*
 * Why acknowledging only the highest number is enough: numbers come from one
 * counter, taken after the entries were weakened.  Whoever reads request n reads
 * it from a CPU that took n after every smaller number was taken, so all smaller
 * ones' changes are seen by walks that start after the flush that follows.
 *
 * Pairs: tlb_requested release (round) with acquire (service); tlb_acknowledged
 * release (service) with acquire (round).  The fence before space_cpus is read
 * pairs with the one between setting a CPU's bit and loading the space, or reading its tables.
 */
#include "kernel/tlb.h"

#include "arch/mmu.h"
#include "arch/trap.h"
#include "base/assert.h"
#include "base/atomic.h"
#include "kernel/cpu.h"
#include "kernel/interrupt_window.h"
#include "kernel/memory.h"
#include "kernel/reaper.h"
#include "kernel/thread_switch.h"

/* Up to so many pages are dropped one by one here, more as a whole. */
#define FLUSH_PAGES_MAX 16
#define RELEASE_FRAMES  64

static uint64_t tlb_generation;

/* A line for each CPU, which alone writes to it. */
static struct {
    struct tlb_counters of;
} __attribute__((aligned(64))) counters[CPU_MAX];

static inline struct tlb_counters *own_counters(void)
{
    return &counters[this_cpu()->index].of;
}
/* Nobody else writes to it. */
static inline void count(uint64_t *counter, uint64_t more)
{
    atomic_store_relaxed(counter, *counter + more);
}

struct tlb_counters tlb_counters(void)
{
    struct tlb_counters sum = {0};

#define TLB_COUNTER_ADD(name, meaning) sum.name += atomic_load_relaxed(&counters[i].of.name);
    for (unsigned i = 0; i < cpu_count(); i++) {
        TLB_COUNTER_LIST(TLB_COUNTER_ADD)
    }
#undef TLB_COUNTER_ADD
    return sum;
}

static void leave_ended_space(struct cpu *cpu)
{
    if (cpu->space != NULL && atomic_load_acquire(&cpu->space->phase) >= PROCESS_PHASE_SPACE)
        cpu_leave_space(cpu);
}

void kernel_tlb_service(void)
{
    struct cpu *cpu = this_cpu();
    uint64_t requested = atomic_load_acquire(&cpu->tlb_requested);

    if (requested == cpu->tlb_acknowledged)
        return;
    leave_ended_space(cpu);
    space_flush(cpu);
    atomic_store_release(&cpu->tlb_acknowledged, requested);
    count(&own_counters()->acknowledgements, 1);
}

/* Raises the CPU's request to at least `number`. */
static void request(struct cpu *cpu, uint64_t number)
{
    uint64_t seen = atomic_load_relaxed(&cpu->tlb_requested);

    while (seen < number && !atomic_compare_exchange(&cpu->tlb_requested, &seen, number))
        ;
    cpu_send_ipi(cpu->index, IPI_TLB);
}

/* Asks every CPU of `asked` and waits for all. Needs: this one not among them, no lock held. */
static void round_run(uint64_t asked)
{
    uint64_t number = atomic_fetch_add(&tlb_generation, 1) + 1;

    count(&own_counters()->rounds, 1);
    for (uint64_t left = asked; left != 0; left &= left - 1) {
        request(cpu_by_index((unsigned)__builtin_ctzll(left)), number);
        count(&own_counters()->requests, 1);
    }
    for (uint64_t left = asked; left != 0; left &= left - 1) {
        const struct cpu *cpu = cpu_by_index((unsigned)__builtin_ctzll(left));
        while (atomic_load_acquire(&cpu->tlb_acknowledged) < number) {
            kernel_tlb_service();
            cpu_relax();
        }
    }
}

/* `change` is its number (core/asid.h). */
static void flush_here(const struct space_work *work, uint64_t change)
{
    uint64_t pages = (work->end - work->start) >> PAGE_SHIFT;

    count(&own_counters()->local_flushes, 1);
    if (pages > FLUSH_PAGES_MAX) {
        space_flush(this_cpu());
        return;
    }
    for (uint64_t i = 0; i < pages; i++)
        mmu_flush_page(work->start + i * PAGE_SIZE);
    if (mmu_has_tags)
        asid_flush_part(&this_cpu()->asid, change);
}

static void flush_everywhere(struct process *process, const struct space_work *work)
{
    uint64_t self = UINT64_C(1) << this_cpu()->index;
    uint64_t change = space_count_change(process);

    uint64_t loaded = atomic_load_acquire(&process->space_cpus);
    uint64_t asked = (loaded | atomic_load_acquire(&process->space_visitors)) & ~self;
    if ((loaded & self) != 0)
        flush_here(work, change);
    if (asked != 0)
        round_run(asked);
}

/* The bit is set before a table is read, and whoever takes a table out reads it after; the phase
 * is read after, and whoever ends the space reads the bit after it set the phase. */
bool tlb_visit(struct process *process)
{
    (void)atomic_fetch_or(&process->space_visitors, UINT64_C(1) << this_cpu()->index);
    atomic_fence();
    if (atomic_load_acquire(&process->phase) < PROCESS_PHASE_SPACE)
        return true;
    tlb_visit_end(process);
    return false;
}

void tlb_visit_end(struct process *process)
{
    space_cpu_leave(this_core());
    (void)atomic_fetch_and(&process->space_visitors, ~(UINT64_C(1) << this_cpu()->index));
}

void tlb_settle(struct process *process)
{
    const struct space_work all = {.start = CAD_USER_BASE, .end = CAD_USER_END};

    lock_check_none_held();
    if (UNLIKELY(atomic_load_acquire(&process->rounds_owed) != 0))
        flush_everywhere(process, &all);
}

void tlb_finish(struct process *process, struct space_work *work)
{
    uint32_t frames = work->chain.count;

    lock_check_none_held();
    if (work->flush)
        flush_everywhere(process, work);
    if (work->announced)
        (void)atomic_fetch_sub(&process->rounds_owed, 1);
    if (frames != 0) {
        struct tlb_counters *own = own_counters();
        count(&own->quarantined, frames);
        while (!frame_quarantine_release(this_core(), &work->chain, RELEASE_FRAMES))
            interrupt_window();
        count(&own->released, frames);
    }
    for (uint32_t i = 0; i < work->dead_count; i++)
        reaper_add_object(work->dead_objects[i]);
    work->dead_count = 0;
    work->flush = work->announced = false;
}

void tlb_evict_space(struct process *process)
{
    uint64_t self = UINT64_C(1) << this_cpu()->index;

    lock_check_none_held();
    CHECK_VALUE(process->phase >= PROCESS_PHASE_SPACE, process->id);
    leave_ended_space(this_cpu());
    atomic_fence();
    uint64_t loaded = atomic_load_acquire(&process->space_cpus) & ~self;
    if (loaded != 0)
        round_run(loaded);
    CHECK_VALUE(atomic_load_acquire(&process->space_cpus) == 0, process->id);
    while (atomic_load_acquire(&process->space_visitors) != 0) {
        kernel_tlb_service();
        cpu_relax();
    }
}
