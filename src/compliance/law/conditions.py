"""The conditions a scope is made of, each yes, no or maybe under what is known (Kleene logic)."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple, Protocol

from compliance.law.dates import NEVER, NEVER_RANGE, DateRange, write_edtf
from compliance.law.periods import EITHER, Line, Moment, birthday, evaluate, facts_of
from compliance.law.vocabulary import Members, Value


class Truth(IntEnum):
    """Kleene's three values: and = min, or = max, not = 2 - x."""

    NO = 0
    MAYBE = 1
    YES = 2


NO, MAYBE, YES = Truth.NO, Truth.MAYBE, Truth.YES
_OPPOSITE = (YES, MAYBE, NO)


class Facts(Moment, Protocol):
    """What a scope asks of the facts."""

    as_of: int

    def value(self, fact: str) -> Value | None:
        """Return what is known of a fact that is no date; None where nothing is."""
        ...


class Listed(NamedTuple):
    """A set or choice holds any of these values; `reach` adds the values within them, `wide` the values around them."""

    fact: str
    values: frozenset[str]
    reach: frozenset[str]
    wide: frozenset[str]
    one: bool = False  # a choice: it holds exactly one of what it may hold

    def truth(self, facts: Facts) -> Truth:
        """Yes if a value surely held is listed (or lies within one listed), no if none can be."""
        known = facts.value(self.fact)
        if isinstance(known, str):
            return YES if known in self.reach else NO
        if not isinstance(known, Members):
            return MAYBE
        if not known.must.isdisjoint(self.reach):
            return YES
        if known.may is None:
            return MAYBE
        if self.one and known.may <= self.reach:
            return YES
        return NO if known.may.isdisjoint(self.wide) else MAYBE

    def __str__(self) -> str:
        return f"{self.fact} is {' or '.join(sorted(self.values))}"


class Flag(NamedTuple):
    """A boolean fact has this value."""

    fact: str
    wanted: bool

    def truth(self, facts: Facts) -> Truth:
        """Maybe where it is not known."""
        known = facts.value(self.fact)
        return (YES if known is self.wanted else NO) if isinstance(known, bool) else MAYBE

    def __str__(self) -> str:
        return f"{self.fact} is {str(self.wanted).lower()}"


class Within(NamedTuple):
    """A date fact lies in one of these ranges; `happened` reaches through as_of."""

    fact: str
    ranges: tuple[DateRange, ...]
    happened: bool = False

    def truth(self, facts: Facts) -> Truth:
        """Yes if every possible day lies in one of the ranges."""
        day, truth = facts.day(self.fact), NO
        for one in (*self.ranges, DateRange(1, facts.as_of)) if self.happened else self.ranges:
            if day.within(one):
                return YES
            if day.overlaps(one):
                truth = MAYBE
        return truth

    def __str__(self) -> str:
        words = ["never" if r == NEVER_RANGE else write_edtf(r) for r in self.ranges] + ["happened"] * self.happened
        return f"{self.fact} is {' or '.join(words)}"


class Compared(NamedTuple):
    """A date fact lies before a line, or on it or later; `never` is before nothing and from everything."""

    fact: str
    before: bool
    line: Line

    def truth(self, facts: Facts) -> Truth:
        """A missing day (29 February, the 31st) makes the line a range."""
        day, line = facts.day(self.fact), evaluate(self.line, facts, EITHER)
        if day.latest < line.earliest:
            return YES if self.before else NO
        if day.earliest >= line.latest:
            return NO if self.before else YES
        return MAYBE

    def __str__(self) -> str:
        return f"{self.fact} is {'before' if self.before else 'from'} {self.line}"


class Age(NamedTuple):
    """The patient is under an age (or majority), or that old or older, at a date fact; neither at an event that is never."""

    under: bool
    age: int  # 0 = majority
    at: str

    def truth(self, facts: Facts) -> Truth:
        """Before birth counts as under."""
        born = facts.day("birth_date")
        due = birthday(born, self.age, EITHER) if self.age else facts.majority(EITHER)
        event = facts.day(self.at)
        if event.earliest == NEVER:
            return NO
        sure = event.latest != NEVER
        if event.earliest >= due.latest:
            return NO if self.under else (YES if sure else MAYBE)
        if event.latest < due.earliest:
            return YES if self.under else NO
        return MAYBE

    def __str__(self) -> str:
        age = str(self.age) if self.age else "majority"
        return f"age {'under' if self.under else 'from'} {age} at {self.at}"


class Not(NamedTuple):
    """The condition does not hold."""

    inner: Condition

    def truth(self, facts: Facts) -> Truth:
        """No becomes yes, maybe stays maybe."""
        return _OPPOSITE[self.inner.truth(facts)]

    @property
    def fact(self) -> str:
        """The fact asked about."""
        return fact_of(self.inner)

    def __str__(self) -> str:
        return str(self.inner).replace(" is ", " is not ", 1)


Condition = Listed | Flag | Within | Compared | Age | Not


def fact_of(condition: Condition) -> str:
    """Return the fact a condition is about (ages: the birth date)."""
    return "birth_date" if isinstance(condition, Age) else condition.fact


def facts_in(condition: Condition) -> tuple[str, ...]:
    """Return every fact a condition consults."""
    if isinstance(condition, Not):
        return facts_in(condition.inner)
    if isinstance(condition, Age):
        return ("birth_date", condition.at)
    if isinstance(condition, Compared):
        return (condition.fact, facts_of(condition.line.event))
    return (condition.fact,)


def on_days(condition: Condition) -> bool:
    """The condition is about days (`deceased` follows from the day of death)."""
    while isinstance(condition, Not):
        condition = condition.inner
    return isinstance(condition, Within | Compared | Age) or condition.fact == "deceased"


def known(fact: str, facts: Facts) -> bool:
    """The fact is known exactly."""
    value = facts.value(fact)
    if isinstance(value, DateRange):
        return value.exact
    if isinstance(value, Members):
        return value.must == value.may
    return value is not None
