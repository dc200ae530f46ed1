"""What can go wrong, as one tree. Every message is written for a person: place, what is wrong, what is allowed, a guess.

ComplianceError
├── LawError        a law file, vocabulary or jurisdiction table cannot be read (carries every problem found)
├── FactError       facts that cannot be read: unknown name, value outside the vocabulary, no date
├── ProfileError    an organisation's profile, waivers or holds cannot be read
├── InventoryError  an inventory, table or folder cannot be read
└── UsageError      a command that cannot do what it was asked
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Problem(NamedTuple):
    """One fault at one place of a file; lines and columns count from 1 (0 = the file as a whole)."""

    file: str
    line: int
    column: int
    path: str
    message: str
    level: str = "error"

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        tag = "" if self.level == "error" else f"{self.level}: "
        return f"{where}: {tag}{self.path + ': ' if self.path else ''}{self.message}"


class ComplianceError(Exception):
    """Base of all errors of this package."""

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join([str(self.args[0]), *map(str, self.problems)])


class LawError(ComplianceError):
    """A law file, the vocabulary or the table of jurisdictions cannot be read."""


class FactError(ComplianceError):
    """Facts that cannot be read."""


class ProfileError(ComplianceError):
    """An organisation's profile, waivers or holds cannot be read."""


class InventoryError(ComplianceError):
    """An inventory, a table or a folder cannot be read."""


class UsageError(ComplianceError):
    """A command cannot do what it was asked."""


def guess(word: str, allowed: Iterable[str]) -> str:
    """Return ` Did you mean 'x'?` for the nearest allowed word, or nothing."""
    from difflib import get_close_matches

    near = get_close_matches(word, list(allowed), n=1, cutoff=0.6)
    return f" Did you mean {near[0]!r}?" if near else ""


def listed(words: Iterable[str], most: int = 12) -> str:
    """Return the words sorted and joined for a message, cut after `most`."""
    names = sorted(words)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
