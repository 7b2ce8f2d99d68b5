#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Looks for undefined behaviour in core/ with Frama-C's EVA (`make eva`).

    eva.py --results FILE --out DIR [--only DRIVER]

Each proof/eva/DRIVER.c that has an eva_DRIVER() calls functions of core/'s headers in
a loop, with tables that hold anything.  proof/eva.toml lists every alarm that is left, by
file, function and kind, with how many there are and why none can happen; what EVA
reports must be exactly that.  Every function that a header of core/ declares must be
called by a driver, or be named in proof/eva.toml with the reason.
"""
import argparse
import concurrent.futures
import csv
import glob
import os
import re
import subprocess
import sys
import time
import tomllib

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(ROOT, "tools"))
from results import Results, nothing_chosen  # noqa: E402

TIMEOUT_S = 1200
# Functions whose result says what they wrote: states are kept apart by it.
SPLIT = ("id_pool_take", "mapping_reserve", "protection_check", "ring_pending", "word_take",
         "ledger_reserve", "object_claim", "cap_insert",
         "object_begin", "untyped_record_create", "untyped_fill", "plan_check", "plan_check_spans",
         "plan_check_chosen", "map_reserve", "touch", "space_hold")
# How many states a function may have at once, 10 if nothing is said.  Drivers and filled tables:
# one, anything goes.  A walk that fails half way must be told from one that filled the plan.
STATES = {"world_any": 0, "any_bytes": 200, "plan_check": 200,
          "plan_check_spans": 200, "unlock_from": 0, "check_table": 0, "check_leaf": 0,
          "check_companion": 0, "check_borrowed": 0}
# The audit believes nothing, so states kept apart tell it no more; its loops nest deeply.
OF_DRIVER = {"audit": ["-eva-slevel", "0"]}
CPP = "gcc -E -I. -Iproof/eva -include proof/eva/machine.h %args -o %o %i"
PRIVATE = re.compile(r"(_priv|_fixture|test_\w+|_transitions)\.h$")
DECLARED = re.compile(r"^(?!#|typedef|enum|struct \w+ \{|struct \w+;)[a-zA-Z_][\w *]*?\b(\w+)\("
                      r"[^;{]*\)\s*(?:;|\{)", re.M)


def text_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return re.sub(r"/\*.*?\*/|//[^\n]*", "", file.read(), flags=re.S)


def drivers():
    """{name: text}"""
    found = {}
    for path in sorted(glob.glob(os.path.join(HERE, "eva", "*.c"))):
        name, text = os.path.basename(path)[:-2], text_of(path)
        if f"void eva_{name}(void)" in text:
            found[name] = text
    return found


def sources():
    names = [os.path.relpath(path, ROOT) for path in glob.glob(os.path.join(ROOT, "core", "*.c"))]
    return sorted(name for name in names
                  if not name.endswith("_test.c") and not name.startswith("core/test_"))


def declared():
    """{function: header} of what core/'s headers offer."""
    found = {}
    for path in sorted(glob.glob(os.path.join(ROOT, "core", "*.h"))):
        name = os.path.relpath(path, ROOT)
        if not PRIVATE.search(name):
            text = re.sub(r"#define(?:[^\n]*\\\n)*[^\n]*|MUST_CHECK ", "", text_of(name))
            found |= {function: name for function in DECLARED.findall(text)}
    return found


def analyse(name, out):
    """Gives (what went wrong, {(file, function, kind): {alarm}}, seconds)."""
    start = time.monotonic()
    problem, found = run(name, os.path.join(out, name + ".csv"))
    return problem, found, time.monotonic() - start


def run(name, report):
    if os.path.exists(report):
        os.remove(report)
    command = ["frama-c", "-c11", "-machdep", "gcc_x86_64", "-cpp-command", CPP, "-eva",
               "-eva-no-print", "-eva-precision", "0", "-eva-plevel", "300", "-eva-slevel", "10",
               "-eva-split-return-function", ",".join(f"{each}:0" for each in SPLIT),
               "-eva-unroll-recursive-calls", "4", "-eva-slevel-function",
               ",".join([f"eva_{name}:0"] + [f"{each}:{count}" for each, count in STATES.items()]),
               *OF_DRIVER.get(name, []), "-main", f"eva_{name}", f"proof/eva/{name}.c",
               "proof/eva/world.c", *sources(),
               "-then", "-report-csv", report, "-report-no-proven"]
    try:
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PWD": ROOT}, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return f"no end after {TIMEOUT_S} s", {}
    if done.returncode != 0 or f"done for function eva_{name}" not in done.stdout \
            or "NON TERMINATING FUNCTION" in done.stdout or not os.path.exists(report):
        return "\n".join(done.stdout.splitlines()[-20:]), {}
    return "", alarms(report)


def alarms(report):
    found = {}
    with open(report, encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["directory"].startswith("FRAMAC_SHARE"):
                continue
            # Frama-C numbers static functions that several files have, and its temporaries.
            function = re.sub(r"_\d+$", "", row["function"])
            where = os.path.join(row["directory"], row["file"])
            what = (row["line"], re.sub(r"\b(\w+?)_\d+\b", r"\1", row["property"]))
            found.setdefault((where, function, row["property kind"]), set()).add(what)
    return found


def table_faults(listed, found, is_whole):
    """Where EVA's report and the list differ."""
    faults = []
    for key in sorted(found):
        times, most = len(found[key]), listed.get(key, {"times": 0})["times"]
        if times > most or (is_whole and times < most):
            faults.append(f"{' '.join(key)}: {times} alarms, {most} are listed")
            faults += [f"    line {line}: {text}" for line, text in sorted(found[key])]
    if is_whole:
        faults += [f"{' '.join(key)}: listed, but there is none" for key in listed
                   if key not in found]
    return faults


def call_faults(texts, left_out):
    called = " ".join(texts.values())
    faults = []
    for function, header in declared().items():
        is_called = re.search(rf"\b{function}\(", called) is not None
        if is_called == (header in left_out or function in left_out):
            faults.append(f"{header}: {function} is " + (
                "called and left out" if is_called else "called by no driver"))
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    results, texts = Results("eva", args.results), drivers()
    with open(os.path.join(HERE, "eva.toml"), "rb") as file:
        table = tomllib.load(file)
    listed = {(file, function, kind): {"times": times, "why": why}
              for file, functions in table["alarm"].items()
              for function, kinds in functions.items() for kind, (times, why) in kinds.items()}
    chosen = [name for name in texts if args.only in name]
    if not chosen:
        return nothing_chosen(results, args.only, texts)
    os.makedirs(args.out, exist_ok=True)
    found, is_whole = {}, len(chosen) == len(texts)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(lambda name: analyse(name, os.path.abspath(args.out)), chosen))
    for name, (problem, new, seconds) in zip(chosen, done):
        results.add(f"driver {name} ({sum(map(len, new.values()))} alarms)", int(not problem),
                    int(bool(problem)), seconds, problem)
        is_whole = is_whole and not problem
        for key, what in new.items():
            found.setdefault(key, set()).update(what)
    for label, faults in (
            ("every alarm is explained", table_faults(listed, found, is_whole)),
            ("every reason is one", [f"{' '.join(key)}: no such reason: {row['why']}"
                                     for key, row in listed.items()
                                     if set(row["why"].split(", ")) - set(table["reason"])]),
            ("every function is called", call_faults(texts, table["left_out"]))):
        results.add(label, int(not faults), int(bool(faults)), 0, "\n".join(faults))
    return results.finish()


if __name__ == "__main__":
    sys.exit(main())
