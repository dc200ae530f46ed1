"""Findings and their levels: each speaks of an apparent breach, or of doubt, on the facts stated."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from compliance.law.dates import LAST, NEVER, DateRange, write_day
from compliance.law.knowledge import KnowledgeBase

LEVELS = {
    "purged-early": "error", "purged-under-hold": "error", "purge-doubtful": "warning", "scheduled-early": "error",
    "lossy-unlawful": "error", "kept-too-long": "error", "part-kept-too-long": "warning", "conflict": "error",
    "hold-unmatched": "error", "undetermined": "warning", "bad-data": "warning", "law-unverified": "warning",
    "law-stale": "warning", "duty-open": "warning", "waiver-expired": "warning", "waiver-dead": "warning",
}  # fmt: skip
RANK = {"error": 0, "warning": 1}


class Finding(NamedTuple):
    """One finding; `study` is the Study Instance UID, empty where it is about no study."""

    level: str
    code: str
    site: str
    study: str
    record: str
    norm: str
    citation: str
    message: str
    bytes: int = 0
    waived: str = ""

    @property
    def fingerprint(self) -> str:
        """Stable across runs: code, study, record class, governing norm."""
        return fingerprint(self.code, self.study, self.record, self.norm)

    @property
    def rank(self) -> int:
        """Errors come first."""
        return RANK[self.level]


SCHEMA = pa.schema([
    ("rank", pa.int8()), ("fingerprint", pa.string()), ("level", pa.string()), ("code", pa.string()), ("site", pa.string()),
    ("study", pa.string()), ("record", pa.string()), ("norm", pa.string()), ("citation", pa.string()), ("message", pa.string()),
    ("bytes", pa.int64()), ("waived", pa.string()),
])  # fmt: skip
ORDER = "rank, code, site, study, record, norm, message"


def table_of(findings: Sequence[Finding]) -> pa.Table:
    """Return findings as a table."""
    rows = [(finding.rank, finding.fingerprint, *finding) for finding in findings]
    columns = list(zip(*rows, strict=True)) or [()] * len(SCHEMA)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def until(value: DateRange) -> str:
    """Return the early end for people."""
    return "for ever" if value.earliest >= LAST or value.earliest == NEVER else write_day(value.earliest)


def fingerprint(code: str, study: str, record: str, norm: str) -> str:
    """Return what stays the same of a finding from run to run: the key of waivers and baselines."""
    return hashlib.sha256("\0".join((code, study, record, norm)).encode()).hexdigest()[:24]


def about_law(knowledge: KnowledgeBase, used: set[str], stale: set[str]) -> Iterator[Finding]:
    """Yield a finding for every norm that decided something and was not looked at for long."""
    for name in sorted(used & stale):
        norm = knowledge.index[name]
        message = f"last seen {norm.verification.on or 'never'}: look whether it still stands"
        yield Finding(LEVELS["law-stale"], "law-stale", "", "", "", name, norm.citation, message)


def unmatched_holds(holds: Any, matched: set[str], as_of: int) -> Iterator[Finding]:
    """Yield a finding for every hold in force that matches nothing in the archive."""
    for hold in holds:
        if hold.in_force(as_of) and hold.id not in matched:
            yield Finding(
                LEVELS["hold-unmatched"],
                "hold-unmatched",
                "",
                "",
                "",
                f"hold:{hold.id}",
                "",
                f"hold {hold.id} matches nothing in the archive",
            )
