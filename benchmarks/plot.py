"""The plot of docs/price.rst: each ratio as a bar, its bound as a mark. Written as SVG by hand.

A plotting library would bring sixty megabytes for bars and marks, and another picture with each of its versions.
"""

from collections.abc import Sequence
from xml.sax.saxutils import escape

from .report import NO, Line

WIDTH, LABELS, ROW, TOP = 1000, 490, 24, 50

#: Longer bars are cut, with a gap near their end: one large ratio would press all others together.
LONGEST = 3.0

INK, PAPER, GOOD, BAD, MARK = "#1f2933", "#ffffff", "#2f7d5b", "#b3402a", "#1f2933"


def svg(table: Sequence[Line]) -> str:
    """A bar for each line that has a ratio and a bound; green where it is met."""
    shown = [line for line in table if line.ratio is not None and line.limit is not None]
    height = TOP + ROW * len(shown) + 20
    scale = (WIDTH - LABELS - 100) / LONGEST
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>',
        _text(16, 22, "Ours beside the floor: ratios, and what they are bound by (the black mark)", size=14),
    ]
    for number, line in enumerate(shown):
        parts += _bar(line, TOP + ROW * number, scale)
    one = LABELS + scale
    dotted = f'<line x1="{one:.1f}" x2="{one:.1f}" y1="{TOP - 12}" y2="{height - 14}" '
    parts.append(dotted + f'stroke="{INK}" stroke-dasharray="2 4"/>')
    parts.append(_text(one - 3, TOP - 14, "1"))
    return "\n".join([*parts, "</svg>", ""])


def _bar(line: Line, y: float, scale: float) -> list[str]:
    ratio, limit = line.ratio or 0, line.limit or 0
    length = min(ratio, LONGEST) * scale
    mark = LABELS + min(limit, LONGEST) * scale
    colour = BAD if line.met == NO else GOOD
    parts = [
        _text(LABELS - 10, y + 14, line.what, anchor="end", size=11),
        f'<rect x="{LABELS}" y="{y + 3}" width="{length:.1f}" height="{ROW - 9}" fill="{colour}"/>',
        f'<line x1="{mark:.1f}" x2="{mark:.1f}" y1="{y}" y2="{y + ROW - 3}" stroke="{MARK}" stroke-width="3"/>',
        _text(max(LABELS + length, mark) + 8, y + 14, f"{ratio:.2f} ({line.bound})", size=11),
    ]
    if ratio > LONGEST:
        gap = LABELS + length - 14
        parts.append(f'<rect x="{gap:.1f}" y="{y}" width="4" height="{ROW - 3}" fill="{PAPER}"/>')
    return parts


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 12) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{INK}" text-anchor="{anchor}" font-size="{size}">{escape(text)}</text>'
