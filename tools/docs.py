#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the documents that are generated from the project's lists, or checks
that those in docs/ are what the lists say now.

    docs.py write     (make docs)
    docs.py check     (make check)
    docs.py render F  one of them to stdout
"""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import abi  # noqa: E402
import inventory  # noqa: E402
import fault_sites  # noqa: E402
import xmacro  # noqa: E402

DOCS = "docs"


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    lines += ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |"
              for row in rows]
    return "\n".join(lines) + "\n"


def page(title, sources, *parts):
    names = ", ".join(f"`{source}`" for source in sources)
    return "\n".join([f"# {title}", "", f"Generated from {names} by `make docs`.", "", *parts])


def words(names):
    return ", ".join(f"`{name}`" for name in names) or "-"


def render_abi():
    methods = abi.load()
    statuses = {row[0] for row in xmacro.values("abi/status.h", "CAD_STATUS_LIST")}
    parts = ["## Invocation", "", "```", xmacro.header_comment("abi/invoke.h"), "```", "",
             "## Rights", "", table(["right", "bit", "meaning"],
                                    xmacro.values("abi/rights.h", "CAD_RIGHT_LIST")),
             "## Methods", "",
             "Arguments and results are the message words m0.. in this order.", ""]
    for upper, name, number, meaning in xmacro.values("abi/interfaces.h", "CAD_INTERFACE_LIST"):
        rows = [(m.number, f"`{m.name}`", m.right, words(m.inputs), words(m.outputs), m.meaning)
                for m in methods if m.interface_upper == upper]
        parts += [f"### {number} `{name}`: {meaning}", "",
                  table(["number", "method", "right", "arguments", "results", "meaning"], rows)]
    resources = xmacro.values("abi/interfaces.h", "CAD_RESOURCE_LIST")
    for row in resources:
        if row[4] not in statuses:
            raise xmacro.ListError(f"abi/interfaces.h: {row[0]}: no status {row[4]}")
    parts += ["## Resources of a ledger", "",
              table(["resource", "number", "unit", "refused with"],
                    [(f"`{r[1]}`", r[2], r[3], r[4]) for r in resources]),
              "## Roles in the CapSet page", "", xmacro.header_comment("abi/capset.h"), "",
              table(["role", "number", "meaning"],
                    [(f"`{r[1]}`", r[2], r[3])
                     for r in xmacro.values("abi/capset.h", "CAD_ROLE_LIST")]),
              "## Kinds of memory objects", "",
              table(["kind", "number", "meaning"],
                    xmacro.values("abi/object_kinds.h", "CAD_OBJECT_KIND_LIST")),
              "## Records of the inspector", "",
              table(["kind", "number", "record", "cursor"],
                    [(r[0], r[1], f"`struct {r[2]}`", r[3])
                     for r in xmacro.values("abi/inspect.h", "CAD_INSPECT_LIST")])]
    return page("The ABI", ["abi/*.h"], *parts)


def render_errors():
    rows = xmacro.values("abi/status.h", "CAD_STATUS_LIST")
    parts = [xmacro.header_comment("abi/status.h"), ""]
    for layer in dict.fromkeys(row[2] for row in rows):
        parts += [f"## {layer.capitalize()}", "",
                  table(["status", "number", "meaning"],
                        [(f"`{r[0]}`", r[1], r[3]) for r in rows if r[2] == layer])]
    parts += ["## How a process ended", "", xmacro.header_comment("abi/exit.h"), "",
              table(["reason", "number", "meaning"],
                    xmacro.values("abi/exit.h", "CAD_EXIT_LIST"))]
    return page("Statuses", ["abi/status.h", "abi/exit.h"], *parts)


def entry_rows():
    """{(from, operation): (row macro, arguments)}; refuses a missing or double pair."""
    states = [r[0] for r in xmacro.values("core/entry.h", "ENTRY_STATE_LIST")]
    operations = [r[0] for r in xmacro.values("core/entry.h", "ENTRY_OPERATION_LIST")]
    path, rows = "core/entry_transitions.h", {}
    for macro, arguments in xmacro.read(path, "ENTRY_TRANSITION_LIST"):
        key = (arguments[0], arguments[1])
        if key in rows:
            raise xmacro.ListError(f"{path}: {key[0]} x {key[1]} is there twice")
        if key[0] not in states or key[1] not in operations:
            raise xmacro.ListError(f"{path}: {key[0]} x {key[1]}: unknown state or operation")
        rows[key] = (macro, arguments)
    states.remove("TABLE")
    for state in states:
        for operation in operations:
            if (state, operation) not in rows:
                raise xmacro.ListError(f"{path}: {state} x {operation} is missing")
    return states, operations, rows


def effect(arguments):
    """What a transition does beside the new state, in words."""
    plain = {"CHARGE_NONE", "FRAME_KEEP", "TLB_NOTHING"}
    return ", ".join(word.lower().replace("_", " ") for word in arguments[3:]
                     if word not in plain) or "-"


def edges(path, states_list, edges_list, state_heads, keep):
    return ["", table(state_heads, [[row[i] for i in keep]
                                    for row in xmacro.values(path, states_list)]),
            table(["from", "to", "by"], [(r[0], r[1], f"`{r[2]}`")
                                         for r in xmacro.values(path, edges_list)])]


def render_transitions():
    states, operations, rows = entry_rows()
    matrix = []
    for operation in operations:
        cells = [rows[state, operation] for state in states]
        matrix.append([f"`{operation}`"] + [
            f"**{a[2]}**" if macro == "TRANSITION" else f"{a[2]}" for macro, a in cells])
    legal = [(a[0], a[1], a[2], effect(a)) for macro, a in rows.values() if macro == "TRANSITION"]
    return page(
        "State tables", ["core/entry.h", "core/entry_transitions.h", "core/frame.h",
                         "kernel/thread.h"],
        "## Entries of a page table", "",
        table(["state", "levels", "present", "frame", "meaning"],
              [(r[0], *r[2:6]) for r in xmacro.values("core/entry.h", "ENTRY_STATE_LIST")]),
        table(["operation", "meaning"],
              [(r[0], r[2]) for r in xmacro.values("core/entry.h", "ENTRY_OPERATION_LIST")]),
        "Bold: the new state. Plain: the status that refuses.", "",
        table(["operation"] + states, matrix),
        table(["from", "operation", "to", "effect"], legal),
        "## Frames", *edges("core/frame.h", "FRAME_STATE_LIST", "FRAME_EDGE_LIST",
                            ["state", "owner", "detail", "meaning"], (0, 2, 3, 4)),
        "Kinds of `KERNEL` frames:", "",
        table(["kind", "owner", "meaning"],
              [(r[0], r[2], r[3]) for r in xmacro.values("core/frame.h",
                                                         "FRAME_KERNEL_KIND_LIST")]),
        "## Threads", *edges("kernel/thread.h", "THREAD_STATE_LIST", "THREAD_EDGE_LIST",
                             ["state", "meaning"], (0, 2)))


def render_locks():
    return page("Lock order", ["base/lock_rank.h"],
                "Outermost first: a lock may be taken only while every lock held stands above it.",
                "", table(["rank", "lock", "protects"],
                          [(i, f"`{r[0]}`", r[1]) for i, r in enumerate(
                              xmacro.values("base/lock_rank.h", "LOCK_RANK_LIST"))]))


def render_charges():
    return page("What kernel records cost", ["core/charge.h"],
                xmacro.header_comment("core/charge.h"), "",
                table(["record", "bytes", "charged to"],
                      [(f"`{r[0]}`", r[1], r[3])
                       for r in xmacro.values("core/charge.h", "CHARGE_LIST")]))


def constants(path):
    """[(name, value, comment above or beside)] of a header's numeric defines."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    found, comment = [], ""
    for line in re.sub(r"/\*((?:(?!\*/).)*)\*/", lambda m: "/*" + re.sub(
            r"\s*\n \*?\s*", " ", m.group(1)) + "*/", text, flags=re.S).splitlines():
        alone = re.fullmatch(r"/\*(.*)\*/", line.strip())
        if alone:
            comment = alone.group(1).strip()
            continue
        match = re.match(r"#define ([A-Z0-9_]+)[ \t]+(?:CAD_U64\()?(0x[0-9a-f]+|\d+)\)?"
                         r"[ \t]*(?:/\*(.*)\*/)?$", line)
        if match:
            beside = (match.group(3) or "").strip()
            found.append((match.group(1), int(match.group(2), 0), beside or comment))
        alias = re.match(r"#define ([A-Z0-9_]+)[ \t]+([A-Z0-9_]+)[ \t]*(?:/\*(.*)\*/)?$", line)
        if alias:
            beside = (alias.group(3) or comment).strip()
            found += [(alias.group(1), value, beside) for name, value, _ in found
                      if name == alias.group(2)]
        comment = ""
    return found


