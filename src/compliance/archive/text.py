"""Text from headers and tables: kept as data, never as anything that could act on a terminal, a page or a sheet."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

LONGEST = 256  # characters; DICOM LO has 64
_DROPPED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@lru_cache(maxsize=100_000)
def clean(text: str | None, longest: int = LONGEST) -> str | None:
    """Return the text without control and direction characters, in one line, at most `longest` characters; None if empty."""
    if not text:
        return None
    if not (text.isascii() and text.isprintable()):
        text = "".join(" " if unicodedata.category(character) in _DROPPED else character for character in text)
    return " ".join(text.split())[:longest].rstrip() or None


def shown(text: str, longest: int = 40) -> str:
    """Return a value for a message: clean, short, without the marks that part problems."""
    short = clean(text, longest) or ""
    return short.replace("\\", "/").replace(")", "]").replace("(", "[")


def members(text: str | None) -> str | None:
    """Return a multi-valued text as a set: cleaned, sorted, each once, joined by a backslash."""
    found = {clean(part, 64) for part in (text or "").split("\\")}
    return "\\".join(sorted(part for part in found if part)) or None
