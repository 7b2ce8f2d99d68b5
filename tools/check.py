#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The rules of the tree that a compiler does not check (`make check`).

    check.py --results FILE --out DIR [--only NAME]     DIR holds the .d files
"""
import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import docs  # noqa: E402
import inventory  # noqa: E402
import fault_sites  # noqa: E402
import xmacro  # noqa: E402
from results import Results, nothing_chosen  # noqa: E402

# Who may include whom.  A path belongs to the longest key that starts it; a
# machine's include folder is part of arch/include, which names it.
MACHINE = ("arch/include/", "arch/x86_64/include/", "arch/aarch64/include/")
LAYERS = {
    "abi/": ("abi/",),
    "base/": ("abi/", "base/"),
    "core/": ("abi/", "base/", "core/"),
    "kernel/": ("abi/", "base/", "core/", "kernel/", "boot/boot_info.h", *MACHINE),
    "boot/": ("abi/", "base/", "boot/", *MACHINE),
    "dev/": ("abi/", "base/", "dev/", *MACHINE),
    "arch/": ("abi/", "base/", "boot/", "dev/", "arch/"),
    "user/": ("abi/", "user/"),
}
KERNEL_SIDE = ("abi/", "base/", "core/", "kernel/", "boot/", "dev/")
CODE = (".c", ".h", ".S", ".ld", ".py", ".sh", ".mk", ".toml")
LINE_MAX, FUNCTION_MAX, FILE_MAX = 100, 70, 1000
REQUIREMENT = re.compile(r"\b(?:FR|UT|LG|AS|VM|MO|TL|CW|PG|SW|OM|DM|CP|AB|RG|IP|PK|EX|PL|US|IN)"
                         r"[1-9]\d?\b")
INVARIANTS = "docs/invariants.md"
ASSURANCE = "docs/assurance.md"
LEFT_OVER = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")) + r")\b")


def files():
    """All files of the tree, those that are not committed yet too."""
    listing = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], check=True,
                             stdout=subprocess.PIPE, text=True).stdout.split("\n")
    return [path for path in sorted(set(listing)) if path and os.path.isfile(path)]


def is_code(path):
    return path.endswith(CODE) or os.path.basename(path) == "Makefile"


def lines_of(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().split("\n")


def dependencies(out):
    """{source: [what it includes]} of the tree's own files, from the .d files."""
    found = {}
    for path in glob.glob(os.path.join(out, "**", "*.d"), recursive=True):
        with open(path, encoding="utf-8") as file:
            rule = file.read().replace("\\\n", " ").split("\n")[0]
        words = [os.path.normpath(word) for word in rule.partition(":")[2].split()]
        words = [word for word in words if not os.path.isabs(word)]
        if words and os.path.exists(words[0]):
            found[words[0]] = words[1:]
    return found


def check_layers(args):
    bad, deps = [], dependencies(args.out)
    if not deps:
        bad.append(f"{args.out}: no dependency files; nothing was compiled")
    for source, included in sorted(deps.items()):
        layer = next((key for key in LAYERS if source.startswith(key)), None)
        if layer is None or source.endswith("_test.c"):
            continue
        for path in included:
            if not path.startswith(("build/", *LAYERS[layer])):
                bad.append(f"{source}: includes {path}, which is not for {layer}")
    for path in glob.glob("abi/*.h"):
        for line in lines_of(path):
            match = re.match(r'\s*#\s*include\s*[<"]([^>"]+)', line)
            if match and match.group(1) != "stdint.h" and not match.group(1).startswith("abi/"):
                bad.append(f"{path}: includes {match.group(1)}; abi has <stdint.h> alone")
    return bad


def check_machine_conditionals(_):
    bad = []
    for path in files():
        if path.startswith(KERNEL_SIDE) and path.endswith((".c", ".h")):
            for number, line in enumerate(lines_of(path), 1):
                if re.match(r"\s*#\s*(if|ifdef|ifndef|elif)\b.*(__x86_64__|__aarch64__)", line):
                    bad.append(f"{path}:{number}: a machine's conditional outside arch/")
    return bad


def check_licence(_):
    tag = "SPDX-License-Identifier: BSD-2-Clause"
    return [f"{path}: no SPDX line at its top" for path in files()
            if is_code(path) and tag not in "\n".join(lines_of(path)[:2])]


def check_lines(_):
    bad = []
    for path in files():
        if not is_code(path):
            continue
        free = False
        lines = lines_of(path)
        if len(lines) > FILE_MAX:
            bad.append(f"{path}: {len(lines)} lines, more than {FILE_MAX}")
        for number, line in enumerate(lines, 1):
            if "clang-format off" in line:
                free = True
            elif "clang-format on" in line:
                free = False
            if len(line) > LINE_MAX and not free and not path.endswith(".toml"):
                bad.append(f"{path}:{number}: {len(line)} columns, more than {LINE_MAX}")
            if line != line.rstrip():
                bad.append(f"{path}:{number}: blanks at the end of the line")
            if LEFT_OVER.search(line):
                bad.append(f"{path}:{number}: {LEFT_OVER.search(line).group(0)}")
    return bad


