"""The files of a law base: which there are, the digest of their content, and whether they are as they were last time.

Reading every file to know that none has changed costs more than a decision. So the digest is kept in the cache folder
beside what the file system says of every file; it holds only while all of that stays the same.
"""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from compliance.law.compiled import folder as cache
from compliance.law.compiled import put

OWN = ("facts.yaml", "jurisdictions.yaml", "VERSION")
_DIGEST = len("sha256:") + 64
SETTLED = 2 * 10**9  # nanoseconds; the coarsest clock of a file system (FAT) ticks every two seconds


def shipped() -> Path:
    """Return the folder of the law base that comes with this package."""
    inside = Path(__file__).parents[1] / "_laws"
    return inside if inside.is_dir() else Path(__file__).parents[3] / "laws"


def sources_of(folder: Path) -> dict[str, Path]:
    """Return the files of a law base by their name in messages: `facts.yaml`, `US/21-cfr-900-12.yaml`, `VERSION`."""
    names = sorted(name for name, _ in _law_files(folder))
    return {**{name: Path(_own(folder, name)) for name in OWN}, **{name: folder / name for name in names}}


def _own(folder: Path, name: str) -> str:
    own = os.path.join(folder, name)  # noqa: PTH118 - a path object a file is half of what this module saves
    return own if os.path.isfile(own) else str(shipped() / name)  # noqa: PTH113


def _law_files(folder: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    with os.scandir(folder) as places:
        for place in places:
            if place.is_dir():
                with os.scandir(place.path) as files:
                    yield from ((f"{place.name}/{file.name}", file) for file in files if file.name.endswith(".yaml"))


def digest_of(sources: Mapping[str, Path]) -> str:
    """Return the digest of a law base's content, whatever the order of its files."""
    import hashlib  # loads OpenSSL: not where the digest is known

    whole = hashlib.sha256()
    for name, path in sorted(sources.items()):
        content = path.read_bytes() if path.is_file() else b""
        whole.update(f"{name}\0{len(content)}\0".encode("utf-8", "surrogateescape") + content)
    return f"sha256:{whole.hexdigest()}"


def known_digest(folder: Path) -> str:
    """Return the digest of the law base in a folder; files are read only where one may have changed since last time."""
    now = time.time_ns()
    seen = _state(folder)
    mark = cache() / f"seen-{zlib.crc32(os.fsencode(folder.absolute())):08x}"
    if seen is not None and (digest := _noted(mark, seen)):
        return digest
    found = digest_of(sources_of(folder))
    if seen is not None and seen.settled(now):
        put(mark, _note(found, seen))
    return found


def _noted(mark: Path, seen: _State) -> str:
    """Return the digest kept for a state, empty where there is none or what is kept is damaged."""
    try:
        kept = mark.read_bytes()
    except OSError:
        return ""
    digest = kept[:_DIGEST].decode("latin-1")
    return digest if kept == _note(digest, seen) else ""


def _note(digest: str, seen: _State) -> bytes:
    whole = digest.encode("latin-1") + b"\n" + seen.text
    return whole + b"\n%08x" % zlib.crc32(whole)


class _State:
    """What the file system says of the files of a law base."""

    def __init__(self, folder: Path, files: Mapping[str, os.stat_result]) -> None:
        lines = (f"{name}\0{s.st_size} {s.st_mtime_ns} {s.st_ctime_ns} {s.st_ino}" for name, s in sorted(files.items()))
        self.text = "\n".join([str(folder.absolute()), *lines]).encode("utf-8", "surrogateescape")
        self._changed = [s.st_ctime_ns for s in files.values()]
        self._newest = max(max(s.st_mtime_ns, s.st_ctime_ns) for s in files.values())

    def settled(self, now: int) -> bool:
        """Every later change will show.

        A file changed twice within a tick of the clock looks the same after both changes, so none may be as young as a
        tick (git calls this racy). The time of change cannot be set back by a program, as the time of modification can;
        Windows has none, and an image of a file system made anew may give all its files one time, in whole seconds.
        """
        fine = any(moment % 10**9 for moment in self._changed)
        return os.name == "posix" and fine and self._newest < now - SETTLED


def _state(folder: Path) -> _State | None:
    try:
        files = {name: os.stat(_own(folder, name)) for name in OWN}  # noqa: PTH116
        return _State(folder, {**files, **{name: file.stat() for name, file in _law_files(folder)}})
    except OSError:
        return None  # reading will say what is wrong
