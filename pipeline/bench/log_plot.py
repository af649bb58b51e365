"""Line plots with logarithmic axes as SVG, without packages."""

import math
from dataclasses import dataclass
from xml.sax.saxutils import escape

COLOURS = ["#1f6fb2", "#d1495b", "#2e8b57", "#8a5fbf", "#c98a1b", "#4d4d4d"]
WIDTH, HEIGHT = 460, 360
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 34, 44


@dataclass
class Panel:
    """A plot: curves by name, each a list of (x, y), both above 0."""

    title: str
    x_label: str
    curves: dict[str, list[tuple[float, float]]]


def svg(panels):
    """The panels side by side over one legend of all their curves."""
    names = list(dict.fromkeys(name for panel in panels for name in panel.curves))
    colours = {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(names)}
    width, height = WIDTH * len(panels), HEIGHT + 12 + 18 * len(names)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for index, panel in enumerate(panels):
        parts += [f'<g transform="translate({WIDTH * index} 0)">', *draw(panel, colours), "</g>"]
    for index, name in enumerate(names):
        y = HEIGHT + 12 + 18 * index
        parts.append(f'<path d="M{LEFT} {y}h24" stroke="{colours[name]}" stroke-width="2"/>')
        parts.append(f'<text x="{LEFT + 32}" y="{y + 4}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def draw(panel, colours):
    points = [point for curve in panel.curves.values() for point in curve]
    parts = [f'<text x="{LEFT}" y="20" font-weight="bold">{escape(panel.title)}</text>']
    if not points:
        return [*parts, f'<text x="{LEFT}" y="{HEIGHT / 2}">no points</text>']
    x_range, y_range = (span([point[axis] for point in points]) for axis in (0, 1))
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    for tick in ticks(*x_range):
        x = place(tick, x_range, LEFT, right)
        parts.append(f'<line x1="{x}" y1="{TOP}" x2="{x}" y2="{bottom}" stroke="#ddd"/>')
        parts.append(f'<text x="{x}" y="{bottom + 16}" text-anchor="middle">{label(tick)}</text>')
    for tick in ticks(*y_range):
        y = place(tick, y_range, bottom, TOP)
        parts.append(f'<line x1="{LEFT}" y1="{y}" x2="{right}" y2="{y}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{label(tick)}</text>')
    parts.append(f'<path d="M{LEFT} {TOP}V{bottom}H{right}" fill="none" stroke="#888"/>')
    parts.append(f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(panel.x_label)}</text>')
    for name, curve in panel.curves.items():
        at = [(place(x, x_range, LEFT, right), place(y, y_range, bottom, TOP)) for x, y in sorted(curve)]
        path = " ".join(f"{x},{y}" for x, y in at)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colours[name]}" stroke-width="2"/>')
        parts += [f'<circle cx="{x}" cy="{y}" r="3" fill="{colours[name]}"/>' for x, y in at]
    return parts


def span(values):
    """Exponents of ten of an axis: a little more than the values take, and at least a decade."""
    low, high = math.log10(min(values)), math.log10(max(values))
    missing = max(0.0, 1 - (high - low)) / 2
    return low - missing - 0.1, high + missing + 0.1


def ticks(low, high):
    """Powers of ten between two exponents; also 2 and 5 times these where there are few."""
    exponents = range(math.floor(low), math.ceil(high) + 1)
    for steps in ([1], [1, 2, 5]):
        inside = [step * 10.0**exponent for exponent in exponents for step in steps]
        inside = [tick for tick in inside if low <= math.log10(tick) <= high]
        if len(inside) > 2:
            break
    return inside


def place(value, exponents, start, end):
    """Where between `start` and `end` a value lies, on a logarithmic scale over the exponents."""
    low, high = exponents
    return round(start + (math.log10(value) - low) / (high - low) * (end - start), 1)


def label(tick):
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if tick >= size:
            return f"{tick / size:g}{unit}"
    return f"{tick:g}"
