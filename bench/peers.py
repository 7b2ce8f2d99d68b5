#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measures Linux under the emulator that `make bench` uses, and prints both.

    peers.py --out DIR --ours bench.json [--json FILE]

The kernel is Debian's for the cloud, unpacked from its package into DIR and not
installed; bench/peers/linux.c is its /init.  Each configuration takes one or two minutes.
`lean` is Linux at its best here: without mitigations, without clearing on allocation
what is written over anyway, clearing pages by eights (the emulator counts each step
of a string instruction).
"""
import argparse
import glob
import gzip
import json
import os
import re
import subprocess
import sys

import run

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = "linux-image-cloud-amd64"
TIMEOUT_S = 900
# {name: (processor, words of the kernel's command line)}
CONFIGURATIONS = {"Linux": ("max", ""),
                  "lean": ("max,-erms", "mitigations=off init_on_alloc=0 no5lvl")}


def apt(*command, **options):
    try:
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options)
    except subprocess.CalledProcessError as error:
        sys.exit(f"peers: {' '.join(command)}: failed with status {error.returncode}; "
                 "with stale package lists, run apt-get update")


def fetch_kernel(out):
    """The path of the kernel's image; downloaded once."""
    found = glob.glob(os.path.join(out, "root/boot/vmlinuz-*"))
    if not found:
        facts = apt("apt-cache", "show", "--no-all-versions", PACKAGE).stdout
        package = re.search(r"(?m)^Depends: (\S+)", facts).group(1)
        print(f"  GET   {package} (30 MiB, unpacked here, not installed)", flush=True)
        os.makedirs(out, exist_ok=True)
        apt("apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", package, cwd=out)
        for archive in glob.glob(os.path.join(out, "*.deb")):
            apt("dpkg-deb", "-x", archive, os.path.join(out, "root"))
            os.remove(archive)
        found = glob.glob(os.path.join(out, "root/boot/vmlinuz-*"))
    return sorted(found)[-1]


def compile_c(compiler, output, sources, *flags):
    subprocess.run([compiler, "-std=gnu17", "-O2", "-Wall", "-Wextra", "-static", "-s", *flags,
                    "-o", output, *sources], check=True)


def cpio(files):
    """A `newc` archive of {name: bytes}, all of them programs; see cpio(5)."""
    data = b""
    for number, (name, content) in enumerate([*files.items(), ("TRAILER!!!", b"")], 1):
        mode = 0o100755 if content else 0
        fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        data += b"070701" + b"".join(b"%08x" % field for field in fields)
        for text in (name.encode() + b"\0", content):
            data += text
            data += b"\0" * (-len(data) % 4)
    return data


def build_disk(out):
    """The initial RAM disk: /init and the program that it spawns."""
    peers = os.path.join(HERE, "peers")
    init, nothing = os.path.join(out, "init"), os.path.join(out, "nothing")
    compile_c("gcc", init, [os.path.join(peers, "linux.c"),
                            os.path.join(peers, "linux_scaling.c"),
                            os.path.join(HERE, "programs/bench/measure.c"),
                            os.path.join(HERE, "programs/bench/scaling.c")],
              "-pthread", "-Wl,-e,first")
    compile_c("gcc", nothing, [os.path.join(peers, "nothing.c")], "-ffreestanding", "-nostdlib",
              "-fno-asynchronous-unwind-tables", "-Wl,--build-id=none")
    contents = {}
    for path in (init, nothing):
        with open(path, "rb") as file:
            contents[os.path.basename(path)] = file.read()
    disk = os.path.join(out, "disk.gz")
    with open(disk, "wb") as file:
        file.write(gzip.compress(cpio(contents), mtime=0))
    return disk


def boot(kernel, disk, processor, words):
    """{metric: median} of one boot."""
    line = f"console=ttyS0 quiet panic=-1 {words}".strip()
    argv = ["qemu-system-x86_64", "-accel", "tcg", "-icount", "shift=0,sleep=off", "-seed", "1",
            "-rtc", "base=2026-01-01,clock=vm", "-cpu", processor, "-m", "1G", "-nographic",
            "-no-reboot", "-kernel", kernel, "-initrd", disk, "-append", line]
    result = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, timeout=TIMEOUT_S, check=False, text=True,
                            errors="replace")
    if "bench: done" not in result.stdout:
        sys.exit("peers: Linux did not finish the benchmark; it printed:\n"
                 + result.stdout[-2000:])
    return {name: int(median) for name, median in
            re.findall(r"(?m)^metric\t(\w+)\t(\d+)\t\d+", result.stdout)}


def table(rows, ours, peers):
    """What we pay, what each peer pays, and how many times as much that is."""
    names = list(peers)
    lines = [["operation", "ours", *sum(([name, "times"] for name in names), [])]]
    for row in rows:
        mine = ours.get(row["metric"])
        theirs = [peers[name].get(row["metric"]) for name in names]
        if mine is None or not any(theirs):
            continue
        lines.append([row["what"], run.cell(mine), *sum(
            ([run.cell(value), f"{value / mine:.1f}" if value and mine else "-"]
             for value in theirs), [])])
    run.print_columns(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True)
    parser.add_argument("--ours", required=True)
    parser.add_argument("--json")
    args = parser.parse_args()
    kernel = fetch_kernel(args.out)
    disk, peers = build_disk(args.out), {}
    for name, (processor, words) in CONFIGURATIONS.items():
        print(f"  BOOT  {os.path.basename(kernel)}, {name} (-cpu {processor} {words})".rstrip(),
              flush=True)
        peers[name] = boot(kernel, disk, processor, words)
    with open(args.ours, encoding="utf-8") as file:
        ours = json.load(file)
    table(run.budgets(), ours, peers)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump({"ours": ours, **peers}, file, indent=1, sort_keys=True)
            file.write("\n")


if __name__ == "__main__":
    main()
