"""Study lists from anywhere: CSV, Parquet or a SQL database, with a mapping of columns.

The mapping says whether a source row is a study or a series, and gives each inventory column as a SQL expression over
the source's columns (DuckDB's SQL). Dates and ages are read by the rules of `ages`, once for each distinct value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from compliance.archive import inventory
from compliance.archive.ages import birth_range, read_age, read_date
from compliance.archive.duck import connect
from compliance.archive.fold import DAYS, SERIES_ROW, TEXTS, fold
from compliance.archive.keys import Keys
from compliance.errors import InventoryError, LawError, guess, listed
from compliance.law.dates import DateRange
from compliance.law.shape import Key, MapOf, Reader, Record, Text
from compliance.law.yaml import read_file

NUMBERS = {"n_instances": "bigint", "bytes": "bigint", "slice_thickness": "double", "lossy_ratio_max": "double"}
FLAGS = ("lossy", "deidentified")
SETS = ("modality", "body_part")
SERIES_TEXTS = (
    "sop_classes",
    "image_type",
    "transfer_syntax",
    "lossy_method",
    "title_code",
    "quality_control",
    "contributing_equipment",
)
STUDY_DAYS = ("archive_expiry", "received_at", "seen_at")
COLUMNS = (
    "study_uid",
    "series_uid",
    "patient_id",
    "age",
    *TEXTS,
    *DAYS,
    *SETS,
    *NUMBERS,
    *FLAGS,
    *SERIES_TEXTS,
    *STUDY_DAYS,
)


@dataclass(frozen=True)
class Source:
    """How a source's rows become inventory rows."""

    rows: str
    columns: Mapping[str, str]
    where: str = ""
    query: str = ""
    note: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


def _known(word: str) -> str | None:
    return (
        None
        if word in COLUMNS
        else f"no column of the inventory. Allowed: {listed(COLUMNS, 60)}.{guess(word, COLUMNS)}"
    )


_FILE = Record({
    "rows": Key(Text(("study", "series")), True, "what a row of the source is"),
    "columns": Key(MapOf(Text(), _known), True, "inventory column: SQL expression over the source's columns"),
    "facts": Key(MapOf(Text()), says="further facts of the vocabulary: SQL expression (texts, booleans)"),
    "where": Key(Text(), says="SQL condition: which rows to take"),
    "query": Key(Text(), says="SQL to run in a database (for SQL URLs)"),
    "note": Key(Text()),
}, Source)  # fmt: skip


def read_mapping(path: Path) -> Source:
    """Read mapping.yaml; raises InventoryError with every fault at its place."""
    reader = Reader(str(path))
    try:
        found = _FILE.read(read_file(path), reader)
        reader.check(f"{path} cannot be read")
    except LawError as error:
        raise InventoryError(str(error.args[0]), error.problems) from None
    if "study_uid" not in found.columns:
        raise InventoryError(f"{path}: the column study_uid is not mapped")
    assert isinstance(found, Source)
    return found


def import_table(source: str, mapping: Source, target: Path, keys: Keys, scanned_at: str) -> tuple[int, int, str]:
    """Import a table; return (source rows taken, studies, digest)."""
    with connect() as con:
        _attach(con, source, mapping)
        rows = _typed(con, mapping, source)
    table = _series_rows(rows, keys)
    studies = _with_study_columns(fold(table), rows, mapping)
    series = table if mapping.rows == "series" else table.slice(0, 0)
    files = inventory.conform(pa.table({"path": pa.array([], pa.string())}), inventory.FILES)
    name = Path(source).name if "://" not in source else source.partition("://")[0]
    digest = inventory.write(target, studies, series, files, name, scanned_at)
    return rows.num_rows, studies.num_rows, digest


def _attach(con: Any, source: str, mapping: Source) -> None:
    """Make the source readable as the view `source`."""
    if "://" in source:
        con.register("source", _from_database(source, mapping))
        return
    path = Path(source)
    if not path.is_file():
        raise InventoryError(f"{source} does not exist")
    reader = {".csv": "read_csv(?, all_varchar=true, header=true)", ".tsv": "read_csv(?, all_varchar=true, header=true, delim='\t')",
              ".parquet": "read_parquet(?)"}.get(path.suffix.lower())  # fmt: skip
    if reader is None:
        raise InventoryError(f"{source}: unknown kind of table. Allowed: .csv, .tsv, .parquet, or a SQL URL")
    quoted = "'" + str(path).replace("'", "''") + "'"
    try:
        con.sql(f"create view source as select * from {reader.replace('?', quoted)}")
    except duckdb.Error as error:
        raise InventoryError(f"{source} cannot be read: {_first_line(error)}") from None


def _from_database(url: str, mapping: Source) -> pa.Table:
    if not mapping.query:
        raise InventoryError("a SQL URL needs a `query` in the mapping")
    try:
        import sqlalchemy
    except ImportError:
        raise InventoryError("SQL databases need the extra [sql]: pip install 'imaging-compliance[sql]'") from None
    try:
        engine = sqlalchemy.create_engine(url)
        with engine.connect() as connection:
            result = connection.execute(sqlalchemy.text(mapping.query))
            names = list(result.keys())
            columns: list[list[str | None]] = [[] for _ in names]
            for row in result:
                for column, value in zip(columns, row, strict=True):
                    column.append(None if value is None else str(value))
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise InventoryError(f"the database answers: {_first_line(error)}") from None
    return pa.table({name: pa.array(column, pa.string()) for name, column in zip(names, columns, strict=True)})


