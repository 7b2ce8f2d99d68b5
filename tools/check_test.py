# SPDX-License-Identifier: BSD-2-Clause
"""Each rule of check.py finds what breaks it, and nothing in a clean tree."""
import os
import subprocess
import tempfile
import types
import unittest

import check

SPDX = "// SPDX-License-Identifier: BSD-2-Clause\n"


class CheckTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()  # pylint: disable=consider-using-with
        self.home = os.getcwd()
        os.chdir(self.folder.name)
        subprocess.run(["git", "init", "-q"], check=True)
        self.args = types.SimpleNamespace(out="build")

    def tearDown(self):
        os.chdir(self.home)
        self.folder.cleanup()

    def put(self, path, content):
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)

    def compiled(self, source, *included):
        self.put(source, SPDX)
        for path in included:
            self.put(path, SPDX)
        self.put(f"build/{source[:-2]}.d",
                 f"build/{source[:-2]}.o: {source} \\\n " + " ".join(included) + "\n")

    def test_a_layer_that_looks_up_is_found(self):
        self.compiled("core/a.c", "core/a.h", "base/b.h", "abi/c.h")
        self.compiled("kernel/k.c", "core/a.h", "arch/include/arch/cpu.h", "boot/boot_info.h",
                      "arch/x86_64/include/arch_machine/cpu.h", "build/generated/offsets.h")
        self.compiled("core/a_test.c", "kernel/k.h")
        self.assertEqual(check.check_layers(self.args), [])
        self.compiled("core/a.c", "kernel/k.h")
        self.compiled("kernel/k.c", "arch/x86_64/registers.h")
        self.compiled("user/u.c", "core/a.h")
        self.put("abi/c.h", SPDX + "#include <stdbool.h>\n")
        bad = "\n".join(check.check_layers(self.args))
        for part in ("core/a.c: includes kernel/k.h", "kernel/k.c: includes arch/x86_64/registers",
                     "user/u.c: includes core/a.h", "abi/c.h: includes stdbool.h"):
            self.assertIn(part, bad)

    def test_nothing_compiled_is_no_success(self):
        self.assertEqual(len(check.check_layers(self.args)), 1)

    def test_machine_conditionals_are_found_outside_arch(self):
        self.put("arch/x86_64/a.c", SPDX + "#ifdef __x86_64__\n#endif\n")
        self.assertEqual(check.check_machine_conditionals(None), [])
        self.put("kernel/a.c", SPDX + "#if defined(__aarch64__)\n#endif\n")
        self.assertRegex(check.check_machine_conditionals(None)[0], "kernel/a.c:2")

    def test_a_file_without_licence_is_found(self):
        self.put("a.py", "#!/usr/bin/env python3\n# SPDX-License-Identifier: BSD-2-Clause\n")
        self.assertEqual(check.check_licence(None), [])
        self.put("b.c", "int b;\n")
        self.assertEqual(check.check_licence(None), ["b.c: no SPDX line at its top"])

    def test_long_lines_blanks_and_left_overs_are_found(self):
        long_line = "x" * 101 + "\n"
        self.put("ok.h", SPDX + "// clang-format off\n" + long_line + "// clang-format on\n")
        self.assertEqual(check.check_lines(None), [])
        self.put("bad.h", SPDX + long_line + "blank \n// FIX" + "ME\n")
        bad = "\n".join(check.check_lines(None))
        for part in ("bad.h:2: 101 columns", "bad.h:3: blanks", "bad.h:4: FIX" + "ME"):
            self.assertIn(part, bad)
        self.put("huge.c", SPDX * 1001)
        self.assertIn("huge.c: 1002 lines", "\n".join(check.check_lines(None)))

    def test_a_function_that_is_too_long_is_found_and_a_table_is_not(self):
        body = "    x();\n" * 71
        self.put("a.c", "static const int t[] =\n{\n" + body + "};\nint f(void)\n{\n    y();\n}\n")
        self.assertEqual(check.check_functions(None), [])
        self.put("b.c", "int f(int a,\n      int b)\n{\n" + body + "}\n")
        self.assertRegex(check.check_functions(None)[0], "b.c:3: a function of 72 lines")

    def test_a_figure_that_is_told_wrong_or_not_at_all_is_found(self):
        self.put("proof/eva.toml", '[alarm."core/a.c"]\na.shift = [2, "w"]\nb.shift = [1, "w"]\n')
        self.put("proof/models/a.pml", "/*\n * RUN   a:\n * CATCH b: -DBUG_B\n */\n")
        self.put("proof/rows/a.toml", "[[fault]]\n[[fault]]\n")
        told = ("It leaves 3 alarms, in 2\nrows, with one fault put in, 1 in all, and 2 faults\n"
                "are listed.\n")
        self.put(check.ASSURANCE, told)
        self.assertEqual(check.check_figures(None), [])
        self.put(check.ASSURANCE, told.replace("3 alarms", "4 alarms").replace("2 faults", "Some"))
        bad = "\n".join(check.check_figures(None))
        self.assertIn("leaves 4 alarms, in 2 rows: they are 3, 2", bad)
        self.assertIn("does not say", bad)
        self.assertNotIn("in all", bad)

    def test_unknown_ids_and_unchecked_rows_are_found(self):
        heads = "| id | statement | checked by |\n| --- | --- | --- |\n"
        self.put("core/a.c", SPDX + "/* FR1 */\nint frame_check_all(void);\n")
        self.put("docs/invariants.md",
                 heads + "| FR1 | one state | `frame_check_all`, `core/a.c` |\n")
        self.assertEqual(check.check_requirements(None), [])
        self.put("core/b.c", SPDX + "/* UT2 */\n")
        self.put("docs/invariants.md", heads + "| FR1 | one state | `frame_gone`, `core/gone.c` |\n"
                 "| FR2 | none | - |\n")
        bad = "\n".join(check.check_requirements(None))
        for part in ("core/b.c: UT2 is not in", "FR1: frame_gone is nowhere",
                     "FR1: core/gone.c does not exist", "FR2: nothing checks it"):
            self.assertIn(part, bad)


if __name__ == "__main__":
    unittest.main()
