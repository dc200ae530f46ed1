"""A small archive in which every study has its own finding, with its law and profile."""

from __future__ import annotations

from pathlib import Path

from compliance.archive.keys import Keys
from compliance.archive.tables import import_table, read_mapping
from desk import PLACES, floor

TEN = floor("ten", "10 years after study_date")
GONE = floor("gone", "12 years after study_date", kind="ceiling")
LOSSY = floor("lossy", "10 years after study_date", kind="lossy")
TELL = floor("tell", "duty: notify, who: patient", "{modality: [US]}", kind="duty")
LIST = """uid,pid,day,mods,inst,size,lossy,expiry
1.1,A,2010-01-01,CT,General,1000000,false,
1.2,A,2020-01-01,CT,General,1000000,true,2025-01-01
1.3,B,2015-06-01,US,General,1000000,false,
1.4,B,,CT,General,1000000,false,
1.5,C,2015-06-01,CT,<script>alert(1)</script>,1000000,false,
1.6,D,2016-01-01,CT\\SEG\\SR,General,1000000,false,
1.7,=cmd|' /C calc'!A0,2016-02-30,MR,General,1000000,false,
"""
MAP = "rows: study\ncolumns: {study_uid: uid, patient_id: pid, study_date: day, modality: mods, institution: inst, bytes: size, lossy: lossy, archive_expiry: expiry}\n"
PROFILE = """name: Test
sites:
  - id: main
    match: {institution: [general]}
    keepers: [{jurisdiction: XA-N, facility_type: hospital, facts: {ownership: private}}]
    decided_by: counsel
assume: practical
holds:
  - {id: M-1, matter: Roe v. Doe, issued_by: counsel, issued: 2024-01-01, scope: {study_uid: ["1.6"]}}
  - {id: M-2, issued_by: counsel, scope: {study_uid: ["9.9"]}}
cost: {per_tb_year: 250, currency: EUR}
"""


def write_small(tmp_path: Path) -> Path:
    """Write law, profile and inventory into a folder."""
    laws = tmp_path / "laws"
    (laws / "XA").mkdir(parents=True)
    (laws / "jurisdictions.yaml").write_text(PLACES)
    norms = "\n".join("  " + line for line in "\n".join((TEN, GONE, LOSSY, TELL)).splitlines())
    (laws / "XA" / "act.yaml").write_text('jurisdiction: "XA"\ntitle: T\ncitation: C\nurl: https://x.example\nforce: binding\nnorms:\n' + norms + "\n")
    (tmp_path / "list.csv").write_text(LIST)
    (tmp_path / "map.yaml").write_text(MAP)
    (tmp_path / "profile.yaml").write_text(PROFILE)
    import_table(str(tmp_path / "list.csv"), read_mapping(tmp_path / "map.yaml"), tmp_path / "inv.parquet", Keys(b"secret of the tests"), "2026-11-24")
    return tmp_path
