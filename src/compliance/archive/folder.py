"""A folder of files: walked as a stream, read in parallel, never ended by one bad file or one bad directory."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from itertools import chain, islice
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, NamedTuple

from compliance.archive.keys import Keys
from compliance.archive.reading import DIED, Entry, Reader, line
from compliance.archive.worker import Worker

CHUNK = 256
_AT_ONCE = 1024  # files of one directory that are held


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
    else:
        yield from _pooled(str(folder), chunks, workers, keys)


def _pooled(folder: str, chunks: Iterator[list[Entry]], workers: int, keys: Keys) -> Iterator[Chunk]:
    """Read in worker processes, one chunk each; a file that kills its reader is found by halving, and loses only itself."""
    waiting: list[list[Entry]] = []
    busy: dict[Any, Worker] = {}

    def more() -> list[Entry]:
        return waiting.pop() if waiting else next(chunks, [])

    try:
        while True:
            while len(busy) < workers and (entries := more()):
                worker = Worker(folder, keys, entries)
                busy[worker.line] = worker
            if not busy:
                return
            waiting += islice(chunks, 0 if waiting else 1)  # looked for while the workers read
            for ready in wait(busy):
                worker = busy[ready]
                entries, lines = worker.entries, worker.take()
                following = more() if lines is not None else []
                if following:
                    worker.give(following)
                else:
                    busy.pop(ready).end()
                if lines is not None:
                    yield Chunk(entries, lines)
                elif len(entries) > 1:
                    middle = len(entries) // 2
                    waiting += entries[:middle], entries[middle:]
                else:
                    yield Chunk(entries, line(entries[0], "damaged", DIED))
    finally:
        for worker in busy.values():
            worker.end()
