"""What a caller sends; unknown fields are refused."""

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
        pattern=r"^([12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|[12][0-9]{3}-(0[13-9]|1[0-2])-(29|30)"
        r"|[12][0-9]{3}-(0[13578]|1[02])-31|[12][0-9](0[48]|[2468][048]|[13579][26])-02-29|(1[26]|2[048])00-02-29)$(?!\n)",
        description="a day such as 2026-11-24",
    ),
]
Digest = Annotated[str, Meta(pattern=r"^sha256:[0-9a-f]{64}$(?!\n)")]
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
