"""An audit: every study of an inventory judged under a profile on a day, as findings, decisions and a summary.

Audit yields, report writes. The same inputs give the same findings, byte for byte.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from compliance.archive.inventory import EPOCH, Inventory
from compliance.audit import patients, waivers
from compliance.audit.deleted import DeletionAudit
from compliance.audit.evaluate import Evaluator, Judged, Verdict
from compliance.audit.findings import Finder, Finding, about_law, unmatched_holds
from compliance.audit.profile import Profile
from compliance.law.dates import LAST, NEVER, OPEN
from compliance.law.register import stale

DECISIONS = pa.schema([
    ("row", pa.int64()), ("study_uid", pa.string()), ("site", pa.string()), ("disposition", pa.string()), ("ready", pa.bool_()),
    ("retain_earliest", pa.date32()), ("retain_latest", pa.date32()), ("binding_earliest", pa.date32()), ("binding_latest", pa.date32()),
    ("permanent", pa.bool_()), ("earliest_purge_date", pa.date32()), ("destroy_by", pa.date32()), ("governing", pa.string()),
    ("missing", pa.string()), ("bytes", pa.int64()),
])  # fmt: skip
PURGEABLE = ("may_purge", "must_purge")
TWO_YEARS = 730
Progress = Callable[[int, int, int], None]


@dataclass
class Tally:
    """What a summary counts, in studies and bytes."""

    studies: Counter[str] = field(default_factory=Counter)
    bytes: Counter[str] = field(default_factory=Counter)

    def add(self, key: str, size: int) -> None:
        """Count one study."""
        self.studies[key] += 1
        self.bytes[key] += size

    def rows(self) -> list[dict[str, Any]]:
        """Return rows by bytes, largest first."""
        keys = sorted(self.studies, key=lambda key: (-self.bytes[key], key))
        return [{"key": key, "studies": self.studies[key], "bytes": self.bytes[key]} for key in keys]


@dataclass
class Audit:
    """The result of an audit; `decisions` holds one row a study, `known` what the inventory knows of its patient."""

    known: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    dispositions: Tally = field(default_factory=Tally)
    by_site: Tally = field(default_factory=Tally)
    by_place: Tally = field(default_factory=Tally)
    by_year: Tally = field(default_factory=Tally)
    missing: Tally = field(default_factory=Tally)
    blocked: Tally = field(default_factory=Tally)
    assumed: Counter[tuple[str, str]] = field(default_factory=Counter)
    applied: Counter[str] = field(default_factory=Counter)
    reconciliation: Counter[str] = field(default_factory=Counter)
    files: Counter[str] = field(default_factory=Counter)
    ready: Tally = field(default_factory=Tally)
    only_priors: int = 0
    breach: Tally = field(default_factory=Tally)

    @property
    def determined(self) -> float:
        """Percent of the studies that could be judged."""
        total = sum(self.dispositions.studies.values())
        return 100.0 if not total else 100.0 * (total - self.dispositions.studies["undetermined"]) / total


@dataclass(frozen=True)
class Order:
    """What an audit is asked to do."""

    inventory: Inventory
    profile: Profile
    as_of: date
    waivers: tuple[waivers.Waiver, ...] = ()
    baseline: frozenset[str] = frozenset()
    deleted: Path | None = None
    progress: Progress = lambda done, total, size: None


def run(order: Order) -> Audit:
    """Judge everything the order names."""
    audit, names = Audit(), order.inventory.column_names()
    known = audit.known = known_of_patients(order)
    work = Evaluator(order.profile, order.as_of, names, known)
    finder = Finder(order.profile.knowledge, order.as_of.toordinal())
    gone_rows = {}
    done = 0
    for batch in order.inventory.batches():
        for judged in work.evaluate(batch):
            own = list(finder.about(judged))
            audit.findings += own
            _count(audit, judged, own, order.as_of.toordinal(), known)
            if order.deleted is not None:
                gone_rows[str(judged.row["study_uid"])] = dict(judged.row)
        done += batch.num_rows
        order.progress(done, order.inventory.rows, 0)
    if order.deleted is not None:
        audit.findings += DeletionAudit(order.profile, names, gone_rows).findings(order.deleted)
    _finish(audit, order, work.held)
    return audit


def _finish(audit: Audit, order: Order, held: set[str]) -> None:
    today, base = order.as_of.toordinal(), order.profile.knowledge
    audit.findings += unmatched_holds(order.profile.holds, held, today)
    audit.findings += about_law(base, set(audit.applied), {norm.id for norm in stale(base, today, 18)})
    audit.findings = waivers.apply(audit.findings, order.waivers, today)
    audit.findings = sorted((f for f in audit.findings if f.fingerprint not in order.baseline), key=Finding.sort_key)
    files = order.inventory.table("files")
    if files is not None:
        import pyarrow.parquet as pq

        audit.files = Counter(pq.read_table(files, columns=["outcome"])["outcome"].to_pylist())


def known_of_patients(order: Order) -> dict[int, Mapping[str, Any]]:
    """Return by row what the inventory knows of its patient."""
    work = Evaluator(order.profile, order.as_of, order.inventory.column_names())
    columns: dict[str, list[Any]] = {name: [] for name in ("row", "patient_key", "site", "first", "last", "mammogram")}
    for batch in order.inventory.batches():
        for row in _thin(batch, work.matched):
            if row["study_date"] is None or row["patient_key"] is None:
                continue
            site = work.site_of(row)
            first = row["study_date"] + EPOCH
            values = (
                row["row"],
                row["patient_key"],
                site.id if site else "",
                first,
                first + (row["study_date_span"] or 0),
                "MG" in (row["modality"] or "").split("\\"),
            )
            for name, value in zip(columns, values, strict=True):
                columns[name].append(value)
    if not columns["row"]:
        return {}
    return {row["row"]: row for row in patients.known(pa.table(columns), order.as_of.toordinal()).to_pylist()}


def _thin(batch: pa.RecordBatch, matched: list[str]) -> Iterator[dict[str, Any]]:
    names = [
        n
        for n in dict.fromkeys(("row", "patient_key", "study_date", "study_date_span", "modality", *matched))
        if n in batch.schema.names
    ]
    thin = batch.select(names)
    arrays = [c.cast(pa.int32()) if pa.types.is_date32(c.type) else c for c in thin.columns]
    yield from pa.RecordBatch.from_arrays(arrays, names=names).to_pylist()


def _count(
    audit: Audit, judged: Judged, findings: list[Finding], as_of: int, known: Mapping[int, Mapping[str, Any]]
) -> None:
    size = int(judged.row.get("bytes") or 0)
    verdict = judged.verdict
    audit.decisions.append(_decision_row(judged, size))
    if any(finding.level == "error" for finding in findings):
        audit.breach.add("apparent breach", size)
    if verdict is None or judged.site is None:
        audit.reconciliation["no site matched"] += 1
        audit.dispositions.add("undetermined", size)
        audit.blocked.add("no site of the profile matches", size)
        return
    audit.reconciliation["bad data" if verdict.problems else "judged"] += 1
    audit.dispositions.add(verdict.disposition, size)
    audit.by_site.add(f"{judged.site.id}: {verdict.disposition}", size)
    for code in verdict.jurisdictions:
        audit.by_place.add(code, size)
    audit.applied.update(verdict.applied)
    audit.assumed.update(verdict.assumed)
    _count_purge(audit, judged, verdict, size, as_of, known)


def _count_purge(
    audit: Audit, judged: Judged, verdict: Verdict, size: int, as_of: int, known: Mapping[int, Mapping[str, Any]]
) -> None:
    if verdict.disposition in PURGEABLE:
        audit.ready.add("ready" if verdict.ready else "a duty comes first", size)
        seen = known.get(judged.row["row"])
        if (
            seen
            and seen["studies"] == 2
            and seen["last_first"] >= as_of - TWO_YEARS
            and judged.row["study_date"] + EPOCH < seen["last_first"]
        ):
            audit.only_priors += 1
    elif verdict.disposition == "undetermined":
        for fact in verdict.missing:
            audit.missing.add(fact, size)
        audit.blocked.add(
            "facts contradict each other"
            if verdict.problems
            else "not known: " + ", ".join(verdict.missing[:3])
            if verdict.missing
            else "no law covers it",
            size,
        )
    else:
        audit.blocked.add(
            {"held": "a hold", "conflict": "a conflict of norms"}.get(verdict.disposition, "its period runs"), size
        )
    if verdict.retain.latest < LAST and not verdict.problems:
        audit.by_year.add(str(date.fromordinal(max(verdict.retain.latest + 1, as_of)).year), size)


def _decision_row(judged: Judged, size: int) -> dict[str, Any]:
    verdict = judged.verdict
    row: dict[str, Any] = {
        "row": judged.row["row"],
        "study_uid": judged.row["study_uid"],
        "bytes": size,
        "disposition": "undetermined",
    }
    if verdict is None or judged.site is None:
        return {**row, "site": "", "ready": False, "permanent": False, "governing": "", "missing": ""}
    row.update(
        site=judged.site.id, disposition=verdict.disposition, ready=verdict.ready, permanent=verdict.permanent,
        governing=verdict.governing, missing=", ".join(verdict.missing), destroy_by=_day(verdict.destroy_by),
        retain_earliest=_day(verdict.retain.earliest), retain_latest=_day(verdict.retain.latest),
        binding_earliest=_day(verdict.binding.earliest), binding_latest=_day(verdict.binding.latest),
        earliest_purge_date=_day(verdict.retain.latest + 1) if verdict.retain.latest < LAST else None,
    )  # fmt: skip
    return row


def _day(day: int | None) -> date | None:
    """Return the date of an ordinal; no day (open, none) as null, an early end `never` as 9999-12-31."""
    if day is None or day in (OPEN, LAST):
        return None
    return date.max if day == NEVER else date.fromordinal(day)


def decisions_table(audit: Audit) -> pa.Table:
    """Return the decisions as an Arrow table in the order of the inventory."""
    return pa.Table.from_pylist(audit.decisions, DECISIONS)
