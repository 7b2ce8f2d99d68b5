// SPDX-License-Identifier: BSD-2-Clause
#include "test/model/model.h"

struct request {
    struct model_space *space;
    uint32_t first, pages; /* of the window */
    virt_addr_t address;
    uint64_t asked;        /* pages the core is asked for: those, or nonsense */
    uint32_t protection;
    status_t bad;          /* OK, or how the range itself is refused */
};

static uint32_t normal(uint32_t protection)
{
    return protection == 0 ? 0 : protection | CAD_PROT_READ;
}

/* Mostly short runs, sometimes all of a leaf table or the window. */
static void request_make(struct model *model, struct request *request)
{
    static const uint32_t most[] = { 1, 4, 4, 16, 16, 64, 600, MODEL_PAGES };

    request->space = &model->spaces[model_below(model, MODEL_SPACES)];
    request->first = model_below(model, MODEL_PAGES);
    if (model_below(model, 12) == 0)
        request->first = 212 + 512 * model_below(model, 2); /* where a leaf table starts */
    request->pages = 1 + model_below(model, most[model_below(model, ARRAY_COUNT(most))]);
    if (model_below(model, 12) == 0)
        request->pages = 512;
    /* Only the first space is filled by long ranges; the others leave room for objects. */
    if (request->space != &model->spaces[0] && request->pages > 40 && model_below(model, 8) != 0)
        request->pages = 1 + request->pages % 40;
    if (request->pages > MODEL_PAGES - request->first)
        request->pages = MODEL_PAGES - request->first;
    request->address = MODEL_BASE + (uint64_t)request->first * PAGE_SIZE;
    request->asked = request->pages;
    request->protection = model_below(model, 9);
    if (model_below(model, 2) == 0)
        request->protection = CAD_PROT_READ | CAD_PROT_WRITE;
    request->bad = CAD_OK;
    switch (model_below(model, 100)) {
    case 0:
        request->asked = 0;
        request->bad = CAD_INVALID;
        break;
    case 1:
        request->address += 8;
        request->bad = CAD_INVALID;
        break;
    case 2:
        request->asked = UINT64_MAX >> model_below(model, 30);
        request->bad = CAD_INVALID;
        break;
    case 3:
        request->address = CAD_SYSTEM_BASE - PAGE_SIZE;
        request->asked = 2;
        request->bad = CAD_PROTECTED_RANGE;
    }
}

/* The page `distance` behind shows what a mapping of the first would show there. */
static bool is_same_view(const struct model_page *first, uint32_t distance)
{
    return first[distance].state == MODEL_BORROWED && first[distance].object == first->object &&
           first[distance].object_page == first->object_page + distance;
}

/* Mostly moves the request to where pages are in `allowed` states, and cuts it to those:
 * else hardly any would be made. */
static void aim(struct model *model, struct request *request, unsigned allowed)
{
    const struct model_page *pages = request->space->pages;

    if (request->bad != CAD_OK || model_below(model, 4) == 0)
        return;
    for (uint32_t i = 0; i < MODEL_PAGES; i++) {
        uint32_t at = (request->first + i) % MODEL_PAGES, run = 0;
        while (at + run < MODEL_PAGES && (allowed & (1u << pages[at + run].state)) != 0 &&
               (pages[at].state != MODEL_BORROWED || is_same_view(&pages[at], run)))
            run++;
        if (run == 0)
            continue;
        uint32_t skipped = model_below(model, 2) == 0 ? model_below(model, run) : 0;
        request->first = at + skipped;
        request->address = MODEL_BASE + (uint64_t)request->first * PAGE_SIZE;
        if (request->pages > run - skipped)
            request->pages = run - skipped;
        request->asked = request->pages;
        return;
    }
}

static status_t predict_protection(uint32_t protection)
{
    if (protection > 7)
        return CAD_INVALID;
    return (protection & 6) == 6 ? CAD_WRITE_EXECUTE : CAD_OK;
}

/* The lowest page whose state is not in `allowed` decides. */
static status_t predict_states(const struct request *request, unsigned allowed, status_t refusal)
{
    for (uint32_t i = 0; i < request->pages; i++) {
        enum model_state state = request->space->pages[request->first + i].state;
        if ((allowed & (1u << state)) == 0)
            return state == MODEL_GUARD ? CAD_PROTECTED_RANGE : refusal;
    }
    return CAD_OK;
}

