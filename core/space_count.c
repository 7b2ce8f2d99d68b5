// SPDX-License-Identifier: BSD-2-Clause
/*
 * A space's counters.  An operation adds what it changed once, at its end.  Pages that faults
 * fill are counted by each CPU alone, as faults of different CPUs are to share no line, and join
 * the space's count when the CPU turns to another space.
 */
#include "base/assert.h"
#include "core/charge.h"
#include "core/space_priv.h"

/* Of what was charged, what was not used; and what is used no more. */
static inline void uncharge(struct core_cpu *cpu, uint32_t ledger, enum cad_resource what,
                            uint64_t surplus)
{
    if (surplus != 0) {
        CHECK_VALUE(surplus <= INT64_MAX, ledger);
        ledger_release(cpu, ledger, what, surplus);
    }
}

#define COUNTER_ADD(field)                                                                         \
    ((void)(change->field == 0 || atomic_fetch_add(&record->field, change->field)))
void space_settle(struct core_cpu *cpu, uint32_t space, const struct space_charges *charged,
                  const struct space_change *change)
{
    struct space *record = space_of(cpu, space);
    uint32_t ledger = record->ledger;
    COUNTER_ADD(virtual_pages);
    COUNTER_ADD(committed_pages);
    COUNTER_ADD(resident_pages);
    COUNTER_ADD(borrowed_pages);
    COUNTER_ADD(table_pages);
    COUNTER_ADD(system_pages);
    int32_t frames = (int32_t)(change->table_pages + change->system_pages);
    uncharge(cpu, ledger, CAD_RESOURCE_VIRTUAL, charged->virtual_pages - change->virtual_pages);
    uncharge(cpu, ledger, CAD_RESOURCE_COMMITTED,
             charged->committed_pages - change->committed_pages);
    uncharge(cpu, ledger, CAD_RESOURCE_METADATA,
             (charged->metadata_frames - (uint64_t)(int64_t)frames) * CHARGE_FRAME);
}

void space_cpu_leave(struct core_cpu *cpu)
{
    if (cpu->filled_space == ID_NONE) {
        return;
    }
    struct space *record = space_of(cpu, cpu->filled_space);
    (void)atomic_fetch_add(&record->joins_begun, 1);
    (void)atomic_fetch_add(&record->resident_pages, cpu->filled_pages);
    atomic_store_relaxed(&cpu->filled_space, ID_NONE);
    atomic_store_relaxed(&cpu->filled_pages, 0);
    (void)atomic_fetch_add(&record->joins_done, 1);
}

static uint64_t resident_sum(const struct cadastre *cadastre, uint32_t space)
{
    uint64_t pages = atomic_load_acquire(&cadastre->spaces.spaces[space].resident_pages);
    uint32_t count = atomic_load_acquire(&cadastre->cpu_count);
    for (uint32_t i = 0; i < count; i++) {
        const struct core_cpu *cpu = cadastre->cpus[i];
        if (atomic_load_acquire(&cpu->filled_space) == space) {
            pages += atomic_load_acquire(&cpu->filled_pages);
        }
    }
    return pages;
}

/* No count was joining the space's from before the sum until after it, or it is taken again;
 * CPUs join as they switch spaces, so a few times are enough for a figure of a moment. */
#define SUM_TRIES 8
uint64_t space_resident_pages(const struct cadastre *cadastre, uint32_t space)
{
    const struct space *record = &cadastre->spaces.spaces[space];
    uint64_t pages = 0;
    for (unsigned i = 0; i < SUM_TRIES; i++) {
        uint32_t done = atomic_load_acquire(&record->joins_done);
        pages = resident_sum(cadastre, space);
        atomic_fence();
        if (atomic_load_acquire(&record->joins_begun) == done) {
            break;
        }
    }
    return pages;
}
