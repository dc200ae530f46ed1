"""One keeper under one jurisdiction code: its record classes, their parts, ceilings, lossy norms and duties."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from compliance.decision import fold as folding
from compliance.decision.apply import Looked, NormSet, look, norm_set
from compliance.decision.fold import Fold
from compliance.decision.parts import Modality, modalities, record_classes
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


@dataclass(frozen=True, slots=True)
class ClassResult:
    """One record class of one keeper under one code."""

    record: str | None
    fold: Fold
    destroy_by: int | None
    lossy: Lossy
    duties: tuple[Duty, ...]


@dataclass(slots=True)
class KeeperResult:
    """One keeper under one code: facts used, results by record class, every norm that was looked at."""

    code: str
    facts: dict[str, Value]
    situation: Situation
    chosen: NormSet
    classes: tuple[ClassResult, ...] = ()
    norms: dict[str, Evidence] = field(default_factory=dict)
    may_decide: list[Evidence] = field(default_factory=list)  # floors and ceilings that may apply, part by part
    problems: tuple[BadData, ...] = ()


def judge(knowledge: KnowledgeBase, facts: dict[str, Value], as_of: int, code: str) -> KeeperResult:
    """Judge one keeper under one code."""
    given = facts if "copy" in facts else {**facts, "copy": _ORIGINAL}
    situation = situate(given, knowledge.vocabulary, as_of, knowledge.jurisdictions, code)
    result = KeeperResult(code, given, situation, norm_set(knowledge, code), problems=situation.problems)
    covers = knowledge.nothing_found(code, situation.value("facility_type"))
    parts = modalities(situation, knowledge.vocabulary)
    result.classes = tuple(_Class(result, record, parts, covers).judge() for record in record_classes(situation))
    return result


_ORIGINAL = Members(frozenset({"original"}), frozenset({"original"}))


@dataclass(slots=True)
class _Class:
    """The work on one record class."""

    result: KeeperResult
    record: str | None
    parts: tuple[Modality, ...]
    guidance_covers: bool

    def judge(self) -> ClassResult:
        whole = folding.latest(self._floors(part) for part in self.parts)
        last_day = self._destroy_by(whole.binding)
        return ClassResult(self.record, self._free(whole), last_day, self._lossy(), self._duties())

    def _floors(self, part: Modality) -> Fold:
        """Fold one modality: over its body parts each pair counts, or one of them where the pairing is not known."""
        some = [
            folding.fold(found, self.result.chosen, self.guidance_covers) for found, _ in self._looks(part, "floor")
        ]
        return folding.latest(some) if part.pairs_known else folding.hull(some)

    def _looks(
        self, part: Modality, kind: str, retention_end: DateRange | None = None
    ) -> Iterable[tuple[dict[str, Looked], Situation]]:
        for body in part.body_parts:
            at = self.result.situation.part(record=self.record, modality=part.code, body_part=body)
            if retention_end is not None:
                at = at.with_day("retention_end", retention_end)
            found = look(self.result.chosen, at, kind)
            for name, one in found.items():
                self._remember(name, Evidence(one, at))
            yield found, at

    def _remember(self, name: str, new: Evidence) -> None:
        if new.looked.applies != NO and new.looked.norm.kind in ("floor", "ceiling"):
            self.result.may_decide.append(new)
        old = self.result.norms.get(name)
        if old is None or _weight(new.looked) > _weight(old.looked):
            self.result.norms[name] = new

    def _destroy_by(self, retention_end: DateRange) -> int | None:
        if "ceiling" not in self.result.chosen.by_kind:
            return None
        days = list[int | None]()
        for part in self.parts:
            own = [folding.destroy_by(found.values()) for found, _ in self._looks(part, "ceiling", retention_end)]
            certain = [day for day in own if day is not None]
            days.append(
                min(certain, default=None) if part.pairs_known else (max(certain) if len(certain) == len(own) else None)
            )
        return min((day for day in days if day is not None), default=None)

    def _free(self, whole: Fold) -> Fold:
        """A duplicate is free while another copy of equal quality of the same keeper surely remains."""
        copy, left = self.result.situation.value("copy"), self.result.situation.value("copies_left")
        if not may_hold_word(copy, "duplicate") or not may_hold_word(left, "some"):
            return whole
        study = self.result.situation.day("study_date")
        free = Fold(study, study, False, True, None)
        return free if holds_word(copy, "duplicate") and holds_word(left, "some") else folding.hull((whole, free))

    def _lossy(self) -> Lossy:
        if "lossy" not in self.result.chosen.by_kind:
            return NO_NORM
        found = [
            _fold_lossy(looked, self.result.chosen) for part in self.parts for looked, _ in self._looks(part, "lossy")
        ]
        return stricter(found)

    def _duties(self) -> tuple[Duty, ...]:
        if "duty" not in self.result.chosen.by_kind:
            return ()
        found: dict[str, Looked] = {}
        for part in self.parts:
            for looked, _ in self._looks(part, "duty"):
                for name, one in looked.items():
                    if one.applies != NO and (name not in found or one.applies > found[name].applies):
                        found[name] = one
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
    return replace(result, fold=folding.UNSURE, destroy_by=None, lossy=lossy)


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
    as_binding = {name: _as_binding(one) for name, one in found.items()}
    whole = folding.fold(as_binding, chosen, False)
    bound = folding.fold(found, chosen, False)
    ratio = min(ratios, default=None)
    names = tuple(sorted(live))
    if not whole.covered or (whole.full.latest >= dates.LAST and not whole.permanent):
        return Lossy("undetermined", None, ratio, names, bound.binding if bound.covered else None)
    if whole.full.latest >= dates.LAST:
        return Lossy("forbidden", None, ratio, names, bound.binding if bound.covered else None)
    return Lossy("allowed_from", whole.full.latest + 1, ratio, names, bound.binding if bound.covered else None)


def _as_binding(one: Looked) -> Looked:
    """Guidance on compression counts like a floor of its own: radiology has hardly any other law on it."""
    return replace(one, norm=replace(one.norm, force="binding")) if one.norm.force == "guidance" else one


def stricter(found: Iterable[Lossy]) -> Lossy:
    """Return the strictest of several: forbidden, undetermined, the latest day, none; the smallest ratio."""
    some = list(found)
    order = {"forbidden": 3, "undetermined": 2, "allowed_from": 1, "no_norm": 0}
    first = max(some, key=lambda one: (order[one.status], one.allowed_from or 0))
    ratios = [one.max_ratio for one in some if one.max_ratio is not None]
    bounds = [one.binding for one in some if one.binding is not None]
    bound = DateRange(max(b.earliest for b in bounds), max(b.latest for b in bounds)) if bounds else None
    names = tuple(sorted({name for one in some for name in one.norms}))
    return Lossy(first.status, first.allowed_from, min(ratios, default=None), names, bound)
