#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Shows how work grows with the CPUs: ours and Linux's, in time and in shared steps.

    scaling.py --kernel KERNEL --archive ARCHIVE --programs FOLDER --out DIR [--json FILE]
               [--counts-only | --times-only]

Times: 1 and 2 CPUs, as many threads, each emulated CPU a thread of the host; so
they mean something only on a host with two idle processors.  Counts: 1 to 16
CPUs under instruction counting, which repeats; the emulator names the
instructions that are looked for as it comes to them:

    locks       spin locks taken
    contended   waits for one that another CPU held
    IPIs        interrupts sent to other CPUs
    atomic      locked instructions: each takes its line from the CPU that had it last

each for one operation.  All stores are not counted, only the locked ones: a
plain store to a line that another CPU reads costs as much and is not seen here.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import peers  # noqa: E402
import run  # noqa: E402

TIMED_CPUS = (1, 2)
COUNTED_CPUS = (1, 2, 4, 8, 16)
TIMEOUT_S = 1200
IDLE_LOAD = 0.5
SCALING = re.compile(r"scaling\t(\w+)\t(\d+)\t(\d+)\t(\d+)\t(\d+)")
LOG_LINE = re.compile(r"/([0-9a-f]{16})/")
# Of the kernel's disassembly: what is counted, and how its instruction looks.
LOCKED = re.compile(r"^(lock |xchg +%\w+,.*\(|xchg +.*\(.*\),%\w+)")
WAIT, IPI = "spin_wait", "cpu_send_ipi"


def without_counting(argv):
    """The machine of run.py with its CPUs side by side in time."""
    argv = list(argv)
    at = argv.index("-icount")
    del argv[at:at + 2]
    argv[argv.index("-accel") + 1] = "tcg,thread=multi"
    return argv


def with_cpus(argv, cpus):
    argv = list(argv)
    argv[argv.index("-smp") + 1] = str(cpus)
    return argv


def output_of(argv):
    result = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, timeout=TIMEOUT_S, check=False, text=True,
                            errors="replace")
    if "bench: done" not in result.stdout:
        sys.exit("scaling: the benchmark did not finish; it printed:\n" + result.stdout[-2000:])
    return result.stdout


def times(text):
    """{storm: (work ns an operation of one thread, total likewise)}"""
    return {name: (int(work) * int(threads) / int(operations),
                   int(total) * int(threads) / int(operations))
            for name, threads, operations, work, total in SCALING.findall(text)}


def time_ours(args, cpus):
    argv = run.machine(args.kernel, args.archive, f"bench scaling {cpus}")
    return times(output_of(without_counting(with_cpus(argv, cpus))))


def time_linux(kernel, disk, cpus):
    _, words = peers.CONFIGURATIONS["lean"]
    return times(output_of(
        ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", str(cpus),
         "-m", "1G", "-nographic", "-no-reboot", "-kernel", kernel, "-initrd", disk, "-append",
         f"console=ttyS0 quiet panic=-1 {words} -- scaling {cpus}"]))


def print_times(found):
    """found: {system: {cpus: times}}"""
    first, last = TIMED_CPUS
    lines = [("storm", "system", f"ns at {first} CPU", f"ns at {last} CPUs", "work", "total")]
    for storm in found["ours"][first]:
        for system, by_cpus in found.items():
            one, more = by_cpus[first][storm], by_cpus[last][storm]
            lines.append((storm, system, f"{one[0]:,.0f}", f"{more[0]:,.0f}",
                          f"{last * one[0] / more[0]:.2f}x", f"{last * one[1] / more[1]:.2f}x"))
    run.print_columns(lines)


# --- counts ---

