#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs images in QEMU as *.toml files say, one machine at a time.

    run_tests.py --image NAME=KERNEL[,ARCHIVE]... --results FILE --logs DIR SPECS...

A test file has these keys (TOML):

    about    = "one sentence: the behaviour that is shown"
    command  = "ps; vm-demo; audit"    what the shell runs; the machine then ends
    image    = "system"                which --image
    append   = "log.level=3"           more words of the kernel's command line
    machines = ["small", "rich"]       names of MACHINES below; default: these two
    expect   = ["regex", ...]          found in this order in the output
    forbid   = ["regex", ...]          found nowhere (ALWAYS_FORBIDDEN neither)
    status   = 0                       what the machine ends with
    breaks   = "regex"                 instead of these three: found in the output, however the
                                       machine then ends, as a planted fault may reach the kernel
    audit    = true                    the last audit must be there, without a violation
    timeout  = 60                      seconds
    [[step]]                           instead of `command`: a person at the prompt
    expect   = "regex"                 waited for in what came since the last step
    send     = "text\\r"                typed then
    timeout  = 20
    [[case]]                           several tests in one file: each has a `name`
    name     = "..."                   and any of the keys above, which win

Each output is kept in LOGS/name-machine.log.
"""
import argparse
import os
import re
import selectors
import subprocess
import sys
import time
import tomllib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tools"))
import qemu  # noqa: E402
from results import Results, nothing_chosen  # noqa: E402

# name: (CPUs, MiB, CPU model).  Together: 1 and 4 CPUs, little and much memory,
# and a CPU without SMEP, SMAP, FSGSBASE, XSAVE, 1 GiB pages.
MACHINES = {
    "small": (1, 64, "qemu64"),
    "rich": (4, 1024, "max"),
    "many": (4, 64, "qemu64"),
    "plain": (4, 1024, "qemu64"),
    "single": (1, 1024, "max"),
    "tight": (4, 64, "max"),
    "high": (2, 5120, "max"),
    "crowded": (16, 64, "max"),
    "most": (64, 256, "max"),
    "tiny": (1, 32, "qemu64"),
    "none": (1, 16, "max"),
}
DEFAULTS = {"about": "", "image": "system", "command": "", "append": "",
            "machines": ["small", "rich"], "expect": [], "forbid": [], "status": 0,
            "audit": True, "timeout": 60, "step": [], "breaks": ""}
STEP_KEYS = {"expect", "send", "timeout"}
STEP_TIMEOUT_S = 20
ALWAYS_FORBIDDEN = [r"(?i)\bpanic\b", r"(?m)^audit: .*\b[1-9][0-9,]* violations?\b"]
AUDIT_LINE = re.compile(r"(?m)^audit: .*violation.*$")
AUDIT_CLEAN = re.compile(r"\b0 violations\b")
TAIL_LINES = 40


class TestError(Exception):
    """Why a test failed."""


def validate(path, spec):
    """Gives the spec with its defaults; ends the run with what is wrong in it."""
    unknown = set(spec) - set(DEFAULTS) - {"name"}
    for step in spec.get("step", []):
        unknown |= set(step) - STEP_KEYS
    if unknown:
        raise SystemExit(f"{path}: unknown key {', '.join(sorted(unknown))}")
    spec = {**DEFAULTS, **spec}
    if spec["image"] == "system" and bool(spec["command"]) == bool(spec["step"]):
        raise SystemExit(f"{path}: it needs either `command` or [[step]]")
    for machine in spec["machines"]:
        if machine not in MACHINES:
            raise SystemExit(f"{path}: no machine is named {machine}")
    for regex in [*spec["expect"], *spec["forbid"], spec["breaks"],
                  *(s.get("expect", "") for s in spec["step"])]:
        try:
            re.compile(regex)
        except re.error as error:
            raise SystemExit(f"{path}: {regex!r}: {error}") from error
    return spec


def load(path):
    """The tests of one file."""
    with open(path, "rb") as file:
        try:
            spec = tomllib.load(file)
        except tomllib.TOMLDecodeError as error:
            raise SystemExit(f"{path}: {error}") from error
    stem = os.path.basename(path)[:-len(".toml")]
    cases = spec.pop("case", [{}])
    return [validate(path, {**spec, **case,
                            "name": "-".join(filter(None, (stem, case.get("name"))))})
            for case in cases]


class Guest:
    """One QEMU: what it printed, and typing to it."""

    def __init__(self, argv, log_path):
        self.errors_path = log_path + ".stderr"
        with open(self.errors_path, "wb") as errors:
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        self.log = open(log_path, "wb")  # pylint: disable=consider-using-with
        self.text = ""
        self.seen = 0  # up to here the steps have matched
        self.ended = False
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)

    def read(self, deadline):
        """Takes what is there, waits until the deadline for more."""
        if not self.selector.select(max(0.0, deadline - time.monotonic())):
            raise TestError("out of time")
        data = os.read(self.process.stdout.fileno(), 65536)
        if not data:
            self.ended = True
            return
        self.log.write(data)
        self.log.flush()
        self.text += data.decode("utf-8", "replace").replace("\r", "")

    def wait_for(self, regex, deadline):
        pattern = re.compile(regex)
        while True:
            match = pattern.search(self.text, self.seen)
            if match:
                self.seen = match.end()
                return
            if self.ended:
                raise TestError(f"the machine ended before /{regex}/ came")
            try:
                self.read(deadline)
            except TestError as error:
                raise TestError(f"out of time waiting for /{regex}/") from error

    def send(self, text):
        try:
            self.process.stdin.write(text.encode())
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise TestError(f"the machine ended before {text!r} was typed") from error

    def wait_end(self, deadline):
        while not self.ended:
            self.read(deadline)
        try:
            return self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired as error:
            raise TestError("the emulator closed its output but did not end") from error

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.selector.close()
        self.log.close()
        with open(self.errors_path, encoding="utf-8", errors="replace") as file:
            errors = file.read()
        os.remove(self.errors_path)
        return errors


def judge(spec, text, returncode, errors):
    """Raises TestError unless the whole output is what the test asks for."""
    position = 0
    for regex in spec["expect"]:
        match = re.compile(regex).search(text, position)
        if not match:
            where = "at all" if not re.search(regex, text) else "after the one before it"
            raise TestError(f"expected /{regex}/, which did not come {where}")
        position = match.end()
    forbidden = spec["forbid"] + (ALWAYS_FORBIDDEN if spec["audit"] else [])
    for regex in forbidden:
        match = re.search(regex, text)
        if match:
            raise TestError(f"forbidden /{regex}/ came: {match.group(0)!r}")
    if spec["audit"]:
        audits = AUDIT_LINE.findall(text)
        if not audits:
            raise TestError("no audit: a test must end with one")
        if not AUDIT_CLEAN.search(audits[-1]):
            raise TestError(f"the audit is not clean: {audits[-1]}")
    status = qemu.guest_status(returncode, errors)
    if status != spec["status"]:
        raise TestError(f"ended with status {status}, expected {spec['status']}"
                        + (f"; the emulator said: {errors.strip()}" if errors.strip() else ""))


def judge_broken(spec, text):
    """The same for a kernel with a fault in it."""
    if not re.search(spec["breaks"], text):
        raise TestError(f"expected /{spec['breaks']}/: the fault was not noticed")


def converse(spec, guest, deadline):
    for step in spec["step"]:
        if "expect" in step:
            limit = time.monotonic() + step.get("timeout", STEP_TIMEOUT_S)
            guest.wait_for(step["expect"], min(limit, deadline))
        if "send" in step:
            guest.send(step["send"])


def run(spec, machine, args):
    """Raises TestError with the tail of the output when the test fails."""
    cpus, mem_mib, cpu = MACHINES[machine]
    kernel, archive = args.images[spec["image"]]
    argv = qemu.command(
        kernel, archive, cpus=cpus, mem_mib=mem_mib, cpu=cpu,
        command_line=qemu.kernel_command_line(spec["command"], spec["append"]))
    guest = Guest(argv, os.path.join(args.logs, f"{spec['name']}-{machine}.log"))
    deadline = time.monotonic() + spec["timeout"]
    failure, returncode = None, None
    try:
        converse(spec, guest, deadline)
        returncode = guest.wait_end(deadline)
    except TestError as error:
        failure = error
    finally:
        errors = guest.close()
    try:
        if spec["breaks"]:
            judge_broken(spec, guest.text)
        elif failure:
            raise failure
        else:
            judge(spec, guest.text, returncode, errors)
    except TestError as error:
        tail = "\n".join("| " + line for line in guest.text.splitlines()[-TAIL_LINES:])
        raise TestError(f"{error}\n{tail}\n{guest.log.name}") from None


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image", action="append", required=True)
    parser.add_argument("--results", required=True)
    parser.add_argument("--logs", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("specs", nargs="+")
    args = parser.parse_args()
    args.images = {}
    for image in args.image:
        name, _, paths = image.partition("=")
        kernel, _, archive = paths.partition(",")
        args.images[name] = (kernel, archive or None)
    return args


def main():
    args = arguments()
    os.makedirs(args.logs, exist_ok=True)
    results = Results(os.path.basename(args.results), args.results)
    specs = [spec for path in args.specs for spec in load(path)]
    for spec in specs:
        if spec["image"] not in args.images:
            raise SystemExit(f"{spec['name']}: no image is named {spec['image']}")
    runs = [(f"{spec['name']}-{machine}", spec, machine)
            for spec in specs for machine in spec["machines"]]
    chosen = [item for item in runs if args.only in item[0]]
    if not chosen:
        return nothing_chosen(results, args.only, {spec["name"] for spec in specs})
    for name, spec, machine in chosen:
        start = time.monotonic()
        try:
            run(spec, machine, args)
            results.add(name, 1, 0, time.monotonic() - start)
        except (TestError, qemu.MachineError) as error:
            results.add(name, 0, 1, time.monotonic() - start, str(error))
    return results.finish()


if __name__ == "__main__":
    sys.exit(main())
