#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the typed user clients of every method of abi/methods.h (stdout).

    abi.py clients

For each method but the endpoint's messages (user/include/cadastre/message.h):

    status_t cad_<interface>_<method>(cap_id_t cap, uint64_t <in>..., uint64_t *<out>...)

Results are written only when the status is CAD_OK.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import xmacro  # noqa: E402

WORDS = 10
MESSAGE_FIRST_WORD = "word0"
LINE = 100


class Method:
    """One row of CAD_METHOD_LIST."""

    def __init__(self, row):
        (self.interface_upper, self.interface, self.name, number, self.right,
         (_, self.inputs), (_, self.outputs), self.meaning) = row
        self.number = int(number)
        if max(len(self.inputs), len(self.outputs)) > WORDS:
            raise xmacro.ListError(f"{self.interface}.{self.name}: more than {WORDS} words")

    def is_message(self):
        return MESSAGE_FIRST_WORD in self.inputs or MESSAGE_FIRST_WORD in self.outputs


def load(path="abi/methods.h"):
    """All methods; refuses numbers and names that an interface has twice."""
    methods = [Method(row) for row in xmacro.values(path, "CAD_METHOD_LIST")]
    seen = set()
    for method in methods:
        for key in ((method.interface, method.number), (method.interface, method.name)):
            if key in seen:
                raise xmacro.ListError(f"{path}: {key[0]} has {key[1]} twice")
            seen.add(key)
    return methods


def wrap(head, words, end, indent):
    """head + words joined by commas + end, broken before LINE columns."""
    lines, current = [], head
    for i, word in enumerate(words):
        piece = word + (end if i == len(words) - 1 else ",")
        blank = "" if i == 0 else " "
        if len(current + blank + piece) > LINE:
            lines.append(current)
            current = indent + piece
        else:
            current += blank + piece
    return "\n".join(lines + [current])


def client(method):
    """The C text of one client."""
    clashes = set(method.inputs) & set(method.outputs)
    outputs = [f"{name}_out" if name in clashes else name for name in method.outputs]
    parameters = (["cap_id_t cap"] + [f"uint64_t {name}" for name in method.inputs]
                  + [f"uint64_t *{name}" for name in outputs])
    head = f"static inline status_t cad_{method.interface}_{method.name}("
    count = max(len(method.inputs), len(outputs))
    lines = [f"/* {method.meaning} */",
             wrap(head, parameters, ")", " " * len(head)), "{"]
    if count:
        start = f"    uint64_t words[{count}] = {{"
        words = method.inputs or ["0"]
        lines.append(wrap(start, words, "};", " " * len(start)))
    lines += ["    uint64_t message_badge;",
              f"    status_t answer = cad_invoke_{count}(",
              wrap("        CAD_CALL(",
                   [f"CAD_INTERFACE_{method.interface_upper}",
                    f"CAD_METHOD_{method.interface_upper}_{method.name}"], "),", " " * 17),
              f"        cap, {'words' if count else '(uint64_t *)0'}, &message_badge);", ""]
    if outputs:
        lines.append("    if (answer == CAD_OK) {" if len(outputs) > 1
                     else "    if (answer == CAD_OK)")
        lines += [f"        *{name} = words[{i}];" for i, name in enumerate(outputs)]
        lines += ["    }"] if len(outputs) > 1 else []
    lines += ["    return answer;", "}", ""]
    return "\n".join(lines)


def clients(methods):
    lines = ["// SPDX-License-Identifier: BSD-2-Clause",
             "/* Typed clients of every method: generated from abi/methods.h by tools/abi.py.",
             " * Results are written only when the status is CAD_OK. */",
             "#ifndef CADASTRE_CLIENTS_H", "#define CADASTRE_CLIENTS_H", "",
             '#include "abi/interfaces.h"', '#include "abi/methods.h"',
             '#include "cadastre/invoke.h"', ""]
    lines += [client(method) for method in methods if not method.is_message()]
    return "\n".join(lines + ["#endif", ""])


if __name__ == "__main__":
    if sys.argv[1:] != ["clients"]:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    try:
        sys.stdout.write(clients(load()))
    except xmacro.ListError as error:
        sys.exit(f"abi.py: {error}")
