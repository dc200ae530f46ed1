"""The vocabulary of facts (`laws/facts.yaml`) and the reading of facts.

What is known of a fact is a range of possibilities, never a default:

date            `DateRange`
set, choice     `Members`: what it surely holds and what it may hold (`may` None = anything)
boolean         True or False
text            a text (identity of a study; holds ask for it)
days            {id: DateRange}
anything        absent from the mapping = unknown and may be assumed; `UNKNOWN` = written as unknown, never assumed
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from compliance.errors import FactError, Problem, guess, listed
from compliance.law.dates import DateRange, read_edtf
from compliance.law.memo import Memo
from compliance.law.shape import Key, ListOf, MapOf, OneOf, Reader, Record, Shape, Text, boolean, is_map, is_text
from compliance.law.yaml import Node

KINDS = ("date", "set", "choice", "boolean", "text", "days", "place", "places")
TENSES = ("fixed", "once", "moving", "moving_or_never")
SETS = ("shipped set `cautious`", "shipped set `practical`")


@dataclass(frozen=True, slots=True)
class AllBut:
    """Every word but these: what an open set may hold that surely does not hold some words."""

    out: frozenset[str]

    def __contains__(self, word: str) -> bool:
        return word not in self.out

    def isdisjoint(self, words: Iterable[str]) -> bool:
        """Return whether none of the words may be held."""
        return self.out.issuperset(words)

    def __le__(self, words: object) -> bool:
        return False


class Members(NamedTuple):
    """What a set or a choice surely holds and what it may hold; both the same = completely known."""

    must: frozenset[str]
    may: frozenset[str] | AllBut | None

    def __str__(self) -> str:
        if isinstance(self.may, AllBut):
            return f"not {', '.join(sorted(self.may.out))}"
        return ", ".join(sorted(self.must)) if self.must == self.may else "unknown"


class Unknown:
    """The written word `unknown`."""

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN = Unknown()
Value = DateRange | Members | bool | str | dict[str, DateRange] | Unknown
Facts = Mapping[str, Value]


class Member(NamedTuple):
    """One value of a set or choice: the wider value it lies within, whether it follows images, its record class."""

    within: str | None = None
    follows: bool = False
    record: str | None = None
    says: str = ""


class Assumption(NamedTuple):
    """Where `fact` is absent and `when` surely holds, `take` is used: a constant, or what another fact says."""

    fact: str
    take: Node
    why: str
    when: Node | None = None


class FactType(NamedTuple):
    """One fact: what it may be, where it comes from, what bounds it."""

    name: str
    type: str
    says: str = ""
    source: str = ""
    values: Mapping[str, Member] = {}
    open: bool = False
    tense: str = "fixed"
    not_before: str | None = None
    not_after: str | None = None
    assume: Mapping[str, tuple[Any, ...]] = {}


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """All facts by name, in the order of the file."""

    facts: Mapping[str, FactType]
    _read: Memo[tuple[str, str], Value] = field(default_factory=lambda: Memo(MOST_WORDS))  # each is read once

    def type_of(self, name: str) -> FactType | None:
        """Return the type of a fact, None where there is no such fact."""
        return self.facts.get(name)

    def narrower(self, name: str, value: str) -> frozenset[str]:
        """Return the values of a fact that lie within `value` (hospital -> critical_access_hospital)."""
        inside = (word for word, member in self.facts[name].values.items() if member.within and word != value)
        return frozenset(word for word in inside if value in self.wider(name, word))

    def wider(self, name: str, value: str) -> tuple[str, ...]:
        """Return the value and all it lies within, narrowest first."""
        values, chain = self.facts[name].values, [value]
        while (member := values.get(chain[-1])) and member.within and member.within not in chain:
            chain.append(member.within)
        return tuple(chain)

    def assumptions(self, name: str) -> tuple[Assumption, ...]:
        """Return a shipped set, `cautious` or `practical`, in the order of the file; raises FactError for another name."""
        if name not in ("cautious", "practical"):
            raise FactError(
                f"{name!r} is no set of assumptions. Allowed: cautious, practical, or a file.{guess(name, ['cautious', 'practical'])}"
            )
        return tuple(
            Assumption(fact.name, **entry) for fact in self.facts.values() for entry in fact.assume.get(name, ())
        )

    def read(self, given: Mapping[str, Any]) -> dict[str, Value]:
        """Read facts as they stand in JSON or YAML; null counts as absent.

        Raises FactError naming every unknown fact and value at once.
        """
        facts: dict[str, Value] = {}
        problems: list[Problem] = []
        known = self._read
        for name, raw in given.items():
            value = known.get((name, raw)) if type(raw) is str else None
            if value is None:
                value = self._value(name, raw, problems)
            if value is not None:
                facts[name] = value
        if problems:
            raise FactError("These facts cannot be read", problems)
        return facts

    def _value(self, name: str, raw: Any, problems: list[Problem]) -> Value | None:
        kind = self.facts.get(name)
        if kind is None:
            problems.append(Problem("facts", 0, 0, name, f"unknown fact.{guess(name, self.facts)}"))
            return None
        if raw is None:
            return None
        try:
            value = read_value(kind, raw)
        except ValueError as error:
            problems.append(Problem("facts", 0, 0, name, str(error)))
            return None
        if type(raw) is str and kind.type != "text" and len(raw) <= LONGEST_WORD:
            self._read[name, raw] = value
        return value


MOST_WORDS = 65536
LONGEST_WORD = 64
PADDING = " \t\r\n\0"  # around a text it says nothing (DICOM fills up to even length); a blank text is not known


def normal(text: str) -> str:
    """Return a text as it is matched: in Unicode's composed form, without padding; `unknown` whatever its case."""
    word = (text if text.isascii() else unicodedata.normalize("NFC", text)).strip(PADDING)
    return "unknown" if word.casefold() == "unknown" else word


