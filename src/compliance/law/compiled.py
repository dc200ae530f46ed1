"""The compiled build of a law base: its trees as JSON, so that start-up pays neither for YAML nor for lint.

It lies in the user's cache folder under the digest of the sources (a changed source has another digest, so a stale
build is never looked at) and begins with a checksum of itself (a damaged one is ignored and written anew). Trees stand
one behind the other and an index says where; a tree is read when it is asked for.
"""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from compliance.law.yaml import Node, Plain

FORMAT = 5


def folder() -> Path:
    """Return the cache folder (`COMPLIANCE_CACHE`, else the user's); a user without a home keeps nothing."""
    own = os.environ.get("COMPLIANCE_CACHE")
    try:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        base = os.devnull  # nothing lies below it
    return Path(own) if own else Path(base) / "imaging-compliance"


def _path(digest: str) -> Path:
    return folder() / f"laws-{FORMAT}-{digest.removeprefix('sha256:')[:32]}.json"


class Trees(Mapping[str, Node]):
    """Trees by name, each made from its place in `content` (behind `start`) when it is asked for."""

    def __init__(self, content: bytes, start: int, places: Mapping[str, tuple[int, int]]) -> None:
        self._content, self._start, self._places = content, start, places
        self._made: dict[str, Node] = {}

    def __getitem__(self, name: str) -> Node:
        if name not in self._made:
            first, last = (self._start + place for place in self._places[name])
            self._made[name] = Node.wrap(json.loads(self._content[first:last]))
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __reduce__(self) -> tuple[type[Trees], tuple[bytes, int, Mapping[str, tuple[int, int]]]]:
        return Trees, (self._content, self._start, self._places)


class Build(Trees):
    """All trees of a law base, its version and its digest."""

    def __init__(
        self, digest: str, version: str, content: bytes, start: int, places: Mapping[str, tuple[int, int]]
    ) -> None:
        super().__init__(content, start, places)
        self.digest, self.version = digest, version

    def statutes(self, part: str = "") -> Trees:
        """Return the trees of the law files (or a part of them that is set apart) by the ids of their statutes."""
        end = f".yaml#{part}" if part else ".yaml"
        named = ((name, place) for name, place in self._places.items() if "/" in name and name.endswith(end))
        return Trees(self._content, self._start, {name.removesuffix(end): place for name, place in named})


def read(digest: str) -> Build | None:
    """Return the build of the base with this digest, None where there is no sound one."""
    try:
        content = _path(digest).read_bytes()
    except OSError:
        return None
    index = content.find(b"\n") + 1
    with memoryview(content) as whole:  # some MB: slices of it are not copied
        if whole[:index] != f"{digest} {zlib.crc32(whole[index:]):08x}\n".encode():
            return None
    start = content.index(b"\n", index) + 1
    version, places = json.loads(content[index:start])
    return Build(digest, version, content, start, places)


def write(digest: str, version: str, trees: Mapping[str, Plain]) -> None:
    """Write the build."""
    body, places = bytearray(), {}
    for name, tree in trees.items():
        start = len(body)
        body += json.dumps(tree, separators=(",", ":")).encode()
        places[name] = (start, len(body))
    rest = json.dumps([version, places], separators=(",", ":")).encode() + b"\n" + body
    put(_path(digest), f"{digest} {zlib.crc32(rest):08x}\n".encode() + rest)


def put(place: Path, content: bytes) -> None:
    """Write a file of the cache aside and rename it; a folder that cannot be written to is no fault."""
    import tempfile

    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as aside:
            pass
        try:
            Path(aside.name).write_bytes(content)
            Path(aside.name).replace(place)
        except OSError:  # such as a full disk
            Path(aside.name).unlink()
