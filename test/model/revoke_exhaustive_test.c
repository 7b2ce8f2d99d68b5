// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every ordered derivation tree of up to REVOKE_NODES capabilities, and every use of it:
 * each node revoked, step by step, and each node deleted (CP2).
 *
 * A revoke is cut after each number of steps in turn; then one thing happens in between,
 * each in turn: nothing, a capability moves to another table (transit), goes, or gets a
 * child; then the revoke goes on until it says done.  Parents are compared with a plain
 * array of them after each step, and with the audit's own check of every link.
 *
 * Trees come as parents of nodes 1, 2... in preorder: node i hangs below node i - 1 or one
 * of its ancestors, so each ordered tree is built once.
 */
#include <string.h>

#include "core/test_world.h"

#define REVOKE_NODES 6
#define NODES_MAX    (REVOKE_NODES + 2) /* the root, and one that comes in between */
#define TABLES       2
#define GONE         UINT32_MAX
#define NO_NODE      (UINT32_MAX - 1)

enum between { NOTHING, MOVE, DELETE, DERIVE, BETWEEN_COUNT };

struct tree {
    uint32_t count;
    uint32_t parent[NODES_MAX]; /* node; NO_NODE: a root; GONE: deleted */
    uint32_t slot[NODES_MAX];
    cap_id_t id[NODES_MAX];
    uint32_t table[NODES_MAX];
};

static struct test_world *world;
static uint32_t tables[TABLES];
static uint64_t trees, revokes;

static int make(void **state)
{
    (void)state;
    world = world_create(512);
    for (unsigned i = 0; i < TABLES; i++) {
        assert_int_equal(cap_table_create(world->cpu, world->ledger, i, &tables[i]), CAD_OK);
    }
    return 0;
}

static int end(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TABLES; i++) {
        cap_table_destroy(world->cpu, tables[i]);
    }
    world_destroy(world);
    return 0;
}

/* A node below `parent`, in a table of its own kind: tables alternate. */
static void tree_grow(struct tree *tree, uint32_t parent)
{
    struct cap_object object = { CAD_INTERFACE_ENDPOINT, 1, 1 };
    uint32_t node = tree->count++, table = node % TABLES;

    if (parent == NO_NODE) {
        assert_int_equal(cap_insert(world->cpu, tables[table], object, CAD_RIGHT_ALL, 0,
                                    &tree->slot[node]), CAD_OK);
    } else {
        assert_int_equal(cap_derive(world->cpu, tree->slot[parent], tables[table], CAD_RIGHT_ALL,
                                    0, &tree->slot[node]), CAD_OK);
    }
    tree->parent[node] = parent;
    tree->table[node] = table;
    tree->id[node] = cap_id(world->cpu, tree->slot[node]);
}

static void tree_build(struct tree *tree, const uint32_t *parents, uint32_t count)
{
    memset(tree, 0, sizeof(*tree));
    tree_grow(tree, NO_NODE);
    for (uint32_t node = 1; node < count; node++) {
        tree_grow(tree, parents[node]);
    }
}

/* Is `node` below `above`? */
static bool tree_is_below(const struct tree *tree, uint32_t node, uint32_t above)
{
    for (uint32_t at = tree->parent[node]; at != NO_NODE && at != GONE; at = tree->parent[at]) {
        if (at == above) {
            return true;
        }
    }
    return false;
}

static uint32_t tree_below(const struct tree *tree, uint32_t above)
{
    uint32_t count = 0;

    for (uint32_t node = 0; node < tree->count; node++) {
        count += tree->parent[node] != GONE && tree_is_below(tree, node, above);
    }
    return count;
}

/* The model's delete: children go to the parent. */
static void tree_forget(struct tree *tree, uint32_t gone)
{
    for (uint32_t node = 0; node < tree->count; node++) {
        if (tree->parent[node] == gone) {
            tree->parent[node] = tree->parent[gone];
        }
    }
    tree->parent[gone] = GONE;
}

/* Who lives lives by its id, with its parent; who is gone resolves no more (CP1). */
static void tree_compare(const struct tree *tree)
{
    uint32_t live = 0, found;

    cap_check_invariants(world->cpu);
    for (uint32_t node = 0; node < tree->count; node++) {
        status_t status = cap_lookup(world->cpu, tables[tree->table[node]], tree->id[node],
                                     CAD_INTERFACE_NONE, 0, &found);
        uint32_t parent = tree->parent[node];

        if (parent == GONE) {
            assert_int_equal(status, CAD_STALE);
            continue;
        }
        assert_int_equal(status, CAD_OK);
        assert_int_equal(found, tree->slot[node]);
        assert_int_equal(cap_parent(world->cpu, found),
                         parent == NO_NODE ? ID_NONE : tree->slot[parent]);
        live++;
    }
    assert_int_equal(live, world->cadastre.caps.slot_ids.live_count);
}

/* Says which node a step deleted: the one whose id is stale now.  It must be just one. */
static uint32_t tree_deleted(const struct tree *tree)
{
    uint32_t deleted = NO_NODE, found;

    for (uint32_t node = 0; node < tree->count; node++) {
        if (tree->parent[node] != GONE &&
            cap_lookup(world->cpu, tables[tree->table[node]], tree->id[node], CAD_INTERFACE_NONE,
                       0, &found) == CAD_STALE) {
            assert_int_equal(deleted, NO_NODE);
            deleted = node;
        }
    }
    return deleted;
}

