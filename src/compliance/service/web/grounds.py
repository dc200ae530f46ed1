"""What a day rests on, told beside the day: guidance alone, or assumptions without which it would be another."""

from __future__ import annotations

from collections.abc import Callable

from compliance.decision.assume import Assumed
from compliance.decision.decide import Decision
from compliance.decision.explain import headline
from compliance.law.dates import LAST

BY_GUIDANCE = "by guidance alone; binding law is not known"


def by_guidance(decision: Decision) -> bool:
    """Tell whether a day can be given, but not by binding law (rules 16 and 18 of laws/README.md)."""
    return decision.retain.latest < LAST <= decision.binding.latest


def answer_lines(decision: Decision) -> list[str]:
    """Return the answer in one to three sentences; a day that guidance alone gives is not called lawful."""
    lines = headline(decision)
    if decision.earliest_purge_date is None or not by_guidance(decision):
        return lines
    day = decision.earliest_purge_date.isoformat()
    return [
        f"Earliest purge date {BY_GUIDANCE}: {day}." if line == f"Earliest lawful purge date: {day}." else line
        for line in lines
    ]


def bearing(decision: Decision, without: Callable[[str], Decision]) -> tuple[Assumed, ...]:
    """Return the assumptions that decide: were the fact not known, another answer would be given.

    `without` decides the same study with a fact written as unknown.
    """
    return tuple(one for one in decision.assumed if _said(without(one.fact)) != _said(decision))


def _said(decision: Decision) -> tuple[object, ...]:
    return decision.retain, decision.binding, decision.permanent, decision.destroy_by, decision.disposition


def assumed_line(one: Assumed) -> str:
    """Say one assumption and its reason."""
    return f"{one.fact} = {one.value} ({one.set}): {one.why}"