def disassembly(kernel):
    """[(address, function, instruction)]"""
    out = subprocess.run(["objdump", "-d", "--no-show-raw-insn", kernel], check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    found, function = [], ""
    for line in out.splitlines():
        if head := re.match(r"[0-9a-f]+ <(.+)>:$", line):
            function = head.group(1)
        elif step := re.match(r" *([0-9a-f]+):\t(.*)", line):
            found.append((int(step.group(1), 16), function, step.group(2)))
    return found


def is_taking(steps, at):
    """Whether the exchange at `at` is spin_lock()'s: a 1 goes in, and what came out is tested."""
    exchange = re.match(r"xchg +%(e\w+|r\d+d),", steps[at][2])
    return exchange is not None and any(
        re.match(rf"test +%{exchange.group(1)},%{exchange.group(1)}", step[2])
        for step in steps[at + 1:at + 4])


def points(kernel):
    """{address: names of what is counted there}"""
    steps, found, seen = disassembly(kernel), {}, set()
    for at, (address, function, text) in enumerate(steps):
        names = []
        if LOCKED.match(text):
            names.append("atomic")
            if is_taking(steps, at):
                names.append("locks")
        if function not in seen and function in (WAIT, IPI):
            names.append({WAIT: "contended", IPI: "IPIs"}[function])
        seen.add(function)
        if names:
            found[address] = names
    return found


def symbol(path, name):
    out = subprocess.run(["nm", path], check=True, stdout=subprocess.PIPE, text=True).stdout
    return int(re.search(rf"(?m)^([0-9a-f]+) \w {name}$", out).group(1), 16)


def ranges_of(addresses):
    """The emulator's filter; neighbours would be one range, but there are none."""
    return ",".join(f"{address:#x}+1" for address in sorted(addresses))


def windows(log, begin, end):
    """[[address]] of what was logged between each pair of the two marks."""
    found, current = [], None
    for match in LOG_LINE.finditer(log):
        address = int(match.group(1), 16)
        if address == begin:
            current = []
        elif address == end and current is not None:
            found.append(current)
            current = None
        elif current is not None:
            current.append(address)
    return found


def count(args, cpus, counted):
    """{storm: {what: how many an operation}}"""
    bench = os.path.join(args.programs, "bench")
    begin, end = symbol(bench, "window_begin"), symbol(bench, "window_end")
    argv = with_cpus(run.machine(args.kernel, args.archive, f"bench counted {cpus}"), cpus)
    with tempfile.NamedTemporaryFile("r", errors="replace") as log:
        text = output_of(argv + ["-singlestep", "-d", "exec,nochain", "-D", log.name, "-dfilter",
                                 ranges_of([begin, end, *counted])])
        found = windows(log.read(), begin, end)
    storms = SCALING.findall(text)
    if len(found) != len(storms):
        sys.exit(f"scaling: {len(storms)} storms left {len(found)} windows in the log")
    result = {}
    for (name, _, operations, _, _), window in zip(storms, found):
        sums = dict.fromkeys(("locks", "contended", "IPIs", "atomic"), 0)
        for address in window:
            for what in counted[address]:
                sums[what] += 1
        result[name] = {what: number / int(operations) for what, number in sums.items()}
    return result


def print_counts(found):
    """found: {cpus: {storm: {what: number}}}"""
    lines = [("storm, an operation", "of", *[f"{cpus} CPUs" for cpus in found])]
    for storm, whats in found[COUNTED_CPUS[0]].items():
        for what in whats:
            lines.append((storm, what, *[f"{found[cpus][storm][what]:.2f}" for cpus in found]))
    run.print_columns(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("kernel", "archive", "programs", "out"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--json")
    parser.add_argument("--counts-only", action="store_true")
    parser.add_argument("--times-only", action="store_true")
    args = parser.parse_args()
    result = {}
    if not args.counts_only:
        kernel = peers.fetch_kernel(args.out)
        disk = peers.build_disk(args.out)
        if os.getloadavg()[0] > IDLE_LOAD:
            print(f"The host is busy (load {os.getloadavg()[0]:.1f}): "
                  "its times say nothing of 2 CPUs.", flush=True)
        result["times"] = {
            "ours": {cpus: time_ours(args, cpus) for cpus in TIMED_CPUS},
            "Linux": {cpus: time_linux(kernel, disk, cpus) for cpus in TIMED_CPUS}}
        print_times(result["times"])
    if not args.times_only:
        counted = points(args.kernel)
        result["counts"] = {cpus: count(args, cpus, counted) for cpus in COUNTED_CPUS}
        print_counts(result["counts"])
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
