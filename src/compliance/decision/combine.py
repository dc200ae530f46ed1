"""The combinations of words that occur in a table: what hangs on words alone is asked once for each of them.

Equal combinations are one object, however many tables they occur in, and keep what was found out about them: an archive
of millions of studies has some hundred.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from compliance.decision.batch import Coded, Codes, Mask, Selection, at, known_or_none
from compliance.law.conditions import Condition
from compliance.law.dates import EVERYTHING, DateRange
from compliance.law.memo import Memo
from compliance.law.periods import Round
from compliance.law.vocabulary import Value

_DENSE = 1 << 22
_SMALL, _MOST = 1 << 10, 1 << 20  # the combinations that are remembered, in one table and in all (some 20 to 100 MB)
_THINGS = 1 << 8  # the things beside the words of which it is remembered what follows from both
_ABSENT = Coded(np.zeros(1, np.intp), (None,))

T = TypeVar("T")


class One:
    """One value, as a condition on words asks for it."""

    __slots__ = ("as_of", "found")

    def __init__(self, found: Value | None) -> None:
        self.found, self.as_of = found, 0

    def value(self, fact: str) -> Value | None:
        """Return the value, None where it is unknown."""
        return known_or_none(self.found)

    def day(self, fact: str) -> DateRange:
        """No condition on words asks for a day."""
        return EVERYTHING

    def majority(self, rounding: Round) -> DateRange:
        """Nor for full age."""
        return EVERYTHING


@dataclass(frozen=True, eq=False)
class Words:
    """`size` combinations of words: by fact its values, and for each combination the number of its value."""

    size: int
    facts: Mapping[str, Coded]
    _truths: dict[Condition, NDArray[np.uint8]] = field(default_factory=dict)
    _found: Memo[tuple[str, int], tuple[object, Any]] = field(default_factory=lambda: Memo(_THINGS))

    def once(self, what: str, of: object, find: Callable[[], T]) -> T:
        """Return what follows from the words and from one other thing, found once."""
        held = self._found.get((what, id(of)))
        if held is None or held[0] is not of:
            held = self._found[(what, id(of))] = (of, find())
        found: T = held[1]
        return found

    def coded(self, fact: str) -> Coded:
        """Return the values of a fact; absent in all where none has it."""
        return self.facts.get(fact, _ABSENT)

    def over(self, fact: str, of: Callable[[Value | None], Any], kind: Any) -> NDArray[Any]:
        """Return what a function says of a fact's value, for each combination."""
        one = self.coded(fact)
        return np.array([of(value) for value in one.values], kind)[one.codes]

    def truth(self, condition: Condition) -> NDArray[np.uint8]:
        """Return for each combination whether a condition on words holds."""
        found = self._truths.get(condition)
        if found is None:
            fact = condition.fact  # type: ignore[union-attr]
            found = self._truths[condition] = self.over(fact, lambda value: condition.truth(One(value)), np.uint8)
        return found

    def value(self, fact: str, combination: int) -> Value | None:
        """Return the value of a fact in a combination."""
        one = self.coded(fact)
        found: Value | None = one.values[int(one.codes[combination if len(one.codes) > 1 else 0])]
        return found

    def with_facts(self, parents: Codes, others: Mapping[str, Coded]) -> Words:
        """Return combinations made of these parents' with some facts replaced."""
        facts = {fact: Coded(at(one.codes, parents), one.values) for fact, one in self.facts.items()}
        return words(len(parents), {**facts, **others})

    def with_fact(self, fact: str, value: Coded) -> Words:
        """Return the combinations with another value of a fact."""
        return words(self.size, {**self.facts, fact: value})


_known: Memo[Any, Words] = Memo(_MOST, lambda found: found.size)


