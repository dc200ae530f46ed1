"""From the facts of many studies to what is known of them: assumptions, the rule on death, tense and bounds, in columns.

The same as `assume.assume` and `law.situation.situate` for one study (rules 1-3, 8, 26 of laws/README.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
import pyarrow as pa

from compliance.decision.assume import AssumptionSet, Entry
from compliance.decision.batch import (
    EVERY_ROW,
    NO_ROW,
    Coded,
    Dated,
    FactTable,
    Mask,
    Selection,
    constant,
    constant_word,
    nothing,
    pick,
    texts_at,
)
from compliance.decision.combine import Combos, Words, combine
from compliance.decision.luts import outside
from compliance.decision.rows import Rows, Span
from compliance.law.conditions import YES, facts_in, on_days
from compliance.law.dates import LAST, NEVER, OPEN, DateRange
from compliance.law.periods import EITHER, facts_of
from compliance.law.situation import bounds, dated
from compliance.law.vocabulary import Members, Unknown, Value, Vocabulary

ORIGINAL = constant_word(Members(frozenset({"original"}), frozenset({"original"})))


@dataclass
class Filled:
    """The facts of `rows` studies with assumptions filled in: days by row, words by combination.

    `used` has by assumption the rows in which it was used.
    """

    rows: int
    dates: dict[str, Dated]
    combos: Combos
    texts: Mapping[str, pa.Array]
    used: list[tuple[Entry, Mask]] = field(default_factory=list)

    def take(self, rows: Selection, n: int) -> Filled:
        """Return the facts of these of `n` rows."""
        if isinstance(rows, slice) and rows == slice(0, n):
            return self
        dates = {name: one.take(rows) for name, one in self.dates.items()}
        count = len(range(n)[rows]) if isinstance(rows, slice) else len(rows)
        return Filled(count, dates, self.combos.those(rows), texts_at(self.texts, rows))


def fill(table: FactTable, sets: Sequence[AssumptionSet], as_of: int) -> Filled:
    """Fill absent facts in the order given; a written `unknown` is never filled."""
    filled = Filled(table.rows, dict(table.dates), combine(table.words, table.words), table.texts)
    _death_from_deceased(filled, as_of, only_absent=True)
    for entry in (entry for chosen in sets for entry in chosen.entries):
        days = constant(entry.value, as_of) if isinstance(entry.value, DateRange) else filled.dates.get(entry.other)
        if days is not None:
            where = _put_days(filled, entry.fact, days, _fires(filled, entry, as_of))
        else:
            where = _put_words(filled, entry, as_of)
        if where.any():
            filled.used.append((entry, where))
    return filled


def _no_word(words: Words, fact: str) -> Mask:
    """Return the combinations in which a fact is absent."""
    return words.over(fact, lambda value: value is None, np.bool_)


def _fires(filled: Filled, entry: Entry, as_of: int) -> Mask:
    """Return the rows in which a fact is absent and the condition of its assumption surely holds."""
    dated, combos = filled.dates.get(entry.fact), filled.combos
    where = dated.absent if dated is not None else combos.by_row(_no_word(combos.words, entry.fact))
    if entry.when.any_of and where.any():
        asked = {fact for c in entry.when.conditions() for fact in facts_in(c)}
        days = {name: Span(one.lo, one.hi) for name, one in filled.dates.items() if name in asked}
        if "deceased" in asked:
            days["deceased"] = _death_as_said(filled, as_of)
        where = where & (Rows(filled.rows, as_of, days, combos, filled.texts).scope(entry.when) == YES)
    return where


def _fires_by_words(words: Words, entry: Entry) -> Mask:
    """Return the combinations in which it does, where that hangs on words alone."""
    where = _no_word(words, entry.fact)
    if entry.when.any_of and where.any():
        each = Rows(words.size, 0, {}, Combos(np.arange(words.size), words), {})
        where = where & (each.scope(entry.when) == YES)
    return where


def _on_words(filled: Filled, entry: Entry) -> bool:
    return not any(on_days(c) or not filled.texts.keys().isdisjoint(facts_in(c)) for c in entry.when.conditions())


def _death_as_said(filled: Filled, as_of: int) -> Span:
    """Return the day of death as far as `deceased` tells it, whatever range was given beside it."""
    both = Filled(filled.rows, dict(filled.dates), filled.combos, {})
    _death_from_deceased(both, as_of, only_absent=False)
    death = both.dates.get("death_date", nothing())
    return Span(death.lo, death.hi)


def _put_days(filled: Filled, fact: str, source: Dated, where: Mask) -> Mask:
    where = where & ~source.absent
    if source.hi is not source.lo:
        where = where & ~((source.lo == OPEN) & (source.hi == NEVER))
    if where.all():
        filled.dates[fact] = Dated(source.lo, source.hi)
    elif where.any():
        old = filled.dates.get(fact) or nothing()
        filled.dates[fact] = Dated(pick(where, source.lo, old.lo), pick(where, source.hi, old.hi), old.absent & ~where)
    return where


def _put_words(filled: Filled, entry: Entry, as_of: int) -> Mask:
    """Write the word where the assumption fires; return the rows in which it had one to write."""
    combos = filled.combos
    if _on_words(filled, entry):
        words = combos.words
        made, where = words.once("assumed", entry, lambda: _written(words, entry, _fires_by_words(words, entry)))
    else:
        combos, where = combos.parted(_fires(filled, entry, as_of))
        made, where = _written(combos.words, entry, where)
    if where.any():
        filled.combos = Combos(combos.ids, made)
    return combos.by_row(where)


def _written(words: Words, entry: Entry, where: Mask) -> tuple[Words, Mask]:
    """Write the word of an assumption into some combinations; return with them those in which it had one to write."""
    source = constant_word(entry.value) if entry.value is not None else words.coded(entry.other)
    said = np.array([value is not None and not isinstance(value, Unknown) for value in source.values])
    where = where & said[source.codes]
    return (_with_word(words, entry.fact, source, where) if where.any() else words), where


def _with_word(words: Words, fact: str, source: Coded, where: Mask) -> Words:
    """Write the words of a fact into some combinations; equal values are numbered once."""
    old = words.coded(fact)
    codes = np.where(where, source.codes + len(old.values), old.codes)
    numbers, values = list[int](), list[Value | None]()
    for value in (*old.values, *source.values):
        same = next((n for n, other in enumerate(values) if type(other) is type(value) and other == value), None)
        if same is None:
            values.append(value)
        numbers.append(len(values) - 1 if same is None else same)
    return words.with_fact(fact, Coded(np.array(numbers, np.intp)[codes], tuple(values)))


def _death_from_deceased(filled: Filled, as_of: int, only_absent: bool) -> Mask:
    """`deceased` and `death_date` say the same thing; return where they contradict each other."""
    combos = filled.combos
    if "deceased" not in combos.words.facts:
        return NO_ROW
    kind = combos.by_row(combos.words.over("deceased", _said_dead, np.uint8))
    death = filled.dates.get("death_date", Dated(np.array([OPEN], np.int32), np.array([NEVER], np.int32), EVERY_ROW))
    low = np.where(kind == 2, OPEN, np.where(kind == 1, NEVER, OPEN)).astype(np.int32)
    high = np.where(kind == 2, as_of, NEVER).astype(np.int32)
    where = kind > 0
    if only_absent:
        where = where & death.absent
        lo, hi, wrong = np.where(where, low, death.lo), np.where(where, high, death.hi), NO_ROW
    else:
        known = _known_by(Span(death.lo, death.hi), as_of)
        lo, hi = np.maximum(known.lo, low), np.minimum(known.hi, high)
        wrong = where & (lo > hi)
        lo = np.where(wrong, OPEN, np.where(where, lo, death.lo)).astype(np.int32)
        hi = np.where(wrong, NEVER, np.where(where, hi, death.hi)).astype(np.int32)
    filled.dates["death_date"] = Dated(lo.astype(np.int32), hi.astype(np.int32), death.absent & ~where)
    return wrong


def _said_dead(value: Value | None) -> int:
    return 2 if value is True else 1 if value is False else 3 if isinstance(value, Unknown) else 0


def situate(table: Filled, vocabulary: Vocabulary, as_of: int, asked: Iterable[str]) -> Rows:
    """Return what is known of the rows, for the facts that are `asked` about."""
    filled = replace(table, dates=dict(table.dates))
    beyond = _beyond(filled)
    wrong = _death_from_deceased(filled, as_of, only_absent=False)
    study, late = _study(filled, as_of)
    wanted, (bound, naming) = set(asked), _bounded(vocabulary)
    days: dict[str, Span] = {}
    for kind in dated(vocabulary):
        given = filled.dates.get(kind.name)
        if kind.name == "study_date":
            days[kind.name] = study
        elif kind.name in wanted or kind.name in naming or (given is not None and kind.name in bound):
            span = (
                Span(given.lo, given.hi)
                if given is not None
                else Span(np.array([OPEN], np.int32), np.array([NEVER], np.int32))
            )
            days[kind.name] = _tensed(kind.tense, span, study, as_of)
    ids, words = filled.combos.only(wanted - {"deceased"})
    combos = Combos(ids, _with_word(words, "copy", ORIGINAL, _no_word(words, "copy")))
    rows = Rows(filled.rows, as_of, days, combos, filled.texts, wrong=wrong | late, beyond=beyond)
    _bound(rows, vocabulary)
    return rows


def _study(filled: Filled, as_of: int) -> tuple[Span, Mask]:
    """The study's range is cut at as_of; a study surely later is bad data."""
    given = filled.dates.get("study_date")
    if given is None:
        return Span(np.array([OPEN], np.int32), np.array([as_of], np.int32)), NO_ROW
    late = given.lo > as_of
    if not late.any() and given.hi is given.lo:
        return Span(given.lo, given.hi), NO_ROW
    lo = pick(late, np.int32(OPEN), given.lo)
    return Span(lo, np.minimum(given.hi, as_of).astype(np.int32)), late


