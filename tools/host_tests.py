#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs host test programs in parallel and counts their tests.

A program that speaks TAP (cmocka does, when asked) counts one for each test in
its plan; any other counts as one test, passed when it exits with 0.  Tests that
were planned but not reached, as after a crash, count as failed.
"""
import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from results import Results, nothing_chosen  # noqa: E402

TIMEOUT_S = 180
TAIL_LINES = 60
ENVIRONMENT = {"CMOCKA_MESSAGE_OUTPUT": "TAP",
               "ASAN_OPTIONS": "abort_on_error=0:detect_stack_use_after_return=1",
               "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"}


def count(output, returncode):
    """Gives (passed, failed) of one program's output."""
    planned = sum(int(n) for n in re.findall(r"^1\.\.(\d+)", output, re.M))
    passed = len(re.findall(r"^ok \d+", output, re.M))
    failed = len(re.findall(r"^not ok \d+", output, re.M))
    if planned == 0 and passed + failed == 0:
        return (1, 0) if returncode == 0 else (0, 1)
    failed += max(0, planned - passed - failed)
    if returncode != 0 and failed == 0:
        failed = 1
    return passed, failed


def run(program):
    start = time.monotonic()
    try:
        result = subprocess.run([program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                env={**os.environ, **ENVIRONMENT}, timeout=TIMEOUT_S,
                                text=True, errors="replace", check=False)
        output, code = result.stdout, result.returncode
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode(errors="replace") + f"\nno end after {TIMEOUT_S} s\n"
        code = -1
    return time.monotonic() - start, output, code


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", required=True)
    parser.add_argument("--root", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--known", default="")
    parser.add_argument("programs", nargs="*")
    args = parser.parse_args()
    results = Results("test-lib", args.results)
    if not args.programs:
        return nothing_chosen(results, args.only, args.known.split())
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        futures = {pool.submit(run, program): program for program in args.programs}
        for future in concurrent.futures.as_completed(futures):
            seconds, output, code = future.result()
            passed, failed = count(output, code)
            name = os.path.relpath(futures[future], args.root)
            tail = "\n".join(output.splitlines()[-TAIL_LINES:])
            results.add(name, passed, failed, seconds, f"{tail}\n(exit status {code})")
    return results.finish()


if __name__ == "__main__":
    sys.exit(main())
