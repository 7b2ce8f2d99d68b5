# SPDX-License-Identifier: BSD-2-Clause
"""The runners say no when they should: a test that cannot fail proves nothing."""
import os
import subprocess
import sys
import tempfile
import unittest

import host_tests
import qemu

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "test", "qemu"))
import run_tests  # noqa: E402

CLEAN = "one\ntwo\naudit: 120 checks, 0 violations\n"


class HostCountTest(unittest.TestCase):
    def test_tap_and_plain_programs_are_counted(self):
        self.assertEqual(host_tests.count("1..2\nok 1 - a\nok 2 - b\n", 0), (2, 0))
        self.assertEqual(host_tests.count("1..2\nok 1 - a\nnot ok 2 - b\n", 1), (1, 1))
        self.assertEqual(host_tests.count("hello\n", 0), (1, 0))
        self.assertEqual(host_tests.count("hello\n", 3), (0, 1))

    def test_a_crash_fails_what_was_not_reached(self):
        self.assertEqual(host_tests.count("1..3\nok 1 - a\n", -6), (1, 2))
        self.assertEqual(host_tests.count("1..1\nok 1 - a\n", 1), (1, 1))


class MachineTest(unittest.TestCase):
    def test_sizes_and_counts_are_read_and_refused(self):
        self.assertEqual([qemu.parse_mem(t) for t in ("64M", "1G", "512")], [64, 1024, 512])
        self.assertEqual(qemu.parse_cpus("64"), 64)
        for bad in ("", "1T", "x", "-1", "16M", "1.5G"):
            with self.assertRaises(qemu.MachineError, msg=bad):
                qemu.parse_mem(bad)
        for bad in ("0", "65", "", "two"):
            with self.assertRaises(qemu.MachineError, msg=bad):
                qemu.parse_cpus(bad)

    def test_commands_are_quoted_whole(self):
        self.assertEqual(qemu.kernel_command_line('echo "a \\ b"; halt', "trace=on"),
                         'trace=on shell.cmd="echo \\"a \\\\ b\\"; halt"')
        for bad in ("x" * 1100, "a\nb"):
            with self.assertRaises(qemu.MachineError):
                qemu.kernel_command_line(bad)

    def test_statuses_of_guest_and_emulator_are_told_apart(self):
        warning = "qemu-system-x86_64: warning: TCG doesn't support that\n"
        self.assertEqual(qemu.guest_status(1, warning), 0)
        self.assertEqual(qemu.guest_status(15, ""), 7)
        self.assertEqual(qemu.guest_status((101 << 1) | 1), qemu.STATUS_PANIC)
        for code, errors in ((0, ""), (-9, ""), (1, "qemu-system-x86_64: unable to find CPU\n"),
                             (1, "qemu: initrd is too large, cannot support.\n")):
            self.assertEqual(qemu.guest_status(code, errors), qemu.STATUS_NO_ANSWER)


class JudgeTest(unittest.TestCase):
    def judge(self, text=CLEAN, returncode=1, errors="", **keys):
        run_tests.judge({**run_tests.DEFAULTS, **keys}, text, returncode, errors)

    def refuse(self, regex, *arguments, **keys):
        with self.assertRaisesRegex(run_tests.TestError, regex):
            self.judge(*arguments, **keys)

    def test_a_good_run_passes(self):
        self.judge(expect=["one", "two"])
        self.judge(returncode=7, status=3)

    def test_a_bad_run_fails_and_says_why(self):
        self.refuse("after the one before", expect=["two", "one"])
        self.refuse("did not come at all", expect=["three"])
        self.refuse("forbidden", forbid=["tw."])
        self.refuse("no audit", "one\n")
        self.refuse("forbidden", "audit: 9 checks, 2 violations\n" + CLEAN)
        self.refuse("not clean", "audit: 9 checks, violations: many\n")
        self.refuse("forbidden", "kernel panic\n" + CLEAN)
        self.refuse("status 5, expected 0", returncode=11)
        self.refuse("status 102", returncode=0)


