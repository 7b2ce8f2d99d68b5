// SPDX-License-Identifier: BSD-2-Clause
/*
 * One scene that has some of everything; each test breaks one thing in it and
 * wants that very check to say so, and the audit to come back.
 */
#include "core/audit.h"

#include <string.h>

#include "core/object_index.h"
#include "core/space_priv.h"
#include "core/test_audit.h"

#define BASE UINT64_C(0x40000000)
#define LARGE (BASE + (UINT64_C(1) << 30))

enum { BIG_PAGES = 1100 };

static struct test_world *world;
static struct cadastre *core;
static struct frame *frames;
static struct test_audit audit;
static uint32_t child;                          /* ledger */
static uint32_t top, inner;                     /* untypeds */
static uint32_t big, run, of_untyped;           /* objects */
static uint32_t one, two;                       /* spaces */
static uint32_t table_a, table_b;               /* cap tables */
static uint32_t slot_big, slot_copy, slot_ledger; /* slots */
static uint32_t mapping_one;

static void ok(status_t status)
{
    assert_int_equal(status, CAD_OK);
}

static void hold(uint32_t interface, const struct id_pool *ids, uint32_t index, uint32_t *slot)
{
    struct cap_object object = { interface, index, ids->slots[index].generation };

    ok(cap_insert(world->cpu, table_a, object, CAD_RIGHT_ALL, 0, slot));
}

static void make_objects(void)
{
    uint32_t slot;

    ok(untyped_create(world->cpu, world->ledger, 32, &top));
    ok(untyped_retype_untyped(world->cpu, top, world->ledger, 8, &inner));
    ok(object_create(world->cpu, world->ledger, BIG_PAGES, &big));
    ok(object_create_contiguous(world->cpu, world->ledger, 5, 1, &run));
    ok(object_create_untyped(world->cpu, world->ledger, inner, 3, &of_untyped));
    hold(CAD_INTERFACE_UNTYPED, &core->untypeds.ids, top, &slot);
    hold(CAD_INTERFACE_UNTYPED, &core->untypeds.ids, inner, &slot);
    hold(CAD_INTERFACE_MEMORY_OBJECT, &core->objects.ids, big, &slot_big);
    hold(CAD_INTERFACE_MEMORY_OBJECT, &core->objects.ids, run, &slot);
    hold(CAD_INTERFACE_MEMORY_OBJECT, &core->objects.ids, of_untyped, &slot);
    hold(CAD_INTERFACE_LEDGER, &core->ledgers.ids, child, &slot_ledger);
    /* A derived capability in another table, paid by another ledger. */
    ok(object_claim(world->cpu, big, child));
    object_take(world->cpu, big);
    ok(cap_derive(world->cpu, slot_big, table_b, CAD_RIGHT_READ | CAD_RIGHT_MAP, 0, &slot_copy));
}

static void map(uint32_t space, uint32_t object, uint32_t first, uint64_t pages,
                virt_addr_t address, uint32_t protection)
{
    struct object_map_request request = { .object = object, .first_page = first, .pages = pages,
                                          .address = address, .protection = protection,
                                          .ceiling = CAD_PROT_READ | CAD_PROT_WRITE,
                                          .populate = first == 0 };

    ok(space_map_object(world->cpu, space, &request, &address));
}

/* One that is filled, one that is not. */
static void make_large_pages(void)
{
    virt_addr_t address = LARGE;

    ok(space_reserve(world->cpu, one, &address, 1024, CAD_PROT_READ));
    ok(space_commit(world->cpu, one, LARGE, 512, CAD_PROT_READ, CAD_COMMIT_EAGER));
    ok(space_commit(world->cpu, one, LARGE + (512 << PAGE_SHIFT), 512, CAD_PROT_READ, 0));
}

