#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Shows where the instructions of one benchmark go.

    trace.py --kernel KERNEL --archive ARCHIVE --programs FOLDER --runtime RT METRIC

The emulator names every instruction it runs; of these the last batch of METRIC
is kept (between bench's window_begin and window_end).  Printed: instructions
of each function for one operation, and the path of one operation, function by
function, each with the instructions it ran there.
"""
import argparse
import array
import bisect
import fcntl
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import run  # noqa: E402

LINE = re.compile(rb"/([0-9a-f]{16})/")
CHUNK = 1 << 22
PIPE_BYTES = 1 << 20
PATH_STEPS_MAX = 400
# The kernel, programs and the runtime: not the firmware, which runs 16 million instructions.
TRACED = "0xffffffff80000000+0x10000000,0x400000+0x10000000,0x7f8000000000+0x200000"


class Symbols:
    """Functions of several images; an address belongs to the last one that begins before it."""

    def __init__(self, paths):
        found = []
        for path in paths:
            out = subprocess.run(["nm", "-n", path], check=True, stdout=subprocess.PIPE, text=True)
            found += [(int(address, 16), name) for address, kind, name in
                      (line.split() for line in out.stdout.splitlines() if line[0] != " ")
                      if kind in "tTwW" and not name.startswith(".L")]
        found.sort()
        self.addresses = [address for address, _ in found]
        self.names = [name for _, name in found]

    def address(self, name):
        return self.addresses[self.names.index(name)]

    def name(self, address):
        return self.names[max(bisect.bisect_right(self.addresses, address) - 1, 0)]


def last_window(log, begin, end):
    """Addresses run between the last pair of the two marks."""
    window, current, rest = array.array("Q"), None, b""
    begin_text, end_text = b"/%016x/" % begin, b"/%016x/" % end
    while chunk := log.read(CHUNK):
        text, _, rest = (rest + chunk).rpartition(b"\n")
        if current is None and begin_text not in text:
            continue
        if begin_text not in text and end_text not in text:
            current.extend(int(a, 16) for a in LINE.findall(text))
            continue
        for address in (int(a, 16) for a in LINE.findall(text)):
            if address == begin:
                current = array.array("Q")
            elif address == end and current is not None:
                window, current = current, None
            elif current is not None:
                current.append(address)
    return window


def record(args, symbols):
    """(addresses of the window, operations in it)."""
    argv = run.machine(args.kernel, args.archive, f"bench {args.metric}")
    read_end, write_end = os.pipe()
    fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    argv += ["-singlestep", "-d", "exec,nochain", "-D", f"/dev/fd/{write_end}", "-dfilter",
             TRACED]
    with tempfile.TemporaryFile() as console, os.fdopen(read_end, "rb") as log:
        with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=console,
                              stderr=subprocess.STDOUT, pass_fds=[write_end]) as machine:
            os.close(write_end)
            window = last_window(log, symbols.address("window_begin"),
                                 symbols.address("window_end"))
            machine.wait()
        console.seek(0)
        text = console.read().decode(errors="replace")
    items = re.search(rf"(?m)^items\t{args.metric}\t(\d+)", text)
    if items is None or not window:
        sys.exit(f"trace: there is no metric {args.metric}; the machine said:\n{text}")
    return window, int(items.group(1))


def steps(names):
    """[[function, instructions]] of consecutive instructions of one function."""
    found = []
    for name in names:
        if found and found[-1][0] == name:
            found[-1][1] += 1
        else:
            found.append([name, 1])
    return found


def print_profile(names, operations):
    counts = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    print(f"{len(names) / operations:10.1f}  instructions an operation, of {operations}")
    for name, count in sorted(counts.items(), key=lambda item: -item[1]):
        if count * 500 >= len(names):
            print(f"{count / operations:10.1f}  {name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("kernel", "archive", "programs", "runtime"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("metric")
    args = parser.parse_args()
    symbols = Symbols([args.kernel, os.path.join(args.programs, "bench"), args.runtime])
    window, operations = record(args, symbols)
    names = [symbols.name(address) for address in window]
    print_profile(names, operations)
    each = max(len(names) // operations, 1)
    middle = operations // 2 * each
    print("\nthe path of about one:")
    for name, count in steps(names[middle:middle + each + 1])[:PATH_STEPS_MAX]:
        print(f"{count:10}  {name}")


if __name__ == "__main__":
    main()
