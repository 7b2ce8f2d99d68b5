# SPDX-License-Identifier: BSD-2-Clause
"""What tools ask of the C text: the functions that headers declare, with what their
comments say, and which functions and tables mention which others.

It relies on the house style: a definition's braces stand in the first column.
"""
import os
import re

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
PROTOTYPE = re.compile(
    r"(?:MUST_CHECK\s+|static inline\s+|_Noreturn\s+)*"
    r"(?P<returns>[A-Za-z_][\w\s]*[\s*])(?P<name>[a-z]\w*)\((?P<parameters>[^;{}]*)\)\s*[;{]", re.S)
# In reading order: ACSL, comments, gaps, declarations, anything else.
PIECE = re.compile(r"/\*@.*?\*/|/\*.*?\*/|//[^\n]*|\n[ \t]*\n|[A-Za-z_][^;{}/]*\)\s*[;{]|[^\n]|\n",
                   re.S)


class Declared:
    """A function of a header: `comment` is the one above it, or above its group."""

    def __init__(self, match, path, comment, section):
        self.name, self.path = match["name"], path
        self.returns = match["returns"].strip()
        self.parameters = [" ".join(word.split()) for word in match["parameters"].split(",")]
        self.comment, self.section = comment, section

    def tag(self, name):
        """The text of `Name: ...` in the comment, up to the next tag; None without one."""
        match = re.search(rf"\b{name}:\s*(.*?)(?=\b(?:Needs|Locks|Gives|Fails|Cost):|$)",
                          self.comment, re.S)
        return match.group(1).strip() if match else None


def plain(comment):
    """A block comment's words, its stars and line breaks removed."""
    return " ".join(re.sub(r"^/\*+|\*+/$|^\s*\*(?!/)", " ", comment, flags=re.M).split())


def without_directives(text):
    return re.sub(r"^[ \t]*#(?:.*\\\n)*.*$", "", text, flags=re.M)


def declared(path):
    """All functions that a header declares, in its order."""
    with open(path, encoding="utf-8") as file:
        text = without_directives(file.read())
    found, position, comment, section = [], 0, "", ""
    while position < len(text):
        piece = PIECE.match(text, position)
        position, word = piece.end(), piece.group(0)
        if word.startswith("/* ---"):
            section, comment = plain(word), ""
        elif word.startswith("/*") and not word.startswith("/*@"):
            comment = plain(word)
        elif word.startswith("\n") and word.strip() == "" and len(word) > 1:
            comment = ""
        match = PROTOTYPE.fullmatch(word)
        if match and not word.startswith(("COMPILE_ASSERT", "typedef", "return")):
            found.append(Declared(match, path, comment, section))
            if word.endswith("{"):
                position = text.find("\n}", position) + 2
    return found


def definitions(path):
    """{name: (text, is it of this file only)} of the functions and tables of a file."""
    with open(path, encoding="utf-8") as file:
        text = COMMENT.sub(" ", without_directives(file.read()))
    found = {}
    for match in re.finditer(r"^(?P<head>[A-Za-z_][^;{}]*?)\n?\{(?P<body>.*?)^\}", text,
                             re.M | re.S):
        head = re.sub(r"__attribute__\(\(.*?\)\)", " ", match["head"])
        name = re.search(r"(\w+)(?:\[[^=]*\])*\s*=\s*$", head) or re.search(r"(\w+)\(", head)
        if name and not head.startswith(("struct ", "enum ", "typedef ")) or \
                name and head.rstrip().endswith(")"):
            found[name.group(1)] = (match["body"], head.startswith("static"))
    return found


class Mentions:
    """Who mentions whom, over the .c and .h files of some folders.  A node is
    (file, name) for what is static, else ("", name)."""

    def __init__(self, paths, aliases=None):
        self.aliases = aliases or {}
        self.texts, self.files = {}, {}
        for path in paths:
            for name, (body, is_static) in definitions(path).items():
                node = (path, name) if is_static and path.endswith(".c") else ("", name)
                self.texts[node], self.files[node] = body, path
        self.edges = {node: self._named(node, body) for node, body in self.texts.items()}

    def find(self, name, path=""):
        """The node that `name` means in a file; None if it is not ours."""
        for node in ((path, name), ("", name)):
            if node in self.texts:
                return node
        return None

    def anywhere(self, name):
        """All nodes of that name."""
        return [node for node in self.texts if node[1] == name]

    def _named(self, node, body):
        words = set(re.findall(r"(?<![.>\w])([A-Za-z_]\w*)(?=\s*[(\[,)};])", body))
        words |= {self.aliases[word] for word in re.findall(r"\w+", body) if word in self.aliases}
        nodes = {self.find(word, self.files[node]) for word in words}
        return nodes - {None, node}

    def reach(self, start, stops):
        """The nodes of `stops` that are met from `start`, without going on behind them."""
        met, seen, todo = set(), {start}, [start]
        while todo:
            for node in self.edges.get(todo.pop(), ()):
                if node in seen:
                    continue
                seen.add(node)
                if node in stops:
                    met.add(node)
                else:
                    todo.append(node)
        return met


def sources(*folders):
    """The .c and .h files of folders, tests left out."""
    found = []
    for folder in folders:
        for name in sorted(os.listdir(folder)):
            is_test = name.endswith("_test.c") or name.startswith("test_") or "fixture" in name
            if name.endswith((".c", ".h")) and not is_test:
                found.append(os.path.join(folder, name))
    return found
