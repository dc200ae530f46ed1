"""The data files beside a report, each written aside and renamed: findings.jsonl, findings.csv, decisions.parquet, summary.json."""

from __future__ import annotations

import csv
import io
import json
import os
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from compliance.audit.findings import Finding
from compliance.audit.run import Audit, Order

COLUMNS = ("fingerprint", "level", "code", "site", "study", "record", "norm", "citation", "message", "bytes", "waived")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def write_text(path: Path, text: str) -> None:
    """Write a file aside, flush it, rename it."""
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        with aside.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def as_row(finding: Finding) -> dict[str, Any]:
    """Return a finding as a flat row."""
    return {"fingerprint": finding.fingerprint, **asdict(finding)}


def jsonl(findings: Iterable[Finding]) -> str:
    """Return findings as JSON lines."""
    return "".join(json.dumps(as_row(f), ensure_ascii=False, sort_keys=True) + "\n" for f in findings)


def csv_text(findings: Iterable[Finding]) -> str:
    """Return findings as CSV in which no cell is taken for a formula."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    for finding in findings:
        writer.writerow({key: safe_cell(value) for key, value in as_row(finding).items()})
    return out.getvalue()


def safe_cell(value: Any) -> Any:
    """A text that a spreadsheet would run begins with an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def write_table(path: Path, table: pa.Table) -> None:
    """Write a Parquet file aside and rename it."""
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        pq.write_table(table, aside, compression="zstd")
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def summary(result: Audit, order: Order) -> dict[str, Any]:
    """Return what summary.json holds."""
    return {
        "as_of": order.as_of.isoformat(), "profile": order.profile.name, "profile_digest": order.profile.digest,
        "inventory": order.inventory.digest, "laws": {"version": order.profile.knowledge.version, "digest": order.profile.knowledge.digest},
        "dispositions": result.dispositions.rows(), "findings": dict(Counter(f.code for f in result.findings)),
        "waived": sum(1 for f in result.findings if f.waived), "determined_percent": round(result.determined, 2),
        "reconciliation": dict(result.reconciliation), "files": dict(result.files), "missing": result.missing.rows(),
        "blocked": result.blocked.rows(), "by_place": result.by_place.rows(), "by_year": result.by_year.rows(),
        "only_priors": result.only_priors,
    }  # fmt: skip
