"""What a decision says, and what a refusal says (RFC 9457)."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

Disposition = Literal["retain", "may_purge", "must_purge", "held", "undetermined", "conflict"]


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
