"""The shape of a law file: Statute, Norm, Version, Verification (its cases: `case`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from compliance.law import periods, scopes
from compliance.law.case import CASES, Case, ratio
from compliance.law.conditions import MAYBE, NO, YES, Condition, Truth, facts_in
from compliance.law.dates import DateRange, read_edtf
from compliance.law.periods import Period, PeriodShape, facts_of, lines
from compliance.law.scopes import ALWAYS, Scope, ScopeShape
from compliance.law.shape import Key, ListOf, Record, Text, boolean
from compliance.law.vocabulary import Vocabulary

KINDS = ("floor", "ceiling", "lossy", "duty")
FORCES = ("binding", "guidance", "contract", "policy")
STATUSES = ("unverified", "secondary", "verified", "reviewed")
DUTIES = ("notify", "publish", "log", "certificate", "consent", "approval", "deliver", "keep")
BEFORE_PURGE = frozenset(DUTIES) - {"log", "certificate"}


class Verification(NamedTuple):
    """Who saw what, where and when: the evidence behind a norm."""

    status: str
    on: DateRange | None = None
    by: str = ""
    source: tuple[str, ...] = ()
    archived: str = ""
    note: str = ""

    @property
    def sure(self) -> bool:
        """Seen at least in a secondary source; unverified law holds images back but never frees them."""
        return self.status != "unverified"


class Version(NamedTuple):
    """What a norm says from a day on, perhaps for some records only."""

    since: DateRange
    scope: Scope = ALWAYS
    period: Period | None = None
    repealed: bool = False
    max_ratio: float | None = None
    duty: str = ""
    who: str = ""
    what: str = ""
    lead: str = ""
    citation: str = ""
    note: str = ""

    def in_force(self, as_of: int) -> Truth:
        """A partial `from` makes it maybe in force inside its span."""
        if self.since.latest <= as_of:
            return YES
        return NO if as_of < self.since.earliest else MAYBE

    @property
    def lead_days(self) -> tuple[int, str]:
        """The lead time as count and unit, (0, "day") where there is none."""
        if not self.lead:
            return 0, "day"
        count, unit = self.lead.split()
        return int(count), unit.rstrip("s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Norm:
    """One rule of a statute. `id` is the full id, `US-CA/22-ccr-70751#records`."""

    id: str
    kind: str
    citation: str
    says: str
    versions: tuple[Version, ...]
    verification: Verification
    jurisdiction: str
    force: str
    url: str = ""
    images: str = ""
    sanction: str = ""
    scope: Scope = ALWAYS
    overrides: tuple[str, ...] = ()
    yields: str = ""
    open: bool = False
    formerly: tuple[str, ...] = ()
    note: str = ""
    is_gap: bool = False

    def conditions(self) -> tuple[Condition, ...]:
        """Return every condition of its scope and of its versions' scopes."""
        return (*self.scope.conditions(), *(c for version in self.versions for c in version.scope.conditions()))

    def facts(self) -> frozenset[str]:
        """Return every fact that its scopes and periods ask about."""
        asked = {fact for condition in self.conditions() for fact in facts_in(condition)}
        read = (version.period for version in self.versions if version.period is not None)
        return frozenset(asked | {facts_of(line.event) for period in read for line in lines(period)})

    @property
    def sure(self) -> bool:
        """Verified at least by a secondary source."""
        return self.verification.sure

    @property
    def strength(self) -> int:
        """binding > guidance > contract, policy."""
        return {"binding": 2, "guidance": 1}.get(self.force, 0)


class Statute(NamedTuple):
    """One law file; `id` is its path without the ending."""

    id: str
    jurisdiction: str
    title: str
    citation: str
    force: str
    norms: tuple[Norm, ...]
    url: str = ""
    title_en: str = ""
    formerly: tuple[str, ...] = ()
    note: str = ""
    owner: str = ""
    approved_by: Mapping[str, str] = {}
    cases: Sequence[Case] = ()


def _lead(text: str) -> str:
    count, _, unit = text.partition(" ")
    if not count.isdigit() or unit.rstrip("s") not in ("day", "week", "month", "year"):
        raise ValueError(f"{text!r} is no lead time. Allowed: '30 days', '2 weeks', '6 months', '1 year'")
    return text


_VERIFICATION = Record(
    {
        "status": Key(
            Text(STATUSES),
            True,
            "unverified (memory) | secondary (seen quoted) | verified (text seen) | reviewed (by a second person)",
        ),
        "on": Key(Text(parse=read_edtf), says="the day it was seen"),
        "by": Key(Text(), says="initials or role"),
        "source": Key(ListOf(Text(), single=True), says="link or links to what was seen"),
        "archived": Key(Text(), says="link to an archived copy"),
        "note": Key(Text(), says="what exactly was seen there, and what was not"),
    },
    Verification,
)


