"""Many brief decisions at once: questions of a list, put into columns and decided together.

Equal to deciding one by one (a property test of `columns` holds that); questions with keepers of their own are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from compliance.decision.batch import Coded, Dated, FactTable
from compliance.decision.columns import Evaluator
from compliance.decision.decide import Decision, decide
from compliance.decision.missing import missing_facts
from compliance.decision.question import Question, ask
from compliance.errors import FactError
from compliance.law.dates import EVERYTHING, LAST, OPEN, DateRange, write_day
from compliance.law.knowledge import KnowledgeBase
from compliance.law.vocabulary import HAPPENED, Value, Vocabulary
from compliance.service.wire import Brief, Through

FEW = 24  # below, columns cost more than they save


def brief(decision: Decision, id: Any = None) -> Brief:
    """Return one decision without its grounds."""
    whole = _through(*decision.retain, decision.permanent)
    return Brief(
        as_of=write_day(decision.as_of), disposition=decision.disposition, ready=decision.ready, retain_through=whole,  # type: ignore[arg-type]
        permanent=decision.permanent, destroy_by=None if decision.destroy_by is None else write_day(decision.destroy_by),
        earliest_purge_date=decision.earliest_purge_date.isoformat() if decision.earliest_purge_date else None,
        governing=decision.governing[0] if decision.governing else None, missing=list(missing_facts(decision)),
        open_duties=sorted({duty.norm.id for duty in decision.duties if duty.blocks}), held=bool(decision.holds),
        next_change=write_day(decision.next_change.on) if decision.next_change else None,
        bad_data=bool(decision.problems), id=id,
    )  # fmt: skip


def _through(low: int, high: int, permanent: bool) -> Through:
    early = None if low == OPEN else "9999-12-31" if low > LAST else write_day(low)
    return Through(early, None if high >= LAST else write_day(high), low > LAST and not permanent)


def briefs(questions: Sequence[Question], ids: Sequence[Any], evaluator: Evaluator) -> list[Brief]:
    """Decide questions of one day; return the answers in order."""
    together = [n for n, question in enumerate(questions) if not question.keepers]
    if len(together) < FEW:
        together = []
    found: dict[int, Brief] = {}
    if together:
        table = as_table([questions[n].facts for n in together], evaluator)
        found = dict(zip(together, _rows(table, evaluator, [ids[n] for n in together]), strict=True))
    day = date.fromordinal(evaluator.as_of)
    for number, question in enumerate(questions):
        if number not in found:
            decision = decide(question, evaluator.knowledge, day, evaluator.assumptions, evaluator.holds)
            found[number] = brief(decision, ids[number])
    return [found[number] for number in range(len(questions))]


def read(
    given: Sequence[Mapping[str, Any]], vocabulary: Vocabulary, numbers: Sequence[int]
) -> tuple[list[Question], list[dict[str, str]]]:
    """Read the facts of many questions, and every fault of all of them by their numbers."""
    found, wrong = list[Question](), list[dict[str, str]]()
    for number, facts in zip(numbers, given, strict=True):
        try:
            found.append(ask(facts, vocabulary))
        except FactError as error:
            wrong += [{"path": f"{number}.{p.path}", "message": p.message} for p in error.problems]
    return found, wrong


def as_table(rows: Sequence[Mapping[str, Value]], evaluator: Evaluator) -> FactTable:
    """Put facts into columns."""
    dates, words = dict[str, Dated](), dict[str, Coded]()
    kinds = evaluator.knowledge.vocabulary.facts
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row.get(name) for row in rows]
        if kinds[name].type == "date":
            dates[name] = _dated(values, evaluator.as_of)
        else:
            codes: dict[int, int] = {}
            distinct: list[Value | None] = []
            numbers = np.empty(len(values), np.intp)
            for at, value in enumerate(values):
                code = codes.setdefault(
                    id(value), len(codes)
                )  # what was read once is one object; `rows` keeps it alive
                if code == len(distinct):
                    distinct.append(value)
                numbers[at] = code
            words[name] = Coded(numbers, tuple(distinct))
    return FactTable(len(rows), dates, words)


def _dated(values: Sequence[Value | None], as_of: int) -> Dated:
    spans = [value if type(value) is DateRange else EVERYTHING for value in values]
    spans = [(OPEN, as_of) if span == HAPPENED else span for span in spans]  # type: ignore[misc]
    both = np.array(spans, np.int32)
    lo, hi = np.ascontiguousarray(both[:, 0]), np.ascontiguousarray(both[:, 1])
    absent = np.array([value is None for value in values])
    return Dated(lo, lo if (lo == hi).all() else hi, absent)


_COLUMNS = (
    "disposition", "ready", "permanent", "earliest_purge_date", "destroy_by", "governing", "missing", "open_duties",
    "next_change", "held", "bad_data",
)  # fmt: skip


def _rows(table: FactTable, evaluator: Evaluator, ids: Sequence[Any]) -> list[Brief]:
    answers = evaluator.answers(table)
    made = answers.table()
    as_of, found = write_day(evaluator.as_of), []
    columns = [_texts(made.column(name)) for name in _COLUMNS]
    for id, low, high, verdict, ready, ever, purge, last, norm, missing, duties, change, held, bad in zip(
        ids, answers.lo.tolist(), answers.hi.tolist(), *columns, strict=True
    ):
        open_ = duties.split(", ") if duties else []
        lacks = missing.split(", ") if missing else []
        ends = _through(low, high, ever)
        found.append(
            Brief(as_of, verdict, ready, ends, ever, purge, last, norm or None, lacks, open_, change, held, bad, id)
        )
    return found


def _texts(column: pa.Array) -> list[Any]:
    """Return plain values, days as ISO texts."""
    values: list[Any] = (column.cast(pa.string()) if pa.types.is_date(column.type) else column).to_pylist()
    return values


def evaluator_of(knowledge: KnowledgeBase, day: date, assumptions: Sequence[Any], holds: Sequence[Any]) -> Evaluator:
    """Return the evaluator of a day."""
    return Evaluator(knowledge, day.toordinal(), tuple(assumptions), tuple(holds))
