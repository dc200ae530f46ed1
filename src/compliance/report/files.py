"""The data files beside a report, each written aside and renamed: findings.jsonl, findings.csv, decisions.parquet, summary.json."""

from __future__ import annotations

import csv
import json
import os
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from compliance.audit.findings import Finding
from compliance.audit.run import Audit, Order

COLUMNS = ("fingerprint", "level", "code", "site", "study", "record", "norm", "citation", "message", "bytes", "waived")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


@contextmanager
def aside(path: Path) -> Iterator[TextIOWrapper]:
    """Write a file aside; it is flushed to the disk and renamed when all of it is written."""
    place = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        with place.open("w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        place.replace(path)
    finally:
        place.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a file aside, flush it, rename it."""
    with aside(path) as file:
        file.write(text)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file aside, flush it, rename it, byte for byte."""
    with aside(path) as file:
        file.buffer.write(content)


def as_row(finding: Finding) -> dict[str, Any]:
    """Return a finding as a flat row."""
    return {"fingerprint": finding.fingerprint, **finding._asdict()}


def write_findings(findings: Iterable[Finding], folder: Path) -> None:
    """Write findings.jsonl and findings.csv in one pass; in the CSV no cell is taken for a formula."""
    with aside(folder / "findings.jsonl") as lines, aside(folder / "findings.csv") as cells:
        writer = csv.DictWriter(cells, COLUMNS)
        writer.writeheader()
        for finding in findings:
            row = as_row(finding)
            lines.write(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n")
            writer.writerow({key: safe_cell(value) for key, value in row.items()})


def safe_cell(value: Any) -> Any:
    """A text that a spreadsheet would run begins with an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def summary(result: Audit, order: Order) -> dict[str, Any]:
    """Return what summary.json holds."""
    return {
        "as_of": order.as_of.isoformat(), "profile": order.profile.name, "profile_digest": order.profile.digest,
        "inventory": order.inventory.digest, "laws": {"version": order.profile.knowledge.version, "digest": order.profile.knowledge.digest},
        "dispositions": result.tally.dispositions.rows(), "findings": _by_code(result),
        "waived": sum(many for _, waived, many in result.findings.counts() if waived), "determined_percent": round(result.tally.determined, 2),
        "reconciliation": dict(result.tally.reconciliation), "files": dict(result.files), "missing": result.tally.missing.rows(),
        "blocked": result.tally.blocked.rows(), "by_place": result.tally.by_place.rows(), "by_year": result.tally.by_year.rows(),
        "only_priors": result.tally.only_priors,
    }  # fmt: skip


def _by_code(result: Audit) -> dict[str, int]:
    counts = Counter[str]()
    for code, _, many in result.findings.counts():
        counts[code] += many
    return dict(counts)