static uint64_t count_state(const struct request *request, enum model_state state)
{
    uint64_t count = 0;

    for (uint32_t i = 0; i < request->pages; i++)
        count += request->space->pages[request->first + i].state == state;
    return count;
}

static bool virtual_left(const struct model *model, uint32_t ledger, uint64_t pages)
{
    return pages <= model->virtual_limit[ledger] - model_virtual_used(model, ledger);
}

static bool committed_left(const struct model *model, uint32_t ledger, uint64_t pages)
{
    return pages <= model->committed_limit[ledger] - model_committed_used(model, ledger);
}

/* Frames go on, objects that nothing names any more die, and only those. */
static void settle(struct model *model, struct space_work *work)
{
    assert_true(frame_quarantine_release(model->cpu, &work->chain, UINT32_MAX));
    for (uint32_t i = 0; i < work->dead_count; i++) {
        uint32_t object = 0;
        while (!model->objects[object].lives ||
               model->objects[object].id != work->dead_objects[i]) {
            object++;
            assert_true(object < MODEL_OBJECTS);
        }
        assert_true(model_object_should_die(model, object));
        model_object_die(model, object);
    }
    for (uint32_t object = 0; object < MODEL_OBJECTS; object++)
        assert_false(model_object_should_die(model, object));
}

/* --- anonymous memory --- */

static void do_reserve(struct model *model, const struct request *request)
{
    uint64_t before = model_begin(model);
    status_t expected = request->bad;
    virt_addr_t address = request->address;

    if (expected == CAD_OK)
        expected = predict_protection(request->protection);
    if (expected == CAD_OK)
        expected = predict_states(request, 1u << MODEL_FREE, CAD_OVERLAP);
    if (expected == CAD_OK && !virtual_left(model, request->space->ledger, request->pages))
        expected = CAD_QUOTA_VIRTUAL;
    status_t status = space_reserve(model->cpu, request->space->id, &address, request->asked,
                                    request->protection);

    if (!model_end(model, before, expected, status))
        return;
    assert_int_equal(address, request->address);
    for (uint32_t i = 0; i < request->pages; i++) {
        request->space->pages[request->first + i].state = MODEL_RESERVED;
        request->space->pages[request->first + i].protection = normal(request->protection);
    }
}

/* Somewhere the space chooses, which the window does not show; and back. */
static void do_reserve_anywhere(struct model *model, const struct request *request)
{
    static const uint64_t sizes[] = { 1, 7, 512, 513, 262144, 1 << 20 };
    uint64_t pages = sizes[model_below(model, ARRAY_COUNT(sizes))];
    uint64_t before = model_begin(model);
    status_t expected = virtual_left(model, request->space->ledger, pages) ? CAD_OK
                                                                           : CAD_QUOTA_VIRTUAL;
    virt_addr_t address = 0;
    struct space_work work = { .rounds_owed = NULL };
    status_t status = space_reserve(model->cpu, request->space->id, &address, pages,
                                    CAD_PROT_READ);

    if (!model_end(model, before, expected, status))
        return;
    assert_true(address >= CAD_USER_BASE && address + pages * PAGE_SIZE <= CAD_SYSTEM_BASE);
    assert_true(address >= MODEL_BASE + MODEL_PAGES * PAGE_SIZE ||
                address + pages * PAGE_SIZE <= MODEL_BASE);
    if (pages % 512 == 0)
        assert_int_equal(address % (512 * PAGE_SIZE), 0);
    assert_int_equal(space_unmap(model->cpu, request->space->id, address, pages, &work), CAD_OK);
    settle(model, &work);
}

