"""Timelines as SVG, with the same in words beside them in the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from compliance.law.dates import LAST, OPEN, write_day
from compliance.law.statutes import Norm

WIDTH, LEFT, RIGHT, ROW = 720, 16, 16, 34


@dataclass(frozen=True)
class Bar:
    """A span of days on a row; `soft` ends fade: the end is not known."""

    label: str
    start: int
    end: int
    css: str = ""
    open_start: bool = False
    open_end: bool = False


def versions(norm: Norm, as_of: int) -> Markup:
    """Return the versions of a norm along the years, empty where there is only one."""
    if len(norm.versions) < 2:
        return Markup("")
    ordered = list(reversed(norm.versions))
    starts = [version.since.latest if version.since.earliest == OPEN else version.since.earliest for version in ordered]
    first = min(starts) - 5 * 365
    last = max(as_of, *starts) + 5 * 365
    bars = []
    for number, version in enumerate(ordered):
        end = starts[number + 1] - 1 if number + 1 < len(ordered) else last
        begin = first if version.since.earliest == OPEN else starts[number]
        words = "repealed" if version.repealed else str(version.period or version.duty or "")
        bars.append(Bar(words, begin, max(end, begin), "now" if begin <= as_of <= end else "past",
                        version.since.earliest == OPEN, number + 1 == len(ordered)))  # fmt: skip
    return drawn(bars, ((as_of, "today"),), f"Versions of {norm.citation} along the years")


def drawn(bars: Sequence[Bar], marks: Sequence[tuple[int, str]], title: str) -> Markup:
    """Return bars one below the other over an axis of years; `marks` are days with a word."""
    days = [day for bar in bars for day in (bar.start, bar.end)] + [day for day, _ in marks]
    first, last = min(days), max(days)
    span = max(1, last - first)

    def x(day: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (day - first) / span

    height = ROW * len(bars) + 44
    parts = [Markup('<svg class="timeline" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(WIDTH, height, title)]
    for year in _years(first, last):
        at = x(date(year, 1, 1).toordinal())
        parts.append(Markup('<line class="axis" x1="{0:.1f}" x2="{0:.1f}" y1="0" y2="{1}"/>').format(at, height - 26))
        parts.append(Markup('<text class="year" x="{:.1f}" y="{}">{}</text>').format(at, height - 14, year))
    for number, bar in enumerate(bars):
        parts.append(_bar(bar, number, x))
    for day, word in marks:
        parts.append(Markup('<line class="mark" x1="{0:.1f}" x2="{0:.1f}" y1="0" y2="{1}"/>').format(x(day), height - 26))
        anchor = "end" if x(day) > WIDTH * 0.8 else "start"
        parts.append(Markup('<text class="mark" x="{:.1f}" y="{}" text-anchor="{}">{}</text>').format(x(day), height - 2, anchor, word))
    return Markup("").join([*parts, Markup("</svg>")])


def _bar(bar: Bar, number: int, x: object) -> Markup:
    assert callable(x)
    left, right, top = x(bar.start), x(bar.end), number * ROW
    css = " ".join(filter(None, (bar.css, "open-start" if bar.open_start else "", "open-end" if bar.open_end else "")))
    # Words stand above the bar, shifted so that they never leave the picture.
    room = WIDTH - 8 - len(bar.label) * 6.6
    return Markup(
        '<text class="label" x="{:.1f}" y="{}">{}</text><rect class="bar {}" x="{:.1f}" y="{}" width="{:.1f}" height="11"/>'
    ).format(max(4.0, min(left, room)), top + 12, bar.label[:104], css, left, top + 17, max(2.0, right - left))


def _years(first: int, last: int) -> list[int]:
    low, high = date.fromordinal(max(1, min(first, LAST))).year, date.fromordinal(max(1, min(last, LAST))).year
    step = next((step for step in (1, 2, 5, 10, 20, 50, 100) if (high - low) / step <= 12), 500)
    return [year for year in range(low - low % step + step, high + 1) if year % step == 0]


def day_words(day: int) -> str:
    """Return a day as ISO text."""
    return write_day(day)
