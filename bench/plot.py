# SPDX-License-Identifier: BSD-2-Clause
"""Curves on two logarithmic axes as SVG, for light and dark pages."""
import html
import math

WIDTH, HEIGHT = 840, 410
LEFT, RIGHT, TOP, BOTTOM = 80, 500, 40, 350
LABEL_GAP = 20
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#c08a00", "#56b4e9")
STYLE = """
    rect { fill: #ffffff } text { fill: #24292f; font: 13px sans-serif }
    .grid { stroke: #d0d7de } .leader { stroke: #8c959f; fill: none }
    @media (prefers-color-scheme: dark) {
        rect { fill: #161b22 } text { fill: #d0d7de } .grid { stroke: #373e47 }
    }
"""


class Axis:
    """Decades that hold all values, from one end in pixels to the other."""

    def __init__(self, values, start, end):
        self.low = math.floor(math.log10(min(values)))
        self.high = max(math.ceil(math.log10(max(values))), self.low + 1)
        self.start, self.end = start, end

    def at(self, value):
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def decades(self):
        return [10 ** power for power in range(self.low, self.high + 1)]


def text(x, y, words, anchor="start"):
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{html.escape(words)}</text>'


def line(kind, points):
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline {kind} points="{path}"/>'


def grid(x_axis, y_axis):
    parts = []
    for value in y_axis.decades():
        y = y_axis.at(value)
        parts += [line('class="grid"', [(LEFT, y), (RIGHT, y)]),
                  text(LEFT - 8, y + 4, f"{value:,}", "end")]
    for value in x_axis.decades():
        parts.append(text(x_axis.at(value), BOTTOM + 20, f"{value:,}", "middle"))
    return parts


def label_places(ends):
    """Heights for labels near these, from the top down, none on another."""
    places, last = {}, -math.inf
    for name, y in sorted(ends.items(), key=lambda item: item[1]):
        last = places[name] = max(y, last + LABEL_GAP)
    return places


def curve(colour, points):
    parts = [line(f'fill="none" stroke="{colour}" stroke-width="2"', points)]
    parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in points]
    return parts


def write(path, x_title, y_title, curves):
    """`curves`: {label: [(x, y)]}, by rising x."""
    x_axis = Axis([x for points in curves.values() for x, _ in points], LEFT, RIGHT)
    y_axis = Axis([y for points in curves.values() for _, y in points], BOTTOM, TOP)
    placed = {name: [(x_axis.at(x), y_axis.at(y)) for x, y in points]
              for name, points in curves.items()}
    places = label_places({name: points[-1][1] for name, points in placed.items()})
    parts = grid(x_axis, y_axis)
    for colour, (name, points) in zip(COLOURS, placed.items()):
        end = (RIGHT + 24, places[name])
        parts += [line('class="leader"', [points[-1], end]), *curve(colour, points),
                  f'<circle cx="{end[0] + 6}" cy="{end[1]:.1f}" r="4" fill="{colour}"/>',
                  text(end[0] + 16, end[1] + 4, name)]
    parts += [text((LEFT + RIGHT) / 2, BOTTOM + 44, x_title, "middle"), text(8, 18, y_title)]
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
                   f'width="{WIDTH}" height="{HEIGHT}">\n<style>{STYLE}</style>\n'
                   f'<rect width="{WIDTH}" height="{HEIGHT}"/>\n' + "\n".join(parts) + "\n</svg>\n")