def words(size: int, facts: Mapping[str, Coded]) -> Words:
    """Return combinations: those known already where they are equal, unless there are very many."""
    if size > _SMALL or any(len(one.values) > _SMALL for one in facts.values()):
        return Words(size, facts)
    told = blake2b()
    for one in facts.values():
        told.update(one.codes.tobytes() + one.codes.dtype.char.encode())
    key = (size, told.digest(), *facts, *(tuple(map(_hashable, one.values)) for one in facts.values()))
    found = _known.get(key)
    if found is None:
        found = _known[key] = Words(size, facts)
    return found


def _hashable(value: Value | None) -> object:
    return tuple(value.items()) if isinstance(value, dict) else value


class Combos(NamedTuple):
    """Rows as combinations of words: by row the number of its combination; one number where all rows have the same."""

    ids: Codes
    words: Words

    def take(self, rows: Selection) -> Combos:
        """Return the combinations of these rows."""
        return Combos(at(self.ids, rows), self.words)

    def those(self, rows: Selection) -> Combos:
        """Return the combinations of these rows, and no other: a place is not asked about those of all places."""
        if len(self.ids) == 1:
            return self
        ids, used = _renumber(at(self.ids, rows), self.words.size)
        return Combos(ids, self.words.with_facts(used, {}))

    def by_row(self, column: NDArray[Any]) -> NDArray[Any]:
        """Spread what holds for each combination over the rows; one element where it is the same for all."""
        if len(column) == 1:
            return column
        if len(self.ids) == 1:
            return column[self.ids]
        return column[:1] if (column == column[0]).all() else column.take(self.ids)

    def only(self, facts: Iterable[str]) -> Combos:
        """Return the combinations of some of the facts."""
        some = {fact: one for fact, one in self.words.facts.items() if fact in facts}
        fewer = combine(some, some)
        if fewer.words.size == self.words.size:
            return Combos(self.ids, words(self.words.size, some))
        return Combos(at(fewer.ids, self.ids), fewer.words)

    def parted(self, where: Mask) -> tuple[Combos, Mask]:
        """Part the combinations in which a column of rows says yes here and no there; return with them what it says."""
        if len(where) == 1:
            return self, where
        ids, used = _renumber(self.ids * 2 + where, self.words.size * 2)
        parents, said = np.divmod(used, 2)
        return Combos(ids, self.words.with_facts(parents, {})), said.astype(np.bool_)


def combine(columns: Mapping[str, Coded], facts: Iterable[str]) -> Combos:
    """Number the combinations of some facts that occur."""
    known = {fact: columns[fact] for fact in facts if fact in columns}
    ids, made = np.zeros(1, np.intp), words(1, {})
    some: dict[str, Coded] = {}
    size = 1
    for fact, one in known.items():
        if len(one.codes) > 1:
            if some and size * len(one.values) > _DENSE:
                (ids, made), some = _times(ids, made, some), {}
                size = made.size
            some[fact] = one
            size *= len(one.values)
    ids, made = _times(ids, made, some)
    return Combos(ids, words(made.size, {fact: made.facts.get(fact, one) for fact, one in known.items()}))


def _times(ids: Codes, made: Words, some: dict[str, Coded]) -> Combos:
    """Combine further facts into the combinations: all their numbers in one, renumbered at once."""
    if not some:
        return Combos(ids, made)
    size = made.size
    for one in some.values():
        ids, size = ids * len(one.values) + one.codes, size * len(one.values)
    ids, parents = _renumber(ids, size)
    facts = {}
    for fact in reversed(some):
        parents, own = np.divmod(parents, len(some[fact].values))
        facts[fact] = Coded(own, some[fact].values)
    return Combos(ids, made.with_facts(parents, facts))


def _renumber(key: Codes, size: int) -> tuple[Codes, Codes]:
    """Return the keys renumbered without holes, and the keys that occur."""
    if size > _DENSE:
        used, ids = np.unique(key, return_inverse=True)
        return ids.astype(np.intp), used
    seen = np.zeros(size, np.bool_)
    seen[key] = True
    used = np.flatnonzero(seen)
    number = np.zeros(size, np.intp)
    number[used] = np.arange(len(used))
    return number[key], used
