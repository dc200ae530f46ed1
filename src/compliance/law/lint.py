"""What a schema cannot say of a law file: places, ids, overrides, periods by kind, evidence. Cases are run one room up.

Every fault is a Problem at the line and column of the words it is about; warnings do not fail a check.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from compliance.errors import Problem, guess, listed
from compliance.law.conditions import YES, Age, Compared, Condition, Flag, Listed, Not, Within, facts_in
from compliance.law.dates import OPEN, add, write_day
from compliance.law.knowledge import KnowledgeBase
from compliance.law.periods import Combined, lines
from compliance.law.statutes import Norm, Statute, Version
from compliance.law.yaml import Node

STALE_MONTHS = 18


@dataclass(frozen=True)
class _Desk:
    """One file under review: its statute, its tree, the base around it, and where faults go."""

    statute: Statute
    tree: Node
    base: KnowledgeBase
    today: int
    problems: list[Problem]
    loose: bool  # a file that lies outside any law base

    def say(self, message: str, *path: str | int, level: str = "error") -> None:
        """Note a fault at a path of keys; the nearest node that exists gives the place."""
        node, place = self.tree, (self.tree.line, self.tree.column)
        for key in path:
            if isinstance(node.value, dict) and isinstance(key, str) and key in node.value:
                place, node = node.keys[key], node.value[key]
            elif isinstance(node.value, list) and isinstance(key, int) and key < len(node.value):
                node = node.value[key]
                place = (node.line, node.column)
            else:
                break
        self.problems.append(Problem(f"{self.statute.id}.yaml", *place, ".".join(map(str, path)), message, level))

    def warn(self, message: str, *path: str | int) -> None:
        """Note a fault that does not fail a check."""
        self.say(message, *path, level="warning")


def lint(base: KnowledgeBase, names: Iterable[str], today: int, loose: bool = False) -> list[Problem]:
    """Return the faults of some statutes (by id); `today` as ordinal, for staleness; `loose`: files outside a base."""
    problems: list[Problem] = []
    for name in names:
        desk = _Desk(base.statute(name), base.files[name], base, today, problems, loose)
        for rule in (_place, _quotes, _ids, _research):
            rule(desk)
        for number, norm in enumerate(desk.statute.norms):
            for check in (_versions, _periods, _overrides, _scope, _evidence):
                check(desk, number, norm)
    return problems


def _place(desk: _Desk) -> None:
    code, folder = desk.statute.jurisdiction, desk.statute.id.partition("/")[0]
    places = desk.base.jurisdictions.places
    if folder != code and "/" in desk.statute.id:
        desk.say(
            f"{code!r} stands in the folder {folder!r}. The folder is the code.",
            "jurisdiction",
            level="warning" if desk.loose else "error",
        )
    if code not in places:
        desk.say(
            f"{code!r} is not in jurisdictions.yaml.{guess(code, places)}",
            "jurisdiction",
            level="warning" if desk.loose else "error",
        )


def _quotes(desk: _Desk) -> None:
    tree = desk.tree.value
    code = tree.get("jurisdiction") if isinstance(tree, dict) else None
    if code is not None and code.bare:
        desk.say(f'write "{code.value}" in quotes: NO and ON are booleans in YAML 1.1', "jurisdiction")
    for node in desk.tree.walk():
        if node.bare and isinstance(node.value, str) and node.value in ("NO", "ON", "Y", "N", "No", "On", "OFF"):
            message = f'write "{node.value}" in quotes: other readers of YAML take it for a boolean'
            desk.problems.append(Problem(f"{desk.statute.id}.yaml", node.line, node.column, "", message))


def _ids(desk: _Desk) -> None:
    seen: dict[str, int] = {}
    for number, norm in enumerate(desk.statute.norms):
        if norm.id in seen:
            desk.say(
                f"the id {norm.id.partition('#')[2]!r} is used twice. Ids are unique in a file.", "norms", number, "id"
            )
        seen[norm.id] = number


def _research(desk: _Desk) -> None:
    """Binding norms on file and `nothing_found` cannot both be; what nobody researched is named."""
    base, code = desk.base, desk.statute.jurisdiction
    if code not in base.jurisdictions.places:
        return
    for number, norm in enumerate(desk.statute.norms):
        if norm.kind != "floor" or norm.force != "binding" or not norm.sure:
            continue
        for kind in sorted(_facilities(norm)):
            found = base.jurisdictions.research(code, kind, base.vocabulary)
            if found is None:
                desk.warn(
                    f"jurisdictions.yaml has no research entry for {kind}: nothing is freed there",
                    "norms",
                    number,
                    "scope",
                )
            elif found.status == "nothing_found":
                message = f"binding law for {kind} is on file, but jurisdictions.yaml says nothing_found"
                desk.say(message, "norms", number, "scope")


def _facilities(norm: Norm) -> set[str]:
    found = [c.values for c in norm.scope.conditions() if isinstance(c, Listed) and c.fact == "facility_type"]
    return set().union(*found)


def _versions(desk: _Desk, number: int, norm: Norm) -> None:
    starts = [version.since.latest for version in norm.versions]
    for later, (one, next_one) in enumerate(pairwise(starts), 1):
        scoped = norm.versions[later - 1].scope.any_of
        if next_one > one or (next_one == one and not scoped):
            message = f"versions stand newest first: {write_day(next_one)} comes after {write_day(one)}"
            desk.say(message, "norms", number, "versions", later, "from")
    for at, version in enumerate(norm.versions):
        wrong = _wrong_content(norm, version)
        if wrong:
            desk.say(wrong, "norms", number, "versions", at)


def _wrong_content(norm: Norm, version: Version) -> str:
    if version.repealed:
        return "a repealed version has no period and no duty" if version.period is not None or version.duty else ""
    if norm.kind == "duty":
        return "" if version.duty else "a duty needs the key 'duty' (notify, log, keep ...)"
    if version.duty or version.lead or version.who:
        return f"'duty', 'who' and 'lead' belong to norms of kind duty, not {norm.kind}"
    if version.period is None:
        return f"a {norm.kind} needs a period"
    if version.max_ratio is not None and norm.kind != "lossy":
        return f"'max_ratio' belongs to norms of kind lossy, not {norm.kind}"
    return ""


def _periods(desk: _Desk, number: int, norm: Norm) -> None:
    for at, version in enumerate(norm.versions):
        if version.period is None:
            continue
        path = ("norms", number, "versions", at, "period")
        for line in lines(version.period):
            if line.event.what == "retention_end" and norm.kind not in ("ceiling", "duty"):
                desk.say(f"retention_end belongs to ceilings and duties, not to a {norm.kind}", *path)
            if line.event.what == "purge_date" and norm.kind != "duty":
                desk.say(f"purge_date belongs to duties, not to a {norm.kind}", *path)
        if str(version.period) == "none" and norm.verification.status not in ("verified", "reviewed"):
            desk.say("period 'none' frees at once: it needs status verified or reviewed", *path)
        if not norm.open:
            _may_stay_open(desk, norm, version, path)


def _may_stay_open(desk: _Desk, norm: Norm, version: Version, path: tuple[str | int, ...]) -> None:
    """`latest` over a fact that mostly never happens keeps every image for ever (rule 29 of laws/README.md)."""
    if not isinstance(version.period, Combined) or version.period.how != "latest":
        return
    conditions = (*norm.scope.conditions(), *version.scope.conditions())
    asked = {fact for c in conditions if isinstance(c, Flag | Within) for fact in facts_in(c)}
    asked |= {"death_date"} if "deceased" in asked else set()
    for line in lines(version.period):
        fact = line.event.what
        if fact in _mostly_never(desk.base) and fact not in asked:
            message = f"latest over {fact}, which may never come, keeps the image for ever. Give that limb a norm of its own, or say open: true."
            desk.warn(message, *path)


def _mostly_never(base: KnowledgeBase) -> set[str]:
    return {a.fact for a in base.vocabulary.assumptions("practical") if a.take.value == "never"}


def _overrides(desk: _Desk, number: int, norm: Norm) -> None:
    for at, name in enumerate(norm.overrides):
        path = ("norms", number, "overrides", at)
        target = desk.base.index.get(name)
        if target is None:
            desk.say(f"overrides {name!r}, which is not on file.{guess(name, desk.base.index)}", *path)
            continue
        wrong = _wrong_override(desk.base, norm, target)
        if wrong:
            desk.say(wrong, *path)
        if target.versions[0].repealed and target.versions[0].in_force(desk.today) == YES:
            desk.warn(f"overrides {name!r}, which is repealed: a dead override", *path)


def _wrong_override(base: KnowledgeBase, norm: Norm, target: Norm) -> str:
    places = base.jurisdictions
    if target.kind != norm.kind:
        return f"a {norm.kind} cannot override a {target.kind}: overrides join norms of one kind"
    if norm.strength < target.strength:
        return f"{norm.force} never displaces {target.force} law"
    if norm.jurisdiction == target.jurisdiction or norm.jurisdiction in places.lineage(target.jurisdiction):
        return ""
    if target.jurisdiction not in places.lineage(norm.jurisdiction):
        return (
            f"{norm.jurisdiction} and {target.jurisdiction} do not lie within each other: neither overrides the other"
        )
    return (
        ""
        if target.yields == "within"
        else f"a narrower place displaces {target.id} only where that norm says yields: within"
    )


def _scope(desk: _Desk, number: int, norm: Norm) -> None:
    names = {fact for condition in norm.scope.conditions() for fact in facts_in(condition)}
    if norm.kind == "floor" and "record" not in names and norm.images != "construed":
        desk.warn("names no record class: it reaches images, reports and charts alike", "norms", number, "scope")
    for condition in norm.scope.conditions():
        if isinstance(condition, Listed) and not condition.values:
            desk.say("an empty list matches nothing", "norms", number, "scope", condition.fact)
    for other in desk.statute.norms[:number]:
        if norm.kind == other.kind == "floor" and _split(norm, other):
            message = f"{other.id.partition('#')[2]!r} and this norm split one rule by age: with the birth date unknown neither is sure. Leave the general one unscoped."
            desk.warn(message, "norms", number, "scope", "age")


def _split(norm: Norm, other: Norm) -> bool:
    ages = [_ages(one.scope.conditions()) for one in (norm, other)]
    rest = [{str(c) for c in one.scope.conditions() if not isinstance(c, Age)} for one in (norm, other)]
    pairs = ((a, b) for a in ages[0] for b in ages[1])
    return rest[0] == rest[1] and any(a.under != b.under and (a.age, a.at) == (b.age, b.at) for a, b in pairs)


def _ages(conditions: Iterable[Condition]) -> Iterator[Age]:
    for condition in conditions:
        inner = condition.inner if isinstance(condition, Not) else condition
        if isinstance(inner, Age):
            yield inner


def _evidence(desk: _Desk, number: int, norm: Norm) -> None:
    found, path = norm.verification, ("norms", number, "verification")
    if not found.sure:
        return
    for missing in (key for key, value in (("on", found.on), ("by", found.by), ("source", found.source)) if not value):
        desk.warn(f"status {found.status} without {missing!r}: say when, who and where", *path)
    for source in found.source:
        if not source.startswith(("https://", "http://")):
            desk.warn(f"the source {source!r} is no link", *path, "source")
    if found.on is not None and found.on.latest != OPEN and is_stale(norm, desk.today):
        desk.warn(f"last seen on {found.on}, more than {STALE_MONTHS} months ago", *path, "on")
    if found.on is not None and found.on.earliest > desk.today:
        desk.say(f"seen on {found.on}, which is still to come", *path, "on")


def is_stale(norm: Norm, today: int, months: int = STALE_MONTHS) -> bool:
    """The norm was last seen longer ago than that, or never."""
    seen = norm.verification.on
    return seen is None or add(seen.latest, months, "month", "next") < today


def unresearched(base: KnowledgeBase) -> list[Problem]:
    """Name, for every place that has law on file, the facility types nobody researched."""
    types, problems = base.vocabulary.facts["facility_type"].values, []
    for code in base.jurisdictions.places:
        if not any(True for _ in base.statutes(code)):
            continue
        missing = [kind for kind in types if base.jurisdictions.research(code, kind, base.vocabulary) is None]
        if missing:
            message = f"not researched: {listed(missing, 30)}. Nothing is freed there."
            problems.append(Problem("jurisdictions.yaml", 0, 0, f"{code}.researched", message, "warning"))
    return problems


def uncounted(base: KnowledgeBase, names: Iterable[str]) -> list[Problem]:
    """Name, for every place whose age of majority is from memory, the norms (of these statutes) that count from it."""
    counting: dict[str, list[str]] = {}
    for statute in map(base.statute, names):
        found = [norm.id for norm in statute.norms if _counts_from_majority(norm)]
        counting.setdefault(statute.jurisdiction, []).extend(found)
    places, problems = base.jurisdictions, []
    for code, place in places.places.items():
        if not place.majority or place.majority_seen:
            continue
        inside = [below for below in places.below(code) if not places.places[below].majority]
        norms = [norm for one in (*places.lineage(code), *inside) for norm in counting.get(one, ())]
        if norms:
            message = f"full age is from memory here (unverified), so no day is counted from it: {listed(norms, 10)}"
            problems.append(Problem("jurisdictions.yaml", 0, 0, f"{code}.majority", message, "warning"))
    return problems


def _counts_from_majority(norm: Norm) -> bool:
    conditions = [c for scope in (norm.scope, *(v.scope for v in norm.versions)) for c in scope.conditions()]
    inner = [c.inner if isinstance(c, Not) else c for c in conditions]
    counted = [line for version in norm.versions if version.period for line in lines(version.period)]
    counted += [condition.line for condition in inner if isinstance(condition, Compared)]
    return any(line.event.what == "majority" for line in counted) or any(age.age == 0 for age in _ages(conditions))
