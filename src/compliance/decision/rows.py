"""What is known of many studies of one keeper: assumptions, tense, bounds, conditions and periods, in columns.

The same as `assume.py`, `law.situation`, `law.conditions` and `law.periods` say for one study. The truth of a condition on
words comes from `law.conditions`, asked once for each distinct value; days come from the tables of `luts.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from compliance.decision import luts
from compliance.decision.batch import NO_ROW, Codes, Mask, at, texts_at
from compliance.decision.combine import Combos
from compliance.decision.luts import Days
from compliance.law.conditions import Age, Compared, Condition, Flag, Listed, Not, Within, facts_in, on_days
from compliance.law.dates import NEVER, OPEN, DateRange
from compliance.law.jurisdictions import Jurisdictions
from compliance.law.periods import EITHER, Combined, Event, Line, Period, Round, Word, facts_of
from compliance.law.scopes import Scope
from compliance.law.vocabulary import PADDING

Truths = NDArray[np.uint8]
NOWHERE: Truths = np.zeros(1, np.uint8)
CERTAIN: Truths = np.full(1, 2, np.uint8)


class Span(NamedTuple):
    """First and last possible day by row; the same column twice where every day is exact."""

    lo: Days
    hi: Days


ALWAYS = Span(np.array([OPEN], np.int32), np.array([NEVER], np.int32))


@dataclass
class Rows:
    """The facts of many studies of one keeper under one code, after tense and bounds.

    `span` and `truth` answer by row; `wrong` are the rows whose facts contradict each other, `beyond` those with a day
    outside the tables.
    """

    n: int
    as_of: int
    days: dict[str, Span]
    combos: Combos
    texts: Mapping[str, pa.Array]
    places: Jurisdictions | None = None
    place: str = ""
    wrong: Mask = field(default_factory=lambda: NO_ROW)
    beyond: Mask = field(default_factory=lambda: NO_ROW)
    _truths: dict[Condition, Truths] = field(default_factory=dict)
    _lines: dict[tuple[Line, Round], Span] = field(default_factory=dict)
    _at: dict[int, tuple[Days, NDArray[np.intp]]] = field(default_factory=dict)
    _few: dict[int, tuple[Span, Codes | None]] = field(default_factory=dict)

    def take(self, rows: Codes) -> Rows:
        """Return these rows."""
        days = {}
        for name, span in self.days.items():
            lo = at(span.lo, rows)
            days[name] = Span(lo, lo if span.hi is span.lo else at(span.hi, rows))
        texts = texts_at(self.texts, rows)
        return Rows(
            len(rows), self.as_of, days, self.combos.take(rows), texts, self.places, self.place, at(self.wrong, rows)
        )

    def with_words(self, combos: Combos) -> Rows:
        """Return the rows with other words (parts of studies instead of studies)."""
        return replace(self, combos=combos, _truths={}, _lines=dict(self._lines))

    def with_day(self, fact: str, span: Span) -> Rows:
        """Return the rows with one more date (`retention_end`); what is known already is kept."""
        days = {**self.days, fact: span}
        other = replace(self, days=days, _truths=dict(self._truths), _lines=dict(self._lines))
        other.forget(fact)
        return other

    def at_place(self, place: str, places: Jurisdictions) -> Rows:
        """Return the rows under a jurisdiction code: only full age depends on it."""
        return replace(self, places=places, place=place, _truths={}, _lines={})

    def forget(self, fact: str) -> None:
        """Drop what was computed from a date that has changed."""
        self._truths = {c: t for c, t in self._truths.items() if fact not in facts_in(c)}
        self._lines = {key: s for key, s in self._lines.items() if facts_of(key[0].event) != fact}

    def span(self, fact: str) -> Span:
        """Return the range of a date fact."""
        return self.days.get(fact, ALWAYS)

    # -- conditions

    def scope(self, scope: Scope) -> Truths:
        """Return where a scope holds."""
        if not scope.any_of:
            return CERTAIN
        found = NOWHERE
        for conjunction in scope.any_of:
            found = np.maximum(found, self.all_of(conjunction))
        return found

    def all_of(self, conjunction: Iterable[Condition]) -> Truths:
        """Return where all conditions hold: those on words are joined over their few combinations first."""
        words, rest = NOWHERE + np.uint8(2), []
        for condition in conjunction:
            if on_days(condition) or condition_fact(condition) in self.texts:
                rest.append(condition)
            else:
                words = np.minimum(words, self.combos.words.truth(condition))
        found = self.combos.by_row(words)
        for condition in rest:
            if not found.any():
                return NOWHERE
            found = np.minimum(found, self.truth(condition))
        return found

    def truth(self, condition: Condition) -> Truths:
        """Return where one condition holds."""
        found = self._truths.get(condition)
        if found is None:
            found = self._truths[condition] = self._truth(condition)
        return found

    def _truth(self, condition: Condition) -> Truths:
        if isinstance(condition, Not):
            return np.uint8(2) - self.truth(condition.inner)
        if isinstance(condition, Within):
            return self._within(condition)
        if isinstance(condition, Compared):
            return self._compared(condition)
        if isinstance(condition, Age):
            return self._age(condition)
        if isinstance(condition, Flag) and condition.fact == "deceased":
            return self._deceased(condition)
        if isinstance(condition, Listed) and condition.fact in self.texts:
            return _among(self.texts[condition.fact], condition)
        return self.combos.by_row(self.combos.words.truth(condition))

    def _within(self, condition: Within) -> Truths:
        day = self.span(condition.fact)
        ranges = (*condition.ranges, *([DateRange(1, self.as_of)] if condition.happened else []))
        sure, perhaps = NO_ROW, NO_ROW
        for low, high in ranges:
            sure = sure | (day.lo >= low) & (day.hi <= high)
            if day.lo is not day.hi:
                perhaps = perhaps | (day.lo <= high) & (day.hi >= low)
        return _truths(sure, perhaps if day.lo is not day.hi else sure)

    def _compared(self, condition: Compared) -> Truths:
        day, line = self.span(condition.fact), self.line(condition.line, EITHER)
        before, later = day.hi < line.lo, day.lo >= line.hi
        return _truths(before, ~later) if condition.before else _truths(later, ~before)

    def _age(self, condition: Age) -> Truths:
        what = Event("age", condition.age) if condition.age else Event("majority")
        due, event = self.line(Line(0, "day", what), EITHER), self.span(condition.at)
        younger, older = event.hi < due.lo, event.lo >= due.hi
        happens = event.lo != NEVER
        if condition.under:
            return _truths(younger & happens, ~older & happens)
        return _truths(older & (event.hi != NEVER) & happens, ~younger & happens)

    def _deceased(self, condition: Flag) -> Truths:
        death = self.days.get("deceased") or self.span("death_date")
        dead, alive = death.hi <= self.as_of, death.lo > self.as_of
        return _truths(dead, ~alive) if condition.wanted else _truths(alive, ~dead)

    # -- periods

    def period(self, period: Period, rounding: Round) -> Span:
        """Return the range of a period's last day."""
        if isinstance(period, Line):
            return self.line(period, rounding)
        if isinstance(period, Combined):
            pick = np.maximum if period.how == "latest" else np.minimum
            spans = [self.period(member, rounding) for member in period.members]
            lo, hi = spans[0]
            for other in spans[1:]:
                exact = lo is hi and other.lo is other.hi
                lo = pick(lo, other.lo)
                hi = lo if exact else pick(hi, other.hi)
            return Span(lo, hi)
        return self.word(period)

    def word(self, word: Word) -> Span:
        """Return the range of `permanent`, `unknown` or `none`."""
        if word.word == "none":
            return self.span("study_date")
        if word.word == "permanent":
            return Span(ALWAYS.hi, ALWAYS.hi)
        return ALWAYS

    def line(self, line: Line, rounding: Round) -> Span:
        """Return the range of a line's day, computed once."""
        found = self._lines.get((line, rounding))
        if found is None:
            found = self._lines[(line, rounding)] = self._line(line, rounding)
        return found

    def _line(self, line: Line, rounding: Round) -> Span:
        event = line.event
        base = self.span(facts_of(event))
        if event.what == "majority":
            return self._majority(line, rounding, base)
        if event.what in ("age", "age of child"):
            tables = [luts.birthdays(event.age, r, event.end_of, line.count, line.unit) for r in rounding]
        elif not line.count and not event.end_of:
            return base
        else:
            tables = [luts.added(line.count, line.unit, r, event.end_of) for r in rounding]
        return self._looked_up(tables, base)

    def _majority(self, line: Line, rounding: Round, born: Span) -> Span:
        if not self.places or not self.place:
            return ALWAYS
        event, held = line.event, self.places.majority_tables(self.place)
        one = len(held) == 1 and bool(held[0]) and rounding[0] == rounding[1]
        tables = [
            luts.majorities(held, bool(end), rounding[end], event.end_of, line.count, line.unit)
            for end in ((0, 0) if one else (0, 1))
        ]
        return self._looked_up(tables, born)

    def _looked_up(self, tables: Sequence[luts.Table], base: Span) -> Span:
        lo = tables[0].take(self._places(base.lo))
        if tables[0] is not tables[1]:
            return Span(lo, tables[1].take(self._places(base.hi)))
        if base.hi is base.lo:
            return Span(lo, lo)
        vague = self._vague(base)
        if vague is None:
            return Span(lo, tables[1].take(self._places(base.hi)))
        hi = lo.copy()
        hi[vague] = tables[1].take(luts.places(base.hi[vague]))
        return Span(lo, hi)

    def _places(self, days: Days) -> NDArray[np.intp]:
        """Where the tables have the days of a column, found once."""
        held = self._at.get(id(days))
        if held is None or held[0] is not days:
            held = self._at[id(days)] = (days, luts.places(days))
        return held[1]

    def _vague(self, day: Span) -> Codes | None:
        """Return the rows in which a day is no exact one, where they are few; found once."""
        held = self._few.get(id(day.hi))
        if held is None or held[0].lo is not day.lo or held[0].hi is not day.hi:
            rows = np.flatnonzero(day.lo != day.hi)
            few = 4 * len(rows) < len(day.lo) == len(day.hi)
            held = self._few[id(day.hi)] = (day, rows if few else None)
        return held[1]


def condition_fact(condition: Condition) -> str:
    """Return the fact of a condition on words."""
    return condition.fact if not isinstance(condition, Age) else "birth_date"


def _truths(sure: Mask, perhaps: Mask) -> Truths:
    """Yes where it is sure, maybe where it is only possible (sure implies possible)."""
    return sure.view(np.uint8) + perhaps.view(np.uint8)


def _among(texts: pa.Array, condition: Listed) -> Truths:
    texts = pc.utf8_trim(texts if pa.types.is_string(texts.type) else texts.cast(pa.string()), PADDING)
    absent = pc.or_kleene(pc.is_null(texts), pc.is_in(texts, pa.array(["", "unknown"])))
    absent = np.asarray(absent.to_numpy(zero_copy_only=False))
    inside = pc.is_in(texts, pa.array(sorted(condition.reach), pa.string()))
    inside = np.asarray(inside.to_numpy(zero_copy_only=False)) & ~absent
    return _truths(inside, inside | absent)
