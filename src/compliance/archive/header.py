"""One DICOM Part-10 file's header: everything the inventory's tables want, or why it cannot be read.

What is not read now means opening every file again later. The quick walk takes the usual file in one pass and without
pydicom; whatever is unusual or damaged goes to the careful reader.
"""

from __future__ import annotations

import functools
import os
from operator import itemgetter
from pathlib import Path

from compliance.archive import attributes as a
from compliance.archive import careful
from compliance.archive.attributes import Header, NotDicom
from compliance.archive.structure import Damaged, Unusual, inflate, pixels_remark
from compliance.archive.texts import numbers, plain, text
from compliance.archive.walk import FIRST_BLOCK, Found, Grammar, Items, Read, Walk, read_meta

__all__ = ["Header", "NotDicom", "quick_header", "read_header"]

_TO_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0)
_META_START = b"DICM\2\0\0\0UL\4\0"
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_GRAMMARS = {b"1.2.840.10008.1.2": Grammar("<", True), b"1.2.840.10008.1.2.2": Grammar(">", False)}
_EXPLICIT = Grammar("<", False)
_BY_CHARSET = (b"LO", b"SH")
_SOP_UID = a.TEXTS["sop_uid"].tag
_TEXTS = [(name, one) for name, one in a.TEXTS.items() if name != "sop_uid"]
_shared_values = itemgetter(
    *(one.tag for one in (a.CHARSET, a.RATIO, a.TITLE, a.EQUIPMENT, *(one for _, one in _TEXTS)))
)


def read_header(path: Path | str) -> Header:
    """Return the header; `remark` tells of cut pixel data.

    Raises NotDicom, Damaged (header cut short, wrong length, bad VR, no UIDs, nested or inflated beyond bounds), OSError.
    """
    try:
        return quick_header(path)
    except Unusual:
        return careful.read_header(Path(path))


def quick_header(path: Path | str) -> Header:
    """Return the header by the quick walk alone; raises Unusual where the careful reader is needed, OSError."""
    file = os.open(path, _TO_READ)
    try:

        def read(position: int, size: int) -> bytes:
            os.lseek(file, position, os.SEEK_SET)
            return os.read(file, size)

        return _part10(os.read(file, FIRST_BLOCK), os.lseek(file, 0, os.SEEK_END), read)
    finally:
        os.close(file)


def _part10(block: bytes, end: int, read: Read) -> Header:
    syntax, start = _meta(block)
    if syntax != _DEFLATED:
        return _data_set(block, start, end, read, syntax)
    try:
        inflated = inflate(block[start:] + read(len(block), end - len(block)))
    except Damaged:
        raise Unusual from None
    end = len(inflated) - (len(inflated) % 2 and inflated.endswith(b"\0"))  # PS3.5 A.5: padded to even length
    return _data_set(inflated[:end], 0, end, lambda position, size: inflated[position : position + size], syntax)


def _meta(block: bytes) -> tuple[bytes, int]:
    """Return the transfer syntax and where the data set begins (PS3.10 7.1)."""
    if block[128:140] != _META_START or len(block) < 160:
        raise Unusual
    start = 144 + int.from_bytes(block[140:144], "little")
    if start + 8 > len(block) or block[start : start + 2] == b"\2\0":
        raise Unusual
    return read_meta(_EXPLICIT, block, 144, start), start


def _data_set(block: bytes, at: int, end: int, read: Read, syntax: bytes) -> Header:
    grammar = _GRAMMARS.get(syntax, _EXPLICIT)
    if grammar.implicit and block[at + 4 : at + 6].isalpha():
        raise Unusual  # pydicom takes the data set for explicit VR
    walk = Walk(read, end, grammar)
    pixels = walk.run(block, at)
    header = _header(walk.found)
    header["transfer_syntax"] = syntax.decode()
    if pixels is None:
        if a.is_image(header["sop_class"]):
            raise Unusual
        header["remark"] = ""
    else:
        header["remark"] = pixels_remark(*pixels, end, read)
    return header


def _header(found: Found) -> Header:
    """Return the header; the instances of a series share all but one of its texts."""
    header = _shared(*_shared_values(found)).copy()
    header["sop_uid"] = plain.__wrapped__(found[_SOP_UID] or b"")
    if not (header["sop_uid"] and header["study_uid"] and header["series_uid"]):
        raise Unusual
    return header


@functools.lru_cache(maxsize=1024)
def _shared(
    charset: bytes | None, ratio: bytes | None, title: Items | None, makers: Items | None, *values: bytes | None
) -> Header:
    words = charset or b""
    header: Header = {
        "title_code": _code(title, words),
        "contributing_equipment": a.equipment([_maker(item, words) for item in (makers or ())[:8]]),
        "lossy_ratio": None,
    }
    for (name, one), raw in zip(_TEXTS, values):
        value = raw or b""
        header[name] = (
            text(value, words) if one.vr in _BY_CHARSET else numbers(value) if one.vr == b"DS" else plain(value)
        )
    if ratio is not None:
        header["lossy_ratio"] = a.largest_ratio(numbers(ratio))
    return header


def _code(items: Items | None, charset: bytes) -> str:
    for item in (items or ())[:1]:
        words = (text(item.get(one.tag, b""), charset) for one in (a.CODE_VALUE, a.CODE_SCHEME))
        return "/".join(filter(None, words))
    return ""


def _maker(item: Found, charset: bytes) -> str:
    words = (text(item.get(one.tag, b""), charset) for one in (a.MAKER, a.MODEL))
    return " ".join(filter(None, (_code(item.get(a.PURPOSE.tag), charset), *words)))
