"""Runs: what the headers of one series have in common, byte by byte.

A run is a stretch of elements that are the same in every instance, up to one that varies, of which only the tag and the
VR are the same. Elements whose values nobody wants may be loose: their length is the same, but not their value. The bytes
of a run are compared at once, and what was made of them stands. Where an instance differs, the run is loosened or split, so
that soon each run ends where the lengths of the instances begin to differ.
"""

from __future__ import annotations

import struct
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


class Stretch(NamedTuple):
    """What a run is made of: its bytes in the first instance, the whole elements, the tags of the loose, the one that varies."""

    block: bytes
    elements: list[Element]
    loose: frozenset[int]
    varying: Varying | None


class Run(NamedTuple):
    """A run: the bytes to be compared, and what follows from them, laid out flat for the sake of speed.

    `pieces` takes out of a block what must be the same. Of the whole elements: how many bytes, the last tag, the wanted
    values. Of the one that varies behind them: its tag (0 where there is none), whether its value is wanted, where length
    and value stand from the beginning of the run.
    """

    same: tuple[bytes, ...]
    pieces: Callable[[bytes, int], tuple[bytes, ...]]
    size: int
    last: int
    values: dict[int, Any]
    tag: int
    wanted: bool
    place: int
    value: int
    length: Length
    stretch: Stretch


