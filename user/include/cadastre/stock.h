// SPDX-License-Identifier: BSD-2-Clause
/*
 * A budget set apart for children, and its contents before and after: since the
 * program itself spends nothing of it, a child that has ended must leave it
 * exactly as it was.
 */
#ifndef CADASTRE_STOCK_H
#define CADASTRE_STOCK_H

#include <string.h>

#include "abi/interfaces.h"
#include "cadastre/capset.h"
#include "cadastre/check.h"
#include "cadastre/clients.h"

struct stock {
    uint64_t used[CAD_RESOURCE_COUNT], donated[CAD_RESOURCE_COUNT];
};

/* A child ledger with three quarters of what the program's own still has. */
static inline cap_id_t stock_ledger_create(void)
{
    cap_id_t own = cad_find(CAD_ROLE_SELF_LEDGER), ledger;
    uint64_t used, limit, donated;

    REQUIRE_OK(cad_ledger_create_child(own, &ledger));
    for (uint64_t resource = 0; resource < CAD_RESOURCE_COUNT; resource++) {
        REQUIRE_OK(cad_ledger_info(own, resource, &used, &limit, &donated));
        REQUIRE_OK(cad_ledger_donate(own, ledger, resource, (limit - used - donated) / 4 * 3));
    }
    return ledger;
}

static inline void stock_take(cap_id_t ledger, struct stock *stock)
{
    uint64_t limit;

    for (uint64_t resource = 0; resource < CAD_RESOURCE_COUNT; resource++)
        REQUIRE_OK(cad_ledger_info(ledger, resource, &stock->used[resource], &limit,
                                   &stock->donated[resource]));
}

static inline void stock_check(cap_id_t ledger, const struct stock *before, const char *what)
{
    static const char *const names[CAD_RESOURCE_COUNT] = {
#define STOCK_NAME(NAME, name, number, unit, status) [number] = #name,
        CAD_RESOURCE_LIST(STOCK_NAME)
#undef STOCK_NAME
    };
    struct stock now;

    stock_take(ledger, &now);
    check_count++;
    if (memcmp(before, &now, sizeof now) == 0)
        return;
    check_failures++;
    for (unsigned i = 0; i < CAD_RESOURCE_COUNT; i++) {
        if (before->used[i] != now.used[i] || before->donated[i] != now.donated[i])
            printf("FAILED %s: %s: used %" PRIu64 ", was %" PRIu64 "; donated %" PRIu64
                   ", was %" PRIu64 "\n",
                   what, names[i], now.used[i], before->used[i], now.donated[i],
                   before->donated[i]);
    }
}

#endif
