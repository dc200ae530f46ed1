"""The quick walk: one pass over the elements of a data set that takes the wanted values and skips all others.

It keeps the rules of `structure` (PS3.5 chapter 7), but goes through only where nothing is unusual. An odd VR, a length
that does not fit, a delimiter out of place, an item that changes the character set: each raises Unusual, and the file is
left to `careful`, which alone says what is damaged. What passes here, passes there, with the same values.

The first eight bytes of an element hold its tag and, but for the long form of explicit VR, its length. A grammar
remembers what it made of them: one look-up an element, the same for every file.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable
from typing import Any

from compliance.archive import attributes as a
from compliance.archive.runs import Part, Runs
from compliance.archive.structure import LONG_FORM, PIXEL_DATA, SHORT_FORM, UNDEFINED, Unusual
from compliance.archive.texts import is_charset

Found = dict[int, Any]  # tag -> bytes, or the items of a sequence
Step = tuple[int, int, int]  # tag, bytes to go on, kind
Read = Callable[[int, int], bytes]  # position, size -> that many bytes, or as many as there are


class Items(list[Found]):
    """The items of a sequence: made once for the same bytes, so the object itself is the key of what is made of them."""

    __hash__ = object.__hash__  # type: ignore[assignment]
    __eq__ = object.__eq__


FIRST_BLOCK = 16_384
NEXT_BLOCK = 65_536
MOST_READ = 12 << 20
DEEPEST = 32
_HEADS = 20_000  # most heads, and most sequences, that a grammar remembers
_SHORT = 1024
_NOT_MET = Items()
_SKIP, _TAKE, _LONG, _SEQUENCE, _PIXELS, _END = range(6)
_OUTER = {one.tag: one.vr for one in (*a.TEXTS.values(), a.CHARSET, a.RATIO, a.TITLE, a.EQUIPMENT)}
_META_INSTANCE = b"\x02\x00\x03\x00UI"
_META = (0x00020002, 0x00020010)
_OUTER.update(dict.fromkeys(_META, b"UI"))
_INNER = {one.tag: one.vr for one in (a.CHARSET, a.PURPOSE, a.CODE_VALUE, a.CODE_SCHEME, a.MAKER, a.MODEL)}
_SEQUENCES = frozenset((
    0x00081032, 0x00081110, 0x00081111, 0x00081115, 0x00081120, 0x00081140, 0x00081199, 0x00081250, 0x00082112, 0x00082218,
    0x00089121, 0x00089215, 0x00321064, 0x00400100, 0x00400260, 0x00400275, 0x00400555, 0x0040A043, 0x0040A073, 0x0040A168,
    0x0040A170, 0x0040A375, 0x0040A504, 0x0040A730, 0x0018A001, 0x00283000, 0x00283010, 0x52009229, 0x52009230,
))  # fmt: skip


@functools.lru_cache(maxsize=4096)
def _is_sequence(tag: int) -> bool:
    """Implicit VR names no VR: private elements of undefined length are sequences, others where PS3.6 says so."""
    if tag in _SEQUENCES or tag >> 16 & 1:
        return True
    from pydicom.datadict import dictionary_VR

    try:
        return str(dictionary_VR(tag)) == "SQ"
    except KeyError:
        return False


class Grammar:
    """How one encoding writes its elements."""

    def __init__(self, order: str, implicit: bool) -> None:
        self.implicit = implicit
        self.head = struct.Struct(order + ("HHL" if implicit else "HH2sH")).unpack
        self.long = struct.Struct(order + "L").unpack_from
        self.item = struct.Struct(order + "HHL").unpack_from
        self.outer: dict[bytes, Step] = {}
        self.inner: dict[bytes, Step] = {}
        self.metas: dict[tuple[bytes, bytes] | None, tuple[bytes, bytes]] = {}
        self.runs = Runs()
        self.sequences: dict[bytes, Items | None] = {}
        self.sequence_end = struct.pack(order + "HHL", 0xFFFE, 0xE0DD, 0)

    def learn(self, head: bytes, inside: bool) -> Step:
        """Return what eight bytes say: the tag, how far to go on, and what stands there. Raises Unusual, struct.error."""
        known = self.inner if inside else self.outer
        if len(known) > _HEADS:
            known.clear()
        step = known[head] = self._implicit(head, inside) if self.implicit else self._explicit(head, inside)
        return step

    def _implicit(self, head: bytes, inside: bool) -> Step:
        group, element, length = self.head(head)
        tag = group << 16 | element
        if group in (0, 0xFFFE):
            return self._end(tag, length, inside)
        vr = (_INNER if inside else _OUTER).get(tag)
        if not inside and tag in PIXEL_DATA:
            return tag, 8, _PIXELS
        if length == UNDEFINED and not _is_sequence(tag):
            raise Unusual
        if length == UNDEFINED or vr == b"SQ":
            return tag, 8, _SEQUENCE
        return tag, 8 + length, _TAKE if vr else _SKIP

    def _explicit(self, head: bytes, inside: bool) -> Step:
        group, element, vr, length = self.head(head)
        tag = group << 16 | element
        if group in (0, 0xFFFE):
            return self._end(tag, int.from_bytes(head[4:], "little"), inside)
        wanted = (_INNER if inside else _OUTER).get(tag, vr)
        pixels = not inside and tag in PIXEL_DATA
        if wanted != vr or (vr not in LONG_FORM and (pixels or vr not in SHORT_FORM)):
            raise Unusual
        if vr in LONG_FORM:
            return tag, 12, _PIXELS if pixels else _SEQUENCE if vr == b"SQ" else _LONG
        return tag, 8 + length, _TAKE if tag in (_INNER if inside else _OUTER) else _SKIP

    def _end(self, tag: int, length: int, inside: bool) -> Step:
        if tag != 0xFFFEE00D or length or not inside:
            raise Unusual
        return tag, 8, _END

    def met(self, block: bytes, at: int, skip: int) -> tuple[bytes, Items | None]:
        """Return the bytes of a short sequence that was walked before, and its items where wanted; b"" for others."""
        whole = self._whole(block, at, skip)
        kept = self.sequences.get(whole, _NOT_MET)
        return (b"", None) if kept is _NOT_MET else (whole, kept)

    def _whole(self, block: bytes, at: int, skip: int) -> bytes:
        if at + skip > len(block):
            return b""
        (length,) = self.long(block, at + skip - 4)
        end = block.find(self.sequence_end, at, at + _SHORT) + 8 if length == UNDEFINED else at + skip + length
        return block[at:end] if 8 < end - at <= _SHORT and end <= len(block) else b""

    def sequence(self, block: bytes, at: int, skip: int, length: int, stop: int) -> tuple[int, Items | None]:
        """Return where a sequence of the data set ends, and its items where they are wanted.

        Sequences repeat from file to file, byte by byte: a short one is walked once. Raises as `items`.
        """
        kept: Items | None = Items() if self.outer[block[at : at + 8]][0] in _OUTER else None
        end = self.items(block, at + skip, stop, length, kept, 1)
        whole = self._whole(block, at, skip)
        if len(whole) == end - at:
            if len(self.sequences) > _HEADS:
                self.sequences.clear()
            self.sequences[whole] = kept
        return end, kept

    def items(self, block: bytes, at: int, stop: int, length: int, kept: Items | None, depth: int) -> int:
        """Walk over the items of a sequence, keep the wanted values if asked to; return where it ends.

        Raises Unusual; struct.error where the block ends before the sequence.
        """
        delimited = length == UNDEFINED
        end = stop if delimited else at + length
        if end > stop or depth > DEEPEST:
            raise Unusual
        while delimited or at < end:
            group, element, size = self.item(block, at)
            at += 8
            if group != 0xFFFE:
                raise Unusual
            if element == 0xE000:
                found: Found | None = None
                if kept is not None:
                    kept.append(found := {})
                at = self._elements(block, at, end, size, found, depth)
            elif element == 0xE0DD and delimited and not size:
                break
            else:
                raise Unusual
        if at > end or (not delimited and at != end):
            raise Unusual
        return at

    def _elements(self, block: bytes, at: int, stop: int, length: int, found: Found | None, depth: int) -> int:
        delimited = length == UNDEFINED
        end = stop if delimited else at + length
        if end > stop:
            raise Unusual
        known = self.inner.get
        while delimited or at < end:
            head = block[at : at + 8]
            tag, skip, kind = known(head) or self.learn(head, True)
            if kind == _SKIP:
                at += skip
            elif kind == _TAKE:
                value = block[at + 8 : at + skip]
                if len(value) < skip - 8:
                    raise struct.error("the block ends in a value")
                if found is not None and tag == a.CHARSET.tag:
                    raise Unusual
                _take(tag, value, found if found is not None else {})
                at += skip
            elif kind == _END:
                at += 8
                if not delimited:
                    raise Unusual
                break
            else:
                (size,) = self.long(block, at + skip - 4)
                at = self._long(block, at + skip, end, size, tag, kind, found, depth)
        if at > end or (not delimited and at != end):
            raise Unusual
        return at

    def _long(
        self, block: bytes, at: int, end: int, size: int, tag: int, kind: int, found: Found | None, depth: int
    ) -> int:
        if kind == _SEQUENCE:
            kept: Items | None = None
            if found is not None and tag in _INNER:
                found[tag] = kept = Items()
            return self.items(block, at, end, size, kept, depth + 1)
        if size == UNDEFINED:
            raise Unusual
        return at + size


def _take(tag: int, value: bytes, found: Found) -> None:
    if tag == a.CHARSET.tag and not is_charset(value):
        raise Unusual
    found[tag] = value


def read_meta(grammar: Grammar, block: bytes, at: int, end: int) -> tuple[bytes, bytes]:
    """Return the media storage SOP class and the transfer syntax of a file meta information (PS3.10 7.1).

    Files of one writer differ in the SOP instance alone: what stands before and after it is walked once.
    """
    place = block.find(_META_INSTANCE, at, end)
    rest = place + 8 + int.from_bytes(block[place + 6 : place + 8], "little")
    key = (block[at:place], block[rest:end]) if at <= place and rest <= end else None
    if key in grammar.metas:
        return grammar.metas[key]
    places, found = _walk_meta(grammar, block, at, end)
    if key is not None and place in places and len(grammar.metas) < _HEADS:
        grammar.metas[key] = found
    return found


def _walk_meta(grammar: Grammar, block: bytes, at: int, end: int) -> tuple[list[int], tuple[bytes, bytes]]:
    found, last, places = dict.fromkeys(_META, b""), 0x00020000, []
    while at < end:
        tag, skip, kind = grammar.outer.get(block[at : at + 8]) or grammar.learn(block[at : at + 8], False)
        if tag >> 16 != 2 or tag <= last or kind not in (_SKIP, _TAKE, _LONG):
            raise Unusual
        if kind == _TAKE:
            found[tag] = block[at + 8 : at + skip]
        elif kind == _LONG:
            skip += int.from_bytes(block[at + 8 : at + 12], "little")
        places.append(at)
        last = tag
        at += skip
    if at != end:
        raise Unusual
    return places, (found[_META[0]].rstrip(b"\0 "), found[_META[1]].rstrip(b"\0 "))


class Walk:
    """One walk over a data set that ends at byte `end`, block by block."""

    def __init__(self, read: Read, end: int, grammar: Grammar) -> None:
        self.read, self.end, self.grammar = read, end, grammar
        self.found: Found = {}
        self.block, self.start = b"", 0
        self.last = self.total = 0

    def run(self, block: bytes, at: int) -> tuple[int, int] | None:
        """Walk from `at` in the first block of the data; return where the pixel data lie and their length.

        None where the data set ends without pixel data. Raises Unusual.
        """
        self.block = block
        while True:
            at = self._near(at)
            head = self.block[at : at + 8]
            if len(head) < 8:
                if self.start + at == self.end:
                    return None
                at = self._next(at, 8)
                continue
            tag, skip, kind = self.grammar.outer.get(head) or self.grammar.learn(head, False)
            if tag <= self.last:
                raise Unusual
            if kind == _TAKE:
                at = self._next(at, skip)
                continue
            try:
                length = self.grammar.long(self.block, at + skip - 4)[0] if kind > _TAKE else 0
                if kind == _PIXELS:
                    return self.start + at + skip, length
                at = self._far(at, tag, skip, kind, length)
                self.last = tag
            except struct.error:
                at = self._next(at, 2 * (len(self.block) - at))

    def _near(self, at: int) -> int:
        """Walk over what lies in the block; stop at its end, at pixel data, or at a sequence not met before."""
        block, size, last, found, grammar = self.block, len(self.block), self.last, self.found, self.grammar
        runs, known, recording = grammar.runs, grammar.outer.get, grammar.runs.recording
        parts: list[Part] = []
        while True:
            head = block[at : at + 8]
            run = runs.get(head)
            if run:
                unpack, heads, length, first, final, wanted, met, _ = run
                if at + length <= size:
                    if unpack(block, at) != heads:
                        runs.split(run, block, at)
                        continue
                    if first <= last:
                        raise Unusual
                    for tag, low, high in wanted:
                        found[tag] = block[at + low : at + high]
                    if met:
                        found.update(met)
                    if parts:
                        parts = runs.add(parts)
                    at, last = at + length, final
                    continue
            if len(head) < 8:
                break
            tag, skip, kind = known(head) or grammar.learn(head, False)
            if tag <= last:
                raise Unusual
            items = None
            if kind == _LONG and at + skip <= size:
                head = block[at : at + 12]
                skip += grammar.long(block, at + 8)[0]
            elif kind == _SEQUENCE:
                whole, items = grammar.met(block, at, skip)
                if whole:
                    head, skip, kind = whole, len(whole), _SKIP
                    if items is not None:
                        found[tag] = items
            if kind > _LONG or at + skip > size:
                break
            if kind == _TAKE:
                _take(tag, block[at + 8 : at + skip], found)
            if recording and tag != a.CHARSET.tag and (parts or head[:8] not in runs):
                parts.append(runs.part(head, skip, tag, kind == _TAKE, items))
            else:
                parts = parts and runs.add(parts)
            at, last = at + skip, tag
        runs.add(parts)
        self.last = last
        return at

    def _far(self, at: int, tag: int, skip: int, kind: int, length: int) -> int:
        if kind == _SEQUENCE:
            at, kept = self.grammar.sequence(self.block, at, skip, length, self.end - self.start)
            if kept is not None:
                self.found[tag] = kept
            return at
        if length == UNDEFINED:
            raise Unusual
        return at + skip + length

    def _next(self, at: int, need: int) -> int:
        """Read the block that begins with the present element, long enough for it."""
        start = self.start + at
        size = min(max(NEXT_BLOCK, need), self.end - start)
        self.total += size
        if self.start + len(self.block) >= self.end or self.total > MOST_READ or size < 8:
            raise Unusual
        self.block, self.start = self.read(start, size), start
        if len(self.block) < size:
            raise Unusual
        return 0
