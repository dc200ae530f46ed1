"""Timelines as SVG, with the same in words beside them in the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from compliance.decision.decide import Decision
from compliance.decision.explain import write_range
from compliance.law.conditions import NO
from compliance.law.dates import LAST, OPEN
from compliance.law.statutes import Norm
from compliance.law.vocabulary import Vocabulary
from compliance.service.web.words import plain

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


def versions(norm: Norm, as_of: int, vocabulary: Vocabulary) -> Markup:
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
        words = "repealed" if version.repealed else plain(str(version.period or version.duty or ""), vocabulary)
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
    around = Markup('<div class="scroll" tabindex="0" role="region" aria-label="{}">').format(f"{title}, drawn")
    parts = [
        around,
        Markup('<svg class="timeline" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(WIDTH, height, title),
    ]
    for year in _years(first, last):
        at = x(date(year, 1, 1).toordinal())
        parts.append(Markup('<line class="axis" x1="{0:.1f}" x2="{0:.1f}" y1="0" y2="{1}"/>').format(at, height - 26))
        parts.append(Markup('<text class="year" x="{:.1f}" y="{}">{}</text>').format(at, height - 15, year))
    for number, bar in enumerate(bars):
        parts.append(_bar(bar, number, x))
    for day, word in marks:
        parts.append(
            Markup('<line class="mark" x1="{0:.1f}" x2="{0:.1f}" y1="0" y2="{1}"/>').format(x(day), height - 26)
        )
        anchor = "end" if x(day) > WIDTH * 0.8 else "start"
        parts.append(
            Markup('<text class="mark" x="{:.1f}" y="{}" text-anchor="{}">{}</text>').format(
                x(day), height - 4, anchor, word
            )
        )
    return Markup("").join([*parts, Markup("</svg></div>")])


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


def of_decision(decision: Decision) -> Markup:
    """Return a study's timeline: birth, majority, study, death, floors, ceilings, holds, today."""
    bars = [*_events(decision), *_norm_bars(decision), *_hold_bars(decision)]
    finite = [day for bar in bars for day in (bar.start, bar.end) if OPEN < day < LAST] + [decision.as_of]
    low, high = min(finite), max(finite)
    margin = max(365, (high - low) // 12)
    shown = [
        Bar(bar.label, max(bar.start, low - margin), min(bar.end, high + margin), bar.css,
            bar.open_start or bar.start < low, bar.open_end or bar.end > high)
        for bar in bars
    ]  # fmt: skip
    return drawn(shown, ((decision.as_of, "day of the question"),), "Timeline of the study")


def _events(decision: Decision) -> list[Bar]:
    """Days of the patient and the study, as far as anything is known of them."""
    situation = decision.keepers[0].situation
    named = [("birth", situation.day("birth_date")), ("full age", situation.majority(("next", "next"))),
             ("study", situation.day("study_date")), ("last service", situation.day("last_service_date")),
             ("death", situation.day("death_date"))]  # fmt: skip
    return [
        Bar(f"{word}: {write_range(day)}", day.earliest, day.latest, "event", day.earliest == OPEN, day.latest >= LAST)
        for word, day in named
        if day.earliest <= LAST and not (day.earliest == OPEN and day.latest >= LAST)
    ]


def _norm_bars(decision: Decision) -> list[Bar]:
    start = decision.keepers[0].situation.day("study_date").earliest
    found = []
    for name, evidence in sorted(decision.norms.items(), key=lambda item: (item[0] not in decision.governing, item[0])):
        looked = evidence.looked
        if looked.applies == NO or looked.range is None or looked.norm.kind not in ("floor", "ceiling"):
            continue
        word = "keep" if looked.norm.kind == "floor" else "destroy by"
        css = f"{looked.norm.kind}{' governs' if name in decision.governing else ''}"
        words = f"{word}: {looked.norm.citation}: {write_range(looked.range)}"
        found.append(Bar(words, start, looked.range.latest, css, start == OPEN, looked.range.latest >= LAST))
    return found


def _hold_bars(decision: Decision) -> list[Bar]:
    return [
        Bar(
            f"hold {hold.id}, until it is released",
            hold.issued.earliest if hold.issued else decision.as_of,
            LAST,
            "hold",
            False,
            True,
        )
        for hold in decision.holds
    ]
