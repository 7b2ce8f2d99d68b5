#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Turns the "->NAME value" lines that a compiled offsets.c leaves in its
# assembly into a header.   Use: tools/offsets.sh offsets.s > offsets.h
set -eu

[ $# -eq 1 ] || { echo "use: $0 offsets.s" >&2; exit 2; }

echo '/* SPDX-License-Identifier: BSD-2-Clause */'
echo '/* Generated from offsets.c by tools/offsets.sh: not to be edited. */'
sed -n 's/^[^-]*->\([A-Za-z0-9_]*\) [$#]*\(-\{0,1\}[0-9][0-9]*\).*$/#define \1 \2/p' "$1" |
    awk '{ print; count++ } END { exit count == 0 }' || {
    echo "$1: no \"->NAME value\" line: OFFSET() of offsets.c is not what is expected" >&2
    exit 1
}
