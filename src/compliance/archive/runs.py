"""Runs: stretches of elements that follow each other, with the same lengths, in one instance of a series after another.

A run compares the heads of many elements at once and knows where the wanted values lie among them. Where an instance
differs, the run is split there, so that soon only the elements whose lengths change are walked one by one.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

MOST_PARTS = 32
_MOST_KNOWN = 20_000


class Part(NamedTuple):
    """One element of a run, with its form in a struct.

    `head` is what must be equal: tag, VR and length; of a sequence all its bytes, and then `items` are what it holds.
    """

    head: bytes
    size: int
    tag: int
    wanted: bool
    items: list[dict[int, Any]] | None
    form: str


class Run(NamedTuple):
    """A run, ready to be compared: the heads, the bytes to go on, the first and last tag, where the wanted values lie."""

    unpack: Callable[[bytes, int], tuple[Any, ...]]
    heads: tuple[bytes, ...]
    size: int
    first: int
    last: int
    wanted: list[tuple[int, int, int]]
    items: dict[int, Any]
    parts: list[Part]


class Runs(dict[bytes, Run | None]):
    """The runs of one series, by the first eight bytes; None where no two elements keep together.

    They are recorded when a second instance of a series follows the first, and forgotten when another series comes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.series = b""
        self.recording = False
        self._parts: dict[bytes, Part] = {}

    def part(self, head: bytes, size: int, tag: int, wanted: bool, items: list[dict[int, Any]] | None) -> Part:
        """Return an element as a part of runs; equal heads give the same part."""
        part = self._parts.get(head)
        if part is None:
            if len(self._parts) > _MOST_KNOWN:
                self._parts.clear()
            form = f"{len(head)}s{size - len(head)}x"
            part = self._parts[head] = Part(head, size, tag, wanted, items, form)
        return part

    def begin(self, series: bytes) -> None:
        """Say to which series the file belongs that was walked just now."""
        self.recording = series == self.series
        if not self.recording:
            self.clear()
            self.series = series

    def add(self, parts: list[Part]) -> list[Part]:
        """Remember elements that were walked one after the other; return an empty list to begin the next with."""
        for start in range(0, len(parts), MOST_PARTS):
            self._set(parts[start : start + MOST_PARTS])
        return []

    def split(self, run: Run, block: bytes, at: int) -> None:
        """Split a run at the element in which the data at `at` differ from it."""
        pairs = zip(run.unpack(block, at), run.heads)
        shared = next(number for number, (there, here) in enumerate(pairs) if there != here)
        self[run.heads[0][:8]] = None
        self._set(run.parts[:shared])
        self._set(run.parts[shared + 1 :])

    def _set(self, parts: list[Part]) -> None:
        if len(parts) > 1:
            self[parts[0].head[:8]] = _run(parts)


def _run(parts: list[Part]) -> Run:
    places, items, at = [], {}, 0
    for head, size, tag, wanted, kept, _ in parts:
        if wanted:
            places.append((tag, at + len(head), at + size))
        elif kept is not None:
            items[tag] = kept
        at += size
    unpack = struct.Struct("".join([part.form for part in parts])).unpack_from
    return Run(unpack, tuple([part.head for part in parts]), at, parts[0].tag, parts[-1].tag, places, items, parts)
