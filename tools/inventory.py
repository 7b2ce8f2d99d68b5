# SPDX-License-Identifier: BSD-2-Clause
"""The inventory of the memory authority: docs/memory-model.toml says what code cannot,
the rest is read from the code, and the two must agree.

    problems()   what does not agree; `make check` fails if there is anything
    render()     the text of docs/memory-model.md

From the code: states and edges that are lists of headers, who calls what (so which
method permits it), first sentences, locks and statuses of the headers' comments.
In the data file, for each noun its functions (see its head).
"""
import glob
import os
import re
import tomllib

import abi
import csource
import xmacro

DATA = "docs/memory-model.toml"
RANKS = ("base/lock_rank.h", "LOCK_RANK_LIST")
TABLES = ("core_cpu", "frame_table", "magazine", "id_pool", "park_table", "cap_slot")
# What a `Locks:` tag says beside the names of ranks.
LOCK_WORDS = {"none": "none", "bucket": "PARK", "wait_lock": "PARK", "owner's": "the owner's",
              "caller's": "the caller's"}
SOURCES = ("core", "kernel")
ENTRIES = ("arch/include/arch/trap.h", "boot/boot_info.h")
MANY = 9  # more callers than this are counted, not listed


class Inventory:
    def __init__(self):
        with open(DATA, "rb") as file:
            self.data = tomllib.load(file)
        self.nouns = self.data["noun"]
        self.rows = {name: row for noun in self.nouns for name, row in noun["function"].items()}
        self.statuses = {row[0] for row in xmacro.values("abi/status.h", "CAD_STATUS_LIST")}
        self.ranks = [row[0] for row in xmacro.values(*RANKS)]
        self.methods = {f"method_{m.interface}_{m.name}": m for m in abi.load()}
        self.declared = {}
        for noun in self.nouns:
            for header in noun["headers"]:
                for function in csource.declared(header):
                    self.declared[function.name] = function
        with open("kernel/memory.c", encoding="utf-8") as file:
            hooks = dict(re.findall(r"\.(\w+) = (host_\w+|pool_grow),", file.read()))
        self.code = csource.Mentions(csource.sources(*SOURCES), hooks)
        self.callers = self._callers()

    # --- who makes it happen ---

    def entries(self):
        """Where the kernel is entered: methods, and what machines call."""
        found = list(self.methods)
        for path in ENTRIES:
            found += [f.name for f in csource.declared(path) if f.name.startswith("kernel_")]
        return [("", name) for name in found if ("", name) in self.code.texts]

    def _callers(self):
        """{function: names of what leads to it with no other row or gate between}."""
        gates = self.data["gate"]
        hubs = [node for name in self.data["hub"]["names"] for node in self.code.anywhere(name)]
        named = [node for name in (*self.rows, *gates) for node in self.code.anywhere(name)]
        for name, gate in gates.items():
            if "leads_to" in gate:
                self.code.edges[("", name)] = {
                    node for node in self.code.texts if re.search(gate["leads_to"], node[1])}
        callers = {node[1]: set() for node in named}
        for start in {*self.entries(), *named}:
            for node in self.code.reach(start, {*named, *hubs}):
                if node[1] in callers and node[1] != start[1]:
                    callers[node[1]].add(start[1])
        return callers

    # --- what the headers say ---

    def locks_in_header(self, function):
        section = re.search(r"Locks:.*", function.section)
        texts = [function.tag("Locks"), section.group(0) if section else None]
        header = re.search(r"Locks:.*", xmacro.header_comment(function.path).replace("\n", " "))
        texts.append(header.group(0) if header else None)
        text = next((text for text in texts if text), None)
        if text is None:
            return None
        words = re.split(r"[.;,(]", text.removeprefix("Locks:"))[0]
        found = {rank for rank in self.ranks if re.search(rf"\b{rank.lower()}\b", words)}
        found |= {name for word, name in LOCK_WORDS.items() if word in words}
        return found

    def fails_in_header(self, function):
        """The statuses of `Fails:`, those of `as NAME` too; None without the tag."""
        text = function.tag("Fails")
        if text is None:
            return None
        words = set(re.findall(r"\b[A-Z][A-Z_]+\b\*?", text))
        found = {word for word in words if word in self.statuses or word == "QUOTA_*"}
        for name in re.findall(r"\bas (\w+)", text):
            if name in self.declared and name != function.name:
                found |= self.fails_in_header(self.declared[name]) or set()
        return found

    def edges(self, noun):
        """[(from, to, function)] of the noun's machine."""
        if "edge_list" not in noun:
            return [tuple(edge) for edge in noun.get("edges", [])]
        return [tuple(row) for row in xmacro.values(noun["headers"][0], noun["edge_list"])]

    def states(self, noun):
        """[(state, meaning)] of the noun's machine."""
        if "state_list" not in noun:
            return [tuple(state) for state in noun.get("states", [])]
        return [(row[0], row[-1]) for row in xmacro.values(noun["headers"][0], noun["state_list"])]

    def holder(self, name):
        """The row that a function is, or that leads to it; None if there is none."""
        if name in self.rows:
            return name
        inner = set(self.code.anywhere(name))
        nodes = [(row, node) for row in self.rows for node in self.code.anywhere(row)]
        directly = (row for row, node in nodes if inner & self.code.edges[node])
        further = (row for row, node in nodes if self.code.reach(node, inner))
        return next(directly, next(further, None)) if inner else None


