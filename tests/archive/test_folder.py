"""Folders: streamed, read in parallel, compared with the last scan; one bad block, directory, name or reader ends nothing."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import chain, repeat
from multiprocessing import active_children
from pathlib import Path

import made
import pyarrow.parquet as pq
import pytest

from compliance.archive import header, inventory, reading
from compliance.archive.folder import CHUNK, read_all, walk
from compliance.archive.keys import Keys
from compliance.archive.reading import Entry, Reader
from compliance.archive.scanning import scan_folder
from compliance.errors import InventoryError

KEYS = Keys(b"a secret of tests only")


def scan(folder: Path, target: Path, workers: int = 1, keys: Keys = KEYS, at: str = "2026-11-24T00:00:00+00:00"):
    return scan_folder(folder, target, keys, at, workers, lambda *_: None)


def rows(target: Path) -> dict[str, dict]:
    return {row["path"]: row for row in pq.read_table(inventory.paths(target)["files"]).to_pylist()}


@pytest.fixture
def folder(tmp_path) -> Path:
    place = tmp_path / "in"
    for number, content in enumerate(made.files(12, seed=3, pixels=64, per_series=4)):
        (place / f"{number // 4}").mkdir(parents=True, exist_ok=True)
        (place / f"{number // 4}/{number:02}.dcm").write_bytes(content)
    return place


@pytest.fixture
def target(tmp_path) -> Path:
    return tmp_path / "inv.parquet"


def test_a_bad_block_is_reported_and_read_again_next_time(folder, target, monkeypatch):
    def read(file: int, size: int) -> bytes:
        if Path(f"/proc/self/fd/{file}").readlink().name == "05.dcm":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(file, size)

    real = os.read
    with monkeypatch.context() as patch:
        patch.setattr(header.os, "read", read)
        found = scan(folder, target)
    assert dict(found.outcomes) == {"read": 11, "damaged": 1}
    assert dict(found.reasons) == {"damaged: cannot be read: Input/output error": 1}
    again = scan(folder, target)
    assert (again.opened, dict(again.outcomes), dict(again.reasons)) == (1, {"read": 12}, {})


def test_a_directory_that_cannot_be_read_or_breaks_off_is_reported(folder, target, monkeypatch):
    class Torn:
        def __init__(self, names: Iterator[os.DirEntry[str]]) -> None:
            self.names = names

        def __enter__(self) -> Torn:
            return self

        def __exit__(self, *_: object) -> None:
            self.names.close()

        def __iter__(self) -> Iterator[os.DirEntry[str]]:
            yield next(self.names)
            raise OSError(errno.EIO, "broken")

    def scandir(path: str):
        if path.endswith("/1"):
            raise PermissionError(errno.EACCES, "denied")
        return Torn(real(path)) if path.endswith("/2") else real(path)

    real = os.scandir
    monkeypatch.setattr(os, "scandir", scandir)
    found = scan(folder, target)
    assert dict(found.outcomes) == {"read": 5, "damaged": 2}
    assert {path for path, row in rows(target).items() if row["outcome"] == "damaged"} == {"1", "2"}


def test_a_file_that_kills_its_reader_loses_only_itself(folder, target, monkeypatch):
    for number in range(12, 400):
        os.link(folder / "0/00.dcm", folder / f"0/{number:03}.dcm")

    def kill(path: str):
        if path.endswith("1/06.dcm"):
            os._exit(1)
        return real(path)

    real = reading.read_header
    monkeypatch.setattr(reading, "read_header", kill)
    found = scan(folder, target, workers=2)
    assert dict(found.outcomes) == {"read": 11, "duplicate": 388, "damaged": 1}
    assert rows(target)["1/06.dcm"]["reason"] == "its reader died"


def test_names_that_are_no_utf8_are_listed_and_known_again(folder, target):
    odd = os.fsencode(folder) + b"/0/caf\xe9.dcm"
    Path(os.fsdecode(odd)).write_bytes((folder / "0/00.dcm").read_bytes()[:-2])
    found = scan(folder, target)
    assert found.outcomes["duplicate"] == 1 and "0/caf\\xe9.dcm" in rows(target)
    assert scan(folder, target).opened == 0


def test_a_folder_is_read_as_a_stream(folder):
    asked = 0

    def endless() -> Iterator[Entry]:
        nonlocal asked
        while True:
            asked += 1
            yield Entry("0/00.dcm", 1, 1)

    chunks = read_all(folder, endless(), 2, KEYS)
    assert len(next(chunks).entries) == CHUNK and asked < 20 * CHUNK
    chunks.close()


def test_readers_end_with_a_scan_that_is_broken_off(folder):
    chunks = read_all(folder, repeat(Entry("0/00.dcm", 1, 1)), 2, KEYS)
    next(chunks)
    assert len(active_children()) == 2
    chunks.close()
    assert not active_children()


def test_readers_end_with_the_program_that_leads_them_even_if_it_is_killed(folder):
    program = """
import sys
from itertools import repeat
from multiprocessing import active_children
from pathlib import Path
from compliance.archive.folder import read_all
from compliance.archive.keys import Keys
from compliance.archive.reading import Entry
for chunk in read_all(Path(sys.argv[1]), repeat(Entry("0/00.dcm", 1, 1)), 3, Keys(None)):
    print(*(one.pid for one in active_children()), flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, text=True) as leader:
        assert leader.stdout
        readers = [Path(f"/proc/{pid}") for pid in leader.stdout.readline().split()]
        leader.kill()
    assert len(readers) == 3
    until = time.monotonic() + 30
    while any(map(runs, readers)):
        assert time.monotonic() < until
        time.sleep(0.05)


