"""Norms are folded, not ranked: floors by the latest, ceilings by the earliest (rules 16-19 of laws/README.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from compliance.decision.apply import Candidate, Looked
from compliance.law.conditions import NO, YES
from compliance.law.dates import EVERYTHING, LAST, NEVER, OPEN, DateRange, made


class Fold(NamedTuple):
    """What the floors (or lossy norms) of one part say together.

    `full` counts every force, `binding` binding law alone; `governing` is the norm with the latest late end.
    """

    full: DateRange
    binding: DateRange
    permanent: bool
    covered: bool
    governing: str | None


UNSURE = Fold(EVERYTHING, EVERYTHING, False, False, None)


def fold(floors: Mapping[str, Looked], guidance_covers: bool, as_binding: bool = False) -> Fold:
    """Fold the floors of one part; not covered = everything. `as_binding`: guidance counts as if it were binding law."""
    best: Candidate | None = None
    late = bound = early = 0
    binding: list[Looked] = []
    guided = False
    for one in floors.values():
        candidate, outcome, applies, day, overridden_by = one
        if applies is NO or day is None:
            continue
        last, force = day.latest, candidate.norm.force
        if best is None or last > late or (last == late and candidate.rank < best.rank):
            best, late = candidate, last
        counts = outcome.truth is YES and candidate.sure
        if force == "binding" or (as_binding and force == "guidance"):
            if last > bound:
                bound = last
            if counts:
                binding.append(one)
                first = _early(one, floors) if overridden_by else day.earliest
                if first > early:
                    early = first
        elif force == "guidance" and counts:
            guided = True
    if best is None:
        return UNSURE
    if binding:
        full = made(DateRange, (early, late))
        permanent = early == NEVER and any(_permanent(one, floors) for one in binding)
        return made(Fold, (full, full if bound == late else DateRange(early, bound), permanent, True, best.norm.id))
    if guidance_covers and guided:
        return Fold(DateRange(OPEN, late), EVERYTHING, False, True, best.norm.id)
    return UNSURE._replace(governing=best.norm.id)


def _rivals(one: Looked, floors: Mapping[str, Looked]) -> list[Looked]:
    """The floor itself and the floors that may displace it."""
    return [one, *[floors[name] for name in one.overridden_by]]


def _early(one: Looked, floors: Mapping[str, Looked]) -> int:
    return min([rival.range.earliest if rival.range else OPEN for rival in _rivals(one, floors)])


def _permanent(one: Looked, floors: Mapping[str, Looked]) -> bool:
    return all(rival.permanent for rival in _rivals(one, floors))


def hull(some: Sequence[Fold]) -> Fold:
    """One of several, not known which: the earliest early end and the latest late end."""
    if len(some) == 1:
        return some[0]
    latest = max(some, key=lambda one: one.full.latest)
    full, binding = some[0].full, some[0].binding
    for other in some[1:]:
        full, binding = full.hull(other.full), binding.hull(other.binding)
    return Fold(full, binding, all(one.permanent for one in some), all(one.covered for one in some), latest.governing)


def latest(some: Sequence[Fold]) -> Fold:
    """All of several: each end is the latest."""
    if len(some) == 1:
        return some[0]
    last = max(some, key=lambda one: one.full.latest)
    full = DateRange(max(one.full.earliest for one in some), max(one.full.latest for one in some))
    binding = DateRange(max(one.binding.earliest for one in some), max(one.binding.latest for one in some))
    return Fold(full, binding, any(one.permanent for one in some), all(one.covered for one in some), last.governing)


def destroy_by(ceilings: Iterable[Looked]) -> int | None:
    """Return the earliest late end of the sure, binding ceilings that apply for certain."""
    first = NEVER
    for one in ceilings:
        candidate, day = one.candidate, one.range
        if one.applies is YES and day is not None and candidate.sure and candidate.norm.force == "binding":
            first = min(first, day.latest)
    return None if first >= LAST else first
