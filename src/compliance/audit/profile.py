"""The organisation's file: sites and their keepers, assumptions, own policies, holds, adopted law version, costs.

One YAML file that a person signs for; policies and waivers may lie in files beside it. Everything is read strictly, every
fault is told with its place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from compliance.decision.assume import ENTRY, AssumptionSet, compile_set, shipped
from compliance.decision.holds import Hold
from compliance.errors import FactError, LawError, ProfileError
from compliance.law.dates import read_edtf
from compliance.law.knowledge import KnowledgeBase, circles, place_on_file
from compliance.law.matching import never_matched
from compliance.law.scopes import ScopeShape
from compliance.law.shape import Key, ListOf, MapOf, Reader, Record, Shape, Text, boolean
from compliance.law.statutes import Statute, build, shape
from compliance.law.vocabulary import Assumption, Value, Vocabulary
from compliance.law.yaml import Node, read_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Studies whose columns match, the keepers that owe a duty for them, and who decided so."""

    id: str
    match: Mapping[str, tuple[str, ...]]
    keepers: tuple[Mapping[str, Value], ...]
    decided_by: str = ""
    why: str = ""
    vouch_dates: bool = False  # dates of de-identified studies are taken as true (rule 28 of laws/README.md)

    def matches(self, row: Mapping[str, Any]) -> bool:
        """Every named column matches one of its patterns (`*`, `?`, `[...]`; capitals do not matter)."""
        return all(_any_glob(row.get(column), patterns) for column, patterns in self.match.items())