class Runs:
    """The runs of one series in the order of tags; `forms` tells by kind how the elements begin that may vary.

    What varied in the series before is expected to vary in this one, unless that was much.

    Nothing is changed in place: a run that one thread follows is whole while another splits it.
    """

    def __init__(self, forms: dict[int, Form], before: Runs | None = None) -> None:
        self.forms = forms
        self._expected, self._loose = before.learnt() if before else (frozenset[int](), frozenset[int]())
        self._instance: tuple[bytes, list[Element]] | None = None
        self.recorded = 0
        self._keep([])

    def learnt(self) -> tuple[frozenset[int], frozenset[int]]:
        """Return the tags of elements that vary, and of loose ones; one instance says no more than the series before."""
        runs, _ = self.known
        if not runs:
            return self._expected, self._loose
        varied = frozenset(run.tag for run in runs)
        return varied if len(varied) <= _FEW else frozenset(), frozenset[int]().union(*(r.stretch.loose for r in runs))

    def _keep(self, runs: list[Run]) -> None:
        self.known = runs, {run.same[0][:8]: number for number, run in enumerate(runs) if run.stretch.elements}

    def record(self, block: bytes, walked: list[Element]) -> None:
        """Keep the elements of an instance, which follow each other in the block, until there is another to be compared."""
        if walked and self.recorded < _MOST_RECORDED:
            self.recorded += 1
            self._instance = block[: walked[-1][1]], walked

    def ready(self) -> bool:
        """Tell whether there is anything to follow; the instance that was kept becomes runs."""
        if instance := self._instance:
            self._instance = None
            self._keep(self._made(*instance))
        return bool(self.known[0])

    def _made(self, block: bytes, walked: list[Element]) -> list[Run]:
        runs, begin = [], 0
        for number, element in enumerate(walked):
            if element[2] in self._expected and (varies := _varying(element, block, 0, self.forms)):
                runs.append(self._run(block, 0, walked[begin:number], self._loose, varies))
                begin = number + 1
        if begin < len(walked):
            runs.append(self._run(block, 0, walked[begin:], self._loose, None))
        return runs

    def left(self, walked: list[Element]) -> None:
        """Forget the runs, so that they are recorded anew, where an instance has many elements that stand in none."""
        if len(walked) > _FEW:
            self._keep([])

    def follow(self, block: bytes, at: int, last: int, found: dict[int, Any]) -> tuple[int, int]:
        """Go from an element along the runs, as far as the block is like them; return where that ends and the last tag."""
        runs, places = self.known
        number = places.get(block[at : at + 8])
        if number is None or runs[number].stretch.elements[0][2] <= last:
            return at, last
        runs, end = runs[number:], len(block)
        try:
            while runs:
                for same, pieces, size, final, values, tag, wanted, place, value, length, _ in runs:
                    if pieces(block, at) != same:
                        runs = self._split(same, block, at)
                        break
                    if values:
                        found.update(values)
                    if tag:
                        start = at + value
                        behind = start + length(block, at + place)[0]
                        if behind > end:
                            return at + size, final or last
                        if wanted:
                            found[tag] = block[start:behind]
                        at, last = behind, tag
                    else:
                        at, last = at + size, final
                else:
                    break
        except struct.error:
            pass  # the block ends in a run
        return at, last

    def _split(self, same: tuple[bytes, ...], block: bytes, at: int) -> list[Run]:
        """Split the run of these bytes where the data at `at` differ from it; return it and those behind, none if it cannot be."""
        runs, _ = self.known
        for number, run in enumerate(runs):
            if run.same is same:
                parts, behind = self._parts(run.stretch, block, at), runs[number + 1 :]
                if parts:
                    self._keep(runs[:number] + parts + behind)
                    return parts + behind
        return []

    def _parts(self, stretch: Stretch, block: bytes, at: int) -> list[Run]:
        """Return what a run becomes where the data at `at` differ from it: looser, or several; none where it is but one element."""
        same, elements, loose, varying = stretch
        if not elements:
            return []
        begin = elements[0][0]
        alike, looser = self._alike(stretch, block, at)
        if looser != loose:
            return [self._run(same, begin, elements, looser, varying)]
        before, odd, behind = elements[:alike], elements[alike : alike + 1], elements[alike + 1 :]
        varies = _varying(odd[0], same, begin, self.forms) if odd else None
        parts: list[tuple[list[Element], Varying | None]]
        if varies and block.startswith(varies.same, at + odd[0][0] - begin):
            parts = [(before, varies), (behind, varying)]
        else:
            parts = [(before, None), (odd, None), (behind, varying)]
        made = [self._run(same, begin, some, loose, last) for some, last in parts if some or last]
        return made if len(made) > 1 or made[0].tag else []

    def _alike(self, stretch: Stretch, block: bytes, at: int) -> tuple[int, frozenset[int]]:
        """Return how many elements of a run the data at `at` are like, and which of them must be loose for that."""
        same, elements, loose, _ = stretch
        begin = elements[0][0]
        for number, element in enumerate(elements):
            start, end = element[0] - begin, element[1] - begin
            if not block.startswith(same[start:end], at + start):
                varies = _varying(element, same, begin, self.forms)
                if (
                    not varies
                    or varies.wanted
                    or not block.startswith(same[start : start + varies.form.value], at + start)
                ):
                    return number, loose
                loose |= {varies.tag}
        return len(elements), loose

    def _run(
        self, block: bytes, begin: int, elements: list[Element], loose: frozenset[int], varying: Varying | None
    ) -> Run:
        """Return neighbouring elements as a run; the first byte of the block lies at `begin`."""
        first, last, final = (elements[0][0], elements[-1][1], elements[-1][2]) if elements else (begin, begin, 0)
        size, same = last - first, block[first - begin : last - begin]
        values = {tag: value for _, _, tag, _, value in elements if value is not None}
        of_varying: tuple[int, bool, int, int, Length] = (0, False, 0, 0, _no_length)
        if varying:
            _, place, value, length = varying.form
            of_varying = (varying.tag, varying.wanted, size + place, size + value, length)
            same += varying.same
        pieces = self._pieces(elements, loose, len(same))
        return Run(pieces(same, 0), pieces, size, final, values, *of_varying, Stretch(same, elements, loose, varying))

    def _pieces(
        self, elements: list[Element], loose: frozenset[int], size: int
    ) -> Callable[[bytes, int], tuple[bytes, ...]]:
        """Return what takes out of that many bytes all but the values of loose elements."""
        layout, at = "", 0
        begin = elements[0][0] if elements else 0
        for start, end, tag, kind, _ in elements:
            if tag in loose and (form := self.forms.get(kind)):
                value = start + form.value
                layout += f"{value - begin - at}s{end - value}x"
                at = end - begin
        return struct.Struct(f"{layout}{size - at}s").unpack_from


def _varying(element: Element, same: bytes, begin: int, forms: dict[int, Form]) -> Varying | None:
    start, _, tag, kind, value = element
    form = forms.get(kind)
    if form is None or tag == CHARSET.tag:
        return None
    return Varying(same[start - begin : start - begin + form.fixed], tag, value is not None, form)


def _no_length(block: bytes, at: int) -> tuple[int]:
    return (0,)
