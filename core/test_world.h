// SPDX-License-Identifier: BSD-2-Clause
/*
 * A machine for host tests of core/: physical memory, every pool, two CPUs, a
 * root ledger and a generous child of it.  One world at a time.
 *
 * Memory is filled with rubbish, so that a page nobody cleared is seen.  Frame
 * numbers have a hole [WORLD_HOLE_FIRST, WORLD_HOLE_END); the address sanitizer
 * stops whoever reads or writes its entries.
 *
 * Allocations can be made to fail: world_fail_after(world, n) lets n more
 * frames, blocks and records be had, and refuses all later ones, until
 * world_fail_never.  world_refuse refuses by number, charges too, and at the call
 * of the step that runs out (core/fault_point.h).  world_hash sums up everything
 * observable, so that a refused operation can be shown to have changed nothing.
 */
#ifndef CORE_TEST_WORLD_H
#define CORE_TEST_WORLD_H

#include <setjmp.h>
#include <stdarg.h>

#include "core/cadastre.h"
#include "core/test_fault.h"

#include <cmocka.h>

#define WORLD_CPUS         2
#define WORLD_HOLE_FIRST   160
#define WORLD_HOLE_END     256
#define WORLD_POOL_RECORDS 8192 /* most records of each pool */
#define WORLD_NEVER        UINT64_MAX

struct test_world {
    struct cadastre cadastre;
    struct core_cpu cpus[WORLD_CPUS];
    struct core_cpu *cpu;       /* &cpus[0] */
    uint32_t root, ledger;      /* ledger: a child that got half of everything */
    uint32_t frame_count;       /* highest frame number + 1 */
    uint64_t free_frames;       /* at the start, magazines included */
    uint64_t allocations_left;  /* see world_fail_after */
    struct fault_run faults;    /* see world_refuse */
    uint8_t *memory;
};

/* Machine with frames [1, WORLD_HOLE_FIRST) and [WORLD_HOLE_END, frames) free. */
struct test_world *world_create(uint32_t frames);
/* Checks that everything was returned, then frees the world. */
void world_destroy(struct test_world *world);
/* Frees the world as it is, for tests that broke it on purpose. */
void world_abandon(struct test_world *world);

/* The format that world entries are written in: spelled like x86_64's. */
extern const struct mmu_format world_format;

/* All frames FREE as at the start; every pool empty but for root and ledger, which use nothing. */
void world_check_returned(struct test_world *world);
/* Every frame-table, pool and untyped invariant there is; cheap enough to call after each step. */
void world_check_invariants(const struct test_world *world);

/* FREE frames, in blocks and magazines. */
uint64_t world_free_frames(const struct test_world *world);
uint64_t world_used(const struct test_world *world, uint32_t ledger, enum cad_resource what);
/* A child of the root with exactly these limits; one reference is the caller's. */
uint32_t world_ledger(struct test_world *world, uint64_t virtual_pages, uint64_t committed_pages,
                      uint64_t metadata_bytes, uint64_t slots);

void world_fail_after(struct test_world *world, uint64_t allocations);
void world_fail_never(struct test_world *world);
/* Of the fault points passed from now on, numbers first .. first + count - 1 are refused
 * (from 1; first 0: none, they are only counted); world->faults tells what came of it. */
void world_refuse(struct test_world *world, uint64_t first, uint64_t count);
uint64_t world_hash(const struct test_world *world);

/* space_hold and space_let_go: the frame that an access reaches at this moment. */
MUST_CHECK status_t world_resolve(struct core_cpu *cpu, uint32_t space, virt_addr_t address,
                                  uint32_t access, frame_no_t *frame);

/* Every CPU turns away from the space that it worked on, as before a space ends. */
void world_cpus_leave(struct test_world *world);

/* First byte of a frame in the direct map. */
uint8_t *world_page(const struct test_world *world, frame_no_t frame);
bool world_page_is_zero(const struct test_world *world, frame_no_t frame);

#endif
