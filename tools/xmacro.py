# SPDX-License-Identifier: BSD-2-Clause
"""Reads the project's X-macro lists: `#define NAME_LIST(ROW...) ROW(a, b, "c") ...`.

Only what the lists use is understood: rows of identifiers, numbers, strings and
nested calls such as IN(a, b).  Anything else is an error with file and row.
"""
import re


class ListError(Exception):
    """A list that is not there or not as expected."""


def _body(path, name):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    match = re.search(r"^#define " + name + r"\(([^)]*)\)((?:.*\\\n)*.*)$", text, re.M)
    if not match:
        raise ListError(f"{path}: no list {name}")
    rows = [word.strip() for word in match.group(1).split(",")]
    return rows, match.group(2).replace("\\\n", " ")


TOKEN = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|([A-Za-z0-9_<>|.\-]+)|([(),]))')


def _arguments(text, position, where):
    """Parses after an opening parenthesis; gives (arguments, position after `)`)."""
    arguments, current = [], None
    while True:
        match = TOKEN.match(text, position)
        if not match:
            raise ListError(f"{where}: cannot be read at {text[position:position + 40]!r}")
        string, word, mark = match.groups()
        position = match.end()
        if string is not None:
            piece = string[1:-1].replace('\\"', '"').replace("\\\\", "\\")
            current = piece if current is None else current + piece
        elif word is not None:
            current = word
        elif mark == "(":
            inner, position = _arguments(text, position, where)
            current = (current, inner)
        else:
            if current is not None:
                arguments.append(current)
            current = None
            if mark == ")":
                return arguments, position


def read(path, name):
    """Gives the rows of a list as [(row macro, [argument, ...])].  A nested call
    is (name, [argument, ...])."""
    macros, body = _body(path, name)
    rows, position = [], 0
    start = re.compile(r"\s*([A-Za-z0-9_]+)\(")
    while body[position:].strip():
        match = start.match(body, position)
        if not match or match.group(1) not in macros:
            raise ListError(f"{path}: {name}: no row at {body[position:position + 40].strip()!r}")
        arguments, position = _arguments(body, match.end(), f"{path}: {name}")
        rows.append((match.group(1), arguments))
    if not rows:
        raise ListError(f"{path}: {name} is empty")
    return rows


def values(path, name):
    """The arguments only, for lists with one row macro."""
    return [arguments for _, arguments in read(path, name)]


def header_comment(path):
    """The text of the header's first block comment, its stars removed."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for match in re.finditer(r"/\*(.*?)\*/", text, re.S):
        if "SPDX" in match.group(1):
            continue
        lines = [re.sub(r"^\s*\* ?", "", line) for line in match.group(1).splitlines()]
        return "\n".join(line.rstrip() for line in lines).strip()
    raise ListError(f"{path}: no header comment")


def defines(path, names):
    """The values of plain `#define NAME value` lines, CAD_U64() taken off."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    found = {}
    for match in re.finditer(r"^#define ([A-Z0-9_]+)[ \t]+(.+?)[ \t]*(?:/\*.*)?$", text, re.M):
        found[match.group(1)] = match.group(2)

    def value(name):
        if name not in found:
            raise ListError(f"{path}: {name} is not defined")
        word = re.sub(r"^CAD_U64\((.*)\)$", r"\1", found[name])
        return value(word) if word in found else int(word.rstrip("ulUL"), 0)

    return {name: value(name) for name in names}
