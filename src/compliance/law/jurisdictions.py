"""Places (`laws/jurisdictions.yaml`): lineage, age of majority on a date, leap-day rule, and what was researched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from compliance.errors import guess, listed
from compliance.law import dates
from compliance.law.dates import NEVER, OPEN, DateRange, Rounding, read_edtf, write_day
from compliance.law.memo import Memo
from compliance.law.periods import Round
from compliance.law.shape import Again, Key, ListOf, MapOf, Reader, Record, Text
from compliance.law.vocabulary import Vocabulary
from compliance.law.yaml import Node

UNVERIFIED = "unverified"
_SEEN = {"secondary": "seen in one secondary source", UNVERIFIED: "from memory, not checked"}


class Majority(NamedTuple):
    """The age of majority in force from a day (`../D`: on or before D, which counts as always).

    `verification`: empty or `verified` = seen at the source; `secondary` = one source that is not the law itself;
    `unverified` = from memory: on file for readers, never counted from (`Jurisdictions.majority_tables`).
    """

    since: DateRange
    age: int
    citation: str = ""
    source: tuple[str, ...] = ()
    note: str = ""
    verification: str = ""

    @property
    def seen(self) -> str:
        """How well the age was seen, in words; empty where the law itself was."""
        return _SEEN.get(self.verification, "")


class Research(NamedTuple):
    """What was looked for in a place for one type of keeper."""

    status: str
    on: DateRange | None = None
    searched: str = ""
    note: str = ""


class Place(NamedTuple):
    """One place: name, the wider place, its dated ages of majority (newest first), what was researched."""

    code: str
    name: str
    within: str | None = None
    majority: tuple[Majority, ...] = ()
    leap_day: Rounding | None = None
    researched: Mapping[str, Research] = {}
    note: str = ""

    @property
    def majority_seen(self) -> bool:
        """Ages of majority are on file, and each of them was seen: one may be counted from them."""
        return bool(self.majority) and all(rule.verification != UNVERIFIED for rule in self.majority)


@dataclass(frozen=True)
class Jurisdictions:
    """All places by code; `wider` may name the wider place of each, so that none need be looked at for it."""

    places: Mapping[str, Place]
    wider: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def _wider(self) -> Mapping[str, str]:
        return self.wider or {code: place.within or "" for code, place in self.places.items()}

    @cached_property
    def _tables(self) -> dict[str, tuple[tuple[Majority, ...], ...]]:
        return {}

    @cached_property
    def _majorities(self) -> Memo[tuple[str, DateRange, Round], DateRange]:
        return Memo(MOST_MAJORITIES)

    @cached_property
    def _below(self) -> dict[str, tuple[str, ...]]:
        below: dict[str, list[str]] = {}
        for code, wider in self._wider.items():
            if wider:
                below.setdefault(wider, []).append(code)
        return {code: tuple(sorted(narrower)) for code, narrower in below.items()}

    def lineage(self, code: str) -> tuple[str, ...]:
        """Return the place and all it lies within, narrowest first; empty where the code is not on file."""
        chain: list[str] = []
        while code in self._wider and code not in chain:
            chain.append(code)
            code = self._wider[code]
        return tuple(chain)

    def below(self, code: str) -> tuple[str, ...]:
        """Return every place inside, at any depth."""
        found: list[str] = []
        for narrower in self._below.get(code, ()):
            found += [narrower, *self.below(narrower)]
        return tuple(found)

    def leap_day(self, code: str) -> Rounding | None:
        """Return the rule of the place for a day that does not exist, inherited from the wider place."""
        return next((rule for place in self.lineage(code) if (rule := self.places[place].leap_day)), None)

    def research(self, code: str, facility_type: str, vocabulary: Vocabulary) -> Research | None:
        """Return what was researched in the place itself; a type without an entry takes that of the wider type."""
        found = self.places[code].researched
        return next((found[kind] for kind in vocabulary.wider("facility_type", facility_type) if kind in found), None)

    def majority_tables(self, code: str) -> tuple[tuple[Majority, ...], ...]:
        """Return the tables of majority that may hold: the place's own, or those of the places in it that have none below.

        An empty table: none is on file (never 18), or an age in it is from memory (`unverified`). A place whose own
        table has such an age is unknown whole: it takes no age of the wider place, and none of its other ages, since the
        days of one age decide who came of age under the next. Places inside inherit the unknown as they would the ages.
        """
        found = self._tables.get(code)
        if found is None:
            leaves = [place for place in self.below(code) if not self.below(place)] or [code]
            found = tuple(dict.fromkeys(self._majority_table(leaf) for leaf in leaves))
            if code in self._wider:
                self._tables[code] = found
        return found

    def _majority_table(self, code: str) -> tuple[Majority, ...]:
        for place in map(self.places.__getitem__, self.lineage(code)):
            if place.majority:
                return place.majority if place.majority_seen else ()
        return ()

    def majority_range(self, code: str, born: DateRange, rounding: Round) -> DateRange:
        """Return the first day of full age for a range of birth dates at a place.

        Country known, state not: the hull over its places that have none below; no table on file: unknown.
        """
        found = self._majorities.get((code, born, rounding))
        if found is None:
            ranges = [_of_age(table, born, rounding) for table in self.majority_tables(code)]
            found = DateRange(min(r.earliest for r in ranges), max(r.latest for r in ranges))
            self._majorities[code, born, rounding] = found
        return found


def _of_age(table: tuple[Majority, ...], born: DateRange, rounding: Round) -> DateRange:
    if not table:
        return dates.EVERYTHING
    return DateRange(full_age(table, born.earliest, rounding[0]), full_age(table, born.latest, rounding[1]))


MOST_MAJORITIES = 32768


def full_age(table: tuple[Majority, ...], born: int, rounding: Rounding) -> int:
    """Return the first day of full age under the law in force on that day.

    Who was already older on the day a lower age came into force came of age that day (Japan 2022-04-01).
    """
    if born in (OPEN, NEVER):
        return born
    until = NEVER
    result = NEVER
    for rule in table:  # newest first: an older rule counts only for days before the newer one
        since = OPEN if rule.since.earliest == OPEN else rule.since.latest
        day = max(dates.add(born, rule.age, "year", rounding), since)
        if day < until:
            result = day
        until = since
    return result


FILE = "jurisdictions.yaml"


def _rounding(text: str) -> Rounding:
    if text == "next":
        return "next"
    if text == "previous":
        return "previous"
    raise ValueError(f"{text!r} is not allowed. Allowed: next, previous")


def _age(text: str) -> int:
    if not text.isdigit() or not 10 <= int(text) <= 30:
        raise ValueError(f"{text!r} is no age of majority. Allowed: a whole number of years")
    return int(text)


_MAJORITY = Record(
    {
        "from": Key(
            Text(parse=read_edtf), True, "first day in force (2022-04-01), or ../D where the start is not known"
        ),
        "age": Key(Text(parse=_age), True, "years"),
        "citation": Key(Text()),
        "source": Key(ListOf(Text(), single=True)),
        "note": Key(Text()),
        "verification": Key(
            Text(("verified", "secondary", UNVERIFIED)),
            says="unverified = from memory, nothing is counted from it; secondary = one source that is not the law; absent = verified",
        ),
    },
    lambda **keys: Majority(since=keys.pop("from"), **keys),
)

_RESEARCH = Record(
    {
        "status": Key(
            Text(("found", "nothing_found")), True, "found = norms are on file; nothing_found = looked, no binding norm"
        ),
        "on": Key(Text(parse=read_edtf), True, "the day of the research"),
        "searched": Key(Text(), says="what was searched, and where"),
        "note": Key(Text()),
    },
    Research,
)


def shape(vocabulary: Vocabulary) -> MapOf:
    """Return the shape of jurisdictions.yaml."""
    types = vocabulary.facts["facility_type"].values

    def known(word: str) -> str | None:
        return None if word in types else f"no facility type. Allowed: {listed(types, 30)}.{guess(word, types)}"

    def make(**keys: object) -> Callable[[str], Place]:
        return lambda code: Place(code=code, **keys)  # type: ignore[arg-type]

    return MapOf(
        Record(
            {
                "name": Key(Text(), True, "the place's English name"),
                "within": Key(Text(), says="the wider place"),
                "majority": Key(ListOf(_MAJORITY), says="ages of majority, newest first"),
                "leap_day": Key(
                    Text(parse=_rounding), says="next or previous: where a period ends on a day that does not exist"
                ),
                "researched": Key(MapOf(_RESEARCH, known), says="by facility type; a type nobody researched is a gap"),
                "note": Key(Text()),
            },
            make,
        )
    )


def read_jurisdictions(node: Node, file: str, vocabulary: Vocabulary) -> Jurisdictions:
    """Read jurisdictions.yaml; raises LawError with every fault."""
    reader = Reader(file)
    made = shape(vocabulary).read(node, reader) or {}
    places = {code: make(code) for code, make in made.items()}
    for code, place in places.items():
        below = reader.at(code)
        where = node.keys.get(code) if isinstance(node.value, dict) else None
        if place.within and place.within not in places:
            below.fault(node, f"within {place.within!r}, which is not on file.{guess(place.within, places)}", where)
        _check_majority(place, below, node, where)
    reader.check(f"{file} cannot be read")
    found = Jurisdictions(places)
    for code in places:
        if places[code].within and code in found.lineage(places[code].within or ""):
            reader.at(code).fault(node, "lies within itself", node.keys.get(code))
    reader.check(f"{file} cannot be read")
    return found


class Places(Mapping[str, Place]):
    """Places by code, each made when it is asked for, from trees that were checked before; see `places_of`."""

    def __init__(self, trees: Mapping[str, Node], codes: Mapping[str, str], vocabulary: Vocabulary) -> None:
        self.trees, self.codes, self.vocabulary = trees, codes, vocabulary
        self._made: dict[str, Place] = {}

    def __getitem__(self, code: str) -> Place:
        if code not in self._made:
            whole = Node({code: self.trees[f"{FILE}#{code}"]})
            self._made[code] = shape(self.vocabulary).read(whole, Again(FILE))[code](code)
        return self._made[code]

    def __contains__(self, code: object) -> bool:
        return code in self.codes

    def __iter__(self) -> Iterator[str]:
        return iter(self.codes)

    def __len__(self) -> int:
        return len(self.codes)


def places_of(node: Node) -> dict[str, Node]:
    """Return the tree of jurisdictions.yaml as one tree a place, and under the file's own name the wider place of each."""
    places = node.value if isinstance(node.value, dict) else {}
    wider = {
        code: place.value.get("within", Node("")) if isinstance(place.value, dict) else Node("")
        for code, place in places.items()
    }
    return {FILE: Node(wider), **{f"{FILE}#{code}": place for code, place in places.items()}}


def places_apart(trees: Mapping[str, Node], vocabulary: Vocabulary) -> Jurisdictions:
    """Return the places of trees that were checked and set apart (`places_of`)."""
    wider = {code: str(node.value) for code, node in dict(trees[FILE].value).items()}  # type: ignore[arg-type]
    return Jurisdictions(Places(trees, wider, vocabulary), wider)


def _check_majority(place: Place, reader: Reader, node: Node, where: tuple[int, int] | None) -> None:
    starts = [rule.since.latest for rule in place.majority]
    if starts != sorted(starts, reverse=True) or len(set(starts)) != len(starts):
        shown = ", ".join(write_day(day) for day in starts)
        reader.at("majority").fault(node, f"must stand newest first, stands {shown}", where)
    for number, rule in enumerate(place.majority):
        if rule.verification in ("verified", "secondary") and not rule.source:
            message = f"is {rule.verification} but names no source: say where it was seen, or write {UNVERIFIED}"
            reader.at("majority").at(number).fault(node, message, where)