def check_functions(_):
    """Functions start with `{` and end with `}` in the first column."""
    bad = []
    for path in files():
        if not path.endswith(".c"):
            continue
        start, is_function, last = 0, False, ""
        for number, line in enumerate(lines_of(path), 1):
            if line == "{":
                start, is_function = number, last.rstrip().endswith(")")
            elif line.startswith("}") and start:
                if is_function and number - start > FUNCTION_MAX:
                    bad.append(f"{path}:{start}: a function of {number - start} lines, "
                               f"more than {FUNCTION_MAX}")
                start = 0
            last = line or last
    return bad


def check_docs(_):
    try:
        return [f"{path}: not what its lists say now; `make docs` writes it"
                for path in docs.stale()]
    except xmacro.ListError as error:
        return [str(error)]


def check_inventory(_):
    try:
        return [f"{inventory.DATA}: {problem}" for problem in inventory.problems()]
    except (xmacro.ListError, KeyError) as error:
        return [f"{inventory.DATA}: {error}"]


def invariants():
    """[(line number, {heading: cell})] of the ledger of invariants."""
    rows, heads = [], None
    for number, line in enumerate(lines_of(INVARIANTS), 1):
        if not line.startswith("|"):
            heads = None
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if heads is None:
            heads = [cell.lower() for cell in cells]
        elif not set(line) <= set("|-: "):
            rows.append((number, dict(zip(heads, cells))))
    return rows


def check_requirements(_):
    """Ids in code have a row; each row says what checks it; the names exist."""
    if not os.path.exists(INVARIANTS):
        return []
    rows, bad = invariants(), []
    known = {row.get("id", "") for _, row in rows}
    tree = [path for path in files() if is_code(path)]
    text = {path: "\n".join(lines_of(path)) for path in tree}
    for path, content in text.items():
        if path.startswith("tools/"):
            continue
        for name in sorted(set(REQUIREMENT.findall(content)) - known):
            bad.append(f"{path}: {name} is not in {INVARIANTS}")
    everything = "\n".join(text.values())
    identifiers = set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", everything))
    for number, row in rows:
        where = f"{INVARIANTS}:{number}: {row.get('id', '?')}"
        if not row.get("checked by", "").strip("- "):
            bad.append(f"{where}: nothing checks it")
        for name in re.findall(r"`([^`]+)`", " ".join(row.values())):
            if "/" in name and not glob.glob(name.split(":")[0]):
                bad.append(f"{where}: {name} does not exist")
            elif re.fullmatch(r"[a-z][a-z0-9]*_[a-z0-9_]*", name) and name not in identifiers:
                bad.append(f"{where}: {name} is nowhere in the code")
    return bad


def counted():
    """{words of the document, as a pattern: the numbers that belong in them}."""
    with open("proof/eva.toml", "rb") as file:
        alarms = [times for functions in tomllib.load(file)["alarm"].values()
                  for kinds in functions.values() for times, _ in kinds.values()]
    variants = sum(line.startswith(" * CATCH ") for path in glob.glob("proof/models/*.pml")
                   for line in lines_of(path))
    faults = 0
    for path in glob.glob("proof/rows/*.toml"):
        with open(path, "rb") as file:
            faults += len(tomllib.load(file)["fault"])
    return {r"leaves (\d+) alarms, in (\d+) rows": (sum(alarms), len(alarms)),
            r"one fault put in, (\d+) in all": (variants,),
            r"(\d+) faults are listed": (faults,)}


def check_figures(_):
    """What the document counts is what there is."""
    text, bad = " ".join(lines_of(ASSURANCE)), []
    for words, numbers in counted().items():
        found = re.search(words, text)
        if found is None:
            bad.append(f"{ASSURANCE}: does not say: {words}")
        elif tuple(map(int, found.groups())) != numbers:
            bad.append(f"{ASSURANCE}: {found[0]}: they are {', '.join(map(str, numbers))}")
    return bad


def check_fault_sites(_):
    """Every step that can run out was made to, or it says why not."""
    return fault_sites.faults()


def check_shell(_):
    if shutil.which("shellcheck") is None:
        return None
    scripts = [path for path in files() if path.endswith(".sh") or path == ".ci/run"]
    result = subprocess.run(["shellcheck", *scripts], capture_output=True, text=True, check=False)
    return result.stdout.splitlines() if result.returncode else []


CHECKS = {"layers": check_layers, "machine-conditionals": check_machine_conditionals,
          "licence": check_licence, "lines": check_lines, "functions": check_functions,
          "docs": check_docs, "inventory": check_inventory,
          "requirements": check_requirements,
          "figures": check_figures, "fault-sites": check_fault_sites, "shell": check_shell}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    results = Results("check", args.results)
    chosen = [name for name in CHECKS if args.only in name]
    if not chosen:
        return nothing_chosen(results, args.only, CHECKS)
    for name in chosen:
        start = time.monotonic()
        bad = CHECKS[name](args)
        if bad is None:
            print(f"  skip  {name}: its tool is not installed")
            continue
        results.add(name, int(not bad), int(bool(bad)), time.monotonic() - start, "\n".join(bad))
    return results.finish()


if __name__ == "__main__":
    sys.exit(main())
