"""Is a DICOM file whole? A walk over the element chain (PS3.5 chapter 7) without recursion and without values.

pydicom returns a partial data set, without any error, for a header cut short, a wrong length or a bad VR; such a file
must be reported as damaged. The walk ends at the pixel data (7FE0,xxxx) or at the end of the file.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

MAX_DEPTH = 64
MAX_INFLATED = 64 << 20
MAX_ELEMENTS = 2_000_000
NO_PIXELS = "no pixel data"
CUT_PIXELS = "pixel data cut short"
TAIL = 4096
UNDEFINED = 0xFFFFFFFF
PIXEL_DATA = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))
# PS3.5 7.1.2: VRs whose length takes four bytes after two reserved ones, and VRs whose length takes two
LONG_FORM = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
SHORT_FORM = frozenset((
    b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS", b"ST",
    b"TM", b"UI", b"UL", b"US",
))  # fmt: skip
_ITEM, _ITEM_END, _SEQUENCE_END = (0xFFFE, 0xE000), (0xFFFE, 0xE00D), (0xFFFE, 0xE0DD)


class Damaged(Exception):
    """The file breaks off or contradicts itself; the message says where and how."""


class Unusual(Exception):
    """The quick walk leaves this file to the careful reader."""


@dataclass(frozen=True, slots=True)
class Syntax:
    """How the data set is encoded."""

    implicit: bool
    little: bool


class _Open(NamedTuple):
    """An open sequence or item: where it ends at the latest, whether a delimiter closes it, how it is encoded."""

    end: int
    delimited: bool
    implicit: bool


def check(file: BinaryIO, end: int, syntax: Syntax) -> str:
    """Walk the data set from the file's position; return a remark on the pixel data ("", `cut short` or none at all).

    Raises Damaged where a length runs beyond the file or its sequence, a VR is none, or nesting is deeper than 64.
    """
    order = "<" if syntax.little else ">"
    tag_of = struct.Struct(order + "HH")
    long = struct.Struct(order + "L")
    short = struct.Struct(order + "H")
    limits: list[_Open] = [_Open(end, False, syntax.implicit)]
    last = (0, 0)
    for _ in range(MAX_ELEMENTS):
        at = file.tell()
        while len(limits) > 1 and not limits[-1].delimited and at >= limits[-1].end:
            if at > limits[-1].end:
                raise Damaged(f"an item at byte {at} runs beyond its sequence")
            limits.pop()
        if at == end and len(limits) == 1:
            return NO_PIXELS
        head = file.read(8)
        if len(head) < 8:
            raise Damaged(f"cut short at byte {at}")
        tag = tag_of.unpack(head[:4])
        if tag in (_ITEM, _ITEM_END, _SEQUENCE_END):
            _delimiter(tag, long.unpack(head[4:])[0], file, limits)
            continue
        if len(limits) == 1:
            if tag <= last:
                raise Damaged(f"({tag[0]:04X},{tag[1]:04X}) at byte {at} stands out of order")
            last = tag
        is_sequence, length = _length(head, file, limits[-1].implicit, long, short, at)
        if tag[0] == 0x7FE0 and tag[0] << 16 | tag[1] in PIXEL_DATA and len(limits) == 1:
            return _pixels(file, end, length)
        if length == UNDEFINED or (is_sequence and length):
            if len(limits) > MAX_DEPTH * 2:
                raise Damaged(f"sequences nested deeper than {MAX_DEPTH} at byte {at}")
            # PS3.5 6.2.2: UN of undefined length holds a sequence in implicit VR
            hidden = limits[-1].implicit or head[4:6] == b"UN"
            limits.append(_Open(_inside(file, length, limits, at), length == UNDEFINED, hidden))
        elif length:
            _inside(file, length, limits, at)
            file.seek(length, 1)
    raise Damaged(f"more than {MAX_ELEMENTS:,} elements")


def _length(
    head: bytes, file: BinaryIO, implicit: bool, long: struct.Struct, short: struct.Struct, at: int
) -> tuple[bool, int]:
    if implicit:
        return False, long.unpack(head[4:])[0]
    vr = head[4:6]
    if vr in SHORT_FORM:
        return False, short.unpack(head[6:])[0]
    if vr not in LONG_FORM:
        raise Damaged(f"{vr!r} at byte {at + 4} is no value representation")
    rest = file.read(4)
    if len(rest) < 4:
        raise Damaged(f"cut short at byte {at + 8}")
    return vr == b"SQ", long.unpack(rest)[0]


def _inside(file: BinaryIO, length: int, limits: list[_Open], at: int) -> int:
    room = min(limit.end for limit in limits)
    stop = room if length == UNDEFINED else file.tell() + length
    if stop > room:
        raise Damaged(f"the element at byte {at} declares {length:,} bytes, {max(0, room - file.tell()):,} are left")
    return stop


def _delimiter(tag: tuple[int, int], length: int, file: BinaryIO, limits: list[_Open]) -> None:
    at = file.tell()
    if len(limits) == 1:
        raise Damaged(f"an item outside any sequence at byte {at - 8}")
    if tag == _ITEM:
        if len(limits) > MAX_DEPTH * 2:
            raise Damaged(f"sequences nested deeper than {MAX_DEPTH} at byte {at}")
        limits.append(_Open(_inside(file, length, limits, at - 8), length == UNDEFINED, limits[-1].implicit))
    elif not limits[-1].delimited:
        raise Damaged(f"a delimiter at byte {at - 8} closes nothing")
    else:
        limits.pop()


def _pixels(file: BinaryIO, end: int, length: int) -> str:
    def read(position: int, size: int) -> bytes:
        file.seek(position)
        return file.read(size)

    return pixels_remark(file.tell(), length, end, read)


def pixels_remark(start: int, length: int, end: int, read: Callable[[int, int], bytes]) -> str:
    """Pixel data are not decoded: a cut is seen from the length, or from the missing delimiter in the file's last bytes."""
    if length != UNDEFINED:
        return "" if start + length <= end else CUT_PIXELS
    return CUT_PIXELS if read(max(start, end - TAIL), TAIL).rfind(b"\xfe\xff\xdd\xe0") < 0 else ""


def inflate(packed: bytes) -> bytes:
    """Inflate a deflated data set (PS3.5 A.5), bounded; raises Damaged beyond 64 MB or where the stream is broken."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        plain = stream.decompress(packed, MAX_INFLATED)
    except zlib.error as error:
        raise Damaged(f"the deflated data set is broken: {error}") from None
    if stream.unconsumed_tail:
        raise Damaged(f"the deflated data set is larger than {MAX_INFLATED >> 20} MB")
    if not stream.eof:
        raise Damaged("the deflated data set is cut short")
    return plain
