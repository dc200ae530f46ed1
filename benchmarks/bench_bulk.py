"""Decide studies in bulk, Parquet to Parquet, on two threads, with 20 norms a row and with 8, against DuckDB on two threads:

L2 reads the same columns and writes as many; L1 copies one trivial column. Size by argument (default 10,000,000 studies).
"""

from __future__ import annotations

import sys
import tempfile
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from rounds import ratios
from studies import AS_OF, law, write

from compliance.decision.assume import shipped
from compliance.decision.columns import Evaluator

THREADS = 2
READ = ["jurisdiction", "facility_type", "modality", "study_date", "birth_date", "birth_date_span", "death_date", "discharge_date", "last_service_date"]
L2 = """
select modality as disposition, death_date is null as ready, study_date as retain_earliest, birth_date as retain_latest,
  death_date as binding_earliest, discharge_date as binding_latest, birth_date_span > 100 as permanent,
  study_date + 1 as earliest_purge_date, last_service_date as destroy_by, jurisdiction as governing, facility_type as missing,
  modality as open_duties, discharge_date + 1 as next_change, study_date > birth_date as held, birth_date_span is null as bad_data,
  facility_type as lossy, last_service_date + 1 as lossy_from, birth_date_span / 10.0 as max_ratio
from read_parquet('{source}')
"""


def ours(source: Path, target: Path, decide: Callable[[pa.RecordBatch], pa.RecordBatch]) -> None:
    """Row groups through the evaluator, a few at a time, written in order."""
    groups = pq.ParquetFile(source).metadata.num_row_groups

    def one(number: int) -> pa.RecordBatch:
        return decide(pq.ParquetFile(source).read_row_group(number, columns=READ, use_threads=False).combine_chunks().to_batches()[0])

    with pq.ParquetWriter(target, one(0).schema) as writer, ThreadPoolExecutor(THREADS) as pool:
        waiting: deque = deque()
        for number in range(groups):
            waiting.append(pool.submit(one, number))
            while len(waiting) > THREADS + 1 or (waiting and number + 1 == groups):
                writer.write_batch(waiting.popleft().result())


def lower_end(work: Evaluator) -> Callable[[pa.RecordBatch], pa.RecordBatch]:
    """Only the day through which every study surely has to be kept."""
    return lambda batch: pa.record_batch({"retain_earliest": work.earliest(batch)})


def duck(sql: str, target: Path) -> None:
    with duckdb.connect(config={"threads": str(THREADS)}) as con:
        con.execute("set enable_progress_bar = false")
        con.execute(f"copy ({sql}) to '{target}' (format parquet, row_group_size 125000)")


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    said = []
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        source = write(here / "studies.parquet", rows)
        for count in (20, 8):
            knowledge = law(count)
            work = Evaluator(knowledge, AS_OF.toordinal(), (shipped("practical", knowledge.vocabulary),))
            copy = lambda: duck(f"select bytes from read_parquet('{source}')", here / "one.parquet")  # noqa: E731
            two, one = ratios(
                lambda work=work: ours(source, here / "ours.parquet", work.decide),
                [lambda: duck(L2.format(source=source), here / "two.parquet"), copy],
            )
            (lower,) = ratios(lambda work=work: ours(source, here / "lower.parquet", lower_end(work)), [copy])
            said.append(f"{count} norms a row: {two:.2f} x L2, {one:.2f} x L1, the lower end alone {lower:.2f} x L1")
    print(f"{rows:,} studies; " + "; ".join(said))


if __name__ == "__main__":
    main()
