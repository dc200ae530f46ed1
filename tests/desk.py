"""A desk for invented law: write statutes as YAML, ask a question, get the decision."""

from __future__ import annotations

import textwrap
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from compliance.decision.batch import Coded, Dated, FactTable
from compliance.decision.decide import Decision, decide
from compliance.law.dates import EVERYTHING, LAST, OPEN, DateRange, write_day
from compliance.law.knowledge import KnowledgeBase, load
from compliance.law.vocabulary import HAPPENED, Vocabulary

TODAY = date(2026, 11, 24)
ALL = ["hospital", "clinic", "physician_practice", "imaging_center", "ambulatory_surgery_center", "freestanding_emergency_department", "nursing_facility", "portable_xray_supplier", "dental", "chiropractic", "employer", "trial_site", "screening_programme", "national_archive"]


def researched(status: str = "found") -> str:
    return "{" + ", ".join(f"{kind}: {{status: {status}, on: 2026-11-24}}" for kind in ALL) + "}"


PLACES = f"""
XA: {{name: Xa, researched: {researched()}, majority: [{{from: 1990-01-01, age: 18}}, {{from: ../1989-12-31, age: 21}}]}}
XA-N: {{name: North, within: XA, researched: {researched("nothing_found")}}}
XA-S: {{name: South, within: XA, researched: {researched("nothing_found")}, leap_day: previous}}
XB: {{name: Xb, researched: {researched("nothing_found")}}}
XC: {{name: Xc}}
"""


def base(tmp_path: Path, *statutes: str, places: str = PLACES) -> KnowledgeBase:
    """Statutes are `PLACE` + newline + norms (YAML list items); each becomes the file PLACE/act-N.yaml."""
    (tmp_path / "jurisdictions.yaml").write_text(places)
    for number, text in enumerate(statutes, 1):
        place, _, norms = textwrap.dedent(text).strip().partition("\n")
        folder = tmp_path / place
        folder.mkdir(exist_ok=True)
        head = f'jurisdiction: "{place}"\ntitle: Act {number}\ncitation: Act {number}\nurl: https://law.example\nforce: binding\nnorms:\n'
        (folder / f"act-{number}.yaml").write_text(head + textwrap.indent(norms, "  ") + "\n")
    return load(tmp_path, use_compiled=False)


def floor(id: str, period: str, scope: str = "", status: str = "verified", kind: str = "floor", since: str = "2000-01-01", **more: str) -> str:
    lines = [f"- id: {id}", f"  kind: {kind}", f"  citation: § {id}", f"  says: {id}"]
    lines += [f"  {key}: {value}" for key, value in more.items()]
    if scope:
        lines.append(f"  scope: {scope}")
    lines.append(f"  versions: [{{from: {since}, {'period: ' + period if kind != 'duty' else period}}}]")
    lines.append(f"  verification: {{status: {status}, on: 2026-11-24, by: X, source: 'https://x.example'}}")
    return "\n".join(lines)


def ask(knowledge: KnowledgeBase, place: str = "XA", as_of: date = TODAY, sets=(), holds=(), **facts) -> Decision:
    given = {"jurisdiction": place, "record": "image", "facility_type": "hospital", "study_date": "2020-03-01", **facts}
    return decide({k: v for k, v in given.items() if v is not ...}, knowledge, as_of, sets, holds)


def span(decision: Decision) -> str:
    low, high = decision.retain
    left = "?" if low == OPEN else write_day(low)
    right = "?" if high >= LAST else write_day(high)
    return left if left == right != "?" else f"{left}/{right}"


def as_table(rows: list[dict[str, Any]], vocabulary: Vocabulary) -> FactTable:
    """Put rows of facts, as JSON has them, into columns."""
    read = [vocabulary.read(row) for row in rows]
    dates, words = dict[str, Dated](), dict[str, Coded]()
    for name in dict.fromkeys(name for row in read for name in row):
        values = [row.get(name) for row in read]
        if vocabulary.facts[name].type == "date":
            spans = [_span(value) for value in values]
            lo, hi = (np.array([span[end] for span in spans], np.int32) for end in (0, 1))
            dates[name] = Dated(lo, hi, np.array([value is None for value in values]))
        else:
            distinct = list({repr(value): value for value in values}.values())
            number = {repr(value): code for code, value in enumerate(distinct)}
            words[name] = Coded(np.array([number[repr(value)] for value in values], np.intp), tuple(distinct))
    return FactTable(len(rows), dates, words)


def _span(value: Any) -> DateRange:
    if isinstance(value, DateRange):
        return DateRange(OPEN, TODAY.toordinal()) if value == HAPPENED else value
    return EVERYTHING
