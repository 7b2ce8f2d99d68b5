#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs the protocol models with Spin (`make model`).

    models.py --results FILE --out DIR [--only NAME] MODEL.pml...

A model's opening comment lists its runs, one a line:

    RUN   NAME: [-D...]           an exhaustive search that must find no error; together
                                  they must reach every line of the model
    CATCH NAME: -DBUG_... [-D...]  a variant broken on purpose: Spin must find an error
                                  (`assertion` or `deadlock`, if a word says which)

A search that was cut short (depth, memory, time) is a failure, whatever it found.
"""
import argparse
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from results import Results, nothing_chosen  # noqa: E402

DEPTH, MEMORY_MIB, TIMEOUT_S = 2000000, 3000, 300
LINE = re.compile(r"^ \* (RUN|CATCH) +([\w-]+):((?: -D\w+(?:=\d+)?)*)(?: (assertion|deadlock))?$")
CUT_SHORT = re.compile(r"max search depth too small|out of memory|memory limit|search was not "
                       r"completed|hash array too small|VECTORSZ is too small|too few|aborting",
                       re.I)
KINDS = {"assertion": "assertion violated", "deadlock": "invalid end state"}


class ModelError(Exception):
    """The run says nothing, and why."""


def runs_of(path):
    """[(must_hold, name, defines, kind)] of one model."""
    found = []
    with open(path, encoding="utf-8") as model:
        for number, line in enumerate(model, 1):
            if not re.match(r" \* (RUN|CATCH)\b", line):
                continue
            match = LINE.match(line.rstrip("\n"))
            if not match:
                raise ModelError(f"{path}:{number}: a line that is no run: {line.strip()}")
            found.append((match[1] == "RUN", match[2], match[3].split(), match[4]))
    if not any(run[0] for run in found) or all(run[0] for run in found):
        raise ModelError(f"{path}: needs a RUN and a CATCH")
    return found


def command(words, folder, timeout=TIMEOUT_S):
    try:
        done = subprocess.run(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as late:
        raise ModelError(f"{words[0]}: no end after {timeout} s") from late
    return done.returncode, done.stdout


def search(path, folder, defines, must_hold):
    """Gives what the verifier printed."""
    os.makedirs(folder, exist_ok=True)
    for old in os.listdir(folder):
        os.remove(os.path.join(folder, old))
    code, text = command(["spin", "-a", *defines, os.path.abspath(path)], folder)
    if code != 0 or not os.path.exists(os.path.join(folder, "pan.c")):
        raise ModelError("spin: " + text)
    optimise = "-O2" if must_hold else "-O1"
    code, text = command(["gcc", optimise, "-w", "-DSAFETY", "-DCOLLAPSE", "-DVECTORSZ=4096",
                          f"-DMEMLIM={MEMORY_MIB}", "-o", "pan", "pan.c"], folder)
    if code != 0:
        raise ModelError("gcc: " + text)
    _, text = command(["./pan", f"-m{DEPTH}"], folder)
    return text


def coverage(text, folder):
    """(lines of all statements, lines of those that the search came to)."""
    missed, process = set(), ""
    for line in text.splitlines():
        match = re.match(r"unreached in (?:proctype )?(\S+)", line)
        if match:
            process = match[1]
        match = re.match(r"\s+\S+:\d+, state (\d+),", line)
        if match:
            missed.add((process, int(match[1])))
    every, reached = set(), set()
    _, table = command(["./pan", "-d"], folder)
    for line in table.splitlines():
        match = re.match(r"(?:proctype )?(\S+)$", line.strip())
        if match:
            process = match[1].lstrip(":").rstrip(":")
        match = re.match(r"\s+state +(\d+) .*?\S+:(\d+) => (.*)", line)
        if match and "-end-" not in match[3] and match[3] != "(1)":
            every.add(int(match[2]))
            if (process, int(match[1])) not in missed:
                reached.add(int(match[2]))
    return every, reached


def judge(text, must_hold, kind):
    """Raises ModelError unless the search ended as the run says.  Gives the states, in words."""
    found = re.search(r"errors: (\d+)", text)
    states = re.search(r"([\d.e+]+) states, stored", text)
    if not found or not states:
        raise ModelError("no result")
    if CUT_SHORT.search(text):
        raise ModelError("cut short")
    errors = int(found[1])
    if must_hold and errors:
        raise ModelError(f"{errors} errors")
    if must_hold and "Search not completed" in text:
        raise ModelError("not completed")
    if not must_hold and not errors:
        raise ModelError("the fault was not caught")
    if not must_hold and kind and KINDS[kind] not in text:
        raise ModelError(f"caught, but not as {kind}")
    return f"{float(states[1]):.0f}"


def brief(text):
    """The lines of a verifier's report that say what is wrong."""
    return "\n".join(line for line in text.splitlines()
                     if re.match(r"pan:|spin:|error|Warning|\s+\d+ states, stored", line,
                                 re.I))[:2000]


def run(results, path, folder, entry):
    """Gives coverage()'s sets of a run that holds."""
    must_hold, name, defines, kind = entry
    start, text, label, problem = time.monotonic(), "", "", ""
    lines = set(), set()
    try:
        text = search(path, folder, defines, must_hold)
        states = judge(text, must_hold, kind)
        label = f" ({states} states)" if must_hold else ""
        if must_hold:
            lines = coverage(text, folder)
    except ModelError as error:
        problem = f"{error}\n{brief(text)}\ntrail: cd {folder} && " \
                  f"spin -t -p -g {' '.join(defines)} {os.path.abspath(path)}"
    model = os.path.basename(path)[:-4]
    results.add(f"{model}: {'' if must_hold else 'catches '}{name}{label}", int(not problem),
                int(bool(problem)), time.monotonic() - start, problem)
    return lines


def run_model(results, path, out, entries):
    """All of a model's runs; what none of them reached says nothing."""
    every, reached = set(), set()
    for entry in entries:
        lines = run(results, path, os.path.join(out, entry[1]), entry)
        every |= lines[0]
        reached |= lines[1]
    missed = sorted(every - reached)
    is_whole = bool(every) and not missed
    results.add(f"{os.path.basename(path)[:-4]}: every line is reached", int(is_whole),
                int(not is_whole), 0,
                "never reached: " + ", ".join(f"{path}:{line}" for line in missed))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("models", nargs="+")
    args = parser.parse_args()
    results = Results("model", args.results)
    names = []
    for path in args.models:
        model = os.path.basename(path)[:-4]
        try:
            entries = runs_of(path)
        except ModelError as error:
            results.add(model, 0, 1, 0, str(error))
            continue
        names += [f"{model}/{entry[1]}" for entry in entries]
        if args.only in model:
            run_model(results, path, os.path.join(args.out, model), entries)
            continue
        for entry in entries:
            if args.only in f"{model}/{entry[1]}":
                run(results, path, os.path.join(args.out, model, entry[1]), entry)
    if results.passed + results.failed == 0:
        return nothing_chosen(results, args.only, names)
    return results.finish()


if __name__ == "__main__":
    sys.exit(main())
