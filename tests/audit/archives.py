"""Archives for the tests of audits: an inventory generated from a seed, over several row groups, with everything odd in it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from compliance.archive.inventory import STUDIES, conform

INSTITUTIONS = ["General", "general north", "Clinic <West>", "Dr. Who's", "nobody's", None]
PROFILE = """name: Generated
sites:
  - id: main
    match: {institution: [general]}
    keepers: [{jurisdiction: XA-N, facility_type: hospital, facts: {ownership: private}}]
    decided_by: counsel
  - id: two
    match: {institution: ["general n*"]}
    keepers:
      - {jurisdiction: XA-N, facility_type: hospital}
      - {jurisdiction: [XA, XA-N], facility_type: imaging_center, keeper_role: read}
    decided_by: counsel
  - id: west
    match: {institution: ["clinic*"], modality: ["*"]}
    keepers: [{jurisdiction: XA, facility_type: clinic}]
    decided_by: counsel
  - id: who
    match: {institution: ["dr. who*"]}
    keepers: [{jurisdiction: XA, facility_type: physician_practice}]
    decided_by: counsel
    vouch_dates: true
assume: practical
holds:
  - {id: M-1, issued_by: counsel, issued: 2024-01-01, scope: {modality: [NM]}}
  - {id: M-2, issued_by: counsel, scope: {study_uid: ["9.9"]}}
"""
NORMS = """jurisdiction: "XA"
title: Act
citation: C
url: https://x.example
force: binding
norms:
  - {id: ten, kind: floor, citation: C 1, says: s, versions: [{from: 1990-01-01, period: 10 years after study_date}], verification: {status: verified}}
  - {id: last, kind: floor, citation: C 2, says: s, scope: {modality: [CT, MR]}, versions: [{from: 1990-01-01, period: 5 years after last_service_date}], verification: {status: verified}}
  - {id: breast, kind: floor, citation: C 3, says: s, scope: {modality: [MG]}, versions: [{from: 1990-01-01, period: {latest: [5 years after study_date, until next_mammogram_date]}}], verification: {status: verified}}
  - {id: child, kind: floor, citation: C 4, says: s, versions: [{from: 1990-01-01, period: 3 years after age of majority}], verification: {status: verified}}
  - {id: gone, kind: ceiling, citation: C 5, says: s, scope: {facility_type: [clinic]}, versions: [{from: 1990-01-01, period: 12 years after study_date}], verification: {status: verified}}
  - {id: lossy, kind: lossy, citation: C 6, says: s, versions: [{from: 1990-01-01, period: 10 years after study_date}], verification: {status: verified}}
  - {id: tell, kind: duty, citation: C 7, says: s, scope: {modality: [US]}, versions: [{from: 1990-01-01, duty: notify, who: patient}], verification: {status: verified}}
"""


def write_archive(path: Path, rows: int, row_group: int = 5_000, seed: int = 11) -> Path:
    """Write an inventory of `rows` studies, row group by row group."""
    about = {"schema": 1, "table": "studies", "id": f"sha256:generated-{rows}-{seed}", "source": "a generator", "scanned_at": "2026-11-24"}
    schema = pa.schema([(f.name, f.type) for f in STUDIES], {b"compliance": json.dumps(about).encode()})
    random = np.random.default_rng(seed)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for start in range(0, rows, row_group):
            some = _studies(random, start, min(row_group, rows - start), rows)
            writer.write_table(conform(some, STUDIES).cast(schema), row_group_size=row_group)
    return path


def _studies(random: np.random.Generator, start: int, n: int, rows: int) -> pa.Table:
    """Clustered by institution; null, year-only and contradictory dates, mammograms, de-identified studies, several modalities."""
    number = np.arange(start, start + n)
    study = 20_781 - random.integers(0, 25 * 365, n)
    birth = study - random.integers(-30, 95 * 365, n)
    year = random.random(n) < 0.1
    modality = np.array(["CT", "MR", "US", "MG", "CR", "NM", "CT\\SR", "MG\\SR", None], object)[random.integers(0, 9, n)]
    patient = random.integers(0, max(1, rows // 3), n)
    return pa.table({
        "row": number,
        "study_uid": [f"1.2.{one:09}" for one in number],
        "patient_key": pa.array([f"p{one}" for one in patient], mask=random.random(n) < 0.05),
        "study_date": _days(np.where(year, study - study % 365, study), random.random(n) < 0.05),
        "study_date_span": pa.array(np.where(year, 364, 0).astype(np.int32), mask=~year),
        "birth_date": _days(birth, random.random(n) < 0.1),
        "modality": pa.array(modality, pa.string()),
        "institution": pa.array([INSTITUTIONS[one * len(INSTITUTIONS) // rows] for one in number.tolist()], pa.string()),
        "n_instances": random.integers(1, 900, n),
        "bytes": pa.array(random.integers(10**6, 10**9, n), mask=random.random(n) < 0.02),
        "lossy": pa.array(random.random(n) < 0.1, mask=random.random(n) < 0.1),
        "lossy_ratio_max": pa.array(random.random(n) * 20, mask=random.random(n) < 0.8),
        "deidentified": random.random(n) < 0.1,
        "trial_protocol": pa.array(["T-1"] * n, mask=random.random(n) < 0.98),
        "archive_expiry": _days(study + random.integers(0, 15 * 365, n), random.random(n) < 0.7),
        "problems": pa.array(["study date 2016-02-30 is no day"] * n, mask=random.random(n) < 0.99),
    })  # fmt: skip


def _days(days: np.ndarray, absent: np.ndarray) -> pa.Array:
    return pa.array(days.astype(np.int32), pa.int32(), mask=absent).cast(pa.date32())


def write_desk(folder: Path, places: str) -> Path:
    """Write law and profile for generated archives into a folder."""
    (folder / "laws" / "XA").mkdir(parents=True)
    (folder / "laws" / "jurisdictions.yaml").write_text(places)
    (folder / "laws" / "XA" / "act.yaml").write_text(NORMS)
    (folder / "profile.yaml").write_text(PROFILE)
    return folder
