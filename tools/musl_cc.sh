#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A C compiler for static programs on Debian's musl, unchanged: its headers
# instead of the host's, its start files and libc.a around the program.
# CC names the compiler.   Use: musl_cc.sh [-c] ARGUMENT...
set -eu

compiler=${CC:-gcc}
machine=x86_64-linux-musl
library=/usr/lib/$machine

[ -e "$library/libc.a" ] || {
    echo "$0: $library/libc.a is missing (Debian's musl-dev)" >&2
    exit 1
}
headers="-nostdinc -isystem /usr/include/$machine -isystem $($compiler -print-file-name=include)"
linking=yes
for argument in "$@"; do
    case $argument in -c | -S | -E | -fsyntax-only) linking= ;; esac
done

# shellcheck disable=SC2086  # lists of options
if [ -z "$linking" ]; then
    exec "$compiler" $headers -fno-pie "$@"
else
    libgcc=$(gcc -print-libgcc-file-name)
    # No part that is read-only after relocation: nothing is relocated, and it costs a page.
    exec "$compiler" $headers -fno-pie -no-pie -static -nostdlib -Wl,-z,norelro \
        "$library/crt1.o" "$library/crti.o" "$@" -L"$library" \
        -Wl,--start-group -lc "$libgcc" "${libgcc%.a}_eh.a" -Wl,--end-group "$library/crtn.o"
fi
