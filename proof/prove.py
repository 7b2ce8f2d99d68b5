#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Proves the files of proof/proved.toml (`make prove`).

    prove.py --results FILE [--only core/FILE.c]

A file passes when each of its functions but those that its row leaves out is
proved, goal by goal, and nothing is assumed.
"""
import argparse
import os
import sys
import time

import wp

sys.path.insert(0, os.path.join(wp.ROOT, "tools"))
from results import Results  # noqa: E402

SHOWN = 20


def row_faults(path, row):
    """What is wrong with a row before anything is proved."""
    defined = wp.functions(path)
    faults = [f"{path}: {name} is left out but not there" for name in row.get("left_out", {})
              if name not in defined]
    faults += [f"assumed without proof: {line}" for line in wp.assumptions(path)]
    if not wp.chosen(path, row):
        faults.append(f"{path}: no function is left to prove")
    return faults


def prove(path, row):
    """Gives (faults, functions, goals, seconds)."""
    start = time.monotonic()
    faults, goals = row_faults(path, row), 0
    proved = wp.chosen(path, row)
    if not faults:
        verdict = wp.run(path, row)
        goals = verdict.goals
        if not verdict.ok:
            faults = [f"{verdict.proved} of {verdict.goals} goals proved",
                      *verdict.complaints[:SHOWN]]
            if not verdict.ran:
                faults += verdict.text.split("\n")[-SHOWN:]
    return faults, proved, goals, time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", required=True)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    rows = wp.proved_files()
    chosen = [path for path in rows if args.only in path]
    if not chosen:
        print(f"prove: F={args.only}: not in proof/proved.toml; there are: {', '.join(rows)}",
              file=sys.stderr)
        return 2
    results, functions, goals = Results("prove", args.results), 0, 0
    for path in chosen:
        row = rows[path]
        faults, proved, count, seconds = prove(path, row)
        results.add(f"{path} ({len(proved)} functions, {count} goals)", int(not faults),
                    int(bool(faults)), seconds, "\n".join(faults))
        for name, why in row.get("left_out", {}).items():
            print(f"        not proved: {name}: {why}")
        if not faults:
            functions += len(proved)
            goals += count
    print(f"proved: {functions} functions, {goals} goals, of {len(chosen)} files")
    return results.finish()


if __name__ == "__main__":
    sys.exit(main())
