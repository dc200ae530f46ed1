"""What an inventory knows of a patient as of a day: a bound, not a fact (SEMANTICS 27).

The SQL joins small groups rather than using wide windows; DuckDB runs it here, any other engine may run the same text.
The input `studies` has row, patient_key, site, first, last (days of the study, ordinals), mammogram.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

KNOWN = """
with seen as (select * from studies where patient_key is not null and first <= {as_of}),
last_study as (
  select patient_key, max(first) as last_first, max(least(last, {as_of})) as last_last, count(*) as studies from seen group by 1
),
mammograms as (select row, patient_key, site, first, last from seen where mammogram),
next_mammogram as (
  select a.row, min(b.last) as next_by
  from mammograms a join mammograms b on a.patient_key = b.patient_key and a.site = b.site and b.first > a.last group by 1
)
select s.row, l.last_first, l.last_last, l.studies, n.next_by
from seen s join last_study l using (patient_key) left join next_mammogram n on n.row = s.row
order by s.row
"""


def known(studies: pa.Table, as_of: int) -> pa.Table:
    """Return, by row, the patient's last study (its days), how many studies there are, the next mammogram's last day."""
    with duckdb.connect() as con:
        con.register("studies", studies)
        return con.sql(KNOWN.format(as_of=int(as_of))).to_arrow_table()