def render_memory_map():
    sources = ["abi/types.h", "arch/x86_64/include/arch_machine/layout.h"]
    rows = [row for path in sources for row in constants(path)]
    places = sorted((value, name, comment) for name, value, comment in rows
                    if name.endswith(("_BASE", "_END", "_ADDRESS", "_TOP")))
    sizes = [(f"`{name}`", f"{value:,}", comment) for name, value, comment in rows
             if name.endswith(("_BYTES", "_PAGES", "_SPANS", "_SIZE"))]
    return page("Memory map", sources, "## Places (x86_64)", "",
                table(["address", "name", "what"],
                      [(f"`{value:016x}`", f"`{name}`", comment)
                       for value, name, comment in places]),
                "## Sizes", "", table(["name", "value", "what"], sizes))


def render_linux_calls():
    numbers = {row[0]: row[1] for row in xmacro.values("user/rt/linux_names.h", "LINUX_CALL_LIST")}
    served = xmacro.values("user/rt/served.h", "SERVED_LIST")
    return page("Linux system calls that the runtime serves",
                ["user/rt/served.h", "user/rt/linux_names.h"],
                xmacro.header_comment("user/rt/served.h"), "",
                table(["call", "number", "how far"],
                      [(f"`{row[0]}`", numbers[row[0]], row[2]) for row in served]))


