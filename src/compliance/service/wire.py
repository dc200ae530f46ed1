"""What goes over the wire: one declaration reads requests strictly, writes the JSON Schema, types the client.

Requests refuse unknown fields; answers may grow fields within a version (docs/api.md), so readers must pass over what
they do not know. Days are ISO texts.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Id = Annotated[str, Meta(min_length=1, max_length=200)]
Slug = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$(?!\n)", description="letters, digits, . _ : -")]
Line = Annotated[str, Meta(min_length=1, max_length=500)]
Prose = Annotated[str, Meta(max_length=4000)]
Day = Annotated[
    str,
    Meta(
        pattern=r"^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$|^[12][0-9]{3}-(0[13-9]|1[0-2])-(29|30)$"
        r"|^[12][0-9]{3}-(0[13578]|1[02])-31$|^(1[0-9]|2[0-9])([02468][048]|[13579][26])-02-29$",
        description="a day such as 2026-11-24",
    ),
]
Digest = Annotated[str, Meta(pattern=r"^sha256:[0-9a-f]{64}$(?!\n)")]
Disposition = Literal["retain", "may_purge", "must_purge", "held", "undetermined", "conflict"]
Reason = Literal["retention", "duplicate", "moved", "merged", "wrong_patient", "rejected", "request"]
Scope = Literal["read", "audit", "hold", "admin"]


class Request(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The base of what a caller sends."""


class Ask(Request):
    """A question: the facts of one study, the day asked about (the server's today if absent), an id given back."""

    facts: Annotated[dict[str, Any], Meta(description="facts by name (GET /v1/facts); `keepers` for several keepers")]
    as_of: Day | UnsetType = UNSET
    id: str | int | None = None


class Guard(Request):
    """May this object be deleted now, for this reason, with these copies left?"""

    facts: dict[str, Any]
    reason: Reason
    copies_left: Annotated[int, Meta(ge=0, le=1000, description="copies of equal quality that remain with this keeper")]
    level: Literal["study", "series", "instance"] = "study"
    id: str | int | None = None


class NewHold(Request):
    """A matter for which nothing in scope may be destroyed."""

    id: Slug
    scope: Annotated[
        dict[str, Any],
        Meta(min_length=1, description="as in a profile: study_uid, patient_key, site, modality, study_date ..."),
    ]
    issued_by: Line
    issued: Day | UnsetType = UNSET
    matter: Prose = ""
    trigger: Prose = ""
    review_by: Day | UnsetType = UNSET


class Release(Request):
    """The recorded end of a hold."""

    released_by: Line
    why: Line


class NewWaiver(Request):
    """Somebody answers for findings until a day: one fingerprint, or all that match."""

    reason: Line
    owner: Line
    until: Day
    fingerprint: Annotated[str, Meta(pattern=r"^([0-9a-f]{24})?$(?!\n)")] = ""
    match: Annotated[dict[Literal["code", "site", "study", "record", "norm"], str], Meta(max_length=5)] = {}


class NewApproval(Request):
    """A person in a role approves a thing in one state, named by its digest."""

    subject: Slug
    digest: Digest
    role: Line
    note: Prose = ""


class NewSignOff(Request):
    """A person signs for one state of a law file."""

    statute: Annotated[str, Meta(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?/[a-z0-9._-]{1,100}$(?!\n)")]
    digest: Digest
    role: Line
    note: Prose = ""


class NewClient(Request):
    """Who may call, and what for."""

    name: Slug
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=4)]


class NewWebhook(Request):
    """Where to send events."""

    url: Annotated[str, Meta(pattern=r"^https?://[^\s]+$(?!\n)", max_length=2000)]
    events: Annotated[list[Literal["hold.created", "hold.released", "laws.changed"]], Meta(min_length=1, max_length=3)]


class Problem(Struct, omit_defaults=True):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str = ""
    instance: str = ""
    errors: list[dict[str, str]] = []


class Through(Struct):
    """The last day it must exist: the first and the last day that may be it (null: none can be given)."""

    earliest: str | None
    latest: str | None
    open: bool | UnsetType = UNSET
    reason: str | UnsetType = UNSET


