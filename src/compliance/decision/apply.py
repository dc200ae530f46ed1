"""Which norms apply to one part of a study: scope, versions, copies, overrides (rules 7, 9-14 of laws/README.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from compliance.law.conditions import MAYBE, NO, YES, Condition, Facts, Listed, Truth, fact_of, on_days
from compliance.law.dates import DateRange, Rounding
from compliance.law.knowledge import EVERYWHERE, KnowledgeBase
from compliance.law.periods import CEILING, FLOOR, Round, evaluate, is_permanent
from compliance.law.situation import Situation
from compliance.law.statutes import Norm, Version
from compliance.law.vocabulary import Members

MOST_SIFTED = 4096
_BLURRED = frozenset({"derived", "deidentified"})


@dataclass(frozen=True, slots=True)
class Looked:
    """A norm as it came out for one part.

    `in_scope` is its own scope and version; `applies` what is left of that after overrides; `versions` those that may
    govern; `range` the hull of their periods (None for duties and where the norm is out of scope).
    """

    norm: Norm
    place: Truth
    in_scope: Truth
    applies: Truth
    versions: tuple[Version, ...] = ()
    range: DateRange | None = None
    rounding: Round = FLOOR
    permanent: bool = False
    overridden_by: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A norm that words do not rule out, and what is left to ask: conjunctions of conditions on days, each with the truth
    of its conditions on words.
    """

    norm: Norm
    place: Truth
    rounding: Round
    reached: Truth
    rest: tuple[tuple[Truth, tuple[Condition, ...]], ...]


@dataclass(frozen=True)
class NormSet:
    """The norms that one jurisdiction code brings: its lineage for certain, the places inside it perhaps."""

    code: str
    norms: tuple[tuple[Norm, Truth], ...]
    overriders: Mapping[str, tuple[str, ...]]  # norm id -> norms that may lawfully displace it
    by_kind: Mapping[str, tuple[tuple[Norm, Truth, Round], ...]]
    width: Mapping[str, int]  # place -> 0 for the narrowest
    words: Mapping[str, tuple[str, ...]]  # kind -> the facts its norms ask about that are no dates
    sifted: dict[Any, tuple[dict[str, Looked], tuple[Candidate, ...]]] = field(default_factory=dict, compare=False)


def norm_set(knowledge: KnowledgeBase, code: str) -> NormSet:
    """Return the norms of a code, made once per law base."""
    found = knowledge.cache.get(("norms", code))
    if not isinstance(found, NormSet):
        found = knowledge.cache[("norms", code)] = _make(knowledge, code)
    return found


def _make(knowledge: KnowledgeBase, code: str) -> NormSet:
    places = knowledge.jurisdictions
    lineage, below = places.lineage(code), places.below(code)
    if not lineage and code:
        lineage = (code,) if any(True for _ in knowledge.statutes(code)) else ()
    order = [*reversed(below), *lineage, EVERYWHERE]
    norms = [(norm, MAYBE if place in below else YES) for place in order for norm in knowledge.norms(place)]
    by_id = {norm.id: norm for norm, _ in norms}
    overriders: dict[str, list[str]] = {}
    for norm in by_id.values():
        for name in norm.overrides:
            target = by_id.get(name) or knowledge.index.get(name)
            if target and target.id in by_id and may_override(knowledge, norm, target):
                overriders.setdefault(target.id, []).append(norm.id)
    by_kind: dict[str, list[tuple[Norm, Truth, Round]]] = {}
    for norm, truth in norms:
        by_kind.setdefault(norm.kind, []).append((norm, truth, _rounding(norm, places.leap_day(norm.jurisdiction))))
    kinds = {kind: tuple(found) for kind, found in by_kind.items()}
    width = {place: number for number, place in enumerate(order)}
    words = {kind: _words([norm for norm, _, _ in entries]) for kind, entries in by_kind.items()}
    displacers = {name: tuple(found) for name, found in overriders.items()}
    return NormSet(code, tuple(norms), displacers, kinds, width, words)


def _words(norms: Iterable[Norm]) -> tuple[str, ...]:
    conditions = [c for norm in norms for c in norm.scope.conditions() if not on_days(c)]
    return tuple(sorted({"copy", *(fact_of(condition) for condition in conditions)}))


def may_override(knowledge: KnowledgeBase, norm: Norm, target: Norm) -> bool:
    """One kind; never stronger force; related places; a narrower place only where the wider one yields."""
    if norm.kind != target.kind or norm.strength < target.strength:
        return False
    if norm.jurisdiction == target.jurisdiction:
        return True
    places = knowledge.jurisdictions
    if norm.jurisdiction in places.lineage(target.jurisdiction):
        return True
    return target.jurisdiction in places.lineage(norm.jurisdiction) and target.yields == "within"


