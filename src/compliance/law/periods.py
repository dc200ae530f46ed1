"""The period grammar: read, write, evaluate, and show step by step.

    period = permanent | unknown | none | LINE | {latest: [period, ...]} | {earliest: [period, ...]}
    LINE   = N day(s)|week(s)|month(s)|year(s) after EVENT | until EVENT
    EVENT  = ["end of" (year|month) "of"] (date fact | age N [of child] | age of majority | retention_end | purge_date)

A period's value is the range of the last day on which the image must (or may) exist.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import methodcaller
from typing import NamedTuple, Protocol, cast

from compliance.errors import guess
from compliance.law import dates
from compliance.law.dates import EVERYTHING, NEVER_RANGE, DateRange, Rounding, Unit, made
from compliance.law.shape import Reader, Shape
from compliance.law.vocabulary import Vocabulary
from compliance.law.yaml import Node

Round = tuple[Rounding, Rounding]  # for the early and for the late end
FLOOR: Round = ("next", "next")
CEILING: Round = ("previous", "previous")
EITHER: Round = ("previous", "next")  # scopes: a missing day is the last or the next one


class Moment(Protocol):
    """What a period asks of the facts."""

    def day(self, fact: str) -> DateRange:
        """Return the range of a date fact."""
        ...

    def majority(self, rounding: Round) -> DateRange:
        """Return the range of the first day of full age."""
        ...


class Event(NamedTuple):
    """A day to count from: a date fact, a birthday, majority, retention_end or purge_date; perhaps its year's end."""

    what: str
    age: int = 0
    end_of: str = ""

    def __str__(self) -> str:
        name = {
            "age": f"age {self.age}",
            "age of child": f"age {self.age} of child",
            "majority": "age of majority",
        }.get(self.what, self.what)
        return f"end of {self.end_of} of {name}" if self.end_of else name


class Line(NamedTuple):
    """`count` units after an event; `until` is count 0."""

    count: int  # type: ignore[assignment]  # nobody counts the members of a line
    unit: Unit
    event: Event

    def __str__(self) -> str:
        if self.count == 0:
            return f"until {self.event}"
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'} after {self.event}"


class Combined(NamedTuple):
    """The `latest` or the `earliest` of several periods: of both ends."""

    how: str
    members: tuple[Period, ...]

    def __str__(self) -> str:
        return f"{self.how} of ({'; '.join(map(str, self.members))})"


class Word(NamedTuple):
    """`permanent`, `unknown` (a duty whose number stands elsewhere) or `none` (expressly nothing need be kept)."""

    word: str

    def __str__(self) -> str:
        return self.word


Period = Line | Combined | Word

PERMANENT, UNKNOWN, NONE = Word("permanent"), Word("unknown"), Word("none")
_UNTIL_STUDY = Line(0, "day", Event("study_date"))


Reckoner = Callable[[Moment], DateRange]


def evaluate(period: Period, moment: Moment, rounding: Round) -> DateRange:
    """Return the range of the period's last day under the facts."""
    return reckoner(period, rounding)(moment)


@lru_cache(maxsize=16384)
def reckoner(period: Period, rounding: Round) -> Reckoner:
    """Return what reckons the range of the period's last day from the facts, made once for all questions."""
    if isinstance(period, Line):
        return _reckon_line(period, rounding)
    if isinstance(period, Combined):
        members = [reckoner(member, rounding) for member in period.members]
        return _reckon_all(members, DateRange.later if period.how == "latest" else DateRange.earlier)
    if period == NONE:
        return reckoner(_UNTIL_STUDY, rounding)
    always = NEVER_RANGE if period == PERMANENT else EVERYTHING
    return lambda moment: always


def hull(members: Sequence[Reckoner]) -> Reckoner:
    """Return what reckons one of several, not known which."""
    return members[0] if len(members) == 1 else _reckon_all(members, DateRange.hull)


