// SPDX-License-Identifier: BSD-2-Clause
/*
 * Taking walks frames upwards from where the last take ended, jumping over the
 * image, the archive and the ends of regions: so taken ranges are few and grow
 * in place.
 */
#include "boot/early_memory.h"

#include "base/assert.h"

static bool ranges_overlap(phys_addr_t a_start, phys_addr_t a_end, phys_addr_t b_start,
                           phys_addr_t b_end)
{
    return a_start < b_end && b_start < a_end;
}

static phys_addr_t page_down(phys_addr_t address)
{
    return address & ~(phys_addr_t)(PAGE_SIZE - 1);
}

static phys_addr_t page_up(phys_addr_t address)
{
    return page_down(address + PAGE_SIZE - 1);
}

bool boot_region_add(struct boot_info *boot, phys_addr_t start, uint64_t bytes,
                     enum boot_region_kind kind)
{
    if (bytes == 0)
        return true;
    if (boot->region_count == BOOT_REGIONS_MAX)
        return false;
    phys_addr_t end = start + bytes < start ? UINT64_MAX : start + bytes;
    boot->regions[boot->region_count++] = (struct boot_region){start, end, kind};
    return true;
}

static void region_remove(struct boot_info *boot, unsigned index)
{
    for (unsigned i = index + 1; i < boot->region_count; i++)
        boot->regions[i - 1] = boot->regions[i];
    boot->region_count--;
}

/* Cuts [start, end) out of usable region `index`, which may leave a second piece. */
static bool region_cut(struct boot_info *boot, unsigned index, phys_addr_t start, phys_addr_t end)
{
    struct boot_region *region = &boot->regions[index];
    phys_addr_t tail_start = end, tail_end = region->end;
    region->end = start > region->start ? start : region->start;
    if (tail_start >= tail_end)
        return true;
    return boot_region_add(boot, tail_start, tail_end - tail_start, BOOT_REGION_USABLE);
}

/* Only usable regions lose: to whatever they overlap, which then overlaps nothing of them. */
static bool regions_make_disjoint(struct boot_info *boot)
{
    for (unsigned i = 0; i < boot->region_count; i++) {
        for (unsigned j = 0; j < boot->region_count; j++) {
            struct boot_region *loser = &boot->regions[i], *winner = &boot->regions[j];
            if (i == j || loser->kind != BOOT_REGION_USABLE || winner->start == winner->end)
                continue;
            if (ranges_overlap(loser->start, loser->end, winner->start, winner->end) &&
                !region_cut(boot, i, winner->start, winner->end))
                return false;
        }
    }
    return true;
}

/* Usable memory shrinks to whole frames below the limit; what is empty goes. */
static void regions_round(struct boot_info *boot, phys_addr_t limit)
{
    for (unsigned i = 0; i < boot->region_count;) {
        struct boot_region *region = &boot->regions[i];
        if (region->kind == BOOT_REGION_USABLE) {
            region->end = page_down(region->end < limit ? region->end : limit);
            region->start = region->start < region->end ? page_up(region->start) : region->end;
        }
        if (region->start >= region->end)
            region_remove(boot, i);
        else
            i++;
    }
}

static void regions_sort(struct boot_info *boot)
{
    for (unsigned i = 1; i < boot->region_count; i++) {
        struct boot_region moving = boot->regions[i];
        unsigned j = i;
        for (; j > 0 && boot->regions[j - 1].start > moving.start; j--)
            boot->regions[j] = boot->regions[j - 1];
        boot->regions[j] = moving;
    }
}

/* Neighbours of a kind become one; overlapping reserved ones too. */
static void regions_merge(struct boot_info *boot)
{
    for (unsigned i = 0; i + 1 < boot->region_count;) {
        struct boot_region *region = &boot->regions[i], *next = region + 1;
        if (region->kind != next->kind || region->end < next->start) {
            i++;
            continue;
        }
        if (next->end > region->end)
            region->end = next->end;
        region_remove(boot, i + 1);
    }
}

