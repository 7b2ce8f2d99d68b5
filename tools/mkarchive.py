#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes the boot archive: a POSIX pax tar in which the content of each file
starts at a multiple of 4,096 bytes, so that the kernel can map it in place.

    mkarchive.py OUTPUT NAME=FILE...

The padding is a `comment` record of the pax header before each file, which
every tar ignores.  Same input, same bytes: sorted names, no times, no owners.
"""
import os
import sys

BLOCK = 512
PAGE = 4096
NAME_MAX = 100
SIZE_MAX = 0o77777777777


class ArchiveError(Exception):
    """The archive cannot be made; the text names the file and says why."""


def header(name, size, kind, mode):
    """One ustar header block."""
    block = bytearray(BLOCK)

    def put(offset, width, data):
        assert len(data) <= width
        block[offset:offset + len(data)] = data

    put(0, 100, name.encode())
    put(100, 8, b"%07o\0" % mode)
    put(108, 8, b"%07o\0" % 0)
    put(116, 8, b"%07o\0" % 0)
    put(124, 12, b"%011o\0" % size)
    put(136, 12, b"%011o\0" % 0)
    put(148, 8, b" " * 8)
    put(156, 1, kind)
    put(257, 8, b"ustar\00000")
    put(265, 32, b"root")
    put(297, 32, b"root")
    put(148, 8, b"%06o\0 " % sum(block))
    return bytes(block)


def padded(data, multiple):
    return data + b"\0" * (-len(data) % multiple)


def comment_record(length):
    """A pax record of exactly `length` bytes, its own length included."""
    start = f"{length} comment=".encode()
    return start + b"." * (length - len(start) - 1) + b"\n"


def member(offset, name, data, mode):
    """The bytes of one file that starts at `offset`: pax header, header, content."""
    smallest = offset + 3 * BLOCK  # pax header, one block of records, file header
    pax_bytes = BLOCK + (-smallest % PAGE)
    return (header("pax", pax_bytes, b"x", 0o644)
            + comment_record(pax_bytes)
            + header(name, len(data), b"0", mode)
            + padded(data, BLOCK))


def check_name(name):
    parts = name.split("/")
    if not name or any(part in ("", ".", "..") for part in parts):
        raise ArchiveError(f"{name!r} is not a name for a file in the archive")
    if len(name.encode()) > NAME_MAX:
        raise ArchiveError(f"{name}: names have at most {NAME_MAX} bytes")
    if any(ord(c) < 33 or ord(c) > 126 for c in name):
        raise ArchiveError(f"{name!r}: only printable ASCII without blanks in names")


def make(files):
    """files: {name: (content, mode)}; gives the archive's bytes."""
    out = bytearray()
    for name in sorted(files):
        check_name(name)
        data, mode = files[name]
        if len(data) > SIZE_MAX:
            raise ArchiveError(f"{name}: too large")
        out += member(len(out), name, data, mode)
    return padded(bytes(out) + b"\0" * (2 * BLOCK), PAGE)


def read(pairs):
    files = {}
    for pair in pairs:
        name, equals, path = pair.partition("=")
        if not equals:
            raise ArchiveError(f"{pair}: NAME=FILE is expected")
        if name in files:
            raise ArchiveError(f"{name}: given twice, the second time as {path}")
        try:
            with open(path, "rb") as file:
                mode = 0o755 if os.fstat(file.fileno()).st_mode & 0o100 else 0o644
                files[name] = (file.read(), mode)
        except OSError as error:
            raise ArchiveError(f"{path}: {error.strerror}") from error
    return files


def main():
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    output = sys.argv[1]
    try:
        data = make(read(sys.argv[2:]))
    except ArchiveError as error:
        print(f"mkarchive: {error}", file=sys.stderr)
        return 1
    with open(output + ".tmp", "wb") as file:
        file.write(data)
    os.replace(output + ".tmp", output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
