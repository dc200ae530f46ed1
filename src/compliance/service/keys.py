"""Keys and the ledger from the shell: the same steps as over HTTP, each with its ledger entry."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlmodel import Session

from compliance.errors import UsageError, guess
from compliance.service import admin, ledger, wire
from compliance.service.problems import Refusal
from compliance.service.settings import SCOPES
from compliance.service.store import Store, now
from compliance.service.tables import Clients


def me() -> str:
    """Return who acts, for the ledger."""
    return f"shell:{getpass.getuser()}"


def make(store: Store, name: str, scopes: Sequence[str]) -> str:
    """Add a client and return its key; raises UsageError."""
    for scope in scopes:
        if scope not in SCOPES:
            raise UsageError(f"no scope {scope!r}. Allowed: {', '.join(SCOPES)}.{guess(scope, SCOPES)}")

    def work(session: Session) -> str:
        at = now()
        row, key = admin.new_client(session, name, scopes, at)
        ledger.append(session, at, me(), "client.created", name, {"scopes": row.scopes}, row)
        return key

    try:
        return store.write(work)
    except Refusal as error:
        raise UsageError(error.detail) from None


def every(store: Store) -> list[wire.Client]:
    """Return all clients."""
    rows = store.read(lambda session: list(session.execute(select(Clients).order_by(Clients.added)).scalars()))
    return [admin.client_of(row) for row in rows]


def revoke(store: Store, name: str) -> None:
    """Revoke the key of a client; raises UsageError."""

    def work(session: Session) -> None:
        row = session.execute(select(Clients).where(Clients.name == name)).scalar_one_or_none()
        if row is None:
            raise UsageError(f"no client {name!r} (compliance keys list)")
        row.revoked = row.revoked or now()
        ledger.append(session, now(), me(), "client.revoked", name, {}, row)

    store.write(work)


def entries(store: Store, after: int) -> Iterator[str]:
    """Yield the ledger as lines of JSON."""
    with store.reading() as session:
        for one in ledger.entries(session, after):
            yield json.dumps({**one.model_dump(), "body": json.loads(one.body)}, ensure_ascii=False)
