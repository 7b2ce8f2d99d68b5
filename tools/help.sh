#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Lists the targets and variables of the makefiles: a target's line ends in
# "## what it does", a section starts with "##@ Name".   Use: help.sh MAKEFILE...
set -eu

cat <<'T'
Cadastre: a capability operating system whose register is of memory.

  make run                          boot to a shell (Ctrl-A X leaves)
  make run CMD='ps; audit; halt'    run commands, print, power off
  make test                         all tests
T
awk '
    /^##@ / { section = substr($0, 5) }
    /^[a-z_.-]+:.*## / {
        if (section != "") { printf "\n%s\n", section; section = "" }
        name = $0; sub(/:.*/, "", name)
        text = $0; sub(/^.*## /, "", text)
        printf "  %-24s %s\n", name, text
    }' "$@"
cat <<'T'

Variables
  CPUS=4 MEM=1G CPU=max    the machine: 1..64 CPUs, 64M or more, max or qemu64
  CMD='...'                shell commands instead of a prompt; exit status is the last one's
  PROGRAMS=dir             adds your programs: *.c (built with musl) and static ELF files
  APPEND='...'             more words for the kernel's command line
  F=core/name.c            only this file of the proofs
  T=name                   only the tests whose name contains this
  BUILD=release|debug      debug adds assertions; tests use it, run does not
  CC=gcc|clang             the compiler
  JOBS=n, V=1              parallel jobs; show commands
T
