// SPDX-License-Identifier: BSD-2-Clause
/*
 * The register itself: every table of the memory authority, in one struct.
 *
 * core/ has no globals: the kernel has one `struct cadastre`, a test as many as
 * it likes.  Each CPU has a `struct core_cpu`, the handle that every operation
 * takes: the shared tables and the CPU's own magazine.
 */
#ifndef CORE_CADASTRE_H
#define CORE_CADASTRE_H

#include "base/assert.h"
#include "base/atomic.h"
#include "base/types.h"
#include "core/cap.h"
#include "core/frame.h"
#include "core/ledger.h"
#include "core/mapping.h"
#include "core/memory.h"
#include "core/object.h"
#include "core/space.h"
#include "core/untyped.h"

#define CORE_CPUS_MAX 64

struct cadastre {
    struct core_host host;
    const struct mmu_format *format;
    struct frame_table frames;
    struct ledger_table ledgers;
    struct untyped_table untypeds;
    struct object_table objects;
    struct mapping_table mappings;
    struct space_table spaces;
    struct cap_tables caps;
    const struct core_cpu *cpus[CORE_CPUS_MAX];
    uint32_t cpu_count;
};

struct core_cpu {
    struct cadastre *cadastre;
    struct magazine magazine;
    uint32_t filled_space; /* whose pages were filled here and are not in its count, or ID_NONE */
    uint64_t filled_pages;
    uint32_t tables_held;  /* debug builds: cursors' tables */
};

/* Makes a CPU known.  Boot, one at a time. */
static inline void core_cpu_join(struct core_cpu *cpu, struct cadastre *cadastre)
{
    uint32_t count = cadastre->cpu_count;
    CHECK_VALUE(count < CORE_CPUS_MAX, count);
    cpu->cadastre = cadastre;
    cadastre->cpus[count] = cpu;
    atomic_store_release(&cadastre->cpu_count, count + 1);
}

/* Calls of core_host go through here, so that the prover, which cannot follow a pointer to
 * a function, reads the contract of host_HOOK instead (beside what calls it). */
#ifdef __FRAMAC__
#define HOST(cpu, hook) host_##hook
#else
#define HOST(cpu, hook) (cpu)->cadastre->host.hook
#endif

#include "core/contracts.h"
#include "core/fault_calls.h"

/* From one interrupt window to the next: pages that are cleared, or entries that are changed. */
#define WINDOW_STEPS 64u
/* A window if entry `to` is a step further than entry `from`. */
/*@ terminates \true;
    exits   \false;
    assigns \nothing;
*/
static inline void window_at(const struct core_cpu *cpu, uint32_t from, uint32_t to)
{
    if (from / WINDOW_STEPS != to / WINDOW_STEPS) {
        HOST(cpu, interrupt_window)(cpu);
    }
}

static inline uint64_t *table_words(const struct core_cpu *cpu, frame_no_t frame)
{
    return (uint64_t *)(void *)(cpu->cadastre->host.direct_map + frame_address(frame));
}

#endif