static void make_spaces(void)
{
    struct space_work work = { .chain = { .head = FRAME_NONE } };
    virt_addr_t huge = UINT64_C(1) << 40, address = BASE;
    frame_no_t frame;

    ok(space_create(world->cpu, world->ledger, &one));
    ok(space_create(world->cpu, child, &two));
    ok(space_reserve(world->cpu, one, &huge, UINT64_C(1) << 27, CAD_PROT_READ));
    ok(space_reserve(world->cpu, one, &address, 64, CAD_PROT_READ | CAD_PROT_WRITE));
    ok(space_commit(world->cpu, one, BASE, 16, CAD_PROT_READ | CAD_PROT_WRITE, CAD_COMMIT_EAGER));
    ok(space_commit(world->cpu, one, BASE + 32 * PAGE_SIZE, 4, CAD_PROT_READ, 0));
    ok(space_protect(world->cpu, one, BASE, 2, CAD_PROT_NONE, &work));
    ok(space_guard(world->cpu, one, BASE + 64 * PAGE_SIZE, 1));
    map(one, big, 0, 20, BASE + 100 * PAGE_SIZE, CAD_PROT_READ | CAD_PROT_WRITE);
    map(two, big, 10, 20, BASE, CAD_PROT_READ);
    map(two, run, 0, 5, BASE + 200 * PAGE_SIZE, CAD_PROT_READ);
    ok(space_fault(world->cpu, two, BASE, CAD_PROT_READ));
    ok(space_map_system(world->cpu, one, CAD_CAPSET_ADDRESS, CAD_PROT_READ, &frame));
    mapping_one = core->spaces.spaces[one].mappings;
    assert_int_equal(work.chain.count, 0);
    make_large_pages();
}

static int make(void **state)
{
    (void)state;
    world = world_create(5000);
    core = &world->cadastre;
    frames = core->frames.frames;
    memset(&audit, 0, sizeof(audit));
    audit.world = world;
    ok(ledger_donate(world->cpu, world->root, world->ledger, CAD_RESOURCE_COMMITTED, 1024));
    child = world_ledger(world, 1000, BIG_PAGES + 100, 400000, 100);
    ok(cap_table_create(world->cpu, world->ledger, 1, &table_a));
    ok(cap_table_create(world->cpu, child, 2, &table_b));
    make_objects();
    make_spaces();
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_abandon(world);
    return 0;
}

static void span_at(uint32_t space, virt_addr_t address, struct span *span)
{
    struct cursor cursor = cursor_unlocked(world->cpu, space);

    span_find(world->cpu, &cursor, address, address + PAGE_SIZE, span);
}

static uint64_t *leaf_word(uint32_t space, virt_addr_t address)
{
    struct span span;

    span_at(space, address, &span);
    assert_int_equal(span.level, 0);
    return span.words;
}

static frame_no_t leaf_table(uint32_t space, virt_addr_t address)
{
    struct span span;

    span_at(space, address, &span);
    return span.path[0];
}

static uint64_t *large_word(unsigned number)
{
    struct span span;

    span_at(one, LARGE + ((uint64_t)number * 512 << PAGE_SHIFT), &span);
    assert_int_equal(span.level, 1);
    return span.words;
}

static frame_no_t free_frame(void)
{
    for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++) {
        if (core->frames.free_head[order] != FRAME_NONE)
            return core->frames.free_head[order];
    }
    fail_msg("no free frame");
    return FRAME_NONE;
}

/* --- what the audit says of a good scene --- */

static void scene_is_clean_and_audit_changes_nothing(void **state)
{
    (void)state;
    uint64_t before = world_hash(world);

    test_audit_expect_clean(&audit);
    assert_int_equal(world_hash(world), before);
    assert_true(audit.result.checks > 20000);
}

static void add_more(void *context, struct audit *into)
{
    (void)context;
    audit_host_charge(into, world->ledger, CAD_RESOURCE_PINNED, 3);
    audit_host_ledger(into, child);
    audit_host_object(into, run, child);
    audit_host_untyped(into, top);
}

static void holdings_of_the_host_are_counted(void **state)
{
    (void)state;
    audit.add_holdings = add_more;
    ok(ledger_reserve(world->cpu, world->ledger, CAD_RESOURCE_PINNED, 3));
    ledger_take(world->cpu, child);
    ok(object_claim(world->cpu, run, child));
    object_take(world->cpu, run);
    untyped_take(world->cpu, top);
    test_audit_expect_clean(&audit);
    audit.add_holdings = NULL;
    test_audit_run(&audit);
    assert_true(test_audit_found(&audit, AUDIT_LEDGER_USED));
    assert_true(test_audit_found(&audit, AUDIT_LEDGER_REFERENCES));
    assert_true(test_audit_found(&audit, AUDIT_OBJECT_REFERENCES));
    assert_true(test_audit_found(&audit, AUDIT_CLAIM_REASONS));
    assert_true(test_audit_found(&audit, AUDIT_UNTYPED_REFERENCES));
}

