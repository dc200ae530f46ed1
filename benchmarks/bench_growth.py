"""A whole audit of 1 and of 10 million studies (and of 100 million with --full), each in a process of its own: time a row and peak memory.

Sizes may be given as arguments instead.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from studies import AS_OF, PLACES, law, write

from compliance.archive.inventory import Inventory
from compliance.audit.profile import Profile, Site
from compliance.audit.run import Order, run
from compliance.decision.assume import shipped

PATIENT_OF = 3  # studies to a patient


def inventory(folder: Path, rows: int) -> Path:
    """Write the generated studies as an inventory, with a UID, a patient and an institution for each."""
    source, target = write(folder / f"{rows}.studies.parquet", rows), folder / f"{rows}.parquet"
    file, writer = pq.ParquetFile(source), None
    for number in range(file.num_row_groups):
        table = file.read_row_group(number)
        rows_ = table["row"].to_pylist()
        table = table.append_column("study_uid", pa.array([f"1.2.840.99999.{row}" for row in rows_]))
        table = table.append_column("patient_key", pa.array([f"{row * 2_654_435_761 % (rows // PATIENT_OF):012x}" for row in rows_]))
        table = table.append_column("study_date_span", pa.nulls(table.num_rows, pa.int32()))
        table = table.rename_columns({"jurisdiction": "institution"}).drop_columns("facility_type")
        writer = writer or pq.ParquetWriter(target, table.schema, compression="zstd")
        writer.write_table(table)
    if writer:
        writer.close()
    source.unlink()
    return target


def audit(path: Path) -> None:
    """Audit one inventory; print seconds and peak memory in kilobytes."""
    knowledge = law(8)
    facts = [knowledge.vocabulary.read({"jurisdiction": [place], "facility_type": "hospital"}) for place in PLACES]
    sites = tuple(Site(id=place, match={"institution": (place,)}, keepers=(one,)) for place, one in zip(PLACES, facts, strict=True))
    practical = (shipped("practical", knowledge.vocabulary),)
    profile = Profile(name="generated", digest="", sites=sites, knowledge=knowledge, assumptions=practical, holds=(), policies=())
    start = time.perf_counter()
    run(Order(Inventory(path, {"id": path.name}, pq.ParquetFile(path).metadata.num_rows), profile, AS_OF, work=path.with_suffix(".work"), threads=2))
    print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def main() -> None:
    if sys.argv[1:2] == ["audit"]:
        audit(Path(sys.argv[2]))
        return
    sizes = [int(one) for one in sys.argv[1:] if one.isdigit()] or [1_000_000, 10_000_000]
    if "--full" in sys.argv:
        sizes.append(100_000_000)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for rows in sizes:
            path = inventory(Path(folder), rows)
            done = subprocess.run([sys.executable, __file__, "audit", str(path)], stdout=subprocess.PIPE, text=True, check=True)
            seconds, peak = map(float, done.stdout.split())
            found.append((rows, seconds / rows, peak))
    first = found[0]
    said = [f"{rows:,} studies: {each / first[1]:.2f} x the time a row, {peak / first[2]:.2f} x the peak memory of {first[0]:,} ({peak / 1000:,.0f} MB)" for rows, each, peak in found[1:]]
    print("; ".join(said))


if __name__ == "__main__":
    main()