static void do_commit(struct model *model, const struct request *request)
{
    uint64_t before = model_begin(model);
    uint64_t fresh = count_state(request, MODEL_RESERVED);
    status_t expected = request->bad;
    uint32_t flags = model_below(model, 8); /* all of three bits */

    if (expected == CAD_OK)
        expected = predict_protection(request->protection);
    if (expected == CAD_OK)
        expected = predict_states(request, 1u << MODEL_RESERVED | 1u << MODEL_COMMITTED,
                                  CAD_NOT_RESERVED);
    if (expected == CAD_OK && (flags & CAD_COMMIT_NEW) != 0 && fresh != request->pages)
        expected = CAD_OVERLAP;
    if (expected == CAD_OK && !committed_left(model, request->space->ledger, fresh))
        expected = CAD_QUOTA_COMMITTED;
    status_t status = space_commit(model->cpu, request->space->id, request->address,
                                   request->asked, request->protection, flags);

    if (!model_end(model, before, expected, status))
        return;
    for (uint32_t i = 0; i < request->pages; i++) {
        struct model_page *page = &request->space->pages[request->first + i];
        if (page->state == MODEL_COMMITTED)
            continue;
        page->state = MODEL_COMMITTED;
        page->protection = normal(request->protection);
        page->value = 0;
    }
}

enum anon_change { ANON_DECOMMIT, ANON_PROTECT, ANON_UNMAP };

static status_t anon_call(struct model *model, const struct request *request,
                          enum anon_change change, struct space_work *work)
{
    uint32_t space = request->space->id;

    switch (change) {
    case ANON_DECOMMIT:
        return space_decommit(model->cpu, space, request->address, request->asked, work);
    case ANON_PROTECT:
        return space_protect(model->cpu, space, request->address, request->asked,
                             request->protection, work);
    case ANON_UNMAP:
        return space_unmap(model->cpu, space, request->address, request->asked, work);
    }
    return CAD_INVALID;
}

static void do_anon(struct model *model, const struct request *request, enum anon_change change)
{
    uint64_t before = model_begin(model);
    status_t expected = request->bad;
    struct space_work work = { .rounds_owed = NULL };

    if (expected == CAD_OK && change == ANON_PROTECT)
        expected = predict_protection(request->protection);
    if (expected == CAD_OK)
        expected = predict_states(request, 1u << MODEL_RESERVED | 1u << MODEL_COMMITTED,
                                  CAD_NOT_RESERVED);
    status_t status = anon_call(model, request, change, &work);

    if (!model_end(model, before, expected, status))
        return;
    for (uint32_t i = 0; i < request->pages; i++) {
        struct model_page *page = &request->space->pages[request->first + i];
        if (change == ANON_DECOMMIT)
            page->state = MODEL_RESERVED;
        if (change == ANON_PROTECT)
            page->protection = normal(request->protection);
        if (change == ANON_UNMAP)
            page->state = MODEL_FREE;
    }
    settle(model, &work);
}

static void do_guard(struct model *model, struct request *request)
{
    if (request->bad != CAD_OK)
        return;
    request->pages = request->asked = 1;
    uint64_t before = model_begin(model);
    status_t expected = predict_states(request, 1u << MODEL_FREE, CAD_OVERLAP);

    if (expected == CAD_PROTECTED_RANGE)
        expected = CAD_OVERLAP; /* a guard on a guard */
    status_t status = space_guard(model->cpu, request->space->id, request->address, 1);

    if (model_end(model, before, expected, status))
        request->space->pages[request->first].state = MODEL_GUARD;
}

/* --- objects --- */

static uint32_t living_object(struct model *model)
{
    uint32_t start = model_below(model, MODEL_OBJECTS);

    for (uint32_t i = 0; i < MODEL_OBJECTS; i++) {
        uint32_t object = (start + i) % MODEL_OBJECTS;
        if (model->objects[object].lives)
            return object;
    }
    return MODEL_NONE;
}

static status_t predict_map(const struct model *model, const struct request *request,
                            uint32_t object, const struct object_map_request *map)
{
    uint32_t ledger = request->space->ledger, pages = model->objects[object].pages;
    status_t expected = CAD_OK;

    if (map->pages == 0 || map->first_page >= pages || map->pages > pages - map->first_page)
        return CAD_INVALID;
    expected = predict_protection(map->protection);
    if (expected == CAD_OK && (normal(map->protection) & ~map->ceiling) != 0)
        expected = CAD_NO_RIGHT;
    if (expected == CAD_OK)
        expected = request->bad;
    if (expected == CAD_OK)
        expected = predict_states(request, 1u << MODEL_FREE, CAD_OVERLAP);
    if (expected == CAD_OK && !virtual_left(model, ledger, map->pages))
        expected = CAD_QUOTA_VIRTUAL;
    if (expected == CAD_OK && !model_has_claim(model, object, ledger) &&
        !committed_left(model, ledger, model_claim_pages(model, object)))
        expected = CAD_QUOTA_COMMITTED;
    return expected;
}

