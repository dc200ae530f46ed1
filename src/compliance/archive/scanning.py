"""From a folder to an inventory: walk, read what is new or changed, gather, fold, write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from compliance.archive import inventory
from compliance.archive.earlier import Earlier
from compliance.archive.folder import read_all, walk
from compliance.archive.journal import Journal
from compliance.archive.keys import Keys
from compliance.archive.reading import Entry
from compliance.errors import InventoryError

Progress = Callable[[int, int, int], None]  # files done, files found so far, bytes done


@dataclass(frozen=True)
class Summary:
    """What a scan found: files by outcome, reasons by count, studies, files that had to be opened, what has changed.

    `changes` counts files against the last inventory at the same place: `moved` (the same header at another path),
    `replaced` (another header at the same path) and `gone`.
    """

    outcomes: Counter[str]
    reasons: Counter[str]
    studies: int
    opened: int
    digest: str
    changes: Counter[str] = field(default_factory=Counter)


@dataclass
class _Tally:
    found: int = 0
    done: int = 0
    size: int = 0
    opened: int = 0


def scan_folder(folder: Path, target: Path, keys: Keys, scanned_at: str, workers: int, progress: Progress) -> Summary:
    """Scan a folder into an inventory; what is interrupted goes on in the next call with the same target.

    Files whose path, size and time are those of the last inventory are not opened.
    """
    if not folder.is_dir():
        raise InventoryError(f"{folder} is no folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    earlier = Earlier(target, keys.name)
    journal = Journal(target, keys.name)
    tally = _Tally()
    try:
        for chunk in read_all(folder, _to_read(folder, earlier, journal, tally), workers, keys):
            journal.add(chunk.lines, len(chunk.entries))
            tally.done += len(chunk.entries)
            tally.size += _size(chunk.entries)
            progress(tally.done, tally.found, tally.size)
    finally:
        journal.close()
    summary = _write(folder, target, keys, scanned_at, earlier, journal, tally.opened)
    journal.finish()
    return summary


def _to_read(folder: Path, earlier: Earlier, journal: Journal, tally: _Tally) -> Iterator[Entry]:
    for some in walk(folder):
        new = [entry for entry in earlier.new(some) if not journal.take_over(entry)]
        tally.found += len(some)
        tally.opened += len(new)
        tally.done += len(some) - len(new)
        tally.size += _size(some) - _size(new)
        yield from new


def _size(entries: list[Entry]) -> int:
    return sum(entry.size for entry in entries if entry.size > 0)


def _write(
    folder: Path, target: Path, keys: Keys, scanned_at: str, earlier: Earlier, journal: Journal, opened: int
) -> Summary:
    if earlier.unchanged and not journal.lines:
        last = inventory.restamp(target, scanned_at)
        return Summary(earlier.outcomes(), earlier.reasons(), last.rows, opened, last.digest)
    from compliance.archive.fold import fold
    from compliance.archive.gather import Gathered

    gathered = Gathered(journal.path if journal.lines else None, earlier, target.with_name(f".{target.name}.aside"))
    try:
        series = gathered.series(folder.name)
        studies = fold(series)
        about = {"keyed_by": keys.name}
        digest = inventory.write(target, studies, series, gathered.files(), folder.name, scanned_at, about)
        counts = (gathered.counts(what) for what in ("outcomes", "reasons", "changes"))
        outcomes, reasons, changes = counts
        return Summary(outcomes, reasons, studies.num_rows, opened, digest, changes)
    finally:
        gathered.close()
