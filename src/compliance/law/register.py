"""The coverage register: place x facility type x record class, what was researched, how well norms and ages are seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from compliance.law.conditions import Listed
from compliance.law.jurisdictions import UNVERIFIED, Jurisdictions
from compliance.law.knowledge import KnowledgeBase
from compliance.law.lint import is_stale
from compliance.law.statutes import STATUSES, Norm


@dataclass(frozen=True, slots=True)
class Row:
    """One place and facility type: its research and the norms of the place that reach the type."""

    place: str
    facility_type: str
    status: str  # found | nothing_found | not researched
    norms: tuple[Norm, ...]

    def best(self, record: str) -> str:
        """Return the best status of the floors that reach a record class; `-` where there is none."""
        reached = {norm.verification.status for norm in self.norms if norm.kind == "floor" and _names(norm, record)}
        return next((status for status in reversed(STATUSES) if status in reached), "-")

    def by_verification(self) -> Counter[str]:
        """Count the norms by status."""
        return Counter(norm.verification.status for norm in self.norms)


def rows(base: KnowledgeBase, place: str | None = None) -> Iterator[Row]:
    """Yield the register for one place (and those inside it) or all, in the order of jurisdictions.yaml."""
    places = base.jurisdictions
    chosen = list(places.places) if place is None else [place, *places.below(place)]
    for code in chosen:
        norms = [norm for statute in base.statutes(code) for norm in statute.norms]
        for kind in base.vocabulary.facts["facility_type"].values:
            found = places.research(code, kind, base.vocabulary)
            yield Row(
                code,
                kind,
                found.status if found else "not researched",
                tuple(n for n in norms if _reaches(n, kind, base)),
            )


def majorities(base: KnowledgeBase, place: str | None = None) -> Counter[str]:
    """Count the places (one and those inside it, or all) by how well their age of majority was seen.

    Words: seen, one secondary source, from memory, inherited, none.
    """
    places = base.jurisdictions
    chosen = list(places.places) if place is None else [place, *places.below(place)]
    return Counter(_majority(places, code) for code in chosen)


def _majority(places: Jurisdictions, code: str) -> str:
    table = places.places[code].majority
    if not table:
        return "inherited" if any(places.places[wider].majority for wider in places.lineage(code)) else "none"
    words = {rule.verification for rule in table}
    return "from memory" if UNVERIFIED in words else "one secondary source" if "secondary" in words else "seen"


def _reaches(norm: Norm, kind: str, base: KnowledgeBase) -> bool:
    if not norm.scope.any_of:
        return True
    wider = set(base.vocabulary.wider("facility_type", kind))
    return any(
        all(not wider.isdisjoint(c.values) for c in conjunction if isinstance(c, Listed) and c.fact == "facility_type")
        for conjunction in norm.scope.any_of
    )


def _names(norm: Norm, record: str) -> bool:
    conjunctions = norm.scope.any_of or ((),)
    return any(
        all(record in c.values for c in conjunction if isinstance(c, Listed) and c.fact == "record")
        for conjunction in conjunctions
    )


def stale(base: KnowledgeBase, today: int, months: int) -> Iterator[Norm]:
    """Yield the norms last seen more than `months` ago, or never."""
    for statute in base.statutes():
        yield from (norm for norm in statute.norms if is_stale(norm, today, months))


def at_stake(base: KnowledgeBase) -> dict[str, tuple[str, ...]]:
    """Return, for every fact the `practical` set assumes, the places whose floors ask about it.

    There a wrong assumption moves the date (rule 26 of laws/README.md).
    """
    assumed = {assumption.fact for assumption in base.vocabulary.assumptions("practical")}
    found: dict[str, set[str]] = {fact: set() for fact in assumed}
    for statute in base.statutes():
        for norm in (norm for norm in statute.norms if norm.kind == "floor"):
            for fact in assumed & norm.facts():
                found[fact].add(statute.jurisdiction)
    return {fact: tuple(sorted(found[fact])) for fact in sorted(found, key=lambda fact: (-len(found[fact]), fact))}