static void frames_in_quarantine_are_the_ones_the_host_holds(void **state)
{
    struct space_work work = { .chain = { .head = FRAME_NONE } };

    (void)state;
    ok(space_decommit(world->cpu, one, BASE, 16, &work));
    audit.quarantined = work.chain.count;
    test_audit_expect_clean(&audit);
    audit.quarantined = 0;
    test_audit_run(&audit);
    assert_int_equal(audit.result.violations, 1);
    assert_true(test_audit_found(&audit, AUDIT_FRAME_QUARANTINE));
}

static void objects_and_spaces_on_their_way_out_are_clean(void **state)
{
    struct space_work work = { .rounds_owed = NULL };

    (void)state;
    uint32_t dying;
    ok(object_create(world->cpu, world->ledger, 1060, &dying));
    object_unclaim(world->cpu, dying, world->ledger);
    assert_true(object_put(world->cpu, dying));
    for (bool gone = false; !gone;) {
        gone = object_destroy_step(world->cpu, dying, 97);
        test_audit_expect_clean(&audit);
    }
    for (unsigned i = 0; i < 2; i++) {
        for (bool gone = false; !gone;) {
            gone = space_teardown_step(world->cpu, i == 0 ? two : one, 3, &work);
            assert_true(frame_quarantine_release(world->cpu, &work.chain, UINT32_MAX));
            test_audit_expect_clean(&audit);
        }
    }
}

/* --- damage --- */

