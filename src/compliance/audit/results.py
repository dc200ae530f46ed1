"""The files an audit leaves: findings in order, decisions in the order of the inventory; read without holding them all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from compliance.archive.duck import connect
from compliance.audit.findings import ORDER, SCHEMA, Finding

MEMORY = "300MB"
FIELDS = Finding._fields


@dataclass(frozen=True)
class FindingFile:
    """findings.parquet, sorted: errors first, then by code, site, study."""

    path: Path

    def __iter__(self) -> Iterator[Finding]:
        for batch in pq.ParquetFile(self.path).iter_batches(10_000, columns=list(FIELDS)):
            for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                yield Finding(*values)

    def __len__(self) -> int:
        return int(pq.ParquetFile(self.path).metadata.num_rows)

    def counts(self) -> list[tuple[str, bool, int]]:
        """Return code, waived or not, and how many."""
        sql = "select code, waived <> '' as w, count(*) from read_parquet(?) group by 1, 2 order by 1, 2"
        with connect() as con:
            return [
                (str(code), bool(waived), int(many))
                for code, waived, many in con.execute(sql, [str(self.path)]).fetchall()
            ]

    def first(self, code: str, most: int) -> list[Finding]:
        """Return the first findings of a code."""
        sql = f"select {', '.join(FIELDS)} from read_parquet(?) where code = ? limit ?"
        with connect() as con:
            con.execute("set preserve_insertion_order = true")
            return [Finding(*row) for row in con.execute(sql, [str(self.path), code, most]).fetchall()]


def sort_findings(parts: Sequence[Path], target: Path, baseline: Iterable[str], spill: Path) -> None:
    """Sort the findings of all parts into one file, without those of the baseline, in constant memory."""
    known = pa.table({"fingerprint": pa.array(list(baseline), pa.string())})
    settings = {"memory_limit": MEMORY, "temp_directory": str(spill)}
    aside = target.with_name(f".{target.name}")
    with connect(**settings) as con:
        con.register("baseline", known)
        files = "[" + ", ".join("'" + str(path).replace("'", "''") + "'" for path in parts) + "]"
        reader = con.sql(
            f"select * from read_parquet({files}) where fingerprint not in (select fingerprint from baseline) order by {ORDER}"
        ).to_arrow_reader(50_000)
        with pq.ParquetWriter(aside, SCHEMA, compression="zstd") as writer:
            for batch in reader:
                writer.write_batch(batch.cast(SCHEMA))
    aside.replace(target)


def join_tables(parts: Sequence[Path], target: Path, schema: pa.Schema) -> None:
    """Put the parts one after the other into one file."""
    aside = target.with_name(f".{target.name}")
    with pq.ParquetWriter(aside, schema, compression="zstd") as writer:
        for part in parts:
            for batch in pq.ParquetFile(part).iter_batches(100_000):
                writer.write_batch(batch)
    aside.replace(target)
