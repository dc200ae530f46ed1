"""One keeper under one jurisdiction code: its record classes, their parts, ceilings, lossy norms and duties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from compliance.decision import fold as folding
from compliance.decision.apply import Looked, Sifted, look
from compliance.decision.fold import Fold
from compliance.decision.plan import Book, Class, Pair, Plan, plan
from compliance.law import dates
from compliance.law.conditions import NO, YES, Truth
from compliance.law.dates import DateRange, made
from compliance.law.knowledge import KnowledgeBase
from compliance.law.situation import BadData, Situation, situate
from compliance.law.statutes import BEFORE_PURGE, KINDS, Norm, Version
from compliance.law.vocabulary import HAPPENED, Members, Value


class Evidence(NamedTuple):
    """A norm as it came out, with the situation it was held against (so that it can be explained)."""

    looked: Looked
    situation: Situation
    why_not: dict[str, str]  # by norm id, what `reasons.why` said before of the same words


class Lossy(NamedTuple):
    """From when lossy compression is allowed, and how strong; `binding` counts binding law alone."""

    status: str
    allowed_from: int | None
    max_ratio: float | None
    norms: tuple[str, ...]
    binding: DateRange | None = None


class Duty(NamedTuple):
    """What must be done before or after a purge."""

    norm: Norm
    version: Version
    applies: Truth
    done: bool

    @property
    def blocks(self) -> bool:
        """It must come before a purge and is open."""
        return self.version.duty in BEFORE_PURGE and not self.done


class ClassResult(NamedTuple):
    """One record class of one keeper under one code."""

    record: str | None
    fold: Fold
    destroy_by: int | None
    lossy: Lossy
    duties: tuple[Duty, ...]


class Look(NamedTuple):
    """The norms of one kind as they came out for one part; `found` those that words do not rule out."""

    sifted: Sifted
    found: dict[str, Looked]
    at: Situation


@dataclass(slots=True)
class KeeperResult:
    """One keeper under one code: its situation, results by record class, the looks at norms that these took."""

    code: str
    situation: Situation
    plan: Plan
    classes: tuple[ClassResult, ...] = ()
    taken: list[Look] = field(default_factory=list)

    @property
    def problems(self) -> tuple[BadData, ...]:
        """Facts that contradict each other."""
        return self.situation.problems

    @property
    def looks(self) -> Iterator[Look]:
        """Every look at norms; those that it took no look to judge are only looked at now."""
        yield from self.taken
        pairs = [pair for one in self.plan.classes for imaged in one.imaged for pair in imaged.pairs]
        for sifted, here in ((pair.sifted[kind], pair.at(self.situation)) for kind in KINDS for pair in pairs):
            if sifted.kind not in self.plan.kinds:
                yield Look(sifted, look(sifted, here), here)

    @property
    def norms(self) -> dict[str, Evidence]:
        """Every norm that was looked at, as it came out where it weighed most."""
        norms: dict[str, Evidence] = {}
        for one in self.looks:
            for name, out in one.sifted.ruled_out.items():
                new = one.found.get(name, out)
                old = norms.get(name)
                if old is None or _weight(new) > _weight(old.looked):
                    norms[name] = Evidence(new, one.at, one.sifted.why_not)
        return norms

    @property
    def may_decide(self) -> list[Evidence]:
        """Floors and ceilings that may apply, part by part."""
        seen = [Evidence(one, some.at, some.sifted.why_not) for some in self.looks for one in some.found.values()]
        return [one for one in seen if one.looked.applies != NO and one.looked.norm.kind in ("floor", "ceiling")]


def judge(knowledge: KnowledgeBase, facts: Mapping[str, Value], as_of: int, own: Book) -> KeeperResult:
    """Judge one keeper under one code."""
    given = facts if "copy" in facts else {**facts, "copy": _ORIGINAL}
    situation = situate(given, knowledge.vocabulary, as_of, knowledge.jurisdictions, own.code)
    keeper = KeeperResult(own.code, situation, plan(knowledge, own, situation))
    keeper.classes = tuple([_judge(keeper, one) for one in keeper.plan.classes])
    return keeper


_ORIGINAL = Members(frozenset({"original"}), frozenset({"original"}))


def _judge(keeper: KeeperResult, one: Class) -> ClassResult:
    kinds = keeper.plan.kinds
    whole = _floors(keeper, one) if "floor" in kinds else folding.UNSURE
    last_day = _destroy_by(keeper, one, whole.binding) if "ceiling" in kinds else None
    lossy = _lossy(keeper, one) if "lossy" in kinds else NO_NORM
    duties = _duties(keeper, one) if "duty" in kinds else ()
    retain = whole if keeper.plan.free is NO else _free(whole, keeper)
    return made(ClassResult, (one.record, retain, last_day, lossy, duties))


def _look(keeper: KeeperResult, pair: Pair, kind: str, retention_end: DateRange | None = None) -> dict[str, Looked]:
    """Look at the norms of a kind, and keep what was seen."""
    sifted, here = pair.sifted[kind], pair.at(keeper.situation, retention_end)
    found = look(sifted, here)
    keeper.taken.append(made(Look, (sifted, found, here)))
    return found


def _floors(keeper: KeeperResult, one: Class) -> Fold:
    """Fold each modality: over its body parts each pair counts, or one of them where the pairing is not known."""
    folds: list[Fold] = []
    for imaged in one.imaged:
        some: list[Fold] = []
        for pair in imaged.pairs:
            some.append(folding.fold(_look(keeper, pair, "floor"), keeper.plan.covers))
        folds.append(folding.latest(some) if imaged.pairs_known else folding.hull(some))
    return folding.latest(folds)


def _destroy_by(keeper: KeeperResult, one: Class, retention_end: DateRange) -> int | None:
    days: list[int] = []
    for imaged in one.imaged:
        own = [folding.destroy_by(_look(keeper, pair, "ceiling", retention_end).values()) for pair in imaged.pairs]
        certain = [day for day in own if day is not None]
        if certain and (imaged.pairs_known or len(certain) == len(own)):
            days.append(min(certain) if imaged.pairs_known else max(certain))
    return min(days, default=None)


def _free(whole: Fold, keeper: KeeperResult) -> Fold:
    """A duplicate is free while another copy of equal quality of the same keeper surely remains."""
    study = keeper.situation.day("study_date")
    free = Fold(study, study, False, True, None)
    return free if keeper.plan.free == YES else folding.hull((whole, free))


def _lossy(keeper: KeeperResult, one: Class) -> Lossy:
    return stricter([_fold_lossy(_look(keeper, pair, "lossy")) for imaged in one.imaged for pair in imaged.pairs])


def _duties(keeper: KeeperResult, one: Class) -> tuple[Duty, ...]:
    found: dict[str, Looked] = {}
    for imaged in one.imaged:
        for pair in imaged.pairs:
            for name, looked in _look(keeper, pair, "duty").items():
                if looked.applies != NO and (name not in found or looked.applies > found[name].applies):
                    found[name] = looked
    when, as_of = keeper.situation.value("duties_done"), keeper.situation.as_of
    duties = [
        Duty(looked.norm, version, looked.applies, done(looked.norm, version, when, as_of))
        for looked in found.values()
        for version in looked.versions
    ]
    # Floors ask for one copy; certificates reach every copy of the original.
    return tuple([duty for duty in duties if keeper.plan.free != YES or duty.version.duty == "certificate"])


def contradicted(result: ClassResult) -> ClassResult:
    """Return what is left of a class where the facts contradict each other: its duties, and no day."""
    lossy = result.lossy
    if lossy.status != "no_norm":
        lossy = lossy._replace(status="undetermined", allowed_from=None, binding=None)
    return result._replace(fold=folding.UNSURE, destroy_by=None, lossy=lossy)


def _weight(one: Looked) -> tuple[int, int, int]:
    return (one.applies, one.in_scope, one.range.latest if one.range else 0)


def done(norm: Norm, version: Version, when: Value | None, as_of: int) -> bool:
    """Is a duty done, and has its lead run, by what `duties_done` says?"""
    if not isinstance(when, dict):
        return False
    day = next((when[name] for name in (norm.id, *norm.formerly) if name in when), None)
    if day is None:
        return False
    count, unit = version.lead_days
    return dates.add(as_of if day == HAPPENED else day.latest, count, unit, "next") <= as_of


NO_NORM = Lossy("no_norm", None, None, ())


def _fold_lossy(found: dict[str, Looked]) -> Lossy:
    """Guidance on compression counts like a floor of its own: radiology has hardly any other law on it."""
    live = {name: one for name, one in found.items() if one.applies != NO}
    if not live:
        return NO_NORM
    ratios = [version.max_ratio for one in live.values() for version in one.versions if version.max_ratio is not None]
    whole, bound = folding.fold(found, False, as_binding=True), folding.fold(found, False)
    ratio, names = min(ratios, default=None), tuple(sorted(live))
    if not whole.covered or (whole.full.latest >= dates.LAST and not whole.permanent):
        return Lossy("undetermined", None, ratio, names, bound.binding if bound.covered else None)
    if whole.full.latest >= dates.LAST:
        return Lossy("forbidden", None, ratio, names, bound.binding if bound.covered else None)
    return Lossy("allowed_from", whole.full.latest + 1, ratio, names, bound.binding if bound.covered else None)


def stricter(some: Sequence[Lossy]) -> Lossy:
    """Return the strictest of several: forbidden, undetermined, the latest day, none; the smallest ratio."""
    if len(some) == 1:
        return some[0]
    order = {"forbidden": 3, "undetermined": 2, "allowed_from": 1, "no_norm": 0}
    first = max(some, key=lambda one: (order[one.status], one.allowed_from or 0))
    ratios = [one.max_ratio for one in some if one.max_ratio is not None]
    bounds = [one.binding for one in some if one.binding is not None]
    bound = DateRange(max(b.earliest for b in bounds), max(b.latest for b in bounds)) if bounds else None
    names = tuple(sorted({name for one in some for name in one.norms}))
    return Lossy(first.status, first.allowed_from, min(ratios, default=None), names, bound)
