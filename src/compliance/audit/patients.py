"""What an inventory knows of a patient as of a day: a bound, not a fact (rule 27 of laws/README.md).

SQL that DuckDB runs here and Spark elsewhere; it joins small groups rather than using wide windows. `SEEN` makes the view
`seen` (row, patient_key, site, first and last day of the study as ordinals, mammogram) from the studies and the table
`sites` of the combinations that profiles match on; `KNOWN` has one row a study, in order.
"""

from __future__ import annotations

import shutil
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from compliance.archive.duck import connect
from compliance.archive.inventory import Inventory
from compliance.audit.facts import PATIENT, matched_columns
from compliance.audit.profile import Profile
from compliance.errors import InventoryError

SEEN = """
select s.row as row, s.patient_key as patient_key, coalesce(m.site, '') as site,
  {day} + 719163 as first, {day} + 719163 + coalesce(s.study_date_span, 0) as last,
  concat('|', replace(coalesce(s.modality, ''), chr(92), '|'), '|') like '%|MG|%' as mammogram
from {studies} s left join sites m on {same}
"""
KNOWN = """
with last_study as (
  select patient_key, max(first) as last_first, max(least(last, {as_of})) as last_last, count(*) as studies
  from seen where patient_key is not null and first <= {as_of} group by patient_key
),
mammograms as (
  select row, patient_key, site, first, last from seen where mammogram and patient_key is not null and first <= {as_of}
),
next_mammogram as (
  select a.row as row, min(b.last) as next_by
  from mammograms a join mammograms b on a.patient_key = b.patient_key and a.site = b.site and b.first > a.last
  group by a.row
)
select s.row as row, l.last_first as last_first, l.last_last as last_last, l.studies as studies, n.next_by as next_by
from seen s
  left join last_study l on s.patient_key = l.patient_key and s.first <= {as_of}
  left join next_mammogram n on n.row = s.row
"""
MEMORY = "300MB"
BUCKET = 10_000_000  # studies whose patients are looked at together: what the memory bears


def same_site(columns: Sequence[str], quote: str = '"') -> str:
    """Return the SQL condition that a study `s` has the combination of a row `m` of `sites`."""
    named = [f"{quote}{name}{quote}" for name in columns]
    return " and ".join(f"s.{name} is not distinct from m.{name}" for name in named) or "true"


def combinations(columns: Sequence[str], rows: Sequence[Sequence[str | None]], profile: Profile) -> pa.Table:
    """Return the table `sites`: each combination that occurs, with the id of its site."""
    found = []
    for row in rows:
        site = profile.site_of(dict(zip(columns, row, strict=True)))
        found.append(site.id if site else "")
    values = {name: pa.array([row[n] for row in rows], pa.string()) for n, name in enumerate(columns)}
    return pa.table({**values, "site": pa.array(found, pa.string())})


