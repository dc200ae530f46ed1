"""What is known of one keeper's study on one day: tense, bounds and contradictions (rules 1-3, 8, 11 of laws/README.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from compliance.law import dates
from compliance.law.dates import EVERYTHING, LAST, NEVER, NEVER_RANGE, OPEN, DateRange
from compliance.law.jurisdictions import Jurisdictions
from compliance.law.periods import EITHER, Event, Line, Reckoner, Round, read_line, reckoner
from compliance.law.vocabulary import HAPPENED, UNKNOWN, FactType, Members, Unknown, Value, Vocabulary


class BadData(NamedTuple):
    """Facts that contradict each other, or the calendar."""

    fact: str
    message: str


class Situation:
    """The facts after tense and bounds, the day of the question and the place; what scopes and periods ask.

    The range of a date is reckoned when it is asked for: most are not.
    """

    __slots__ = ("_dated", "_days", "_place", "_places", "_study", "_values", "as_of", "problems")

    def __init__(
        self,
        values: Mapping[str, Value],
        days: dict[str, DateRange],
        study: DateRange,
        as_of: int,
        dated: Dated,
        places: Jurisdictions | None,
        place: str,
    ) -> None:
        self.as_of = as_of
        self.problems: tuple[BadData, ...] = ()
        self._values = values
        self._days = days
        self._study = study
        self._dated = dated
        self._places = places
        self._place = place

    def day(self, fact: str) -> DateRange:
        """Return the range of a date fact after tense and bounds; an absent one without bounds is everything."""
        try:
            return self._days[fact]
        except KeyError:
            if fact not in self._dated.kinds:
                return EVERYTHING
            return self.bound(fact, [])

    def bound(self, fact: str, problems: list[BadData]) -> DateRange:
        """Return the range of a date fact, given or absent, after its tense and its bounds; say which leave nothing of it.

        A bound names facts that stand before it in the file.
        """
        days, kind, given = self._days, self._dated.kinds[fact], self._values.get(fact)
        if fact in days:
            day = days[fact]
        elif isinstance(given, DateRange):
            day = days[fact] = _tensed(kind, given, self._study, self.as_of)
        else:
            day = days[fact] = _not_given(kind, self._study, self.as_of)
        for bound in self._dated.bounds.get(fact, ()):
            day, wrong = bound.cut(day, self)
            if wrong:
                problems.append(wrong)
            days[fact] = day
        return day

    def value(self, fact: str) -> Value | None:
        """Return what is known of a fact, None where nothing is."""
        if fact in self._dated.kinds or fact in self._days:
            return self.day(fact)
        if fact == "deceased":
            death = self.day("death_date")
            if death.latest != NEVER or death.earliest == NEVER:
                return death.latest != NEVER
        value = self._values.get(fact)
        return None if isinstance(value, Unknown) else value

    def words(self, facts: tuple[str, ...]) -> tuple[Value | None, ...]:
        """Return what was given or assumed of facts that are no dates."""
        return tuple(map(self._values.get, facts))

    def majority(self, rounding: Round) -> DateRange:
        """Return the range of the first day of full age at the keeper's place."""
        if not self._places or not self._place:
            return EVERYTHING
        return self._places.majority_range(self._place, self.day("birth_date"), rounding)

    def part(self, members: Mapping[str, Members]) -> Situation:
        """Return the situation with sets narrowed to one member each."""
        return self._like({**self._values, **members}, self._days)

    def with_day(self, fact: str, day: DateRange) -> Situation:
        """Return the situation with one more date (`retention_end`, `purge_date`)."""
        return self._like(self._values, {**self._days, fact: day})

    def _like(self, values: Mapping[str, Value], days: dict[str, DateRange]) -> Situation:
        return Situation(values, days, self._study, self.as_of, self._dated, self._places, self._place)


def situate(
    facts: Mapping[str, Value], vocabulary: Vocabulary, as_of: int, places: Jurisdictions | None = None, place: str = ""
) -> Situation:
    """Apply tense, bounds and the rule on death; contradictions are listed in `problems`."""
    values, dated = facts, dates_of(vocabulary)
    problems: list[BadData] = []
    if "deceased" in facts:
        values = dict(facts)
        _death(values, as_of, problems)
    study = _study(values.get("study_date"), as_of, problems)
    found = Situation(values, {"study_date": study}, study, as_of, dated, places, place)
    for name, strict in dated.bounded:
        if strict or name in values:
            found.bound(name, problems)
    found.problems = tuple(problems)
    return found


