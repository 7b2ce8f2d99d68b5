#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What operations cost as what they do not touch grows a hundredfold, twice.

    growth.py --kernel KERNEL --archive ARCHIVE --json FILE [--svg FILE]

Boots `bench growth` under instruction counting and prints, for each operation, its cost
at three sizes and the slope of the line through the first and the last, both axes
logarithmic: 0 is constant, 1 is linear.
"""
import argparse
import json
import math
import sys

import plot
import run

COMMANDS = ("run --limit committed=80% --limit virtual=50% --limit metadata=80M "
            "--limit slots=200000 bench growth")
def series(found):
    """{operation: [(size, cost)]} by rising size."""
    rows = {}
    for name, cost in found.items():
        operation, _, size = name.partition("@")
        if size:
            rows.setdefault(operation, []).append((int(size), cost))
    return {operation: sorted(points) for operation, points in rows.items()}


def slope(points):
    (first, low), (last, high) = points[0], points[-1]
    return math.log(high / low) / math.log(last / first)


def table(rows):
    lines = [["operation", *sum((["size", "cost"] for _ in range(3)), []), "slope"]]
    for operation, points in rows.items():
        lines.append([operation.replace("_", " "),
                      *sum(([run.cell(size), run.cell(cost)] for size, cost in points), []),
                      f"{slope(points):.2f}"])
    run.print_columns(lines)


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
        plot.write(args.svg, "size, as a multiple of the smallest", "instructions",
                   {f"{name.replace('_', ' ')}, slope {slope(points):.2f}":
                    [(size / points[0][0], cost) for size, cost in points]
                    for name, points in rows.items()})
        print(f"wrote {args.svg}")


if __name__ == "__main__":
    main()