static void frame_with_no_state(void)
{
    frames[5].state = FRAME_STATE_COUNT;
}
static void frame_0_given_away(void)
{
    frames[0].state = FRAME_KERNEL;
    frames[0].kind = FRAME_KIND_BOOT;
}
static void frame_of_nobody(void)
{
    frame_no_t frame = frame_take_anon(world->cpu, 7, 7);
    assert_int_not_equal(frame, FRAME_NONE);
}
static void free_frame_mapped(void)
{
    uint64_t *word = leaf_word(one, BASE + 5 * PAGE_SIZE);
    *word = (*word & ~MMU_ADDRESS_MASK) | frame_address(free_frame());
}
static void page_mapped_twice(void)
{
    *leaf_word(one, BASE + 6 * PAGE_SIZE) = *leaf_word(one, BASE + 5 * PAGE_SIZE);
}
static void frame_outside_memory_mapped(void)
{
    uint64_t *word = leaf_word(one, BASE + 5 * PAGE_SIZE);
    *word = (*word & ~MMU_ADDRESS_MASK) | frame_address(0xfffffff);
}
static void hole_mapped(void)
{
    uint64_t *word = leaf_word(one, BASE + 5 * PAGE_SIZE);
    *word = (*word & ~MMU_ADDRESS_MASK) | frame_address(WORLD_HOLE_FIRST);
}
static void anon_frame_of_another_slot(void)
{
    frames[entry_value(*leaf_word(one, BASE + 5 * PAGE_SIZE))].detail++;
}
static void frame_of_a_large_page_of_another_slot(void)
{
    frames[entry_value(*large_word(0)) + 300].detail++;
}
static void large_page_in_the_middle_of_a_run(void)
{
    *large_word(0) += PAGE_SIZE;
}
static void large_page_outside_memory(void)
{
    *large_word(0) = (*large_word(0) & ~MMU_ADDRESS_MASK) | frame_address(0xffffe00);
}
static void large_page_of_small_bits(void)
{
    *large_word(0) = entry_make_page(core->format, ENTRY_RESIDENT, CAD_PROT_READ,
                                     entry_value(*large_word(0)));
}
static void table_that_stands_by_counts_entries(void)
{
    frames[entry_value(*large_word(1))].maps = 1;
}
static void table_that_stands_by_has_a_companion(void)
{
    frames[entry_value(*large_word(1))].detail = leaf_table(one, BASE);
}
static void table_that_stands_by_twice(void)
{
    *large_word(1) = (*large_word(1) & ~MMU_ADDRESS_MASK) |
                     frame_address(frames[entry_value(*large_word(0))].owner);
}
static void free_list_circle(void)
{
    frames[free_frame()].owner = free_frame();
}
static void free_list_leads_away(void)
{
    frames[free_frame()].owner = UINT32_MAX;
}
static void free_block_of_wrong_order(void)
{
    frames[free_frame()].kind++;
}
static void free_list_cut(void)
{
    for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++)
        core->frames.free_head[order] = FRAME_NONE;
}
static void free_count_wrong(void)
{
    core->frames.free_frames--;
}
static void magazine_holds_a_used_frame(void)
{
    world->cpu->magazine.frames[0] = leaf_table(one, BASE);
}
static void magazine_holds_a_frame_twice(void)
{
    world->cpu->magazine.frames[0] = world->cpu->magazine.frames[1];
}
static void magazine_too_full(void)
{
    world->cpu->magazine.count = MAGAZINE_FRAMES + 1;
}
static void magazine_zeroes_more_than_it_has(void)
{
    world->cpu->magazine.zeroed = world->cpu->magazine.count + 1;
}
static void magazine_zeroed_frame_is_written(void)
{
    while (magazine_clear_ahead(world->cpu))
        ;
    table_words(world->cpu, world->cpu->magazine.frames[3])[PAGE_SIZE / 8 - 1] = 1;
}
static void pinned_frame(void)
{
    frames[object_page(world->cpu, run, 0)].pins = 1;
}
static void maps_of_an_anon_frame(void)
{
    frames[entry_value(*leaf_word(one, BASE + 5 * PAGE_SIZE))].maps = 1;
}
static void pool_count_wrong(void)
{
    core->objects.ids.live_count++;
}
static void pool_list_circle(void)
{
    object_unclaim(world->cpu, of_untyped, world->ledger);
    core->objects.ids.slots[run].next = run;
    core->objects.ids.free_head = run;
}
static void pool_generation_zero(void)
{
    core->untypeds.ids.slots[top].generation = 0;
}
static void ledger_orphan(void)
{
    core->ledgers.ledgers[child].parent = 4000;
}
static void ledger_donated_wrong(void)
{
    core->ledgers.ledgers[world->root].donated[CAD_RESOURCE_SLOTS]++;
    core->ledgers.ledgers[world->root].available[CAD_RESOURCE_SLOTS]--;
}
static void ledger_children_wrong(void)
{
    core->ledgers.ledgers[world->root].children = 9;
}
static void ledger_over_its_limit(void)
{
    core->ledgers.ledgers[child].available[CAD_RESOURCE_VIRTUAL] = UINT64_MAX;
}
static void charge_lost(void)
{
    core->ledgers.ledgers[world->ledger].available[CAD_RESOURCE_METADATA] += 64;
}
static void charge_too_many(void)
{
    core->ledgers.ledgers[child].available[CAD_RESOURCE_COMMITTED] -= 1;
}
static void ledger_reference_lost(void)
{
    core->ledgers.ledgers[child].references--;
}
static void charged_ledger_is_dead(void)
{
    core->spaces.spaces[two].ledger = 5000;
}
static void untyped_outside_its_parent(void)
{
    core->untypeds.untypeds[inner].pages = 40;
}
static void untyped_child_lost(void)
{
    core->untypeds.untypeds[top].children--;
}
static void untyped_frame_stolen(void)
{
    frames[core->untypeds.untypeds[top].first + 20].owner = inner;
}
static void untyped_used_twice(void)
{
    core->untypeds.untypeds[top].next = 30; /* pages nobody has */
    frames[core->untypeds.untypeds[top].first + 25].state = FRAME_OBJECT;
}
static void object_of_no_kind(void)
{
    core->objects.objects[run].kind = 0;
}
static void object_too_high(void)
{
    core->objects.objects[big].height = 1;
}
static void object_page_of_another(void)
{
    frames[object_page(world->cpu, big, 700)].owner = run;
}
static void object_pages_swapped(void)
{
    uint64_t *words = table_words(world->cpu, object_index_frame(world->cpu, big, 1, 0));
    words[40] = words[40] << 32 | words[40] >> 32;
}
static void object_node_wrong(void)
{
    frame_no_t node = object_index_frame(world->cpu, big, 1, 1024);
    frames[node].detail = object_index_detail(1, 0);
}
static void object_root_is_rubbish(void)
{
    core->objects.objects[big].first = 0xdeadbeef;
}
static void object_reference_lost(void)
{
    core->objects.objects[big].references--;
}
static void object_mapping_list_circle(void)
{
    uint32_t first = core->objects.objects[big].mappings;
    core->mappings.mappings[first].next = first;
}
static void object_mapping_missing(void)
{
    core->objects.objects[big].mapping_count--;
}
static void maps_too_many(void)
{
    frames[object_page(world->cpu, big, 3)].maps++;
}
static void maps_too_few(void)
{
    frames[object_page(world->cpu, big, 12)].maps--;
}
static void entry_dropped_behind_the_count(void)
{
    uint64_t *word = leaf_word(one, BASE + 100 * PAGE_SIZE);
    *word = entry_make_absent(ENTRY_BORROWED, entry_protection(*word), mapping_one);
}
static void claim_count_wrong(void)
{
    core->objects.claims[core->objects.objects[big].claims].count++;
}
static void claim_list_circle(void)
{
    uint32_t claim = core->objects.objects[big].claims;
    core->objects.claims[claim].next = claim;
}
static void claim_missing(void)
{
    core->objects.objects[run].claims = ID_NONE;
    core->objects.objects[run].claim_count = 0;
}
static void mapping_of_an_older_object(void)
{
    core->mappings.mappings[mapping_one].object_generation--;
}
static void mapping_beyond_the_object(void)
{
    core->mappings.mappings[mapping_one].first_page = BIG_PAGES - 1;
}
static void mapping_above_its_ceiling(void)
{
    core->mappings.mappings[mapping_one].ceiling = CAD_PROT_READ;
}
static void mapping_longer_than_its_entries(void)
{
    core->mappings.mappings[mapping_one].pages++;
}
static void mapping_list_of_a_space_broken(void)
{
    core->mappings.mappings[mapping_one].space_previous = mapping_one;
}
static void space_counter_wrong(void)
{
    core->spaces.spaces[one].resident_pages++;
}
static void entry_of_no_state(void)
{
    *leaf_word(one, BASE + 5 * PAGE_SIZE) |= UINT64_C(15) << 55;
}
static void entry_stray_bits(void)
{
    *leaf_word(one, BASE + 70 * PAGE_SIZE) = UINT64_C(1) << 20;
}
static void entry_writable_behind_its_state(void)
{
    uint64_t *word = leaf_word(one, BASE + 5 * PAGE_SIZE);
    *word = (*word & ~(UINT64_C(7) << 59)) | (uint64_t)CAD_PROT_READ << 59;
}
static void entry_writable_and_executable(void)
{
    *leaf_word(one, BASE + 5 * PAGE_SIZE) |= (uint64_t)CAD_PROT_EXECUTE << 59;
}
static void entry_hides_its_page_from_the_count(void)
{
    *leaf_word(one, BASE + 40 * PAGE_SIZE) = 0;
}
static void table_of_another_space(void)
{
    frames[leaf_table(one, BASE)].owner = two;
}
static void table_reached_twice(void)
{
    struct span span;
    span_at(one, BASE, &span);
    uint64_t *words = table_words(world->cpu, span.path[1]);
    words[entry_index(BASE, 1) + 1] = words[entry_index(BASE, 1)];
}
static void table_leads_to_its_root(void)
{
    struct span span;
    frame_no_t root = core->spaces.spaces[one].root;
    span_at(one, BASE, &span);
    uint64_t *words = table_words(world->cpu, span.path[1]);
    words[entry_index(BASE, 1)] = entry_make_table(core->format, root);
}
static void root_is_rubbish(void)
{
    core->spaces.spaces[one].root = 0xdeadbeef;
}
static void companion_lost(void)
{
    frames[leaf_table(two, BASE)].detail = FRAME_NONE;
}
static void companion_names_another_mapping(void)
{
    uint64_t *ids = table_words(world->cpu, frames[leaf_table(two, BASE)].detail);
    ids[entry_index(BASE, 0)] = mapping_one;
}
static void companion_names_rubbish(void)
{
    uint64_t *ids = table_words(world->cpu, frames[leaf_table(two, BASE)].detail);
    ids[entry_index(BASE, 0)] = UINT64_MAX;
}
static void companion_names_more_than_is_borrowed(void)
{
    uint64_t *ids = table_words(world->cpu, frames[leaf_table(two, BASE)].detail);
    ids[400] = mapping_one;
}
static void borrowed_shows_another_page(void)
{
    uint64_t *word = leaf_word(two, BASE);
    *word = (*word & ~MMU_ADDRESS_MASK) | frame_address(object_page(world->cpu, big, 99));
}
static void system_page_of_another(void)
{
    frames[entry_value(*leaf_word(one, CAD_CAPSET_ADDRESS))].owner = two;
}
static void slot_in_no_list(void)
{
    core->caps.tables[table_b].first = ID_NONE;
    core->caps.tables[table_b].count = 0;
}
static void slot_of_no_table(void)
{
    core->caps.slots[slot_copy].table = 4000;
}
static void slot_list_circle(void)
{
    core->caps.slots[slot_big].table_next = slot_big;
}
static void slot_parent_forgotten(void)
{
    core->caps.slots[slot_copy].parent = ID_NONE;
}
static void slot_its_own_sibling(void)
{
    core->caps.slots[slot_copy].next_sibling = slot_copy;
}
static void slot_link_to_rubbish(void)
{
    core->caps.slots[slot_big].first_child = 0x7fffffff;
}
static void slot_wider_than_its_parent(void)
{
    core->caps.slots[slot_big].rights = CAD_RIGHT_READ;
}
static void slot_of_another_object_than_its_parent(void)
{
    core->caps.slots[slot_big].object.index++;
}
static void slot_unknown_right(void)
{
    core->caps.slots[slot_big].rights |= 1u << 31;
}
static void slot_of_a_dead_object(void)
{
    core->caps.slots[slot_ledger].object.generation++;
}