/* Up to `budget` steps, each of which takes one descendant of `top`.  Gives: how many. */
static uint32_t tree_revoke(struct tree *tree, uint32_t top, uint32_t budget)
{
    struct cap_holding held;
    uint32_t steps = 0, table;

    while (steps < budget && cap_revoke_step(world->cpu, tree->slot[top], &held, 1, &table) == 1) {
        uint32_t node = tree_deleted(tree);

        assert_true(node != NO_NODE && tree_is_below(tree, node, top));
        assert_int_equal(table, tables[tree->table[node]]);
        tree_forget(tree, node);
        tree_compare(tree);
        steps++;
    }
    return steps;
}

static void tree_delete(struct tree *tree, uint32_t node)
{
    (void)cap_delete(world->cpu, tree->slot[node]);
    tree_forget(tree, node);
}

static void tree_move(struct tree *tree, uint32_t node)
{
    uint32_t slot, found;
    cap_id_t old = tree->id[node];

    tree->table[node] = (tree->table[node] + 1) % TABLES;
    assert_int_equal(cap_move(world->cpu, tree->slot[node], tables[tree->table[node]], &slot),
                     CAD_OK);
    assert_int_equal(slot, tree->slot[node]);
    tree->id[node] = cap_id(world->cpu, slot);
    for (unsigned i = 0; i < TABLES; i++) {
        assert_int_equal(cap_lookup(world->cpu, tables[i], old, CAD_INTERFACE_NONE, 0, &found),
                         CAD_STALE);
    }
}

static void tree_change(struct tree *tree, enum between what, uint32_t node)
{
    switch (what) {
    case MOVE: tree_move(tree, node); break;
    case DELETE: tree_delete(tree, node); break;
    case DERIVE: tree_grow(tree, node); break;
    case NOTHING:
    case BETWEEN_COUNT: break;
    }
    tree_compare(tree);
}

static void tree_clear(struct tree *tree)
{
    for (uint32_t node = 0; node < tree->count; node++) {
        if (tree->parent[node] != GONE) {
            tree_delete(tree, node);
            tree_compare(tree);
        }
    }
}

/* `top` is revoked, with `what` done to `node` after `budget` steps. */
static void revoke_case(const uint32_t *parents, uint32_t count, uint32_t top, uint32_t budget,
                        enum between what, uint32_t node)
{
    struct tree tree;
    uint32_t left;

    tree_build(&tree, parents, count);
    left = tree_below(&tree, top);
    assert_int_equal(tree_revoke(&tree, top, budget), budget < left ? budget : left);
    if (tree.parent[node] != GONE && (what != DELETE || node != top)) {
        tree_change(&tree, what, node);
    }
    left = tree_below(&tree, top);
    assert_int_equal(tree_revoke(&tree, top, GONE), left);
    assert_int_equal(tree_below(&tree, top), 0);
    tree_clear(&tree);
    revokes++;
}

static void revoke_all(const uint32_t *parents, uint32_t count)
{
    for (uint32_t top = 0; top < count; top++) {
        for (uint32_t budget = 0; budget < count; budget++) {
            revoke_case(parents, count, top, budget, NOTHING, 0);
            for (unsigned what = MOVE; what < BETWEEN_COUNT; what++) {
                for (uint32_t node = 0; node < count; node++) {
                    revoke_case(parents, count, top, budget, (enum between)what, node);
                }
            }
        }
    }
}

/* Each pair deleted in turn: what a deleted root leaves is a list of roots. */
static void delete_all(const uint32_t *parents, uint32_t count)
{
    for (uint32_t first = 0; first < count; first++) {
        for (uint32_t second = 0; second < count; second++) {
            struct tree tree;

            tree_build(&tree, parents, count);
            tree_delete(&tree, first);
            tree_compare(&tree);
            if (second != first) {
                tree_delete(&tree, second);
                tree_compare(&tree);
            }
            tree_clear(&tree);
        }
    }
}

/* Calls `use` for each ordered tree of `count` nodes, of which `node` are chosen. */
static void each_tree(uint32_t *parents, uint32_t node, uint32_t count,
                      void (*use)(const uint32_t *parents, uint32_t count))
{
    if (node == count) {
        use(parents, count);
        trees++;
        return;
    }
    for (uint32_t parent = node - 1;; parent = parents[parent]) {
        parents[node] = parent;
        each_tree(parents, node + 1, count, use);
        if (parent == 0) {
            return;
        }
    }
}

static uint64_t each_size(void (*use)(const uint32_t *parents, uint32_t count))
{
    uint32_t parents[NODES_MAX] = { NO_NODE };

    trees = 0;
    for (uint32_t count = 1; count <= REVOKE_NODES; count++) {
        each_tree(parents, 1, count, use);
    }
    return trees;
}

static void a_revoke_of_any_tree_takes_just_what_is_below(void **state)
{
    (void)state;
    assert_int_equal(each_size(revoke_all), 1 + 1 + 2 + 5 + 14 + 42);
    print_message("%lu revokes\n", (unsigned long)revokes);
}

static void deletes_in_any_tree_keep_everyones_parent(void **state)
{
    (void)state;
    assert_int_equal(each_size(delete_all), 1 + 1 + 2 + 5 + 14 + 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_revoke_of_any_tree_takes_just_what_is_below, make, end),
        cmocka_unit_test_setup_teardown(deletes_in_any_tree_keep_everyones_parent, make, end),
    };

    return cmocka_run_group_tests_name("revoke_exhaustive", tests, NULL, NULL);
}
