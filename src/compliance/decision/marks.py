"""Of which rows something holds, thing by thing: folded only where somebody reads it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compliance.decision.batch import Mask, Selection


class Marks(Mapping[Any, Mask]):
    """By thing the rows, of `n`, of which it holds; one that holds of no row is not in it."""

    def __init__(self, n: int) -> None:
        self.n = n
        self._said: list[tuple[Any, Selection, Mask]] = []
        self._whole: dict[Any, Mask] = {}

    def add(self, key: Any, rows: Selection, where: Mask) -> None:
        """Say of some rows where a thing holds."""
        if where.any():
            self._said.append((key, rows, where))

    def put(self, row: int, keys: Iterable[Any]) -> None:
        """Say of one row that these things hold and no other."""
        for mask in self._folded().values():
            mask[row] = False
        self._whole = {key: mask for key, mask in self._whole.items() if mask.any()}
        for key in keys:
            self.add(key, slice(row, row + 1), np.ones(1, np.bool_))

    def only(self, where: Mask) -> None:
        """Leave of the rows only these."""
        self._whole = {key: mask & where for key, mask in self._folded().items() if (mask & where).any()}

    def sort(self, order: Iterable[Any]) -> None:
        """Bring the things into an order."""
        whole = self._folded()
        self._whole = {key: whole[key] for key in order if key in whole}

    def _folded(self) -> dict[Any, Mask]:
        for key, rows, where in self._said:
            self._whole.setdefault(key, np.zeros(self.n, np.bool_))[rows] |= where
        self._said = []
        return self._whole

    def __getitem__(self, key: Any) -> Mask:
        """Return the rows of which a thing holds."""
        return self._folded()[key]

    def __iter__(self) -> Iterator[Any]:
        """Yield the things that hold of some row."""
        return iter(self._folded())

    def __len__(self) -> int:
        """Return how many things hold of some row."""
        return len(self._folded())


def sets(marks: Mapping[Any, Mask], n: int) -> tuple[NDArray[Any], list[str]]:
    """Return, row by row, which of some things hold: the number of a text that joins them by a comma, and the texts."""
    names = list(marks)
    if not names:
        return np.zeros(n, np.int32), [""]
    key = np.zeros(n, np.intp)
    found = [tuple[int, ...]()]
    for number, name in enumerate(names):
        key = key * 2 + marks[name]
        seen = np.zeros(2 * len(found), np.bool_)
        seen[key] = True
        used = np.flatnonzero(seen)
        key = (np.cumsum(seen) - 1)[key]
        found = [(*found[at // 2], number) if at % 2 else found[at // 2] for at in used.tolist()]
    return key, [", ".join(names[at] for at in some) for some in found]
