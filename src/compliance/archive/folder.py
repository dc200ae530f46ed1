"""Scan a folder of DICOM files: recursively, in parallel, resumable, never ended by one bad file.

Beside the output lies a journal while a scan runs: one JSON line a file, flushed every chunk. After a crash the next run
takes over what the journal (or a finished inventory) says of files whose path, size and time are unchanged.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from compliance.archive.header import Header, NotDicom, read_header
from compliance.archive.inventory import FILES, paths, undictionaried
from compliance.archive.keys import Keys
from compliance.archive.structure import Damaged
from compliance.errors import InventoryError

CHUNK = 64


class Entry(NamedTuple):
    """A file as the walk found it, with its path below the folder."""

    path: str
    size: int
    mtime_ns: int


class Outcome(NamedTuple):
    """What became of a file: read (with its header), damaged or not DICOM (with the reason)."""

    entry: Entry
    outcome: str
    reason: str
    header: Header | None


Progress = Callable[[int, int, int], None]  # files done, files found so far, bytes done


@dataclass
class Scan:
    """One scan: its folder, its journal, and what earlier runs know already."""

    folder: Path
    target: Path
    workers: int
    progress: Progress
    keys: Keys
    known: dict[Entry, Outcome] = field(default_factory=dict)
    opened: int = 0

    @property
    def journal(self) -> Path:
        """The file that a broken scan leaves for the next one."""
        return self.target.with_name(f".{self.target.name}.journal")

    def run(self) -> list[Outcome]:
        """Return the outcome of every file, sorted by path."""
        if not self.folder.is_dir():
            raise InventoryError(f"{self.folder} is no folder")
        self.target.parent.mkdir(parents=True, exist_ok=True)
        known = {**_finished(self.target), **self._journaled()}
        self.known = {
            entry: one
            for entry, one in known.items()
            if one.header is None or one.header.get("keyed_by") == self.keys.name
        }
        found = list(walk(self.folder))
        results = [self.known[entry] for entry in found if entry in self.known]
        todo = [entry for entry in found if entry not in self.known]
        self.opened = len(todo)
        done, size = len(results), sum(one.entry.size for one in results)
        with self.journal.open("a", encoding="utf-8") as journal:
            journal.write("\n")  # ends a torn line of an earlier run
            for chunk in self._read(todo):
                for one in chunk:
                    self._hide_patient(one.header)
                journal.writelines(_line(one) for one in chunk)
                journal.flush()
                results += chunk
                done, size = done + len(chunk), size + sum(one.entry.size for one in chunk)
                self.progress(done, len(found), size)
        return sorted(results, key=lambda one: one.entry.path)

    def _hide_patient(self, header: Header | None) -> None:
        """No patient's id reaches a file: the key takes its place at once."""
        if header is not None:
            header["patient_key"] = self.keys.key(header["issuer"], header["institution"], header.pop("patient_id"))
            header["keyed_by"] = self.keys.name

    def finish(self) -> None:
        """The inventory is written: the journal has done its work."""
        self.journal.unlink(missing_ok=True)

    def _journaled(self) -> dict[Entry, Outcome]:
        known: dict[Entry, Outcome] = {}
        if self.journal.exists():
            for line in self.journal.read_text(encoding="utf-8", errors="replace").splitlines():
                try:
                    path, size, mtime, outcome, reason, header = json.loads(line)
                    entry = Entry(path, size, mtime)
                    known[entry] = Outcome(entry, outcome, reason, header)
                except ValueError:
                    continue  # a torn line: that file is read again
        return known

    def _read(self, todo: list[Entry]) -> Iterator[list[Outcome]]:
        chunks = iter(_chunks(todo))
        if self.workers <= 1:
            yield from (read_chunk(str(self.folder), chunk) for chunk in chunks)
            return
        lost: list[Entry] = []
        with ProcessPoolExecutor(self.workers) as pool:
            waiting: dict[Future[list[Outcome]], list[Entry]] = {}
            for chunk in islice(chunks, self.workers * 4):
                waiting[pool.submit(read_chunk, str(self.folder), chunk)] = chunk
            while waiting:
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    chunk = waiting.pop(future)
                    try:
                        yield future.result()
                        if (more := next(chunks, None)) is not None:
                            waiting[pool.submit(read_chunk, str(self.folder), more)] = more
                    except BrokenProcessPool:
                        lost += chunk
        lost += [entry for chunk in chunks for entry in chunk]
        yield from ([self._alone(entry)] for entry in lost)

    def _alone(self, entry: Entry) -> Outcome:
        """Read one file in a process of its own: a file that kills its reader loses only itself."""
        with ProcessPoolExecutor(1) as pool:
            try:
                return pool.submit(read_chunk, str(self.folder), [entry]).result()[0]
            except BrokenProcessPool:
                return Outcome(entry, "damaged", "its reader died", None)


