"""What the last inventory at the same place says of its files, so that unchanged files are not opened again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from compliance.archive.inventory import SCHEMA_VERSION, open_inventory, paths
from compliance.archive.reading import TO_TRY_AGAIN, Entry, shown
from compliance.errors import InventoryError


class Earlier:
    """The files of the last inventory, by path; `seen` marks the rows whose files are there unchanged."""

    def __init__(self, target: Path, keyed_by: str) -> None:
        self.files: Path | None = None
        self.comparable = False
        self._rows: dict[str, int] = {}
        self.number = 0
        self.seen = bytearray()
        self._sizes, self._times = list[int](), list[int]()
        if (about := _about(target)) is None:
            return
        self.files = paths(target)["files"]
        self.comparable = about.get("keyed_by") == keyed_by
        self._table = pq.read_table(self.files, columns=["path", "size", "mtime_ns", "reason", "outcome"])
        self.number = self._table.num_rows
        self.seen = bytearray(self.number)
        self._sizes, self._times = (self._table[name].to_pylist() for name in ("size", "mtime_ns"))
        if self.comparable:
            self._rows = _rows(self._table)

    def new(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return the files that are not there as they were; the others are marked."""
        row_of, sizes, times, seen, found = self._rows.get, self._sizes, self._times, self.seen, list[Entry]()
        for entry in entries:
            path, size, mtime_ns = entry
            row = row_of(path if path.isascii() else shown(path))
            if row is not None and sizes[row] == size and times[row] == mtime_ns:
                seen[row] = 1
            else:
                found.append(entry)
        return found

    @property
    def kept(self) -> int:
        """How many of its files are there as they were."""
        return self.seen.count(1)

    @property
    def unchanged(self) -> bool:
        """Whether every file of the last inventory is there as it was."""
        return self.files is not None and self.comparable and self.kept == self.number

    def outcomes(self) -> Counter[str]:
        """Return how many files had each outcome."""
        return _counts(self._table["outcome"])

    def reasons(self) -> Counter[str]:
        """Return how many files that are neither read nor duplicates had each reason."""
        found: Counter[str] = Counter()
        for outcome in ("damaged", "not DICOM"):
            for reason, number in _counts(
                self._table.filter(pc.equal(self._table["outcome"], outcome))["reason"]
            ).items():
                found[f"{outcome}: {kind(reason)}"] += number
        return found


def _counts(words: pa.ChunkedArray) -> Counter[str]:
    return Counter({one["values"]: one["counts"] for one in pc.value_counts(words.cast(pa.string())).to_pylist()})


def kind(reason: str) -> str:
    """Reasons differ by byte positions; a summary counts their kind."""
    return _PARTICULAR.sub("", reason)[:80]


_PARTICULAR = re.compile(r"( at byte | declares |; replaced: |; moved from ).*")


def _about(target: Path) -> dict[str, Any] | None:
    try:
        last = open_inventory(target)
        files = last.table("files")
        return {**last.about} if files and last.table("series") and last.about.get("schema") == SCHEMA_VERSION else None
    except (InventoryError, OSError, pa.ArrowInvalid):
        return None


def _rows(table: pa.Table) -> dict[str, int]:
    """Return the row of each path, without files that could not be read for a reason that may have passed."""
    rows = dict(zip(table["path"].to_pylist(), range(table.num_rows)))
    for again in TO_TRY_AGAIN:
        for path in table.filter(pc.starts_with(table["reason"], again))["path"].to_pylist():
            rows.pop(path, None)
    return rows
