"""The findings of a batch: masks over its decisions, and words only for the rows that have one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from compliance.audit.evaluate import BatchEvaluator, Evaluated, Judged, sizes
from compliance.audit.findings import LEVELS, Finding, until
from compliance.decision.answers import CONFLICT, HELD, MUST_PURGE, UNDETERMINED
from compliance.decision.batch import Codes, numbers
from compliance.decision.contradictions import contradictions
from compliance.decision.marks import sets
from compliance.law.dates import EPOCH, NEVER, OPEN, DateRange, write_day

Words = NDArray[np.object_]


@dataclass(frozen=True)
class Detector:
    """Finds what is wrong in evaluated batches."""

    work: BatchEvaluator

    def findings(self, found: Evaluated) -> list[Finding]:
        """Return the findings of a batch."""
        rows = _Rows(found)
        made = list(self._unread(found, rows))
        nobody = np.flatnonzero(found.sites.codes < 0)
        made += rows.make(
            "undetermined", nobody, ["no site of the profile matches: nobody says whose law binds the keeper"]
        )
        for judged in found.judged:
            made += self._group(judged, rows)
        return [self._cited(finding) for finding in made]

    def _cited(self, finding: Finding) -> Finding:
        norm = self.work.profile.knowledge.index.get(finding.norm)
        return finding._replace(citation=norm.citation) if norm else finding

    def _unread(self, found: Evaluated, rows: _Rows) -> Iterator[Finding]:
        """What the scan could not read, and columns that hold no value of their fact."""
        told: dict[int, list[str]] = {}
        if "problems" in found.batch.schema.names:
            texts = found.batch.column("problems").cast(pa.string())
            for row in np.flatnonzero(pc.fill_null(pc.not_equal(texts, ""), False).to_numpy(zero_copy_only=False)):
                told.setdefault(int(row), []).append(texts[int(row)].as_py())
        for judged in found.judged:
            for wrong in judged.group.table.unreadable.values():
                for at_row, reason in wrong.by_row().items():
                    told.setdefault(int(judged.group.rows[at_row]), []).append(reason)
        at = np.array(sorted(told), np.intp)
        yield from rows.make("bad-data", at, ["; ".join(told[int(row)]) for row in at])

    def _group(self, judged: Judged, rows: _Rows) -> Iterator[Finding]:
        yield from self._contradicted(judged, rows)
        yield from _dispositions(judged, rows)
        yield from _duties(judged, rows)
        yield from _schedule(judged, rows)
        yield from _lossy(judged, rows, self.work.as_of.toordinal())
        yield from self._unverified(judged, rows)

    def _contradicted(self, judged: Judged, rows: _Rows) -> Iterator[Finding]:
        own = np.flatnonzero(np.broadcast_to(judged.answers.wrong, (judged.answers.n,)))
        profile, today = self.work.profile, self.work.as_of.toordinal()
        messages = []
        for row in own:
            problems = contradictions(
                self.work.question(judged.group, int(row)), profile.knowledge, today, profile.assumptions
            )
            messages.append("facts contradict each other: " + "; ".join(f"{p.fact}: {p.message}" for p in problems))
        yield from rows.make("bad-data", judged.group.rows[own], messages)

    def _unverified(self, judged: Judged, rows: _Rows) -> Iterator[Finding]:
        answers, index = judged.answers, self.work.profile.knowledge.index
        unsure = np.array([name in index and not index[name].sure for name in answers.names])
        own = np.flatnonzero(unsure[answers.governing])
        names = np.array(answers.names, object)[answers.governing[own]]
        yield from rows.make(
            "law-unverified", judged.group.rows[own], ["the norm that decides was not verified by anybody"], names
        )


class _Rows:
    """The columns of a batch that findings name."""

    def __init__(self, found: Evaluated) -> None:
        self.found = found
        self.studies = found.batch.column("study_uid")
        self.sites = [*(site.id for site in found.sites.sites), ""]
        self.sizes = sizes(found.batch).to_numpy()

    def make(
        self, code: str, rows: Codes, messages: Sequence[str], norms: Iterable[str] = (), records: Iterable[str] = ()
    ) -> list[Finding]:
        """Return a finding for each row; one message, norm or record stands for all."""
        if not len(rows):
            return []
        uids = self.studies.take(pa.array(rows)).to_pylist()
        sites = (self.sites[number] for number in self.found.sites.codes[rows].tolist())
        sizes = self.sizes[rows].tolist()
        columns = (_all(messages, len(rows)), _all(norms, len(rows)), _all(records, len(rows)))
        return [
            Finding(LEVELS[code], code, site, str(uid), record, norm, "", message, size)
            for uid, site, size, message, norm, record in zip(uids, sites, sizes, *columns, strict=True)
        ]


def _all(words: Iterable[str], count: int) -> Sequence[str]:
    some = list(words)
    return some if len(some) == count else (some or [""]) * count


def _dispositions(judged: Judged, rows: _Rows) -> Iterator[Finding]:
    answers, at = judged.answers, judged.group.rows
    records, norms = _first_class(judged)
    conflict = np.flatnonzero(answers.disposition == CONFLICT)
    messages = [
        f"floor against ceiling: keep through {write_day(int(lo))}, destroy by {_day(int(last))}"
        for lo, last in zip(answers.lo[conflict], answers.destroy_by[conflict], strict=True)
    ]
    yield from rows.make("conflict", at[conflict], messages, norms[conflict], records[conflict])
    unsure = np.flatnonzero((answers.disposition == UNDETERMINED) & ~answers.wrong)
    codes, words = answers.missing_words()
    said = [f"not known: {word}" if word else "no verified binding norm surely applies" for word in words]
    yield from rows.make("undetermined", at[unsure], [said[n] for n in codes[unsure]], norms[unsure], records[unsure])
    late = np.flatnonzero(answers.disposition == MUST_PURGE)
    messages = [f"apparently kept too long: it had to be destroyed by {_day(int(d))}" for d in answers.destroy_by[late]]
    yield from rows.make("kept-too-long", at[late], messages, norms[late], records[late])
    names = np.array(answers.names, object)
    for one in answers.classes:
        whole = answers.disposition[one.rows]
        other = np.flatnonzero((one.disposition == MUST_PURGE) & (whole != MUST_PURGE) & (whole != HELD))
        messages = [
            f"the {record} had to be destroyed by {_day(int(day))}, another part must stay"
            for record, day in zip(one.record[other], one.destroy_by[other], strict=True)
        ]
        yield from rows.make(
            "part-kept-too-long", at[one.rows[other]], messages, names[one.governing[other]], one.record[other]
        )


def _first_class(judged: Judged) -> tuple[Words, Words]:
    """Return by row the record class whose disposition is that of the whole, and its norm: the first of several."""
    answers = judged.answers
    records, norms = np.full(answers.n, "", object), np.full(answers.n, "", object)
    names = np.array(answers.names, object)
    for one in reversed(answers.classes):
        same = np.flatnonzero(one.disposition == answers.disposition[one.rows])[::-1]
        records[one.rows[same]] = one.record[same]
        norms[one.rows[same]] = names[one.governing[same]]
    return records, norms


def _duties(judged: Judged, rows: _Rows) -> Iterator[Finding]:
    answers = judged.answers
    own = np.flatnonzero((answers.disposition >= MUST_PURGE) & ~answers.ready)
    if len(own):
        codes, words = sets(answers.blocking, answers.n)
        open_ = [words[n] for n in codes[own]]
        messages = [f"may go only after: {names}" for names in open_]
        firsts = [names.partition(", ")[0] for names in open_]
        yield from rows.make("duty-open", judged.group.rows[own], messages, firsts, _first_class(judged)[0][own])


def _schedule(judged: Judged, rows: _Rows) -> Iterator[Finding]:
    answers, at = judged.answers, judged.group.rows
    if "archive_expiry" not in rows.found.batch.schema.names:
        return
    expiry, absent = numbers(rows.found.batch.column("archive_expiry"))
    due = np.where(np.broadcast_to(absent, expiry.shape), NEVER, expiry + EPOCH)[at]
    early = (due <= answers.lo) & (answers.lo != OPEN) & ~answers.wrong & (due != NEVER)
    own = np.flatnonzero(early)
    messages = [
        f"the archive would purge it on {write_day(int(day))}, it must be kept through {_until(lo)}"
        for day, lo in zip(due[own], answers.lo[own], strict=True)
    ]
    yield from rows.make("scheduled-early", at[own], messages, np.array(answers.names, object)[answers.governing[own]])


def _lossy(judged: Judged, rows: _Rows, as_of: int) -> Iterator[Finding]:
    """Only sure, binding law; compressed at acquisition and later cannot be told apart by the study row."""
    batch, answers, at = rows.found.batch, judged.answers, judged.group.rows
    if "lossy" not in batch.schema.names or not answers.lossy_hi.any():
        return
    lossy = pc.fill_null(batch.column("lossy"), False).to_numpy(zero_copy_only=False)[at] & (answers.lossy_hi > 0)
    early = lossy & (as_of <= answers.lossy_lo)
    own = np.flatnonzero(early)
    messages = [f"apparently lossy: the law asks for the original through {_until(lo)}" for lo in answers.lossy_lo[own]]
    yield from rows.make("lossy-unlawful", at[own], messages)
    if "lossy_ratio_max" in batch.schema.names:
        ratio = pc.fill_null(batch.column("lossy_ratio_max"), 0.0).to_numpy(zero_copy_only=False)[at]
        own = np.flatnonzero(lossy & ~early & (ratio > answers.max_ratio))
        messages = [
            f"apparently compressed {ratio[n]:g} to 1, at most {answers.max_ratio[n]:g} to 1 is allowed" for n in own
        ]
        yield from rows.make("lossy-unlawful", at[own], messages)


def _day(day: int) -> str:
    return "no day" if day == NEVER else write_day(day)


def _until(day: Any) -> str:
    return until(DateRange(int(day), int(day)))