static void do_map(struct model *model, struct request *request)
{
    static const uint32_t ceilings[] = { 1, 3, 3, 3, 5, 7 };
    uint32_t object = living_object(model);

    if (object == MODEL_NONE)
        return;
    uint32_t pages = model->objects[object].pages;

    if (request->bad == CAD_OK && model_below(model, 8) != 0) {
        request->asked = request->pages = 1 + model_below(model, pages);
        if (request->pages > MODEL_PAGES - request->first)
            request->asked = request->pages = MODEL_PAGES - request->first;
    }
    aim(model, request, 1u << MODEL_FREE);
    struct object_map_request map = {
        .object = model->objects[object].id,
        .first_page = model_below(model, pages), .pages = request->asked,
        .address = request->address, .protection = request->protection,
        .ceiling = ceilings[model_below(model, ARRAY_COUNT(ceilings))],
        .populate = model_below(model, 2) == 0,
    };
    if (map.first_page + request->asked > pages && model_below(model, 4) != 0)
        map.first_page = request->asked > pages ? 0 : pages - (uint32_t)request->asked;
    status_t expected = predict_map(model, request, object, &map);
    uint64_t before = model_begin(model);
    virt_addr_t address;
    status_t status = space_map_object(model->cpu, request->space->id, &map, &address);

    if (!model_end(model, before, expected, status))
        return;
    assert_int_equal(address, request->address);
    for (uint32_t i = 0; i < request->pages; i++)
        request->space->pages[request->first + i] = (struct model_page){
            .state = MODEL_BORROWED, .protection = normal(map.protection), .object = object,
            .object_page = map.first_page + i, .ceiling = map.ceiling };
}

static status_t predict_object_range(const struct request *request, uint32_t object,
                                     uint32_t protection)
{
    status_t expected = predict_states(request, 1u << MODEL_BORROWED, CAD_WRONG_OBJECT);

    for (uint32_t i = 0; i < request->pages && expected == CAD_OK; i++) {
        const struct model_page *page = &request->space->pages[request->first + i];
        if (page->object != object)
            expected = CAD_WRONG_OBJECT;
        else if ((normal(protection) & ~page->ceiling) != 0)
            expected = CAD_NO_RIGHT;
    }
    return expected;
}

static void do_object_range(struct model *model, struct request *request, bool is_unmap)
{
    uint32_t object = request->space->pages[request->first].object;
    uint32_t protection = is_unmap ? 0 : request->protection;
    struct space_work work = { .rounds_owed = NULL };

    if (request->space->pages[request->first].state != MODEL_BORROWED ||
        model_below(model, 8) == 0)
        object = living_object(model);
    if (object == MODEL_NONE)
        return;
    status_t expected = request->bad;

    if (expected == CAD_OK)
        expected = predict_protection(protection);
    if (expected == CAD_OK)
        expected = predict_object_range(request, object, protection);
    uint64_t before = model_begin(model);
    uint32_t id = model->objects[object].id;
    status_t status =
        is_unmap ? space_unmap_object(model->cpu, request->space->id, id, request->address,
                                      request->asked, &work)
                 : space_protect_object(model->cpu, request->space->id, id, request->address,
                                        request->asked, protection, &work);

    if (!model_end(model, before, expected, status))
        return;
    for (uint32_t i = 0; i < request->pages; i++) {
        struct model_page *page = &request->space->pages[request->first + i];
        page->protection = normal(protection);
        if (is_unmap)
            page->state = MODEL_FREE;
    }
    settle(model, &work);
}

/* --- touching --- */

static uint32_t *page_value(struct model *model, struct model_page *page)
{
    if (page->state == MODEL_BORROWED)
        return &model->objects[page->object].values[page->object_page];
    return &page->value;
}

