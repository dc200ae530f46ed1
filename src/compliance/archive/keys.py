"""Patient keys: a keyed hash over (issuer, else institution) and id, so that no inventory carries a patient's id."""

from __future__ import annotations

import csv
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from compliance.errors import InventoryError


def default_key_file() -> Path:
    """Return where the secret lies unless told otherwise."""
    try:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    except RuntimeError:
        raise InventoryError("no home folder to keep the patient key in: set COMPLIANCE_KEY or name a file") from None
    return base / "imaging-compliance" / "patient-key"


def read_secret(file: Path | None = None) -> bytes:
    """Return the secret: `COMPLIANCE_KEY`, else the file, which is made on first use and readable by its owner only."""
    if file is None and (word := os.environ.get("COMPLIANCE_KEY")):
        return word.encode()
    path = file or default_key_file()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
                out.write(secrets.token_hex(32) + "\n")
        except FileExistsError:
            pass  # another run made it first
    secret = path.read_bytes().strip()
    if len(secret) < 16:
        raise InventoryError(f"{path} holds no secret of 16 characters or more. Delete it to have one made.")
    return secret


@dataclass(frozen=True)
class Keys:
    """Makes patient keys; `merged` maps (issuer, id) that was merged to the id that stays."""

    secret: bytes | None  # None: the plain id is kept, as the user asked
    merged: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Tell one secret (and list of merged ids) from another without showing it."""
        what = (self.secret or b"plain") + repr(sorted(self.merged.items())).encode()
        return hashlib.sha256(what).hexdigest()[:12]

    def key(self, issuer: str | None, institution: str | None, patient_id: str | None) -> str | None:
        """Return the key of a patient, None without an id."""
        if not patient_id or not patient_id.strip():
            return None
        who = (issuer or "", patient_id.strip())
        issuer, patient_id = self.merged.get(who, who)
        realm = issuer or institution or ""
        if self.secret is None:
            return f"{realm}/{patient_id}" if realm else patient_id
        return hmac.new(self.secret, f"{realm}\0{patient_id}".encode(), hashlib.sha256).hexdigest()[:32]


def read_merged(file: Path) -> dict[tuple[str, str], tuple[str, str]]:
    """Read merged ids: a CSV with the columns issuer, id, into_issuer, into_id."""
    with file.open(newline="", encoding="utf-8-sig") as lines:
        rows = csv.DictReader(lines)
        wanted = {"issuer", "id", "into_issuer", "into_id"}
        if not wanted <= set(rows.fieldnames or ()):
            raise InventoryError(
                f"{file} needs the columns {', '.join(sorted(wanted))}, has {', '.join(rows.fieldnames or ())}"
            )
        return {(r["issuer"] or "", r["id"]): (r["into_issuer"] or "", r["into_id"]) for r in rows}
