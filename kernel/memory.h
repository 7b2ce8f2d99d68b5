// SPDX-License-Identifier: BSD-2-Clause
/*
 * The kernel's one `struct cadastre` and what it stands on: the frame table
 * from BootInfo, record pools in the kernel half, magazines, the root ledger.
 */
#ifndef KERNEL_MEMORY_H
#define KERNEL_MEMORY_H

#include "boot/boot_info.h"
#include "core/cadastre.h"
#include "kernel/lock.h"

extern struct cadastre cadastre;
extern struct spinlock derivation_lock, objects_lock, ledgers_lock, frames_lock;

/* POOL(NAME, record type, most records): one id_pool and array each, at fixed addresses. */
#define POOL_LIST(POOL)                                                                            \
    POOL(LEDGERS, struct ledger, 1u << 16)                                                         \
    POOL(UNTYPEDS, struct untyped, 1u << 20)                                                       \
    POOL(OBJECTS, struct object, 1u << 22)                                                         \
    POOL(CLAIMS, struct claim, 1u << 22)                                                           \
    POOL(MAPPINGS, struct mapping, 1u << 22)                                                       \
    POOL(SPACES, struct space, 1u << 16)                                                           \
    POOL(CAP_SLOTS, struct cap_slot, 1u << 24)                                                     \
    POOL(CAP_TABLES, struct cap_table, 1u << 16)                                                   \
    POOL(PROCESSES, struct process, 1u << 16)                                                      \
    POOL(THREADS, struct thread, 1u << 18)                                                         \
    POOL(ENDPOINTS, struct endpoint, 1u << 20)                                                     \
    POOL(NOTIFICATIONS, struct notification, 1u << 20)

/* Boot: builds all of the above.  Too little memory is said on the console and stops the machine. */
void memory_init(struct boot_info *boot);
/* Another CPU's core handle. */
void memory_init_cpu(struct core_cpu *core);

/* The root ledger, and the object that holds the boot archive. */
extern uint32_t root_ledger, boot_archive_object;

#endif
