"""A folder of files: walked as a stream, read in parallel, never ended by one bad file or one bad directory."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from compliance.archive.keys import Keys
from compliance.archive.reading import DIED, Entry, Reader, begin, columns, line, read

CHUNK = 256
_AT_ONCE = 1024  # files of one directory that are held
IN_FLIGHT = 2  # chunks a worker, read or waiting to be read


class Chunk(NamedTuple):
    """Some files that were read, and their lines."""

    entries: list[Entry]
    lines: str


def walk(folder: Path) -> Iterator[list[Entry]]:
    """Yield every regular file below a folder in no order, some at a time, without holding a directory's names.

    Links to folders are not followed, devices and pipes are left out; what cannot be looked at has size -1.
    """
    root, waiting = os.fspath(folder), [""]
    while waiting:
        below = waiting.pop()
        try:
            with os.scandir(f"{root}/{below}") as names:
                rest = iter(names)
                while found := _some(rest, below, waiting):
                    yield found
        except OSError:
            yield [Entry(below, -1, 0)]


def _some(names: Iterator[os.DirEntry[str]], folder: str, waiting: list[str]) -> list[Entry]:
    """Return the next files of a directory; where it breaks off, the directory itself stands behind them."""
    found, below = list[Entry](), f"{folder}/" if folder else ""
    try:
        for one in names:
            try:
                if one.is_dir(follow_symlinks=False):
                    waiting.append(below + one.name)
                    continue
                info = one.stat()
                if stat.S_ISREG(info.st_mode):
                    found.append(Entry(below + one.name, info.st_size, info.st_mtime_ns))
            except OSError:
                found.append(Entry(below + one.name, -1, 0))
            if len(found) == _AT_ONCE:
                break
    except OSError:
        found.append(Entry(folder, -1, 0))
    return found


def read_all(folder: Path, entries: Iterator[Entry], workers: int, keys: Keys) -> Iterator[Chunk]:
    """Read files as they are walked over, in processes where there is more than one chunk."""
    chunks = iter(lambda: list(islice(entries, CHUNK)), [])
    first = list(islice(chunks, 2))
    chunks = chain(first, chunks)
    if len(first) < 2 or workers < 2:
        reader = Reader(str(folder), keys)
        yield from (Chunk(chunk, reader.read(chunk)) for chunk in chunks)
        return
    lost: list[Entry] | None = None
    while lost is None or lost:
        lost = []
        yield from _pooled(folder, chunks, workers, keys, lost)
        if lost:
            yield from _apart(folder, lost, keys)


def _pooled(
    folder: Path, chunks: Iterator[list[Entry]], workers: int, keys: Keys, lost: list[Entry]
) -> Iterator[Chunk]:
    """Read with a bounded number of chunks under way; when a reader dies, stop and add what was under way to `lost`."""
    with ProcessPoolExecutor(workers, initializer=begin, initargs=(str(folder), keys)) as pool:
        reading: dict[Future[str], list[Entry]] = {}

        def more(number: int) -> None:
            for chunk in islice(chunks, 0 if lost else number):
                try:
                    reading[pool.submit(read, columns(chunk))] = chunk
                except BrokenProcessPool:
                    lost.extend(chunk)
                    return

        more(workers * IN_FLIGHT)
        while reading:
            for future in wait(reading, return_when=FIRST_COMPLETED).done:
                chunk = reading.pop(future)
                try:
                    lines = future.result()
                except BrokenProcessPool:
                    lost += chunk
                    continue
                yield Chunk(chunk, lines)
                more(1)


def _apart(folder: Path, entries: list[Entry], keys: Keys) -> Iterator[Chunk]:
    """Read files in a process of their own; one that kills its reader is found by halving, and loses only itself."""
    try:
        with ProcessPoolExecutor(1, initializer=begin, initargs=(str(folder), keys)) as pool:
            lines = pool.submit(read, columns(entries)).result()
    except BrokenProcessPool:
        if len(entries) > 1:
            middle = len(entries) // 2
            yield from _apart(folder, entries[:middle], keys)
            yield from _apart(folder, entries[middle:], keys)
            return
        lines = line(entries[0], "damaged", DIED)
    yield Chunk(entries, lines)
