"""Read every inventory attribute of generated Part-10 files against pydicom on the same files; prints the ratios last.

Usage: bench_header.py [FILES] (20,000 of 128 KB each, about 2.7 GB, unless told otherwise). Rounds are interleaved by
slices of the archive, one process each; then the scan's process pool against pydicom in one process.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from itertools import chain
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "archive"))
import made
from pydicom import dcmread

from compliance.archive import attributes
from compliance.archive.folder import read_all, walk
from compliance.archive.header import FIRST_BLOCK, read_header
from compliance.archive.keys import Keys

WANTED = [one.keyword for one in (*attributes.TEXTS.values(), attributes.RATIO, attributes.TITLE, attributes.EQUIPMENT)]
ROUNDS = 5


def by_pydicom(paths: list[str]) -> None:
    for path in paths:
        data = dcmread(path, stop_before_pixels=True, specific_tags=WANTED)
        for keyword in WANTED:
            data.get(keyword)


def by_us(paths: list[str]) -> None:
    for path in paths:
        read_header(path)


def by_system(paths: list[str]) -> None:
    for path in paths:
        file = os.open(path, os.O_RDONLY)
        os.read(file, FIRST_BLOCK)
        os.close(file)


def clock(work: Callable[[list[str]], None], paths: list[str]) -> tuple[float, float]:
    """Return seconds of the clock and of the processor a file."""
    wall, cpu = time.perf_counter(), time.process_time()
    work(paths)
    return (time.perf_counter() - wall) / len(paths), (time.process_time() - cpu) / len(paths)


def pooled(folder: Path) -> float:
    start, files = time.perf_counter(), 0
    entries = chain.from_iterable(walk(folder))
    for chunk in read_all(folder, entries, os.cpu_count() or 1, Keys(b"benchmark only, no patients")):
        files += len(chunk.entries)
    return (time.perf_counter() - start) / files


def main() -> None:
    warnings.simplefilter("ignore")
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory() as place:
        folder = made.archive(Path(place), count)
        paths = [str(path) for path in sorted(folder.rglob("*.dcm"))]
        for work in (by_us, by_system):
            work(paths)
        by_pydicom(paths[:200])
        single, processor, pool = [], [], []
        for number in range(ROUNDS):
            theirs = clock(by_pydicom, paths[number::ROUNDS])[0]
            ours, ours_cpu = clock(by_us, paths)
            single.append(theirs / ours)
            processor.append(ours_cpu / clock(by_system, paths)[1])
            pool.append(theirs / pooled(folder))
        plain = [path for number, path in enumerate(paths) if made.syntax(number) != made.DEFLATED]
        rest = [clock(by_pydicom, plain[n::ROUNDS])[0] / clock(by_us, plain)[0] for n in range(ROUNDS)]
    print(f"without deflated files {statistics.median(rest):.1f} times faster")
    print(
        f"headers {statistics.median(single):.1f} times as fast as pydicom, CPU {statistics.median(processor):.1f} x open and read, "
        f"with a pool {statistics.median(pool):.1f} times; without deflated files {statistics.median(rest):.1f} times"
    )


if __name__ == "__main__":
    main()
