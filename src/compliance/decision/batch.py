"""Facts of many studies as columns: what `law.vocabulary` reads one by one, read from an Arrow record batch.

A date fact X is the columns X (date32) and X_span (int32), everything else one column of words or booleans, coded over
its few distinct values. Null = absent; `0001-01-01` with a span to `never` = written as unknown.
A column of one element stands for the same value in every row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from compliance.decision.luts import Days
from compliance.law.dates import EPOCH, EVERYTHING, NEVER, OPEN, DateRange
from compliance.law.vocabulary import (
    HAPPENED,
    PADDING,
    UNKNOWN,
    FactType,
    Members,
    Unknown,
    Value,
    Vocabulary,
    read_value,
)

Mask = NDArray[np.bool_]
Codes = NDArray[np.intp]

Selection = Codes | slice  # some rows: by their numbers, or a run of them

NO_ROW: Mask = np.zeros(1, np.bool_)
EVERY_ROW: Mask = np.ones(1, np.bool_)


@dataclass(frozen=True, slots=True)
class Dated:
    """A date fact: first and last possible day, and where it is absent. `lo is hi` where every day is exact."""

    lo: Days
    hi: Days
    absent: Mask = field(default_factory=lambda: NO_ROW)

    def take(self, rows: Selection) -> Dated:
        """Return the fact at these rows."""
        lo = at(self.lo, rows)
        return Dated(lo, lo if self.hi is self.lo else at(self.hi, rows), at(self.absent, rows))


@dataclass(frozen=True, slots=True)
class Coded:
    """Any other fact: its distinct values (None = absent) and, by row, which of them."""

    codes: Codes
    values: tuple[Value | None, ...]

    def take(self, rows: Selection) -> Coded:
        """Return the fact at these rows."""
        return Coded(at(self.codes, rows), self.values)


def pick(mask: Mask, yes: Any, no: Any) -> NDArray[Any]:
    """Return `np.where` of whole numbers: a product, since a branch a row is ten times as slow where a mask is mixed.

    The difference of the two must fit into their type. Where every row says yes it is `yes` itself, even of one element.
    """
    if mask.all() and isinstance(yes, np.ndarray):
        return yes
    found: NDArray[Any] = no + (yes - no) * mask
    return found


def at(column: NDArray[Any], rows: Selection) -> NDArray[Any]:
    """Return a column at these rows; one of a single element is the same everywhere."""
    if len(column) == 1:
        return column
    return column[rows] if isinstance(rows, slice) else column.take(rows)


def texts_at(texts: Mapping[str, pa.Array], rows: Selection) -> dict[str, pa.Array]:
    """Return columns of texts at these rows."""
    if isinstance(rows, slice):
        return {name: text[rows] for name, text in texts.items()}
    return {name: text.take(pa.array(rows)) for name, text in texts.items()}


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Where a column holds no value of its fact: by row the number of a reason, empty where it can be read."""

    codes: Codes
    reasons: tuple[str, ...]

    def by_row(self) -> Mapping[int, str]:
        """Return the reasons of the rows that could not be read."""
        bad = np.array([bool(reason) for reason in self.reasons])[self.codes]
        return {int(row): self.reasons[self.codes[row]] for row in np.flatnonzero(bad)}


@dataclass(frozen=True)
class FactTable:
    """The facts of `rows` studies; `texts` are columns of identities (study, patient), which only holds ask about."""

    rows: int
    dates: Mapping[str, Dated]
    words: Mapping[str, Coded]
    texts: Mapping[str, pa.Array] = field(default_factory=dict)
    unreadable: Mapping[str, Unreadable] = field(default_factory=dict)

    def with_facts(self, facts: Mapping[str, Value], as_of: int) -> FactTable:
        """Return the table with these facts in every row (those of one keeper)."""
        dates, words, texts = dict(self.dates), dict(self.words), dict(self.texts)
        for name, value in facts.items():
            for others in (dates, words, texts):
                others.pop(name, None)
            if isinstance(value, DateRange):
                dates[name] = constant(value, as_of)
            else:
                words[name] = constant_word(value)
        return FactTable(self.rows, dates, words, texts, self.unreadable)

    def question(self, row: int) -> dict[str, Value]:
        """Return the facts of one row as the evaluator of single studies takes them."""
        facts: dict[str, Value] = {}
        for name, dated in self.dates.items():
            lo, hi, absent = (int(_one(column, row)) for column in (dated.lo, dated.hi, dated.absent))
            if not absent:
                facts[name] = UNKNOWN if (lo, hi) == EVERYTHING else DateRange(lo, hi)
        for name, coded in self.words.items():
            value = coded.values[int(_one(coded.codes, row))]
            if value is not None:
                facts[name] = value
        for name, text in self.texts.items():
            if word := str(text[row].as_py() or "").strip(PADDING):
                facts[name] = UNKNOWN if word == "unknown" else word
        return facts


def _one(column: NDArray[Any], row: int) -> Any:
    return column[row if len(column) > 1 else 0]