bool boot_regions_normalise(struct boot_info *boot, phys_addr_t limit)
{
    if (!regions_make_disjoint(boot))
        return false;
    regions_round(boot, limit);
    regions_sort(boot);
    regions_merge(boot);
    return true;
}

bool boot_range_is_usable(const struct boot_info *boot, phys_addr_t start, phys_addr_t end)
{
    for (unsigned i = 0; i < boot->region_count; i++) {
        const struct boot_region *region = &boot->regions[i];
        if (region->kind == BOOT_REGION_USABLE && start >= region->start && end <= region->end)
            return start < end;
    }
    return false;
}

/* End of what holds part of [start, end) already, or 0. */
static phys_addr_t holder_end(const struct boot_info *boot, phys_addr_t start, phys_addr_t end)
{
    if (ranges_overlap(start, end, boot->kernel_start, boot->kernel_end))
        return boot->kernel_end;
    if (boot->archive_start < boot->archive_end &&
        ranges_overlap(start, end, boot->archive_start, boot->archive_end))
        return boot->archive_end;
    for (unsigned i = 0; i < boot->taken_count; i++) {
        if (ranges_overlap(start, end, boot->taken[i].start, boot->taken[i].end))
            return boot->taken[i].end;
    }
    return 0;
}

bool boot_frame_is_free(const struct boot_info *boot, frame_no_t frame)
{
    phys_addr_t start = frame_address(frame);
    return frame != FRAME_NONE && boot_range_is_usable(boot, start, start + PAGE_SIZE) &&
           holder_end(boot, start, start + PAGE_SIZE) == 0;
}

frame_no_t boot_frame_limit(const struct boot_info *boot)
{
    frame_no_t limit = 0;
    for (unsigned i = 0; i < boot->region_count; i++) {
        if (boot->regions[i].kind == BOOT_REGION_USABLE)
            limit = address_frame(boot->regions[i].end);
    }
    return limit;
}

static bool taken_add(struct boot_info *boot, phys_addr_t start, phys_addr_t end)
{
    for (unsigned i = 0; i < boot->taken_count; i++) {
        if (boot->taken[i].end == start) {
            boot->taken[i].end = end;
            return true;
        }
    }
    if (boot->taken_count == BOOT_TAKEN_MAX)
        return false;
    boot->taken[boot->taken_count++] = (struct boot_range){start, end};
    return true;
}

/* First free run of `bytes` in [from, to), or `to`. */
static phys_addr_t free_run(const struct boot_info *boot, phys_addr_t from, phys_addr_t to,
                            uint64_t bytes)
{
    while (from < to && to - from >= bytes) {
        phys_addr_t next = holder_end(boot, from, from + bytes);
        if (next == 0)
            return from;
        from = page_up(next);
    }
    return to;
}

static frame_no_t take_between(struct boot_info *boot, phys_addr_t low, phys_addr_t high,
                               uint64_t bytes)
{
    for (unsigned i = 0; i < boot->region_count; i++) {
        const struct boot_region *region = &boot->regions[i];
        phys_addr_t from = region->start > low ? region->start : low;
        phys_addr_t to = region->end < high ? region->end : high;
        if (region->kind != BOOT_REGION_USABLE || from >= to)
            continue;
        phys_addr_t start = free_run(boot, from, to, bytes);
        if (start == to || !taken_add(boot, start, start + bytes))
            continue;
        __builtin_memset(early_pointer(start), 0, bytes);
        return address_frame(start);
    }
    return FRAME_NONE;
}

frame_no_t boot_take_frames(struct boot_info *boot, uint64_t count)
{
    if (count == 0 || count > address_frame(BOOT_EARLY_MAP_END - 1))
        return FRAME_NONE;
    return take_between(boot, BOOT_LOW_MEMORY_END, BOOT_EARLY_MAP_END, count * PAGE_SIZE);
}

frame_no_t boot_take_low_frame(struct boot_info *boot)
{
    return take_between(boot, PAGE_SIZE, BOOT_LOW_MEMORY_END, PAGE_SIZE);
}
