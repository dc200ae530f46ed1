"""Runs: what the headers of one series have in common, byte by byte.

A run is a stretch of elements that are the same in every instance, up to one that varies, of which only the tag and the
VR are the same. Its bytes are compared at once, and what was made of them stands. Where an instance differs, the run is
split, so that soon each run ends where the instances begin to differ.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable
from typing import Any, NamedTuple

from compliance.archive.attributes import CHARSET

Element = tuple[int, int, int, int, Any]  # where it begins and ends, its tag, its kind, its value where wanted
Length = Callable[[bytes, int], tuple[int]]
_FEW = 32  # elements of an instance that may stand in no run
_MOST_RECORDED = 8


class Form(NamedTuple):
    """How elements of a kind begin: bytes of tag and VR, where the length stands and the value, what reads the length."""

    fixed: int
    place: int
    value: int
    length: Length


class Varying(NamedTuple):
    """An element that varies: the bytes of its tag and VR, the tag, whether the value is wanted, its form."""

    same: bytes
    tag: int
    wanted: bool
    form: Form


class Run(NamedTuple):
    """A run: the bytes to be compared, and what follows from them, laid out flat for the sake of speed.

    Of the whole elements: how many bytes, the last tag, the wanted values. Of the one that varies behind them: its tag (0
    where there is none), whether its value is wanted, where length and value stand from the beginning of the run.
    """

    same: bytes
    size: int
    last: int
    values: dict[int, Any]
    tag: int
    wanted: bool
    place: int
    value: int
    length: Length
    elements: list[Element]
    varying: Varying | None


class Runs:
    """The runs of one series in the order of tags; `forms` tells by kind how the elements begin that may vary.

    What varied in the series before is expected to vary in this one, unless that was much.

    Nothing is changed in place: a run that one thread follows is whole while another splits it.
    """

    def __init__(self, forms: dict[int, Form], before: Runs | None = None) -> None:
        self.forms = forms
        varied = {run.tag for run in before.known[0]} if before else set()
        self._expected = varied if len(varied) <= _FEW else set()
        self.recorded = 0
        self._keep([])

    def _keep(self, runs: list[Run]) -> None:
        self.known = runs, {run.same[:8]: number for number, run in enumerate(runs) if run.elements}

    def record(self, block: bytes, walked: list[Element]) -> None:
        """Make runs of the elements of an instance, which follow each other in the block."""
        if not walked or self.recorded == _MOST_RECORDED:
            return
        self.recorded += 1
        runs, begin = [], 0
        for number, element in enumerate(walked):
            if element[2] in self._expected and (varies := _varying(element, block, 0, self.forms)):
                runs.append(_run(block, 0, walked[begin:number], varies))
                begin = number + 1
        if begin < len(walked):
            runs.append(_run(block, 0, walked[begin:], None))
        self._keep(runs)

    def left(self, walked: list[Element]) -> None:
        """Forget the runs, so that they are recorded anew, where an instance has many elements that stand in none."""
        if len(walked) > _FEW:
            self._keep([])

    def follow(self, block: bytes, at: int, last: int, found: dict[int, Any]) -> tuple[int, int]:
        """Go from an element along the runs, as far as the block is like them; return where that ends and the last tag."""
        runs, places = self.known
        number = places.get(block[at : at + 8])
        if number is None or runs[number].elements[0][2] <= last:
            return at, last
        runs, end = runs[number:], len(block)
        while runs:
            for same, size, final, values, tag, wanted, place, value, length, _, _ in runs:
                if not block.startswith(same, at):
                    runs = self._split(same, block, at) if at + len(same) <= end else []
                    break
                if values:
                    found.update(values)
                if tag:
                    start = at + value
                    behind = start + length(block, at + place)[0] if start <= end else end + 1
                    if behind > end:
                        return at + size, final or last
                    if wanted:
                        found[tag] = block[start:behind]
                    at, last = behind, tag
                else:
                    at, last = at + size, final
            else:
                break
        return at, last

    def _split(self, same: bytes, block: bytes, at: int) -> list[Run]:
        """Split the run of these bytes where the data at `at` differ from it; return it and those behind, none if it cannot be."""
        runs, _ = self.known
        for number, run in enumerate(runs):
            if run.same is same:
                parts, behind = _parts(run, block, at, self.forms), runs[number + 1 :]
                if parts:
                    self._keep(runs[:number] + parts + behind)
                    return parts + behind
        return []


def _parts(run: Run, block: bytes, at: int, forms: dict[int, Form]) -> list[Run]:
    """Return the runs that a run falls into where the data at `at` differ from it; none where it is but one element."""
    same, elements, varying = run.same, run.elements, run.varying
    if not elements:
        return []
    begin = elements[0][0]
    alike = bisect(elements, False, key=lambda one: not block.startswith(same[: one[1] - begin], at))
    before, odd, behind = elements[:alike], elements[alike : alike + 1], elements[alike + 1 :]
    varies = _varying(odd[0], same, begin, forms) if odd else None
    parts: list[tuple[list[Element], Varying | None]]
    if varies and block.startswith(varies.same, at + odd[0][0] - begin):
        parts = [(before, varies), (behind, varying)]
    else:
        parts = [(before, None), (odd, None), (behind, varying)]
    made = [_run(same, begin, some, last) for some, last in parts if some or last]
    return made if len(made) > 1 or made[0].varying else []


def _varying(element: Element, same: bytes, begin: int, forms: dict[int, Form]) -> Varying | None:
    start, _, tag, kind, value = element
    form = forms.get(kind)
    if form is None or tag == CHARSET.tag:
        return None
    return Varying(same[start - begin : start - begin + form.fixed], tag, value is not None, form)


def _run(block: bytes, begin: int, elements: list[Element], varying: Varying | None) -> Run:
    """Return neighbouring elements as a run; the first byte of the block lies at `begin`."""
    same = block[elements[0][0] - begin : elements[-1][1] - begin] if elements else b""
    size, last = len(same), elements[-1][2] if elements else 0
    values = {tag: value for _, _, tag, _, value in elements if value is not None}
    if varying is None:
        return Run(same, size, last, values, 0, False, 0, 0, _no_length, elements, None)
    _, place, value, length = varying.form
    same += varying.same
    varies = (varying.tag, varying.wanted, size + place, size + value, length)
    return Run(same, size, last, values, *varies, elements, varying)


def _no_length(block: bytes, at: int) -> tuple[int]:
    return (0,)
