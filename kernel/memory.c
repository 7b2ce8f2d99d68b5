// SPDX-License-Identifier: BSD-2-Clause
/*
 * Boot order: map the frame table, fill it, open the pools, make the root
 * ledger.  Frames under the table itself come from an early supply: the lowest
 * free ones above 1 MiB, in rising order, so that one number says which are gone.
 */
#include "kernel/memory.h"

#include "arch/boot.h"
#include "arch/mmu.h"
#include "base/assert.h"
#include "base/print.h"
#include "kernel/cpu.h"
#include "kernel/interrupt_window.h"
#include "kernel/starvation.h"

#define SUPPLY_FIRST   ((frame_no_t)256)
#define HOLDERS_MAX    (BOOT_TAKEN_MAX + 4)
#define REFILL_FRAMES  (MAGAZINE_FRAMES / 2)

struct cadastre cadastre;
struct spinlock derivation_lock = SPINLOCK_INIT(LOCK_DERIVATION);
struct spinlock objects_lock = SPINLOCK_INIT(LOCK_OBJECTS);
struct spinlock ledgers_lock = SPINLOCK_INIT(LOCK_LEDGERS);
struct spinlock frames_lock = SPINLOCK_INIT(LOCK_FRAMES);
uint32_t root_ledger, boot_archive_object, memory_charged_cpus;
uint64_t boot_archive_bytes;

/* --- what is already held in usable memory --- */

struct held {
    struct frame_range ranges[HOLDERS_MAX];
    unsigned count;
};

static struct held held;
static const struct boot_info *supply_boot;
static frame_no_t supply_next = SUPPLY_FIRST;

static void held_add(phys_addr_t start, phys_addr_t end)
{
    if (start == end)
        return;
    CHECK_VALUE(held.count < HOLDERS_MAX, start);
    held.ranges[held.count].first = address_frame(start);
    held.ranges[held.count].end = address_frame(end + PAGE_SIZE - 1);
    held.count++;
}

/* The first free run at or after `first`, below `end`; empty (first == end) if none. */
static struct frame_range free_run(frame_no_t first, frame_no_t end)
{
    struct frame_range run = {first, end};

    for (bool moved = true; moved && run.first < end;) {
        moved = false;
        for (unsigned i = 0; i < held.count; i++) {
            if (held.ranges[i].first <= run.first && run.first < held.ranges[i].end) {
                run.first = held.ranges[i].end;
                moved = true;
            }
        }
    }
    if (run.first >= end)
        return (struct frame_range){end, end};
    for (unsigned i = 0; i < held.count; i++) {
        if (held.ranges[i].first > run.first && held.ranges[i].first < run.end)
            run.end = held.ranges[i].first;
    }
    return run;
}

static struct frame_range region_frames(const struct boot_region *region)
{
    if (region->kind != BOOT_REGION_USABLE)
        return (struct frame_range){0, 0};
    return (struct frame_range){address_frame(region->start), address_frame(region->end)};
}

static frame_no_t supply_take(void)
{
    for (unsigned i = 0; i < supply_boot->region_count; i++) {
        struct frame_range region = region_frames(&supply_boot->regions[i]);
        if (region.end <= supply_next)
            continue;
        frame_no_t from = region.first > supply_next ? region.first : supply_next;
        struct frame_range run = free_run(from, region.end);
        if (run.first == run.end)
            continue;
        supply_next = run.first + 1;
        pages_clear(run.first, 1);
        return run.first;
    }
    machine_refuse("memory: too little for the frame table; frames", boot_frame_limit(supply_boot));
}

/* --- the frame table --- */

/* Backs the entries of [first, end); neighbours may share a page. */
static void frames_back(struct frame *frames, frame_no_t first, frame_no_t end)
{
    static uint64_t backed_end;
    uint64_t from = (uint64_t)&frames[first] & ~(uint64_t)(PAGE_SIZE - 1);
    uint64_t to = (uint64_t)&frames[end];

    if (from < backed_end)
        from = backed_end;
    for (uint64_t page = from; page < to; page += PAGE_SIZE) {
        if (!mmu_kernel_map(page, supply_take(), supply_take))
            machine_refuse("memory: the frame table cannot be mapped at", page);
        backed_end = page + PAGE_SIZE;
    }
}

