// SPDX-License-Identifier: BSD-2-Clause
/* Record pools that grow; objects, untyped memory, anonymous memory, mappings. */
#include "starve.h"

#include "cadastre/message.h"

enum { RECORDS = 70, OBJECT_PAGES = 16 };
#define MIB2         UINT64_C(0x200000)
#define RANGE_PAGES  UINT64_C(2048)
#define RANGE        UINT64_C(0x600000000000)
#define BESIDE_RANGE UINT64_C(0x610000000000)

static cap_id_t made, object, untyped;
static uint64_t at;

static void drop_made(void)
{
    drop(made);
}

/* --- pools: each creation may need a page of records, or the first tables above them --- */

static cap_id_t records[RECORDS];
static unsigned record_count;

static status_t create_record(status_t (*create)(cap_id_t ledger, cap_id_t *out))
{
    status_t status = create(self_ledger, &made);

    if (status == CAD_OK)
        records[record_count++] = made;
    return status;
}

static status_t create_endpoint(void)
{
    return create_record(cad_ledger_create_endpoint);
}

static status_t create_notification(void)
{
    return create_record(cad_ledger_create_notification);
}

static status_t create_ledger(void)
{
    return create_record(cad_ledger_create_child);
}

static status_t first_audit(void)
{
    uint64_t violations, checked, count;

    return cad_inspector_audit(inspector, 0, 0, &violations, &checked, &count);
}

void starve_pools(void)
{
    static const struct subject subjects[] = {
        {"endpoints, until their pool grew", NULL, create_endpoint, NULL, CAD_OK},
        {"notifications, until their pool grew", NULL, create_notification, NULL, CAD_OK},
        {"ledgers, until their pool grew", NULL, create_ledger, NULL, CAD_OK},
    };
    static const struct subject audit = {"first audit", NULL, first_audit, NULL, CAD_OK};

    for (unsigned i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
        while (record_count < RECORDS && check_failures == 0)
            starve(&subjects[i]);
        while (record_count > 0)
            drop(records[--record_count]);
        sleep_ms(20); /* they die */
        printf("%s\n", subjects[i].name);
    }
    starve(&audit);
}

/* --- objects and untyped memory --- */

static status_t allocate(void)
{
    return cad_frame_allocator_allocate(allocator, 9, &made);
}

static status_t allocate_contiguous(void)
{
    return cad_frame_allocator_allocate_contiguous(allocator, 5, 4, &made);
}

static status_t allocate_untyped(void)
{
    return cad_frame_allocator_allocate_untyped(allocator, 6, &made);
}

static status_t retype_untyped(void)
{
    return cad_untyped_retype_untyped(untyped, 3, &made);
}

static status_t retype_object(void)
{
    return cad_untyped_retype_object(untyped, 3, &made);
}

/* What was made must have died before its pages can be used again. */
static void drop_retyped(void)
{
    status_t status = CAD_BUSY;

    drop(made);
    for (unsigned i = 0; i < 1000 && status == CAD_BUSY; i++) {
        status = cad_untyped_reset(untyped);
        if (status == CAD_BUSY)
            sleep_ms(1);
    }
    CHECK_STATUS(status, CAD_OK);
}

static void starve_objects(void)
{
    static const struct subject subjects[] = {
        {"allocate", NULL, allocate, drop_made, CAD_OK},
        {"allocate_contiguous", NULL, allocate_contiguous, drop_made, CAD_OK},
        {"allocate_untyped", NULL, allocate_untyped, drop_made, CAD_OK},
        {"retype_untyped", NULL, retype_untyped, drop_retyped, CAD_OK},
        {"retype_object", NULL, retype_object, drop_retyped, CAD_OK},
    };

    REQUIRE_OK(cad_frame_allocator_allocate_untyped(allocator, 12, &untyped));
    for (unsigned i = 0; i < sizeof subjects / sizeof subjects[0]; i++)
        starve(&subjects[i]);
    drop(untyped);
}

/* --- anonymous memory --- */

static status_t reserve_anywhere(void)
{
    return cad_virtual_memory_reserve(self_memory, 0, 5, READ_WRITE, 0, &at);
}

static void unmap_it(void)
{
    CHECK_OK(cad_virtual_memory_unmap(self_memory, at, 5));
}

static void reserve_range(void)
{
    REQUIRE_OK(cad_virtual_memory_reserve(self_memory, RANGE, RANGE_PAGES, READ_WRITE, 0, &at));
}

/* As it was: without the tables that parts of it needed. */
static void renew_range(void)
{
    CHECK_OK(cad_virtual_memory_unmap(self_memory, RANGE, RANGE_PAGES));
    reserve_range();
}

static status_t commit_part(void)
{
    return cad_virtual_memory_commit(self_memory, RANGE + MIB2 - PAGE_SIZE, 2, READ_WRITE, 0);
}