/* DAMAGE(function above, check that must say so) */
#define DAMAGE_LIST(DAMAGE)                                                                        \
    DAMAGE(frame_with_no_state, FRAME_STATE)                                                       \
    DAMAGE(frame_0_given_away, FRAME_RESERVED)                                                     \
    DAMAGE(frame_of_nobody, FRAME_LOST)                                                            \
    DAMAGE(free_frame_mapped, FRAME_ONCE)                                                          \
    DAMAGE(page_mapped_twice, FRAME_ONCE)                                                          \
    DAMAGE(frame_outside_memory_mapped, FRAME_EXISTS)                                              \
    DAMAGE(hole_mapped, FRAME_EXISTS)                                                              \
    DAMAGE(anon_frame_of_another_slot, ENTRY_ANON)                                                 \
    DAMAGE(frame_of_a_large_page_of_another_slot, ENTRY_ANON)                                      \
    DAMAGE(large_page_in_the_middle_of_a_run, ENTRY_ANON)                                          \
    DAMAGE(large_page_outside_memory, FRAME_EXISTS)                                                \
    DAMAGE(large_page_of_small_bits, ENTRY_WORD)                                                   \
    DAMAGE(table_that_stands_by_counts_entries, ENTRY_TABLE_COUNT)                                 \
    DAMAGE(table_that_stands_by_has_a_companion, ENTRY_COMPANION)                                  \
    DAMAGE(table_that_stands_by_twice, FRAME_ONCE)                                                 \
    DAMAGE(free_list_circle, FRAME_ONCE)                                                           \
    DAMAGE(free_list_leads_away, FRAME_EXISTS)                                                     \
    DAMAGE(free_block_of_wrong_order, FRAME_FREE_LIST)                                             \
    DAMAGE(free_list_cut, FRAME_LOST)                                                              \
    DAMAGE(free_count_wrong, FRAME_FREE_COUNT)                                                     \
    DAMAGE(magazine_holds_a_used_frame, FRAME_MAGAZINE)                                            \
    DAMAGE(magazine_holds_a_frame_twice, FRAME_ONCE)                                               \
    DAMAGE(magazine_too_full, FRAME_MAGAZINE)                                                      \
    DAMAGE(magazine_zeroes_more_than_it_has, FRAME_MAGAZINE)                                       \
    DAMAGE(magazine_zeroed_frame_is_written, FRAME_ZEROED)                                         \
    DAMAGE(pinned_frame, FRAME_PINS)                                                               \
    DAMAGE(maps_of_an_anon_frame, FRAME_MAPS_NONE)                                                 \
    DAMAGE(pool_count_wrong, POOL)                                                                 \
    DAMAGE(pool_list_circle, POOL)                                                                 \
    DAMAGE(pool_generation_zero, POOL_GENERATION)                                                  \
    DAMAGE(ledger_orphan, LEDGER_PARENT)                                                           \
    DAMAGE(ledger_donated_wrong, LEDGER_DONATED)                                                   \
    DAMAGE(ledger_children_wrong, LEDGER_CHILDREN)                                                 \
    DAMAGE(ledger_over_its_limit, LEDGER_SUM)                                                      \
    DAMAGE(charge_lost, LEDGER_USED)                                                               \
    DAMAGE(charge_too_many, LEDGER_USED)                                                           \
    DAMAGE(ledger_reference_lost, LEDGER_REFERENCES)                                               \
    DAMAGE(charged_ledger_is_dead, CHARGED_LEDGER)                                                 \
    DAMAGE(untyped_outside_its_parent, UNTYPED_RANGE)                                              \
    DAMAGE(untyped_child_lost, UNTYPED_CHILDREN)                                                   \
    DAMAGE(untyped_frame_stolen, UNTYPED_FRAME)                                                    \
    DAMAGE(untyped_used_twice, FRAME_LOST)                                                         \
    DAMAGE(object_of_no_kind, OBJECT_SHAPE)                                                        \
    DAMAGE(object_too_high, OBJECT_SHAPE)                                                          \
    DAMAGE(object_page_of_another, OBJECT_FRAME)                                                   \
    DAMAGE(object_pages_swapped, OBJECT_FRAME)                                                     \
    DAMAGE(object_node_wrong, OBJECT_NODE)                                                         \
    DAMAGE(object_root_is_rubbish, FRAME_EXISTS)                                                   \
    DAMAGE(object_reference_lost, OBJECT_REFERENCES)                                               \
    DAMAGE(object_mapping_list_circle, OBJECT_MAPPINGS)                                            \
    DAMAGE(object_mapping_missing, OBJECT_MAPPINGS)                                                \
    DAMAGE(maps_too_many, OBJECT_MAPS)                                                             \
    DAMAGE(maps_too_few, OBJECT_MAPS)                                                              \
    DAMAGE(entry_dropped_behind_the_count, OBJECT_MAPS)                                            \
    DAMAGE(claim_count_wrong, CLAIM_REASONS)                                                       \
    DAMAGE(claim_list_circle, CLAIM_LIST)                                                          \
    DAMAGE(claim_missing, CLAIM_LIST)                                                              \
    DAMAGE(mapping_of_an_older_object, MAPPING_IDENTITY)                                           \
    DAMAGE(mapping_beyond_the_object, MAPPING_RANGE)                                               \
    DAMAGE(mapping_above_its_ceiling, MAPPING_CEILING)                                             \
    DAMAGE(mapping_longer_than_its_entries, MAPPING_ENTRIES)                                       \
    DAMAGE(mapping_list_of_a_space_broken, SPACE_MAPPINGS)                                         \
    DAMAGE(space_counter_wrong, SPACE_COUNTERS)                                                    \
    DAMAGE(entry_of_no_state, ENTRY_STATE)                                                         \
    DAMAGE(entry_stray_bits, ENTRY_WORD)                                                           \
    DAMAGE(entry_writable_behind_its_state, ENTRY_WORD)                                            \
    DAMAGE(entry_writable_and_executable, ENTRY_WRITE_EXECUTE)                                     \
    DAMAGE(entry_hides_its_page_from_the_count, ENTRY_TABLE_COUNT)                                 \
    DAMAGE(table_of_another_space, ENTRY_TABLE)                                                    \
    DAMAGE(table_reached_twice, FRAME_ONCE)                                                        \
    DAMAGE(table_leads_to_its_root, FRAME_ONCE)                                                    \
    DAMAGE(root_is_rubbish, FRAME_EXISTS)                                                          \
    DAMAGE(companion_lost, ENTRY_BORROWED)                                                         \
    DAMAGE(companion_names_another_mapping, ENTRY_BORROWED)                                        \
    DAMAGE(companion_names_rubbish, ENTRY_BORROWED)                                                \
    DAMAGE(companion_names_more_than_is_borrowed, ENTRY_COMPANION)                                 \
    DAMAGE(borrowed_shows_another_page, ENTRY_BORROWED)                                            \
    DAMAGE(system_page_of_another, ENTRY_SYSTEM)                                                   \
    DAMAGE(slot_in_no_list, SLOT_TABLE)                                                            \
    DAMAGE(slot_of_no_table, SLOT_TABLE)                                                           \
    DAMAGE(slot_list_circle, SLOT_TABLE)                                                           \
    DAMAGE(slot_parent_forgotten, SLOT_TREE)                                                       \
    DAMAGE(slot_its_own_sibling, SLOT_TREE)                                                        \
    DAMAGE(slot_link_to_rubbish, SLOT_TREE)                                                        \
    DAMAGE(slot_wider_than_its_parent, SLOT_NARROWS)                                               \
    DAMAGE(slot_of_another_object_than_its_parent, SLOT_NARROWS)                                   \
    DAMAGE(slot_unknown_right, SLOT_NARROWS)                                                       \
    DAMAGE(slot_of_a_dead_object, SLOT_OBJECT)

