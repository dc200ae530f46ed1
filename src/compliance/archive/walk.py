"""The quick walk: one pass over the elements of a data set that takes the wanted values and skips all others.

It keeps the rules of `structure` (PS3.5 chapter 7), but goes through only where nothing is unusual. An odd VR, a length
that does not fit, a delimiter out of place, an item that changes the character set: each raises Unusual, and the file is
left to `careful`, which alone says what is damaged. What passes here, passes there, with the same values.

The first eight bytes of an element hold its tag and, but for the long form of explicit VR, its length. A grammar
remembers what it made of them: one look-up an element, the same for every file.
"""

from __future__ import annotations

import functools
import re
import struct
from collections.abc import Callable
from typing import Any

from compliance.archive import attributes as a
from compliance.archive.runs import Element, Form, Runs
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
_HEADS = 20_000  # most heads that a grammar remembers
_SERIES = 64  # most series whose runs are remembered
_SERIES_UID = a.TEXTS["series_uid"].tag
_SKIP, _TAKE, _LONG, _SEQUENCE, _PIXELS, _END = range(6)
_OUTER = {one.tag: one.vr for one in (*a.TEXTS.values(), a.CHARSET, a.RATIO, a.TITLE, a.EQUIPMENT)}
_META_INSTANCE = b"\x02\x00\x03\x00UI"
_META = (0x00020002, 0x00020010)
_DICOMDIR = b"1.2.840.10008.1.3.10"
_SYNTAX = re.compile(rb"[0-9.]+")
_OUTER.update(dict.fromkeys(_META, b"UI"))
_INNER = {one.tag: one.vr for one in (a.CHARSET, a.PURPOSE, a.CODE_VALUE, a.CODE_SCHEME, a.MAKER, a.MODEL)}
_NOTHING: Found = dict.fromkeys(_OUTER)  # grown already, so that it need not grow in each walk
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
        self.metas: dict[tuple[bytes, bytes] | None, bytes] = {}
        self.runs: dict[bytes, Runs] = {}
        self.latest: Runs | None = None
        if implicit:
            self.forms = dict.fromkeys((_SKIP, _TAKE), Form(4, 4, 8, self.long))
        else:
            short = Form(6, 6, 8, struct.Struct(order + "H").unpack_from)
            self.forms = {_SKIP: short, _TAKE: short, _LONG: Form(8, 8, 12, self.long)}
        series = _SERIES_UID.to_bytes(4)
        self.series_head = struct.pack(order + "HH", *struct.unpack(">HH", series)) + (b"" if implicit else b"UI")
        self.low = 4 if implicit else 6 if order == "<" else 7  # where the low byte of a short length stands

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

    def runs_of(self, block: bytes, at: int) -> Runs:
        """Return the runs of the series whose UID stands in a block; another UID found there costs time alone."""
        place = block.find(self.series_head, at, at + FIRST_BLOCK)
        name = block[place : place + 8 + block[place + self.low]] if 0 <= place <= len(block) - 8 else b""
        runs = self.runs.get(name)
        if runs is None:
            if len(self.runs) > _SERIES:
                self.runs.clear()
            self.latest = runs = self.runs[name] = Runs(self.forms, self.latest)
        return runs

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


def read_meta(grammar: Grammar, block: bytes, at: int, end: int) -> bytes:
    """Return the transfer syntax of a file meta information (PS3.10 7.1); a DICOMDIR is Unusual.

    Files of one writer differ in the SOP instance alone: what stands before and after it is walked once.
    """
    place = block.find(_META_INSTANCE, at, end)
    rest = place + 8 + int.from_bytes(block[place + 6 : place + 8], "little")
    key = (block[at:place], block[rest:end]) if at <= place and rest <= end else None
    syntax = grammar.metas.get(key)
    if syntax is None:
        places, syntax = _walk_meta(grammar, block, at, end)
        if key is not None and place in places and len(grammar.metas) < _HEADS:
            grammar.metas[key] = syntax
    return syntax


def _walk_meta(grammar: Grammar, block: bytes, at: int, end: int) -> tuple[list[int], bytes]:
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
    storage, syntax = (found[tag].rstrip(b"\0 ") for tag in _META)
    if at != end or storage == _DICOMDIR or not _SYNTAX.fullmatch(syntax):
        raise Unusual
    return places, syntax


class Walk:
    """One walk over a data set that ends at byte `end`, block by block."""

    def __init__(self, read: Read, end: int, grammar: Grammar) -> None:
        self.read, self.end, self.grammar = read, end, grammar
        self.found = _NOTHING.copy()
        self.block, self.start = b"", 0
        self.last = self.total = 0

    def run(self, block: bytes, at: int) -> tuple[int, int] | None:
        """Walk from `at` in the first block of the data; return where the pixel data lie and their length.

        None where the data set ends without pixel data. Raises Unusual.
        """
        self.block = block
        runs = self.grammar.runs_of(block, at)
        while True:
            at, skip, kind = self._near(at, runs)
            size = len(self.block)
            if self.start + at == self.end:
                return None
            if kind == _PIXELS and at + skip <= size:
                return self.start + at + skip, self.grammar.long(self.block, at + skip - 4)[0]
            at = self._next(at, max(skip, 2 * (size - at)))
            runs = Runs(self.grammar.forms)  # a second block is rare: nothing is known of it

    def _near(self, at: int, runs: Runs) -> tuple[int, int, int]:
        """Walk over what lies in the block; return what it cuts off, or the pixel data: where, how far to go on, which kind."""
        block, size, last, found, grammar = self.block, len(self.block), self.last, self.found, self.grammar
        known, follow = grammar.outer.get, runs.follow if runs.ready() else None
        walked: list[Element] = []
        value: Any
        try:
            while True:
                if follow:
                    at, last = follow(block, at, last, found)
                head = block[at : at + 8]
                if len(head) < 8:
                    skip, kind = 8, _SKIP
                    break
                tag, skip, kind = known(head) or grammar.learn(head, False)
                if tag <= last:
                    raise Unusual
                end, value = at + skip, None
                if kind == _TAKE and end <= size:
                    value = block[at + 8 : end]
                    _take(tag, value, found)
                elif kind != _SKIP:
                    if kind not in (_LONG, _SEQUENCE):
                        break
                    end, value = self._deep(at, tag, skip, kind)
                if end <= size:
                    walked.append((at, end, tag, kind, value))
                at, last = end, tag
        except struct.error:
            pass  # the block ends in a sequence, or in the head of a long element
        self.last = last
        if follow:
            runs.left(walked)
        else:
            runs.record(block, walked)
        return at, skip, kind

    def _deep(self, at: int, tag: int, skip: int, kind: int) -> tuple[int, Items | None]:
        """Return where a long element or a sequence ends, and the items of one that is wanted."""
        (length,) = self.grammar.long(self.block, at + skip - 4)
        if kind == _SEQUENCE:
            kept = Items() if tag in _OUTER else None
            end = self.grammar.items(self.block, at + skip, self.end - self.start, length, kept, 1)
            if kept is not None:
                self.found[tag] = kept
            return end, kept
        if length == UNDEFINED:
            raise Unusual
        return at + skip + length, None

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