def _version_keys(vocabulary: Vocabulary) -> dict[str, Key]:
    return {
        "from": Key(Text(parse=read_edtf), True, "first day in force; ../D where the exact start is not known"),
        "scope": Key(ScopeShape(vocabulary), says="transitional rule: which records this version reaches"),
        "period": Key(
            PeriodShape(vocabulary, ("retention_end", "purge_date")), says="the last day it must (or may) exist"
        ),
        "repealed": Key(boolean(), says="true: the norm ends here"),
        "max_ratio": Key(Text(parse=ratio), says="lossy: the highest compression ratio allowed afterwards"),
        "duty": Key(Text(DUTIES), says="what must be done"),
        "who": Key(Text(), says="duty: to whom or by whom"),
        "what": Key(Text(), says="duty: what is kept, published, delivered"),
        "lead": Key(Text(parse=_lead), says="duty: how long before the purge"),
        "citation": Key(Text(), says="where this version stands, if elsewhere"),
        "note": Key(Text()),
    }


def _norm_keys(vocabulary: Vocabulary) -> dict[str, Key]:
    version = Record(_version_keys(vocabulary), lambda **keys: Version(since=keys.pop("from"), **keys))
    return {
        "id": Key(Text(parse=_slug), True, "unique in the file, never reused"),
        "kind": Key(
            Text(KINDS), True, "floor (keep at least) | ceiling (destroy by) | lossy (limit on compression) | duty"
        ),
        "citation": Key(Text(), True, "article and paragraph"),
        "says": Key(Text(), True, "the rule in our own words"),
        "images": Key(Text(("express", "construed")), says="construed: covers images only by reading `records`"),
        "sanction": Key(Text(), says="consequence, and who enforces"),
        "url": Key(Text(), says="link to the text, if not the file's"),
        "force": Key(Text(FORCES), says="if not the file's"),
        "scope": Key(ScopeShape(vocabulary), says="all must hold; a list of scopes: any of them"),
        "overrides": Key(
            ListOf(Text(), least=1), says="norms that this one displaces, where the text of the law says so"
        ),
        "yields": Key(Text(("within",)), says="within: narrower places may displace it"),
        "open": Key(boolean(), says="the clock may truly never start"),
        "formerly": Key(ListOf(Text()), says="old ids"),
        "note": Key(Text()),
        "versions": Key(ListOf(version, least=1), True, "newest first"),
        "verification": Key(_VERIFICATION, True, "who saw what, where"),
    }


def _slug(text: str) -> str:
    if not text or not all(c.isascii() and (c.isalnum() or c in "-_.") for c in text) or text != text.lower():
        raise ValueError(f"{text!r} is no id. Allowed: lower-case letters, digits, hyphens")
    return text


def shape(vocabulary: Vocabulary, own: bool = False) -> Record:
    """Return the shape of a law file; `own` = an organisation's own policy file (owner, approval, no place needed)."""
    keys = {
        "jurisdiction": Key(Text(), not own, "the folder's code, always quoted (NO and ON are booleans in YAML 1.1)"),
        "title": Key(Text(), True, "title in the original language"),
        "title_en": Key(Text(), says="title in English"),
        "citation": Key(Text(), not own, "the instrument"),
        "url": Key(Text(), says="link to the text"),
        "force": Key(Text(FORCES), True, "binding | guidance | contract | policy"),
        "formerly": Key(ListOf(Text()), says="old ids of the file"),
        "note": Key(Text()),
        "norms": Key(ListOf(Record(_norm_keys(vocabulary), dict), least=1), True),
        "cases": Key(CASES, says="run by every check; each floor and ceiling has at least one"),
    }
    if own:
        keys["owner"] = Key(Text(), True, "who answers for this policy")
        keys["approved_by"] = Key(
            Record({"name": Key(Text(), True), "role": Key(Text(), True), "on": Key(Text())}, dict), True
        )
    return Record(keys, dict)


def build(tree: dict[str, Any], statute_id: str, cases: Sequence[Case] = ()) -> Statute:
    """Make the statute from what its shape read; ids and overrides become full ids. `cases`: those set `apart`."""
    place, force = tree.get("jurisdiction", ""), tree["force"]
    norms = []
    for entry in tree.pop("norms"):
        own = dict(entry)
        own["id"] = f"{statute_id}#{own['id']}"
        own["overrides"] = tuple(full_id(name, statute_id) for name in own.get("overrides", ()))
        norms.append(Norm(**{"force": force, "url": tree.get("url", ""), **own}, jurisdiction=place))
    return Statute(
        id=statute_id, norms=tuple(norms), **{"citation": tree["title"], "jurisdiction": "", "cases": cases, **tree}
    )


def full_id(name: str, statute_id: str) -> str:
    """Return the full id of a norm named in a file: `general` -> `XA/act#general`."""
    return name if "#" in name else f"{statute_id}#{name}"


def json_schema(vocabulary: Vocabulary) -> dict[str, Any]:
    """Return the JSON Schema of a law file, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "law file",
        **shape(vocabulary).schema(),
        "$defs": {"period": periods.schema(), "scope": scopes.schema(vocabulary)},
    }