def _typed(con: Any, mapping: Source, source: str) -> pa.Table:
    """Select the mapped columns: texts as text, numbers and flags tolerant of dirt."""
    parts = []
    for name, expression in {**mapping.columns, **mapping.facts}.items():
        if name in NUMBERS:
            cast = f"try_cast(({expression}) as {NUMBERS[name]})"
        elif name in FLAGS:
            cast = f"try_cast(({expression}) as boolean)"
        else:
            cast = f"nullif(trim(cast(({expression}) as varchar)), '')"
        parts.append(f'{cast} as "{name}"')
    where = f" where {mapping.where}" if mapping.where else ""
    try:
        return con.sql(f"select {', '.join(parts)} from source{where}").to_arrow_table()
    except duckdb.Error as error:
        raise InventoryError(f"the mapping does not fit {source}: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _series_rows(rows: pa.Table, keys: Keys) -> pa.Table:
    """Turn texts into days and keys; a row without a study UID is left out."""
    rows = rows.filter(pc.is_valid(rows["study_uid"]))
    columns: dict[str, Any] = {
        name: rows[name] for name in rows.column_names if name in SERIES_ROW.names and name not in DAYS
    }
    days, wrong = _days(rows)
    columns.update(days)
    columns["problems"] = wrong
    columns["patient_key"] = _keys(rows, keys)
    if "n_instances" not in columns:
        columns["n_instances"] = pa.nulls(rows.num_rows, pa.int64())
    return pa.table({
        field.name: (columns[field.name].cast(field.type) if field.name in columns else pa.nulls(rows.num_rows, field.type))
        for field in SERIES_ROW
    })  # fmt: skip


def _texts(rows: pa.Table, name: str) -> list[str | None]:
    return rows[name].to_pylist() if name in rows.column_names else [None] * rows.num_rows


def _days(rows: pa.Table) -> tuple[dict[str, pa.Array], pa.Array]:
    """Read dates and ages, once for each distinct combination."""
    dates: dict[str | None, tuple[DateRange | None, str]] = {}
    births: dict[tuple[str | None, str | None, str | None], tuple[DateRange | None, str]] = {}
    found: dict[str, list[int | None]] = {f"{name}_{end}": [] for name in DAYS for end in ("first", "last")}
    problems = []

    def date_of(text: str | None) -> tuple[DateRange | None, str]:
        if text not in dates:
            dates[text] = read_date(text)
        return dates[text]

    columns = (_texts(rows, name) for name in ("study_date", "birth_date", "age", "discharge_date"))
    for study_text, birth_text, age_text, left_text in zip(*columns, strict=True):
        study, wrong = date_of(study_text)
        key = (study_text, birth_text, age_text)
        if key not in births:
            births[key] = _born(birth_text, age_text, study)
        born, wrong_birth = births[key]
        left, wrong_left = date_of(left_text)
        for name, value in (("study_date", study), ("birth_date", born), ("discharge_date", left)):
            found[f"{name}_first"].append(value.earliest if value else None)
            found[f"{name}_last"].append(value.latest if value else None)
        problems.append("; ".join(filter(None, (wrong, wrong_birth, wrong_left))) or None)
    return {name: pa.array(values, pa.int64()) for name, values in found.items()}, pa.array(problems, pa.string())


def _born(birth_text: str | None, age_text: str | None, study: DateRange | None) -> tuple[DateRange | None, str]:
    birth, wrong_birth = read_date(birth_text)
    aged, wrong_age = read_age(age_text, study)
    born, wrong = birth_range(birth, aged)
    return born, "; ".join(filter(None, (wrong_birth, wrong_age, wrong)))


def _keys(rows: pa.Table, keys: Keys) -> pa.Array:
    made: dict[tuple[str | None, str | None, str | None], str | None] = {}
    found = []
    for who in zip(_texts(rows, "issuer"), _texts(rows, "institution"), _texts(rows, "patient_id"), strict=True):
        if who not in made:
            made[who] = keys.key(*who)
        found.append(made[who])
    return pa.array(found, pa.string())


def _with_study_columns(studies: pa.Table, rows: pa.Table, mapping: Source) -> pa.Table:
    """Join columns that belong to the study alone: the archive's own dates, further facts."""
    names = [name for name in (*STUDY_DAYS, *mapping.facts) if name in rows.column_names]
    if not names:
        return studies
    with connect() as con:
        con.register("studies", studies)
        con.register("source_rows", rows)
        picks = ", ".join(f'min("{name}") as "{name}"' for name in names)
        more = ", ".join(
            f'try_cast(m."{name}" as date) as "{name}"' if name in STUDY_DAYS else f'm."{name}"' for name in names
        )
        query = f"select s.*, {more} from studies s left join (select study_uid, {picks} from source_rows group by 1) m using (study_uid)"
        return con.sql(query).to_arrow_table()
