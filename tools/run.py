#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boots the system in QEMU: at a terminal, or for one list of commands.

With --cmd the machine runs them, powers off, and the exit status is that of
the last one (101: the kernel panicked, 102: the machine ended without a word).
"""
import argparse
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import qemu  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--arch", default="x86_64")
    parser.add_argument("--kernel")
    parser.add_argument("--archive")
    parser.add_argument("--cpus", default="4")
    parser.add_argument("--mem", default="1G")
    parser.add_argument("--cpu", default="max")
    parser.add_argument("--cmd", default="")
    parser.add_argument("--append", default="")
    parser.add_argument("--wait-for-gdb", action="store_true")
    parser.add_argument("--check", action="store_true", help="only whether it could run")
    return parser.parse_args()


def say(text):
    print(f"run: {text}", file=sys.stderr)


def run_emulator(argv, stdin=None):
    """Gives QEMU's exit status and what it said on standard error, shown too."""
    errors = []
    with subprocess.Popen(argv, stdin=stdin, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            errors.append(line)
            sys.stderr.write(line)
            sys.stderr.flush()
    return process.returncode, "".join(errors)


def run_commands(argv):
    returncode, errors = run_emulator(argv, stdin=subprocess.DEVNULL)
    if returncode < 0:
        say(f"the emulator was ended by signal {-returncode}")
        return 128 - returncode
    status = qemu.guest_status(returncode, errors)
    if status == qemu.STATUS_PANIC:
        say("the kernel panicked; its report is above")
    elif status == qemu.STATUS_NO_ANSWER and returncode:
        say(f"the emulator failed (status {returncode})")
    elif status == qemu.STATUS_NO_ANSWER:
        say("the machine ended without a status (a reset, or a power-off by hand)")
    elif status:
        say(f"the last status was {status}")  # make itself only knows 0 and not 0
    return status


def run_interactive(argv):
    if sys.stdin.isatty():
        say("Ctrl-A X leaves, Ctrl-A C is the emulator's own prompt")
    returncode, errors = run_emulator(argv)
    if returncode == 0:  # Ctrl-A X
        return 0
    status = qemu.guest_status(returncode, errors)
    if status == qemu.STATUS_PANIC:
        say("the kernel panicked; its report is above")
    return status


def check_cpu(arch, cpu):
    """Refuses a CPU model that the emulator does not know."""
    if cpu.partition(",")[0] == "max":
        return
    known = subprocess.run([f"qemu-system-{arch}", "-cpu", "help"], check=False,
                           stdout=subprocess.PIPE, text=True).stdout
    names = [line.split()[1 if line.startswith("x86 ") else 0]
             for line in known.splitlines() if line.split()]
    if cpu.partition(",")[0] not in names:
        raise qemu.MachineError(f"CPU={cpu}: the emulator has no such CPU; "
                                "max and qemu64 are tested")


def main():
    args = arguments()
    try:
        machine = {"cpus": qemu.parse_cpus(args.cpus), "mem_mib": qemu.parse_mem(args.mem),
                   "cpu": args.cpu, "arch": args.arch,
                   "command_line": qemu.kernel_command_line(args.cmd, args.append)}
        if args.check:
            check_cpu(args.arch, args.cpu)
            return 0
        argv = qemu.command(args.kernel, args.archive, **machine, interactive=not args.cmd,
                            reboot=not args.cmd, gdb=args.wait_for_gdb)
    except qemu.MachineError as error:
        say(str(error))
        return 2
    if args.wait_for_gdb:
        say("stopped before the first instruction; `make gdb` in another terminal goes on")
    try:
        return run_commands(argv) if args.cmd else run_interactive(argv)
    except KeyboardInterrupt:
        say("interrupted")
        return 130


if __name__ == "__main__":
    sys.exit(main())