def _reckon_all(members: Sequence[Reckoner], both: Callable[[DateRange, DateRange], DateRange]) -> Reckoner:
    first, *others = members

    def reckon(moment: Moment) -> DateRange:
        whole = first(moment)
        for other in others:
            whole = both(whole, other(moment))
        return whole

    return reckon


def _reckon_line(line: Line, rounding: Round) -> Reckoner:
    day = reckon_event(line.event, rounding)
    if not line.count:
        return day
    early, late = (dates.step(line.count, line.unit, one) for one in rounding)

    def reckon(moment: Moment) -> DateRange:
        first, last = day(moment)
        if first == last and early is late:
            return early(first)
        return made(DateRange, (early(first).earliest, late(last).earliest))

    return reckon


def reckon_event(event: Event, rounding: Round) -> Reckoner:
    """Return what reckons the range of an event's day."""
    what, age, end_of = event
    day: Reckoner
    if what == "majority":
        day = methodcaller("majority", rounding)
    elif what in ("age", "age of child"):
        born = "birth_date" if what == "age" else "child_birth_date"

        def day(moment: Moment) -> DateRange:
            return birthday(moment.day(born), age, rounding)
    else:
        day = methodcaller("day", what)
    if not end_of:
        return day
    end = dates.end_of_year if end_of == "year" else dates.end_of_month

    def ended(moment: Moment) -> DateRange:
        first, last = day(moment)
        return DateRange(end(first), end(last))

    return ended


def birthday(born: DateRange, age: int, rounding: Round) -> DateRange:
    """Return the range of the day on which `age` is completed."""
    return DateRange(
        dates.add(born.earliest, age, "year", rounding[0]), dates.add(born.latest, age, "year", rounding[1])
    )


def is_permanent(period: Period) -> bool:
    """The words of the law say for ever (and not merely: an event that has not happened)."""
    if isinstance(period, Combined):
        test = any if period.how == "latest" else all
        return test(is_permanent(member) for member in period.members)
    return period == PERMANENT


def lines(period: Period) -> Iterator[Line]:
    """Yield every line of the period."""
    if isinstance(period, Line):
        yield period
    elif isinstance(period, Combined):
        for member in period.members:
            yield from lines(member)


def facts_of(event: Event) -> str:
    """Return the date fact an event needs (`birth_date` for ages and majority)."""
    return {"age": "birth_date", "majority": "birth_date", "age of child": "child_birth_date"}.get(
        event.what, event.what
    )


class Step(NamedTuple):
    """One step of a computation, for people: what was computed, the result, the steps below."""

    text: str
    result: DateRange
    steps: tuple[Step, ...] = ()


def trace(period: Period, moment: Moment, rounding: Round) -> Step:
    """Return the computation as a tree whose results are those of `evaluate`."""
    result = evaluate(period, moment, rounding)
    if isinstance(period, Combined):
        return Step(f"the {period.how} of", result, tuple(trace(member, moment, rounding) for member in period.members))
    if isinstance(period, Line):
        event = period.event
        known = Step(str(event), reckon_event(event, rounding)(moment))
        base = facts_of(event)
        if base != event.what or event.end_of:
            known = Step(known.text, known.result, (Step(base, moment.day(base)),))
        return Step(str(period), result, (known,))
    return Step(
        {"none": "nothing need be kept", "unknown": "the number stands elsewhere"}.get(period.word, "for ever"), result
    )


_LINE = re.compile(r"(?:(?P<count>\d{1,4}) (?P<unit>day|week|month|year)s? after|until) (?P<event>.+)")
_EVENT = re.compile(r"(?:end of (?P<end>year|month) of )?(?:age (?P<age>\d{1,3})(?P<child> of child)?|(?P<name>.+))")
GRAMMAR = "'7 years after discharge_date', 'until age 21', '1 year after end of year of age of majority'"