static void expect_found(void (*damage)(void), enum audit_check check)
{
    damage();
    test_audit_run(&audit);
    assert_true(audit.result.violations > 0);
    if (!test_audit_found(&audit, check))
        fail_msg("%llu violations, first \"%s\", none \"%s\"",
                 (unsigned long long)audit.result.violations, audit.violations[0].what,
                 audit_check_what(check));
}

#define DAMAGE_TEST(name, check)                                                                   \
    static void finds_##name(void **state)                                                         \
    {                                                                                              \
        (void)state;                                                                               \
        expect_found(name, AUDIT_##check);                                                         \
    }
DAMAGE_LIST(DAMAGE_TEST)

/* Every check has a damage that only it was asked to find. */
static void every_check_is_seen_to_fail(void **state)
{
    (void)state;
    bool seen[] = {
#define NOT_SEEN(NAME, requirement, kind, what) [AUDIT_##NAME] = false,
        AUDIT_CHECK_LIST(NOT_SEEN)
    };

#define SEEN(name, check) seen[AUDIT_##check] = true;
    DAMAGE_LIST(SEEN)
    seen[AUDIT_UNTYPED_REFERENCES] = true; /* holdings_of_the_host_are_counted */
    seen[AUDIT_FRAME_QUARANTINE] = true;   /* frames_in_quarantine_... */
    seen[AUDIT_FRAME_SUM] = true;          /* frame_with_no_state breaks it as well */
    for (unsigned i = 0; i < ARRAY_COUNT(seen); i++) {
        if (!seen[i])
            fail_msg("nothing breaks \"%s\"", audit_check_what((enum audit_check)i));
    }
    frame_with_no_state();
    test_audit_run(&audit);
    assert_true(test_audit_found(&audit, AUDIT_FRAME_SUM));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, end)
#define DAMAGE_ROW(name, check) TEST(finds_##name),
    const struct CMUnitTest tests[] = {
        TEST(scene_is_clean_and_audit_changes_nothing),
        TEST(holdings_of_the_host_are_counted),
        TEST(frames_in_quarantine_are_the_ones_the_host_holds),
        TEST(objects_and_spaces_on_their_way_out_are_clean),
        TEST(every_check_is_seen_to_fail),
        DAMAGE_LIST(DAMAGE_ROW)
    };
    return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