def _study(given: Value | None, as_of: int, problems: list[BadData]) -> DateRange:
    """The range of the study, cut at the day of the question."""
    day = given if isinstance(given, DateRange) else EVERYTHING
    if day.earliest >= OPEN and day.latest <= as_of:
        return day
    if day.earliest > as_of:
        problems.append(BadData("study_date", f"the study lies after {dates.write_day(as_of)}"))
    return DateRange(OPEN if day.earliest > as_of else max(day.earliest, OPEN), as_of)


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


def _not_given(kind: FactType, study: DateRange, as_of: int) -> DateRange:
    """The range of a date that is not given, before its bounds."""
    if kind.tense == "moving":
        return DateRange(study.earliest, as_of)
    return _WHILE_A_DAY if kind.tense == "fixed" else EVERYTHING


_WHILE_A_DAY = DateRange(OPEN, LAST)


def _tensed(kind: FactType, day: DateRange, study: DateRange, as_of: int) -> DateRange:
    if HAPPENED.latest < day.latest <= as_of < NEVER:
        return day
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


class Bound(NamedTuple):
    """A fact does not lie before a line, or not after it."""

    fact: str
    before: bool
    line: Line
    limit: Reckoner
    after: str  # a fact after which the line comes: what is not later than the one is not later than the other

    def cut(self, day: DateRange, known: Situation) -> tuple[DateRange, BadData | None]:
        """Return what the bound leaves of a range; all of it, and what is wrong, where it leaves nothing."""
        if self.after and day.latest <= known.day(self.after).latest:
            return day, None
        limit, (low, high) = self.limit(known), day
        if limit.earliest > high if self.before else limit.latest < low:
            word = "before" if self.before else "after"
            return day, BadData(self.fact, f"{self.fact} {day} lies {word} {self.line} ({limit})")
        if self.before:
            return (DateRange(limit.earliest, high) if limit.earliest > low else day), None
        return (DateRange(low, limit.latest) if limit.latest < high else day), None


class Dated(NamedTuple):
    """The date facts of a vocabulary, the bounds of each, and in the order of the file which have some.

    With the latter stands whether a date may contradict its bounds though it is not given.
    """

    kinds: Mapping[str, FactType]
    bounds: Mapping[str, tuple[Bound, ...]]
    bounded: tuple[tuple[str, bool], ...]


@lru_cache(maxsize=64)
def dated(vocabulary: Vocabulary) -> tuple[FactType, ...]:
    """Return the date facts of the vocabulary."""
    return tuple(kind for kind in vocabulary.facts.values() if kind.type == "date")


@lru_cache(maxsize=64)
def bounds(vocabulary: Vocabulary) -> tuple[tuple[str, bool, Line], ...]:
    """Return the bounds of date facts: fact, whether it is a first day, the line it is held against."""
    found = []
    for kind in dated(vocabulary):
        for text, before in ((kind.not_before, True), (kind.not_after, False)):
            if text:
                found.append((kind.name, before, read_line(text if " " in text else f"until {text}", vocabulary)))
    return tuple(found)


@lru_cache(maxsize=64)
def dates_of(vocabulary: Vocabulary) -> Dated:
    """Return the date facts of the vocabulary with their bounds."""
    kinds, found = {kind.name: kind for kind in dated(vocabulary)}, dict[str, tuple[Bound, ...]]()
    for fact, before, line in bounds(vocabulary):
        after = line.event.what if not before and line.event.what in kinds else ""
        found[fact] = (*found.get(fact, ()), Bound(fact, before, line, reckoner(line, EITHER), after))
    return Dated(kinds, found, tuple((name, _strict(kinds[name], some)) for name, some in found.items()))


_UNTIL_STUDY = Line(0, "day", Event("study_date"))


def _strict(kind: FactType, some: Sequence[Bound]) -> bool:
    """May a date that is not given contradict its bounds?

    One that may be any day or never lies neither wholly before nor wholly after a line, and one that moves never lies
    before a study.
    """
    if len(some) > 1 or not some[0].before:
        return len(some) > 1 or kind.tense == "moving"
    return some[0].line != _UNTIL_STUDY if kind.tense == "moving" else kind.tense == "fixed"