static void frames_init(struct boot_info *boot)
{
    struct frame *frames = (struct frame *)POOL_SPAN(0);

    frame_table_init(&cadastre.frames, frames);
    for (unsigned i = 0; i < boot->region_count; i++) {
        struct frame_range region = region_frames(&boot->regions[i]);
        if (region.first == region.end)
            continue;
        frames_back(frames, region.first, region.end);
        CHECK_VALUE(frame_table_add_range(&cadastre.frames, region.first, region.end) == CAD_OK,
                    region.first);
    }
}

/* Adopts what boot took, then frees what nobody holds. */
static void frames_settle(struct boot_info *boot)
{
    for (unsigned i = 0; i < boot->taken_count; i++) {
        frame_no_t end = address_frame(boot->taken[i].end);
        for (frame_no_t frame = address_frame(boot->taken[i].start); frame < end; frame++)
            frame_adopt_kernel(&cadastre.frames, frame, FRAME_KIND_BOOT, 0, 0);
    }
    held_add(frame_address(SUPPLY_FIRST), frame_address(supply_next));
    for (unsigned i = 0; i < boot->region_count; i++) {
        struct frame_range region = region_frames(&boot->regions[i]);
        struct frame_range run = free_run(region.first, region.end);
        while (run.first != run.end) {
            CHECK_VALUE(frame_table_add_free(&cadastre.frames, run.first, run.end) == CAD_OK,
                        run.first);
            run = free_run(run.end, region.end);
        }
    }
}

/* --- hooks of core/ --- */

static void host_magazine_refill(struct core_cpu *core)
{
    spin_lock(&frames_lock);
    magazine_fill(&cadastre.frames, &core->magazine, REFILL_FRAMES);
    spin_unlock(&frames_lock);
}

static void host_magazine_drain(struct core_cpu *core)
{
    spin_lock(&frames_lock);
    magazine_empty(&cadastre.frames, &core->magazine, MAGAZINE_FRAMES / 2);
    spin_unlock(&frames_lock);
}

static frame_no_t host_block_take(struct core_cpu *core, unsigned order)
{
    spin_lock(&frames_lock);
    frame_no_t first = frame_block_take(&cadastre.frames, order);
    spin_unlock(&frames_lock);
    return first;
}

static void host_run_put(struct core_cpu *core, frame_no_t first, uint32_t count)
{
    spin_lock(&frames_lock);
    frame_run_put(&cadastre.frames, first, count);
    spin_unlock(&frames_lock);
}

static void host_ledger_idle(struct core_cpu *core, uint32_t ledger)
{
    spin_lock(&ledgers_lock);
    ledger_collect(core, ledger);
    spin_unlock(&ledgers_lock);
}

/* Whoever holds a table ends no round before it lets go, so no request needs an answer here; and
 * none may be answered by who has read tables and holds none yet. */
static void host_table_wait(struct core_cpu *core)
{
    cpu_relax();
}

static void host_interrupt_window(const struct core_cpu *core)
{
    interrupt_window();
}

static void host_table_check(struct core_cpu *core)
{
    lock_check_below(LOCK_TABLES);
}

/* --- boot --- */

static void core_pools_open(void)
{
    cadastre.ledgers.ledgers = pool_open(POOL_LEDGERS, &cadastre.ledgers.ids,
                                         sizeof(struct ledger));
    cadastre.untypeds.untypeds = pool_open(POOL_UNTYPEDS, &cadastre.untypeds.ids,
                                           sizeof(struct untyped));
    cadastre.objects.objects = pool_open(POOL_OBJECTS, &cadastre.objects.ids,
                                         sizeof(struct object));
    cadastre.objects.claims = pool_open(POOL_CLAIMS, &cadastre.objects.claim_ids,
                                        sizeof(struct claim));
    cadastre.mappings.mappings = pool_open(POOL_MAPPINGS, &cadastre.mappings.ids,
                                           sizeof(struct mapping));
    cadastre.spaces.spaces = pool_open(POOL_SPACES, &cadastre.spaces.ids, sizeof(struct space));
    cadastre.caps.slots = pool_open(POOL_CAP_SLOTS, &cadastre.caps.slot_ids,
                                    sizeof(struct cap_slot));
    cadastre.caps.tables = pool_open(POOL_CAP_TABLES, &cadastre.caps.table_ids,
                                     sizeof(struct cap_table));
}

