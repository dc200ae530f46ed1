"""The compiled build of a law base: its trees as JSON, so that start-up pays neither for YAML nor for lint.

It lies in the user's cache folder under the digest of the sources (a changed source has another digest, so a stale
build is never looked at) and begins with a hash of itself (a damaged one is ignored and written anew).
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from compliance.law.yaml import Node, Plain

FORMAT = 1


def folder() -> Path:
    """Return the cache folder (`COMPLIANCE_CACHE`, else the user's)."""
    own = os.environ.get("COMPLIANCE_CACHE")
    return Path(own) if own else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "imaging-compliance"


def _path(digest: str) -> Path:
    return folder() / f"laws-{FORMAT}-{digest.removeprefix('sha256:')[:32]}.json"


def read(digest: str) -> dict[str, Node] | None:
    """Return the trees of the base with this digest, None where there is no sound build."""
    try:
        head, _, body = _path(digest).read_bytes().partition(b"\n")
    except OSError:
        return None
    if head.decode("ascii", "replace") != f"{digest} {hashlib.sha256(body).hexdigest()}":
        return None
    return {name: Node.wrap(tree) for name, tree in json.loads(body).items()}


def write(digest: str, trees: Mapping[str, Plain]) -> None:
    """Write the build aside and rename it; a folder that cannot be written to is no fault."""
    body = json.dumps(trees, ensure_ascii=False, separators=(",", ":")).encode()
    try:
        folder().mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder(), delete=False) as aside:
            aside.write(f"{digest} {hashlib.sha256(body).hexdigest()}\n".encode() + body)
        Path(aside.name).replace(_path(digest))
    except OSError:
        return
