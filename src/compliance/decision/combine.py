"""The combinations of words that occur in a table: what hangs on words alone is asked once for each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compliance.decision.batch import Coded, Codes
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

    def take(self, rows: Codes) -> Combos:
        """Return the combinations of these rows."""
        ids = self.ids if len(self.ids) == 1 else self.ids.take(rows)
        return Combos(ids, self.size, self.index, self.values, self.ask, self._truths)

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
    ids, size = np.zeros(1, np.intp), 1
    index: dict[str, Codes] = {}
    values: dict[str, tuple[Value | None, ...]] = {}
    for fact in facts:
        if fact not in words:
            continue
        one = words[fact]
        values[fact] = one.values
        if len(one.codes) == 1:
            index[fact] = np.full(size, one.codes[0], np.intp)
            continue
        key = ids * len(one.values) + one.codes
        ids, used = _renumber(key, size * len(one.values))
        parents, own = np.divmod(used, len(one.values))
        index = {name: codes[parents] for name, codes in index.items()}
        index[fact], size = own, len(used)
    return Combos(ids, size, index, values, ask)


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