static void root_ledger_init(void)
{
    uint64_t free_pages = memory_free_pages();
    uint64_t metadata_pages = free_pages / 8;
    uint64_t committed_pages = free_pages - metadata_pages - free_pages / 16;
    const uint64_t limits[CAD_RESOURCE_COUNT] = {
        [CAD_RESOURCE_VIRTUAL] = UINT64_C(1) << 48,
        [CAD_RESOURCE_COMMITTED] = committed_pages,
        [CAD_RESOURCE_PINNED] = committed_pages / 4,
        [CAD_RESOURCE_METADATA] = metadata_pages * PAGE_SIZE,
        [CAD_RESOURCE_SLOTS] = UINT64_C(1) << (CAD_CAP_SLOT_BITS - 1),
        [CAD_RESOURCE_THREADS] = UINT64_C(1) << 16,
        [CAD_RESOURCE_CALLS] = UINT64_C(1) << 20,
        [CAD_RESOURCE_MESSAGES] = UINT64_C(1) << 20,
        [CAD_RESOURCE_WAITERS] = UINT64_C(1) << 20,
    };

    if (free_pages < MEMORY_FREE_PAGES_MIN)
        machine_refuse("memory: too little; pages that are free (4096 are needed)", free_pages);
    pool_pages_limit = free_pages / 16;
    CHECK(ledger_create_root(this_core(), limits, &root_ledger) == CAD_OK);
}

/* The archive becomes an object that nobody may write. */
static void boot_archive_init(const struct boot_info *boot)
{
    uint64_t bytes = boot->archive_end - boot->archive_start;
    uint64_t pages = pages_for_bytes(bytes);

    if (bytes == 0)
        return;
    if (!is_page_aligned(boot->archive_start))
        machine_refuse("memory: the boot archive is not page-aligned at", boot->archive_start);
    uint8_t *start = frame_pointer(address_frame(boot->archive_start));
    for (uint64_t i = bytes; i < pages * PAGE_SIZE; i++)
        start[i] = 0; /* nothing of what was there before shows */
    CHECK(object_create_boot(this_core(), root_ledger, address_frame(boot->archive_start),
                             (uint32_t)pages, &boot_archive_object) == CAD_OK);
    boot_archive_bytes = bytes;
}

COMPILE_ASSERT(CPU_MAX <= CORE_CPUS_MAX, core_knows_every_cpu);
void memory_init_cpu(struct core_cpu *core)
{
    core_cpu_join(core, &cadastre);
    CHECK(ledger_reserve(core, root_ledger, CAD_RESOURCE_COMMITTED, MAGAZINE_FRAMES) == CAD_OK);
    memory_charged_cpus++;
}

void memory_init(struct boot_info *boot)
{
    held_add(0, PAGE_SIZE);
    held_add(boot->kernel_start, boot->kernel_end);
    held_add(boot->archive_start, boot->archive_end);
    for (unsigned i = 0; i < boot->taken_count; i++)
        held_add(boot->taken[i].start, boot->taken[i].end);
    supply_boot = boot;
    frames_init(boot);
    frames_settle(boot);
    cadastre.format = mmu_format();
    cadastre.host = (struct core_host){
        .direct_map = (uint8_t *)DIRECT_MAP_BASE,
        .pages_clear = pages_clear,
        .magazine_refill = host_magazine_refill,
        .magazine_drain = host_magazine_drain,
        .block_take = host_block_take,
        .run_put = host_run_put,
        .pool_grow = pool_grow,
        .ledger_idle = host_ledger_idle,
        .table_wait = host_table_wait,
        .table_check = host_table_check,
        .interrupt_window = host_interrupt_window,
#ifdef CONFIG_FAULT_POINTS
        .fault_point = starvation_point,
#endif
    };
    core_pools_open();
    this_core()->cadastre = &cadastre;
    root_ledger_init();
    memory_init_cpu(this_core());
    boot_archive_init(boot);
}

uint64_t memory_free_pages(void)
{
    uint64_t pages = cadastre.frames.free_frames;

    for (unsigned i = 0; i < cpu_count(); i++)
        pages += cpu_by_index(i)->core.magazine.count;
    return pages;
}

uint64_t memory_zeroed_pages(void)
{
    uint64_t pages = 0;

    for (unsigned i = 0; i < cpu_count(); i++)
        pages += cpu_by_index(i)->core.magazine.zeroed;
    return pages;
}
