#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Makes sure that the Debian packages which the given make goals need are there:
# says which are missing and installs them, as root or by sudo; with neither it
# names them and fails.  Quiet when nothing is missing.
#   Use: tools/setup.sh GOAL...
set -eu

missing=

need() { # PACKAGE PATH-OR-COMMAND...: PACKAGE, unless one of these is there
    package=$1
    shift
    for thing in "$@"; do
        case $thing in
            /*) [ -e "$thing" ] && return 0 ;;
            *) command -v "$thing" >/dev/null 2>&1 && return 0 ;;
        esac
    done
    missing="$missing $package"
}

is_goal() { # PATTERN: some goal matches
    for goal in $goals; do
        # shellcheck disable=SC2254  # the pattern is meant as one
        case $goal in $1) return 0 ;; esac
    done
    return 1
}

goals=$*

need gcc gcc
need binutils ld
need libc6-dev /usr/include/stdio.h
need python3 python3
need git git
need musl-dev /usr/lib/x86_64-linux-musl/libc.a
case ${CC:-gcc} in *clang*) need clang clang "$CC" ;; esac
if is_goal run || is_goal debug || is_goal 'test' || is_goal 'test-[qm]*' ||
    is_goal 'bench*'; then
    need qemu-system-x86 qemu-system-x86_64
fi
if is_goal test || is_goal test-lib; then
    need libcmocka-dev /usr/include/cmocka.h
fi
if is_goal prove || is_goal mutate || is_goal 'test'; then
    need frama-c-base frama-c
    need why3 why3
    need cvc4 cvc4
    need z3 z3
fi
if is_goal model || is_goal test || is_goal test-model; then need spin spin; fi
if is_goal fuzz || is_goal test-fuzz || is_goal test; then
    need clang clang
    need libclang-rt-14-dev /usr/lib/llvm-14/lib/clang/14.0.6/lib/linux/libclang_rt.fuzzer-x86_64.a
    need libcmocka-dev /usr/include/cmocka.h
fi
if is_goal eva; then need frama-c-base frama-c; fi
if is_goal gdb; then need gdb gdb; fi
if is_goal fmt; then need clang-format clang-format; fi

[ -n "$missing" ] || exit 0
missing=${missing# }

[ -e /etc/debian_version ] || {
    echo "setup: missing (Debian's names): $missing" >&2
    echo "setup: this is not Debian; install them your way and try again" >&2
    exit 1
}
if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1; then
    as_root=sudo
else
    echo "setup: these Debian packages are missing: $missing" >&2
    echo "setup: not root and no sudo; as root: apt-get update && apt-get install $missing" >&2
    exit 1
fi

echo "setup: installing the Debian packages that are missing: $missing"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -q || {
    echo "setup: apt-get update failed; still missing: $missing" >&2
    exit 1
}
# shellcheck disable=SC2086  # a list of packages
$as_root apt-get install -y -q --no-install-recommends $missing || {
    echo "setup: apt-get could not install: $missing" >&2
    exit 1
}
echo "setup: done"
