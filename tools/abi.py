#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Reads the one list of methods (abi/methods.h) and writes what follows from it.

  abi.py clients OUTPUT   typed user clients: one inline function a method
"""
import os
import re
import sys
from dataclasses import dataclass

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

METHOD = re.compile(
    r"^\s*METHOD\((?P<INTERFACE>\w+), (?P<interface>\w+), (?P<method>\w+), (?P<number>\d+), "
    r"(?P<right>\w+), IN\((?P<inputs>[^)]*)\), OUT\((?P<outputs>[^)]*)\), "
    r'"(?P<meaning>[^"]*)"\)', re.M)


@dataclass
class Method:
    INTERFACE: str
    interface: str
    method: str
    number: int
    right: str
    inputs: list
    outputs: list
    meaning: str


def read_methods(path=os.path.join(ROOT, "abi/methods.h")):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    methods = []
    for match in METHOD.finditer(text):
        fields = match.groupdict()
        fields["number"] = int(fields["number"])
        for side in ("inputs", "outputs"):
            fields[side] = [word.strip() for word in fields[side].split(",") if word.strip()]
        methods.append(Method(**fields))
    listed = len(re.findall(r"^\s*METHOD\((?!INTERFACE)", text, re.M))
    if len(methods) != listed or not methods:
        sys.exit(f"{path}: {listed} METHOD lines, {len(methods)} of them understood")
    return methods


def word_type(word):
    return "cap_id_t" if re.search(r"(_cap|^cap\d?)$", word) else "uint64_t"


def is_filled(method, word):
    """The kernel writes to this buffer (it reads any other)."""
    return word.endswith("_buffer") and method.right == "READ"


def input_parameter(method, word):
    if word.endswith("_buffer"):
        return f"{'' if is_filled(method, word) else 'const '}void *{word[:-len('_buffer')]}"
    return f"{word_type(word)} {word}"


def input_value(word):
    return f"(uint64_t){word[:-len('_buffer')]}" if word.endswith("_buffer") else word


def client(method):
    has_badge = method.interface == "endpoint" and "token" in method.outputs
    count = max(len(method.inputs), len(method.outputs))
    parameters = ["cap_id_t cap"]
    parameters += [input_parameter(method, word) for word in method.inputs]
    parameters += [f"{word_type(word)} *out_{word}" for word in method.outputs]
    parameters += ["uint64_t *out_badge"] if has_badge else []
    values = ", ".join(input_value(word) for word in method.inputs) or "0"
    lines = [
        f"/* {method.interface}.{method.method}: {method.meaning}. */",
        f"static inline status_t cad_{method.interface}_{method.method}({', '.join(parameters)})",
        "{",
        f"    uint64_t words_[{max(count, 1)}] = {{{values}}}, badge_;",
        f"    status_t status_ = cad_invoke_{count}(CAD_CALL(CAD_INTERFACE_{method.INTERFACE}, "
        f"CAD_METHOD_{method.INTERFACE}_{method.method}), cap, words_, &badge_);",
    ]
    stores = [(f"out_{word}", f"words_[{i}]") for i, word in enumerate(method.outputs)]
    stores += [("out_badge", "badge_")] if has_badge else []
    for out, value in stores:
        lines.append(f"    if (status_ == CAD_OK && {out} != 0)\n        *{out} = {value};")
    return "\n".join(lines + ["    return status_;", "}", ""])


def clients(methods):
    return "\n".join([
        "// SPDX-License-Identifier: BSD-2-Clause",
        "/*",
        " * Typed clients, one a method.  Written by tools/abi.py from abi/methods.h.",
        " * Results are written only when the status is CAD_OK; a null pointer skips one.",
        " */",
        "#ifndef CADASTRE_CLIENTS_H", "#define CADASTRE_CLIENTS_H", "",
        '#include "abi/interfaces.h"', '#include "abi/methods.h"',
        '#include "cadastre/invoke.h"', ""]
        + [client(method) for method in methods] + ["#endif", ""])


def write(path, text):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".new", path)


def main():
    if len(sys.argv) != 3 or sys.argv[1] != "clients":
        sys.exit(__doc__)
    write(sys.argv[2], clients(read_methods()))


if __name__ == "__main__":
    main()
