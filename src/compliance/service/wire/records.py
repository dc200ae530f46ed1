"""What the store holds: holds, waivers, approvals, signatures, clients, webhooks, audits, findings, the ledger."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from compliance.service.wire.decisions import Laws


class Hold(Struct):
    """A hold, of the store or of the profile."""

    id: str
    scope: Any
    issued_by: str
    issued: str | None
    review_by: str | None
    released: str | None
    released_by: str
    trigger: str
    register: Literal["store", "profile"]
    matter: str = ""


class Waiver(Struct):
    """A waiver."""

    id: str
    fingerprint: str
    match: dict[str, str]
    reason: str
    owner: str
    until: str
    added_by: str
    added: str
    withdrawn: str


class Approval(Struct):
    """An approval."""

    id: str
    subject: str
    digest: str
    by: str
    role: str
    note: str
    added: str


class SignOff(Struct):
    """A signature under one state of a law file."""

    id: str
    statute: str
    digest: str
    by: str
    role: str
    note: str
    added: str
    current: bool


class Client(Struct):
    """Who may call."""

    id: str
    name: str
    scopes: list[str]
    added: str
    revoked: str
    key: str | UnsetType = UNSET


class Webhook(Struct):
    """Where events go; the secret is shown once."""

    id: str
    url: str
    events: list[str]
    added: str
    removed: str
    secret: str | UnsetType = UNSET


class Finding(Struct):
    """One finding of one audit."""

    number: int
    audit: str
    fingerprint: str
    level: str
    code: str
    site: str
    study: str
    record: str
    norm: str
    citation: str
    message: str
    bytes: int
    waived: str


class Audit(Struct):
    """One run of an audit."""

    id: str
    inventory: str
    profile: str
    as_of: str
    laws: Laws
    findings: int
    summary: dict[str, Any]
    added: str


class Entry(Struct):
    """One entry of the ledger."""

    number: int
    at: str
    actor: str
    act: str
    subject: str
    body: dict[str, Any]
    previous: str
    digest: str


class Findings(Struct):
    """A page of findings; `next` is the cursor of the next page, null on the last."""

    items: list[Finding]
    next: str | None


class Audits(Struct):
    """A page of audits."""

    items: list[Audit]
    next: str | None


class Entries(Struct):
    """A page of the ledger."""

    items: list[Entry]
    next: str | None
