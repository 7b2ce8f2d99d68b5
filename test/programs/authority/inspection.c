// SPDX-License-Identifier: BSD-2-Clause
/* The inspector: cursors, sums, refusals (IN1, FR1). */
#include "authority.h"

#include <string.h>

#define BUFFER_BYTES 65536

static uint8_t buffer[BUFFER_BYTES], single[512];

static status_t look(uint64_t kind, uint64_t first, void *to, uint64_t bytes, uint64_t argument,
                     uint64_t *records, uint64_t *next)
{
    return cad_inspector_read(inspector, kind, first, (uint64_t)(uintptr_t)to, bytes, argument,
                              records, next);
}

/* Record by record is what one big read gives, in number and in identity. */
static void one_by_one(const char *name, uint64_t kind, uint64_t record_bytes,
                       uint64_t identity_bytes, uint64_t argument)
{
    uint64_t records = 0, next = 0, at = 0, seen = 0, one = 0;

    REQUIRE_OK(look(kind, 0, buffer, sizeof(buffer), argument, &records, &next));
    do {
        REQUIRE_OK(look(kind, at, single, record_bytes, argument, &one, &at));
        if (one == 1 && seen < records &&
            memcmp(single, buffer + seen * record_bytes, identity_bytes) != 0)
            printf("FAILED %s: record %lu differs, read alone\n", name, (unsigned long)seen),
                check_failures++;
        seen += one;
    } while (at != 0 && seen < records);
    CHECK_EQUAL(seen, records);
}

static void states_sum_to_all_frames(void)
{
    const struct cad_frame_count *counts = (const void *)buffer;
    uint64_t records, next, total, free_pages, sum = 0;

    REQUIRE_OK(look(CAD_INSPECT_FRAME_STATES, 0, buffer, sizeof(buffer), 0, &records, &next));
    REQUIRE_OK(cad_frame_allocator_info(allocator, &total, &free_pages));
    for (uint64_t i = 0; i < records; i++)
        sum += counts[i].frames;
    CHECK_EQUAL(sum, total);
    CHECK_EQUAL(next, 0);
    CHECK_THAT(free_pages > 0 && free_pages < total);
}

/* The runs of this space are all of it: what it reserves and maps, and the fixed pages. */
static void runs_sum_to_the_space(uint32_t self)
{
    const struct cad_space_run *runs = (const void *)buffer;
    uint64_t records, next, reserved, committed, resident, tables, sum = 0, system = 0;

    REQUIRE_OK(look(CAD_INSPECT_SPACE, 0, buffer, sizeof(buffer), self, &records, &next));
    CHECK_EQUAL(next, 0);
    for (uint64_t i = 0; i < records; i++) {
        CHECK_THAT(i == 0 || runs[i].start >= runs[i - 1].start + runs[i - 1].pages * PAGE_SIZE);
        if (strcmp(runs[i].state, "system") == 0)
            system += runs[i].pages;
        else if (strcmp(runs[i].state, "guard") != 0)
            sum += runs[i].pages;
    }
    REQUIRE_OK(cad_virtual_memory_info(self_memory, &reserved, &committed, &resident, &tables));
    CHECK_EQUAL(sum, reserved);
    CHECK_EQUAL(system, 1);
}

static void refusals(void)
{
    uint64_t records, next;

    CHECK_STATUS(look(0, 0, buffer, sizeof(buffer), 0, &records, &next), CAD_INVALID);
    CHECK_STATUS(look(99, 0, buffer, sizeof(buffer), 0, &records, &next), CAD_INVALID);
    CHECK_STATUS(look(CAD_INSPECT_LEDGERS, 0, buffer, 1, 0, &records, &next), CAD_INVALID);
    CHECK_STATUS(look(CAD_INSPECT_LEDGERS, 0, NULL, sizeof(buffer), 0, &records, &next),
                 CAD_BAD_ADDRESS);
    CHECK_STATUS(look(CAD_INSPECT_SPACE, 0, buffer, sizeof(buffer), 65535, &records, &next),
                 CAD_NOT_FOUND);
    CHECK_OK(look(CAD_INSPECT_LEDGERS, UINT64_MAX, buffer, sizeof(buffer), 0, &records, &next));
    CHECK_EQUAL(records, 0);
    CHECK_EQUAL(next, 0);
}

void test_inspector(void)
{
    uint32_t self = cad_capset()->process_id;

    memset(buffer, 1, sizeof(buffer)); /* all of it is there from here on */
    states_sum_to_all_frames();
    runs_sum_to_the_space(self);
    one_by_one("LEDGERS", CAD_INSPECT_LEDGERS, sizeof(struct cad_ledger_info), 8, 0);
    one_by_one("PROCESSES", CAD_INSPECT_PROCESSES, sizeof(struct cad_process_info), 16, 0);
    one_by_one("THREADS", CAD_INSPECT_THREADS, sizeof(struct cad_thread_info), 8, 0);
    one_by_one("SPACE", CAD_INSPECT_SPACE, sizeof(struct cad_space_run), 8, self);
    one_by_one("OBJECTS", CAD_INSPECT_OBJECTS, sizeof(struct cad_object_info), 24, 0);
    one_by_one("MAPPINGS", CAD_INSPECT_MAPPINGS, sizeof(struct cad_mapping_info), 16, 0);
    one_by_one("CLAIMS", CAD_INSPECT_CLAIMS, sizeof(struct cad_claim_info), 12, 0);
    one_by_one("CAPS", CAD_INSPECT_CAPS, sizeof(struct cad_cap_info), 16, self);
    one_by_one("COUNTERS", CAD_INSPECT_COUNTERS, sizeof(struct cad_counter), 24, 0);
    one_by_one("UNTYPEDS", CAD_INSPECT_UNTYPEDS, sizeof(struct cad_untyped_info), 8, 0);
    one_by_one("FRAME_STATES", CAD_INSPECT_FRAME_STATES, sizeof(struct cad_frame_count), 24, 0);
    refusals();
}
