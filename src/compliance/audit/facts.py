"""From inventory rows to tables of facts: who keeps each study, and what the inventory itself says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from compliance.audit.profile import Profile, Site
from compliance.audit.spelling import spelled
from compliance.decision import batch as columns
from compliance.decision.answers import dictionary
from compliance.decision.batch import Coded, Codes, Dated, FactTable, Mask, at, texts_at
from compliance.law.dates import NEVER, OPEN
from compliance.law.vocabulary import Value

OWN = frozenset({
    "row", "sex", "n_series", "n_instances", "bytes", "lossy", "lossy_ratio_max", "deidentified", "trial_protocol",
    "archive_expiry", "received_at", "client", "seen_at", "source", "problems",
})  # fmt: skip
PATIENT = pa.schema([
    ("row", pa.int64()), ("last_first", pa.int32()), ("last_last", pa.int32()), ("studies", pa.int64()), ("next_by", pa.int32()),
])  # fmt: skip
"""What the inventory knows of a study's patient as of a day (`patients.py`)."""
_ALWAYS_DATED = frozenset({"study_date", "birth_date", "patient_last_study"})


@dataclass(frozen=True)
class Group:
    """Rows of a batch whose sites have the same keepers, with their facts."""

    rows: Codes
    keepers: tuple[Mapping[str, Value], ...]
    table: FactTable


@dataclass(frozen=True)
class Sites:
    """By row the number of its site in `sites`, -1 where none of the profile matches."""

    codes: NDArray[np.intp]
    sites: Sequence[Site]

    def ids(self) -> pa.Array:
        """Return the ids by row, empty where there is none."""
        words = [*(site.id for site in self.sites), ""]
        return dictionary(np.where(self.codes < 0, len(self.sites), self.codes), words)


def matched_columns(profile: Profile, names: Sequence[str]) -> list[str]:
    """Return the columns on which the sites of a profile match."""
    return sorted({column for site in profile.sites for column in site.match} & set(names))


def sites_of(batch: pa.RecordBatch, profile: Profile, cache: dict[tuple[object, ...], int]) -> Sites:
    """Return the site of each row, looked up once for each combination of values that occurs."""
    names = matched_columns(profile, batch.schema.names)
    if not names:
        return Sites(np.full(batch.num_rows, _site({}, profile), np.intp), profile.sites)
    table = pa.table({name: _plain(batch.column(name)) for name in names})
    distinct = table.group_by(names).aggregate([])
    numbers = pa.array(range(distinct.num_rows), pa.int64())
    keys = [tuple(row[name] for name in names) for row in distinct.to_pylist()]
    for key in keys:
        if key not in cache:
            cache[key] = _site(dict(zip(names, key, strict=True)), profile)
    found = np.array([cache[key] for key in keys], np.intp)
    if distinct.num_rows == 1:
        return Sites(np.full(batch.num_rows, found[0], np.intp), profile.sites)
    return Sites(found[_numbered(table, distinct, names, numbers)], profile.sites)


def _numbered(table: pa.Table, distinct: pa.Table, names: list[str], numbers: pa.Array) -> Codes:
    """Return by row the number of its combination; a join would lose the rows with nulls."""
    coded = np.zeros(table.num_rows, np.int64)
    over = np.zeros(distinct.num_rows, np.int64)
    for name in names:
        words = pc.unique(distinct[name])
        codes = pc.fill_null(pc.index_in(table[name], words), -1).to_numpy()
        own = pc.fill_null(pc.index_in(distinct[name], words), -1).to_numpy()
        coded, over = coded * (len(words) + 1) + codes, over * (len(words) + 1) + own
    order = np.argsort(over)
    found: Codes = numbers.to_numpy()[order][np.searchsorted(over[order], coded)]
    return found


def _plain(column: pa.Array) -> pa.Array:
    return column.cast(pa.string())


def _site(row: Mapping[str, object], profile: Profile) -> int:
    return next((number for number, site in enumerate(profile.sites) if site.matches(row)), -1)