def _chunks(entries: list[Entry]) -> Iterable[list[Entry]]:
    return (entries[start : start + CHUNK] for start in range(0, len(entries), CHUNK))


def walk(folder: Path) -> Iterator[Entry]:
    """Yield every regular file below a folder; links to folders are not followed, devices and pipes are left out."""
    waiting = [""]
    while waiting:
        below = waiting.pop()
        try:
            entries = sorted(os.scandir(folder / below), key=lambda one: one.name)
        except OSError:
            yield Entry(below, -1, 0)
            continue
        for one in entries:
            path = f"{below}/{one.name}" if below else one.name
            try:
                if one.is_dir(follow_symlinks=False):
                    waiting.append(path)
                    continue
                info = one.stat()
            except OSError:
                yield Entry(path, -1, 0)
                continue
            if stat.S_ISREG(info.st_mode):
                yield Entry(path, info.st_size, info.st_mtime_ns)


def read_chunk(folder: str, entries: list[Entry]) -> list[Outcome]:
    """Read some files; every one gets an outcome."""
    return [_read_one(Path(folder), entry) for entry in entries]


def _read_one(folder: Path, entry: Entry) -> Outcome:
    if entry.size < 0:
        return Outcome(entry, "damaged", "cannot be opened", None)
    try:
        header = read_header(folder / entry.path)
        return Outcome(entry, "read", header.pop("remark"), header)
    except NotDicom as error:
        return Outcome(entry, "not DICOM", str(error), None)
    except Damaged as error:
        return Outcome(entry, "damaged", str(error), None)
    except OSError as error:
        return Outcome(entry, "damaged", f"cannot be read: {error.strerror or error}", None)
    except Exception as error:
        return Outcome(entry, "damaged", f"cannot be read: {type(error).__name__}", None)


def _line(one: Outcome) -> str:
    return json.dumps([*one.entry, one.outcome, one.reason, one.header]) + "\n"


def _finished(target: Path) -> dict[Entry, Outcome]:
    """Return what a finished inventory at the same place says of its files."""
    place = paths(target)["files"]
    if not place.is_file():
        return {}
    try:
        table = pq.read_table(place)
        rows = table.select(["path", "size", "mtime_ns", "outcome", "reason", "header"]).to_pylist()
    except (OSError, pa.ArrowInvalid, KeyError):
        return {}
    known = {}
    for row in rows:
        entry = Entry(row["path"], row["size"], row["mtime_ns"])
        header = json.loads(row["header"]) if row["header"] else None
        outcome = "read" if row["outcome"] == "duplicate" else row["outcome"]
        known[entry] = Outcome(
            entry, outcome, row["reason"] if outcome != "read" or row["outcome"] == "read" else "", header
        )
    return known


def header_digest(header: Header) -> str:
    """Return the digest of what was read of a header."""
    return hashlib.sha256(json.dumps(header, sort_keys=True).encode()).hexdigest()[:32]


def files_table(outcomes: list[Outcome]) -> tuple[pa.Table, list[tuple[Outcome, bool]]]:
    """Return the files table and the read files, each with whether it is a second copy of its SOP instance."""
    seen: set[str] = set()
    rows: list[dict[str, Any]] = []
    read: list[tuple[Outcome, bool]] = []
    for one in outcomes:
        header, outcome, reason = one.header, one.outcome, one.reason
        if header is not None:
            again = header["sop_uid"] in seen
            seen.add(header["sop_uid"])
            read.append((one, again))
            if again:
                outcome, reason = "duplicate", "the same SOP instance was read before"
        rows.append({
            **one.entry._asdict(), "outcome": outcome, "reason": reason, "digest": header_digest(header) if header else None,
            "header": json.dumps(header, sort_keys=True) if header else None,
            **{name: header[name] if header else None for name in ("study_uid", "series_uid", "sop_uid")},
        })  # fmt: skip
    return pa.Table.from_pylist(rows, undictionaried(FILES)), read
