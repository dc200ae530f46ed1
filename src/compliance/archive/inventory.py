"""The inventory: the three Parquet tables between archives and audits (studies, series, files) of one schema version.

`NAME.parquet` holds the studies, `NAME.series.parquet` the series, `NAME.files.parquet` the files; all three carry one
id, the content digest of the studies. A date fact X is two columns: X (date32, its first possible day; null = absent;
0001-01-01 = open start; 9999-12-31 = never) and X_span (int32 days up to its last possible day; null = exact). Sets are
one text, sorted members joined by a backslash as in DICOM. Categories are dictionary-coded. No names are kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from compliance.errors import InventoryError
from compliance.law.dates import EPOCH, DateRange

SCHEMA_VERSION = 1
ROW_GROUP = 250_000

_WORD = pa.dictionary(pa.int32(), pa.string())


def _dates(*names: str) -> list[tuple[str, pa.DataType]]:
    return [column for name in names for column in ((name, pa.date32()), (f"{name}_span", pa.int32()))]


STUDIES = pa.schema([
    ("row", pa.int64()), ("study_uid", pa.string()), ("patient_key", pa.string()), ("accession", pa.string()), ("issuer", _WORD),
    *_dates("study_date", "birth_date", "discharge_date"), ("sex", _WORD), ("modality", _WORD), ("body_part", _WORD),
    ("institution", _WORD), ("station", _WORD), ("device_serial", _WORD), ("n_series", pa.int32()), ("n_instances", pa.int64()),
    ("bytes", pa.int64()), ("lossy", pa.bool_()), ("lossy_ratio_max", pa.float64()), ("deidentified", pa.bool_()),
    ("trial_protocol", _WORD), ("archive_expiry", pa.date32()), ("received_at", pa.date32()), ("client", _WORD), ("copy", _WORD),
    ("seen_at", pa.date32()), ("source", _WORD), ("problems", _WORD),
])  # fmt: skip
SERIES = pa.schema([
    ("study_uid", pa.string()), ("series_uid", pa.string()), ("sop_classes", _WORD), ("modality", _WORD), ("body_part", _WORD),
    ("image_type", _WORD), ("slice_thickness", pa.float64()), ("n_instances", pa.int64()), ("bytes", pa.int64()),
    ("transfer_syntax", _WORD), ("lossy", pa.bool_()), ("lossy_ratio_max", pa.float64()), ("lossy_method", _WORD),
    ("title_code", _WORD), ("quality_control", _WORD), ("contributing_equipment", _WORD),
])  # fmt: skip
FILES = pa.schema([
    ("path", pa.string()), ("size", pa.int64()), ("mtime_ns", pa.int64()), ("digest", pa.string()), ("outcome", _WORD),
    ("reason", pa.string()), ("study_uid", pa.string()), ("series_uid", pa.string()), ("sop_uid", pa.string()), ("header", pa.string()),
])  # fmt: skip


def encode(value: DateRange | None) -> tuple[int | None, int | None]:
    """Return a range as (date32 day, span); an absent fact as two nulls."""
    if value is None:
        return None, None
    return value.earliest - EPOCH, None if value.exact else value.latest - value.earliest


def decode(day: int | None, span: int | None) -> DateRange | None:
    """Return the range of two columns."""
    if day is None:
        return None
    first = day + EPOCH
    return DateRange(first, first + (span or 0))


def paths(studies: Path) -> dict[str, Path]:
    """Return the three files of an inventory by table."""
    stem = studies.with_suffix("")
    return {"studies": studies, "series": Path(f"{stem}.series.parquet"), "files": Path(f"{stem}.files.parquet")}


def digest(table: pa.Table) -> str:
    """Return the digest of a table's content, whatever its chunks and dictionaries."""
    whole = hashlib.sha256()
    for name in table.column_names:
        column = _plain(table[name])
        whole.update(f"{name}:{column.type}:{len(column)}".encode())
        whole.update(pc.is_null(column).to_numpy(zero_copy_only=False).tobytes())
        if pa.types.is_string(column.type):
            filled = pc.fill_null(column, "")
            whole.update(pc.binary_length(filled).to_numpy(zero_copy_only=False).tobytes())
            whole.update("".join(filled.to_pylist()).encode("utf-8", "surrogatepass"))
        else:
            whole.update(pc.fill_null(column, pa.scalar(0, column.type)).to_numpy(zero_copy_only=False).tobytes())
    return f"sha256:{whole.hexdigest()}"


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """Return one array without dictionary, dates as their numbers, truth values as 0 and 1."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        kind = pa.string()
    elif pa.types.is_date32(kind):
        kind = pa.int32()
    elif pa.types.is_boolean(kind):
        kind = pa.int8()
    joined = column.cast(kind).combine_chunks()
    return joined if isinstance(joined, pa.Array) else pa.concat_arrays(joined.chunks)


def conform(table: pa.Table, schema: pa.Schema, extra: bool = False) -> pa.Table:
    """Return the table with exactly the schema's columns, absent ones null; `extra` keeps further columns behind them."""
    columns, names = [], []
    for field in schema:
        names.append(field.name)
        if field.name in table.column_names:
            column = table[field.name]
            plain = column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
            columns.append(
                pc.dictionary_encode(plain.cast(pa.string()))
                if pa.types.is_dictionary(field.type)
                else plain.cast(field.type)
            )
        else:
            columns.append(pa.nulls(table.num_rows, field.type))
    for name in table.column_names if extra else ():
        if name not in names:
            names.append(name)
            columns.append(table[name])
    return pa.table(dict(zip(names, columns, strict=True)))


