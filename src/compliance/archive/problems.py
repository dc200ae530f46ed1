"""What is wrong with a fact, as text that travels in the column `problems` of every table of the inventory.

One problem is `FACT: KIND` or `FACT: KIND (DETAIL)`; several are joined by a backslash, sorted, each once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class FactProblem(NamedTuple):
    """The fact it touches, what kind of fault, and the values seen."""

    fact: str
    kind: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.fact}: {self.kind}" + (f" ({self.detail})" if self.detail else "")


def join(problems: Iterable[FactProblem | str]) -> str | None:
    """Return the text of a `problems` column, None where there is none."""
    return "\\".join(sorted({str(problem).replace("\\", "/") for problem in problems})) or None


def split(text: str | None) -> list[FactProblem]:
    """Read a `problems` column."""
    found = []
    for part in (text or "").split("\\"):
        fact, _, rest = part.partition(": ")
        kind, bracket, detail = rest.partition(" (")
        if part:
            found.append(FactProblem(fact, kind, detail.removesuffix(")") if bracket else ""))
    return found