class ProgramTest(unittest.TestCase):
    """Tools with a fake world around them, a folder of commands in PATH."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()  # pylint: disable=consider-using-with
        self.bin = os.path.join(self.folder.name, "bin")
        os.mkdir(self.bin)
        for name in ("sh", "env", "python3", "id", "cat", "touch"):
            path = subprocess.run(["sh", "-c", f"command -v {name}"], check=True,
                                  stdout=subprocess.PIPE, text=True).stdout.strip()
            os.symlink(path, os.path.join(self.bin, name))

    def tearDown(self):
        self.folder.cleanup()

    def command(self, name, text):
        path = os.path.join(self.bin, name)
        if os.path.lexists(path):
            os.remove(path)
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n" + text + "\n")
        os.chmod(path, 0o755)

    def run_tool(self, *argv):
        return subprocess.run([os.path.join(HERE, argv[0]), *argv[1:]], capture_output=True,
                              text=True, check=False, env={**os.environ, "PATH": self.bin})

    def test_setup_names_what_it_cannot_install(self):
        self.command("id", "echo 1000")
        result = self.run_tool("setup.sh", "run")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"missing: gcc binutils .*qemu-system-x86")
        self.assertRegex(result.stderr, "not root and no sudo")

    def test_setup_installs_by_sudo_and_says_what(self):
        self.command("id", "echo 1000")
        self.command("sudo", 'exec "$@"')
        self.command("apt-get", f'echo "$*" >>{self.folder.name}/log')
        result = self.run_tool("setup.sh", "test")
        self.assertEqual(result.returncode, 0, result.stderr)
        with open(os.path.join(self.folder.name, "log"), encoding="utf-8") as file:
            update, install = file.read().splitlines()
        self.assertTrue(update.startswith("update"))
        self.assertRegex(install, r"^install -y .* gcc binutils .*qemu-system-x86")
        self.assertRegex(result.stdout, "installing .*: gcc")

    def test_setup_fails_when_apt_fails(self):
        self.command("id", "echo 0")
        self.command("apt-get", "exit 100")
        result = self.run_tool("setup.sh", "run")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, "apt-get update failed")

    def emulate(self, script, *options):
        self.command("qemu-system-x86_64", script)
        kernel = os.path.join(self.folder.name, "kernel")
        with open(kernel, "w", encoding="utf-8"):
            pass
        return self.run_tool("run.py", "--kernel", kernel, *options)

    def test_run_ends_with_the_last_status(self):
        result = self.emulate("echo out; exit 15", "--cmd", "halt")
        self.assertEqual((result.returncode, result.stdout), (7, "out\n"))
        result = self.emulate("exit 203", "--cmd", "halt")
        self.assertEqual(result.returncode, 101)
        self.assertRegex(result.stderr, "the kernel panicked")
        result = self.emulate("echo 'qemu-system-x86_64: no such CPU' >&2; exit 1", "--cmd", "halt")
        self.assertEqual(result.returncode, 102)
        self.assertRegex(result.stderr, "the emulator failed")

    def test_run_refuses_bad_machines_and_missing_files(self):
        for option, value, regex in (("--mem", "lots", "MEM=lots"), ("--cpus", "0", "CPUS=0"),
                                     ("--archive", "/nowhere", "/nowhere: no such file")):
            result = self.emulate("exit 1", "--cmd", "halt", option, value)
            self.assertEqual(result.returncode, 2)
            self.assertRegex(result.stderr, regex)

    def test_all_tests_adds_up_and_fails_what_did_not_run(self):
        results = os.path.join(self.folder.name, "results")
        self.command("make", f'case $1 in good) echo "3 0" >{results}/good;; '
                             f'bad) echo "1 2" >{results}/bad; exit 1;; *) exit 2;; esac')
        for name in ("rm", "mkdir", "date"):
            os.symlink(f"/bin/{name}", os.path.join(self.bin, name))
        os.environ.pop("MAKE", None)

        def last_line(*suites):
            result = self.run_tool("all_tests.sh", results, *suites)
            return result.returncode, result.stdout.splitlines()[-1]

        self.assertEqual(last_line("good"), (0, "3 passed, 0 failed"))
        self.assertEqual(last_line("good", "bad"), (1, "4 passed, 2 failed"))
        self.assertEqual(last_line("good", "gone"), (1, "3 passed, 1 failed"))


if __name__ == "__main__":
    unittest.main()
