"""How fast this machine reads the headers of this archive."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from compliance.archive.folder import read_all, walk
from compliance.archive.keys import Keys
from compliance.archive.reading import Entry
from compliance.errors import InventoryError

ALONE = 1_000  # files that one process reads, to be compared with all processes


@dataclass(frozen=True)
class Pace:
    """How many files were found (at most so many were asked for), and how many a second by what was done with them."""

    found: int
    walked: float
    alone: float
    pooled: float


def pace(folder: Path, most: int, workers: int) -> Pace:
    """Walk over up to `most` files below a folder and read their headers, by one process and by all; write nothing.

    Each file is read by both only where there are few: the pool begins behind what one process has read, as far as it can,
    since what was read before comes from the machine's memory. Raises InventoryError where there is nothing to read.
    """
    start = time.perf_counter()
    entries = list(islice(chain.from_iterable(walk(folder)), most))
    walked = time.perf_counter() - start
    if not entries:
        raise InventoryError(f"{folder} has no files")
    first, rest = entries[:ALONE], entries[ALONE:]
    _a_second(folder, entries[-1:], 1)  # so that no imports are measured
    return Pace(
        len(entries),
        len(entries) / max(walked, 1e-9),
        _a_second(folder, first, 1),
        _a_second(folder, rest if len(rest) >= ALONE else entries, workers),
    )


def _a_second(folder: Path, entries: Iterable[Entry], workers: int) -> float:
    start, files = time.perf_counter(), 0
    for chunk in read_all(folder, iter(entries), workers, Keys(b"measured, then forgotten")):
        files += len(chunk.entries)
    return files / (time.perf_counter() - start)
