"""The cases of a law file: dated examples with their answers. A compiled build keeps them apart, since no decision asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from compliance.law.dates import OPEN, read_edtf
from compliance.law.shape import Key, ListOf, MapOf, Reader, Record, Shape, Text, boolean
from compliance.law.yaml import Node

DISPOSITIONS = ("retain", "may_purge", "must_purge", "held", "undetermined", "conflict")


class Case(NamedTuple):
    """A dated example with its answer, run against the file it stands in."""

    name: str
    as_of: int
    given: Mapping[str, Any]
    expected: Mapping[str, Any]
    place: tuple[int, int] = (0, 0)


def _as_of(text: str) -> int:
    day = read_edtf(text)
    if not day.exact or day.earliest == OPEN:
        raise ValueError(f"{text!r} must be one day")
    return day.earliest


def ratio(text: str) -> float:
    """Read a ratio of compression; raises ValueError."""
    try:
        ratio = float(text)
    except ValueError:
        ratio = 0.0
    if not 1 <= ratio < 1000:
        raise ValueError(f"{text!r} is no ratio. Allowed: a number from 1 (10 means 10 to 1)")
    return ratio


class _Raw(Shape):
    def read(self, node: Node, reader: Reader) -> Any:
        return node.data()


_CASE = Record(
    {
        "name": Key(Text(), True, "what the case shows"),
        "as_of": Key(Text(parse=_as_of), True, "the day of the question"),
        "given": Key(MapOf(_Raw()), True, "the facts; nothing is assumed but record: image"),
        "with": Key(Text(("lineage",)), says="lineage: all norms of the place and the places around it"),
        "retain_through": Key(Text(), says="EDTF: a day, EARLY/LATE, ../LATE, EARLY/.., unknown, permanent, never"),
        "binding_retain_through": Key(Text(), says="as retain_through"),
        "by": Key(Text(), says="id of the governing norm"),
        "destroy_by": Key(Text(), says="a day, or none"),
        "earliest_purge_date": Key(Text(), says="a day, or none"),
        "disposition": Key(Text(DISPOSITIONS)),
        "ready": Key(boolean()),
        "lossy": Key(
            Record(
                {
                    "status": Key(Text(("allowed_from", "forbidden", "undetermined", "no_norm"))),
                    "allowed_from": Key(Text()),
                    "max_ratio": Key(Text(parse=ratio)),
                },
                dict,
            )
        ),
        "duties": Key(ListOf(Text()), says="ids of the duties that apply"),
    },
    dict,
)


@dataclass(eq=False, repr=False)
class _CaseShape(Shape):
    def read(self, node: Node, reader: Reader) -> Case | None:
        found = _CASE.read(node, reader)
        if found is None:
            return None
        own = {key: found.pop(key) for key in ("name", "as_of", "given")}
        return Case(**own, expected=found, place=(node.line, node.column))

    def schema(self) -> dict[str, Any]:
        return {**_CASE.schema(), "description": "a dated example with its answer"}


CASES = ListOf(_CaseShape())


class CasesApart(Sequence[Case]):
    """The cases of one statute, read when somebody asks for them: no decision does."""

    def __init__(self, trees: Mapping[str, Node], statute_id: str) -> None:
        self._trees, self._id = trees, statute_id
        self._read: tuple[Case, ...] | None = None

    def _cases(self) -> tuple[Case, ...]:
        if self._read is None:
            reader = Reader(self._id)
            found = CASES.read(self._trees[self._id], reader)
            reader.check(f"The cases of {self._id} cannot be read")
            self._read = found
        return self._read or ()

    def __getitem__(self, at: Any) -> Any:
        return self._cases()[at]

    def __len__(self) -> int:
        return len(self._cases())


def apart(trees: Mapping[str, Node]) -> dict[str, Node]:
    """Return the trees of law files without their cases, and these under `FILE#cases`."""
    found: dict[str, Node] = {}
    for name, node in trees.items():
        if "/" in name and isinstance(node.value, dict) and "cases" in node.value:
            found[name] = Node({key: value for key, value in node.value.items() if key != "cases"})
            found[f"{name}#cases"] = node.value["cases"]
    return found
