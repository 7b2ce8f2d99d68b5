#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every place in core/ and kernel/ where something can run out, and which tests
made it do so.

    fault_sites.py list
    fault_sites.py record --host LOG --qemu LOG...     (make fault-sites)
    fault_sites.py verify [--host LOG] [--qemu LOG...]  (after make test-lib, test-qemu)

A fault site is a call of a primitive of core/fault_point.h, found in the text and
named by file, function, primitive and which of several there it is.  The tests
print a line a site they refused; RECORD keeps what they reached, UNREACHED says
of each other site why not.  `make check` fails unless the two name exactly the
sites there are; docs/fault_sites.md is made from them.
"""
import argparse
import glob
import os
import re
import sys
import tomllib
from collections import namedtuple

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import xmacro  # noqa: E402

FOLDERS = ("core", "kernel", "boot", "arch/x86_64")
RECORD = "test/fault_sites.txt"
UNREACHED = "test/fault_sites_unreached.toml"
TESTS = {"host": "core/fault_point_test.c", "qemu": "test/qemu/starvation.toml"}
LOG_LINE = re.compile(r"^fault site (\S+?):(\d+) (\w+) (\w+) (\w+)\s*$", re.M)
UNREACHED_KEYS = {"why", "boot"}

Site = namedtuple("Site", "file function primitive number")
# With the lines of the call and of its mark, if it has one; is_marked: a fault point is
# passed there; is_checked: its failure ends the machine.
Found = namedtuple("Found", "site first last is_marked is_checked")


class SitesError(Exception):
    """The text, the record or a log is not as expected."""


def primitives():
    """{name: (what the call fails with, what ran out)}"""
    rows = xmacro.values("core/fault_point.h", "FAULT_PRIMITIVE_LIST")
    return {row[0]: (row[1], row[2]) for row in rows}


# --- the text ---

def without_comments(text):
    """Blanks in place of comments and strings, so that lines keep their numbers."""
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.S)
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), text)


def bodies(text):
    """(name, start, end) of each function whose braces stand in the first column."""
    for match in re.finditer(r"^(?=[A-Za-z_])[^;{}#]*?\b(\w+)\([^;{}]*\)[^;{}()]*\n\{\n", text,
                             re.M):
        end = text.find("\n}", match.end() - 1)
        yield match.group(1), match.end(), end if end >= 0 else len(text)


def call_end(text, start):
    """The position of the parenthesis that closes the one at `start`."""
    depth = 0
    for position in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if depth == 0:
            return position
    raise SitesError("a parenthesis is not closed")


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def marks_of(text, start, end):
    """{primitive: [line...]} of the explicit fault points of a function."""
    marks = {}
    for match in re.finditer(r"\bFAULT_POINT\(\s*\w+,\s*(\w+),", text[start:end]):
        marks.setdefault(match.group(1), []).append(line_of(text, start + match.start()))
    return marks


def sites_of(path, text, names, by_macro):
    text = without_comments(text)
    call = re.compile(r"\b(" + "|".join(names) + r")\)?\s*\(")  # HOST(cpu, name)(...) too
    for function, start, end in bodies(text):
        if function in names:
            continue  # what a primitive is made of
        counts, marks = {}, marks_of(text, start, end)
        for match in call.finditer(text, start, end):
            name = match.group(1)
            counts[name] = counts.get(name, 0) + 1
            marked = marks.get(name, [])[counts[name] - 1:counts[name]]
            lines = marked + [line_of(text, match.start()),
                              line_of(text, call_end(text, match.end() - 1))]
            before = re.split(r"[;{}]", text[start:match.start()])[-1]
            yield Found(Site(path, function, name, counts[name]), min(lines), max(lines),
                        bool(marked) or name in by_macro, "CHECK" in before)


def sources():
    for folder in FOLDERS:
        for path in sorted(glob.glob(f"{folder}/*.[ch]")):
            name = os.path.basename(path)
            if not name.endswith(("_test.c", "_fixture.h")) and not name.startswith("test_"):
                yield path


def macros():
    """Primitives whose every call passes a fault point, by a macro of their name."""
    text = ""
    for path in ("core/fault_calls.h", "core/space_priv.h"):
        with open(path, encoding="utf-8") as file:
            text += file.read()
    return set(re.findall(r"^#define (\w+)\(", text, re.M))


def find():
    names, by_macro = list(primitives()), macros()
    found = []
    for path in sources():
        with open(path, encoding="utf-8") as file:
            found += sites_of(path, file.read(), names, by_macro)
    return found


# --- the record ---

def site_text(site):
    return f"{site.file} {site.function} {site.primitive} {site.number}"


def site_from(text, where):
    words = text.split()
    if len(words) != 4 or not words[3].isdigit():
        raise SitesError(f"{where}: {text!r}: not FILE FUNCTION PRIMITIVE NUMBER")
    return Site(words[0], words[1], words[2], int(words[3]))


def record_read():
    """{site: ([status...], [where...])}"""
    rows = {}
    if not os.path.exists(RECORD):
        return rows
    with open(RECORD, encoding="utf-8") as file:
        for line in file.read().splitlines():
            if line and not line.startswith("#"):
                parts = [part.strip() for part in line.split("|")]
                if len(parts) != 3:
                    raise SitesError(f"{RECORD}: {line!r} has not three parts")
                rows[site_from(parts[0], RECORD)] = (parts[1].split(), parts[2].split())
    return rows


def record_write(rows):
    with open(RECORD, "w", encoding="utf-8") as file:
        file.write("# Fault sites that the starvation tests reached, by `make fault-sites`.\n"
                   "# FILE FUNCTION PRIMITIVE NUMBER | what the step then failed with | where\n")
        for site in sorted(rows):
            statuses, where = rows[site]
            file.write(f"{site_text(site)} | {' '.join(statuses)} | {' '.join(where)}\n")


def unreached_read():
    """{site: {"why": text, "boot": bool}}"""
    with open(UNREACHED, "rb") as file:
        rows = tomllib.load(file)
    for text, row in rows.items():
        if set(row) - UNREACHED_KEYS or not row.get("why"):
            raise SitesError(f"{UNREACHED}: {text}: it has a `why`, and may have `boot`")
    return {site_from(text, UNREACHED): row for text, row in rows.items()}


def faults():
    """What is wrong between text, record and exceptions; for `make check`."""
    try:
        found, reasons = find(), unreached_read()
        there = {item.site for item in found}
        record, unreached = set(record_read()), set(reasons)
    except (SitesError, xmacro.ListError, OSError) as error:
        return [str(error)]
    bad = [f"{site_text(site)}: a fault site that no test reached, by {RECORD}, and that "
           f"{UNREACHED} does not explain" for site in sorted(there - record - unreached)]
    bad += [f"{RECORD}: {site_text(site)}: is not there any more; `make fault-sites`"
            for site in sorted(record - there)]
    bad += [f"{UNREACHED}: {site_text(site)}: is not there any more"
            for site in sorted(unreached - there)]
    bad += [f"{UNREACHED}: {site_text(site)}: it was reached"
            for site in sorted(unreached & record)]
    bad += [f"{site_text(item.site)}: no fault point is passed there"
            for item in found if not item.is_marked]
    bad += [f"{site_text(item.site)}: its failure ends the machine, and not at boot only"
            for item in found if item.is_checked and not reasons.get(item.site, {}).get("boot")]
    return bad


# --- logs of tests ---

def statuses_by_number():
    return {row[1]: row[0] for row in xmacro.values("abi/status.h", "CAD_STATUS_LIST")}


def log_read(path, found):
    """{site: {status}} of one log."""
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read().replace("\r", "")
    names, rows = statuses_by_number(), {}
    for file_name, line, function, primitive, status in LOG_LINE.findall(text):
        match = [item.site for item in found
                 if item.site[:3] == (file_name, function, primitive)
                 and item.first <= int(line) <= item.last]
        if len(match) != 1:
            raise SitesError(f"{path}: {file_name}:{line} {function} {primitive}: "
                             "no such fault site in the text")
        rows.setdefault(match[0], set()).add(names.get(status, status))
    return rows


def logs_read(args):
    """{where: {site: {status}}} of the logs that were given."""
    found, logs = find(), {}
    for where, paths in (("host", args.host), ("qemu", args.qemu)):
        for path in filter(os.path.exists, paths):
            for site, statuses in log_read(path, found).items():
                logs.setdefault(where, {}).setdefault(site, set()).update(statuses)
    return logs


def record(args):
    logs, rows = logs_read(args), {}
    if set(logs) != set(TESTS):
        raise SitesError("a record needs what both tests printed, host and QEMU")
    for where in TESTS:
        for site, statuses in logs[where].items():
            row = rows.setdefault(site, (set(), []))
            row[0].update(statuses)
            row[1].append(where)
    record_write({site: (sorted(statuses), where) for site, (statuses, where) in rows.items()})
    print(f"{RECORD}: {len(rows)} sites reached")
    return 0


def verify(args):
    """Whatever the record says was reached there must be in the log."""
    logs, bad = logs_read(args), 0
    for where, given in (("host", args.host), ("qemu", args.qemu)):
        if not all(map(os.path.exists, given)) or not given:
            continue  # those tests were not among the chosen
        reached = logs.get(where, {})
        for site, (_, places) in sorted(record_read().items()):
            if where in places and site not in reached:
                print(f"{site_text(site)}: {TESTS[where]} did not reach it, {RECORD} says so")
                bad += 1
    return 1 if bad else 0


# --- the document ---

def summary(found, rows, unreached):
    reached = [item.site for item in found if item.site in rows]
    boot = sum(1 for row in unreached.values() if row.get("boot"))
    host = sum(1 for site in reached if "host" in rows[site][1])
    machine = sum(1 for site in reached if "qemu" in rows[site][1])
    return (f"{len(found)} sites: {len(reached)} reached ({host} on the host, {machine} in QEMU), "
            f"{boot} at boot only, {len(unreached) - boot} not reached.")


def render(table, page):
    """docs/fault_sites.md; `table` and `page` are tools/docs.py's."""
    found, rows, unreached = find(), record_read(), unreached_read()
    kinds = primitives()
    reached = [(item.site.file, f"`{item.site.function}`", f"`{item.site.primitive}`",
                item.site.number, " ".join(rows[item.site][0]), " ".join(rows[item.site][1]))
               for item in found if item.site in rows]
    rest = [(item.site.file, f"`{item.site.function}`", f"`{item.site.primitive}`",
             item.site.number, "at boot" if unreached[item.site].get("boot") else "",
             unreached[item.site]["why"])
            for item in found if item.site in unreached]
    heads = ["file", "function", "primitive", "which"]
    return page("Where something can run out", ["core/fault_point.h", "core/", "kernel/", RECORD,
                                                 UNREACHED],
                summary(found, rows, unreached), "",
                "## Primitives", "", xmacro.header_comment("core/fault_point.h"), "",
                table(["primitive", "fails with", "what ran out"],
                      [(f"`{name}`", *row) for name, row in kinds.items()]),
                "## Sites that the tests reached", "",
                f"On the host: `{TESTS['host']}`; in QEMU: `{TESTS['qemu']}`.", "",
                table(heads + ["failed with", "in"], reached),
                "## Sites that they did not", "",
                "A site of boot ends the machine with a message.", "",
                table(heads + ["", "why"], rest))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("verb", choices=("list", "record", "verify"))
    parser.add_argument("--host", nargs="*", default=[])
    parser.add_argument("--qemu", nargs="*", default=[])
    args = parser.parse_args()
    try:
        if args.verb == "list":
            for item in find():
                print(f"{item.first}: {site_text(item.site)}")
            return 0
        return record(args) if args.verb == "record" else verify(args)
    except (SitesError, xmacro.ListError, OSError) as error:
        print(f"fault_sites.py: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
