#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boots the benchmark under instruction counting and prints it beside its budgets.

    run.py --kernel KERNEL --archive ARCHIVE [--json FILE]

One CPU, `-icount shift=0,sleep=off`: one guest instruction is one tick of the
time-stamp counter, so the figures repeat to the digit on any host.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tomllib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tools"))
import qemu  # noqa: E402

TIMEOUT_S = 600
COMMANDS = "bench; counters"


def machine(kernel, archive, commands):
    """The emulator's argument vector: one CPU that counts instructions."""
    line = qemu.kernel_command_line(commands)
    argv = qemu.command(kernel, archive, cpus=1, cpu="max", command_line=line)
    accel = argv.index("-accel")
    argv[accel + 1] = "tcg"
    argv[accel:accel] = ["-icount", "shift=0,sleep=off"]
    return argv


def boot(kernel, archive, commands, done):
    """What one boot printed; it must hold `done`."""
    result = subprocess.run(machine(kernel, archive, commands), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_S,
                            check=False, text=True, errors="replace")
    if done not in result.stdout:
        sys.exit("bench: the benchmark did not finish; it printed:\n" + result.stdout)
    return result.stdout


def metrics(text):
    """{metric: median}"""
    return {name: int(median) for name, median in
            re.findall(r"(?m)^metric\t([\w@]+)\t(\d+)\t\d+", text)}


def measure(kernel, archive, commands):
    """{metric: median} of one boot."""
    text = boot(kernel, archive, commands, "boot cycles to init")
    found = metrics(text)
    found["boot_to_init"] = int(re.search(r"(?m)^boot cycles to init\s+(\d+)", text).group(1))
    return found


def text_bytes(kernel):
    out = subprocess.run(["size", "-A", kernel], check=True, stdout=subprocess.PIPE,
                         text=True).stdout
    return int(re.search(r"(?m)^\.text\s+(\d+)", out).group(1))


def cell(value, of=None):
    if value is None:
        return "-"
    return f"{value:,}" if of is None else f"{value / of:.2f}x"


def budgets():
    with open(os.path.join(HERE, "budgets.toml"), "rb") as file:
        return tomllib.load(file)["row"]


def print_columns(lines):
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        print("  ".join(text.ljust(widths[i]) if i == 0 else text.rjust(widths[i])
                        for i, text in enumerate(line)))


def table(rows, found):
    lines = [("operation", "budget", "result", "of budget", "Linux", "seL4")]
    for row in rows:
        result = found.get(row["metric"])
        lines.append((row["what"], cell(row["budget"]), cell(result),
                      cell(result, row["budget"]) if result is not None else "-",
                      cell(row.get("linux")), cell(row.get("sel4"))))
    print_columns(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--archive", required=True)
    parser.add_argument("--json")
    args = parser.parse_args()
    found = measure(args.kernel, args.archive, COMMANDS)
    found["kernel_text_bytes"] = text_bytes(args.kernel)
    table(budgets(), found)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(found, file, indent=1, sort_keys=True)
            file.write("\n")


if __name__ == "__main__":
    main()
