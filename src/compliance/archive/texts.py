"""Values of the text VRs as the inventory keeps them (PS3.5 6.1 and 6.2), decoded as pydicom decodes them.

pydicom is imported only where a value is not ASCII.
"""

from __future__ import annotations

import functools
import re
import warnings

from compliance.archive.attributes import tidy
from compliance.archive.structure import Unusual

# PS3.3 C.12.1.1.2: the defined terms, all of which agree with ASCII below 0x80
_TERMS = frozenset((
    b"", b"ISO_IR 6", b"ISO_IR 13", b"ISO_IR 100", b"ISO_IR 101", b"ISO_IR 109", b"ISO_IR 110", b"ISO_IR 126", b"ISO_IR 127",
    b"ISO_IR 138", b"ISO_IR 144", b"ISO_IR 148", b"ISO_IR 166", b"ISO_IR 192", b"GB18030", b"GBK", b"ISO 2022 IR 6",
    b"ISO 2022 IR 13", b"ISO 2022 IR 58", b"ISO 2022 IR 87", b"ISO 2022 IR 100", b"ISO 2022 IR 101", b"ISO 2022 IR 109",
    b"ISO 2022 IR 110", b"ISO 2022 IR 126", b"ISO 2022 IR 127", b"ISO 2022 IR 138", b"ISO 2022 IR 144", b"ISO 2022 IR 148",
    b"ISO 2022 IR 149", b"ISO 2022 IR 159", b"ISO 2022 IR 166",
))  # fmt: skip
_NUMBER = re.compile(r"[+-]?\d{1,20}(\.\d{0,20})?([Ee][+-]?\d{1,3})?|", re.ASCII)


@functools.lru_cache(maxsize=256)
def is_charset(raw: bytes) -> bool:
    """Tell whether a Specific Character Set holds defined terms only."""
    return _TERMS.issuperset(raw.rstrip(b" \0").split(b"\\"))


@functools.lru_cache(maxsize=4096)
def plain(raw: bytes) -> str:
    """Return a value of a VR that the character set does not touch (CS, UI, DA, AS)."""
    return tidy(raw.decode("latin-1").rstrip(" \0"))


@functools.lru_cache(maxsize=4096)
def text(raw: bytes, charset: bytes) -> str:
    """Return a value of SH or LO."""
    whole = raw.decode("ascii") if raw.isascii() and b"\x1b" not in raw else _decode(raw, charset)
    return tidy("\\".join(part.rstrip("\0 ") for part in whole.split("\\")))


def _decode(raw: bytes, charset: bytes) -> str:
    from pydicom.charset import convert_encodings, decode_bytes
    from pydicom.valuerep import TEXT_VR_DELIMS

    terms = charset.decode("ascii").rstrip(" \0").split("\\")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return str(decode_bytes(raw, convert_encodings(terms if len(terms) > 1 else terms[0]), TEXT_VR_DELIMS))


@functools.lru_cache(maxsize=1024)
def numbers(raw: bytes) -> str:
    """Return a value of DS; raises Unusual where a part of it is no plain number."""
    parts = [part.strip() for part in raw.decode("latin-1").strip().rstrip(" \0").split("\\")]
    if not all(map(_NUMBER.fullmatch, parts)):
        raise Unusual
    return tidy("\\".join(parts))
