#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Says which lines the fuzzers' inputs reach (`make fuzz-coverage`).

    fuzz_coverage.py --out DIR --inputs DIR... PROGRAM...

Each program is a fuzzer compiled for llvm-cov.  It runs the inputs of each DIR/NAME once;
then, a folder of the kernel a line, how many lines of all that are linked were reached,
and (--functions) each function that was never entered.
"""
import argparse
import glob
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDERS = ("base", "core", "kernel", "boot", "user")
OURS = re.compile(r"(?:_test|/test_\w+)\.c$|/audit\w*\.c$")  # what checks is no target


def tool(name):
    for word in (name, name + "-14"):
        if any(os.access(os.path.join(folder, word), os.X_OK)
               for folder in os.environ["PATH"].split(":")):
            return word
    sys.exit(f"fuzz_coverage: no {name}: it comes with clang's llvm package")


def measure(program, args):
    """llvm-cov's export of what all inputs of a program reach."""
    name = os.path.basename(program)
    folders = [path for path in (os.path.join(top, name) for top in args.inputs)
               if glob.glob(os.path.join(path, "*"))]
    scratch = os.path.join(args.out, "scratch")
    raw, merged = os.path.join(args.out, name + ".raw"), os.path.join(args.out, name + ".profile")
    os.makedirs(scratch, exist_ok=True)
    subprocess.run([program, "-runs=0", "-rss_limit_mb=4000", "-close_fd_mask=3", scratch,
                    *folders], check=True, stderr=subprocess.DEVNULL,
                   env={**os.environ, "LLVM_PROFILE_FILE": os.path.abspath(raw)})
    subprocess.run([tool("llvm-profdata"), "merge", "-sparse", "-o", merged, raw], check=True)
    done = subprocess.run([tool("llvm-cov"), "export", program, "-instr-profile", merged],
                          check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)["data"][0]


def is_target(path):
    return path.split("/")[0] in FOLDERS and not OURS.search(path)


def relative(path):
    return os.path.relpath(os.path.join(ROOT, path), ROOT)


def show(program, data, with_functions):
    sums = {}
    for file in data["files"]:
        path, lines = relative(file["filename"]), file["summary"]["lines"]
        if is_target(path):
            total = sums.setdefault(path.split("/")[0], [0, 0])
            total[0] += lines["covered"]
            total[1] += lines["count"]
    words = [f"{folder} {covered} of {count}" for folder, (covered, count) in sorted(sums.items())]
    print(f"{os.path.basename(program)}: lines of {', '.join(words) or 'its own file alone'}")
    if not with_functions:
        return
    entered = {}
    for function in data["functions"]:
        path = relative(function["filenames"][0])
        if is_target(path) and path.endswith(".c"):
            key = path, function["name"].split(":")[-1]
            entered[key] = entered.get(key, 0) + function["count"]
    for path, name in sorted(key for key, count in entered.items() if count == 0):
        print(f"    {path}: {name} is never entered")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True)
    parser.add_argument("--inputs", nargs="+", required=True)
    parser.add_argument("--functions", action="store_true")
    parser.add_argument("--programs", nargs="+", required=True)
    args = parser.parse_args()
    for program in args.programs:
        show(program, measure(program, args), args.functions)
    return 0


if __name__ == "__main__":
    sys.exit(main())