def _any_glob(value: Any, patterns: tuple[str, ...]) -> bool:
    text = "" if value is None else str(value).casefold()
    return any(fnmatchcase(text, pattern.casefold()) for pattern in patterns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """The law version that the organisation adopted."""

    digest: str
    by: str
    on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """An organisation's profile, ready for use; `knowledge` includes its own policies."""

    name: str
    digest: str
    sites: tuple[Site, ...]
    knowledge: KnowledgeBase
    assumptions: tuple[AssumptionSet, ...]
    holds: tuple[Hold, ...]
    policies: tuple[Statute, ...]
    note: str = ""
    time_zone: str = "UTC"
    adopted: Adopted | None = None
    cost: Mapping[str, Any] = field(default_factory=dict)

    def site_of(self, row: Mapping[str, Any]) -> Site | None:
        """Return the first site that matches."""
        return next((site for site in self.sites if site.matches(row)), None)


class _Raw(Shape):
    def read(self, node: Node, reader: Reader) -> Node:
        return node


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if value < 0:
        raise ValueError(f"{text!r} is no amount. Allowed: a number such as 250")
    return value


def _shape(vocabulary: Vocabulary) -> Record:
    keeper = Record({
        "jurisdiction": Key(ListOf(Text(), single=True), True, "place or places whose law binds this keeper"),
        "facility_type": Key(Text(), True, "what kind of body keeps the image"),
        "keeper_role": Key(Text(), says="made, read, stored_for_other, received, successor"),
        "facts": Key(MapOf(_Raw()), says="fixed facts of this keeper"),
    })  # fmt: skip
    site = Record({
        "id": Key(Text(), True, "short name"),
        "match": Key(MapOf(ListOf(Text(empty=True), single=True, least=1)), True, "inventory column: glob patterns"),
        "keepers": Key(ListOf(keeper, least=1), True, "who owes a duty"),
        "decided_by": Key(Text(), says="who decided that these are the keepers"),
        "why": Key(Text(), says="and why"),
        "vouch_dates": Key(boolean(), says="true: dates of de-identified studies are real"),
    })  # fmt: skip
    hold = Record({
        "id": Key(Text(), True, "matter id"),
        "matter": Key(Text(), says="shown only with --privileged"),
        "issued_by": Key(Text(), True),
        "trigger": Key(Text()),
        "issued": Key(Text(parse=read_edtf)),
        "review_by": Key(Text(parse=read_edtf)),
        "released": Key(Text(parse=read_edtf)),
        "released_by": Key(Text()),
        "scope": Key(ScopeShape(vocabulary), True, "patient_key, study_uid, accession, device_serial, site, modality, study_date ..."),
    }, Hold)  # fmt: skip
    return Record({
        "name": Key(Text(), True, "the organisation"),
        "note": Key(Text(), says="printed on page one of every report"),
        "time_zone": Key(Text(), says="of the as-of date"),
        "sites": Key(ListOf(site, least=1), True, "the first that matches counts"),
        "assumptions": Key(ListOf(ENTRY), says="own assumptions, tried in this order"),
        "assume": Key(Text(("cautious", "practical", "none")), says="the shipped set to go on with"),
        "policies": Key(ListOf(Text()), says="own policy files, beside this one"),
        "holds": Key(ListOf(hold), says="holds in force and released"),
        "adopted": Key(Record({"digest": Key(Text(), True), "by": Key(Text(), True), "on": Key(Text(), True)}, Adopted)),
        "cost": Key(Record({"per_tb_year": Key(Text(parse=_number), True), "currency": Key(Text(), True)}, dict)),
    })  # fmt: skip


def load_profile(path: Path, knowledge: KnowledgeBase) -> Profile:
    """Read a profile and its policies; raises ProfileError with every fault."""
    reader = Reader(path.name)
    try:
        node = read_file(path, path.name)
        tree = _shape(knowledge.vocabulary).read(node, reader)
        reader.check(f"{path} cannot be read")
        places = zip(tree["sites"], _below(node, "sites"), strict=True)
        sites = tuple(_site(entry, knowledge, reader, place) for entry, place in places)
        own = [Assumption(a.fact, a.take, a.why, a.when) for a in tree.get("assumptions", ())]
        sets = [compile_set(tree["name"], own, knowledge.vocabulary, reader)] if own else []
        named = zip(tree.get("policies", ()), _below(node, "policies"), strict=True)
        policies = tuple(_policy(path.parent / name, knowledge, reader, item) for name, item in named)
        for hold, place in zip(tree.get("holds", ()), _below(node, "holds"), strict=True):
            for vain in never_matched(hold.scope, knowledge, [site.id for site in sites]):
                reader.at("holds").at(hold.id).at("scope").at(vain.path).fault(place, vain.message, place.keys["scope"])
        reader.check(f"{path} cannot be read")
    except LawError as error:
        raise ProfileError(str(error.args[0]), error.problems) from None
    if tree.get("assume", "none") != "none":
        sets.append(shipped(tree["assume"], knowledge.vocabulary))
    base = knowledge.plus(policies)
    if wrong := circles(base):
        raise ProfileError(f"{path}: policies", wrong)
    keep = {key: tree[key] for key in ("name", "note", "time_zone", "adopted", "cost") if key in tree}
    whole = hashlib.sha256(path.read_bytes())
    for name in tree.get("policies", ()):
        whole.update((path.parent / name).read_bytes())
    return Profile(
        **keep, digest=f"sha256:{whole.hexdigest()}", sites=sites, knowledge=base, assumptions=tuple(sets),
        holds=tree.get("holds", ()), policies=policies,
    )  # fmt: skip


def _below(node: Node, key: str) -> list[Node]:
    """Return the items of a list that stands under a key and was read already."""
    found = node.value[key].value if isinstance(node.value, dict) and key in node.value else []
    return found if isinstance(found, list) else []


def _site(entry: dict[str, Any], knowledge: KnowledgeBase, reader: Reader, place: Node) -> Site:
    keepers = []
    for number, (keeper, node) in enumerate(zip(entry.pop("keepers"), _below(place, "keepers"), strict=True)):
        facts = {key: value.data() for key, value in keeper.pop("facts", {}).items()}
        below = reader.at("sites").at(entry["id"]).at("keepers").at(number)
        for code in keeper["jurisdiction"]:
            if missing := place_on_file(knowledge, code):
                below.at("jurisdiction").fault(node, missing, node.keys["jurisdiction"])
        try:
            keepers.append(knowledge.vocabulary.read({**facts, **keeper}))
        except FactError as error:
            more = node.value.get("facts") if isinstance(node.value, dict) else None
            keys = {**more.keys, **node.keys} if more else node.keys
            for problem in error.problems:
                below.at(problem.path).fault(node, problem.message, keys.get(problem.path))
    return Site(keepers=tuple(keepers), **entry)


def _policy(path: Path, knowledge: KnowledgeBase, reader: Reader, node: Node) -> Statute:
    """Read an own policy: the format of a law file, force policy, an owner and an approval."""
    below = Reader(path.name, reader.problems)
    if not path.is_file():
        reader.at("policies").fault(node, f"{path.name} does not exist beside the profile")
        return Statute(id=f"policy/{path.stem}", jurisdiction="", title="", citation="", force="policy", norms=())
    root = read_file(path, path.name)
    tree = shape(knowledge.vocabulary, own=True).read(root, below)
    if tree is None:
        return Statute(id=f"policy/{path.stem}", jurisdiction="", title="", citation="", force="policy", norms=())
    if tree["force"] not in ("policy", "contract"):
        below.fault(root, f"an own policy has force policy or contract, not {tree['force']}")
    return build(tree, f"policy/{path.stem}")
