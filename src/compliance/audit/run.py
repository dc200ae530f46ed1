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
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

import compliance
from compliance.archive.inventory import Inventory
from compliance.audit.deleted import DeletionAudit
from compliance.audit.evaluate import DECISIONS
from compliance.audit.findings import SCHEMA, Finding, about_law, table_of, unmatched_holds
from compliance.audit.judging import Judging
from compliance.audit.patients import Known, know
from compliance.audit.profile import Profile
from compliance.audit.results import FindingFile, join_tables, sort_findings
from compliance.audit.tally import Tally
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
        asked = [
            compliance.__version__,
            self.inventory.digest,
            profile.digest,
            profile.knowledge.digest,
            self.as_of.isoformat(),
            *waived,
        ]
        return hashlib.sha256("\0".join(asked).encode()).hexdigest()


Look = Callable[[Sequence[str]], Inventory]
"""Gives, for some study UIDs, an inventory on this machine that holds these studies and all others of their patients."""


@dataclass
class Audit:
    """The result of an audit; findings and decisions lie in files."""

    tally: Tally
    findings: FindingFile
    decisions: Path
    look: Look
    files: Counter[str] = field(default_factory=Counter)
    temporary: tempfile.TemporaryDirectory[str] | None = None


@dataclass(frozen=True)
class Evaluation:
    """What an engine leaves: the tally of all, and its files of findings and (in the order of `row`) of decisions."""

    tally: Tally
    findings: Sequence[Path]
    decisions: Sequence[Path]
    files: Counter[str]


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
    work, tally = _Work(order, parts, Known(known)), Tally()
    for one in work.all():
        tally.add(one)
    findings, decided = ([parts.path(kind, n) for n in range(len(work.sizes))] for kind in ("findings", "decisions"))
    audit = end(
        order, folder, Evaluation(tally, findings, decided, _outcomes(order.inventory)), lambda _: order.inventory
    )
    return replace(audit, temporary=temporary)


def end(order: Order, folder: Path, judged: Evaluation, look: Look) -> Audit:
    """Add what is found about the whole, sort, and return the audit; its files lie in the folder."""
    extra = folder / "findings-extra.parquet"
    pq.write_table(table_of(_about_the_whole(order, judged.tally, look)), extra)
    found = FindingFile(folder / "findings.parquet")
    sort_findings([*judged.findings, extra], found.path, order.baseline, folder / "spill")
    join_tables(judged.decisions, folder / "decisions.parquet", DECISIONS)
    return Audit(judged.tally, found, folder / "decisions.parquet", look, judged.files)


def _about_the_whole(order: Order, tally: Tally, look: Look) -> list[Finding]:
    """Return the findings about deletions, holds, law and waivers."""
    today, base, made = order.as_of.toordinal(), order.profile.knowledge, list[Finding]()
    if order.deleted is not None:
        made += DeletionAudit(order.profile, look).findings(order.deleted)
    made += unmatched_holds(order.profile.holds, set(tally.held), today)
    made += about_law(base, set(tally.applied), {norm.id for norm in stale(base, today, 18)})
    waiving = Waiving(order.waivers, today, set(map(int, tally.waivers_used)), set(map(int, tally.waivers_expired)))
    made = waiving.apply(made)
    return [*made, *waiving.about_waivers()]


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

    def __init__(self, order: Order, parts: _Parts, known: Known) -> None:
        self.order, self.parts, self.known = order, parts, known
        meta = pq.ParquetFile(order.inventory.path).metadata
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
            return held
        judging, start = Judging(self.order.profile, self.order.as_of, self.order.waivers), sum(self.sizes[:number])
        file = pq.ParquetFile(self.order.inventory.path)
        with (
            pq.ParquetWriter(self._aside("decisions", number), DECISIONS, compression="zstd") as decided,
            pq.ParquetWriter(self._aside("findings", number), SCHEMA, compression="zstd") as found,
        ):
            for batch in file.iter_batches(ROWS, row_groups=[number], use_threads=False):
                of_batch, about_batch = judging.judge(batch, self.known.rows(start, batch.num_rows))
                decided.write_table(of_batch)
                found.write_table(about_batch)
                start += batch.num_rows
        self._finish(number, judging.tally())
        return judging.tally()

    def _aside(self, kind: str, number: int) -> Path:
        return self.parts.folder / f".{kind}-{number:06}"

    def _finish(self, number: int, tally: Tally) -> None:
        for kind in ("decisions", "findings"):
            self._aside(kind, number).replace(self.parts.path(kind, number))
        aside = self._aside("tally", number)
        aside.write_text(json.dumps(tally.as_json()))
        aside.replace(self.parts.path("tally", number, "json"))
