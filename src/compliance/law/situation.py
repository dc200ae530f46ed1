"""What is known of one keeper's study on one day: tense, bounds and contradictions (rules 1-3, 8, 11 of laws/README.md)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from compliance.law import dates
from compliance.law.dates import EVERYTHING, LAST, NEVER, NEVER_RANGE, OPEN, DateRange
from compliance.law.jurisdictions import Jurisdictions
from compliance.law.periods import EITHER, Line, Round, evaluate, read_line
from compliance.law.vocabulary import HAPPENED, UNKNOWN, FactType, Members, Unknown, Value, Vocabulary


class BadData(NamedTuple):
    """Facts that contradict each other, or the calendar."""

    fact: str
    message: str


class Situation:
    """The facts after tense and bounds, the day of the question and the place; what scopes and periods ask."""

    __slots__ = ("_days", "_majority", "_place", "_places", "_values", "as_of", "problems")

    def __init__(
        self, values: dict[str, Value], days: dict[str, DateRange], as_of: int, places: Jurisdictions | None, place: str
    ) -> None:
        self.as_of = as_of
        self.problems: tuple[BadData, ...] = ()
        self._values = values
        self._days = days
        self._places = places
        self._place = place
        self._majority: dict[Round, DateRange] = {}

    def day(self, fact: str) -> DateRange:
        """Return the range of a date fact after tense and bounds; an absent one without bounds is everything."""
        return self._days.get(fact, EVERYTHING)

    def value(self, fact: str) -> Value | None:
        """Return what is known of a fact, None where nothing is."""
        if fact in self._days:
            return self._days[fact]
        value = self._values.get(fact)
        return None if isinstance(value, Unknown) else value

    def words(self, facts: tuple[str, ...]) -> tuple[Value | None, ...]:
        """Return what was given or assumed of facts that are no dates."""
        return tuple(self._values.get(fact) for fact in facts)

    def majority(self, rounding: Round) -> DateRange:
        """Return the range of the first day of full age at the keeper's place."""
        found = self._majority.get(rounding)
        if found is None:
            born = self.day("birth_date")
            found = (
                self._places.majority_range(self._place, born, rounding) if self._places and self._place else EVERYTHING
            )
            self._majority[rounding] = found
        return found

    def given(self, fact: str) -> bool:
        """The fact was given or assumed (perhaps as `unknown`)."""
        return fact in self._values

    def part(self, **members: str | None) -> Situation:
        """Return the situation with sets narrowed to one member each; None = which is not known, what is known stays."""
        values = dict(self._values)
        for fact, word in members.items():
            if word is not None:
                values[fact] = Members(frozenset((word,)), frozenset((word,)))
        return self._like(values, self._days)

    def with_day(self, fact: str, day: DateRange) -> Situation:
        """Return the situation with one more date (`retention_end`, `purge_date`)."""
        return self._like(self._values, {**self._days, fact: day})

    def _like(self, values: dict[str, Value], days: dict[str, DateRange]) -> Situation:
        other = Situation(values, days, self.as_of, self._places, self._place)
        other._majority = self._majority
        return other


def situate(
    facts: Mapping[str, Value], vocabulary: Vocabulary, as_of: int, places: Jurisdictions | None = None, place: str = ""
) -> Situation:
    """Apply tense, bounds and the rule on death; contradictions are listed in `problems`."""
    values, problems = dict(facts), list[BadData]()
    _death(values, as_of, problems)
    days = dict[str, DateRange]()
    study = _cut(_given(values, "study_date"), DateRange(OPEN, as_of))
    if study is None:
        problems.append(BadData("study_date", f"the study lies after {dates.write_day(as_of)}"))
        study = DateRange(OPEN, as_of)
    absent, moving = _absent(vocabulary)
    days |= absent
    for name in moving:
        days[name] = DateRange(study.earliest, as_of)
    for name, value in values.items():
        if isinstance(value, DateRange):
            days[name] = _tensed(vocabulary.facts[name], value, study, as_of)
    days["study_date"] = study
    found = Situation(values, days, as_of, places, place)
    _bound(vocabulary, days, problems, found)
    death = found.day("death_date")
    if death.latest != NEVER:
        values["deceased"] = True
    elif death.earliest == NEVER:
        values["deceased"] = False
    found.problems = tuple(problems)
    return found


