#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs the stress programs, some beside each other, until the time is over.

    stress.py --image KERNEL,ARCHIVE --minutes 10 --logs DIR --results FILE

The minutes are shared by machines of 1, 2, 4 and 8 CPUs.  Each runs rounds of the same
programs, and ends with an audit that must be clean: what a round leaves behind adds up.
"""
import argparse
import os
import re
import sys
import time

import run_tests
from results import Results

CPUS = (1, 2, 4, 8)
MEM_MIB = 1024
PROMPT = r"cadastre> $"
# Programs that say how many checks they made, and what runs beside others.
ROUND = ("races & execution; wait; threads & races reuse 2; wait; "
         "execution & threads; wait; races reuse 2 & hostile; wait; echo round over $?")
ROUND_TIMEOUT_S = 300
CHECKS = re.compile(r"(?m)^\w+: (\d+) checks, (\d+) failed")


def rounds(guest, seconds):
    """Gives: how many there were."""
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        guest.wait_for(PROMPT, time.monotonic() + ROUND_TIMEOUT_S)
        guest.send(ROUND + "\r")
        guest.wait_for(r"\nround over \d", time.monotonic() + ROUND_TIMEOUT_S)
        count += 1
    return count


def stress(cpus, args):
    """One machine.  Gives: rounds and checks; raises TestError."""
    kernel, archive = args.image.split(",")
    argv = run_tests.qemu.command(kernel, archive, cpus=cpus, mem_mib=MEM_MIB)
    guest = run_tests.Guest(argv, os.path.join(args.logs, f"stress-{cpus}.log"))
    spec = {**run_tests.DEFAULTS, "forbid": ["FAILED", r"[1-9]\d* failed", "PRESSURE"]}
    deadline = time.monotonic() + args.minutes * 60 / len(CPUS) + ROUND_TIMEOUT_S
    try:
        count = rounds(guest, args.minutes * 60 / len(CPUS))
        guest.send("audit; halt\r")
        returncode = guest.wait_end(deadline)
    finally:
        errors = guest.close()
    run_tests.judge(spec, guest.text, returncode, errors)
    return count, sum(int(made) for made, _ in CHECKS.findall(guest.text))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image", required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--logs", required=True)
    parser.add_argument("--results", required=True)
    args = parser.parse_args()
    os.makedirs(args.logs, exist_ok=True)
    results = Results(os.path.basename(args.results), args.results)
    for cpus in CPUS:
        start = time.monotonic()
        try:
            count, checks = stress(cpus, args)
            results.add(f"{cpus} CPUs, {count} rounds, {checks:,} checks", 1, 0,
                        time.monotonic() - start)
        except run_tests.TestError as error:
            results.add(f"{cpus} CPUs", 0, 1, time.monotonic() - start,
                        f"{error}\n{args.logs}/stress-{cpus}.log")
    return results.finish()


if __name__ == "__main__":
    sys.exit(main())