def constant(value: DateRange, as_of: int) -> Dated:
    """Return a date fact that is the same in every row; `happened` ends on the day of the question."""
    low, high = (OPEN, as_of) if value == HAPPENED else value
    lo = np.array([low], np.int32)
    return Dated(lo, lo if low == high else np.array([high], np.int32))


def constant_word(value: Value | None) -> Coded:
    """Return any other fact that is the same in every row."""
    return Coded(np.zeros(1, np.intp), (value,))


def nothing() -> Dated:
    """Return a date fact that is absent in every row."""
    return Dated(np.array([OPEN], np.int32), np.array([NEVER], np.int32), EVERY_ROW)


IDENTITIES = frozenset({"study_uid", "patient_key", "accession"})


def read(batch: pa.RecordBatch, vocabulary: Vocabulary, names: Iterable[str] | None = None) -> FactTable:
    """Read the columns that are facts (or those named); what cannot be read counts as unknown and is told."""
    dates, words, texts = dict[str, Dated](), dict[str, Coded](), dict[str, pa.Array]()
    wrong = dict[str, Unreadable]()
    have = set(batch.schema.names)
    for name in batch.schema.names if names is None else names:
        kind = vocabulary.type_of(name)
        if kind is None or name not in have:
            continue
        column, bad = batch.column(name), None
        if kind.type == "date":
            dates[name], bad = dated(name, column, batch.column(f"{name}_span") if f"{name}_span" in have else None)
        elif name in IDENTITIES:
            texts[name] = column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
        else:
            words[name], bad = coded(kind, column)
        if bad is not None:
            wrong[name] = bad
    return FactTable(batch.num_rows, dates, words, texts, wrong)


def numbers(column: pa.Array) -> tuple[NDArray[np.int32], Mask]:
    """Return the numbers of an int32 or date32 column (those under a null mean nothing), and which are null."""
    if column.type != pa.int32():
        column = (
            column.cast(pa.date32()).cast(pa.int32())
            if not pa.types.is_integer(column.type)
            else column.cast(pa.int32())
        )
    data = column.buffers()[1]
    values = np.frombuffer(data, np.int32, len(column), column.offset * 4) if data else np.zeros(len(column), np.int32)
    if not column.null_count:
        return values, NO_ROW
    return values, np.asarray(pc.is_null(column).to_numpy(zero_copy_only=False))


def dated(name: str, column: pa.Array, span: pa.Array | None) -> tuple[Dated, Unreadable | None]:
    """Read the two columns of a date fact; with it the days that no calendar of ours has (before year 1, after 9999)."""
    days, absent = numbers(column)
    unread = None
    if len(days) and (days.min() < OPEN - EPOCH or days.max() > NEVER - EPOCH):
        odd = ((days < OPEN - EPOCH) | (days > NEVER - EPOCH)) & ~absent
        days = pick(odd, np.int32(OPEN - EPOCH), days)
        unread = Unreadable(odd.astype(np.intp), ("", f"{name}: no day between 0001-01-01 and 9999-12-31"))
    lo = days + np.int32(EPOCH)
    hi = lo
    if span is not None and span.null_count < len(span):
        extra, exact = numbers(span)
        hi = lo + np.minimum(np.maximum(extra, 0) * ~exact, np.int32(NEVER) - lo)
    unknown = absent if unread is None else absent | (unread.codes > 0)
    if unknown.any():
        lo, hi = pick(unknown, np.int32(OPEN), lo), pick(unknown, np.int32(NEVER), hi)
    return Dated(lo, hi, absent), unread


def coded(kind: FactType, column: pa.Array) -> tuple[Coded, Unreadable | None]:
    """Read a column of words or booleans; with it what could not be read."""
    if pa.types.is_dictionary(column.type) and pa.types.is_null(column.type.value_type):
        column = pa.nulls(len(column))  # pyarrow ends the process on a dictionary of nulls
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    codes = numbers(column.indices)[0].astype(np.intp)
    values: list[Value | None] = []
    wrong = dict[int, str]()
    for number, raw in enumerate(column.dictionary.to_pylist()):
        try:
            values.append(word(kind, raw))
        except ValueError as error:
            values.append(UNKNOWN)
            wrong[number] = f"{kind.name}: {error}"
    if column.null_count:
        codes = np.where(np.asarray(column.is_null().to_numpy(zero_copy_only=False)), len(values), codes)
    values.append(None)
    found = Coded(codes, tuple(values))
    reasons = tuple(wrong.get(number, "") for number in range(len(values)))
    return found, Unreadable(codes, reasons) if wrong else None


def word(kind: FactType, raw: Any) -> Value | None:
    """Read one value of a column: a set is its members joined by a backslash, empty text is absent.

    Raises ValueError with a sentence that says what is allowed.
    """
    if raw is None or raw == "":
        return None
    if raw == "unknown":
        return UNKNOWN
    if kind.type in ("set", "places"):
        words = frozenset(part for part in str(raw).split("\\") if part)
        return Members(words, words)
    return read_value(kind, raw)


def known_or_none(value: Value | None) -> Value | None:
    """Return what is known of a value, None where nothing is."""
    return None if isinstance(value, Unknown) else value
