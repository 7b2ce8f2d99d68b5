// SPDX-License-Identifier: BSD-2-Clause
/*
 * ELF images out of memory objects into the space of a process that nobody else
 * sees yet.
 *
 * A segment that is not writable, whole in the file, and at the same offset in
 * its page there and in memory, is a mapping of the image itself and costs no
 * memory; every other one is anonymous memory with a copy.
 */
#ifndef KERNEL_IMAGE_LOADER_H
#define KERNEL_IMAGE_LOADER_H

#include "core/elf.h"

struct process;

/* A file inside a memory object that the caller holds a reference to. */
struct image {
    uint32_t object;
    uint64_t offset_bytes; /* page-aligned; [offset, offset + size) lies in the object */
    uint64_t size_bytes;
};

/* Plans the image and fills the space with it.  A failure leaves what is done so
 * far for the end of the process.
 * Fails: BAD_IMAGE with *reason; QUOTA_*, PRESSURE. */
MUST_CHECK status_t image_load(struct process *process, struct image *image,
                               virt_addr_t load_base, struct elf_plan *plan, const char **reason);

/* Where a position-independent program goes. */
#define IMAGE_PROGRAM_BASE UINT64_C(0x400000)

#endif
