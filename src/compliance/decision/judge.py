"""One keeper under one jurisdiction code: its record classes, their parts, ceilings, lossy norms and duties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from compliance.decision import fold as folding
from compliance.decision.apply import Looked, NormSet, Sifted, look
from compliance.decision.fold import Fold
from compliance.decision.plan import Class, Imaged, Plan, plan
from compliance.law import dates
from compliance.law.conditions import NO, Truth
from compliance.law.dates import DateRange
from compliance.law.knowledge import KnowledgeBase
from compliance.law.situation import BadData, Situation, situate
from compliance.law.statutes import BEFORE_PURGE, Norm, Version
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
    """One keeper under one code: facts used, results by record class, every look at norms."""

    code: str
    facts: dict[str, Value]
    situation: Situation
    plan: Plan
    classes: tuple[ClassResult, ...] = ()
    looks: list[Look] = field(default_factory=list)

    @property
    def problems(self) -> tuple[BadData, ...]:
        """Facts that contradict each other."""
        return self.situation.problems

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
        seen = (Evidence(one, some.at, some.sifted.why_not) for some in self.looks for one in some.found.values())
        return [one for one in seen if one.looked.applies != NO and one.looked.norm.kind in ("floor", "ceiling")]


def judge(knowledge: KnowledgeBase, facts: dict[str, Value], as_of: int, code: str) -> KeeperResult:
    """Judge one keeper under one code."""
    given = facts if "copy" in facts else {**facts, "copy": _ORIGINAL}
    situation = situate(given, knowledge.vocabulary, as_of, knowledge.jurisdictions, code)
    result = KeeperResult(code, given, situation, plan(knowledge, code, situation))
    result.classes = tuple(_Class(result, one).judge() for one in result.plan.classes)
    return result


_ORIGINAL = Members(frozenset({"original"}), frozenset({"original"}))


@dataclass(slots=True)
class _Class:
    """The work on one record class."""

    result: KeeperResult
    plan: Class
    situations: list[list[Situation]] = field(init=False)

    def judge(self) -> ClassResult:
        study = self.result.situation
        self.situations = [[pair.at(study) for pair in one.pairs] for one in self.plan.imaged]
        whole = folding.latest(
            [self._floors(one, at) for one, at in zip(self.plan.imaged, self.situations, strict=True)]
        )
        last_day = self._destroy_by(whole.binding)
        return ClassResult(self.plan.record, self._free(whole), last_day, self._lossy(), self._duties())

    def _floors(self, one: Imaged, at: list[Situation]) -> Fold:
        """Fold one modality: over its body parts each pair counts, or one of them where the pairing is not known."""
        chosen, covers = self.result.plan.chosen, self.result.plan.covers
        some = [folding.fold(found, chosen, covers) for found in self._looks(one, at, "floor")]
        return folding.latest(some) if one.pairs_known else folding.hull(some)

    def _looks(self, one: Imaged, at: list[Situation], kind: str) -> list[dict[str, Looked]]:
        chosen, looks, founds = self.result.plan.chosen, self.result.looks, []
        for pair, here in zip(one.pairs, at, strict=True):
            sifted = pair.sifted[kind]
            found = look(sifted, chosen, here)
            looks.append(Look(sifted, found, here))
            founds.append(found)
        return founds

    def _all(self, kind: str) -> list[dict[str, Looked]]:
        parts = zip(self.plan.imaged, self.situations, strict=True)
        return [found for one, at in parts for found in self._looks(one, at, kind)]

    def _destroy_by(self, retention_end: DateRange) -> int | None:
        if "ceiling" not in self.result.plan.chosen.by_kind:
            return None
        days = list[int]()
        for one, situations in zip(self.plan.imaged, self.situations, strict=True):
            at = [situation.with_day("retention_end", retention_end) for situation in situations]
            own = [folding.destroy_by(found.values()) for found in self._looks(one, at, "ceiling")]
            certain = [day for day in own if day is not None]
            if certain and (one.pairs_known or len(certain) == len(own)):
                days.append(min(certain) if one.pairs_known else max(certain))
        return min(days, default=None)

    def _free(self, whole: Fold) -> Fold:
        """A duplicate is free while another copy of equal quality of the same keeper surely remains."""
        copy, left = self.result.situation.value("copy"), self.result.situation.value("copies_left")
        if not may_hold_word(copy, "duplicate") or not may_hold_word(left, "some"):
            return whole
        study = self.result.situation.day("study_date")
        free = Fold(study, study, False, True, None)
        return free if holds_word(copy, "duplicate") and holds_word(left, "some") else folding.hull((whole, free))

    def _lossy(self) -> Lossy:
        chosen = self.result.plan.chosen
        if "lossy" not in chosen.by_kind:
            return NO_NORM
        return stricter([_fold_lossy(found, chosen) for found in self._all("lossy")])

    def _duties(self) -> tuple[Duty, ...]:
        if "duty" not in self.result.plan.chosen.by_kind:
            return ()
        found: dict[str, Looked] = {}
        for looked in self._all("duty"):
            for name, one in looked.items():
                if one.applies != NO and (name not in found or one.applies > found[name].applies):
                    found[name] = one
        if not found:
            return ()
        free = self._free(folding.UNSURE).covered
        when, as_of = self.result.situation.value("duties_done"), self.result.situation.as_of
        duties = [
            Duty(one.norm, version, one.applies, done(one.norm, version, when, as_of))
            for one in found.values()
            for version in one.versions
        ]
        # Floors ask for one copy; certificates reach every copy of the original.
        return tuple(duty for duty in duties if not free or duty.version.duty == "certificate")


def contradicted(result: ClassResult) -> ClassResult:
    """Return what is left of a class where the facts contradict each other: its duties, and no day."""
    lossy = result.lossy
    if lossy.status != "no_norm":
        lossy = lossy._replace(status="undetermined", allowed_from=None, binding=None)
    return result._replace(fold=folding.UNSURE, destroy_by=None, lossy=lossy)


def may_hold_word(value: Value | None, word: str) -> bool:
    """A set or choice may hold the word."""
    return not isinstance(value, Members) or value.may is None or word in value.may


def holds_word(value: Value | None, word: str) -> bool:
    """A set or choice surely holds the word."""
    return isinstance(value, Members) and word in value.must


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


def _fold_lossy(found: dict[str, Looked], chosen: NormSet) -> Lossy:
    live = {name: one for name, one in found.items() if one.applies != NO}
    if not live:
        return NO_NORM
    ratios = [version.max_ratio for one in live.values() for version in one.versions if version.max_ratio is not None]
    as_binding = {name: _as_binding(one, chosen) for name, one in found.items()}
    whole = folding.fold(as_binding, chosen, False)
    bound = folding.fold(found, chosen, False)
    ratio = min(ratios, default=None)
    names = tuple(sorted(live))
    if not whole.covered or (whole.full.latest >= dates.LAST and not whole.permanent):
        return Lossy("undetermined", None, ratio, names, bound.binding if bound.covered else None)
    if whole.full.latest >= dates.LAST:
        return Lossy("forbidden", None, ratio, names, bound.binding if bound.covered else None)
    return Lossy("allowed_from", whole.full.latest + 1, ratio, names, bound.binding if bound.covered else None)


def _as_binding(one: Looked, chosen: NormSet) -> Looked:
    """Guidance on compression counts like a floor of its own: radiology has hardly any other law on it."""
    if one.norm.force != "guidance":
        return one
    if one.norm.id not in chosen.as_binding:
        chosen.as_binding[one.norm.id] = replace(one.norm, force="binding")
    return one._replace(norm=chosen.as_binding[one.norm.id])


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