def render_commands():
    rows = xmacro.values("user/shell/shell.h", "COMMAND_LIST")
    return page("Commands of the shell", ["user/shell/shell.h"],
                "A program's name runs it. `;` goes between commands, `&` after a program runs it",
                "beside the shell, `$?` is the last status, quotes and backslash as in other",
                "shells.", "",
                table(["command", "arguments", "what it does", "`--json`"],
                      [(f"`{r[0]}`", f"`{r[3]}`" if r[3] else "", r[4],
                        "yes" if r[2] == "true" else "") for r in rows]))


def render_fault_sites():
    return fault_sites.render(table, page)


def render_memory_model():
    return inventory.render(page, table)


PAGES = {"abi.md": render_abi, "errors.md": render_errors,
         "transitions.md": render_transitions, "locks.md": render_locks,
         "charges.md": render_charges, "memory_map.md": render_memory_map,
         "memory-model.md": render_memory_model,
         "linux_calls.md": render_linux_calls, "shell_commands.md": render_commands,
         "fault_sites.md": render_fault_sites}


def write():
    os.makedirs(DOCS, exist_ok=True)
    for name, render in PAGES.items():
        text = render()
        path = os.path.join(DOCS, name)
        if not os.path.exists(path) or open(path, encoding="utf-8").read() != text:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            print(f"  DOCS  {path}")
    return 0


def stale():
    """The generated documents that are not what the lists say now."""
    found = []
    for name, render in PAGES.items():
        path = os.path.join(DOCS, name)
        if not os.path.exists(path) or open(path, encoding="utf-8").read() != render():
            found.append(path)
    return found


def main():
    verb = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        if verb == "write":
            return write()
        if verb == "check":
            bad = stale()
            for path in bad:
                print(f"{path}: not what its lists say now; `make docs` writes it")
            return 1 if bad else 0
        if verb == "render" and sys.argv[2:] and sys.argv[2] in PAGES:
            sys.stdout.write(PAGES[sys.argv[2]]())
            return 0
    except xmacro.ListError as error:
        print(f"docs.py: {error}", file=sys.stderr)
        return 1
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
