"""Decisions in columns: the fold over keepers, codes and record classes, and the table that is handed out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from compliance.decision.batch import NO_ROW, Codes, Mask, Selection, pick
from compliance.decision.decide import ORDER, Decision
from compliance.decision.keeper import LOSSY, Judged
from compliance.decision.luts import Days
from compliance.decision.marks import Marks, sets
from compliance.law.dates import EPOCH, LAST, NEVER, OPEN

HELD, CONFLICT, UNDETERMINED, RETAIN, MUST_PURGE, MAY_PURGE = range(len(ORDER))
_DAYS = 1 << 22
_WORD = pa.dictionary(pa.int32(), pa.string())
DECISIONS = pa.schema([
    ("disposition", _WORD), ("ready", pa.bool_()), ("retain_earliest", pa.date32()), ("retain_latest", pa.date32()),
    ("binding_earliest", pa.date32()), ("binding_latest", pa.date32()), ("permanent", pa.bool_()),
    ("earliest_purge_date", pa.date32()), ("destroy_by", pa.date32()), ("governing", _WORD), ("missing", _WORD),
    ("open_duties", _WORD), ("next_change", pa.date32()), ("held", pa.bool_()), ("bad_data", pa.bool_()),
    ("lossy", _WORD), ("lossy_from", pa.date32()), ("max_ratio", pa.float64()),
])  # fmt: skip


class ClassColumns(NamedTuple):
    """One record class of some rows under one keeper and code: its disposition, ceiling and governing norm."""

    rows: Codes
    record: NDArray[np.object_]
    disposition: NDArray[np.int8]
    destroy_by: Days
    governing: NDArray[np.int64]


@dataclass
class Answers:
    """The decisions of `n` studies. `governing` numbers `names`; a day is an ordinal (`law.dates`), `NEVER` in
    `destroy_by` and `next_change` = none.
    """

    n: int
    lo: Days = field(init=False)
    names: list[str] = field(default_factory=lambda: [""])
    judged: list[tuple[Selection, Judged]] = field(default_factory=list)
    classes: list[ClassColumns] = field(default_factory=list)
    wrong: Mask = field(default_factory=lambda: NO_ROW)
    beyond: Mask = field(default_factory=lambda: NO_ROW)

    def __post_init__(self) -> None:
        def full(value: Any, kind: Any) -> NDArray[Any]:
            return np.full(self.n, value, kind)

        self.lo, self.hi = full(0, np.int32), full(0, np.int32)
        self.bound_hi = full(0, np.int32)
        self.permanent, self.destroy_by = full(False, np.bool_), full(NEVER, np.int32)
        self.disposition = full(MAY_PURGE, np.int8)
        self.governing, self._ranked = full(0, np.int32), full(-1, np.int32)
        self.next_change = full(NEVER, np.int32)
        self.lossy = full(0, np.int64)
        self.max_ratio = full(np.inf, np.float64)
        self.lossy_lo, self.lossy_hi = full(0, np.int32), full(0, np.int32)
        self.held = full(False, np.bool_)
        self.missing, self.blocking, self.holds = Marks(self.n), Marks(self.n), Marks(self.n)
        self.assumed, self.places, self.applied = Marks(self.n), Marks(self.n), Marks(self.n)

    @property
    def ready(self) -> Mask:
        """It may go, and no duty that must come before is open."""
        found = self.disposition >= MUST_PURGE
        for where in self.blocking.values():
            found = found & ~where
        return found

    def missing_words(self) -> tuple[NDArray[Any], list[str]]:
        """Return the facts that are missing where the answer is undetermined, as numbers of texts."""
        undetermined = self.disposition == UNDETERMINED
        return sets({fact: where & undetermined for fact, where in self.missing.items()}, self.n)

    def mark_wrong(self, rows: Selection, wrong: Mask, beyond: Mask) -> None:
        """Remember rows whose facts contradict each other, and rows that no table can say."""
        for name, where in (("wrong", wrong), ("beyond", beyond)):
            if where.any():
                whole = np.array(np.broadcast_to(getattr(self, name), (self.n,)))
                whole[rows] |= where
                setattr(self, name, whole)

    def settle(self, as_of: int) -> None:
        """Fold what every keeper's classes say; facts that contradict each other at one keeper decide nothing."""
        for rows, judged in self.judged:
            self._fold(rows, judged, as_of)
        clear = (self.lo == self.hi) & (self.disposition != UNDETERMINED) | self.wrong
        self.missing.only(~clear)

    def _fold(self, rows: Selection, judged: Judged, as_of: int) -> None:
        study, fold = judged.study, judged.fold
        wrong = study.spread(np.broadcast_to(self.wrong, (self.n,))[rows])
        held = study.spread(self.held[rows])
        unsure = wrong.any()

        def cut(column: NDArray[Any], to: Any) -> NDArray[Any]:
            return np.where(wrong, to, column) if unsure else column

        lo, hi = cut(fold.lo, np.int32(OPEN)), cut(fold.hi, np.int32(NEVER))
        last_day = cut(judged.destroy_by, np.int32(NEVER))
        governing = self._number(judged)[cut(fold.governing, -1)]
        disposition = _disposition(lo, hi, last_day, held, as_of)
        self._latest(rows, study, lo, hi, cut(fold.bound_hi, np.int32(NEVER)))
        self.permanent[rows] |= study.any(cut(fold.permanent, False))
        self.destroy_by[rows] = np.minimum(self.destroy_by[rows], study.earliest(last_day))
        self.disposition[rows] = np.minimum(self.disposition[rows], study.earliest(disposition))
        self._govern(rows, judged, hi, governing)
        self._lossy(rows, judged, wrong)
        self._remember(rows, judged, disposition, last_day, governing)

    def _latest(self, rows: Selection, study: Any, *ends: Days) -> None:
        for whole, end in zip((self.lo, self.hi, self.bound_hi), ends, strict=True):
            whole[rows] = np.maximum(whole[rows], study.latest(end))

    def _number(self, judged: Judged) -> NDArray[np.int32]:
        """Return the number in `names` for each rank; the last one is none."""
        known = {name: number for number, name in enumerate(self.names)}
        numbers = []
        for name in judged.law.names:
            if name not in known:
                known[name] = len(self.names)
                self.names.append(name)
            numbers.append(known[name])
        return np.array([*numbers, 0], np.int32)

    def _govern(self, rows: Selection, judged: Judged, hi: Days, governing: NDArray[np.int32]) -> None:
        """The norm with the latest late end; of equals the first."""
        changes = judged.law.changes
        if len(changes):
            on = np.array([changes.get(name, NEVER) for name in self.names], np.int32)[governing]
            self.next_change[rows] = np.minimum(self.next_change[rows], judged.study.earliest(on))
        key = pick(governing > 0, hi, np.int32(-1))
        first = judged.study.first_greatest(
            np.broadcast_to(key, (judged.study.n,)) if judged.study.starts is not None else key
        )
        if first is not None:
            key, governing = (
                np.broadcast_to(key, (judged.study.n,))[first],
                np.broadcast_to(governing, (judged.study.n,))[first],
            )
        better = key > self._ranked[rows]
        self.governing[rows] = pick(better, governing, self.governing[rows])
        self._ranked[rows] = pick(better, key, self._ranked[rows])

    def _lossy(self, rows: Selection, judged: Judged, wrong: Mask) -> None:
        lossy, study = judged.lossy, judged.study
        if not lossy.key.any():
            return
        key, lo, hi = lossy.key, lossy.lo, lossy.hi
        if wrong.any():
            key = np.where(wrong & (key > 0), 2 * _DAYS, key)
            lo, hi = np.where(wrong, 0, lo), np.where(wrong, 0, hi)
        self.lossy[rows] = np.maximum(self.lossy[rows], study.latest(key))
        self.max_ratio[rows] = np.minimum(self.max_ratio[rows], study.earliest(lossy.ratio))
        self.lossy_lo[rows] = np.maximum(self.lossy_lo[rows], study.latest(lo))
        self.lossy_hi[rows] = np.maximum(self.lossy_hi[rows], study.latest(hi))

    def _remember(
        self, rows: Selection, judged: Judged, disposition: NDArray[np.int8], last_day: Days, governing: Codes
    ) -> None:
        for name, where in judged.blocking.items():
            self.blocking.add(name, rows, judged.study.any(where))
        whole = np.arange(self.n)[rows]
        n = judged.study.n if judged.study.starts is not None else len(whole)
        shape = (n,)
        words = np.array([word or "unknown" for word in judged.words], object)
        columns = (words[judged.classes], disposition, last_day, governing)
        spread = [np.broadcast_to(column, shape) for column in columns]
        self.classes.append(ClassColumns(judged.study.spread(whole), *spread))

    def table(self) -> pa.RecordBatch:
        """Return the decisions as a record batch.

        An open early end is null, an end that is never (or cannot be given) 9999-12-31; the binding ends are null where
        they equal the full ones, the early one always.
        """
        status = self.lossy // _DAYS
        columns = [
            dictionary(self.disposition, ORDER),
            pa.array(self.ready),
            days(self.lo),
            days(self.hi),
            pa.nulls(self.n, pa.date32()),
            days(self.bound_hi, self.bound_hi == self.hi),
            pa.array(self.permanent),
            days(self.hi + 1, self.hi >= LAST),
            days(self.destroy_by, self.destroy_by == NEVER),
            dictionary(self.governing, self.names),
            dictionary(*sets(self.missing, self.n)),
            dictionary(*sets(self.blocking, self.n)),
            days(self.next_change, self.next_change == NEVER),
            pa.array(self.held),
            pa.array(np.broadcast_to(self.wrong, (self.n,))),
            dictionary(status, LOSSY),
            days((self.lossy % _DAYS).astype(np.int32), status != 1),
            pa.array(self.max_ratio, mask=np.isinf(self.max_ratio)),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=DECISIONS)


