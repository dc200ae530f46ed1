"""The combinations of words that occur in a table: what hangs on words alone is asked once for each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compliance.decision.batch import Coded, Codes, Mask, Selection, at
from compliance.law.conditions import Condition
from compliance.law.vocabulary import Value

_DENSE = 1 << 22


@dataclass
class Combos:
    """By row the number of its combination; by combination and fact the number of its value.

    `ids` of one element: every row has the same combination.
    """

    ids: Codes
    size: int
    index: dict[str, Codes]
    values: dict[str, tuple[Value | None, ...]]
    ask: Callable[[Condition, Value | None], int]
    _truths: dict[Condition, NDArray[np.uint8]] = field(default_factory=dict)

    def take(self, rows: Selection) -> Combos:
        """Return the combinations of these rows."""
        return Combos(at(self.ids, rows), self.size, self.index, self.values, self.ask, self._truths)

    def each(self) -> Combos:
        """Return each combination once, as a row of its own."""
        return Combos(np.arange(self.size), self.size, self.index, self.values, self.ask, self._truths)

    def only(self, facts: Iterable[str]) -> Combos:
        """Return the combinations of some of the facts, of equal ones the first."""
        words = {fact: Coded(self.index[fact], self.values[fact]) for fact in facts if fact in self.index}
        fewer = combine(words, words, self.ask)
        if fewer.size == self.size:
            return Combos(self.ids, self.size, {fact: self.index[fact] for fact in words}, fewer.values, self.ask)
        return replace(fewer, ids=at(fewer.ids, self.ids))

    def parted(self, where: Mask) -> tuple[Combos, Mask]:
        """Part the combinations in which a column of rows says yes here and no there; return with them what it says."""
        ids, used = _renumber(self.ids * 2 + where, self.size * 2)
        parents, said = np.divmod(used, 2)
        return self.replaced(ids, parents, {}), said.astype(np.bool_)

    def coded(self, fact: str) -> Coded:
        """Return the values of a fact, by combination; absent in all where none has it."""
        return Coded(self.index.get(fact, np.zeros(1, np.intp)), self.values.get(fact, (None,)))

    def with_fact(self, fact: str, codes: Codes, values: tuple[Value | None, ...]) -> Combos:
        """Return the combinations with the value of a fact, given for each of them."""
        return Combos(self.ids, self.size, {**self.index, fact: codes}, {**self.values, fact: values}, self.ask)

    def by_row(self, column: NDArray[Any]) -> NDArray[Any]:
        """Spread what holds for each combination over the rows; one element where it is the same for all."""
        if len(column) == 1:
            return column
        if len(self.ids) == 1:
            return column[self.ids]
        return column[:1] if (column == column[0]).all() else column.take(self.ids)

    def over(self, fact: str, of: Callable[[Value | None], Any], kind: Any) -> NDArray[Any]:
        """Return what a function says of a fact's value, for each combination."""
        if fact not in self.index:
            return np.array([of(None)], kind)
        return np.array([of(value) for value in self.values[fact]], kind)[self.index[fact]]

    def truth(self, condition: Condition) -> NDArray[np.uint8]:
        """Return for each combination whether a condition on words holds."""
        found = self._truths.get(condition)
        if found is None:
            fact = condition.fact  # type: ignore[union-attr]
            found = self._truths[condition] = self.over(fact, lambda value: self.ask(condition, value), np.uint8)
        return found

    def value(self, fact: str, combination: int) -> Value | None:
        """Return the value of a fact in a combination."""
        return self.values[fact][self.index[fact][combination]] if fact in self.index else None

    def replaced(
        self, ids: Codes, parents: Codes, words: Mapping[str, tuple[Codes, tuple[Value | None, ...]]]
    ) -> Combos:
        """Return combinations made of these parents' with some facts replaced."""
        index = {fact: codes[parents] for fact, codes in self.index.items()}
        values = dict(self.values)
        for fact, (codes, options) in words.items():
            index[fact], values[fact] = codes, options
        return Combos(ids, len(parents), index, values, self.ask)


def combine(words: Mapping[str, Coded], facts: Iterable[str], ask: Callable[[Condition, Value | None], int]) -> Combos:
    """Number the combinations of some facts that occur."""
    known = {fact: words[fact] for fact in facts if fact in words}
    made = Combos(np.zeros(1, np.intp), 1, {}, {fact: one.values for fact, one in known.items()}, ask)
    some: dict[str, Coded] = {}
    size = 1
    for fact, one in known.items():
        if len(one.codes) > 1:
            if some and size * len(one.values) > _DENSE:
                made, some = _times(made, some), {}
                size = made.size
            some[fact] = one
            size *= len(one.values)
    made = _times(made, some)
    for fact, one in known.items():
        if len(one.codes) == 1:
            made.index[fact] = np.full(made.size, one.codes[0], np.intp)
    return made


def _times(made: Combos, some: dict[str, Coded]) -> Combos:
    """Combine further facts into the combinations: all their numbers in one, renumbered at once."""
    if not some:
        return made
    ids, size = made.ids, made.size
    for one in some.values():
        ids, size = ids * len(one.values) + one.codes, size * len(one.values)
    ids, parents = _renumber(ids, size)
    index = {}
    for fact in reversed(some):
        parents, index[fact] = np.divmod(parents, len(some[fact].values))
    older = {fact: codes[parents] for fact, codes in made.index.items()}
    return replace(made, ids=ids, size=len(parents), index=older | index)


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
