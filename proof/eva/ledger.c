// SPDX-License-Identifier: BSD-2-Clause
/* Ledgers and the pools of ids.  Needs: of ledger.h: a ledger's id is that of a record. */
#include "core/ledger.h"

#include "world.h"

static void pools(struct id_pool *pool)
{
    uint32_t index;

    (void)id_pool_take(CPU, pool, &index);
    id_pool_put(pool, ANY_WORD());
    (void)id_pool_renew(pool, ANY_WORD());
    (void)id_is_live(pool, ANY_WORD());
    (void)id_matches(pool, ANY_WORD(), ANY_LONG());
    id_pool_extend(pool, ANY_FROM(0, RECORDS));
    id_pool_check_invariants(pool);
}

static void tree(void)
{
    char name[8];
    uint64_t limits[CAD_RESOURCE_COUNT];
    uint32_t out;

    for (unsigned i = 0; i < CAD_RESOURCE_COUNT; i++) {
        limits[i] = ANY_LONG();
    }
    for (unsigned i = 0; i < sizeof(name) - 1; i++) {
        name[i] = (char)ANY_BYTE();
    }
    name[sizeof(name) - 1] = '\0';
    (void)ledger_create_root(CPU, limits, &out);
    (void)ledger_create_child(CPU, ANY_ID(), name, &out);
    ledger_take(CPU, ANY_ID());
    (void)ledger_try_take(CPU, ANY_ID());
    ledger_put(CPU, ANY_ID());
    ledger_collect(CPU, ANY_ID());
}

static void charges(void)
{
    (void)ledger_reserve(CPU, ANY_ID(), ANY_BELOW(CAD_RESOURCE_COUNT), ANY_LONG());
    ledger_release(CPU, ANY_ID(), ANY_BELOW(CAD_RESOURCE_COUNT), ANY_LONG());
    (void)ledger_donate(CPU, ANY_ID(), ANY_ID(), ANY_WORD(), ANY_LONG());
    (void)ledger_take_back(CPU, ANY_ID(), ANY_ID(), ANY_WORD(), ANY_LONG());
    (void)ledger_used(&world.ledgers.ledgers[ANY_INDEX()], ANY_BELOW(CAD_RESOURCE_COUNT));
    (void)ledger_quota_status(ANY_WORD());
    (void)ledger_resource_name(ANY_WORD());
}

void eva_ledger(void)
{
    static struct id_slot slots_of_its_own[RECORDS];
    struct id_pool pool;

    world_any();
    id_pool_init(&pool, ANY_WORD(), slots_of_its_own, RECORDS, ANY_LONG());
    while (ANY_BOOL()) {
        switch (ANY_BELOW(4)) {
        case 0: pools(&world.ledgers.ids); break;
        case 1: pools(&pool); break;
        case 2: tree(); break;
        default: charges(); break;
        }
    }
}