def _rounding(norm: Norm, rule: Rounding | None) -> Round:
    return (rule, rule) if rule else CEILING if norm.kind == "ceiling" else FLOOR


def look(chosen: NormSet, situation: Situation, kind: str) -> dict[str, Looked]:
    """Return every norm of a kind as it comes out for the situation, by id."""
    if kind not in chosen.by_kind:
        return {}
    ruled_out, candidates = _sift(chosen, situation, kind)
    found = dict(ruled_out)
    for candidate in candidates:
        found[candidate.norm.id] = _in_scope(candidate, situation)
    if chosen.overriders:
        settled: dict[str, Looked] = {}
        for name in found:
            _settle(name, found, chosen, settled)
        return {name: settled[name] for name in found}
    return found


def _sift(chosen: NormSet, situation: Situation, kind: str) -> tuple[dict[str, Looked], tuple[Candidate, ...]]:
    """Return the norms that words rule out, and the others; asked once for each combination of words."""
    key = (kind, *situation.words(chosen.words[kind]))
    held = chosen.sifted.get(key)
    if held is None:
        if len(chosen.sifted) >= MOST_SIFTED:
            chosen.sifted.clear()
        ruled_out, candidates = dict[str, Looked](), list[Candidate]()
        for norm, place, rounding in chosen.by_kind[kind]:
            reached = min(place, reach(norm, situation))
            rest = tuple(_rest(norm, situation)) if reached != NO else ()
            ruled_out[norm.id] = Looked(norm, place, NO, NO)  # keeps the order of the norms
            if rest:
                candidates.append(Candidate(norm, place, rounding, reached, rest))
        held = chosen.sifted[key] = (ruled_out, tuple(candidates))
    return held


def _rest(norm: Norm, situation: Situation) -> Iterator[tuple[Truth, tuple[Condition, ...]]]:
    for conjunction in norm.scope.any_of or ((),):
        truth = min((c.truth(situation) for c in conjunction if not on_days(c)), default=YES)
        if truth != NO:
            yield truth, tuple(c for c in conjunction if on_days(c))


def _in_scope(candidate: Candidate, situation: Situation) -> Looked:
    norm, place, rounding = candidate.norm, candidate.place, candidate.rounding
    truth = NO
    for words, days in candidate.rest:
        truth = max(truth, min((words, *(c.truth(situation) for c in days))))
    truth = min(candidate.reached, truth)
    if truth == NO:
        return Looked(norm, place, NO, NO)
    possible, sure = [], False
    for version in norm.versions:
        here = min(version.in_force(situation.as_of), version.scope.truth(situation))
        if here != NO:
            possible.append(version)
        if here == YES:
            sure = True
            break
    living = tuple(version for version in possible if not version.repealed)
    if not living:
        return Looked(norm, place, NO, NO, tuple(possible))
    if not sure or len(living) < len(possible):
        truth = min(truth, MAYBE)
    ranges = [evaluate(version.period, situation, rounding) for version in living if version.period is not None]
    whole = ranges[0] if ranges else None
    for other in ranges[1:]:
        whole = whole.hull(other) if whole else other
    permanent = bool(ranges) and all(version.period is not None and is_permanent(version.period) for version in living)
    return Looked(norm, place, truth, truth, living, whole, rounding, permanent)


def reach(norm: Norm, situation: Facts) -> Truth:
    """Return whether a norm reaches the copy. A derived or de-identified copy is reached only by norms whose scope names it."""
    copy = situation.value("copy")
    may = copy.may if isinstance(copy, Members) and isinstance(copy.may, frozenset) else None
    if may is not None and may.isdisjoint(_BLURRED):
        return YES
    named = {word for c in norm.conditions() if isinstance(c, Listed) and c.fact == "copy" for word in c.values}
    possible = _BLURRED if may is None else may & _BLURRED
    if possible <= named:
        return YES
    return NO if may == possible and possible.isdisjoint(named) else MAYBE


def _settle(name: str, found: Mapping[str, Looked], chosen: NormSet, settled: dict[str, Looked]) -> Looked:
    """Overriders first: one that surely applies makes the norm `no`, one that may makes it `maybe`."""
    if name in settled:
        return settled[name]
    looked = settled[name] = found[name]  # a circle was refused while loading
    applies, by = looked.applies, []
    for overrider in chosen.overriders.get(name, ()):
        if overrider not in found or applies == NO:
            continue
        other = _settle(overrider, found, chosen, settled)
        force = other.applies if other.norm.sure else min(other.applies, MAYBE)
        if force != NO:
            by.append(overrider)
            applies = NO if force == YES else min(applies, MAYBE)
    if by:
        looked = settled[name] = replace(looked, applies=applies, overridden_by=tuple(by))
    return looked
