"""The ledger: what was done, by whom and when, each entry hashed onto the one before.

An entry's digest is SHA-256 over the JSON array of its number, moment, actor, act, subject, body and the digest before
it. Whoever may write to the database could hash the whole chain anew: note a head (`compliance ledger head`) outside.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import desc, select, text
from sqlmodel import Session, SQLModel

from compliance.service import sisters
from compliance.service.tables import Ledger

START = "0" * 64
_LOCK = 2021122  # the key of the advisory lock that all who append take


@dataclass(frozen=True, slots=True)
class Broken:
    """The first entry that is not what was written."""

    number: int
    why: str


def digest_of(entry: Ledger) -> str:
    """Return the digest that an entry must have."""
    whole = [entry.number, entry.at, entry.actor, entry.act, entry.subject, entry.body, entry.previous]
    return hashlib.sha256(
        json.dumps(whole, ensure_ascii=False, separators=(",", ":"), default=repr).encode()
    ).hexdigest()


def lock(session: Session) -> None:
    """Let one writer at a time append; on SQLite the transaction has the write lock already (BEGIN IMMEDIATE)."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def append(
    session: Session,
    at: str,
    actor: str,
    act: str,
    subject: str,
    body: Mapping[str, Any],
    row: SQLModel | None = None,
) -> Ledger:
    """Append an entry in the running transaction, which holds the lock until it ends; `row`: what it writes elsewhere."""
    if row is not None:
        body = {**body, "row": sisters.written(row)}
    lock(session)
    last = session.execute(select(Ledger).order_by(desc(Ledger.number)).limit(1)).scalar_one_or_none()
    entry = Ledger(
        number=last.number + 1 if last else 1, at=at, actor=actor, act=act, subject=subject,
        body=json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")),
        previous=last.digest if last else START, digest="",
    )  # fmt: skip
    entry.digest = digest_of(entry)
    session.add(entry)
    session.flush()
    return entry


def entries(session: Session, after: int = 0, many: int = 1000) -> Iterator[Ledger]:
    """Yield the entries in order, read a page at a time."""
    while (
        page := session.execute(select(Ledger).where(Ledger.number > after).order_by(Ledger.number).limit(many))
        .scalars()
        .all()
    ):
        yield from page
        after = page[-1].number
        session.expunge_all()


def verify(session: Session, head: tuple[int, str] | None = None) -> tuple[int, str, Broken | None]:
    """Return how many entries hold, the digest of the last one, and the first that is broken.

    `head`: an entry noted earlier, which must still be there.
    """
    number, previous = 0, START
    for entry in entries(session, -(2**63)):
        if entry.number < 1:
            return number, previous, Broken(entry.number, "was never written by this program")
        if entry.number != number + 1:
            return number, previous, Broken(number + 1, "is missing")
        if entry.previous != previous:
            return number, previous, Broken(entry.number, "does not follow the entry before it")
        if entry.digest != digest_of(entry):
            return number, previous, Broken(entry.number, "was changed after it was written")
        number, previous = entry.number, entry.digest
        if head and head[0] == number and head[1] != previous:
            return number - 1, entry.previous, Broken(number, "is not the entry that was noted")
    if head and head[0] > number:
        return number, previous, Broken(number + 1, f"is missing: entry {head[0]} was noted")
    return number, previous, None


def check(
    session: Session, head: tuple[int, str] | None = None
) -> tuple[int, str, Broken | None, tuple[sisters.Differs, ...]]:
    """Return what `verify` finds and, where the chain holds, the rows of other tables that are not as it says.

    The session must be new: all of it is read as of one moment.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    number, digest, broken = verify(session, head)
    if broken is not None:
        return number, digest, broken, ()
    bodies = ((entry.number, entry.body) for entry in entries(session))
    return number, digest, None, tuple(sisters.differences(session, bodies))
