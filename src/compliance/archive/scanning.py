"""From a folder to an inventory: scan, fold, write."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from compliance.archive import inventory
from compliance.archive.fold import fold, from_headers
from compliance.archive.folder import Progress, Scan, files_table
from compliance.archive.keys import Keys


@dataclass(frozen=True)
class Summary:
    """What a scan found: files by outcome, reasons by count, studies, files that had to be opened."""

    outcomes: Counter[str]
    reasons: Counter[str]
    studies: int
    opened: int
    digest: str


def scan_folder(folder: Path, target: Path, keys: Keys, scanned_at: str, workers: int, progress: Progress) -> Summary:
    """Scan a folder into an inventory; what is interrupted goes on in the next call with the same target."""
    work = Scan(folder, target, workers, progress, keys)
    outcomes = work.run()
    files, read = files_table(outcomes)
    series = from_headers([(one.header, one.entry.size, again) for one, again in read if one.header], folder.name)
    studies = fold(series)
    digest = inventory.write(target, studies, series, files, folder.name, scanned_at)
    work.finish()
    counts = Counter(files["outcome"].to_pylist())
    reasons = Counter(f"{one.outcome}: {_kind(one.reason)}" for one in outcomes if one.outcome != "read")
    return Summary(counts, reasons, studies.num_rows, work.opened, digest)


def _kind(reason: str) -> str:
    """Reasons differ by byte positions; a summary counts their kind."""
    return reason.split(" at byte ")[0].split(" declares ")[0][:80]
