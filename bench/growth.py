#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What operations cost as what they do not touch grows a hundredfold, twice.

    growth.py --kernel KERNEL --archive ARCHIVE --json FILE [--svg FILE]

Boots `bench growth` under instruction counting and prints, for each operation, its cost
at three sizes and the last as a multiple of the first; the plot is gnuplot's.
"""
import argparse
import json
import subprocess
import sys

import run

COMMANDS = ("run --limit committed=80% --limit virtual=50% --limit metadata=80M "
            "--limit slots=200000 bench growth")
PLOT = """set terminal svg size 800,420 font "sans,12" background "white"
set output {svg}
set logscale xy
set xlabel "size, as a multiple of the smallest"
set ylabel "instructions"
set xrange [0.7:14000]
set xtics (1, 100, 10000)
set yrange [100:*]
set grid ytics lc rgb "#dddddd"
set key outside right
plot {curves}
"""


def series(found):
    """{operation: [(size, cost)]} by rising size."""
    rows = {}
    for name, cost in found.items():
        operation, _, size = name.partition("@")
        if size:
            rows.setdefault(operation, []).append((int(size), cost))
    return {operation: sorted(points) for operation, points in rows.items()}


def table(rows):
    lines = [["operation", *sum((["size", "cost"] for _ in range(3)), []), "last of first"]]
    for operation, points in rows.items():
        lines.append([operation.replace("_", " "),
                      *sum(([run.cell(size), run.cell(cost)] for size, cost in points), []),
                      f"{points[-1][1] / points[0][1]:.2f}x"])
    run.print_columns(lines)


def plot(rows, svg):
    curves, data = [], []
    for operation, points in rows.items():
        title = operation.replace("_", " ")
        curves.append(f"'-' using 1:2 with linespoints lw 2 pt 7 title \"{title}\"")
        data += [f"{size / points[0][0]:g} {cost}" for size, cost in points] + ["e"]
    script = PLOT.format(svg=json.dumps(svg), curves=", ".join(curves)) + "\n".join(data) + "\n"
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--archive", required=True)
    parser.add_argument("--json", required=True)
    parser.add_argument("--svg")
    args = parser.parse_args()
    found = run.metrics(run.boot(args.kernel, args.archive, COMMANDS, "bench: done"))
    rows = series(found)
    if not rows:
        sys.exit("growth: nothing was measured")
    table(rows)
    with open(args.json, "w", encoding="utf-8") as file:
        json.dump(found, file, indent=1, sort_keys=True)
        file.write("\n")
    if args.svg:
        plot(rows, args.svg)
        print(f"wrote {args.svg}")


if __name__ == "__main__":
    main()
