"""Which facts are missing, in columns: those not known exactly that a norm which may apply asks about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from compliance.decision import group
from compliance.decision.batch import NO_ROW, Mask, known_or_none
from compliance.decision.compile import Law, dates_of
from compliance.decision.group import Seen
from compliance.decision.keeper import by_study, floors, with_retention_end
from compliance.decision.rows import Rows
from compliance.decision.unfold import Parts, unfold
from compliance.law.conditions import MAYBE, facts_in
from compliance.law.dates import NEVER
from compliance.law.knowledge import KnowledgeBase
from compliance.law.vocabulary import Members, Value


def missing(rows: Rows, law: Law, knowledge: KnowledgeBase) -> dict[str, Mask]:
    """Return by fact the rows that lack it: see `missing.missing_facts`."""
    parts = unfold(rows, knowledge.vocabulary)
    found: dict[str, Mask] = {}
    if not rows.place:
        found["jurisdiction"] = np.ones(rows.n, np.bool_)
    seen = group.look(law, parts.rows, "floor")
    _collect(seen, parts.rows, parts, found)
    if law.ordered("ceiling"):
        ends = with_retention_end(parts, floors(seen, law, knowledge, parts))
        _collect(group.look(law, ends, "ceiling"), ends, parts, found)
    return found


def _collect(seen: Mapping[str, Seen], at: Rows, parts: Parts, found: dict[str, Mask]) -> None:
    for one in seen.values():
        for fact, where in _asked(one, at):
            if where.any():
                found[fact] = found.get(fact, NO_ROW) | by_study(parts, np.broadcast_to(where, (at.n,)))


def _asked(seen: Seen, rows: Rows) -> Iterator[tuple[str, Mask]]:
    """Yield the facts that make one norm doubtful or its day a range."""
    live = seen.live
    if seen.ready.place == MAYBE:
        yield "jurisdiction", live
    for condition in seen.ready.norm.conditions():
        doubtful = live & (rows.truth(condition) == np.uint8(MAYBE))
        if doubtful.any():
            for fact in facts_in(condition):
                yield fact, doubtful & unknown(rows, fact)
    if seen.span is None or seen.span.lo is seen.span.hi:
        return
    inexact = live & (seen.span.lo != seen.span.hi)
    for version, where in seen.governs:
        for fact in dates_of(version) if inexact.any() else ():
            if fact not in ("retention_end", "purge_date"):
                yield fact, inexact & where & unknown(rows, fact)


def unknown(rows: Rows, fact: str) -> Mask:
    """Return where a fact is not known exactly."""
    if fact in rows.texts:
        return np.asarray(rows.texts[fact].is_null().to_numpy(zero_copy_only=False))
    if fact == "deceased":
        death = rows.span("death_date")
        return np.asarray((death.hi == NEVER) & (death.lo != NEVER))
    if fact in rows.days or fact not in rows.combos.index:
        day = rows.span(fact)
        return np.not_equal(day.lo, day.hi)
    return rows.combos.by_row(rows.combos.over(fact, _vague, np.bool_))


def _vague(value: Value | None) -> bool:
    known = known_or_none(value)
    return known is None or (isinstance(known, Members) and known.must != known.may)
