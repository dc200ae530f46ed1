"""Studies unfolded into the parts that are judged alone, and folded again (rule 6 of laws/README.md), in columns.

A part is one record class, one modality and one body part. `Parts` are the rows of parts; `Level` folds runs of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compliance.decision.batch import Coded, Codes, Mask, known_or_none
from compliance.decision.combine import Combos, Words
from compliance.decision.parts import modalities, record_classes
from compliance.decision.rows import Rows
from compliance.law.vocabulary import Members, Value, Vocabulary

PARTED = ("record", "modality", "body_part")
Column = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Level:
    """Runs of rows that are folded into one; without `starts` every row is a run of its own."""

    n: int
    starts: Codes | None = None

    def fold(self, how: np.ufunc, column: Column) -> Column:
        """Fold each run by `how`; a column of one element stays one."""
        if self.starts is None or len(column) == 1:
            return column
        return np.asarray(how.reduceat(column, self.starts))

    def latest(self, column: Column) -> Column:
        """Return the greatest of each run."""
        return self.fold(np.maximum, column)

    def earliest(self, column: Column) -> Column:
        """Return the least of each run."""
        return self.fold(np.minimum, column)

    def any(self, column: Column) -> Column:
        """Return where some row of the run says yes."""
        return self.fold(np.logical_or, column)

    def all(self, column: Column) -> Column:
        """Return where every row of the run says yes."""
        return self.fold(np.logical_and, column)

    def first_greatest(self, key: Column) -> Codes | None:
        """Return the number of the first row of each run with its greatest key; None where runs are rows."""
        if self.starts is None:
            return None
        whole = np.broadcast_to(key, (self.n,)).astype(np.int64)
        position = np.arange(self.n) - self.spread(self.starts)
        many = int(position.max(initial=0)) + 1
        best = np.maximum.reduceat(whole * many + (many - 1 - position), self.starts)
        found: Codes = self.starts + (many - 1 - best % many)
        return found

    def spread(self, column: Column) -> Column:
        """Give each row what its run has."""
        if self.starts is None or len(column) == 1:
            return column
        return np.repeat(column, np.diff(self.starts, append=self.n))


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of many studies, and the levels on which they are folded: modality, record class, study."""

    rows: Rows
    pairs_known: Mask
    modality: Level
    record: Level
    study: Level
    classes: Codes  # by run of `record`: the number of its class in `words`
    words: tuple[str | None, ...]


class _One:
    """The words of one combination, as `parts` asks for them."""

    def __init__(self, words: Words, combination: int) -> None:
        self.words, self.combination = words, combination

    def value(self, fact: str) -> Value | None:
        return known_or_none(self.words.value(fact, self.combination))


@dataclass(frozen=True, slots=True)
class _Part:
    record: str | None
    modality: str | None
    body_part: str | None
    pairs_known: bool
    opens_class: bool
    opens_modality: bool


@dataclass(frozen=True, slots=True)
class _Parted:
    """The parts of combinations: how many each has, their words, and what `Parts` asks of them."""

    counts: Codes
    words: Words
    pairs_known: Mask
    opens_class: Mask
    opens_modality: Mask
    classes: Codes
    names: tuple[str | None, ...]


def unfold(rows: Rows, vocabulary: Vocabulary) -> Parts:
    """Unfold studies into parts: the combinations first, then the rows, only where some study has several."""
    combos = rows.combos
    parted = combos.words.once("parts", vocabulary, lambda: _parted(combos.words, vocabulary))
    if parted.words.size == combos.words.size:
        new, one = Combos(combos.ids, parted.words), Level(rows.n)
        classes = new.by_row(parted.classes)
        return Parts(rows.with_words(new), new.by_row(parted.pairs_known), one, one, one, classes, parted.names)
    ids = np.broadcast_to(combos.ids, (rows.n,))
    of_row = parted.counts[ids]
    ends = np.cumsum(of_row)
    starts = ends - of_row
    row = np.repeat(np.arange(rows.n), of_row)
    first = np.cumsum(parted.counts) - parted.counts
    part_ids = np.repeat(first[ids] - starts, of_row) + np.arange(int(ends[-1]))
    by_class = np.flatnonzero(parted.opens_class[part_ids])
    by_modality = np.flatnonzero(parted.opens_modality[part_ids])
    return Parts(
        rows.take(row).with_words(Combos(part_ids, parted.words)),
        parted.pairs_known[part_ids],
        Level(len(row), by_modality),
        Level(len(by_modality), np.searchsorted(by_modality, by_class)),
        Level(len(by_class), np.searchsorted(by_class, starts)),
        parted.classes[part_ids[by_class]],
        parted.names,
    )


def _parted(words: Words, vocabulary: Vocabulary) -> _Parted:
    found = _parts_by_combination(words, vocabulary)
    counts = np.array([len(parts) for parts in found])
    parents = np.repeat(np.arange(words.size), counts)
    flat = [part for parts in found for part in parts]
    own = {
        fact: _coded([_value(part, fact, words, at) for part, at in zip(flat, parents.tolist(), strict=True)])
        for fact in PARTED
    }
    classes, names = _numbered([part.record for part in flat])
    pairs, opens_class, opens_modality = (
        np.array([getattr(part, key) for part in flat]) for key in ("pairs_known", "opens_class", "opens_modality")
    )
    return _Parted(counts, words.with_facts(parents, own), pairs, opens_class, opens_modality, classes, names)


def _parts_by_combination(words: Words, vocabulary: Vocabulary) -> list[list[_Part]]:
    codes = (np.broadcast_to(words.coded(fact).codes, (words.size,)).tolist() for fact in PARTED)
    made: dict[tuple[int, ...], list[_Part]] = {}
    keys = list(zip(*codes, strict=True))
    for number, key in enumerate(keys):
        if key not in made:
            made[key] = _parts(_One(words, number), vocabulary)
    return [made[key] for key in keys]


def _parts(words: _One, vocabulary: Vocabulary) -> list[_Part]:
    return [
        _Part(record, one.code, body, one.pairs_known, first == number == 0, number == 0)
        for record in record_classes(words)
        for first, one in enumerate(modalities(words, vocabulary))
        for number, body in enumerate(one.body_parts)
    ]


def _numbered(words: list[str | None]) -> tuple[Codes, tuple[str | None, ...]]:
    distinct = tuple(dict.fromkeys(words))
    number = {word: n for n, word in enumerate(distinct)}
    return np.array([number[word] for word in words], np.intp), distinct


def _value(part: _Part, fact: str, words: Words, combination: int) -> Value | None:
    """The part's word; where it is not known which, what is known of the study stays."""
    word = getattr(part, fact)
    return words.value(fact, combination) if word is None else Members(frozenset((word,)), frozenset((word,)))


def _coded(values: list[Value | None]) -> Coded:
    """Number the distinct values; sets and `unknown` are their own keys."""
    distinct = tuple(dict.fromkeys(values))
    number = {value: n for n, value in enumerate(distinct)}
    return Coded(np.array([number[value] for value in values], np.intp), distinct)
