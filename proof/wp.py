# SPDX-License-Identifier: BSD-2-Clause
"""Runs Frama-C's WP on one file and reads its answer strictly.

Frama-C exits 0 with goals unproved, so nothing is believed but its report: as
many goals proved as there are, at least one, and no warning.  WP's provers come
from Why3, whose configuration is made here, in the folder of results.
"""
import glob
import os
import re
import subprocess
import tomllib

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
OUT = os.path.join(ROOT, "build", "proof")
OPTIONS = ["-c11", "-machdep", "gcc_x86_64", "-wp", "-wp-rte", "-wp-split",
           "-warn-unsigned-downcast", "-warn-signed-downcast"]
# Looks for contradictions in preconditions, assumptions and loop invariants.  Dead
# code is there on purpose: what a CHECK that cannot fail would do.
SMOKE = ["-wp-smoke-tests", "-wp-smoke-timeout", "1", "-wp-no-smoke-dead-call",
         "-wp-no-smoke-dead-code"]
PROVED = re.compile(r"^\[wp\] Proved goals: *(\d+) */ *(\d+)", re.M)
BAD = re.compile(r"Warning|\[Failed\]|\[Doomed\]|\bTimeout\b|\bUnknown\b|\bStepout\b|rror")
GOAL = re.compile(r"^\[wp\].* Goal (\w+)(?: : (?!Valid)|$)", re.M)
NO_CONTRACT = re.compile(r"^\[kernel:annot:missing-spec\][^\n]*\n +Neither code nor [^\n]*? for "
                         r"function (\w+),[^\[]*", re.M)
# Assumed instead of proved: never in a contract.  A lemma's own goal is not among those of
# chosen functions; an axiomatic block without an axiom only declares names.
ASSUMED = re.compile(r"^\s*(?:/\*@|//@|@)?.*\b(axiom|lemma|admit)\b")


def proved_files():
    """{path: its row}, from proof/rows (proof/README.md has the form)."""
    rows = {}
    for path in sorted(glob.glob(os.path.join(HERE, "rows", "*.toml"))):
        with open(path, "rb") as file:
            row = tomllib.load(file)
        rows[row["file"]] = row
    return rows


def environment():
    """Why3's configuration depends on HOME; a home of our own holds it."""
    home = os.path.join(OUT, "home")
    config = os.path.join(home, ".why3.conf")
    os.makedirs(home, exist_ok=True)
    env = {**os.environ, "HOME": home}
    if not os.path.exists(config):
        subprocess.run(["why3", "config", "detect"], env=env, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return env


class Verdict:
    """What one run said.  `code`: the bodies that it proved."""

    def __init__(self, text, status, code):
        # Frama-C invents a contract for a function that has none, and says so: no
        # harm where only functions that are left out call it.
        text = NO_CONTRACT.sub(lambda found: found.group(0) if re.search(
            rf"\b{found.group(1)}\b", code) else "", text)
        counts = PROVED.findall(text)
        self.proved, self.goals = map(int, counts[-1]) if counts else (0, 0)
        self.complaints = [line for line in text.split("\n")
                           if BAD.search(line) and ": Valid" not in line]
        self.unproved = GOAL.findall(text)
        self.ok = (status == 0 and 0 < self.goals == self.proved and not self.complaints)
        # A file that does not parse or a run without goals says nothing about a proof.
        self.ran = status == 0 and self.goals > 0
        self.text = text


def run(path, row, only=(), root=ROOT, smoke=True, timeout=60):
    """Proves `path` (below `root`), or the functions `only` of it.

    Two provers a run: several runs go side by side, one a processor."""
    command = ["frama-c", *OPTIONS, f"-cpp-extra-args=-I{root}",
               "-wp-prover", ",".join(row.get("provers", ["cvc4"])),
               "-wp-timeout", str(timeout),
               "-wp-par", "2", *(SMOKE if smoke else [])]
    if not row.get("wraps"):
        command.append("-warn-unsigned-overflow")
    command += ["-wp-fct", ",".join(only or chosen(path, row))]
    # Frama-C believes PWD more than the folder it runs in.
    env = {**environment(), "PWD": root}
    result = subprocess.run([*command, path], cwd=root, env=env, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    code = "\n".join(functions(path)[name] for name in only or chosen(path, row))
    return Verdict(result.stdout, result.returncode, code)


def family(path):
    """A module's files: FILE.c, FILE.h, FILE_priv.h, as far as they exist."""
    names = (path, path[:-2] + ".h", path[:-2] + "_priv.h")
    return [name for name in names if os.path.exists(os.path.join(ROOT, name))]


def functions(path):
    """{name: body} of the functions that a module defines, those in its headers too."""
    found = {}
    for name in family(path):
        with open(os.path.join(ROOT, name), encoding="utf-8") as file:
            text = re.sub(r"/\*.*?\*/|//[^\n]*|__attribute__\(\(.*?\)\) ", "", file.read(),
                          flags=re.S)
        found |= dict(re.findall(r"^(?!#)[A-Za-z_][^;{}()=]*?\b(\w+)\([^;{}]*\)\n(\{.*?\n\})",
                                 text, re.M | re.S))
    return found


def chosen(path, row):
    """Those of them that are proved."""
    return [name for name in functions(path) if name not in row.get("left_out", {})]


def assumptions(path):
    """Lines of the file and its headers that assume something without a proof."""
    found = []
    for name in family(path):
        with open(os.path.join(ROOT, name), encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if ASSUMED.search(line):
                    found.append(f"{name}:{number}: {line.strip()}")
    return found