static void do_touch(struct model *model, const struct request *request)
{
    static const uint32_t accesses[] = { CAD_PROT_READ, CAD_PROT_WRITE, CAD_PROT_EXECUTE };
    struct model_page *page = &request->space->pages[request->first];
    uint32_t access = accesses[model_below(model, ARRAY_COUNT(accesses))];
    bool has_memory = page->state == MODEL_COMMITTED || page->state == MODEL_BORROWED;
    status_t expected = has_memory && (page->protection & access) != 0 ? CAD_OK
                                                                       : CAD_BAD_ADDRESS;
    frame_no_t frame;

    if (request->bad != CAD_OK)
        return;
    uint64_t before = model_begin(model);
    status_t status = world_resolve(model->cpu, request->space->id, request->address, access,
                                    &frame);

    if (!model_end(model, before, expected, status))
        return;
    uint32_t *word = (uint32_t *)(void *)world_page(model->world, frame);
    uint32_t *value = page_value(model, page);

    assert_int_equal(*word, *value);
    if (access == CAD_PROT_WRITE)
        *word = *value = model_below(model, UINT32_MAX) | 1;
}

/* --- a space ends, another begins --- */

static void space_end(struct model *model, struct model_space *space)
{
    struct space_work work = { .rounds_owed = NULL };
    bool gone = false;

    for (uint32_t i = 0; i < MODEL_PAGES; i++)
        space->pages[i].state = MODEL_FREE;
    world_cpus_leave(model->world);
    for (unsigned step = 0; !gone; step++) {
        gone = space_teardown_step(model->cpu, space->id, 1 + model_below(model, 300), &work);
        assert_true(frame_quarantine_release(model->cpu, &work.chain, UINT32_MAX));
        for (uint32_t i = 0; i < work.dead_count; i++) {
            uint32_t object = 0;
            while (!model->objects[object].lives ||
                   model->objects[object].id != work.dead_objects[i])
                object++;
            assert_true(object < MODEL_OBJECTS && model_object_should_die(model, object));
            model_object_die(model, object);
        }
        assert_true(step < 10000);
    }
    for (uint32_t object = 0; object < MODEL_OBJECTS; object++)
        assert_false(model_object_should_die(model, object));
}

static void do_renew(struct model *model, const struct request *request)
{
    struct model_space *space = request->space;
    uint32_t fresh;
    uint64_t before = model_begin(model);
    status_t status = space_create(model->cpu, model->ledgers[space->ledger], &fresh);

    if (!model_end(model, before, CAD_OK, status))
        return;
    space_end(model, space);
    space->id = fresh;
}

/* What an operation is about, for aim(). */
#define ON_FREE      (1u << MODEL_FREE)
#define ON_ANONYMOUS (1u << MODEL_RESERVED | 1u << MODEL_COMMITTED)
#define ON_COMMITTED (1u << MODEL_COMMITTED)
#define ON_BORROWED  (1u << MODEL_BORROWED)

static void anonymous_operation(struct model *model, struct request *request, uint32_t choice)
{
    if (choice < 12) {
        aim(model, request, ON_FREE);
        do_reserve(model, request);
    } else if (choice < 14) {
        do_reserve_anywhere(model, request);
    } else if (choice < 30) {
        if (request->asked > 60 && request->bad == CAD_OK && model_below(model, 6) != 0)
            request->asked = request->pages = 60; /* leaves quota to objects */
        aim(model, request, ON_ANONYMOUS);
        do_commit(model, request);
    } else if (choice < 36) {
        aim(model, request, ON_ANONYMOUS);
        do_anon(model, request, ANON_DECOMMIT);
    } else if (choice < 46) {
        aim(model, request, ON_ANONYMOUS);
        do_anon(model, request, ANON_PROTECT);
    } else {
        aim(model, request, ON_ANONYMOUS);
        do_anon(model, request, ANON_UNMAP);
    }
}

void model_space_operation(struct model *model)
{
    struct request request;
    uint32_t choice = model_below(model, 200);

    request_make(model, &request);
    if (choice < 106) {
        anonymous_operation(model, &request, choice / 2);
    } else if (choice < 134) {
        do_map(model, &request);
    } else if (choice < 152) {
        aim(model, &request, ON_BORROWED);
        do_object_range(model, &request, true);
    } else if (choice < 164) {
        aim(model, &request, ON_BORROWED);
        do_object_range(model, &request, false);
    } else if (choice < 196) {
        aim(model, &request, choice % 2 == 0 ? ON_COMMITTED : ON_BORROWED);
        do_touch(model, &request);
    } else if (choice < 198) {
        do_guard(model, &request);
    } else {
        do_renew(model, &request);
    }
}
