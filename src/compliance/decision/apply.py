"""Which norms apply to one part of a study: scope, versions, copies, overrides (rules 7, 9-14 of laws/README.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from compliance.law.conditions import MAYBE, NO, YES, Condition, Facts, Listed, Truth, fact_of, on_days
from compliance.law.dates import DateRange, Rounding, made
from compliance.law.knowledge import EVERYWHERE, KnowledgeBase
from compliance.law.periods import CEILING, FLOOR, Reckoner, Round, hull, is_permanent, reckoner
from compliance.law.scopes import Scope
from compliance.law.situation import Situation
from compliance.law.statutes import Norm, Version
from compliance.law.vocabulary import Members

_BLURRED = frozenset({"derived", "deidentified"})


Rest = tuple[tuple[Truth, tuple[Condition, ...]], ...]  # conjunctions: the truth of the words, the conditions on days


class Outcome(NamedTuple):
    """Whether a norm applies by its own scope, by which versions, and what reckons the hull of the periods these set."""

    truth: Truth
    versions: tuple[Version, ...] = ()
    reckon: Reckoner | None = None
    permanent: bool = False


RULED_OUT = Outcome(NO)


class Candidate(NamedTuple):
    """A norm held against words and the day of the question: what it weighs, and what is left to ask.

    `outcome` where nothing is left; else each is made once for what the conditions on days come to (`made`).
    """

    norm: Norm
    place: Truth
    rounding: Round
    rank: tuple[int, str]  # narrowest place first, then id
    sure: bool
    reached: Truth
    rest: Rest
    versions: tuple[tuple[Truth, Rest, Version], ...]
    outcome: Outcome | None
    made: dict[tuple[Truth, ...], Outcome]


class Looked(NamedTuple):
    """A norm as it came out for one part: by its own scope and versions (`outcome`), and what is left of that after
    overrides (`applies`); `range` is None for duties and where the norm is out of scope.
    """

    candidate: Candidate
    outcome: Outcome
    applies: Truth
    range: DateRange | None
    overridden_by: tuple[str, ...]

    @property
    def norm(self) -> Norm:
        """The norm."""
        return self.candidate.norm

    @property
    def place(self) -> Truth:
        """Does the norm's place hold for the keeper, or only perhaps?"""
        return self.candidate.place

    @property
    def rounding(self) -> Round:
        """What becomes of a day that does not exist."""
        return self.candidate.rounding

    @property
    def in_scope(self) -> Truth:
        """Its own scope and version."""
        return self.outcome.truth

    @property
    def versions(self) -> tuple[Version, ...]:
        """Those that may govern."""
        return self.outcome.versions

    @property
    def permanent(self) -> bool:
        """Every version that may govern says for ever."""
        return self.outcome.permanent


class Sifted(NamedTuple):
    """The norms of one kind for some words: each as ruled out, those that words do not rule out, which of these are
    displaced by which (overriders first), and why not, as far as it was told before and hangs on words alone.
    """

    kind: str
    ruled_out: dict[str, Looked]
    candidates: tuple[Candidate, ...]
    displaced: tuple[tuple[str, tuple[str, ...]], ...]
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


def look(sifted: Sifted, situation: Situation) -> dict[str, Looked]:
    """Return every norm of a kind that words do not rule out, as it comes out for the situation, by id."""
    found: dict[str, Looked] = {}
    for one in sifted.candidates:
        outcome = one.outcome or _outcome(one, situation)
        reckon = outcome.reckon
        day = reckon(situation) if reckon else None
        found[one.norm.id] = made(Looked, (one, outcome, outcome.truth, day, ()))
    for name, overriders in sifted.displaced:
        found[name] = _displace(found[name], overriders, found)
    return found


def sift(chosen: NormSet, situation: Situation, kind: str) -> Sifted:
    """Part the norms of a kind by what is known of words and of the day of the question."""
    ruled_out, candidates = dict[str, Looked](), dict[str, Candidate]()
    for norm, place, rounding in chosen.by_kind.get(kind, ()):
        rank = chosen.width.get(norm.jurisdiction, 0), norm.id
        reached = min(place, reach(norm, situation))
        rest = _rest(norm.scope, situation) if reached != NO else ()
        versions = _versions(norm, situation) if rest else ()
        one = _settled(Candidate(norm, place, rounding, rank, norm.sure, reached, rest, versions, None, {}))
        if one.outcome is None or one.outcome.truth != NO:
            candidates[norm.id] = one
        ruled_out[norm.id] = Looked(one, one.outcome or RULED_OUT, NO, None, ())  # of all: keeps the order of the norms
    return Sifted(kind, ruled_out, tuple(candidates.values()), tuple(_displaced(candidates, chosen)), {})


