"""An audit from the shell goes by the store's holds and waivers beside the profile's, and is registered there."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select
from sqlmodel import Session

from compliance.audit.profile import Profile
from compliance.audit.waivers import Waiver
from compliance.law.dates import read_edtf
from compliance.service import audits, keys, ledger, writing
from compliance.service.serving import hold_of
from compliance.service.store import Store, now
from compliance.service.tables import Holds, Waivers


def joined(profile: Profile, store: Store) -> Profile:
    """Return the profile with the store's holds, and a digest that says so; raises StoreError for one that cannot be read."""
    rows = store.read(lambda session: list(session.execute(select(Holds).order_by(Holds.id)).scalars()))
    holds = (*profile.holds, *(hold_of(row, profile.knowledge) for row in rows))
    state = [profile.digest, *(f"{row.id} {row.issued} {row.released} {writing.digest(row.scope)}" for row in rows)]
    digest = hashlib.sha256("\n".join(state).encode()).hexdigest()
    return replace(profile, holds=holds, digest=f"sha256:{digest}") if rows else profile


def waivers(store: Store) -> tuple[Waiver, ...]:
    """Return the waivers that were not withdrawn."""
    wanted = select(Waivers).where(Waivers.withdrawn == "").order_by(Waivers.added)
    rows = store.read(lambda session: list(session.execute(wanted).scalars()))
    return tuple(
        Waiver(
            reason=row.reason, owner=row.owner, until=read_edtf(row.until), fingerprint=row.fingerprint, match=row.match
        )
        for row in rows
    )


def add(store: Store, report: Path) -> str:
    """Register the audit whose report lies in a folder; return its id. The same one again changes nothing."""
    with tempfile.TemporaryFile() as file:
        summary = json.loads((report / "summary.json").read_text(encoding="utf-8"))
        file.write(json.dumps(summary, ensure_ascii=False, sort_keys=True).encode() + b"\n")
        with (report / "findings.jsonl").open("rb") as findings:
            for line in findings:
                file.write(line)
        file.seek(0)
        id = hashlib.file_digest(file, "sha256").hexdigest()[:24]

        def work(session: Session) -> str:
            ledger.lock(session)
            at = now()
            done = audits.store(session, file, id, at)
            ledger.append(session, at, keys.me(), done.act, done.subject, done.body)
            return id

        return store.write(work)
