"""The studies are the fold of the series: sums, sets, hulls of dates, what contradicts itself becomes a problem.

DuckDB folds; days travel as ordinals (`*_first`, `*_last`) and become date columns at the end. Birth ranges of one study
are intersected (they speak of one person), study dates are joined to their hull. Two birth dates under one patient key:
the hull for all of that patient's studies, and a problem.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from compliance.archive.duck import connect
from compliance.law.dates import EPOCH

TEXTS = (
    "accession",
    "issuer",
    "sex",
    "institution",
    "station",
    "device_serial",
    "trial_protocol",
    "client",
    "copy",
    "source",
)
DAYS = ("study_date", "birth_date", "discharge_date")

_FOLD = """
with members as (
  select study_uid, string_agg(distinct m, '\\' order by m) as modality
  from (select study_uid, unnest(string_split(modality, '\\')) as m from series) where m <> '' group by 1
), bodies as (
  select study_uid, string_agg(distinct b, '\\' order by b) as body_part
  from (select study_uid, unnest(string_split(body_part, '\\')) as b from series) where b <> '' group by 1
), remarks as (
  select study_uid, string_agg(distinct p, '; ' order by p) as problems
  from (select study_uid, unnest(string_split(problems, '; ')) as p from series) where p <> '' group by 1
), folded as (
  select study_uid, min(patient_key) as patient_key, {texts},
    min(study_date_first) as study_date_first, max(study_date_last) as study_date_last,
    min(discharge_date_first) as discharge_date_first, max(discharge_date_last) as discharge_date_last,
    max(birth_date_first) as b1, min(birth_date_last) as b2, min(birth_date_first) as h1, max(birth_date_last) as h2,
    count(*)::int as n_series, sum(n_instances)::bigint as n_instances, sum(bytes)::bigint as bytes,
    bool_or(lossy) as lossy, max(lossy_ratio_max) as lossy_ratio_max, bool_or(deidentified) as deidentified,
    count(distinct (study_date_first, study_date_last)) filter (study_date_first is not null) > 1 as two_dates,
    count(distinct patient_key) > 1 as two_patients
  from series group by study_uid
), judged as (
  select *, coalesce(b1 > b2, false) as torn,
    case when b1 > b2 then h1 else b1 end as birth_date_first, case when b1 > b2 then h2 else b2 end as birth_date_last
  from folded
), patients as (
  select patient_key, max(birth_date_first) > min(birth_date_last) as torn, min(birth_date_first) as h1, max(birth_date_last) as h2
  from judged where patient_key is not null group by 1
)
select j.* exclude (b1, b2, h1, h2, torn, two_dates, two_patients, birth_date_first, birth_date_last), m.modality, b.body_part,
  case when p.torn then p.h1 else j.birth_date_first end as birth_date_first,
  case when p.torn then p.h2 else j.birth_date_last end as birth_date_last,
  nullif(concat_ws('; ', r.problems, case when j.torn then 'birth dates contradict each other' end,
    case when p.torn then 'two birth dates under one patient key' end, case when two_dates then 'two dates for one study' end,
    case when two_patients then 'two patients in one study' end), '') as problems
from judged j left join members m using (study_uid) left join bodies b using (study_uid) left join remarks r using (study_uid)
  left join patients p on p.patient_key = j.patient_key
order by study_uid
"""


def fold(series: pa.Table) -> pa.Table:
    """Return the studies table of series rows (columns as `gather` and `tables` make them)."""
    with connect() as con:
        con.register("series", series)
        texts = ", ".join(f"min({name}) as {name}" for name in TEXTS)
        studies = con.sql(_FOLD.format(texts=texts)).to_arrow_table()
    for name in DAYS:
        studies = _as_date(studies, name)
    return studies


def _as_date(table: pa.Table, name: str) -> pa.Table:
    first, last = table[f"{name}_first"], table[f"{name}_last"]
    day = pc.subtract(first.cast(pa.int32()), pa.scalar(EPOCH, pa.int32())).cast(pa.date32())
    span = pc.subtract(last.cast(pa.int32()), first.cast(pa.int32()))
    exact = pa.scalar(None, pa.int32())
    table = table.append_column(name, day).append_column(f"{name}_span", pc.if_else(pc.equal(span, 0), exact, span))
    return table.drop_columns([f"{name}_first", f"{name}_last"])


SERIES_ROW = pa.schema([
    ("study_uid", pa.string()), ("series_uid", pa.string()), ("patient_key", pa.string()), ("modality", pa.string()),
    ("body_part", pa.string()), *((name, pa.string()) for name in TEXTS),
    *((f"{name}_{end}", pa.int64()) for name in DAYS for end in ("first", "last")),
    ("n_instances", pa.int64()), ("bytes", pa.int64()), ("lossy", pa.bool_()), ("lossy_ratio_max", pa.float64()),
    ("deidentified", pa.bool_()), ("problems", pa.string()), ("sop_classes", pa.string()), ("image_type", pa.string()),
    ("slice_thickness", pa.float64()), ("transfer_syntax", pa.string()), ("lossy_method", pa.string()), ("title_code", pa.string()),
    ("quality_control", pa.string()), ("contributing_equipment", pa.string()),
])  # fmt: skip
