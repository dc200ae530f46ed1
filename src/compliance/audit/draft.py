"""`profile new`: a first profile from the spellings an inventory holds, with counts and terabytes."""

from __future__ import annotations

import json
from pathlib import Path

from compliance.archive.duck import connect

NOBODY = "nobody yet"  # stands in a draft until somebody signs for the keepers
_SPELLINGS = """
select coalesce(cast(institution as varchar), '') as institution, count(*) as studies, coalesce(sum(bytes), 0) / 1e12 as tb
from read_parquet(?) group by 1 order by 2 desc limit 200
"""


def draft(inventory: Path, name: str) -> str:
    """Return the text of a profile: one site for each institution's spelling, to be joined and completed by a person."""
    with connect() as con:
        rows = con.execute(_SPELLINGS, [str(inventory)]).fetchall()
    lines = [
        "# A draft: join spellings of one site, name each site's keepers, and say who decided so.",
        f"name: {json.dumps(name)}",
        "time_zone: UTC",
        "sites:",
    ]
    for number, (institution, studies, tb) in enumerate(rows, 1):
        lines += [
            f"  - id: site-{number}",
            f"    match: {{institution: {json.dumps([_literal(institution)], ensure_ascii=False)}}}   # {studies:,} studies, {tb:.3f} TB",
            '    keepers: [{jurisdiction: "XX", facility_type: hospital}]   # the place whose law binds it',
            f"    decided_by: {NOBODY}",
        ]
    lines += ["assume: practical", "holds: []", ""]
    return "\n".join(lines)


def _literal(text: str) -> str:
    """Glob signs in a spelling stand for themselves."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in text)
