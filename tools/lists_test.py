# SPDX-License-Identifier: BSD-2-Clause
"""Lists are read as written, and what is wrong with one is said."""
import io
import os
import tempfile
import unittest

import abi
import symbols
import xmacro

METHODS = """
#define CAD_METHOD_LIST(METHOD)                   \\
    METHOD(FOO, foo, bar, 1, READ, IN(badge, status), OUT(status, pages), "a | b, \\"c\\"") \\
    /* a comment */ \\
    METHOD(FOO, foo, end, 2, READ, IN(), OUT(), "nothing" \\
           " more")

#define AFTER 1
"""


class ListsTest(unittest.TestCase):
    def read(self, text, name="CAD_METHOD_LIST"):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "list.h")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            return xmacro.read(path, name)

    def load(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "methods.h")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            return abi.load(path)

    def test_rows_nested_calls_and_strings_are_read(self):
        rows = self.read(METHODS)
        self.assertEqual(rows[0], ("METHOD", [
            "FOO", "foo", "bar", "1", "READ", ("IN", ["badge", "status"]),
            ("OUT", ["status", "pages"]), 'a | b, "c"']))
        self.assertEqual(rows[1][1][5:], [("IN", []), ("OUT", []), "nothing more"])

    def test_what_is_no_list_is_refused(self):
        for text in ("", "#define CAD_METHOD_LIST(METHOD)\n",
                     "#define CAD_METHOD_LIST(METHOD) OTHER(1)\n",
                     "#define CAD_METHOD_LIST(METHOD) METHOD(1, ?)\n",
                     "#define CAD_METHOD_LIST(METHOD) METHOD(1\n"):
            with self.assertRaises(xmacro.ListError, msg=text):
                self.read(text)

    def test_a_method_number_twice_is_refused(self):
        with self.assertRaisesRegex(xmacro.ListError, "foo has 1 twice"):
            self.load(METHODS.replace("end, 2", "end, 1"))

    def test_clients_pass_words_in_order_and_write_results_on_success(self):
        first, second = self.load(METHODS)
        text = abi.client(first)
        self.assertIn("cad_foo_bar(cap_id_t cap, uint64_t badge, uint64_t status,", text)
        self.assertIn("uint64_t words[2] = {badge, status};", text)
        self.assertIn("if (answer == CAD_OK) {\n        *status_out = words[0];\n"
                      "        *pages = words[1];", text)
        self.assertIn("cad_invoke_0(", abi.client(second))

    def test_symbols_are_functions_by_address(self):
        found = symbols.parse(["0000000000000020 t local\n", "0000000000000010 T first\n",
                               "0000000000000030 D data\n", "                 U none\n",
                               "0000000000000010 T alias\n"])
        self.assertEqual(found, [(0x10, "first"), (0x20, "local")])
        out = io.StringIO()
        symbols.emit(found, out)
        self.assertIn(".quad 0x20, 6", out.getvalue())
        with self.assertRaises(SystemExit):
            symbols.parse(["what is this line\n"])


if __name__ == "__main__":
    unittest.main()