# --- what must agree ---

def changes_state(function):
    """It is given one of the tables to write to."""
    return any(re.match(rf"struct ({'|'.join(TABLES)}) \*", p) for p in function.parameters)


def functions_problems(inventory):
    for noun in inventory.nouns:
        for header in noun["headers"]:
            for function in csource.declared(header):
                wanted = changes_state(function) or header in noun.get("all_of", [])
                quiet = function.name in noun.get("stateless", [])
                if wanted and not quiet and function.name not in inventory.rows:
                    yield f"{header}: {function.name} changes state and has no row"
        for name in noun.get("stateless", []):
            if name not in {f.name for h in noun["headers"] for f in csource.declared(h)}:
                yield f"{noun['name']}: {name} of stateless is declared in none of its headers"
        for name in noun["function"]:
            if name not in inventory.declared:
                yield f"{noun['name']}: {name} is declared in none of {', '.join(noun['headers'])}"
            elif not inventory.code.anywhere(name):
                yield f"{noun['name']}: {name} is defined nowhere"


def tags_problems(inventory):
    for name, row in inventory.rows.items():
        function = inventory.declared.get(name)
        if function is None:
            continue
        said, locks = inventory.locks_in_header(function), set(row.get("locks", []))
        if said is None:
            yield f"{function.path}: {name}: nothing says Locks:"
        elif said != locks:
            yield (f"{name}: locks {sorted(locks)}, but {function.path} says "
                   f"Locks: {sorted(said)}")
        fails = inventory.fails_in_header(function)
        listed = set(row.get("refused", [])) | set(row.get("undone", {}))
        if fails is None and function.returns.endswith("status_t"):
            yield f"{function.path}: {name} gives a status and has no Fails:"
        for status in sorted((fails or set()) - listed):
            yield f"{name}: {status} of Fails: in {function.path} is not in its row"
        for status in sorted(listed - (fails or set()) - set(row.get("answers", []))):
            yield f"{name}: {status} is in its row, but not in Fails: of {function.path}"


def machines_problems(inventory):
    for noun in inventory.nouns:
        states = {state for state, _ in inventory.states(noun)}
        edges = inventory.edges(noun)
        for start, end, by in edges:
            for state in {start, end} - states:
                yield f"{noun['name']}: {start} to {end}: no state {state}"
            if inventory.holder(by) is None:
                yield f"{noun['name']}: {start} to {end}: no row is or leads to {by}"
        for state in sorted(states - {s for edge in edges for s in edge[:2]}):
            if edges:
                yield f"{noun['name']}: {state} is on no edge"


