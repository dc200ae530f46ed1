"""Runs: stretches of elements that are the same, byte by byte, in one instance of a series after another.

The bytes of a run are compared at once, and what was made of them stands. Where an instance differs, the run is split at
that element, so that soon only the elements that vary are walked one by one.
"""

from __future__ import annotations

from bisect import bisect
from typing import Any, NamedTuple

Element = tuple[int, int, int, Any]  # where it begins and ends, its tag, its value where that is wanted

_FEW = 32  # elements that may be walked one by one without being recorded
_MOST_RECORDED = 8


class Run(NamedTuple):
    """A run: its bytes, how many, its first and last tag, the wanted values in it, and the elements it is made of."""

    same: bytes
    size: int
    first: int
    last: int
    values: dict[int, Any]
    elements: list[Element]


class Runs(dict[bytes, Run]):
    """The runs of one series, by their first eight bytes."""

    def __init__(self) -> None:
        super().__init__()
        self._recorded = 0

    def record(self, block: bytes, elements: list[Element]) -> None:
        """Make runs of elements that were walked one by one, where they are many or the first of their series."""
        if self._recorded == _MOST_RECORDED or (self and len(elements) < _FEW):
            return
        self._recorded += 1
        first = 0
        for number in range(1, len(elements)):
            if elements[number - 1][1] != elements[number][0]:
                self._add(block, 0, elements[first:number])
                first = number
        self._add(block, 0, elements[first:])

    def split(self, run: Run, block: bytes, at: int) -> None:
        """Split a run at the first element in which the data at `at` differ from it."""
        same, elements = run.same, run.elements
        begin = elements[0][0]
        alike = bisect(elements, False, key=lambda element: not block.startswith(same[: element[1] - begin], at))
        self.pop(same[:8], None)
        self._add(same, begin, elements[:alike])
        self._add(same, begin, elements[alike + 1 :])

    def _add(self, block: bytes, begin: int, elements: list[Element]) -> None:
        """Keep a run of neighbours in a block whose first byte lies at `begin`."""
        if elements:
            same = block[elements[0][0] - begin : elements[-1][1] - begin]
            values = {tag: value for _, _, tag, value in elements if value is not None}
            self[same[:8]] = Run(same, len(same), elements[0][2], elements[-1][2], values, elements)
