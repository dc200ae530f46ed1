"""Many studies of one keeper under one jurisdiction code, judged in columns: the same as `judge` says for one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from compliance.decision import group
from compliance.decision.batch import NO_ROW, Mask, known_or_none, pick
from compliance.decision.compile import Law
from compliance.decision.group import Folded, Seen
from compliance.decision.judge import done
from compliance.decision.luts import Days
from compliance.decision.parts import FREE
from compliance.decision.rows import Rows, Span
from compliance.decision.unfold import Level, Parts, unfold
from compliance.law.dates import LAST, NEVER
from compliance.law.knowledge import KnowledgeBase
from compliance.law.statutes import BEFORE_PURGE, Norm, Version
from compliance.law.vocabulary import Value

LOSSY = ("no_norm", "allowed_from", "undetermined", "forbidden")
_DAYS = 1 << 22  # more than any day: status and day in one number
_NEVER = np.array([NEVER], np.int32)


@dataclass
class LossyRows:
    """The strictest status and its first allowed day in one number, the smallest ratio, the binding end (0 = none)."""

    key: NDArray[np.int64]
    ratio: NDArray[np.float64]
    lo: Days
    hi: Days


Seens: TypeAlias = Mapping[str, Seen]


@dataclass
class Judged:
    """One keeper's record classes, study by study: `study` folds them; see `judge.ClassResult`."""

    law: Law
    study: Level
    classes: NDArray[np.intp]
    words: tuple[str | None, ...]
    fold: Folded
    destroy_by: Days
    lossy: LossyRows
    blocking: dict[str, Mask]


@dataclass
class Looked:
    """The norms of each kind as they came out for the parts of studies, with what is known of these."""

    parts: Parts
    kinds: dict[str, tuple[Rows, Seens]]

    def applied(self) -> Iterator[tuple[str, Mask]]:
        """Yield the norms that apply, surely or perhaps, with the studies."""
        for name, seen in ((name, seen) for _, found in self.kinds.values() for name, seen in found.items()):
            if not seen.ready.norm.is_gap:
                yield name, by_study(self.parts, seen.live)


def judge(rows: Rows, law: Law, knowledge: KnowledgeBase) -> tuple[Judged, Looked]:
    """Judge every study of one keeper under one code."""
    parts = unfold(rows, knowledge.vocabulary)
    kinds: dict[str, tuple[Rows, Seens]] = {
        kind: (parts.rows, group.look(law, parts.rows, kind)) for kind in ("floor", "lossy", "duty")
    }
    whole, last_day = floors(kinds["floor"][1], law, knowledge, parts), _NEVER
    if law.ordered("ceiling"):
        at_end = with_retention_end(parts, whole)
        kinds["ceiling"] = at_end, group.look(law, at_end, "ceiling")
        last_day = _destroy_by(group.destroy_by(kinds["ceiling"][1]), parts)
    free = _freedom(rows, parts)
    judged = Judged(
        law,
        parts.study,
        parts.classes,
        parts.words,
        _freed(whole, free, rows, parts),
        last_day,
        _lossy(kinds["lossy"][1], law, parts),
        _blocking(kinds["duty"][1], parts, free == 2),
    )
    return judged, Looked(parts, kinds)


def earliest(rows: Rows, law: Law, knowledge: KnowledgeBase) -> Days:
    """Return the early end of every study alone: the day through which it surely has to be kept."""
    parts = unfold(rows, knowledge.vocabulary)
    lo = group.earliest(group.look(law, parts.rows, "floor"))
    if parts.modality.starts is not None:
        lo = parts.record.latest(_early(np.broadcast_to(lo, (parts.rows.n,)), parts.modality, _pairs_known(parts)))
    free, study = _freedom(rows, parts), parts.study.spread(rows.span("study_date").lo)
    return np.asarray(parts.study.latest(_free_or(free, study, np.minimum(lo, study), lo)))


def floors(found: Seens, law: Law, knowledge: KnowledgeBase, parts: Parts) -> Folded:
    """Return what the floors say of each record class."""
    combos, place = parts.rows.combos, parts.rows.place
    covers = combos.words.over("facility_type", lambda v: knowledge.nothing_found(place, known_or_none(v)), np.bool_)
    return _whole(group.fold(found, law, combos.by_row(covers)), parts)


def with_retention_end(parts: Parts, whole: Folded) -> Rows:
    """Return the parts with the binding end of their record class, from which ceilings count."""
    return parts.rows.with_day("retention_end", Span(_by_part(parts, whole.lo), _by_part(parts, whole.bound_hi)))


def _by_part(parts: Parts, column: NDArray[Any]) -> NDArray[Any]:
    return parts.modality.spread(parts.record.spread(column))


def by_study(parts: Parts, mask: Mask) -> Mask:
    """Return the studies in which some part says yes."""
    return parts.study.any(parts.record.any(parts.modality.any(mask)))


def _whole(fold: Folded, parts: Parts) -> Folded:
    """Over body parts each pair counts, or one of them where the pairing is not known; then over modalities."""
    if parts.modality.starts is None:
        return fold
    pairs = _folded(fold, parts.modality, _pairs_known(parts))
    return _folded(pairs, parts.record, np.ones(1, np.bool_))


