// SPDX-License-Identifier: BSD-2-Clause
/*
 * All tables come from boot_take_frames(), so they lie below 4 GiB, where the
 * early tables show them; running out of memory here means the machine is too
 * small, and says so.
 */
#include "mmu_init.h"

#include "arch/boot.h"
#include "base/assert.h"
#include "boot/early_memory.h"
#include "cpu_features.h"
#include "cpu_local.h"
#include "instructions.h"
#include "registers.h"

#define LEVEL_SHIFT(level) (PAGE_SHIFT + MMU_INDEX_BITS * (level))
#define LEVEL_BYTES(level) (UINT64_C(1) << LEVEL_SHIFT(level))
#define ROOT_LEVEL         (MMU_LEVELS - 1)

#define KERNEL_TABLE   (ENTRY_PRESENT | ENTRY_WRITE)
#define KERNEL_COMMON  (ENTRY_PRESENT | ENTRY_GLOBAL | ENTRY_ACCESSED | ENTRY_DIRTY)
#define KERNEL_TEXT    (KERNEL_COMMON)
#define KERNEL_RODATA  (KERNEL_COMMON | ENTRY_NO_EXECUTE)
#define KERNEL_DATA    (KERNEL_COMMON | ENTRY_WRITE | ENTRY_NO_EXECUTE)
#define KERNEL_DEVICE  (KERNEL_DATA | ENTRY_UNCACHED | ENTRY_WRITE_THROUGH)

extern const char image_text_start[], image_text_end[];
extern const char image_rodata_start[], image_rodata_end[];
extern const char image_data_start[], image_data_end[];
extern const char image_start_physical[];

static frame_no_t kernel_root;
static unsigned device_pages;

struct span {
    uint64_t address, bytes; /* page-aligned */
    phys_addr_t to;
};

/* Both halves of the early map agree that this is where memory shows. */
void *early_pointer(phys_addr_t address)
{
    return (void *)(DIRECT_MAP_BASE + address);
}

phys_addr_t machine_address_limit(void)
{
    return DIRECT_MAP_BYTES;
}

frame_no_t mmu_kernel_root(void)
{
    return kernel_root;
}

static frame_no_t take_table(struct boot_info *boot)
{
    frame_no_t frame = boot_take_frames(boot, 1);
    if (frame == FRAME_NONE)
        machine_refuse("boot: too little memory for the kernel's page tables; frames",
                       boot_frame_limit(boot));
    return frame;
}

/* The entry for `address` at `level`, its tables made on the way down. */
static uint64_t *entry_at(struct boot_info *boot, frame_no_t root, uint64_t address,
                          unsigned level)
{
    uint64_t *table = early_pointer(frame_address(root));
    for (unsigned at = ROOT_LEVEL; at > level; at--) {
        uint64_t *entry = &table[address >> LEVEL_SHIFT(at) & (MMU_TABLE_ENTRIES - 1)];
        if ((*entry & ENTRY_PRESENT) == 0)
            *entry = frame_address(take_table(boot)) | KERNEL_TABLE;
        CHECK_VALUE((*entry & ENTRY_LARGE) == 0, address);
        table = early_pointer(*entry & MMU_ADDRESS_MASK);
    }
    return &table[address >> LEVEL_SHIFT(level) & (MMU_TABLE_ENTRIES - 1)];
}

/* The highest level whose page fits at the start of `span`. */
static unsigned level_for(const struct span *span)
{
    unsigned level = cpu_features.page_1g ? 2 : 1;
    while (level > 0 && (((span->address | span->to) & (LEVEL_BYTES(level) - 1)) != 0 ||
                         span->bytes < LEVEL_BYTES(level)))
        level--;
    return level;
}

static void map_span(struct boot_info *boot, struct span span, uint64_t bits)
{
    CHECK_VALUE(is_page_aligned(span.address | span.bytes | span.to), span.address);
    while (span.bytes > 0) {
        unsigned level = level_for(&span);
        uint64_t *entry = entry_at(boot, kernel_root, span.address, level);
        CHECK_VALUE(*entry == 0, span.address);
        *entry = span.to | bits | (level > 0 ? ENTRY_LARGE : 0);
        span.address += LEVEL_BYTES(level);
        span.to += LEVEL_BYTES(level);
        span.bytes -= LEVEL_BYTES(level);
    }
}