def groups(batch: pa.RecordBatch, known: pa.RecordBatch | None, sites: Sites, profile: Profile) -> Iterator[Group]:
    """Yield the rows that have a site, by the keepers of their sites; `known` says what the inventory knows of a patient."""
    table = _table(batch, known, sites, profile)
    same: dict[str, list[int]] = {}
    for number, site in enumerate(sites.sites):
        same.setdefault(repr(site.keepers), []).append(number)
    for numbers in same.values():
        rows = np.flatnonzero(np.isin(sites.codes, numbers))
        if len(rows):
            own = table if len(rows) == table.rows else _take(table, rows)
            yield Group(rows, sites.sites[numbers[0]].keepers, own)


def _take(table: FactTable, rows: Codes) -> FactTable:
    wrong = {name: replace(one, codes=at(one.codes, rows)) for name, one in table.unreadable.items()}
    return FactTable(
        len(rows),
        {name: one.take(rows) for name, one in table.dates.items()},
        {name: one.take(rows) for name, one in table.words.items()},
        texts_at(table.texts, rows),
        wrong,
    )


def _table(batch: pa.RecordBatch, known: pa.RecordBatch | None, sites: Sites, profile: Profile) -> FactTable:
    vocabulary = profile.knowledge.vocabulary
    read = columns.read(
        spelled(batch, vocabulary), vocabulary, [name for name in batch.schema.names if name not in OWN]
    )
    dates, words = dict(read.dates), dict(read.words)
    words["site"] = Coded(
        np.where(sites.codes < 0, len(sites.sites), sites.codes), (*(s.id for s in sites.sites), None)
    )
    if "trial_protocol" in batch.schema.names:
        _trial(words, batch.column("trial_protocol"))
    if known is not None:
        _patient(dates, known)
    blurred = _blurred(batch, sites)
    if blurred is not None:
        dates = {name: _unknown(name, one, blurred) for name, one in _with_base(dates).items()}
    return FactTable(read.rows, dates, words, read.texts, read.unreadable)


def _trial(words: dict[str, Coded], protocol: pa.Array) -> None:
    """A study with a trial protocol is part of a trial."""
    named = np.asarray(pc.fill_null(pc.not_equal(protocol.cast(pa.string()), ""), False).to_numpy(zero_copy_only=False))
    if named.any():
        old = words.get("clinical_trial", Coded(np.zeros(1, np.intp), (None,)))
        words["clinical_trial"] = Coded(np.where(named, len(old.values), old.codes), (*old.values, True))


def _patient(dates: dict[str, Dated], known: pa.RecordBatch) -> None:
    """What the inventory knows of the patient: the last study, and a next mammogram at the same site."""
    first, absent = columns.numbers(known.column("last_first"))
    last, _ = columns.numbers(known.column("last_last"))
    dates["patient_last_study"] = Dated(_or(absent, OPEN, first), _or(absent, NEVER, last), absent)
    by, none = columns.numbers(known.column("next_by"))
    study = dates.get("study_date")
    if study is None or none.all():
        return
    told = ~none & ~study.absent & ~((study.lo == OPEN) & (study.hi == NEVER))
    old = dates.get("next_mammogram_date") or columns.nothing()
    dates["next_mammogram_date"] = Dated(_or(told, study.lo, old.lo), _or(told, by, old.hi), old.absent & ~told)


def _or(where: Mask, value: object, other: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.where(where, value, other).astype(np.int32)  # type: ignore[call-overload,no-any-return]


def _blurred(batch: pa.RecordBatch, sites: Sites) -> Mask | None:
    """De-identified studies: their dates are no dates, unless the profile vouches for them (rule 28 of laws/README.md)."""
    if "deidentified" not in batch.schema.names:
        return None
    marked = np.asarray(pc.fill_null(batch.column("deidentified"), False).to_numpy(zero_copy_only=False))
    vouched = np.array([*(site.vouch_dates for site in sites.sites), False])[sites.codes]
    found: Mask = marked & ~vouched
    return found if found.any() else None


def _with_base(dates: dict[str, Dated]) -> dict[str, Dated]:
    return {**{name: columns.nothing() for name in _ALWAYS_DATED}, **dates}


def _unknown(name: str, one: Dated, blurred: Mask) -> Dated:
    """Written as unknown, so that no assumption fills it; what was absent stays so."""
    where = blurred if name in _ALWAYS_DATED else blurred & ~one.absent
    return Dated(_or(where, OPEN, one.lo), _or(where, NEVER, one.hi), one.absent & ~where)