def _known_by(day: Span, as_of: int) -> Span:
    """Tense `once`: a day after as_of is not known yet and counts as never."""
    if day.hi is day.lo:
        lo = pick(day.lo > as_of, np.int32(NEVER), day.lo)
        return Span(lo, lo)
    return Span(pick(day.lo > as_of, np.int32(NEVER), day.lo), pick(day.hi > as_of, np.int32(NEVER), day.hi))


def _tensed(tense: str, day: Span, study: Span, as_of: int) -> Span:
    if tense == "once":
        return _known_by(day, as_of)
    later = day.hi > as_of
    if not later.any():
        return day
    if tense == "moving":
        return Span(pick(later, study.lo, day.lo), pick(later, np.int32(as_of), day.hi))
    if tense == "moving_or_never":
        later = later & (day.lo != NEVER)
        return Span(pick(later, np.int32(OPEN), day.lo), pick(later, np.int32(NEVER), day.hi))
    open_end = (day.hi == NEVER) & (day.lo != NEVER)
    return Span(day.lo, pick(open_end, np.int32(LAST), day.hi)) if open_end.any() else day


@lru_cache(maxsize=64)
def _bounded(vocabulary: Vocabulary) -> tuple[frozenset[str], frozenset[str]]:
    """Return the facts that have bounds, and those that these name."""
    found = bounds(vocabulary)
    return frozenset(fact for fact, _, _ in found), frozenset(facts_of(line.event) for _, _, line in found)


