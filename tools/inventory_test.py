# SPDX-License-Identifier: BSD-2-Clause
"""The inventory agrees with the tree, and every way to disagree is told."""
import os
import shutil
import tempfile
import unittest

import inventory

SOURCES = ("abi", "arch/include", "base", "boot", "core", "docs", "kernel", "proof/rows",
           "proof/models", "test")
DATA = inventory.DATA


class InventoryTest(unittest.TestCase):
    def setUp(self):
        self.home = os.getcwd()
        self.folder = tempfile.TemporaryDirectory()  # pylint: disable=consider-using-with
        for path in SOURCES:
            shutil.copytree(path, os.path.join(self.folder.name, path))
        os.chdir(self.folder.name)

    def tearDown(self):
        os.chdir(self.home)
        self.folder.cleanup()

    def edit(self, path, old, new):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertIn(old, text)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(old, new, 1))

    def told(self, text):
        """Some problem has this text; all of them are shown if none has."""
        found = inventory.problems()
        self.assertTrue(any(text in line for line in found), found)

    def test_the_tree_agrees(self):
        self.assertEqual(inventory.problems(), [])

    def test_a_function_that_changes_state_needs_a_row(self):
        self.edit("core/park.h", "void park_enqueue(",
                  "void park_forget(struct park_table *table);\nvoid park_enqueue(")
        self.told("park_forget changes state and has no row")

    def test_a_function_that_is_gone_is_told(self):
        self.edit(DATA, "[noun.function.park_remove]", "[noun.function.park_erase]")
        self.told("park_erase is declared in none of")
        self.told("park_remove changes state and has no row")

    def test_other_locks_in_the_header_are_told(self):
        self.edit("core/space.h", "MUST_CHECK status_t space_guard(",
                  "/* Locks: objects. Fails: INVALID. */\nMUST_CHECK status_t space_guard(")
        self.told("space_guard: locks ['TABLES'], but core/space.h says Locks: ['OBJECTS']")

    def test_locks_that_nothing_states_are_told(self):
        self.edit("core/cap_tree.h", " * Locks: derivation.\n", "")
        self.told("tree_add: nothing says Locks:")

    def test_a_new_status_of_the_header_is_told(self):
        self.edit("core/untyped.h", "/* Fails: BUSY while", "/* Fails: PRESSURE, BUSY while")
        self.told("untyped_reset: PRESSURE of Fails: in core/untyped.h is not in its row")

    def test_a_status_that_is_gone_is_told(self):
        self.edit("core/untyped.h", "/* Fails: BUSY while", "/* Fails: STALE while")
        self.told("untyped_reset: BUSY is in its row, but not in Fails:")

    def test_a_status_without_a_list_is_told(self):
        self.edit("core/untyped.h", "/* Fails: BUSY while a child lives. */", "/* May be busy. */")
        self.told("untyped_reset gives a status and has no Fails:")

    def test_a_missing_state_and_an_idle_one_are_told(self):
        self.edit("core/frame.h", "STATE(ANON, anon, ", "STATE(PRIVATE, private, ")
        self.told("no state ANON")
        self.told("PRIVATE is on no edge")

    def test_an_edge_by_nobody_is_told(self):
        self.edit("core/frame.h", "EDGE(UNTYPED, FREE, untyped_end)",
                  "EDGE(UNTYPED, FREE, untyped_finish)")
        self.told("no row is or leads to untyped_finish")

    def test_operations_are_the_lists_and_do_what_they_say(self):
        self.edit(DATA, 'GUARD = ["space_guard"]', 'GUARDS = ["space_guard"]')
        self.told("operation GUARD: in the list")
        self.edit(DATA, 'UNMAP = ["space_unmap"]', 'UNMAP = ["space_commit"]')
        self.told("space_commit does nothing with ENTRY_OP_UNMAP")
        self.told("virtual_memory.unmap does not lead to space_commit")

    def test_methods_lead_to_rows_or_are_said_to_be_quiet(self):
        self.edit(DATA, '    "clock.now",\n', '    "clock.then",\n')
        self.told("clock.now leads to no row")
        self.told("clock.then is in change_nothing, and no method")
        self.edit(DATA, '    "clock.then",\n', '    "virtual_memory.unmap",\n')
        self.told("virtual_memory.unmap is in change_nothing, but leads to a row")

    def test_a_method_that_does_it_no_more_is_told(self):
        self.edit("kernel/methods_untyped.c", "untyped_reset(this_core()", "reset_not(this_core()")
        self.told("untyped.reset leads to no row")

    def test_tests_and_names_exist(self):
        self.edit(DATA, '"counts_never_wrap"', '"counts_never_lie"')
        self.told("there is no test counts_never_lie")
        self.edit(DATA, '"test/qemu/threads.toml"', '"test/qemu/fibres.toml"')
        self.told("test/qemu/fibres.toml does not exist")
        self.edit(DATA, "`frame_set_state`", "`frame_put_state`")
        self.told("`frame_put_state` is nowhere in the code")

    def test_a_function_of_which_nothing_is_said_is_told(self):
        self.edit(DATA, 'does = "The whole range may be handed out again"\n', "")
        self.told("untyped_reset: neither its header nor its row says what it does")

    def test_a_row_without_a_test_is_told(self):
        self.edit(DATA, 'tests = ["references_are_counted"]', "tests = []")
        self.told("untyped_take: no test")


if __name__ == "__main__":
    unittest.main()
