#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs the tests of the build's own tools: tools/*_test.py (unittest)."""
import argparse
import os
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from results import Results, nothing_chosen  # noqa: E402


class Recorder(unittest.TestResult):
    """Passes each test's end on to Results."""

    def __init__(self, results):
        super().__init__()
        self.results, self.bad, self.start = results, None, 0.0

    def startTest(self, test):
        super().startTest(test)
        self.bad, self.start = None, time.monotonic()

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.bad = self.failures[-1][1]

    def addError(self, test, err):
        super().addError(test, err)
        self.bad = self.errors[-1][1]

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.bad = f"{subtest}: {err[1]}"

    def stopTest(self, test):
        super().stopTest(test)
        name = test.id().replace("_test.", "/").replace("test_", "")
        self.results.add(name, int(not self.bad), int(bool(self.bad)),
                         time.monotonic() - self.start, self.bad or "")


def flatten(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flatten(item)
        else:
            yield item


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", required=True)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    results = Results("test-tools", args.results)
    tests = list(flatten(unittest.defaultTestLoader.discover(HERE, "*_test.py")))
    chosen = [test for test in tests if args.only in test.id()]
    if not chosen:
        return nothing_chosen(results, args.only, {test.id().split(".")[0] for test in tests})
    unittest.TestSuite(chosen).run(Recorder(results))
    return results.finish()


if __name__ == "__main__":
    sys.exit(main())
