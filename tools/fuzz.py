#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs libFuzzer programs, one after the other, for some seconds each.

What a run finds new is kept in OUT/found/NAME, so that the next goes on from there;
with --fresh it starts from the seeds alone: libFuzzer runs all that was found before its
time begins.  The seeds in CORPUS/NAME are not changed.  An input that fails is left in
OUT/failed.  A run must have executed every seed and more, or it says nothing.
"""
import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from results import Results, nothing_chosen  # noqa: E402

TAIL_LINES = 40


def fuzz(program, args):
    """Gives (what is wrong or "", a word about the run)."""
    name = os.path.basename(program)
    found = os.path.join(args.out, "found-fresh" if args.fresh else "found", name)
    failed = os.path.join(args.out, "failed", name + "-")
    seeds = glob.glob(os.path.join(args.corpus, name, "*"))
    if not seeds:
        return f"{args.corpus}/{name}: no seeds", ""
    if args.fresh:
        shutil.rmtree(found, ignore_errors=True)
    os.makedirs(found, exist_ok=True)
    os.makedirs(os.path.dirname(failed), exist_ok=True)
    done = subprocess.run(
        [program, f"-max_total_time={args.seconds}", "-print_final_stats=1", "-timeout=20",
         "-rss_limit_mb=2000", "-close_fd_mask=1", "-len_control=0",
         f"-artifact_prefix={failed}", found, os.path.join(args.corpus, name)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
        timeout=args.seconds + 120, check=False)
    tail = "\n".join(done.stderr.splitlines()[-TAIL_LINES:])
    executed = re.search(r"stat::number_of_executed_units:\s+(\d+)", done.stderr)
    covered = re.findall(r"cov: (\d+)", done.stderr)
    edges = re.search(r"Loaded \d+ PC tables \((\d+) PCs\)", done.stderr)
    if done.returncode != 0:
        return f"exit status {done.returncode}\n{tail}", ""
    if not executed or int(executed[1]) <= len(seeds) or not covered or not edges:
        return f"nothing was fuzzed\n{tail}", ""
    return "", f"{executed[1]} inputs, {covered[-1]} of {edges[1]} edges"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--known", default="")
    parser.add_argument("programs", nargs="*")
    args = parser.parse_args()
    results = Results(os.path.basename(args.results), args.results)
    if not args.programs:
        return nothing_chosen(results, args.only, args.known.split())
    if args.seconds < 1:
        print("fuzz: SECONDS is a whole number from 1 on", file=sys.stderr)
        return 2
    for program in args.programs:
        start = time.monotonic()
        try:
            problem, word = fuzz(program, args)
        except subprocess.TimeoutExpired:
            problem, word = "no end", ""
        label = os.path.basename(program) + (f" ({word})" if word else "")
        results.add(label, int(not problem), int(bool(problem)), time.monotonic() - start, problem)
    return results.finish()


if __name__ == "__main__":
    sys.exit(main())
