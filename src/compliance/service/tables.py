"""The tables. They store; what comes in is validated by the models of `wire.py` first (SQLModel tables do not validate).

Days and moments are ISO texts, which sort alike in every database; a moment is UTC.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Integer, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

BIG = BigInteger().with_variant(Integer(), "sqlite")


def _json() -> Any:
    return Field(sa_column=Column(JSON, nullable=False))


def _text() -> Any:
    return Field(default="", sa_column=Column(Text, nullable=False))


class Inventories(SQLModel, table=True):
    """What was scanned: where an audit's studies came from."""

    __tablename__ = "inventories"
    digest: str = Field(primary_key=True)
    name: str
    source: str = ""
    studies: int = 0
    bytes: int = Field(default=0, sa_type=BigInteger)
    added: str


class Audits(SQLModel, table=True):
    """One run of an audit, with its summary."""

    __tablename__ = "audits"
    id: str = Field(primary_key=True)
    inventory: str = Field(foreign_key="inventories.digest", index=True)
    profile: str
    as_of: str
    law_version: str
    law_digest: str
    findings: int = 0
    summary: dict[str, Any] = _json()
    added: str = Field(index=True)


class Findings(SQLModel, table=True):
    """One finding of one audit."""

    __tablename__ = "findings"
    number: int | None = Field(default=None, sa_column=Column(BIG, primary_key=True, autoincrement=True))
    audit: str = Field(foreign_key="audits.id", index=True)
    fingerprint: str = Field(index=True)
    level: str
    code: str = Field(index=True)
    site: str = ""
    study: str = Field(default="", index=True)
    record: str = ""
    norm: str = ""
    citation: str = _text()
    message: str = _text()
    bytes: int = Field(default=0, sa_type=BigInteger)
    waived: str = _text()


class Waivers(SQLModel, table=True):
    """A finding somebody answers for, until a day."""

    __tablename__ = "waivers"
    id: str = Field(primary_key=True)
    fingerprint: str = Field(default="", index=True)
    match: dict[str, Any] = _json()
    reason: str = _text()
    owner: str
    until: str
    added_by: str
    added: str
    withdrawn: str = ""
    withdrawn_by: str = ""


class Holds(SQLModel, table=True):
    """A matter for which nothing may be destroyed; it ends by a recorded release alone."""

    __tablename__ = "holds"
    id: str = Field(primary_key=True)
    scope: Any = _json()
    matter: str = _text()
    issued_by: str
    trigger: str = _text()
    issued: str
    review_by: str = ""
    added_by: str
    added: str
    released: str = Field(default="", index=True)
    released_by: str = ""
    released_why: str = _text()


class Approvals(SQLModel, table=True):
    """Somebody of a role said yes to a thing (a plan, a waiver, a release), by its digest."""

    __tablename__ = "approvals"
    __table_args__ = (UniqueConstraint("subject", "digest", "by", "role"),)
    id: str = Field(primary_key=True)
    subject: str = Field(index=True)
    digest: str
    by: str
    role: str
    note: str = _text()
    added: str


class SignOffs(SQLModel, table=True):
    """A person signed for one state of one law file."""

    __tablename__ = "sign_offs"
    __table_args__ = (UniqueConstraint("statute", "digest", "by"),)
    id: str = Field(primary_key=True)
    statute: str = Field(index=True)
    digest: str
    by: str
    role: str
    note: str = _text()
    added: str


class Clients(SQLModel, table=True):
    """Who may call: the hash of a key, never the key."""

    __tablename__ = "clients"
    id: str = Field(primary_key=True)
    name: str = Field(unique=True)
    key_hash: str = Field(unique=True)
    scopes: str
    added: str
    revoked: str = ""


class Webhooks(SQLModel, table=True):
    """Where to send events; the secret signs them."""

    __tablename__ = "webhooks"
    id: str = Field(primary_key=True)
    url: str = _text()
    secret: str
    events: str
    added_by: str
    added: str
    removed: str = ""


class Deliveries(SQLModel, table=True):
    """An event on its way to a webhook, written in the transaction that caused it."""

    __tablename__ = "deliveries"
    number: int | None = Field(default=None, sa_column=Column(BIG, primary_key=True, autoincrement=True))
    webhook: str = Field(foreign_key="webhooks.id", index=True)
    event: str
    body: str = _text()
    attempts: int = 0
    due: str = Field(index=True)
    done: str = Field(default="", index=True)
    said: str = _text()


class LawsSeen(SQLModel, table=True):
    """The law files as the service last saw them, so that a change is told."""

    __tablename__ = "laws_seen"
    statute: str = Field(primary_key=True)
    digest: str


class Replies(SQLModel, table=True):
    """What a write answered, by its idempotency key: the same write again gets the same answer."""

    __tablename__ = "replies"
    caller: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    request: str
    status: int
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    added: str = Field(index=True)


class Ledger(SQLModel, table=True):
    """What was done, by whom, when; each entry hashed onto the one before. Triggers refuse to change or delete."""

    __tablename__ = "ledger"
    number: int = Field(sa_column=Column(BIG, primary_key=True, autoincrement=False))
    at: str
    actor: str
    act: str
    subject: str = Field(index=True)
    body: str = _text()
    previous: str
    digest: str = Field(unique=True)