class Verified(Struct):
    """Whether the text of the law was seen, and when."""

    status: Literal["unverified", "secondary", "verified", "reviewed"]
    on: str | None


class NormSeen(Struct):
    """One norm that was looked at."""

    id: str
    jurisdiction: str
    kind: Literal["floor", "ceiling", "lossy", "duty"]
    force: Literal["binding", "guidance", "contract", "policy"]
    citation: str
    applies: Literal["yes", "maybe", "no"]
    why: str
    governs: bool
    verification: Verified
    retain_through: Through | UnsetType = UNSET
    destroy_by: Through | UnsetType = UNSET
    keep_original_through: Through | UnsetType = UNSET
    overridden_by: list[str] | UnsetType = UNSET


class PartSeen(Struct):
    """One record class."""

    record: str | None
    retain_through: Through
    permanent: bool
    destroy_by: str | None
    disposition: Disposition
    governing: str | None
    jurisdiction: str | UnsetType = UNSET


class KeeperSeen(Struct):
    """One keeper, where there are several."""

    jurisdiction: str | None
    facility_type: str | None
    keeper_role: str | None
    retain_through: Through
    destroy_by: str | None
    disposition: Disposition
    governing: str | None


class LossySeen(Struct):
    """From when it may be compressed with loss."""

    allowed_from: str | None
    max_ratio: float | None
    status: Literal["allowed_from", "forbidden", "undetermined", "no_norm"]
    norms: list[str]


class DutySeen(Struct):
    """What must be done before or after a purge."""

    id: str
    duty: str
    applies: Literal["yes", "maybe", "no"]
    done: bool
    citation: str
    who: str | UnsetType = UNSET
    what: str | UnsetType = UNSET
    lead: str | UnsetType = UNSET
    keep: str | UnsetType = UNSET


class Named(Struct):
    """A thing by its id."""

    id: str


class EffectSeen(Struct, rename={"condition": "if"}):
    """What a value would make of the date."""

    condition: str
    earliest_purge_date: str | None
    varies: bool | UnsetType = UNSET


class MissingSeen(Struct):
    """A fact that is not known and matters."""

    fact: str
    effect: list[EffectSeen]


class AssumedSeen(Struct):
    """An assumption that was used."""

    fact: str
    value: str
    set: str
    why: str


class ProblemSeen(Struct):
    """What is wrong with the facts."""

    code: str
    fact: str
    message: str


class Laws(Struct):
    """The state of the law base."""

    version: str
    digest: str


class ChangeSeen(Struct):
    """The next enacted change of a norm that governs."""

    norm: str
    on: str


class Decision(Struct):
    """From which day the study may lawfully be purged, under which norm, and what comes first."""

    as_of: str
    disposition: Disposition
    retain_through: Through
    permanent: bool
    binding_retain_through: Through
    earliest_purge_date: str | None
    destroy_by: str | None
    ready: bool
    valid_on: str
    next_change: ChangeSeen | None
    lossy: LossySeen
    norms: list[NormSeen]
    parts: list[PartSeen]
    keepers: list[KeeperSeen]
    duties: list[DutySeen]
    holds: list[Named]
    missing: list[MissingSeen]
    assumed: list[AssumedSeen]
    problems: list[ProblemSeen]
    laws: Laws
    id: str | int | None = None


class Brief(Struct):
    """A decision without its grounds (`detail=brief`)."""

    as_of: str
    disposition: Disposition
    ready: bool
    retain_through: Through
    permanent: bool
    earliest_purge_date: str | None
    destroy_by: str | None
    governing: str | None
    missing: list[str]
    open_duties: list[str]
    next_change: str | None
    held: bool
    bad_data: bool
    id: str | int | None = None


class Unanswered(Struct):
    """A question that could not be read, in its place."""

    id: str | int | None
    error: Problem


class Verdict(Struct):
    """The answer of the guard: `allowed` is true on `ready` alone."""

    allowed: bool
    because: str
    citation: str
    disposition: Disposition
    earliest_purge_date: str | None
    as_of: str
    holds: list[Named]
    open_duties: list[str]
    laws: Laws
    id: str | int | None = None


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
    """An age of majority from a day on."""

    since: str
    age: int
    citation: str


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