def read_line(text: str, vocabulary: Vocabulary, extra: tuple[str, ...] = ()) -> Line:
    """Read one line; `extra` names further events (`retention_end`). Raises ValueError with what is allowed."""
    match = _LINE.fullmatch(" ".join(text.split()))
    if not match:
        raise ValueError(f"{text!r} is no period. Allowed: permanent, unknown, none, or a line such as {GRAMMAR}")
    event = _read_event(match["event"], vocabulary, extra)
    count = int(match["count"] or 0)
    if match["count"] and not count:
        raise ValueError(f"{text!r}: write 'until {event}' for nought {match['unit']}s")
    return Line(count, cast(Unit, match["unit"] or "day"), event)


def _read_event(text: str, vocabulary: Vocabulary, extra: tuple[str, ...]) -> Event:
    match = _EVENT.fullmatch(text)
    assert match  # the last alternative takes any text
    end = match["end"] or ""
    if match["age"]:
        return Event("age of child" if match["child"] else "age", int(match["age"]), end)
    name = match["name"]
    if name == "age of majority":
        return Event("majority", 0, end)
    kind = vocabulary.type_of(name)
    if (kind and kind.type == "date") or name in extra:
        return Event(name, 0, end)
    known = [fact for fact, kind in vocabulary.facts.items() if kind.type == "date"]
    if name in ("retention_end", "purge_date"):
        raise ValueError(
            f"{name!r} is not allowed here: retention_end belongs to ceilings and duties, purge_date to duties"
        )
    why = "is no date" if kind else "is no event"
    raise ValueError(
        f"{name!r} {why}. Allowed: a date fact, age N, age N of child, age of majority.{guess(name, [*known, 'age of majority'])}"
    )


@dataclass(eq=False, repr=False)
class PeriodShape(Shape):
    """Reads a period where a law file may have one."""

    vocabulary: Vocabulary
    extra: tuple[str, ...] = ()
    inside: bool = False

    def read(self, node: Node, reader: Reader) -> Period | None:
        """Return the period, None after a fault."""
        if isinstance(node.value, str):
            return self._word(node, node.value, reader)
        if (
            isinstance(node.value, dict)
            and len(node.value) == 1
            and (how := next(iter(node.value))) in ("latest", "earliest")
        ):
            return self._combined(how, node.value[how], reader.at(how))
        reader.fault(
            node, "is no period. Allowed: a line, permanent, unknown, none, {latest: [...]} or {earliest: [...]}"
        )
        return None

    def _word(self, node: Node, text: str, reader: Reader) -> Period | None:
        if text in ("permanent", "unknown", "none"):
            if text == "none" and self.inside:
                reader.fault(node, "'none' stands alone, never inside latest or earliest")
                return None
            return Word(text)
        try:
            return read_line(text, self.vocabulary, self.extra)
        except ValueError as error:
            reader.fault(node, str(error))
            return None

    def _combined(self, how: str, below: Node, reader: Reader) -> Period | None:
        if not isinstance(below.value, list) or len(below.value) < 2:
            reader.fault(below, f"{how} needs a list of two or more periods")
            return None
        inner = PeriodShape(self.vocabulary, self.extra, inside=True)
        members = [inner.read(item, reader.at(number)) for number, item in enumerate(below.value)]
        return None if None in members else Combined(how, tuple(member for member in members if member is not None))

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema: words, lines by pattern, combinations by reference."""
        return {"$ref": "#/$defs/period"}


def schema() -> dict[str, object]:
    """Return the JSON Schema of a period, to stand under `$defs/period`."""
    line = {"type": "string", "pattern": r"^(permanent|unknown|none|\d+ (day|week|month|year)s? after .+|until .+)$"}
    several = {"type": "array", "minItems": 2, "items": {"$ref": "#/$defs/period"}}
    both = [
        {"type": "object", "properties": {how: several}, "required": [how], "additionalProperties": False}
        for how in ("latest", "earliest")
    ]
    return {"anyOf": [line, *both]}


def write(period: Period) -> str | dict[str, object]:
    """Write a period so that `PeriodShape` reads the same back."""
    if isinstance(period, Combined):
        return {period.how: [write(member) for member in period.members]}
    return str(period)
