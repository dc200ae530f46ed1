"""Scan a folder in which nothing has changed against a walk that only looks at files, and against the first scan.

Usage: bench_rescan.py [FILES] (20,000 unless told otherwise; pixel data are small, since nobody reads them).
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "archive"))
import made

from compliance.archive.keys import Keys
from compliance.archive.scanning import scan_folder

ROUNDS = 5


def look(folder: Path) -> int:
    """Walk and stat every file, and do nothing else."""
    size, waiting = 0, [str(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as names:
            for one in names:
                if one.is_dir(follow_symlinks=False):
                    waiting.append(one.path)
                else:
                    size += one.stat().st_size
    return size


def clock(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    keys, workers = Keys(b"benchmark only, no patients"), os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as place:
        folder = made.archive(Path(place) / "in", count, pixels=2048)
        target = Path(place) / "inventory.parquet"

        def scan() -> None:
            scan_folder(folder, target, keys, "2026-01-01T00:00:00+00:00", workers, lambda *_: None)

        walks, firsts = [], []
        for number in range(ROUNDS + 1):
            for table in target.parent.glob("*.parquet"):
                table.unlink()
            first, again, walk = clock(scan), clock(scan), clock(lambda: look(folder))
            if number:
                walks.append(again / walk)
                firsts.append(first / again)
    print(
        f"rescan {statistics.median(walks):.1f} x a walk that only looks, "
        f"{statistics.median(firsts):.0f} times faster than the first scan"
    )


if __name__ == "__main__":
    main()
