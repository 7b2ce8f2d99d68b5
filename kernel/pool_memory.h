// SPDX-License-Identifier: BSD-2-Clause
/*
 * Record pools in the kernel half: one span of addresses each (POOL_BASE), the
 * frame table in span 0.
 *
 * A pool is several arrays with one entry a record: its records, its ids, and
 * any side array someone keeps by the same index.  They are backed page by page
 * and together as the pool grows, zeroed, and never shrink, so a record's
 * address is good for ever and only its generation tells whether it lives.
 *
 * All pools together may take `pool_pages_limit` frames: what ledgers guarantee
 * stays untouched by them.  Locks: POOLS, taken inside.
 */
#ifndef KERNEL_POOL_MEMORY_H
#define KERNEL_POOL_MEMORY_H

#include "core/cadastre.h"

/* POOL(NAME, name, record type, most records) */
#define POOL_LIST(POOL)                                                                            \
    POOL(LEDGERS, ledgers, struct ledger, 1u << 16)                                                \
    POOL(UNTYPEDS, untypeds, struct untyped, 1u << 20)                                             \
    POOL(OBJECTS, objects, struct object, 1u << 22)                                                \
    POOL(CLAIMS, claims, struct claim, 1u << 22)                                                   \
    POOL(MAPPINGS, mappings, struct mapping, 1u << 22)                                             \
    POOL(SPACES, spaces, struct space, 1u << 16)                                                   \
    POOL(CAP_SLOTS, cap_slots, struct cap_slot, 1u << CAD_CAP_SLOT_BITS)                           \
    POOL(CAP_TABLES, cap_tables, struct cap_table, 1u << 16)                                       \
    POOL(PROCESSES, processes, struct process, 1u << 16)                                           \
    POOL(THREADS, threads, struct thread, 1u << 18)                                                \
    POOL(ENDPOINTS, endpoints, struct endpoint, 1u << 20)                                          \
    POOL(NOTIFICATIONS, notifications, struct notification, 1u << 20)

#define POOL_ENUM(NAME, name, type, limit) POOL_##NAME,
enum pool { POOL_LIST(POOL_ENUM) };
#undef POOL_ENUM
#define POOL_COUNT_ONE(...) +1
enum { POOL_COUNT = 0 POOL_LIST(POOL_COUNT_ONE), POOL_ARRAYS_MAX = 4 };

/* Where span `index` starts; 0 is the frame table's, pool p has p + 1. */
#define POOL_SPAN(index) (POOL_BASE + (index) * POOL_SPAN_BYTES)

extern uint64_t pool_pages_used, pool_pages_limit;

/* Boot: starts pool `number` with nothing backed.  Gives: where its records are. */
void *pool_open(enum pool number, struct id_pool *ids, size_t record_bytes);
/* Boot, before the pool's first growth: another array by the same index. */
void *pool_open_side(enum pool number, size_t entry_bytes);
/* core_host.pool_grow. */
bool pool_grow(struct core_cpu *core, struct id_pool *pool);
const char *pool_name(uint32_t number);

/* Memory for one user at a time (the audit): `bytes` of it are backed, what it held stays.
 * It too only grows and counts as a pool's.  Gives: NULL when memory ran out. */
void *pool_scratch(struct core_cpu *core, uint64_t bytes);
#define POOL_SCRATCH_NUMBER ((uint32_t)POOL_COUNT) /* owner of its frames */

#endif