def _folded(fold: Folded, level: Level, all_count: Mask) -> Folded:
    """Each end is the latest; where not all count it is the hull: the earliest early end."""
    n = (level.n,)
    lo, hi, bound_hi, permanent, covered, governing = (
        np.broadcast_to(column, n)
        for column in (fold.lo, fold.hi, fold.bound_hi, fold.permanent, fold.covered, fold.governing)
    )
    first = level.first_greatest(hi)
    return Folded(
        _early(lo, level, all_count),
        level.latest(hi),
        level.latest(bound_hi),
        np.where(all_count, level.any(permanent), level.all(permanent)),
        level.all(covered),
        governing if first is None else governing[first],
    )


def _early(lo: Days, level: Level, all_count: Mask) -> Days:
    return pick(all_count, level.latest(lo), level.earliest(lo))


def _pairs_known(parts: Parts) -> Mask:
    """By modality: each of its pairs with a body part occurs."""
    known: Mask = np.broadcast_to(parts.pairs_known, (parts.rows.n,))[parts.modality.starts]
    return known


def _destroy_by(days: Days, parts: Parts) -> Days:
    if parts.modality.starts is None:
        return days
    days = np.broadcast_to(days, (parts.rows.n,))
    known = _pairs_known(parts)
    return parts.record.earliest(pick(known, parts.modality.earliest(days), parts.modality.latest(days)))


def _freedom(rows: Rows, parts: Parts) -> NDArray[np.uint8]:
    """By record class: 2 where a duplicate is free, 1 where it may be, 0 where it is none."""
    combos = rows.combos
    both = [combos.words.truth(condition) for condition in FREE]
    return parts.study.spread(combos.by_row(np.minimum(*both)))


def _free_or(free: NDArray[np.uint8], new: NDArray[Any], hull: NDArray[Any], old: NDArray[Any]) -> NDArray[Any]:
    """The new where a duplicate is free, the hull of both where it may be."""
    return np.where(free == 2, new, np.where(free == 1, hull, old)) if free.any() else old


def _freed(whole: Folded, free: NDArray[np.uint8], rows: Rows, parts: Parts) -> Folded:
    """A duplicate is free while another copy of equal quality of the same keeper surely remains."""
    if not free.any():
        return whole
    study = rows.span("study_date")
    lo, hi = parts.study.spread(study.lo), parts.study.spread(study.hi)
    governing = np.where(whole.hi >= hi, whole.governing, -1)
    return Folded(
        _free_or(free, lo, np.minimum(whole.lo, lo), whole.lo),
        _free_or(free, hi, np.maximum(whole.hi, hi), whole.hi),
        _free_or(free, hi, np.maximum(whole.bound_hi, hi), whole.bound_hi),
        whole.permanent & (free == 0),
        _free_or(free, np.ones(1, np.bool_), whole.covered, whole.covered),
        _free_or(free, np.full(1, -1), governing, whole.governing),
    )


def _lossy(found: Seens, law: Law, parts: Parts) -> LossyRows:
    """Status, day and ratio of every part, the strictest of a record class."""
    nothing = LossyRows(np.zeros(1, np.int64), np.full(1, np.inf), np.zeros(1, np.int32), np.zeros(1, np.int32))
    if not found:
        return nothing
    live, ratio = NO_ROW, np.full(1, np.inf)
    for seen in found.values():
        live = live | seen.live
        for version, where in seen.governs:
            if version.max_ratio is not None:
                ratio = np.where(where & seen.live, np.minimum(ratio, version.max_ratio), ratio)
    whole = group.fold(found, law, NO_ROW, as_binding=True)
    bound = group.fold(found, law, NO_ROW)
    for_ever = whole.hi >= LAST
    status = np.where(~whole.covered | for_ever & ~whole.permanent, 2, np.where(for_ever, 3, 1))
    key = np.where(live, status * _DAYS + np.where(status == 1, whole.hi.astype(np.int64) + 1, 0), 0)
    bound_lo, bound_hi = (np.where(bound.covered & live, day, 0) for day in (bound.lo, bound.bound_hi))

    def strictest(column: NDArray[Any], how: np.ufunc) -> NDArray[Any]:
        return parts.record.fold(how, parts.modality.fold(how, column))

    return LossyRows(strictest(key, np.maximum), strictest(np.where(live, ratio, np.inf), np.minimum),
                     strictest(bound_lo, np.maximum), strictest(bound_hi, np.maximum))  # fmt: skip


def _blocking(found: Seens, parts: Parts, free: Mask) -> dict[str, Mask]:
    """By record class, for each duty that must come before a purge, where it is open."""
    blocking = {}
    for name, seen in found.items():
        combos, is_open = parts.rows.combos, NO_ROW
        for version, where in seen.governs:
            if version.duty in BEFORE_PURGE:
                undone = partial(_undone, seen.ready.norm, version, parts.rows.as_of)
                is_open = is_open | where & combos.by_row(combos.words.over("duties_done", undone, np.bool_))
        if is_open.any():
            shown = _where_it_weighs_most(is_open & seen.live, seen.applies, parts) & ~free
            if shown.any():
                blocking[name] = shown
    return blocking


def _undone(norm: Norm, version: Version, as_of: int, when: Value | None) -> bool:
    return not done(norm, version, when, as_of)


def _where_it_weighs_most(mask: Mask, applies: NDArray[np.uint8], parts: Parts) -> Mask:
    """Of the parts of a record class the first to which the duty surely applies counts, else the first it may."""
    if parts.modality.starts is None:
        return mask
    runs = Level(parts.rows.n, parts.modality.starts[parts.record.starts] if parts.record.starts is not None else None)
    first = runs.first_greatest(applies)
    return np.broadcast_to(mask, (parts.rows.n,))[first] if first is not None else mask
