# SPDX-License-Identifier: BSD-2-Clause
"""What all test runners share: a line per test, a result file for `make test`."""
import os
import sys


class Results:
    """Counts, prints each test as it ends, writes the counts at the end."""

    def __init__(self, suite, path):
        self.suite, self.path = suite, path
        self.passed = self.failed = 0

    def add(self, name, passed, failed, seconds, detail=""):
        """One line for a test or a program of tests; `detail` shown when it failed."""
        self.passed += passed
        self.failed += failed
        word = "FAIL" if failed else "ok"
        count = f"{passed + failed:4} tests" if passed + failed != 1 else ""
        print(f"  {word:4}  {name:<44} {seconds:7.2f} s {count}", flush=True)
        if failed and detail:
            print("\n".join("        " + line for line in detail.splitlines()), flush=True)

    def finish(self):
        """Gives the exit status."""
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        with open(self.path, "w", encoding="utf-8") as out:
            out.write(f"{self.passed} {self.failed}\n")
        print(f"{self.suite}: {self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed else 0


def nothing_chosen(results, only, names):
    """A filter that chooses nothing is a mistake, unless other suites are asked
    too (tools/all_tests.sh).  Gives the exit status."""
    if os.environ.get("ALL_TESTS") and only:
        return results.finish()
    known = ", ".join(sorted(names)) or "none at all"
    print(f"{results.suite}: T={only}: no test has this in its name; there are: {known}",
          file=sys.stderr)
    return 2
