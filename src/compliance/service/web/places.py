"""What the page of a place shows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from compliance.law.dates import write_edtf
from compliance.law.jurisdictions import UNVERIFIED, Majority, Place
from compliance.law.knowledge import KnowledgeBase
from compliance.law.lint import is_stale
from compliance.law.statutes import STATUSES, Norm, Statute

STALE_MONTHS = 18


@dataclass(frozen=True)
class Researched:
    """What was looked for, for one type of keeper."""

    keeper: str
    status: str
    on: str
    searched: str


def researched(base: KnowledgeBase, code: str) -> list[Researched]:
    """Return the research of a place by type of keeper; what nobody researched comes last."""
    rows = []
    for kind in base.vocabulary.facts["facility_type"].values:
        found = base.jurisdictions.research(code, kind, base.vocabulary)
        if found is None:
            rows.append(Researched(kind.replace("_", " "), "not researched", "", "so nothing is freed there"))
        else:
            words = {"found": "norms are on file", "nothing_found": "looked, no binding norm found"}[found.status]
            rows.append(
                Researched(
                    kind.replace("_", " "),
                    words,
                    write_edtf(found.on) if found.on else "",
                    found.searched or found.note,
                )
            )
    order = {"looked, no binding norm found": 0, "norms are on file": 1, "not researched": 2}
    return sorted(rows, key=lambda row: order[row.status])


def majority(place: Place) -> list[str]:
    """Return the ages of majority in words, each with how well it was seen."""
    return [f"{rule.age} years ({', '.join(filter(None, _majority(rule)))})" for rule in place.majority]


def _majority(rule: Majority) -> tuple[str, ...]:
    evidence = f"{rule.seen}: {rule.note}" if rule.seen and rule.note else rule.seen
    if rule.verification == UNVERIFIED:
        return ("nothing is counted from it", evidence)
    return (_since(rule), rule.citation, evidence)


def _since(rule: Majority) -> str:
    day = write_edtf(rule.since)
    return f"in force on {day.removeprefix('../')}, since when is not known" if day.startswith("../") else f"from {day}"


def counts(base: KnowledgeBase, code: str) -> dict[str, Any]:
    """Return how many norms of each status a place itself has."""
    norms = [norm for statute in base.statutes(code) for norm in statute.norms]
    seen = Counter(norm.verification.status for norm in norms)
    days = [norm.verification.on.latest for norm in norms if norm.verification.on]
    return {
        "norms": len(norms),
        "statutes": sum(1 for _ in base.statutes(code)),
        "by_status": [(status, seen[status]) for status in reversed(STATUSES) if seen[status]],
        "last": max(days, default=None),
    }


def stale(norm: Norm, today: int) -> bool:
    """The evidence is older than a year and a half, or missing."""
    return is_stale(norm, today, STALE_MONTHS)


def cases(statute: Statute) -> list[dict[str, Any]]:
    """Return the cases of a statute in words."""
    return [
        {
            "name": case.name,
            "as_of": case.as_of,
            "given": [(name.replace("_", " "), _shown(value)) for name, value in case.given.items()],
            "expected": [(name.replace("_", " "), _shown(value)) for name, value in case.expected.items()],
        }
        for case in statute.cases
    ]


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(item)}" for key, item in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)
