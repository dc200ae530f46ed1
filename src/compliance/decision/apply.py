"""Which norms apply to one part of a study: scope, versions, copies, overrides (rules 7, 9-14 of laws/README.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from compliance.law.conditions import MAYBE, NO, YES, Condition, Facts, Listed, Truth, fact_of, on_days
from compliance.law.dates import DateRange, Rounding
from compliance.law.knowledge import EVERYWHERE, KnowledgeBase
from compliance.law.periods import CEILING, FLOOR, Period, Round, evaluate, is_permanent
from compliance.law.scopes import Scope
from compliance.law.situation import Situation
from compliance.law.statutes import Norm, Version
from compliance.law.vocabulary import Members

_BLURRED = frozenset({"derived", "deidentified"})


class Looked(NamedTuple):
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


Rest = tuple[tuple[Truth, tuple[Condition, ...]], ...]  # conjunctions: the truth of the words, the conditions on days


class Outcome(NamedTuple):
    """Whether a norm applies by its own scope, by which versions, and the periods these set."""

    truth: Truth
    versions: tuple[Version, ...]
    periods: tuple[Period, ...]
    permanent: bool


class Candidate(NamedTuple):
    """A norm that words do not rule out, and what is left to ask; `outcome` where nothing is."""

    norm: Norm
    place: Truth
    rounding: Round
    reached: Truth
    rest: Rest
    versions: tuple[tuple[Truth, Rest, Version], ...]
    outcome: Outcome | None = None


class Sifted(NamedTuple):
    """The norms of one kind for some words: each as ruled out, those that words do not rule out, and why not, as far as
    it was told before and hangs on words alone.
    """

    ruled_out: dict[str, Looked]
    candidates: tuple[Candidate, ...]
    why_not: dict[str, str]


@dataclass(frozen=True)
class NormSet:
    """The norms that one jurisdiction code brings: its lineage for certain, the places inside it perhaps."""

    code: str
    norms: tuple[tuple[Norm, Truth], ...]
    overriders: Mapping[str, tuple[str, ...]]  # norm id -> norms that may lawfully displace it
    by_kind: Mapping[str, tuple[tuple[Norm, Truth, Round], ...]]
    width: Mapping[str, int]  # place -> 0 for the narrowest
    words: tuple[str, ...]  # the facts its norms ask about that are no dates
    as_binding: dict[str, Norm] = field(default_factory=dict, compare=False)  # guidance on compression, as if binding


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
    asked = {fact_of(c) for norm in by_id.values() for c in norm.conditions() if not on_days(c)}
    displacers = {name: tuple(found) for name, found in overriders.items()}
    return NormSet(code, tuple(norms), displacers, kinds, width, tuple(sorted(asked)))


def changes(chosen: NormSet, as_of: int) -> dict[str, int]:
    """Return by norm id the day of its next enacted change (rule 22 of laws/README.md)."""
    later = ((norm.id, version.since.earliest) for norm, _ in chosen.norms for version in norm.versions)
    found: dict[str, int] = {}
    for name, day in later:
        if day > as_of:
            found[name] = min(day, found.get(name, day))
    return found


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


def look(sifted: Sifted, chosen: NormSet, situation: Situation) -> dict[str, Looked]:
    """Return every norm of a kind that words do not rule out, as it comes out for the situation, by id."""
    found = {candidate.norm.id: _in_scope(candidate, situation) for candidate in sifted.candidates}
    if chosen.overriders and len(found) > 1:
        settled: dict[str, Looked] = {}
        for name in found:
            _settle(name, found, chosen, settled)
        return {name: settled[name] for name in found}
    return found


def sift(chosen: NormSet, situation: Situation, kind: str) -> Sifted:
    """Part the norms of a kind by what is known of words and of the day of the question."""
    ruled_out, candidates = dict[str, Looked](), list[Candidate]()
    for norm, place, rounding in chosen.by_kind.get(kind, ()):
        ruled_out[norm.id] = Looked(norm, place, NO, NO)  # candidates, too: keeps the order of the norms
        reached = min(place, reach(norm, situation))
        rest = _rest(norm.scope, situation) if reached != NO else ()
        if rest:
            candidates.append(_settled(Candidate(norm, place, rounding, reached, rest, _versions(norm, situation))))
    return Sifted(ruled_out, tuple(candidates), {})


def _rest(scope: Scope, situation: Situation) -> Rest:
    """Return what is left to ask of a scope, empty where words rule it out."""
    left = []
    for conjunction in scope.any_of or ((),):
        truth = min((c.truth(situation) for c in conjunction if not on_days(c)), default=YES)
        if truth != NO:
            left.append((truth, tuple(c for c in conjunction if on_days(c))))
    return tuple(left)


def _versions(norm: Norm, situation: Situation) -> tuple[tuple[Truth, Rest, Version], ...]:
    """Return the versions that may govern, newest first; none older than one that surely does."""
    found = []
    for version in norm.versions:
        force = version.in_force(situation.as_of)
        rest = _rest(version.scope, situation) if force != NO else ()
        if rest:
            found.append((force, rest, version))
            if force == YES and _truth(rest) == YES:
                break
    return tuple(found)


def _truth(rest: Rest) -> Truth | None:
    """Return the truth of what is left, None where it hangs on days."""
    if any(truth == YES and not days for truth, days in rest):
        return YES
    return None if any(days for _, days in rest) else max(truth for truth, _ in rest)


def _settled(candidate: Candidate) -> Candidate:
    """Answer at once what does not hang on days."""
    truth, versions = _truth(candidate.rest), [(force, _truth(rest), v) for force, rest, v in candidate.versions]
    if truth is None or any(of is None for _, of, _ in versions):
        return candidate
    certain = [(min(force, of), version) for force, of, version in versions if of is not None]
    return candidate._replace(outcome=_govern(min(candidate.reached, truth), certain))


def _asked(rest: Rest, situation: Situation) -> Truth:
    truth = NO
    for words, days in rest:
        truth = max(truth, min((words, *(c.truth(situation) for c in days))))
    return truth


def _in_scope(candidate: Candidate, situation: Situation) -> Looked:
    norm, place, rounding, outcome = candidate.norm, candidate.place, candidate.rounding, candidate.outcome
    if outcome is None:
        truth = min(candidate.reached, _asked(candidate.rest, situation))
        if truth == NO:
            return Looked(norm, place, NO, NO)
        own = [(min(force, _asked(rest, situation)), version) for force, rest, version in candidate.versions]
        outcome = _govern(truth, own)
    whole = None
    for period in outcome.periods:
        other = evaluate(period, situation, rounding)
        whole = whole.hull(other) if whole else other
    return Looked(norm, place, outcome.truth, outcome.truth, outcome.versions, whole, rounding, outcome.permanent)


def _govern(truth: Truth, versions: Iterable[tuple[Truth, Version]]) -> Outcome:
    """Return which versions may govern, newest first, and whether the norm applies by them."""
    possible, sure = [], False
    for here, version in versions:
        if here != NO:
            possible.append(version)
        if here == YES:
            sure = True
            break
    living = tuple(version for version in possible if not version.repealed)
    if truth == NO or not living:
        return Outcome(NO, tuple(possible) if truth != NO else (), (), False)
    if not sure or len(living) < len(possible):
        truth = min(truth, MAYBE)
    periods = tuple(version.period for version in living if version.period is not None)
    permanent = bool(periods) and all(v.period is not None and is_permanent(v.period) for v in living)
    return Outcome(truth, living, periods, permanent)


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
        looked = settled[name] = looked._replace(applies=applies, overridden_by=tuple(by))
    return looked
