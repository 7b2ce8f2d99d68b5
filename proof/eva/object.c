// SPDX-License-Identifier: BSD-2-Clause
/* Untyped memory, memory objects, claims, mapping records.  Needs: of the headers: ids are
 * those of records; page counts and numbers may be anything a user says. */
#include "core/object.h"

#include "core/mapping.h"
#include "core/object_index.h"
#include "core/untyped.h"
#include "world.h"

static void untypeds(void)
{
    uint32_t out;
    frame_no_t first;

    (void)untyped_create(CPU, ANY_ID(), ANY_WORD(), &out);
    (void)untyped_retype_untyped(CPU, ANY_ID(), ANY_ID(), ANY_WORD(), &out);
    (void)untyped_retype_object(CPU, ANY_ID(), ANY_ID(), ANY_WORD(), &first);
    untyped_return_object(CPU, ANY_ID(), ANY_ID(), ANY_FRAME(), ANY_WORD());
    (void)untyped_reset(CPU, ANY_ID());
    untyped_take(CPU, ANY_ID());
    untyped_put(CPU, ANY_ID());
    untyped_check_invariants(CPU);
    untyped_retract(CPU, ANY_ID(), ANY_FRAME(), ANY_WORD());
}

static void create(void)
{
    uint32_t out;

    (void)object_create(CPU, ANY_ID(), ANY_WORD(), &out);
    (void)object_create_contiguous(CPU, ANY_ID(), ANY_WORD(), ANY_WORD(), &out);
    (void)object_create_untyped(CPU, ANY_ID(), ANY_ID(), ANY_WORD(), &out);
    (void)object_create_boot(CPU, ANY_ID(), ANY_FRAME(), ANY_WORD(), &out);
}

static void objects(void)
{
    uint32_t object = ANY_ID();
    frame_no_t run[8];

    (void)object_page(CPU, object, ANY_WORD());
    (void)object_page_run(CPU, object, ANY_WORD(), ANY_FROM(1, ARRAY_COUNT(run)), run);
    (void)object_claim(CPU, object, ANY_ID());
    object_unclaim(CPU, object, ANY_ID());
    (void)object_claim_pages(&world.objects.objects[object]);
    object_take(CPU, object);
    (void)object_put(CPU, object);
    (void)object_destroy_step(CPU, object, ANY_WORD());
    object_check_invariants(CPU);
}

static void index_of_pages(void)
{
    uint32_t object = ANY_ID(), page = ANY_BELOW(OBJECT_PAGES_MAX);
    frame_no_t run[8];

    (void)object_index_height(ANY_FROM(1, OBJECT_PAGES_MAX));
    (void)object_index_nodes(ANY_FROM(1, OBJECT_PAGES_MAX));
    (void)object_index_span(ANY_BELOW(3));
    (void)object_index_detail(ANY_BELOW(3), page);
    (void)object_index_frame(CPU, object, ANY_BELOW(4), page);
    (void)object_index_run(CPU, object, page, ANY_FROM(1, ARRAY_COUNT(run)), run);
    (void)object_index_fill(CPU, object);
    object_index_release(CPU, object, page, ANY_BELOW(OBJECT_PAGES_MAX));
}

static void mappings(void)
{
    uint32_t mapping = ANY_ID(), out;

    (void)mapping_create(CPU, ANY_ID(), ANY_ID(), ANY_LONG(), ANY_WORD(), ANY_WORD(), ANY_WORD(),
                         &out);
    (void)mapping_split(CPU, mapping, ANY_WORD(), &out);
    mapping_trim_head(CPU, mapping, ANY_WORD());
    mapping_trim_tail(CPU, mapping, ANY_WORD());
    (void)mapping_page(&world.mappings.mappings[mapping], ANY_LONG());
    (void)mapping_destroy(CPU, mapping);
}

void eva_object(void)
{
    world_any();
    while (ANY_BOOL()) {
        switch (ANY_BELOW(5)) {
        case 0: untypeds(); break;
        case 1: create(); break;
        case 2: objects(); break;
        case 3: index_of_pages(); break;
        default: mappings(); break;
        }
    }
}