def _displaced(candidates: Mapping[str, Candidate], chosen: NormSet) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield which norms are displaced by which, each after those that displace it."""
    seen = set[str]()  # a circle was refused while loading

    def settle(name: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        overriders = tuple(one for one in chosen.overriders.get(name, ()) if one in candidates)
        if overriders and name not in seen:
            seen.add(name)
            for one in overriders:
                yield from settle(one)
            yield name, overriders

    for name in candidates:
        yield from settle(name)


def _rest(scope: Scope, situation: Situation) -> Rest:
    """Return what is left to ask of a scope, empty where words rule it out."""
    left = []
    for conjunction in scope.any_of or ((),):
        truth = min((c.truth(situation) for c in conjunction if not on_days(c)), default=YES)
        if truth != NO:
            left.append((truth, tuple(c for c in conjunction if on_days(c))))
    return tuple(left)


def _versions(norm: Norm, situation: Situation) -> tuple[tuple[Truth, Rest, Version], ...]:
    """Return the versions that may govern by the day and by words, newest first, with what is left to ask of each."""
    found = []
    for force, version in in_force(norm, situation.as_of):
        if rest := _rest(version.scope, situation):
            found.append((force, rest, version))
            if force == YES and _truth(rest) == YES:
                break
    return tuple(found)


def in_force(norm: Norm, as_of: int) -> Iterator[tuple[Truth, Version]]:
    """Yield the versions that may govern on a day, newest first; none older than one that surely does."""
    for version in norm.versions:
        truth = version.in_force(as_of)
        if truth != NO:
            yield truth, version
        if truth == YES and not version.scope.any_of:
            return


def _truth(rest: Rest) -> Truth | None:
    """Return the truth of what is left, None where it hangs on days."""
    if any(truth == YES and not days for truth, days in rest):
        return YES
    return None if any(days for _, days in rest) else max((truth for truth, _ in rest), default=NO)


def _settled(candidate: Candidate) -> Candidate:
    """Answer at once what does not hang on days."""
    truths = [_truth(candidate.rest), *(_truth(rest) for _, rest, _ in candidate.versions)]
    certain = [truth for truth in truths if truth is not None]
    return candidate if len(certain) < len(truths) else candidate._replace(outcome=_govern(candidate, certain))


def _asked(rest: Rest, situation: Situation) -> Truth:
    best = NO
    for truth, days in rest:
        for condition in days:
            truth = min(truth, condition.truth(situation))
        best = max(best, truth)
    return best


def _outcome(candidate: Candidate, situation: Situation) -> Outcome:
    """Ask what hangs on days."""
    truths = (_asked(candidate.rest, situation), *[_asked(rest, situation) for _, rest, _ in candidate.versions])
    found = candidate.made.get(truths)
    if found is None:
        found = candidate.made[truths] = _govern(candidate, truths)
    return found


def _govern(candidate: Candidate, truths: Sequence[Truth]) -> Outcome:
    """Return which versions may govern, newest first, and whether the norm applies by them.

    `truths`: of the norm's own scope, then of each version's.
    """
    truth = min(candidate.reached, truths[0])
    possible, sure = [], False
    for (force, _, version), scope in zip(candidate.versions, truths[1:], strict=True):
        here = min(force, scope)
        if here != NO:
            possible.append(version)
        if here == YES:
            sure = True
            break
    living = tuple(version for version in possible if not version.repealed)
    if truth == NO or not living:
        return Outcome(NO, tuple(possible) if truth != NO else ())
    if not sure or len(living) < len(possible):
        truth = min(truth, MAYBE)
    periods = [version.period for version in living if version.period is not None]
    if not periods:
        return Outcome(truth, living)
    permanent = len(periods) == len(living) and all(is_permanent(period) for period in periods)
    return Outcome(truth, living, hull([reckoner(period, candidate.rounding) for period in periods]), permanent)


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


def _displace(looked: Looked, overriders: Sequence[str], found: Mapping[str, Looked]) -> Looked:
    """An overrider that surely applies makes the norm `no`, one that may makes it `maybe`."""
    applies, by = looked.applies, []
    for name in overriders:
        other = found[name]
        force = other.applies if other.candidate.sure else min(other.applies, MAYBE)
        if applies != NO and force != NO:
            by.append(name)
            applies = NO if force == YES else min(applies, MAYBE)
    return looked._replace(applies=applies, overridden_by=tuple(by)) if by else looked