def know(inventory: Inventory, profile: Profile, as_of: int, folder: Path) -> Path:
    """Write `known.parquet` into a folder: by study, in order, what the inventory knows of its patient.

    Patients are looked at bucket by bucket, since joins over all of a great archive's would not stay within `MEMORY`;
    buckets and what sorting spills lie in the folder meanwhile. Raises InventoryError where that fails.
    """
    target, spill = folder / "known.parquet", folder / "spill"
    with _looking_at(inventory, profile, {"temp_directory": str(spill)}) as con:
        try:
            _know(con, KNOWN.format(as_of=as_of), -(-inventory.rows // BUCKET), spill, folder / ".known.parquet")
        except duckdb.Error as error:
            raise InventoryError(f"what the inventory knows of its patients could not be computed: {error}") from None
        finally:
            shutil.rmtree(spill, ignore_errors=True)
    return (folder / ".known.parquet").replace(target)


def _know(con: duckdb.DuckDBPyConnection, known: str, buckets: int, spill: Path, target: Path) -> None:
    spill.mkdir(exist_ok=True)
    if buckets > 1:
        bucket = f"hash(coalesce(patient_key, row::varchar)) % {buckets}"
        con.execute(
            f"copy (select *, {bucket} as bucket from seen) to {_quoted(spill / 'seen')} (format parquet, partition_by (bucket))"
        )
        for files in (spill / "seen").iterdir():
            con.execute(f"create or replace view seen as select * from read_parquet({_quoted(files / '*')})")
            con.execute(f"copy ({known}) to {_quoted(spill / f'known-{files.name}.parquet')} (format parquet)")
        known = f"select * from read_parquet({_quoted(spill / 'known-*.parquet')})"
    con.execute(f"copy ({known} order by row) to {_quoted(target)} (format parquet, row_group_size 65536)")


def of_studies(
    inventory: Inventory, profile: Profile, as_of: int, uids: Sequence[str]
) -> dict[str, tuple[pa.RecordBatch, pa.RecordBatch]]:
    """Return some studies by UID, each as one row, with what the inventory knew of its patient on a day."""
    with _looking_at(inventory, profile, {}, uids) as con:
        rows = con.sql("select * from studies where study_uid in (select uid from asked)").to_arrow_table()
        known = con.sql(
            f"select * from ({KNOWN.format(as_of=as_of)}) where row in (select row from studies where study_uid in (select uid from asked))"
        ).to_arrow_table()
    by_row = {row: number for number, row in enumerate(known["row"].to_pylist())}
    found = {}
    for number, (uid, row) in enumerate(zip(rows["study_uid"].to_pylist(), rows["row"].to_pylist(), strict=True)):
        of_patient = known.slice(by_row[row], 1).cast(PATIENT)
        found[uid] = (_one(rows.slice(number, 1)), _one(of_patient))
    return found


def _one(table: pa.Table) -> pa.RecordBatch:
    return table.combine_chunks().to_batches()[0]


def _looking_at(
    inventory: Inventory, profile: Profile, settings: dict[str, str], uids: Sequence[str] = ()
) -> duckdb.DuckDBPyConnection:
    """Open the views `studies` and `seen`; with `uids` of the patients of these studies only."""
    columns = matched_columns(profile, inventory.column_names())
    con = connect(memory_limit=MEMORY, preserve_insertion_order="false", **settings)
    con.register("asked", pa.table({"uid": pa.array(list(uids), pa.string())}))
    studies = f"select * from read_parquet({_quoted(inventory.path)})"
    if uids:
        theirs = f"select patient_key from ({studies}) where study_uid in (select uid from asked)"
        studies += f" where study_uid in (select uid from asked) or patient_key in ({theirs})"
    con.execute(f"create view studies as {studies}")
    names = ", ".join(f'cast("{name}" as varchar) as "{name}"' for name in columns)
    rows = con.sql(f"select distinct {names} from studies").fetchall() if columns else [()]
    con.register("sites", combinations(columns, rows, profile))
    day = "(s.study_date - date '1970-01-01')"
    con.execute(f"create view seen as {SEEN.format(day=day, studies='studies', same=same_site(columns))}")
    return con


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


class Known:
    """Reads known.parquet in step with the inventory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        meta = pq.ParquetFile(path).metadata
        self.starts = [0]
        for number in range(meta.num_row_groups):
            self.starts.append(self.starts[-1] + meta.row_group(number).num_rows)

    def rows(self, start: int, count: int) -> pa.RecordBatch:
        """Return what is known of the studies `start` to `start + count`."""
        if not count:
            return pa.RecordBatch.from_pylist([], PATIENT)
        first = bisect_right(self.starts, start) - 1
        last = bisect_right(self.starts, start + count - 1)
        table = pq.ParquetFile(self.path).read_row_groups(list(range(first, last)), use_threads=False)
        return table.slice(start - self.starts[first], count).cast(PATIENT).combine_chunks().to_batches()[0]
