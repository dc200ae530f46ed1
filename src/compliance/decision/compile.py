"""The norms of one jurisdiction code made ready for columns: versions in force, ranks, what each says of copies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from compliance.decision.apply import NormSet, changes, in_force, norm_set, reach
from compliance.decision.combine import One
from compliance.law.conditions import Truth
from compliance.law.knowledge import KnowledgeBase
from compliance.law.periods import Round, facts_of, lines
from compliance.law.statutes import Norm, Version
from compliance.law.vocabulary import Value

ENGINE = frozenset({"record", "modality", "body_part", "copy", "copies_left", "facility_type", "duties_done"})


@dataclass(frozen=True, slots=True)
class Ready:
    """One norm: its place in the order of ties, and the versions that may govern on the day, newest first."""

    norm: Norm
    place: Truth
    rounding: Round
    rank: int
    versions: tuple[tuple[Truth, Version], ...]

    def reaches(self, copy: Value | None) -> Truth:
        """Does the norm reach such a copy?"""
        return reach(self.norm, One(copy))


@dataclass(frozen=True)
class Law:
    """What one code brings on one day."""

    chosen: NormSet
    kinds: Mapping[str, tuple[Ready, ...]]
    names: tuple[str, ...]  # norm ids by rank
    changes: Mapping[str, int]  # norm id -> the day of its next enacted change

    def ordered(self, kind: str) -> tuple[Ready, ...]:
        """Return the norms of a kind, each after those that may displace it."""
        return self.kinds.get(kind, ())

    @cached_property
    def asked(self) -> frozenset[str]:
        """Every fact that scopes and periods ask about, with those the engine itself asks."""
        found = set(ENGINE)
        for ready in (ready for some in self.kinds.values() for ready in some):
            found |= ready.norm.facts()
        return frozenset(found)


def law(knowledge: KnowledgeBase, code: str, as_of: int) -> Law:
    """Return the norms of a code on a day, made once per law base."""
    found = knowledge.cache.get(("law", code, as_of))
    if not isinstance(found, Law):
        found = knowledge.cache[("law", code, as_of)] = _make(norm_set(knowledge, code), as_of)
    return found


def _make(chosen: NormSet, as_of: int) -> Law:
    everything = [entry for entries in chosen.by_kind.values() for entry in entries]
    everything.sort(key=lambda entry: (chosen.width.get(entry[0].jurisdiction, 0), entry[0].id))
    rank = {norm.id: number for number, (norm, _, _) in enumerate(everything)}
    kinds = {}
    for kind, entries in chosen.by_kind.items():
        ready = {
            norm.id: Ready(norm, place, rounding, rank[norm.id], tuple(in_force(norm, as_of)))
            for norm, place, rounding in entries
        }
        kinds[kind] = tuple(one for one in _displacers_first(ready, chosen) if one.versions)
    return Law(chosen, kinds, tuple(norm.id for norm, _, _ in everything), changes(chosen, as_of))


def _displacers_first(ready: Mapping[str, Ready], chosen: NormSet) -> list[Ready]:
    found: dict[str, Ready] = {}

    def settle(name: str) -> None:
        if name not in found and name in ready:
            for overrider in chosen.overriders.get(name, ()):
                settle(overrider)
            found[name] = ready[name]

    for name in ready:
        settle(name)
    return list(found.values())


def dates_of(version: Version) -> tuple[str, ...]:
    """Return the date facts from which a version's period counts."""
    if version.period is None:
        return ()
    return tuple(dict.fromkeys(facts_of(line.event) for line in lines(version.period)))
