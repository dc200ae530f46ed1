"""The law base as data."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from compliance.service.wire.decisions import Laws


class VersionText(Struct):
    """What a norm says from a day on."""

    since: str
    period: str
    scope: Any
    repealed: bool
    duty: str
    who: str
    what: str
    lead: str
    max_ratio: float | None
    note: str


class VerificationText(Struct):
    """Who saw the text, where and when."""

    status: str
    on: str | None
    by: str
    source: list[str]
    note: str


class NormText(Struct):
    """One norm of a statute; `versions` newest first, on a day only those in force or perhaps in force."""

    id: str
    kind: str
    force: str
    citation: str
    says: str
    images: str
    scope: Any
    overrides: list[str]
    versions: list[VersionText]
    verification: VerificationText
    url: str


class Statute(Struct):
    """One law file; `digest` is what a signature is for."""

    id: str
    jurisdiction: str
    title: str
    title_en: str
    citation: str
    force: str
    url: str
    digest: str
    norms: list[NormText]


class StatuteLine(Struct):
    """One law file in a list."""

    id: str
    jurisdiction: str
    title: str
    citation: str
    force: str
    norms: int


class Statutes(Struct):
    """A page of law files."""

    items: list[StatuteLine]
    next: str | None
    laws: Laws


class MajorityText(Struct):
    """An age of majority from a day on. `verification` is verified, secondary, or unverified: from memory, never counted from."""

    since: str
    age: int
    citation: str
    verification: str


class ResearchText(Struct):
    """What was looked for, for one type of keeper."""

    facility_type: str
    status: str
    on: str | None
    searched: str


class Jurisdiction(Struct):
    """A place."""

    code: str
    name: str
    within: str | None
    majority: list[MajorityText]
    researched: list[ResearchText]
    statutes: int


class Jurisdictions(Struct):
    """All places."""

    items: list[Jurisdiction]
    laws: Laws


class FactText(Struct):
    """A fact of the vocabulary."""

    name: str
    type: str
    says: str
    source: str
    values: list[str]
    open: bool
    tense: str
    identifiable: bool


class Facts(Struct):
    """The vocabulary."""

    items: list[FactText]
    laws: Laws
