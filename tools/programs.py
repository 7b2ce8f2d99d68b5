#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Takes a folder of someone's programs for the boot archive (PROGRAMS=dir).

    programs.py SOURCE OUTPUT NAME-IN-USE...

Each NAME.c is compiled by itself against plain musl, threads included, to
OUTPUT/NAME; each static ELF file is copied.  Headers (*.h) are for the C files.
Anything else, and any name in use, is an error that names the file, and then
OUTPUT is not changed.
"""
import os
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
COMPILE = ["-std=gnu17", "-O2", "-g", "-pthread", "-Wall"]
EM_X86_64, ET_EXEC, ET_DYN, PT_INTERP, PT_DYNAMIC = 62, 2, 3, 3, 2


class ProgramError(Exception):
    """What is wrong with which file."""


def check_elf(path, data):
    """Refuses what the system could not load, with the reason."""
    if len(data) < 64 or data[4] != 2 or data[5] != 1:
        raise ProgramError(f"{path}: an ELF file, but not a whole 64-bit little-endian one")
    kind, machine = struct.unpack_from("<HH", data, 16)
    table, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    if machine != EM_X86_64:
        raise ProgramError(f"{path}: an ELF file for another machine ({machine})")
    if kind not in (ET_EXEC, ET_DYN):
        raise ProgramError(f"{path}: an ELF file, but not a program (type {kind})")
    if size < 56 or table + size * count > len(data):
        raise ProgramError(f"{path}: its program headers are outside the file")
    kinds = [struct.unpack_from("<I", data, table + i * size)[0] for i in range(count)]
    if PT_INTERP in kinds:
        raise ProgramError(f"{path}: dynamically linked; link it with -static")
    if kind == ET_DYN:
        raise ProgramError(f"{path}: position independent; link it with -static -no-pie")


def compile_c(source, output):
    command = [os.path.join(HERE, "musl_cc.sh"), *COMPILE, "-o", output, source]
    print(f"  CC    {source}", flush=True)
    result = subprocess.run(command, check=False)
    if result.returncode != 0:
        raise ProgramError(f"{source}: does not compile and link")


def take(path, folder, names_in_use):
    """One file of SOURCE; gives the program's name, or None for a header."""
    entry = os.path.basename(path)
    if not os.path.isfile(path):
        raise ProgramError(f"{path}: not a file; only C files and static ELF files are taken")
    if entry.endswith(".h"):
        return None
    name = entry[:-2] if entry.endswith(".c") else entry
    if name in names_in_use:
        raise ProgramError(f"{path}: a program named {name} is already there")
    if not name or any(ord(c) < 33 or ord(c) > 126 for c in name):
        raise ProgramError(f"{path}: the name of a program is printable ASCII without blanks")
    output = os.path.join(folder, name)
    if entry.endswith(".c"):
        compile_c(path, output)
        return name
    with open(path, "rb") as file:
        data = file.read()
    if data[:4] != b"\x7fELF":
        raise ProgramError(f"{path}: neither a C file nor an ELF file")
    check_elf(path, data)
    print(f"  COPY  {path}", flush=True)
    shutil.copyfile(path, output)
    os.chmod(output, 0o755)
    return name


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    source, output, in_use = sys.argv[1], sys.argv[2], set(sys.argv[3:])
    try:
        if not os.path.isdir(source):
            raise ProgramError(f"{source}: no such folder")
        entries = sorted(e for e in os.listdir(source) if not e.startswith("."))
        os.makedirs(os.path.dirname(os.path.abspath(output)), exist_ok=True)
        with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(output))) as work:
            folder = os.path.join(work, "programs")
            os.mkdir(folder)
            taken = 0
            for entry in entries:
                name = take(os.path.join(source, entry), folder, in_use)
                if name:
                    in_use.add(name)
                    taken += 1
            if not taken:
                raise ProgramError(f"{source}: no C file and no ELF file in it")
            shutil.rmtree(output, ignore_errors=True)
            os.rename(folder, output)
    except ProgramError as error:
        print(f"PROGRAMS: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
