"""Norms over many parts at once: scope, versions, overrides and the fold of one jurisdiction code, in columns.

The same as `apply.look`, `fold.fold` and `judge` say for one part; rows here are parts of studies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compliance.decision.batch import EVERY_ROW, NO_ROW, Mask, pick
from compliance.decision.compile import Law, Ready
from compliance.decision.luts import Days
from compliance.decision.rows import Rows, Span, Truths
from compliance.law.conditions import MAYBE, NO, YES
from compliance.law.dates import LAST, NEVER, OPEN
from compliance.law.periods import is_permanent
from compliance.law.statutes import Version

_NO, _MAYBE, _YES = np.uint8(NO), np.uint8(MAYBE), np.uint8(YES)
_OPEN = np.array([OPEN], np.int32)
_NEVER = np.array([NEVER], np.int32)
_NOTHING = np.zeros(1, np.int32)


@dataclass
class Seen:
    """A norm as it came out by row: see `apply.Looked`. `governs` tells by version where it may govern."""

    ready: Ready
    in_scope: Truths
    applies: Truths
    governs: list[tuple[Version, Mask]]
    span: Span | None
    permanent: Mask
    displaced: list[tuple[Seen, Truths]]

    @property
    def live(self) -> Mask:
        """It may govern."""
        return np.not_equal(self.applies, _NO)

    @property
    def surely(self) -> Mask:
        """Its own scope surely holds, the norm was seen, and nothing surely displaces it."""
        return self.live & (self.in_scope == _YES) if self.ready.norm.sure else NO_ROW


def look(law: Law, rows: Rows, kind: str) -> dict[str, Seen]:
    """Return the norms of a kind that may apply to some row, by id."""
    found: dict[str, Seen] = {}
    for ready in law.ordered(kind):
        seen = _in_scope(ready, rows)
        if seen is not None:
            found[ready.norm.id] = seen
            _displace(seen, law.chosen.overriders.get(ready.norm.id, ()), found)
    return found


def _in_scope(ready: Ready, rows: Rows) -> Seen | None:
    reached = rows.combos.by_row(rows.combos.words.over("copy", ready.reaches, np.uint8))
    truth = np.minimum(np.minimum(reached, np.uint8(ready.place)), rows.scope(ready.norm.scope))
    if not truth.any():
        return None
    governs, sure, repealed, living = list[tuple[Version, Mask]](), NO_ROW, NO_ROW, NO_ROW
    for force, version in ready.versions:
        here = np.minimum(rows.scope(version.scope), np.uint8(force))
        possible = (here != _NO) & ~sure
        sure = sure | (here == _YES)
        if not possible.any():
            continue
        if version.repealed:
            repealed = repealed | possible
        else:
            governs.append((version, possible))
            living = living | possible
        if sure.all():
            break
    if not living.any():
        return None
    truth = truth * living
    doubt = ~sure | repealed
    if doubt.any():
        truth = np.minimum(truth, _YES - doubt)
    span, permanent = _span(governs, rows, ready)
    return Seen(ready, truth, truth, governs, span, permanent, [])


def _span(governs: list[tuple[Version, Mask]], rows: Rows, ready: Ready) -> tuple[Span | None, Mask]:
    """The hull of the versions that may govern, and where all of them say for ever."""
    spans = [(rows.period(v.period, ready.rounding), where, is_permanent(v.period)) for v, where in governs if v.period]
    if not spans:
        return None, NO_ROW
    if len(spans) == 1:
        return spans[0][0], np.array([spans[0][2]])
    lo, hi, permanent = _NEVER, _OPEN, EVERY_ROW
    for span, where, forever in spans:
        lo = pick(where, np.minimum(lo, span.lo), lo)
        hi = pick(where, np.maximum(hi, span.hi), hi)
        permanent = permanent & (~where | forever)
    return Span(lo, hi), permanent


def _displace(seen: Seen, overriders: Iterable[str], found: Mapping[str, Seen]) -> None:
    """One that surely applies makes the norm `no`, one that may makes it `maybe`."""
    applies = seen.applies
    for name in overriders:
        other = found.get(name)
        if other is None:
            continue
        force = other.applies if other.ready.norm.sure else np.minimum(other.applies, _MAYBE)
        if force.any():
            applies = np.minimum(applies, _YES - force)
            seen.displaced.append((other, force))
    seen.applies = applies


@dataclass
class Folded:
    """What the floors (or lossy norms) of each row say together: see `fold.Fold`. `governing` is a rank, -1 = none.

    Only sure binding law has an early end (rule 17 of laws/README.md), so `lo` is that of the binding fold too.
    """

    lo: Days
    hi: Days
    bound_hi: Days
    permanent: Mask
    covered: Mask
    governing: NDArray[Any]


def fold(found: Mapping[str, Seen], law: Law, guidance_covers: Mask, as_binding: bool = False) -> Folded:
    """Fold the floors; not covered = everything. `as_binding`: guidance counts like a floor of its own.

    Late end and governing norm are one number (`_packed`), so that one maximum folds both.
    """
    bits = len(law.names).bit_length()
    late = {True: _NOTHING, False: _NOTHING}  # by force: binding or not
    early = earliest(found, as_binding)
    covered, permanent, guided = NO_ROW, NO_ROW, NO_ROW
    for seen in found.values():
        if seen.span is None:
            continue
        live, norm = seen.live, seen.ready.norm
        binding = _binds(seen, as_binding)
        late[binding] = np.maximum(late[binding], _where(live, _packed(seen.span.hi, seen.ready.rank, bits)))
        surely = seen.surely
        if not surely.any():
            continue
        if binding:
            covered = covered | surely
            if seen.permanent.any():
                permanent = permanent | surely & _for_ever(seen)
        elif norm.force == "guidance":
            guided = guided | surely
    guided = guided & guidance_covers & ~covered
    whole = np.maximum(late[True], late[False])
    last, bound = (whole >> bits).astype(np.int32), (late[True] >> bits).astype(np.int32)
    governing = pick(whole > 0, (1 << bits) - 1 - (whole & (1 << bits) - 1), -1)
    hi = _where(covered | guided, last, NEVER)
    forever = permanent & covered & (early == NEVER) if permanent.any() else NO_ROW
    return Folded(early, hi, _where(covered, bound, NEVER), forever, covered | guided, governing)


def earliest(found: Mapping[str, Seen], as_binding: bool = False) -> Days:
    """Return the early end: the latest of what sure binding law asks for; open where there is none."""
    early = _OPEN
    for seen in found.values():
        if seen.span is not None and _binds(seen, as_binding) and seen.surely.any():
            early = np.maximum(early, _where(seen.surely, _early(seen)))
    return early


def _binds(seen: Seen, as_binding: bool) -> bool:
    force = seen.ready.norm.force
    return force == "binding" or (as_binding and force == "guidance")


def _packed(hi: Days, rank: int, bits: int) -> NDArray[Any]:
    """A day and a rank of so many bits in one number that grows with the day, then with the smaller rank; never 0."""
    days = hi if NEVER << bits < 1 << 31 else hi.astype(np.int64)
    return (days << bits) + ((1 << bits) - 1 - rank)


def _where(mask: Mask, column: NDArray[Any], other: int = 0) -> NDArray[Any]:
    """The column where the mask says yes, else the other number."""
    return pick(mask, column, column.dtype.type(other)) if other else column * mask


def _early(seen: Seen) -> Days:
    """The earliest early end among the norm and those that may displace it."""
    assert seen.span is not None
    early = seen.span.lo
    for other, force in seen.displaced:
        assert other.span is not None
        early = pick(force == _MAYBE, np.minimum(early, other.span.lo), early)
    return early


def _for_ever(seen: Seen) -> Mask:
    permanent = seen.permanent
    for other, force in seen.displaced:
        permanent = permanent & ((force != _MAYBE) | other.permanent)
    return permanent


def destroy_by(found: Mapping[str, Seen]) -> Days:
    """Return the earliest late end of the sure, binding ceilings that apply for certain; `NEVER` = none."""
    first = _NEVER
    for seen in found.values():
        if seen.ready.norm.sure and seen.ready.norm.force == "binding" and seen.span is not None:
            first = pick(seen.applies == _YES, np.minimum(first, seen.span.hi), first)
    return pick(first >= LAST, np.int32(NEVER), first)
