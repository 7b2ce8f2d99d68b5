#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Breaks proved files one small fault at a time (`make mutate`).

    mutate.py --results FILE [--only core/FILE.c]

Each row of proof/mutations.toml is a fault: the edit must apply once, the copy
must still compile, and a goal of the named function must fail.  A control runs
the same functions unbroken under the same limits, or "caught" could mean no
more than "out of time".
"""
import argparse
import os
import shutil
import subprocess
import sys
import time
import tomllib

import wp

sys.path.insert(0, os.path.join(wp.ROOT, "tools"))
from results import Results  # noqa: E402

TIMEOUT = 8
COPIED = ("abi", "base", "core")


def copy_tree(into):
    shutil.rmtree(into, ignore_errors=True)
    for folder in COPIED:
        shutil.copytree(os.path.join(wp.ROOT, folder), os.path.join(into, folder))


def control(path, row, faults):
    names = sorted({fault["function"] for fault in faults})
    verdict = wp.run(path, row, only=names, smoke=False, timeout=TIMEOUT)
    detail = "\n".join([f"{verdict.proved} of {verdict.goals} goals proved",
                        *verdict.complaints[:10]])
    return verdict.ok, detail


def caught(path, row, fault, scratch):
    """Gives (whether a proof failed, which goal or why not)."""
    where = fault.get("file", path)
    with open(os.path.join(wp.ROOT, where), encoding="utf-8") as file:
        text = file.read()
    if text.count(fault["from"]) != 1:
        return False, f"{where} has {text.count(fault['from'])} times: {fault['from']}"
    broken = os.path.join(scratch, where)
    try:
        with open(broken, "w", encoding="utf-8") as file:
            file.write(text.replace(fault["from"], fault["to"]))
        build = subprocess.run(["gcc", "-std=gnu17", "-fsyntax-only", "-w", f"-I{scratch}",
                                os.path.join(scratch, path)], capture_output=True, text=True,
                               check=False)
        if build.returncode:
            return False, "does not compile: " + build.stderr
        verdict = wp.run(path, row, only=[fault["function"]], root=scratch, smoke=False,
                         timeout=TIMEOUT)
    finally:
        with open(broken, "w", encoding="utf-8") as file:
            file.write(text)
    if not verdict.ran:
        return False, "not proved or disproved: " + verdict.text[-400:]
    if verdict.ok or not verdict.unproved:
        return False, f"survives: {verdict.proved} of {verdict.goals} goals proved"
    return True, verdict.unproved[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", required=True)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    rows = wp.proved_files()
    with open(os.path.join(wp.HERE, "mutations.toml"), "rb") as file:
        faults = tomllib.load(file)["fault"]
    chosen = [path for path in rows if args.only in path]
    if not chosen:
        print(f"mutate: F={args.only}: not in proof/proved.toml; there are: {', '.join(rows)}",
              file=sys.stderr)
        return 2
    results, scratch = Results("mutate", args.results), os.path.join(wp.OUT, "mutant")
    copy_tree(scratch)
    for path in chosen:
        mine = faults.get(path, [])
        if len(mine) < 5:
            results.add(f"{path}: at least five faults", 0, 1, 0, f"{len(mine)} in mutations.toml")
        start = time.monotonic()
        ok, detail = control(path, rows[path], mine)
        results.add(f"{path}: control", int(ok), int(not ok), time.monotonic() - start, detail)
        for fault in mine:
            start = time.monotonic()
            ok, detail = caught(path, rows[path], fault, scratch)
            name = f"{path}: {fault['name']}" + (f" ({detail})" if ok else "")
            results.add(name, int(ok), int(not ok), time.monotonic() - start, detail)
    return results.finish()


if __name__ == "__main__":
    sys.exit(main())
