"""Which facts are missing, in columns: those not known exactly that a norm which may apply asks about."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from compliance.decision.batch import EVERY_ROW, NO_ROW, Mask, known_or_none
from compliance.decision.compile import dates_of
from compliance.decision.group import Seen
from compliance.decision.keeper import Looked, by_study
from compliance.decision.rows import Rows
from compliance.law.conditions import MAYBE, facts_in
from compliance.law.dates import NEVER
from compliance.law.vocabulary import Members, Value


def missing(looked: Looked) -> dict[str, Mask]:
    """Return by fact the studies that lack it: see `missing.missing_facts`."""
    parts, found = looked.parts, dict[str, Mask]()
    if not parts.rows.place:
        found["jurisdiction"] = EVERY_ROW
    for at, seens in (looked.kinds[kind] for kind in ("floor", "ceiling") if kind in looked.kinds):
        for seen in seens.values():
            for fact, where in _asked(seen, at):
                if where.any():
                    found[fact] = found.get(fact, NO_ROW) | by_study(parts, where)
    return found


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
    if fact in rows.days or fact not in rows.combos.words.facts:
        day = rows.span(fact)
        return np.not_equal(day.lo, day.hi)
    return rows.combos.by_row(rows.combos.words.over(fact, _vague, np.bool_))


def _vague(value: Value | None) -> bool:
    known = known_or_none(value)
    return known is None or (isinstance(known, Members) and known.must != known.may)
