"""The compiled build of a law base: its trees as JSON, so that start-up pays neither for YAML nor for lint.

It lies in the user's cache folder under the digest of the sources (a changed source has another digest, so a stale
build is never looked at) and begins with a hash of itself (a damaged one is ignored and written anew). A line holds a
tree; it is read when the tree is asked for.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from compliance.law.yaml import Node, Plain

FORMAT = 3


def folder() -> Path:
    """Return the cache folder (`COMPLIANCE_CACHE`, else the user's)."""
    own = os.environ.get("COMPLIANCE_CACHE")
    return Path(own) if own else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "imaging-compliance"


def _path(digest: str) -> Path:
    return folder() / f"laws-{FORMAT}-{digest.removeprefix('sha256:')[:32]}.json"


class Trees(Mapping[str, Node]):
    """Trees by name, each made from its text when it is asked for."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self.texts = texts
        self._made: dict[str, Node] = {}

    def __getitem__(self, name: str) -> Node:
        if name not in self._made:
            self._made[name] = Node.wrap(json.loads(self.texts[name]))
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts)

    def __len__(self) -> int:
        return len(self.texts)

    def __getstate__(self) -> Mapping[str, bytes]:
        return self.texts

    def __setstate__(self, texts: Mapping[str, bytes]) -> None:
        self.__init__(texts)  # type: ignore[misc]


def read(digest: str) -> Trees | None:
    """Return the trees of the base with this digest, None where there is no sound build."""
    try:
        head, _, body = _path(digest).read_bytes().partition(b"\n")
    except OSError:
        return None
    if head.decode("ascii", "replace") != f"{digest} {hashlib.sha256(body).hexdigest()}":
        return None
    lines = (line.partition(b"\t") for line in body.splitlines())
    return Trees({name.decode(): text for name, _, text in lines})


def write(digest: str, trees: Mapping[str, Plain]) -> None:
    """Write the build aside and rename it; a folder that cannot be written to is no fault."""
    import tempfile

    lines = (f"{name}\t{json.dumps(tree, separators=(',', ':'))}" for name, tree in trees.items())
    body = "\n".join(lines).encode()
    try:
        folder().mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder(), delete=False) as aside:
            aside.write(f"{digest} {hashlib.sha256(body).hexdigest()}\n".encode() + body)
        Path(aside.name).replace(_path(digest))
    except OSError:
        return
