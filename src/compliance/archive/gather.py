"""From the lines of a scan to the tables of files and series; DuckDB gathers, so that memory does not grow with files.

A file that holds a SOP instance read before, in the order of paths, is a duplicate. Instances are folded to series: sets
are joined, counts and bytes summed, copies count as bytes only; what all instances share comes from the first by path.
"""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa

from compliance.archive.ages import birth_range, read_age, read_date
from compliance.archive.attributes import TEXTS as ATTRIBUTES
from compliance.archive.duck import connect
from compliance.archive.earlier import Earlier, kind
from compliance.archive.fold import SERIES_ROW, TEXTS

_WORDS = (*(name for name in ATTRIBUTES if name != "patient_id"),
          "patient_key", "transfer_syntax", "title_code", "contributing_equipment")  # fmt: skip
_HEADER = ", ".join([*(f'"{name}":"VARCHAR"' for name in _WORDS), '"lossy_ratio":"DOUBLE"'])
_SETS = {"modality": "modality", "body_part": "body_part", "sop_class": "sop_classes", "transfer_syntax": "transfer_syntax",
         "title_code": "title_code", "quality_control": "quality_control", "contributing_equipment": "contributing_equipment",
         "lossy_method": "lossy_method", "image_type": "image_type"}  # fmt: skip
_SHARED = ("patient_key", *(name for name in TEXTS if name in _WORDS), "study_date", "birth_date", "age", "discharge_date",
           "deidentified", "dates_modified", "slice_thickness")  # fmt: skip

_NO_LINES = "(select '' as path, 0::bigint as size, 0::bigint as mtime_ns, '' as outcome, '' as reason, '' as digest, '' as header where false)"
_JOURNAL = """(select path, size, mtime_ns, outcome, reason, digest, header::varchar as header
from read_json({place}, format='newline_delimited', columns={{path: 'VARCHAR', size: 'BIGINT', mtime_ns: 'BIGINT',
  outcome: 'VARCHAR', reason: 'VARCHAR', digest: 'VARCHAR', header: 'JSON'}}))"""
_KEPT = """(select path, size, mtime_ns, case outcome when 'duplicate' then 'read' else outcome end as outcome,
  case outcome when 'duplicate' then '' else reason end as reason, digest, header
from read_parquet({place}, file_row_number=true) semi join kept on file_row_number = kept.row)"""
_CHANGES = """
create temp table changes as
with now as (select path from kept_lines union all select path from new_lines),
left_ as (select path, digest from last anti join now using (path)),
moved as (
  select n.path, min(left_.path) as source from new_lines n anti join last using (path) join left_ using (digest)
  where n.digest is not null group by n.path
)
select path, 'replaced' as change, 'replaced: other content stood here before' as remark
from new_lines n join last using (path) where n.digest is distinct from last.digest
union all select path, 'moved', 'moved from ' || source from moved
union all select path, 'gone', '' from left_ where path not in (select source from moved)
"""
_FILES = """
create temp table files as
select path, size, mtime_ns, digest, outcome, again, header, h,
  concat_ws('; ', nullif(reason, ''), case when change in ('moved', 'replaced') then remark end) as reason
from (
  select *, outcome = 'read' and row_number() over (partition by h.sop_uid order by path) > 1 as again
  from (select *, json_transform(header, '{{{header}}}') as h from (from kept_lines union all from new_lines))
) left join changes using (path)
"""
_TABLE = """
select path, size, mtime_ns, digest, case when again then 'duplicate' else outcome end as outcome,
  case when again then 'the same SOP instance was read before' else reason end as reason,
  h.study_uid as study_uid, h.series_uid as series_uid, h.sop_uid as sop_uid, header
from files order by path
"""
_SERIES = """
select h.study_uid as study_uid, h.series_uid as series_uid, arg_min({{{shared}}}, path) as shared, {sets},
  count(*) filter (not again) as n_instances, sum(size)::bigint as bytes,
  bool_or(h.lossy = '01') filter (h.lossy in ('00', '01')) as lossy, max(h.lossy_ratio) as lossy_ratio_max
from files where outcome = 'read' group by all order by all
"""


class Gathered:
    """The lines of a scan as tables; to be closed."""

    def __init__(self, journal: Path | None, earlier: Earlier, aside: Path) -> None:
        self.aside = aside  # where DuckDB puts what is too large for memory
        self.con = connect(temp_directory=str(aside))
        files = _quoted(earlier.files) if earlier.files else ""
        self.con.register(
            "kept", pa.table({"row": pa.array([n for n, seen in enumerate(earlier.seen) if seen], pa.int64())})
        )
        last = (
            f"(select path, digest from read_parquet({files}))"
            if earlier.comparable
            else f"(select path, digest from {_NO_LINES})"
        )
        for name, source in (
            ("new_lines", _JOURNAL.format(place=_quoted(journal)) if journal else _NO_LINES),
            ("kept_lines", _KEPT.format(place=files) if earlier.kept else _NO_LINES),
            ("last", last),
        ):
            self.con.execute(f"create temp view {name} as from {source}")
        self.con.execute(_CHANGES)
        self.con.execute(_FILES.format(header=_HEADER))

    def close(self) -> None:
        """Give the memory back, and the disk."""
        self.con.close()
        shutil.rmtree(self.aside, ignore_errors=True)

    def files(self) -> pa.RecordBatchReader:
        """Return the table of files in the order of paths, batch by batch."""
        return self.con.sql(_TABLE).to_arrow_reader(10_000)

    def series(self, source: str) -> pa.Table:
        """Return the series, in the columns that the fold to studies takes."""
        shared = ", ".join(f"{name}: h.{name}" for name in _SHARED)
        sets = ", ".join(
            f"string_agg(distinct h.{word}, '\\' order by h.{word}) filter (h.{word} <> '') as {column}"
            for word, column in _SETS.items()
        )
        rows = self.con.sql(_SERIES.format(shared=shared, sets=sets)).to_arrow_table().to_pylist()
        return pa.Table.from_pylist([_series_row(row, source) for row in rows], SERIES_ROW)

    def counts(self, what: str) -> Counter[str]:
        """Return how many files have each outcome, reason (other than those read) or change."""
        query = {
            "outcomes": "select case when again then 'duplicate' else outcome end, count(*) from files group by 1",
            "reasons": "select outcome || ': ' || reason, count(*) from files where outcome <> 'read' group by 1",
            "changes": "select change, count(*) from changes group by 1",
        }[what]
        found: Counter[str] = Counter()
        for word, number in self.con.sql(query).fetchall():
            found[kind(word)] += number
        return found


def _quoted(path: Path | None) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _series_row(row: dict[str, Any], source: str) -> dict[str, Any]:
    header = row.pop("shared")
    study, wrong_study = read_date(header["study_date"])
    birth, wrong_birth = read_date(header["birth_date"])
    aged, wrong_age = read_age(header["age"], study)
    born, wrong_both = birth_range(birth, aged)
    left, wrong_left = read_date(header["discharge_date"])
    for name, value in (("study_date", study), ("birth_date", born), ("discharge_date", left)):
        row[f"{name}_first"], row[f"{name}_last"] = (value.earliest, value.latest) if value else (None, None)
    return {
        **{name: header.get(name) or None for name in ("patient_key", *TEXTS)},
        **row,
        "source": source,
        "deidentified": header["deidentified"] == "YES" and header["dates_modified"] != "UNMODIFIED",
        "problems": "; ".join(filter(None, (wrong_study, wrong_birth, wrong_age, wrong_both, wrong_left))),
        "slice_thickness": _number(header["slice_thickness"]),
    }


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
