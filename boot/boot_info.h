// SPDX-License-Identifier: BSD-2-Clause
/*
 * What every boot protocol tells the kernel, in one form.  A protocol's entry
 * (boot/pvh.c; Multiboot2 and Limine later) fills one; nothing after it knows
 * which protocol it was.
 *
 * Memory is accounted for from the first frame: whatever was taken before the
 * frame table existed stands in `taken`.  So a frame is free for the frame
 * table when it lies wholly in a usable region and neither is frame 0 nor lies
 * in the image, the archive or a taken range (boot_frame_is_free() says so).
 */
#ifndef BOOT_BOOT_INFO_H
#define BOOT_BOOT_INFO_H

#include "base/types.h"

#define BOOT_REGIONS_MAX 64
#define BOOT_TAKEN_MAX 16
#define BOOT_COMMAND_LINE_MAX 1024

enum boot_region_kind {
    BOOT_REGION_USABLE,
    BOOT_REGION_RESERVED, /* firmware, ACPI, MMIO: never touched */
};

struct boot_range {
    phys_addr_t start, end; /* [start, end), bytes */
};

struct boot_region {
    phys_addr_t start, end; /* [start, end), bytes; sorted, disjoint; usable ones page-aligned */
    enum boot_region_kind kind;
};

struct boot_info {
    struct boot_region regions[BOOT_REGIONS_MAX];
    unsigned region_count;
    struct boot_range taken[BOOT_TAKEN_MAX]; /* page-aligned; by boot_take_frames() */
    unsigned taken_count;
    phys_addr_t archive_start, archive_end; /* the boot archive module; equal if none */
    phys_addr_t kernel_start, kernel_end;   /* the loaded image, its bss included */
    phys_addr_t rsdp;                       /* ACPI root pointer, 0 if unknown */
    const char *protocol;                   /* its name, for the banner */
    char command_line[BOOT_COMMAND_LINE_MAX]; /* NUL-terminated; truncation is reported */
};

/* Takes `count` neighbouring frames below 4 GiB for good, before there is a frame table.
 * Gives: the first, all zeroed; FRAME_NONE if no usable region has so many left,
 *        state unchanged. */
frame_no_t boot_take_frames(struct boot_info *boot, uint64_t count);

/* True when nobody holds the frame: the frame table starts it as FREE. */
bool boot_frame_is_free(const struct boot_info *boot, frame_no_t frame);

/* End of the highest usable region, in frames. */
frame_no_t boot_frame_limit(const struct boot_info *boot);

/* cpu_cycles() at the machine's first instruction. */
extern uint64_t boot_entry_cycles;

/* Machine entry ends here: CPU 0, its stack, the final kernel half, all of
 * memory in the direct map.  `boot` stays valid. */
_Noreturn void kernel_main(struct boot_info *boot);

#endif
