#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Breaks proved files one small fault at a time (`make mutate`).

    mutate.py --results FILE [--only core/FILE.c] [--generated]

Each fault of a row (proof/README.md) must apply once, the copy must still
compile, and a goal of the named function must fail; or, where the fault lies outside
what the proof claims, the named host test.  --generated instead drops each CHECK
and each guard (an `if` whose branch leaves) of each proved function, one by
one.  A control runs the same functions unbroken under the same limits, or
"caught" could mean no more than "out of time".
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import time

import wp

sys.path.insert(0, os.path.join(wp.ROOT, "tools"))
from results import Results  # noqa: E402

TIMEOUT = 8
COPIED = ("abi", "base", "core", "test", "tools", "arch", "Makefile", "bench", "proof")
FEWEST = 5
CHECK_CALL = re.compile(r"^( +)CHECK(?:_VALUE)?\([^;]*;", re.M)
# A guard of either brace style: `if (...) {` or `if (...)` and a line that leaves.
GUARD = re.compile(r"^( +)if \(([^{;]*?)\)( \{)?\n +(?:return|continue|break)\b", re.M)


class Fault:
    """One edit.  `by`: a host test (core/NAME_test) that must fail, or None: a proof must."""

    def __init__(self, row, path):
        self.name, self.function = row["name"], row["function"]
        self.old, self.new = row["from"], row["to"]
        self.where, self.by = row.get("file", path), row.get("test")


def listed(path, row):
    return [Fault(fault, path) for fault in row.get("fault", [])]


def edits(body):
    """(name, old, new) for each CHECK and each guard of a function's text."""
    for found in CHECK_CALL.finditer(body):
        yield "dropped " + " ".join(found.group(0).split()), found.group(0), found.group(1) + ";"
    for found in GUARD.finditer(body):
        condition = found.group(2)
        new = found.group(0).replace(f"({condition})", f"(false && ({condition}))", 1)
        yield "dropped if (" + " ".join(condition.split()) + ")", found.group(0), new


def generated(path, row):
    """The faults that nobody wrote.  An edit that is not unique takes its function along."""
    faults = []
    for where in wp.family(path):
        with open(os.path.join(wp.ROOT, where), encoding="utf-8") as file:
            text = file.read()
        for function in wp.chosen(path, row):
            found = re.search(rf"^(?!#)[A-Za-z_][^;{{}}()=]*?\b{function}\([^;{{}}]*\)\n"
                              r"\{.*?\n\}", text, re.M | re.S)
            for name, old, new in edits(found.group(0)) if found else ():
                body = found.group(0)
                faults.append(Fault({"name": name, "function": function, "file": where,
                                     "from": body, "to": body.replace(old, new, 1)}, path))
    return faults


def copy_tree(into):
    shutil.rmtree(into, ignore_errors=True)
    os.makedirs(into)
    for name in COPIED:
        source, target = os.path.join(wp.ROOT, name), os.path.join(into, name)
        if os.path.isdir(source):
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)


def control(path, row, faults):
    names = sorted({fault.function for fault in faults if not fault.by})
    if not names:
        return True, ""
    verdict = wp.run(path, row, only=names, smoke=False, timeout=TIMEOUT)
    detail = "\n".join([f"{verdict.proved} of {verdict.goals} goals proved",
                        *verdict.complaints[:10]])
    return verdict.ok, detail


def compiles(path, scratch):
    return subprocess.run(["gcc", "-std=gnu17", "-fsyntax-only", "-w", f"-I{scratch}",
                           os.path.join(scratch, path)], capture_output=True, text=True,
                          check=False)


def caught_by_proof(path, row, fault, scratch):
    verdict = wp.run(path, row, only=[fault.function], root=scratch, smoke=False, timeout=TIMEOUT)
    if not verdict.ran:
        return False, "not proved or disproved: " + verdict.text[-400:]
    if verdict.ok or not verdict.unproved:
        return False, f"survives: {verdict.proved} of {verdict.goals} goals proved"
    return True, verdict.unproved[0]


def caught_by_test(fault, scratch):
    """The test's program is core/NAME_test of `core/NAME_test: test`; without faults it passes."""
    program = fault.by.split(":")[0]
    result = subprocess.run(["make", "test-lib", f"T={program[:-len('_test')]}"], cwd=scratch,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            check=False)
    failed = re.findall(r"^ *(not ok .*|.*AddressSanitizer.*|.*error: .*)$", result.stdout, re.M)
    if result.returncode == 0 or "FAIL" not in result.stdout:
        return False, "survives its test" if result.returncode == 0 else result.stdout[-400:]
    return True, failed[0].strip() if failed else program


def caught(path, row, fault, scratch):
    """Gives (whether something failed, which or why not)."""
    with open(os.path.join(wp.ROOT, fault.where), encoding="utf-8") as file:
        text = file.read()
    if text.count(fault.old) != 1:
        return False, f"{fault.where} has {text.count(fault.old)} times: {fault.old}"
    broken = os.path.join(scratch, fault.where)
    try:
        with open(broken, "w", encoding="utf-8") as file:
            file.write(text.replace(fault.old, fault.new))
        build = compiles(path, scratch)
        if build.returncode:
            return False, "does not compile: " + build.stderr
        if fault.by:
            return caught_by_test(fault, scratch)
        return caught_by_proof(path, row, fault, scratch)
    finally:
        with open(broken, "w", encoding="utf-8") as file:
            file.write(text)


def break_file(path, row, faults, results):
    """Gives how many were caught."""
    start, scratch = time.monotonic(), os.path.join(wp.OUT, "mutants", os.path.basename(path)[:-2])
    copy_tree(scratch)
    ok, detail = control(path, row, faults)
    results.add(f"{path}: control", int(ok), int(not ok), time.monotonic() - start, detail)
    killed = 0
    for fault in faults:
        start = time.monotonic()
        ok, detail = caught(path, row, fault, scratch)
        killed += ok
        excused = row.get("survivors", {}).get(f"{fault.function}: {fault.name}")
        name = f"{path}: {fault.function}: {fault.name}"
        if not ok and excused:
            print(f"  lives {name}: {excused}", flush=True)
            continue
        results.add(name + (f" ({detail})" if ok else ""), int(ok), int(not ok),
                    time.monotonic() - start, detail)
    return killed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--generated", action="store_true")
    args = parser.parse_args()
    rows = {path: row for path, row in wp.proved_files().items() if args.only in path}
    if not rows:
        print(f"mutate: F={args.only}: nothing of it is proved; there are: "
              f"{', '.join(wp.proved_files())}", file=sys.stderr)
        return 2
    wp.environment()
    results = Results("mutate", args.results)
    faults = {path: (generated if args.generated else listed)(path, row)
              for path, row in rows.items()}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        killed = sum(pool.map(lambda path: break_file(path, rows[path], faults[path], results),
                              sorted(rows, key=lambda path: -len(faults[path]))))
    for path in rows:
        if len(faults[path]) < FEWEST and not args.generated:
            results.add(f"{path}: at least {FEWEST} faults", 0, 1, 0,
                        f"{len(faults[path])} in its row")
    print(f"mutants: {killed} of {sum(map(len, faults.values()))} killed")
    return results.finish()


if __name__ == "__main__":
    sys.exit(main())
