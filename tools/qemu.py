# SPDX-License-Identifier: BSD-2-Clause
"""The emulated machine: checks what a person asked for and gives QEMU's
command line.  Used by tools/run.py and by test/qemu/run_tests.py.

Always TCG: a /dev/kvm node does not mean that KVM works.
"""
import os
import re
import shutil

MEM_MIN_MIB = 32
CPUS_MAX = 64
APPEND_MAX = 1023  # BOOT_COMMAND_LINE_MAX of boot/boot_info.h, less the NUL
STATUS_PANIC = 101
STATUS_NO_ANSWER = 102  # ours: the machine ended without telling a status


class MachineError(Exception):
    """What was asked for is not a machine; the text says why."""


def parse_mem(text):
    """'64M', '1G', '512' (MiB) -> MiB."""
    match = re.fullmatch(r"(\d+)([MmGg]?)", text)
    if not match:
        raise MachineError(f"MEM={text}: a number with M or G is expected, as in 64M or 1G")
    mib = int(match.group(1)) * (1024 if match.group(2) in ("G", "g") else 1)
    if mib < MEM_MIN_MIB:
        raise MachineError(f"MEM={text}: at least {MEM_MIN_MIB}M is needed to load the system")
    return mib


def parse_cpus(text):
    if not re.fullmatch(r"\d+", str(text)) or not 1 <= int(text) <= CPUS_MAX:
        raise MachineError(f"CPUS={text}: 1 to {CPUS_MAX} are possible")
    return int(text)


def quote_word(text):
    """A value of the kernel's command line: quotes, with \\ before \\ and quotes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def kernel_command_line(cmd="", append=""):
    words = [append] if append else []
    if cmd:
        if any(ord(c) < 32 for c in cmd):
            raise MachineError("CMD holds a control character; separate commands by `;`")
        words.append("shell.cmd=" + quote_word(cmd))
    line = " ".join(words)
    if len(line.encode()) > APPEND_MAX:
        raise MachineError(f"CMD and APPEND make {len(line.encode())} bytes; "
                           f"the kernel's command line holds {APPEND_MAX}")
    return line


def command(kernel, archive=None, cpus=4, mem_mib=1024, cpu="max", command_line="",
            interactive=False, reboot=False, gdb=False, arch="x86_64"):
    """QEMU's argument vector."""
    program = f"qemu-system-{arch}"
    if shutil.which(program) is None:
        raise MachineError(f"{program} is not installed")
    for path in filter(None, (kernel, archive)):
        if not os.path.isfile(path):
            raise MachineError(f"{path}: no such file")
    argv = [program, "-nodefaults", "-no-user-config", "-M", "q35",
            "-accel", "tcg,thread=multi", "-cpu", cpu, "-smp", str(cpus), "-m", f"{mem_mib}M",
            "-display", "none", "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04",
            "-serial", "mon:stdio" if interactive else "stdio", "-kernel", kernel]
    if archive:
        argv += ["-initrd", archive]
    if command_line:
        argv += ["-append", command_line]
    if not reboot:
        argv += ["-no-reboot"]
    if gdb:
        argv += ["-s", "-S"]
    return argv


def guest_status(returncode, errors=""):
    """The status that the guest gave when QEMU exited with `returncode` and
    wrote `errors` on its standard error; STATUS_NO_ANSWER if it gave none.
    QEMU's own failures end with 1, as a guest's status 0 does: a message that
    is not a warning tells them apart."""
    said = [line for line in errors.splitlines() if line.startswith(("qemu-system-", "qemu: "))]
    if returncode == 1 and any(" warning: " not in line for line in said):
        return STATUS_NO_ANSWER
    if returncode > 0 and returncode & 1:  # isa-debug-exit: (value << 1) | 1
        return returncode >> 1
    return STATUS_NO_ANSWER
