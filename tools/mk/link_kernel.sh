#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Links the kernel with a table of its own symbols.
#   Use: link_kernel.sh OUTPUT "LINK COMMAND" "ASSEMBLE COMMAND" OBJECT...
# Three links: without names (tells the names), with a table of the right size
# (tells the addresses), final.  The final image's names must equal its table.
set -eu

output=$1 link=$2 assemble=$3
shift 3
stem=${output%.elf}.symbols

table() { # IMAGE: writes and assembles the table of IMAGE
    nm -n "$1" | tools/symbols.py >"$stem.S"
    $assemble -c -o "$stem.o" "$stem.S"
}

nm_empty() { tools/symbols.py </dev/null >"$stem.S"; $assemble -c -o "$stem.o" "$stem.S"; }

nm_empty
$link -o "$stem.0" "$@" "$stem.o"
table "$stem.0"
$link -o "$stem.1" "$@" "$stem.o"
table "$stem.1"
cp "$stem.S" "$stem.final"
$link -o "$output.tmp" "$@" "$stem.o"
table "$output.tmp"
if ! cmp -s "$stem.S" "$stem.final"; then
    echo "$output: its symbol table did not settle: an address depends on the table's content" >&2
    exit 1
fi
rm -f "$stem.0" "$stem.1" "$stem.final"
mv "$output.tmp" "$output"
