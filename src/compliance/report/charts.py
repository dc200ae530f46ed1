"""Charts as plain SVG: horizontal bars with their numbers, readable in print and without colour."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, LABEL, ROW = 720, 230, 24


def bars(rows: Sequence[tuple[str, float, str]], title: str) -> str:
    """Return a bar chart of (label, value, text behind the bar)."""
    if not rows:
        return ""
    top = max(value for _, value, _ in rows) or 1.0
    height = ROW * len(rows) + 4
    parts = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title, quote=True)}" class="chart">']
    for number, (label, value, text) in enumerate(rows):
        y = number * ROW + 2
        long = max(1.0, (WIDTH - LABEL - 190) * value / top)
        parts.append(f'<text x="{LABEL - 8}" y="{y + 15}" text-anchor="end">{escape(label[:38])}</text>')
        parts.append(f'<rect x="{LABEL}" y="{y + 2}" width="{long:.1f}" height="{ROW - 8}" rx="2"/>')
        parts.append(f'<text x="{LABEL + long + 6:.1f}" y="{y + 15}" class="value">{escape(text)}</text>')
    return "".join([*parts, "</svg>"])


def volume(size: float) -> str:
    """Return bytes for people."""
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if size >= factor:
            return f"{size / factor:,.1f} {unit}"
    return f"{size / 1e3:,.1f} kB"