def _disposition(lo: Days, hi: Days, last_day: Days, held: Mask, as_of: int) -> NDArray[np.int8]:
    """Rule 21 of laws/README.md: the first that holds."""
    over, runs = last_day < as_of, as_of <= lo
    found = pick(over, np.int8(MUST_PURGE), np.int8(MAY_PURGE))
    found = pick(as_of <= hi, np.int8(UNDETERMINED), found)
    found = pick(runs, pick(over, np.int8(CONFLICT), np.int8(RETAIN)), found)
    return pick(held, np.int8(HELD), found)


def days(ordinals: Days, null: Mask | None = None) -> pa.Array:
    """Return ordinals as dates; open and unending days are null."""
    blank = (ordinals == OPEN) | (ordinals == LAST)
    blank = blank if null is None else blank | null
    valid = pa.py_buffer(np.packbits(~blank, bitorder="little")) if blank.any() else None
    return pa.Array.from_buffers(pa.date32(), len(ordinals), [valid, pa.py_buffer((ordinals - EPOCH).astype(np.int32))])


def dictionary(codes: NDArray[Any], words: Iterable[str]) -> pa.Array:
    """Return texts by the numbers of words."""
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(list(words), pa.string()))


def put(answers: Answers, row: int, decision: Decision, missing: Iterable[str]) -> None:
    """Write the answer of `decide` over a row."""
    retain, binding, lossy = decision.retain, decision.binding, decision.lossy
    answers.lo[row], answers.hi[row] = retain
    answers.bound_hi[row] = binding.latest
    answers.permanent[row] = decision.permanent
    answers.destroy_by[row] = NEVER if decision.destroy_by is None else decision.destroy_by
    answers.disposition[row] = ORDER.index(decision.disposition)
    name = decision.governing[0] if decision.governing else ""
    if name not in answers.names:
        answers.names.append(name)
    answers.governing[row] = answers.names.index(name)
    answers.next_change[row] = decision.next_change.on if decision.next_change else NEVER
    answers.lossy[row] = LOSSY.index(lossy.status) * _DAYS + (lossy.allowed_from or 0)
    answers.max_ratio[row] = lossy.max_ratio or np.inf
    answers.lossy_lo[row], answers.lossy_hi[row] = lossy.binding or (0, 0)
    answers.blocking.put(row, sorted({duty.norm.id for duty in decision.duties if duty.blocks}))
    answers.missing.put(row, missing)
    answers.holds.put(row, sorted({hold.id for hold in decision.holds}))
    answers.held[row] = bool(decision.holds)
    answers.wrong = np.array(np.broadcast_to(answers.wrong, (answers.n,)))
    answers.wrong[row] = bool(decision.problems)