def normal_word(kind: FactType, text: str) -> str:
    """Return a word as it is matched: spelled as in the vocabulary, where an open one may be any other, in capitals as DICOM's
    code strings are (PS3.5 6.2, CS).
    """
    word = normal(text)
    if word in kind.values or word == "unknown" or kind.type in ("place", "places", "text"):
        return word
    folded = word.casefold()
    return next((one for one in kind.values if one.casefold() == folded), word.upper() if kind.open else word)


def read_value(kind: FactType, raw: Any) -> Value:
    """Read one value; raises ValueError with a sentence that says what is allowed."""
    if raw == "unknown" or (isinstance(raw, str) and not raw[:1].isdigit() and normal(raw) == "unknown"):
        return UNKNOWN
    if kind.type == "date":
        return _date(raw)
    if kind.type == "boolean":
        return _boolean(raw)
    if kind.type in ("text", "place"):
        if isinstance(raw, str | int | float) and not isinstance(raw, bool):
            return normal(str(raw)) or UNKNOWN
        raise ValueError("must be text")
    if kind.type == "days":
        if not isinstance(raw, Mapping):
            raise ValueError("must be a mapping of id to date")
        return {str(key): _date(value) for key, value in raw.items() if value is not None}
    return _members(kind, raw)


def _date(raw: Any) -> DateRange:
    if isinstance(raw, str) or (isinstance(raw, int) and not isinstance(raw, bool)):
        return HAPPENED if raw == "happened" else read_edtf(str(raw))
    if hasattr(raw, "isoformat"):
        return read_edtf(raw.isoformat()[:10])
    raise ValueError(
        f"{_show(raw)} is no date. Allowed: 2010-05-17, 2010-05, 2010, ../2010-05-17, 2007-01-01/.., never, unknown"
    )


HAPPENED = DateRange(0, 0)  # the word `happened`: on or before as_of, which is not known while reading


def _boolean(raw: Any) -> bool:
    if raw in (True, "true"):
        return True
    if raw in (False, "false"):
        return False
    raise ValueError(f"{_show(raw)} is not allowed. Allowed: true, false, unknown")


def _members(kind: FactType, raw: Any) -> Members | Unknown:
    if isinstance(raw, Mapping) and set(raw) == {"not"} and kind.values:
        out = _words(kind, raw["not"])
        return Members(frozenset(), AllBut(out) if kind.open else frozenset(kind.values) - out)
    words = _words(kind, raw)
    if "unknown" in words:  # a set of which a part is not known is not known
        return UNKNOWN
    if kind.type == "choice" and len(words) != 1:
        raise ValueError(f"takes one value, not {len(words)}. Allowed: {listed(kind.values, 30)}")
    return Members(words, words)


def _words(kind: FactType, raw: Any) -> frozenset[str]:
    items = raw if isinstance(raw, list | tuple | set | frozenset) else [raw]
    words = set()
    for item in items:
        if isinstance(item, bool | float | Mapping | list) or item is None:
            raise ValueError(f"{_show(item)} is not allowed. Allowed: {listed(kind.values, 30) or 'text'}")
        word = normal_word(kind, str(item))
        if not word or (not kind.open and kind.values and word not in kind.values and word != "unknown"):
            raise ValueError(f"{word!r} is not allowed. Allowed: {listed(kind.values, 30)}.{guess(word, kind.values)}")
        words.add(word)
    return frozenset(words)


def _show(raw: Any) -> str:
    try:
        text = json.dumps(raw, ensure_ascii=False)
    except (TypeError, ValueError):
        text = type(raw).__name__
    return text if len(text) <= 60 else text[:57] + "..."


class _Node(Shape):
    """Keeps the node as it stands; it is read later, when the vocabulary is whole."""

    def read(self, node: Node, reader: Reader) -> Node:
        return node


_MEMBER = Record({"within": Key(Text()), "follows": Key(boolean()), "record": Key(Text()), "says": Key(Text())}, Member)
_ASSUME = Record(
    {
        "take": Key(_Node(), True, "a constant, {not: [..]}, or the name of another fact"),
        "when": Key(_Node(), says="a scope that must surely hold"),
        "why": Key(Text(), True, "the reason, printed wherever it is used"),
    }
)
_FACT = Record(
    {
        "type": Key(Text(KINDS), True, "what kind of value it is"),
        "says": Key(Text(), True, "what it means, in one sentence"),
        "source": Key(Text(), True, "where it comes from: DICOM tag, FHIR path, HL7 field"),
        "values": Key(OneOf(((is_map, MapOf(_MEMBER)), (is_text, Text())), "a mapping of values")),
        "open": Key(boolean(), says="other values are allowed too (DICOM adds codes every year)"),
        "tense": Key(Text(TENSES), says="of a date"),
        "not_before": Key(Text(), says="a fact, or N years after a fact"),
        "not_after": Key(Text(), says="a fact, or N years after a fact"),
        "assume": Key(Record({"cautious": Key(ListOf(_ASSUME)), "practical": Key(ListOf(_ASSUME))})),
    }
)
FILE = Record({"facts": Key(MapOf(_FACT), True)})


def read_vocabulary(node: Node, file: str, read: type[Reader] = Reader) -> Vocabulary:
    """Read facts.yaml; raises LawError with every fault."""
    reader = read(file)
    tree = FILE.read(node, reader)
    reader.check(f"{file} cannot be read")
    return Vocabulary({name: FactType(name, **entry) for name, entry in tree["facts"].items()})