def _bound(rows: Rows, vocabulary: Vocabulary) -> None:
    """Intersect every range with its bounds; where nothing is left the facts contradict each other."""
    for fact, before, line in bounds(vocabulary):
        if fact not in rows.days:
            continue
        day, limit = rows.days[fact], rows.line(line, EITHER)
        if (limit.lo <= day.lo if before else day.hi <= limit.hi).all():
            continue
        lo = np.maximum(day.lo, limit.lo) if before else day.lo
        hi = day.hi if before else np.minimum(day.hi, limit.hi)
        empty = lo > hi
        if empty.any():
            lo, hi = pick(empty, day.lo, lo), pick(empty, day.hi, hi)
            rows.wrong = rows.wrong | empty
        same = day.hi is day.lo and not empty.any() and bool((lo == hi).all())
        rows.days[fact] = Span(lo, lo if same else hi)
        rows.forget(fact)


def _beyond(filled: Filled) -> Mask:
    """Return the rows with a day that no table holds."""
    found: Mask = NO_ROW
    columns = {(id(one.lo), id(one.hi)): one for one in filled.dates.values()}  # one column may be several facts
    for one in columns.values():
        odd = outside(one.lo) if one.hi is one.lo else outside(one.lo) | outside(one.hi)
        if odd.any():
            found = found | odd
    return found