static status_t commit_eagerly(void)
{
    return cad_virtual_memory_commit(self_memory, RANGE, 4, READ_WRITE, CAD_COMMIT_EAGER);
}

static status_t protect_part(void)
{
    return cad_virtual_memory_protect(self_memory, RANGE + PAGE_SIZE, 600, CAD_PROT_READ);
}

static status_t hide_part(void)
{
    return cad_virtual_memory_protect(self_memory, RANGE + PAGE_SIZE, 3, CAD_PROT_NONE);
}

static status_t unmap_part(void)
{
    return cad_virtual_memory_unmap(self_memory, RANGE + MIB2 - PAGE_SIZE, 2);
}

static void unmap_rest(void)
{
    CHECK_OK(cad_virtual_memory_unmap(self_memory, RANGE, MIB2 / PAGE_SIZE - 1));
    CHECK_OK(cad_virtual_memory_unmap(self_memory, RANGE + MIB2 + PAGE_SIZE,
                                      RANGE_PAGES - MIB2 / PAGE_SIZE - 1));
    reserve_range();
}

/* The kernel writes to a page that nobody touched. */
static void commit_page(void)
{
    uint64_t address = 0;

    if (at == BESIDE_RANGE)
        return;
    REQUIRE_OK(cad_virtual_memory_reserve(self_memory, BESIDE_RANGE, 1, READ_WRITE, 0, &address));
    REQUIRE_OK(cad_virtual_memory_commit(self_memory, address, 1, READ_WRITE, 0));
    at = address;
}

static status_t fill_page(void)
{
    return cad_entropy_fill(cad_find(CAD_ROLE_ENTROPY), at, 16);
}

static void renew_page(void)
{
    CHECK_OK(cad_virtual_memory_unmap(self_memory, BESIDE_RANGE, 1));
    at = 0;
    commit_page();
}

static void starve_anonymous(void)
{
    static const struct subject subjects[] = {
        {"reserve anywhere", NULL, reserve_anywhere, unmap_it, CAD_OK},
        {"commit", NULL, commit_part, renew_range, CAD_OK},
        {"commit eagerly", NULL, commit_eagerly, renew_range, CAD_OK},
        {"protect", NULL, protect_part, renew_range, CAD_OK},
        {"protect none", NULL, hide_part, renew_range, CAD_OK},
        {"unmap", NULL, unmap_part, unmap_rest, CAD_OK},
        {"copy to a page never touched", commit_page, fill_page, renew_page, CAD_OK},
    };

    reserve_range();
    for (unsigned i = 0; i < sizeof subjects / sizeof subjects[0]; i++)
        starve(&subjects[i]);
    CHECK_OK(cad_virtual_memory_unmap(self_memory, RANGE, RANGE_PAGES));
    CHECK_OK(cad_virtual_memory_unmap(self_memory, BESIDE_RANGE, 1));
}

/* --- mappings --- */

static status_t map_at(uint64_t address, uint64_t flags)
{
    return cad_memory_object_map(object, self_space, address, 0, OBJECT_PAGES, READ_WRITE, flags,
                                 &at);
}

static status_t map_there(void)
{
    return map_at(RANGE + MIB2 - 4 * PAGE_SIZE, CAD_MAP_POPULATE);
}

static status_t map_anywhere(void)
{
    return map_at(0, 0);
}

static void unmap_object(void)
{
    CHECK_OK(cad_memory_object_unmap(object, self_space, at, OBJECT_PAGES));
}

static status_t unmap_hole(void)
{
    return cad_memory_object_unmap(object, self_space, at + 5 * PAGE_SIZE, 2);
}

static void unmap_around_hole(void)
{
    CHECK_OK(cad_memory_object_unmap(object, self_space, at, 5));
    CHECK_OK(cad_memory_object_unmap(object, self_space, at + 7 * PAGE_SIZE, OBJECT_PAGES - 7));
    REQUIRE_OK(map_there());
}

static void starve_mappings(void)
{
    static const struct subject subjects[] = {
        {"map", NULL, map_there, unmap_object, CAD_OK},
        {"map anywhere", NULL, map_anywhere, unmap_object, CAD_OK},
    };
    static const struct subject hole = {"unmap a hole", NULL, unmap_hole, unmap_around_hole,
                                        CAD_OK};

    REQUIRE_OK(cad_frame_allocator_allocate(allocator, OBJECT_PAGES, &object));
    for (unsigned i = 0; i < sizeof subjects / sizeof subjects[0]; i++)
        starve(&subjects[i]);
    REQUIRE_OK(map_there());
    starve(&hole);
    unmap_object();
    drop(object);
}

void starve_memory(void)
{
    starve_objects();
    starve_anonymous();
    starve_mappings();
}