def _given(values: Mapping[str, Value], fact: str) -> DateRange:
    value = values.get(fact)
    return value if isinstance(value, DateRange) else EVERYTHING


def _death(values: dict[str, Value], as_of: int, problems: list[BadData]) -> None:
    """`deceased` and `death_date` say the same thing (rule 8 of laws/README.md)."""
    deceased, death = values.get("deceased"), values.get("death_date")
    if isinstance(deceased, bool):
        said = DateRange(OPEN, as_of) if deceased else NEVER_RANGE
        if isinstance(death, DateRange):
            real = DateRange(OPEN, as_of) if death == HAPPENED else _known_by(death, as_of)
            both = real.intersect(said)
            if both is None:
                problems.append(
                    BadData("death_date", f"deceased is {str(deceased).lower()}, but death_date says otherwise")
                )
            values["death_date"] = both or EVERYTHING
        else:
            values["death_date"] = said
    elif isinstance(deceased, Unknown) and death is None:
        values["death_date"] = UNKNOWN


def _known_by(day: DateRange, as_of: int) -> DateRange:
    """Tense `once`: a day after as_of is not known yet and counts as never."""
    if day.earliest > as_of:
        return NEVER_RANGE
    return DateRange(day.earliest, NEVER) if day.latest > as_of else day


def _tensed(kind: FactType, day: DateRange, study: DateRange, as_of: int) -> DateRange:
    if day == HAPPENED:
        return DateRange(OPEN, as_of)
    if kind.tense == "once":
        return _known_by(day, as_of)
    if kind.tense == "moving":
        return DateRange(study.earliest, as_of) if day.latest > as_of else day
    if kind.tense == "moving_or_never":
        if day == NEVER_RANGE or day.latest <= as_of:
            return day
        return EVERYTHING
    return DateRange(day.earliest, min(day.latest, LAST)) if day.earliest < NEVER else day


def _cut(day: DateRange, by: DateRange) -> DateRange | None:
    return DateRange(OPEN, by.latest) if day == HAPPENED else day.intersect(by)


@lru_cache(maxsize=64)
def dated(vocabulary: Vocabulary) -> tuple[FactType, ...]:
    """Return the date facts of the vocabulary."""
    return tuple(kind for kind in vocabulary.facts.values() if kind.type == "date")


@lru_cache(maxsize=64)
def _absent(vocabulary: Vocabulary) -> tuple[dict[str, DateRange], tuple[str, ...]]:
    """Return the ranges of date facts that are not given, and those whose range hangs on the study and the day."""
    kinds = dated(vocabulary)
    plain = {kind.name: _tensed(kind, EVERYTHING, EVERYTHING, LAST) for kind in kinds if kind.tense != "moving"}
    return plain, tuple(kind.name for kind in kinds if kind.tense == "moving")


@lru_cache(maxsize=64)
def bounds(vocabulary: Vocabulary) -> tuple[tuple[str, bool, Line], ...]:
    """Return the bounds of date facts: fact, whether it is a first day, the line it is held against."""
    found = []
    for kind in dated(vocabulary):
        for text, before in ((kind.not_before, True), (kind.not_after, False)):
            if text:
                found.append((kind.name, before, read_line(text if " " in text else f"until {text}", vocabulary)))
    return tuple(found)


def _bound(vocabulary: Vocabulary, days: dict[str, DateRange], problems: list[BadData], known: Situation) -> None:
    """Intersect every range, given or absent, with its bounds; a bound names facts that stand before it in the file."""
    for fact, before, line in bounds(vocabulary):
        limit, (low, high) = evaluate(line, known, EITHER), days[fact]
        if limit.earliest > high if before else limit.latest < low:
            word = "before" if before else "after"
            problems.append(BadData(fact, f"{fact} {days[fact]} lies {word} {line} ({limit})"))
        elif before and limit.earliest > low:
            days[fact] = DateRange(limit.earliest, high)
        elif not before and limit.latest < high:
            days[fact] = DateRange(low, limit.latest)
