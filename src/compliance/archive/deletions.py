"""What vanished: the log of deletions that an archive or a person kept."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from compliance.archive.ages import read_date
from compliance.errors import InventoryError, guess, listed

REASONS = ("retention", "duplicate", "moved", "merged", "wrong_patient", "rejected", "request")
COPIES = ("none", "some", "unknown", "")
REQUIRED = ("study_uid", "deleted_on")


@dataclass(frozen=True, slots=True)
class Deletion:
    """One row of a deletion log; `facts` are its further columns."""

    line: int
    study_uid: str
    deleted_on: date
    reason: str
    copies_left: str
    scope: str
    facts: dict[str, Any]


def read_deletions(path: Path) -> Iterator[Deletion | tuple[int, str]]:
    """Yield the rows of a CSV log; a row that cannot be read is its line and what is wrong with it."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            rows = csv.DictReader(lines)
            missing = [name for name in REQUIRED if name not in (rows.fieldnames or ())]
            if missing:
                have = listed(rows.fieldnames or ())
                raise InventoryError(
                    f"{path} has no column {' and no '.join(missing)}. It has: {have}.{guess(missing[0], rows.fieldnames or ())}"
                )
            for row in rows:
                yield _row(row, rows.line_num)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InventoryError(f"{path} cannot be read: {error}") from None


def _row(row: dict[str, Any], line: int) -> Deletion | tuple[int, str]:
    day, wrong = read_date(row["deleted_on"])
    reason = (row.get("reason") or "retention").strip()
    copies = (row.get("copies_left") or "").strip()
    if wrong or day is None or not day.exact:
        return line, wrong or f"deleted_on {row['deleted_on']!r} is no day"
    if not (row["study_uid"] or "").strip():
        return line, "no study_uid"
    if reason not in REASONS:
        return line, f"reason {reason!r} is not allowed. Allowed: {listed(REASONS)}.{guess(reason, REASONS)}"
    if copies not in COPIES:
        return line, f"copies_left {copies!r} is not allowed. Allowed: none, some.{guess(copies, COPIES)}"
    known = {*REQUIRED, "reason", "copies_left", "scope"}
    facts = {
        key: value.strip()
        for key, value in row.items()
        if isinstance(key, str) and key not in known and isinstance(value, str) and value.strip()
    }
    return Deletion(
        line,
        row["study_uid"].strip(),
        date.fromordinal(day.earliest),
        reason,
        copies,
        (row.get("scope") or "").strip(),
        facts,
    )
