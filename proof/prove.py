#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Proves the files of proof/rows (`make prove`).

    prove.py --results FILE [--only core/FILE.c]

A file passes when each of its functions but those that its row leaves out is
proved, goal by goal, nothing is assumed, and docs/assurance.md says as much.
Files of core/ without a row count as not proved in the sum at the end.
"""
import argparse
import concurrent.futures
import glob
import os
import re
import sys
import time

import wp

sys.path.insert(0, os.path.join(wp.ROOT, "tools"))
from results import Results  # noqa: E402

SHOWN = 20
DOCUMENT = "docs/assurance.md"


def row_faults(path, row):
    """What is wrong with a row before anything is proved."""
    defined = wp.functions(path)
    faults = [f"{path}: {name} is left out but not there" for name in row.get("left_out", {})
              if name not in defined]
    faults += [f"assumed without proof: {line}" for line in wp.assumptions(path)]
    if not wp.chosen(path, row):
        faults.append(f"{path}: no function is left to prove")
    return faults


def table_faults(path, row, goals):
    """Whether the document's table has the figures of the file as they are."""
    with open(os.path.join(wp.ROOT, DOCUMENT), encoding="utf-8") as file:
        found = re.search(rf"^\| `{re.escape(path)}`[^|]*\| ([^|]*) \| (\d+) \|", file.read(), re.M)
    told = f"{found.group(1)} functions, {found.group(2)} goals" if found else "nothing"
    true = f"{len(wp.chosen(path, row))} of {len(wp.functions(path))} functions, {goals} goals"
    return [] if told == true else [f"{DOCUMENT} tells {told} of {path}; it has {true}"]


def prove(path, row):
    """Gives (faults, goals, seconds)."""
    start = time.monotonic()
    faults, goals = row_faults(path, row), 0
    if not faults:
        verdict = wp.run(path, row)
        goals = verdict.goals
        if verdict.ok:
            faults = table_faults(path, row, goals)
        else:
            faults = [f"{verdict.proved} of {verdict.goals} goals proved",
                      *verdict.complaints[:SHOWN]]
            if not verdict.ran:
                faults += verdict.text.split("\n")[-SHOWN:]
    return faults, goals, time.monotonic() - start


def lines(bodies):
    return sum(body.count("\n") + 1 for body in bodies)


def coverage(rows, proved):
    """How much of core/ the files in `proved` make up, in functions and their lines."""
    everything, done = [], []
    for path in sorted(glob.glob(os.path.join(wp.ROOT, "core", "*.c"))):
        name = os.path.relpath(path, wp.ROOT)
        if name.endswith("_test.c") or os.path.basename(name).startswith("test_"):
            continue
        found = wp.functions(name)
        everything += found.values()
        if name in proved:
            done += [found[function] for function in wp.chosen(name, rows[name])]
    return (f"of all of core/: {len(done)} of {len(everything)} functions, "
            f"{lines(done)} of {lines(everything)} of their lines")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", required=True)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    rows = wp.proved_files()
    chosen = [path for path in rows if args.only in path]
    if not chosen:
        print(f"prove: F={args.only}: nothing of it is proved; there are: {', '.join(rows)}",
              file=sys.stderr)
        return 2
    wp.environment()
    results, proved, goals = Results("prove", args.results), set(), 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        # The largest first, or the last one runs alone.
        runs = {pool.submit(prove, path, rows[path]): path
                for path in sorted(chosen, key=lambda path: -lines(wp.functions(path).values()))}
        for run in concurrent.futures.as_completed(runs):
            path, (faults, count, seconds) = runs[run], run.result()
            functions = len(wp.chosen(path, rows[path]))
            results.add(f"{path} ({functions} functions, {count} goals)", int(not faults),
                        int(bool(faults)), seconds, "\n".join(faults))
            if args.only:
                for name, why in rows[path].get("left_out", {}).items():
                    print(f"        not proved: {name}: {why}")
            if not faults:
                proved.add(path)
                goals += count
    print(f"proved: {goals} goals in {len(proved)} files; {coverage(rows, proved)}")
    return results.finish()


if __name__ == "__main__":
    sys.exit(main())
