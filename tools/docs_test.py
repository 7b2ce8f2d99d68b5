# SPDX-License-Identifier: BSD-2-Clause
"""Documents follow the lists, and a hole in a list is no document."""
import contextlib
import io
import os
import re
import shutil
import tempfile
import unittest

import docs
import xmacro

SOURCES = ("abi", "arch/include", "base", "boot", "core", "kernel", "proof/rows",
           "arch/x86_64/include/arch_machine/layout.h", "user/rt/served.h",
           "user/rt/linux_names.h", "user/shell/shell.h", "docs/memory-model.toml",
           "test/fault_sites_unreached.toml")


class DocsTest(unittest.TestCase):
    def setUp(self):
        self.home = os.getcwd()
        self.folder = tempfile.TemporaryDirectory()  # pylint: disable=consider-using-with
        for path in SOURCES:
            target = os.path.join(self.folder.name, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            (shutil.copytree if os.path.isdir(path) else shutil.copy)(path, target)
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

    def test_what_was_written_is_fresh_until_a_list_changes(self):
        self.assertEqual(len(docs.stale()), len(docs.PAGES))
        with contextlib.redirect_stdout(io.StringIO()):
            docs.write()
        self.assertEqual(docs.stale(), [])
        self.edit("abi/status.h", '"done"', '"all went well"')
        self.assertEqual(docs.stale(), ["docs/errors.md"])
        self.edit("base/lock_rank.h", "TRACE", "TRAIL")
        self.assertEqual(docs.stale(), ["docs/errors.md", "docs/locks.md"])

    def test_a_missing_or_double_transition_is_refused(self):
        path = "core/entry_transitions.h"
        with open(path, encoding="utf-8") as file:
            text = file.read()
        row = next(line for line in text.split("\n") if "REFUSAL(   NONE,      COMMIT," in line)
        self.edit(path, row + "\n", "")
        with self.assertRaisesRegex(xmacro.ListError, "NONE x COMMIT is missing"):
            docs.render_transitions()
        self.edit(path, "    REFUSAL(   NONE,      DECOMMIT,", row + "\n" + row + "\n"
                  "    REFUSAL(   NONE,      DECOMMIT,")
        with self.assertRaisesRegex(xmacro.ListError, "NONE x COMMIT is there twice"):
            docs.render_transitions()

    def test_places_are_sorted_and_commented(self):
        places = [line for line in docs.render_memory_map().split("\n")
                  if re.match(r"\| `[0-9a-f]{16}`", line)]
        self.assertEqual(places, sorted(places))
        self.assertTrue(any("`KERNEL_BASE`" in line and "The image" in line for line in places))


if __name__ == "__main__":
    unittest.main()