def operations_problems(inventory):
    """Each operation on entries is one of the functions said, which asks the table for it."""
    listed = inventory.data["operation"]
    operations = {row[0]: row[2] for row in
                  xmacro.values("core/entry.h", "ENTRY_OPERATION_LIST")}
    for name in sorted(set(listed) ^ set(operations)):
        yield f"operation {name}: in the list of core/entry.h or in {DATA}, not in both"
    for name, functions in listed.items():
        for function in functions:
            if function not in inventory.rows:
                yield f"operation {name}: {function} has no row"
            elif not reaches_word(inventory, function, f"ENTRY_OP_{name}"):
                yield f"operation {name}: {function} does nothing with ENTRY_OP_{name}"
            for method in re.findall(r"\b[a-z_]+\.[a-z_]+\b", operations.get(name, "")):
                symbol = "method_" + method.replace(".", "_")
                if symbol not in inventory.callers.get(function, ()):
                    yield f"operation {name}: {method} does not lead to {function}"


def reaches_word(inventory, function, word):
    seen, todo = set(), list(inventory.code.anywhere(function))
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        seen.add(node)
        if re.search(rf"\b{word}\b", inventory.code.texts[node]):
            return True
        todo += inventory.code.edges[node]
    return False


def methods_problems(inventory):
    """Each method leads to a row, or is said to change nothing of memory's."""
    leading = {name for names in inventory.callers.values() for name in names}
    quiet = set(inventory.data["method"]["change_nothing"])
    for symbol, method in inventory.methods.items():
        name = f"{method.interface}.{method.name}"
        if symbol not in leading and name not in quiet:
            yield f"{name} leads to no row, and is not in change_nothing"
        if symbol in leading and name in quiet:
            yield f"{name} is in change_nothing, but leads to a row"
    for name in sorted(quiet - {f"{m.interface}.{m.name}" for m in inventory.methods.values()}):
        yield f"{name} is in change_nothing, and no method"


def names_problems(inventory):
    """Tests, files and functions that texts name exist."""
    tests = set()
    for path in glob.glob("*/*_test.c") + glob.glob("test/*/*_test.c"):
        tests |= set(csource.definitions(path))
    known = {node[1] for node in inventory.code.texts} | set(inventory.statuses)
    for path in csource.sources(*SOURCES):
        with open(path, encoding="utf-8") as file:
            known |= set(re.findall(r"\b[A-Za-z_]\w+\b", file.read()))
    for name, row in inventory.rows.items():
        if first_sentence(inventory.declared.get(name)) == "-" and not row.get("does"):
            yield f"{name}: neither its header nor its row says what it does"
        if not row.get("tests"):
            yield f"{name}: no test"
        for test in row.get("tests", []):
            if "/" in test and not os.path.exists(test):
                yield f"{name}: {test} does not exist"
            elif "/" not in test and test not in tests:
                yield f"{name}: there is no test {test}"
    for where, text in texts(inventory):
        for word in re.findall(r"`(\w+)`", text):
            if word not in known:
                yield f"{where}: `{word}` is nowhere in the code"


def texts(inventory):
    for noun in inventory.nouns:
        yield noun["name"], noun["about"] + noun["exit"]
    for name, row in inventory.rows.items():
        words = [row.get("ledger", ""), row.get("tlb", ""), *row.get("undone", {}).values()]
        yield name, " ".join(words)


CHECKS = (functions_problems, tags_problems, machines_problems, operations_problems,
          methods_problems, names_problems)


def problems():
    """What does not agree, a line each."""
    inventory = Inventory()
    return [line for check in CHECKS for line in check(inventory)]


# --- the page ---

