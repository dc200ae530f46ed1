"""How fast this machine judges the studies of this inventory."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from compliance.archive.inventory import ROW_GROUP, Inventory
from compliance.audit.run import Order, run


@dataclass(frozen=True)
class Pace:
    """How many studies were judged, and how many a second by one thread and by all."""

    studies: int
    alone: float
    threaded: float


def pace(order: Order, most: int) -> Pace:
    """Audit up to `most` studies from the head of the order's inventory, twice; what it writes is thrown away."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        head = _head(order.inventory, most, Path(folder) / "head.parquet")
        alone = replace(order, inventory=head, work=Path(folder) / "alone", threads=1)
        threaded = replace(order, inventory=head, work=Path(folder) / "threaded")
        return Pace(head.rows, _a_second(alone), _a_second(threaded))


def _a_second(order: Order) -> float:
    start = time.perf_counter()
    run(order)
    return order.inventory.rows / (time.perf_counter() - start)


def _head(inventory: Inventory, most: int, target: Path) -> Inventory:
    file = pq.ParquetFile(inventory.path)
    with pq.ParquetWriter(target, file.schema_arrow) as writer:
        for batch in _batches(file, most):
            writer.write_batch(batch, row_group_size=ROW_GROUP)
    return Inventory(target, inventory.about, min(most, inventory.rows))


def _batches(file: pq.ParquetFile, most: int) -> Iterator[pa.RecordBatch]:
    for batch in file.iter_batches(ROW_GROUP):
        yield batch.slice(0, most)
        most -= batch.num_rows
        if most <= 0:
            return
