"""The assumptions without which another day would be given."""

from __future__ import annotations

from collections.abc import Callable

from compliance.decision.assume import Assumed
from compliance.decision.decide import Decision


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
