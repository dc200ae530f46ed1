"""An audit: every study of an inventory judged under a profile on a day, as findings, decisions and a summary.

Audit yields, report writes. The inventory flows through the evaluator row group by row group, on all cores, in constant
memory; a part that is done is on disk, and an audit that was interrupted goes on from there. The same inputs give the
same findings, byte for byte.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from compliance.archive.inventory import Inventory
from compliance.audit.deleted import DeletionAudit
from compliance.audit.detect import Detector
from compliance.audit.evaluate import DECISIONS, BatchEvaluator, decisions
from compliance.audit.findings import SCHEMA, Finding, about_law, unmatched_holds
from compliance.audit.patients import Known, know
from compliance.audit.profile import Profile
from compliance.audit.results import FindingFile, join_tables, sort_findings, table_of
from compliance.audit.tally import Tally, count
from compliance.audit.waivers import Waiver, Waiving
from compliance.law.register import stale

ROWS = 65_536  # evaluated at once: what a core's cache can bear
Progress = Callable[[int, int, int], None]


@dataclass(frozen=True)
class Order:
    """What an audit is asked to do; `work` is the folder of its parts (none: a temporary one, nothing to go on from)."""

    inventory: Inventory
    profile: Profile
    as_of: date
    waivers: tuple[Waiver, ...] = ()
    baseline: frozenset[str] = frozenset()
    deleted: Path | None = None
    progress: Progress = lambda done, total, size: None
    work: Path | None = None
    threads: int = os.cpu_count() or 1

    @property
    def key(self) -> str:
        """What the parts of an audit depend on: only parts of the same key are gone on from."""
        profile = self.profile
        waived = [repr(waiver) for waiver in self.waivers]
        asked = [self.inventory.digest, profile.digest, profile.knowledge.digest, self.as_of.isoformat(), *waived]
        return hashlib.sha256("\0".join(asked).encode()).hexdigest()


@dataclass
class Audit:
    """The result of an audit; findings and decisions lie in files."""

    tally: Tally
    findings: FindingFile
    decisions: Path
    known: Path
    files: Counter[str] = field(default_factory=Counter)
    temporary: tempfile.TemporaryDirectory[str] | None = None


@dataclass(frozen=True)
class _Parts:
    """The parts of an audit on disk."""

    folder: Path

    def path(self, kind: str, number: int, ending: str = "parquet") -> Path:
        return self.folder / f"{kind}-{number:06}.{ending}"

    def open(self, key: str) -> None:
        """Keep the parts of the same audit, remove all others."""
        mark = self.folder / "key"
        if not mark.is_file() or mark.read_text() != key:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            mark.write_text(key)

    def tally(self, number: int) -> Tally | None:
        """Return what a part counted, None where it is not done; the tally is written last."""
        done = self.path("tally", number, "json")
        return Tally.from_json(json.loads(done.read_text())) if done.is_file() else None


def run(order: Order) -> Audit:
    """Judge everything the order names."""
    temporary = None if order.work else tempfile.TemporaryDirectory(prefix="audit-")
    folder = order.work or Path(temporary.name if temporary else "")
    parts = _Parts(folder)
    parts.open(order.key)
    known = folder / "known.parquet"
    if not known.is_file():
        know(order.inventory, order.profile, order.as_of.toordinal(), folder)
    work = _Work(order, parts, Known(known), Waiving(order.waivers, order.as_of.toordinal()))
    tally = Tally()
    for one in work.all():
        tally.add(one)
    extra = parts.folder / "findings-extra.parquet"
    pq.write_table(table_of(work.extra(tally)), extra)
    groups = range(work.file.num_row_groups)
    found = FindingFile(folder / "findings.parquet")
    sort_findings([*(parts.path("findings", n) for n in groups), extra], found.path, order.baseline, folder / "spill")
    join_tables([parts.path("decisions", n) for n in groups], folder / "decisions.parquet", DECISIONS)
    return Audit(tally, found, folder / "decisions.parquet", known, _outcomes(order.inventory), temporary)


def _outcomes(inventory: Inventory) -> Counter[str]:
    files = inventory.table("files")
    if files is None:
        return Counter()
    counts = Counter[str]()
    for batch in pq.ParquetFile(files).iter_batches(100_000, columns=["outcome"]):
        counts.update(batch.column(0).to_pylist())
    return counts


class _Work:
    """Row groups through the evaluator, a few at a time, in order."""

    def __init__(self, order: Order, parts: _Parts, known: Known, waiving: Waiving) -> None:
        self.order, self.parts, self.known, self.waiving = order, parts, known, waiving
        self.evaluator = BatchEvaluator(order.profile, order.as_of)
        self.detector = Detector(self.evaluator)
        self.file = pq.ParquetFile(order.inventory.path)
        meta = self.file.metadata
        self.sizes = [meta.row_group(number).num_rows for number in range(meta.num_row_groups)]

    def all(self) -> Iterator[Tally]:
        """Yield the tallies of all parts, in order; those on disk are not done again."""
        done = 0
        waiting = deque[tuple[int, Future[Tally]]]()
        with ThreadPoolExecutor(self.order.threads) as pool:
            try:
                for number in range(len(self.sizes)):
                    waiting.append((number, pool.submit(self._part, number)))
                    while len(waiting) > self.order.threads + 1 or (waiting and number + 1 == len(self.sizes)):
                        first, future = waiting.popleft()
                        yield future.result()
                        done += self.sizes[first]
                        self.order.progress(done, self.order.inventory.rows, 0)
            finally:
                pool.shutdown(cancel_futures=True)

    def _part(self, number: int) -> Tally:
        held = self.parts.tally(number)
        if held is not None:
            self.waiving.used.update(map(int, held.waivers_used))
            self.waiving.expired.update(map(int, held.waivers_expired))
            return held
        tally, start = Tally(), sum(self.sizes[:number])
        waiving = Waiving(self.order.waivers, self.order.as_of.toordinal())
        file = pq.ParquetFile(self.order.inventory.path)
        with (
            pq.ParquetWriter(self._aside("decisions", number), DECISIONS, compression="zstd") as decided,
            pq.ParquetWriter(self._aside("findings", number), SCHEMA, compression="zstd") as found,
        ):
            for batch in file.iter_batches(ROWS, row_groups=[number], use_threads=False):
                one = self.evaluator.evaluate(batch, self.known.rows(start, batch.num_rows))
                findings = waiving.apply(self.detector.findings(one))
                tally.add(count(one, findings, self.order.as_of.toordinal()))
                decided.write_table(decisions(one))
                found.write_table(table_of(findings))
                start += batch.num_rows
        tally.waivers_used.update({str(n): 1 for n in waiving.used})
        tally.waivers_expired.update({str(n): 1 for n in waiving.expired})
        self._finish(number, tally)
        self.waiving.used |= waiving.used
        self.waiving.expired |= waiving.expired
        return tally

    def _aside(self, kind: str, number: int) -> Path:
        return self.parts.folder / f".{kind}-{number:06}"

    def _finish(self, number: int, tally: Tally) -> None:
        for kind in ("decisions", "findings"):
            self._aside(kind, number).replace(self.parts.path(kind, number))
        aside = self._aside("tally", number)
        aside.write_text(json.dumps(tally.as_json()))
        aside.replace(self.parts.path("tally", number, "json"))

    def extra(self, tally: Tally) -> list[Finding]:
        """Return the findings about deletions, holds, law and waivers."""
        order, today, base = self.order, self.order.as_of.toordinal(), self.order.profile.knowledge
        made = list[Finding]()
        if order.deleted is not None:
            made += DeletionAudit(order.profile, order.inventory).findings(order.deleted)
        made += unmatched_holds(order.profile.holds, set(tally.held), today)
        made += about_law(base, set(tally.applied), {norm.id for norm in stale(base, today, 18)})
        made = self.waiving.apply(made)
        return [*made, *self.waiving.about_waivers()]