def runs(process: Path) -> bool:
    """Tell whether a process is there, and not merely waiting for its parent to ask how it ended."""
    try:
        return process.joinpath("stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_walk_finds_regular_files_only(folder):
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to(folder)
    (folder / "link.dcm").symlink_to(folder / "0/00.dcm")
    (folder / "dangling").symlink_to(folder / "nothing")
    found = {entry.path: entry.size for some in walk(folder) for entry in some}
    assert len(found) == 14 and found["dangling"] == -1 and found["link.dcm"] == found["0/00.dcm"]


def test_where_files_are_waited_for_several_are_opened_at_a_time(folder, monkeypatch):
    together = threading.Barrier(4, timeout=30)

    def wait(path: str):
        together.wait()
        return real(path)

    real = reading.read_header
    monkeypatch.setattr(reading, "read_header", wait)
    reader = Reader(str(folder), KEYS, waiting=True)
    lines = reader.read([entry for some in walk(folder) for entry in some if entry.path.startswith("0/")])
    assert lines.count('"outcome":"read"') == 4


def test_moved_replaced_and_gone_files_are_told(folder, target):
    scan(folder, target)
    (folder / "0/00.dcm").rename(folder / "moved.dcm")
    (folder / "1/04.dcm").unlink()
    other = (folder / "2/08.dcm").read_bytes()
    (folder / "2/09.dcm").write_bytes(other)
    os.utime(folder / "2/10.dcm", ns=(1, 1))
    found = scan(folder, target)
    assert dict(found.changes) == {"moved": 1, "replaced": 1, "gone": 1} and found.opened == 3
    table = rows(target)
    assert table["moved.dcm"]["reason"] == "moved from 0/00.dcm" and table["2/10.dcm"]["reason"] == ""
    assert (table["2/09.dcm"]["outcome"], len(table)) == ("duplicate", 11)
    later = scan(folder, target)
    assert (later.opened, dict(later.changes), rows(target)["moved.dcm"]["reason"]) == (0, {}, "moved from 0/00.dcm")


def test_a_file_replaced_by_one_of_the_same_size_is_noticed_by_its_time(folder, target):
    scan(folder, target)
    place = folder / "0/01.dcm"
    content = place.read_bytes()
    uid = rows(target)["0/01.dcm"]["sop_uid"].encode()
    place.write_bytes(content.replace(uid, uid[:-1] + (b"1" if uid[-1:] != b"1" else b"2")))
    os.utime(place, ns=(7, 7))
    assert place.stat().st_size == len(content)
    found = scan(folder, target)
    assert (found.opened, dict(found.changes)) == (1, {"replaced": 1})
    assert rows(target)["0/01.dcm"]["reason"] == "replaced: other content stood here before"


def test_a_rescan_ends_like_a_scan_from_nothing(folder, target, tmp_path):
    scan(folder, target)
    (folder / "0/00.dcm").write_bytes((folder / "2/11.dcm").read_bytes())
    (folder / "2/08.dcm").unlink()
    changed, fresh = scan(folder, target), scan(folder, tmp_path / "fresh.parquet")
    assert changed.digest == fresh.digest and changed.outcomes == fresh.outcomes
    kept = [{**row, "reason": ""} for row in rows(target).values()]
    assert kept == [{**row, "reason": ""} for row in rows(tmp_path / "fresh.parquet").values()]


def test_a_rescan_that_finds_nothing_new_only_moves_the_time_of_the_scan(folder, target):
    first = scan(folder, target)
    again = scan(folder, target, at="2027-01-01T00:00:00+00:00")
    assert (again.opened, again.digest, again.outcomes, again.studies) == (
        0,
        first.digest,
        first.outcomes,
        first.studies,
    )
    opened = inventory.open_inventory(target)
    assert (
        opened.about["scanned_at"] == "2027-01-01T00:00:00+00:00" and opened.table("files") and opened.table("series")
    )


def test_with_another_secret_everything_is_read_again_and_nothing_called_replaced(folder, target):
    scan(folder, target)
    found = scan(folder, target, keys=Keys(b"another secret of tests"))
    assert (found.opened, dict(found.changes)) == (12, {})


def test_a_scan_broken_off_twice_reads_no_file_twice(folder, target, monkeypatch):
    opened: list[str] = []

    def count(path: str):
        if len(opened) in (4, 9):
            opened.append("")
            raise KeyboardInterrupt
        opened.append(path)
        return real(path)

    real = reading.read_header
    monkeypatch.setattr("compliance.archive.folder.CHUNK", 1)
    monkeypatch.setattr(reading, "read_header", count)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            scan(folder, target)
    whole = scan(folder, target)
    read = [path for path in opened if path]
    assert len(read) == len(set(read)) == 12 and dict(whole.outcomes) == {"read": 12}
    assert not list(target.parent.glob(".*journal*"))


def test_a_torn_journal_costs_only_the_torn_line(folder, target):
    lines = Reader(str(folder), KEYS).read(sorted(chain.from_iterable(walk(folder))))
    target.with_name(f".{target.name}.journal").write_text(lines[:-30])
    assert scan(folder, target).opened == 1


def test_what_is_no_folder_is_refused(folder, target):
    with pytest.raises(InventoryError, match="is no folder"):
        scan(folder / "0/00.dcm", target)