static void map_image_part(struct boot_info *boot, const char *start, const char *end,
                           uint64_t bits)
{
    uint64_t address = (uint64_t)start;
    map_span(boot, (struct span){address, (uint64_t)(end - start), address - KERNEL_BASE}, bits);
}

static void map_direct(struct boot_info *boot, phys_addr_t start, phys_addr_t end, uint64_t bits)
{
    if (start < end)
        map_span(boot, (struct span){DIRECT_MAP_BASE + start, end - start, start}, bits);
}

static phys_addr_t clamp(phys_addr_t value, phys_addr_t low, phys_addr_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* Usable memory only, but frame 0: a stray physical 0 faults.  What the image
 * shows read-only is read-only here too (AS4). */
static void map_all_memory(struct boot_info *boot)
{
    phys_addr_t fixed_start = (uint64_t)image_text_start - KERNEL_BASE;
    phys_addr_t fixed_end = (uint64_t)image_rodata_end - KERNEL_BASE;
    for (unsigned i = 0; i < boot->region_count; i++) {
        const struct boot_region *region = &boot->regions[i];
        if (region->kind != BOOT_REGION_USABLE || region->end <= PAGE_SIZE)
            continue;
        phys_addr_t start = region->start < PAGE_SIZE ? PAGE_SIZE : region->start;
        phys_addr_t fixed_from = clamp(fixed_start, start, region->end);
        phys_addr_t fixed_to = clamp(fixed_end, start, region->end);
        map_direct(boot, start, fixed_from, KERNEL_DATA);
        map_direct(boot, fixed_from, fixed_to, KERNEL_RODATA);
        map_direct(boot, fixed_to, region->end, KERNEL_DATA);
    }
}

/* Roots copy the kernel half once, so its third-level tables must all exist. */
static void make_pool_tables(struct boot_info *boot)
{
    for (unsigned span = 0; span < POOL_SPANS; span++)
        (void)entry_at(boot, kernel_root, POOL_BASE + span * POOL_SPAN_BYTES, ROOT_LEVEL - 1);
}

void mmu_init(struct boot_info *boot)
{
    CHECK_VALUE((uint64_t)image_text_start - (uint64_t)image_start_physical == KERNEL_BASE,
                image_text_start);
    kernel_root = take_table(boot);
    map_image_part(boot, image_text_start, image_text_end, KERNEL_TEXT);
    map_image_part(boot, image_rodata_start, image_rodata_end, KERNEL_RODATA);
    map_image_part(boot, image_data_start, image_data_end, KERNEL_DATA);
    map_all_memory(boot);
    make_pool_tables(boot);
}

void mmu_load_kernel_root(void)
{
    cr3_write(frame_address(kernel_root));
}

static void map_stack(struct boot_info *boot, uint64_t top, uint64_t bytes)
{
    for (uint64_t at = top - bytes; at < top; at += PAGE_SIZE)
        map_span(boot, (struct span){at, PAGE_SIZE, frame_address(take_table(boot))}, KERNEL_DATA);
}

void mmu_map_stacks(struct boot_info *boot, unsigned index)
{
    map_stack(boot, stack_main_top(index), STACK_BYTES);
    for (unsigned ist = 1; ist <= IST_COUNT; ist++)
        map_stack(boot, stack_ist_top(index, ist), STACK_IST_BYTES);
}

volatile void *mmu_map_device(struct boot_info *boot, phys_addr_t address)
{
    CHECK_VALUE(device_pages < DEVICE_PAGES, address);
    uint64_t at = DEVICE_BASE + (uint64_t)device_pages++ * PAGE_SIZE;
    phys_addr_t page = address & ~(phys_addr_t)(PAGE_SIZE - 1);
    map_span(boot, (struct span){at, PAGE_SIZE, page}, KERNEL_DEVICE);
    return (volatile void *)(at + (address - page));
}

frame_no_t mmu_make_trampoline_root(struct boot_info *boot, frame_no_t low)
{
    frame_no_t root = take_table(boot);
    mmu_root_init(root);
    *entry_at(boot, root, frame_address(low), 0) = frame_address(low) | ENTRY_PRESENT;
    return root;
}
