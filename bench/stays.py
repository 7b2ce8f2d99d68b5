#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Prints for how long each benchmark keeps interrupts off.

    stays.py --kernel KERNEL --archive ARCHIVE --programs FOLDER --plugin SO

The kernel runs with interrupts off, so what counts is its longest stay between
two user instructions (or idleness), in instructions: bench/plugin/stays.c sees
every one that runs, of every batch of every metric and in between.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import run  # noqa: E402
import trace  # noqa: E402

OPEN = {"idle": "cpu_idle", "take": "cpu_take_interrupts"}  # where interrupts are on
BATCHES = 11  # with the warm-ups: bench/programs/bench/measure.h


def plugin_argument(args):
    program = trace.Symbols([os.path.join(args.programs, "bench")])
    kernel = trace.Symbols([args.kernel])
    values = {"begin": program.address("window_begin"), "end": program.address("window_end")}
    for name, function in OPEN.items():
        values[name] = kernel.address(function)
        values[name + "_end"] = min(a for a in kernel.addresses if a > values[name])
    return ",".join([args.plugin] + [f"{name}={value:#x}" for name, value in values.items()])


def boot(args, log):
    argv = run.machine(args.kernel, args.archive, run.COMMANDS)
    argv += ["-plugin", plugin_argument(args), "-d", "plugin", "-D", log]
    result = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, timeout=run.TIMEOUT_S, check=False,
                            text=True, errors="replace")
    if "bench: done" not in result.stdout:
        sys.exit("stays: the benchmark did not finish; it printed:\n" + result.stdout)
    return re.findall(r"(?m)^items\t([\w@]+)\t", result.stdout)  # those that ran in batches


def longest_of_each(names, log):
    """{metric: longest stay}, and the longest since the first began, pauses between included."""
    stays = [int(value) for value in re.findall(r"(?m)^stay (\d+)$", log)]
    if len(stays) != BATCHES * len(names):
        sys.exit(f"stays: {len(stays)} windows of {len(names)} metrics")
    found = {name: max(stays[i * BATCHES:(i + 1) * BATCHES]) for i, name in enumerate(names)}
    return found, int(re.search(r"(?m)^stay_ever (\d+)$", log).group(1))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("kernel", "archive", "programs", "plugin"):
        parser.add_argument("--" + name, required=True)
    args = parser.parse_args()
    with tempfile.NamedTemporaryFile("r") as log:
        names = boot(args, log.name)
        found, ever = longest_of_each(names, log.read())
    what = {row["metric"]: row["what"] for row in run.budgets()}
    lines = [("operation", "longest stay")]
    lines += [(what.get(name, name), run.cell(stay)) for name, stay in found.items()]
    lines.append(("anything since the first of them began", run.cell(ever)))
    run.print_columns(lines)


if __name__ == "__main__":
    main()
