"""Assumptions: explicit, in order, printed wherever they were used (rule 26 of laws/README.md). They fill absent facts only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from compliance.errors import FactError, guess
from compliance.law.conditions import YES
from compliance.law.dates import EVERYTHING, NEVER, NEVER_RANGE, OPEN, DateRange, made, write_edtf
from compliance.law.memo import Memo
from compliance.law.periods import Round
from compliance.law.scopes import Scope, ScopeShape
from compliance.law.shape import Key, ListOf, Reader, Record, Shape, Text
from compliance.law.vocabulary import HAPPENED, UNKNOWN, Assumption, Members, Unknown, Value, Vocabulary, read_value
from compliance.law.yaml import Node, read_file


class Assumed(NamedTuple):
    """One assumption that was used."""

    fact: str
    value: str
    set: str
    why: str


class Entry(NamedTuple):
    """One assumption, ready for use: a value, or the fact `other` from which it is taken."""

    fact: str
    value: Value | None  # None: taken from another fact
    other: str
    when: Scope
    told: Assumed


class Constants(NamedTuple):
    """Assumptions one after the other that take a constant whatever else is known."""

    values: dict[str, Value]
    told: list[Assumed]


Steps = tuple[Entry | Constants, ...]
MOST_STEPS = 256


@dataclass(frozen=True)
class AssumptionSet:
    """A named, ordered list of assumptions, ready for use."""

    name: str
    entries: tuple[Entry, ...]
    _steps: Memo[tuple[str, ...], Steps] = field(default_factory=lambda: Memo(MOST_STEPS), compare=False, repr=False)

    def steps(self, given: tuple[str, ...]) -> Steps:
        """Return what is left to do where these facts are given, made once."""
        found = self._steps.get(given)
        if found is None:
            found = self._steps[given] = _steps(self.entries, given)
        return found


def _steps(entries: Iterable[Entry], given: Iterable[str]) -> Steps:
    filled, doubtful, steps = set(given), set[str](), list[Entry | Constants]()
    for entry in entries:
        fact, value, other, when, told = entry
        if fact in filled:
            continue
        if other or when.any_of or fact in doubtful:
            doubtful.add(fact)
            steps.append(entry)
        elif value is not None and not _says_nothing(value):
            last = steps[-1] if steps else None
            block = last if isinstance(last, Constants) else Constants({}, [])
            if block is not last:
                steps.append(block)
            block.values[fact] = value
            block.told.append(told)
            filled.add(fact)
    return tuple(steps)


def _says_nothing(value: Value) -> bool:
    return isinstance(value, Unknown) or value == EVERYTHING


def shipped(name: str, vocabulary: Vocabulary) -> AssumptionSet:
    """Return `cautious` or `practical`; raises FactError for another name."""
    return compile_set(name, vocabulary.assumptions(name), vocabulary, Reader("facts.yaml"))


def compile_set(name: str, entries: Sequence[Assumption], vocabulary: Vocabulary, reader: Reader) -> AssumptionSet:
    """Make a set ready for use; raises LawError where an entry cannot be read."""
    read = [_entry(name, entry, vocabulary, reader.at(number)) for number, entry in enumerate(entries)]
    reader.check(f"{reader.file} cannot be read")
    return AssumptionSet(name, tuple(entry for entry in read if entry))


def _entry(name: str, entry: Assumption, vocabulary: Vocabulary, reader: Reader) -> Entry | None:
    kind = vocabulary.type_of(entry.fact)
    if kind is None:
        reader.fault(entry.take, f"unknown fact {entry.fact!r}.{guess(entry.fact, vocabulary.facts)}")
        return None
    scope = ScopeShape(vocabulary).read(entry.when, reader.at("when")) if entry.when else Scope()
    take, value, other = entry.take.data(), None, ""
    source = vocabulary.type_of(take) if isinstance(take, str) else None
    if isinstance(take, str) and source and source.type == kind.type:
        other = take
    else:
        try:
            value = read_value(kind, take)
        except ValueError as error:
            reader.at("take").fault(entry.take, str(error))
            return None
    shown = (
        f"not {', '.join(_words(take['not']))}" if isinstance(take, dict) and "not" in take else ", ".join(_words(take))
    )
    told = Assumed(entry.fact, shown or "none", name, entry.why)
    return Entry(entry.fact, value, other, scope or Scope(), told)


def _words(take: Any) -> list[str]:
    return [str(item) for item in take] if isinstance(take, list) else [str(take)]


class _View:
    """The facts as given, enough for the condition of an assumption."""

    __slots__ = ("as_of", "facts")

    def __init__(self, facts: Mapping[str, Value], as_of: int) -> None:
        self.facts, self.as_of = facts, as_of

    def day(self, fact: str) -> DateRange:
        value = self.facts.get(fact)
        if (
            fact == "death_date"
            and not isinstance(value, DateRange)
            and isinstance(dead := self.facts.get("deceased"), bool)
        ):
            return DateRange(OPEN, self.as_of) if dead else NEVER_RANGE
        if not isinstance(value, DateRange):
            return EVERYTHING
        return DateRange(OPEN, self.as_of) if value == HAPPENED else value

    def value(self, fact: str) -> Value | None:
        if fact == "deceased" and not isinstance(self.facts.get(fact), bool):
            death = self.day("death_date")
            return False if death.earliest > self.as_of else True if death.latest <= self.as_of else None
        value = self.facts.get(fact)
        return None if isinstance(value, Unknown) else value

    def majority(self, rounding: Round) -> DateRange:
        return EVERYTHING


def assume(
    facts: dict[str, Value], sets: Sequence[AssumptionSet], as_of: int
) -> tuple[dict[str, Value], list[Assumed]]:
    """Return the facts with absent ones filled, and what was used; a written `unknown` is never filled."""
    if not sets:
        return facts, []
    filled = dict(facts)
    used: list[Assumed] = []
    if "death_date" not in filled and (deceased := filled.get("deceased")) is not None:
        known = isinstance(deceased, bool)
        filled["death_date"] = UNKNOWN if not known else HAPPENED if deceased else NEVER_RANGE
    view = _View(filled, as_of)
    for chosen in sets:
        for step in chosen.steps(tuple(filled)):
            if isinstance(step, Constants):
                filled |= step.values
                used += step.told
            else:
                _take(step, filled, view, used)
    return filled, used


def _take(entry: Entry, filled: dict[str, Value], view: _View, used: list[Assumed]) -> None:
    fact, constant, other, when, told = entry
    if fact in filled or (when.any_of and when.truth(view) is not YES):
        return
    value = filled.get(other) if other else constant
    if value is None or _says_nothing(value):
        return
    filled[fact] = value
    used.append(made(Assumed, (fact, f"{told.value} ({_shown(value)})", told.set, told.why)) if other else told)


def _shown(value: Value) -> str:
    if isinstance(value, DateRange):
        return "happened" if value == HAPPENED else "never" if value.earliest == NEVER else write_edtf(value)
    return str(value) if not isinstance(value, Members) else ", ".join(sorted(value.must))


class _Raw(Shape):
    def read(self, node: Node, reader: Reader) -> Node:
        return node


ENTRY = Record(
    {
        "fact": Key(Text(), True, "the fact that is assumed where it is absent"),
        "take": Key(_Raw(), True, "a constant, {not: [..]}, or the name of another fact"),
        "when": Key(_Raw(), says="a scope that must surely hold"),
        "why": Key(Text(), True, "the reason, printed wherever it is used"),
    },
    Assumption,
)
_FILE = Record(
    {
        "name": Key(Text(), says="the name printed with each assumption"),
        "assumptions": Key(ListOf(ENTRY), True, "tried in this order"),
        "then": Key(Text(("cautious", "practical")), says="a shipped set to go on with"),
    }
)


def choose(name: str, vocabulary: Vocabulary) -> list[AssumptionSet]:
    """Return the sets named on a command line: `cautious`, `practical` or a file; raises FactError or LawError."""
    if name in ("cautious", "practical"):
        return [shipped(name, vocabulary)]
    path = Path(name)
    if not path.is_file():
        vocabulary.assumptions(name)
    reader = Reader(name)
    tree = _FILE.read(read_file(path), reader)
    reader.check(f"{name} cannot be read")
    if tree is None:
        raise FactError(f"{name} cannot be read")
    own = compile_set(tree.get("name", path.stem), tree["assumptions"], vocabulary, reader)
    return [own, *([shipped(tree["then"], vocabulary)] if "then" in tree else [])]
