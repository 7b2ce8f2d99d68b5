# SPDX-License-Identifier: BSD-2-Clause
"""PROGRAMS=dir: what is taken, and that what is not is named."""
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
GOOD = """
#include <pthread.h>
#include <stdio.h>
#include "mine.h"
static void *work(void *argument) { return argument; }
int main(void)
{
    pthread_t thread;
    void *result;
    if (pthread_create(&thread, NULL, work, MINE) || pthread_join(thread, &result)) return 1;
    puts(result);
    return 7;
}
"""


class ProgramsTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()  # pylint: disable=consider-using-with
        self.source = os.path.join(self.folder.name, "source")
        self.output = os.path.join(self.folder.name, "output")
        os.mkdir(self.source)

    def tearDown(self):
        self.folder.cleanup()

    def put(self, name, content):
        path = os.path.join(self.source, name)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return path

    def run_tool(self, *in_use):
        return subprocess.run([sys.executable, os.path.join(HERE, "programs.py"), self.source,
                               self.output, *in_use], capture_output=True, text=True, check=False)

    def assert_refused(self, regex, *in_use):
        result = self.run_tool(*in_use)
        self.assertNotEqual(result.returncode, 0)
        self.assertRegex(result.stderr, regex)
        self.assertFalse(os.path.exists(self.output))

    def build(self, name, *options):
        source = self.put("tmp.c", "int main(void) { return 0; }\n")
        subprocess.run(["gcc", *options, "-o", os.path.join(self.source, name), source],
                       check=True)
        os.remove(source)

    def test_a_c_file_becomes_a_static_program_that_runs(self):
        self.put("mine.c", GOOD)
        self.put("mine.h", '#define MINE "hello from musl"\n')
        result = self.run_tool("shell")
        self.assertEqual(result.returncode, 0, result.stderr)
        program = subprocess.run([os.path.join(self.output, "mine")], capture_output=True,
                                 text=True, check=False)
        self.assertEqual((program.returncode, program.stdout), (7, "hello from musl\n"))
        with open(os.path.join(self.output, "mine"), "rb") as file:
            self.assertNotIn(b"GLIBC", file.read())

    def test_a_static_elf_file_is_copied(self):
        self.build("other", "-static", "-no-pie")
        self.assertEqual(self.run_tool().returncode, 0)
        self.assertEqual(os.listdir(self.output), ["other"])

    def test_elf_files_that_could_not_run_are_refused(self):
        self.build("dynamic")
        self.assert_refused("dynamic: dynamically linked")
        os.remove(os.path.join(self.source, "dynamic"))
        self.build("pie", "-static-pie")
        self.assert_refused("pie: position independent")
        os.remove(os.path.join(self.source, "pie"))
        self.put("short", b"\x7fELF\2\1\1")
        self.assert_refused("short: an ELF file, but not a whole")

    def test_a_c_file_with_an_error_is_named(self):
        self.put("broken.c", "int main(void) { return nothing; }\n")
        self.assert_refused(r"broken\.c:1:(.|\n)*broken\.c: does not compile")

    def test_other_files_and_folders_are_refused(self):
        self.put("notes.txt", "hello")
        self.assert_refused("notes.txt: neither a C file nor an ELF file")
        os.remove(os.path.join(self.source, "notes.txt"))
        os.mkdir(os.path.join(self.source, "sub"))
        self.assert_refused("sub: not a file")

    def test_names_in_use_are_refused(self):
        self.put("shell.c", "int main(void) { return 0; }\n")
        self.assert_refused("shell.c: a program named shell is already there", "shell")
        os.rename(os.path.join(self.source, "shell.c"), os.path.join(self.source, "x.c"))
        self.build("x", "-static", "-no-pie")
        self.assert_refused("x.c: a program named x is already there")

    def test_an_empty_or_missing_folder_is_refused(self):
        self.assert_refused("no C file and no ELF file")
        os.rmdir(self.source)
        self.assert_refused("source: no such folder")


if __name__ == "__main__":
    unittest.main()