def write(
    target: Path,
    studies: pa.Table,
    series: pa.Table,
    files: pa.Table | pa.RecordBatchReader,
    source: str,
    scanned_at: str,
    about: Mapping[str, str] | None = None,
) -> str:
    """Write the three tables aside and rename them, the studies last; return the inventory's digest.

    Files come as a table, or batch by batch in the order of paths; `about` adds to what the tables say of themselves.
    """
    studies = conform(studies.drop_columns(["row"]) if "row" in studies.column_names else studies, STUDIES, extra=True)
    studies = studies.sort_by("study_uid")
    studies = studies.set_column(0, "row", pa.array(range(studies.num_rows), pa.int64()))
    series = conform(series, SERIES).sort_by([("study_uid", "ascending"), ("series_uid", "ascending")])
    name = digest(studies)
    places = paths(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    for table, word in ((series, "series"), (files, "files"), (studies, "studies")):
        said = {
            "schema": SCHEMA_VERSION,
            "table": word,
            "id": name,
            "source": source,
            "scanned_at": scanned_at,
            **(about or {}),
        }
        write_table(table, places[word], said)
    return name


def write_table(table: pa.Table | pa.RecordBatchReader, place: Path, about: Mapping[str, Any]) -> None:
    """Write one table aside, flush it to the disk and rename it; what comes in batches is a table of files."""
    aside = place.with_name(f".{place.name}.{uuid.uuid4().hex[:8]}")
    whole = isinstance(table, pa.Table)
    schema = table.schema if whole else FILES
    said = {**(schema.metadata or {}), b"compliance": json.dumps(about, sort_keys=True).encode()}
    try:
        with pq.ParquetWriter(aside, schema.with_metadata(said), compression="zstd") as writer:
            if whole:
                writer.write_table(table.replace_schema_metadata(said), row_group_size=ROW_GROUP)
            else:
                for batch in table:
                    part = conform(pa.Table.from_batches([batch]), FILES)
                    writer.write_table(part.replace_schema_metadata(said), row_group_size=ROW_GROUP)
        with aside.open("rb+") as file:
            os.fsync(file.fileno())
        aside.replace(place)
    finally:
        aside.unlink(missing_ok=True)


@dataclass(frozen=True)
class Inventory:
    """An inventory on disk; the studies are read batch by batch."""

    path: Path
    about: Mapping[str, Any]
    rows: int

    @property
    def digest(self) -> str:
        """The content digest of the studies."""
        return str(self.about["id"])

    def batches(self, size: int = 10_000, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield the studies in record batches, in the order of `row`."""
        yield from pq.ParquetFile(self.path).iter_batches(batch_size=size, columns=columns)

    def column_names(self) -> list[str]:
        """Return the columns of the studies table."""
        return list(pq.ParquetFile(self.path).schema_arrow.names)

    def table(self, name: str) -> Path | None:
        """Return the path of `series` or `files`, None where there is none."""
        place = paths(self.path)[name]
        return place if place.is_file() and _about(place).get("id") == self.digest else None


def _about(path: Path) -> dict[str, Any]:
    try:
        meta = pq.read_schema(path).metadata or {}
        found = json.loads(meta.get(b"compliance", b"{}"))
        return found if isinstance(found, dict) else {}
    except (OSError, pa.ArrowInvalid, ValueError) as error:
        raise InventoryError(f"{path} is no whole Parquet file: {error}") from None


def open_inventory(path: Path) -> Inventory:
    """Open an inventory; raises InventoryError where it is none, of another schema version, or incomplete."""
    if not path.is_file():
        raise InventoryError(f"{path} does not exist")
    return Inventory(path, checked(str(path), _about(path)), pq.ParquetFile(path).metadata.num_rows)


def checked(place: str, about: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a file says of itself; raises InventoryError where it is no inventory of studies of this version."""
    if about.get("table") != "studies":
        raise InventoryError(
            f"{place} is no inventory of studies. Make one with `compliance scan` or `compliance import`."
        )
    if about.get("schema") != SCHEMA_VERSION:
        raise InventoryError(
            f"{place} has schema version {about.get('schema')}, this program reads {SCHEMA_VERSION}. Scan again."
        )
    return about


def restamp(target: Path, scanned_at: str) -> Inventory:
    """Say of an inventory that a later scan found the same; the series and files keep the time at which they were read."""
    last = open_inventory(target)
    write_table(pq.read_table(target), target, {**last.about, "scanned_at": scanned_at})
    return open_inventory(target)