def permits(inventory, name):
    """Who permits a row or gate: methods with their right, gates, the rest of the kernel."""
    words, callers = [], sorted(inventory.callers.get(name, ()))
    rows = [caller for caller in callers if caller in inventory.rows]
    for caller in callers:
        method = inventory.methods.get(caller)
        if method:
            words.append(f"`{method.interface}.{method.name}` ({method.right})")
        elif caller not in inventory.rows:
            words.append(f"`{caller}`")
    inside = [f"`{row}`" for row in rows]
    if len(words) > MANY:
        words = [f"{len(words)} methods and parts of the kernel"]
    if len(inside) > MANY:
        inside = [f"{len(inside)} functions here"]
    if inside:
        words.append("inside " + ", ".join(inside))
    return ", ".join(words) or "nobody yet"


def first_sentence(function):
    """What the header says that it does; `-` if it says conditions alone."""
    if function is None:
        return ""
    text = re.sub(r"\s*\b(Needs|Locks|Gives|Fails|Cost):.*", "", function.comment)
    return re.split(r"(?<=[a-z0-9)])\. ", text + " ")[0].strip().rstrip(".") or "-"


def diagram(states, edges):
    lines = ["```mermaid", "stateDiagram-v2"]
    together = {}
    for start, end, by in edges:
        together.setdefault((start, end), []).append(by)
    known = {state for state, _ in states}
    for (start, end), names in together.items():
        ends = [state if state in known else "[*]" for state in (start, end)]
        lines.append(f"    {ends[0]} --> {ends[1]}: {', '.join(names)}")
    return "\n".join([*lines, "```", ""])


def failure_words(row):
    refused = ", ".join(row.get("refused", [])) or "-"
    undone = "; ".join(f"{status}: {text}" for status, text in row.get("undone", {}).items())
    return refused, undone or "-"


def held_by(row):
    return ", ".join(f"`{test}`" for test in row["tests"])


def render_noun(inventory, noun, table):
    states, edges = inventory.states(noun), inventory.edges(noun)
    parts = [f"## {noun['name']}", "", noun["about"].strip(), ""]
    if edges:
        parts += [diagram(states, edges),
                  table(["state", "meaning"], [(f"`{s}`", meaning) for s, meaning in states])]
        parts += [table(["from", "to", "by", "in"], [
            (f"`{a}`", f"`{b}`", f"`{by}`",
             "" if by in inventory.rows else f"`{inventory.holder(by)}`")
            for a, b, by in edges])]
    rows = noun["function"].items()
    parts += [table(["function", "what it does", "permitted by"], [
        (f"`{name}`", row.get("does") or first_sentence(inventory.declared[name]),
         permits(inventory, name)) for name, row in rows])]
    parts += [table(["function", "ledger", "locks", "translations", "held by"], [
        (f"`{name}`", row.get("ledger", "-"), ", ".join(
            sorted(lock.lower() for lock in row["locks"])), row.get("tlb", "-"),
         held_by(row)) for name, row in rows])]
    failing = [(f"`{name}`", *failure_words(row)) for name, row in rows
               if row.get("refused") or row.get("undone")]
    if failing:
        parts += [table(["function", "refused before anything is taken",
                         "taken, and given back"], failing)]
    return parts + [f"**When a process ends.** {noun['exit'].strip()}", ""]


def render(page, table):
    """The page; `page` and `table` are docs.py's."""
    inventory = Inventory()
    parts = [inventory.data["introduction"].strip(), ""]
    for noun in inventory.nouns:
        parts += render_noun(inventory, noun, table)
    parts += ["## Operations on entries", "", inventory.data["operations_about"].strip(), "",
              table(["operation", "by"], [
                  (f"`{name}`", ", ".join(f"`{f}`" for f in functions))
                  for name, functions in inventory.data["operation"].items()]),
              "## Gates", "", inventory.data["gates_about"].strip(), "",
              table(["gate", "what passes", "permitted by"], [
                  (f"`{name}`", gate["means"], permits(inventory, name))
                  for name, gate in inventory.data["gate"].items()]),
              "## Methods that change nothing here", "",
              ", ".join(f"`{name}`" for name in inventory.data["method"]["change_nothing"]) + ".",
              ""]
    return page("The memory model: an inventory", [DATA, "core/*.h", "kernel/*.[ch]",
                                                   "abi/methods.h"], *parts)
