// SPDX-License-Identifier: BSD-2-Clause
/*
 * Making processes (US1).
 *
 * A process is built where nobody sees it: space, images, stack, CapSet page,
 * its own capabilities, first thread.  Until it is complete its `building` flag
 * hides it, even from who guesses the number of its capability.  Any failure on
 * the way ends it like any process, here and now, so all is given back before
 * the status is.  Grants come last, all or none: a moved capability cannot be
 * given back under its old name.
 *
 * The builder is in kernel/spawn_build.c, the first stack in kernel/spawn_stack.c,
 * the method in kernel/spawner.c, the first process in kernel/spawn_init.c.
 */
#ifndef KERNEL_SPAWNER_H
#define KERNEL_SPAWNER_H

#include "abi/capset.h"
#include "abi/spawn.h"
#include "boot/boot_info.h"
#include "core/cap.h"
#include "kernel/image_loader.h"
#include "kernel/thread.h"

/* Below the first stack: never mappable. */
#define SPAWN_GUARD_PAGES UINT64_C(16)

/* Arguments, then environment, each NUL-terminated. */
struct spawn_strings {
    struct process *from; /* whose memory; NULL: the kernel's */
    virt_addr_t address;
    uint64_t bytes;
    uint32_t argument_count, environment_count;
};

struct spawn {
    /* in */
    const char *name;
    uint32_t parent;       /* process id, 0: none */
    uint8_t priority;
    struct image program, runtime;
    bool has_runtime;
    struct spawn_strings strings;
    /* out */
    struct process *process;
    struct thread *thread;
    struct cad_capset *capset; /* the page, through the direct map */
    struct elf_plan program_plan, runtime_plan;
    const char *reason;        /* of BAD_IMAGE */
};

/* Builds all but the grants; takes over the reference on `ledger` in any case.
 * Fails: BAD_IMAGE, BAD_ADDRESS, INVALID (strings), QUOTA_*, PRESSURE; nothing left behind. */
MUST_CHECK status_t spawn_build(struct spawn *spawn, uint32_t ledger);
/* Undoes spawn_build. */
void spawn_abandon(struct spawn *spawn);
/* Lets it run.  Gives up the thread; the process's own reference is the reaper's. */
void spawn_start(struct spawn *spawn);

/* A root capability of the new process, noted in its CapSet.
 * Fails: QUOTA_*, PRESSURE, INVALID (CapSet full). */
MUST_CHECK status_t spawn_insert(struct spawn *spawn, enum cad_role role, struct cap_object object,
                                 uint32_t rights);
/* Notes a capability that is in its table already. Needs: room in the CapSet. */
void spawn_note(struct spawn *spawn, enum cad_role role, cap_id_t id);

/* Fills stack: strings, argv, envp, auxv.  Gives: the stack pointer. */
MUST_CHECK status_t spawn_fill_stack(struct spawn *spawn, virt_addr_t *stack_pointer);

/* The first process, from `bin/init` and `rt` of the boot archive, with every root
 * capability and the kernel's command line as its arguments.  Its reference is the caller's. */
MUST_CHECK status_t spawn_init(const struct boot_info *boot, struct process **out);

#endif
