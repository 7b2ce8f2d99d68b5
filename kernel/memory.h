// SPDX-License-Identifier: BSD-2-Clause
/*
 * The kernel's one `struct cadastre` and what it stands on: the frame table
 * from BootInfo, record pools in the kernel half, magazines, the root ledger.
 *
 * The root ledger's limits are what the machine can promise at once (LG6).  Of
 * the frames free after boot: an eighth is metadata (page tables, records), a
 * sixteenth is the record pools' own slack, a magazine a CPU is charged to the
 * root as committed when the CPU starts; the rest is committed memory.  So a
 * fault on committed memory finds a frame whatever others do.
 */
#ifndef KERNEL_MEMORY_H
#define KERNEL_MEMORY_H

#include "boot/boot_info.h"
#include "core/cadastre.h"
#include "kernel/lock.h"
#include "kernel/pool_memory.h"

/* Frames that must be free after boot, or the machine is refused. */
#define MEMORY_FREE_PAGES_MIN 4096

extern struct cadastre cadastre;
extern struct spinlock derivation_lock, objects_lock, ledgers_lock, frames_lock;

/* Boot: builds all of the above but the pools of kernel/ (their owners open
 * those).  Too little memory is said on the console and stops the machine. */
void memory_init(struct boot_info *boot);
/* A CPU's core handle; charges its magazine to the root ledger. Needs: memory_init done. */
void memory_init_cpu(struct core_cpu *core);

/* Frames free now, magazines included; exact only while nobody allocates. */
uint64_t memory_free_pages(void);
/* Those of them that idle CPUs have cleared ahead; as exact. */
uint64_t memory_zeroed_pages(void);

/* The root ledger, and the object that holds the boot archive with its size in
 * bytes (ID_NONE and 0 if the loader gave none).  Constant after boot. */
extern uint32_t root_ledger, boot_archive_object;
extern uint64_t boot_archive_bytes;
/* CPUs whose magazine the root ledger pays for. */
extern uint32_t memory_charged_cpus;

#endif
