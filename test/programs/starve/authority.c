// SPDX-License-Identifier: BSD-2-Clause
/* Budgets, what is made on them, derived capabilities. */
#include "starve.h"

static cap_id_t made, child, object, endpoint;

static void drop_made(void)
{
    drop(made);
}

static status_t create_child(void)
{
    return cad_ledger_create_child(self_ledger, &made);
}

static status_t donate(void)
{
    return cad_ledger_donate(self_ledger, child, CAD_RESOURCE_COMMITTED, 3);
}

static void undo_donate(void)
{
    CHECK_OK(cad_ledger_take_back(self_ledger, child, CAD_RESOURCE_COMMITTED, 3));
}

static status_t take_back(void)
{
    return cad_ledger_take_back(self_ledger, child, CAD_RESOURCE_COMMITTED, 2);
}

static void undo_take_back(void)
{
    CHECK_OK(cad_ledger_donate(self_ledger, child, CAD_RESOURCE_COMMITTED, 2));
}

static status_t create_endpoint(void)
{
    return cad_ledger_create_endpoint(self_ledger, &made);
}

static status_t create_notification(void)
{
    return cad_ledger_create_notification(self_ledger, &made);
}

static status_t derive_object(void)
{
    return cad_cap_table_derive(self_table, object, CAD_RIGHT_ALL, 0, &made);
}

static status_t derive_endpoint(void)
{
    return cad_cap_table_derive(self_table, endpoint, CAD_RIGHT_ALL, 5, &made);
}

void starve_authority(void)
{
    static const struct subject subjects[] = {
        {"create_child", NULL, create_child, drop_made, CAD_OK},
        {"donate", NULL, donate, undo_donate, CAD_OK},
        {"take_back", NULL, take_back, undo_take_back, CAD_OK},
        {"create_endpoint", NULL, create_endpoint, drop_made, CAD_OK},
        {"create_notification", NULL, create_notification, drop_made, CAD_OK},
        {"derive an object", NULL, derive_object, drop_made, CAD_OK},
        {"derive an endpoint", NULL, derive_endpoint, drop_made, CAD_OK},
    };

    REQUIRE_OK(cad_ledger_create_child(self_ledger, &child));
    REQUIRE_OK(cad_ledger_donate(self_ledger, child, CAD_RESOURCE_COMMITTED, 5));
    REQUIRE_OK(cad_ledger_create_endpoint(self_ledger, &endpoint));
    REQUIRE_OK(cad_frame_allocator_allocate(allocator, 3, &object));
    for (unsigned i = 0; i < sizeof subjects / sizeof subjects[0]; i++)
        starve(&subjects[i]);
    drop(object);
    drop(endpoint);
    drop(child);
}
