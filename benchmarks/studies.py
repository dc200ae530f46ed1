"""Generated law and studies for the benchmarks: 60 places of one country, about 20 (or 8) norms a row, from a seed."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from compliance.law.dates import OPEN, DateRange, read_edtf
from compliance.law.jurisdictions import Jurisdictions, Majority, Place, Research
from compliance.law.knowledge import KnowledgeBase, load
from compliance.law.yaml import read_text

AS_OF = date(2026, 11, 24)
PLACES = [f"ZZ-{number:02}" for number in range(60)]
MODALITIES = ["CT", "MR", "CR", "DX", "US", "MG", "NM", "XA"]
FACILITIES = ["hospital", "clinic", "imaging_center", "physician_practice"]
ROW_GROUP = 125_000
SCHEMA = pa.schema([
    ("row", pa.int64()), ("jurisdiction", pa.dictionary(pa.int32(), pa.string())), ("facility_type", pa.dictionary(pa.int32(), pa.string())),
    ("modality", pa.dictionary(pa.int32(), pa.string())), ("study_date", pa.date32()), ("birth_date", pa.date32()), ("birth_date_span", pa.int32()),
    ("death_date", pa.date32()), ("discharge_date", pa.date32()), ("last_service_date", pa.date32()), ("bytes", pa.int64()),
])  # fmt: skip


def _norms(place: str, number: int, count: int) -> list[dict[str, object]]:
    """Real shapes in turn: general rule, minors, death, x-ray film, mammograms, clinics, an override, a guidance, a ceiling."""
    years = 5 + number % 7
    shapes: list[dict[str, object]] = [
        {"id": "hospital", "period": {"latest": [f"{years} years after discharge_date", "3 years after age of majority"]}, "scope": {"facility_type": ["hospital"], "record": ["image"]}},
        {"id": "others", "period": f"{years + 1} years after last_service_date", "scope": {"facility_type": {"not": ["hospital"]}, "record": ["image"]}},
        {"id": "child", "period": "until age 23", "scope": {"age": {"under": "majority", "at": "study_date"}, "record": ["image"]}},
        {"id": "dead", "period": "5 years after death_date", "scope": {"deceased": "true"}},
        {"id": "film", "period": f"{years - 2} years after study_date", "scope": {"modality": ["CR", "DX", "XA"]}, "overrides": ["hospital"]},
        {"id": "mammogram", "period": "10 years after end of year of study_date", "scope": {"modality": ["MG"]}},
        {"id": "ultrasound", "period": "2 years after study_date", "scope": {"modality": ["US"]}},
        {"id": "advice", "period": "10 years after last_service_date", "force": "guidance"},
    ]  # fmt: skip
    made = []
    for at in range(count):
        shape = dict(shapes[at % len(shapes)])
        if at >= len(shapes):
            shape["id"] = f"{shape['id']}-{at}"
            shape["period"] = [f"{3 + at % 9} years after study_date", f"{2 + at % 7} years after last_service_date", f"1 year after age {17 + at % 5}"][at % 3]
            shape.pop("overrides", None)
        since = ["2000-01-01", "1990-01-01", "2010-07-01"][at % 3]
        versions = [{"from": since, "period": shape.pop("period")}]
        made.append({"kind": "floor", "citation": "§", "says": "generated", "versions": versions, "verification": {"status": "verified"}, **shape})
    return made


def law(count: int) -> KnowledgeBase:
    """Return a law base of 60 places with `count` norms each."""
    shipped = load()
    seen = Research(status="found", on=read_edtf("2026-11-24"))
    types = dict.fromkeys(shipped.vocabulary.facts["facility_type"].values, seen)
    majority = (Majority(since=DateRange(OPEN, OPEN), age=18),)
    places = {place: Place(code=place, name=place, majority=majority, researched=types) for place in PLACES}
    files = {}
    for number, place in enumerate(PLACES):
        tree = {"jurisdiction": place, "title": "Act", "citation": "Act", "force": "binding", "norms": _norms(place, number, count)}
        files[f"{place}/act"] = read_text(json.dumps(tree), place)
    return KnowledgeBase(shipped.vocabulary, Jurisdictions(places), files)


def write(path: Path, rows: int, seed: int = 7) -> Path:
    """Write `rows` studies, clustered by place, once."""
    if path.is_file() and pq.ParquetFile(path).metadata.num_rows == rows:
        return path
    random = np.random.default_rng(seed)
    today = AS_OF.toordinal() - 719_163
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        for start in range(0, rows, ROW_GROUP):
            n = min(ROW_GROUP, rows - start)
            place = (np.arange(start, start + n) * len(PLACES) // rows).astype(np.int32)
            study = today - random.integers(0, 25 * 365, n)
            birth = study - random.integers(0, 95 * 365, n)
            year_only = random.random(n) < 0.02
            dead = random.random(n) < 0.1
            death = np.minimum(study + random.integers(0, 9000, n), today)
            columns = [
                pa.array(np.arange(start, start + n)),
                pa.DictionaryArray.from_arrays(pa.array(place), PLACES),
                pa.DictionaryArray.from_arrays(pa.array(random.integers(0, 4, n).astype(np.int32)), FACILITIES),
                pa.DictionaryArray.from_arrays(pa.array(random.integers(0, 8, n).astype(np.int32)), MODALITIES),
                _date(study), _date(np.where(year_only, birth - birth % 365, birth)),
                pa.array(np.where(year_only, 364, 0).astype(np.int32), mask=~year_only),
                pa.array(np.where(dead, death, 2_932_896).astype(np.int32), pa.int32()).cast(pa.date32()),
                _date(study + random.integers(0, 30, n)), _date(np.minimum(study + random.integers(0, 3000, n), today)),
                pa.array(random.integers(10**6, 10**9, n)),
            ]  # fmt: skip
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=SCHEMA), row_group_size=ROW_GROUP)
    return path


def _date(days: np.ndarray) -> pa.Array:
    return pa.array(days.astype(np.int32), pa.int32()).cast(pa.date32())


def later(days: np.ndarray, number: np.ndarray | int) -> np.ndarray:
    """Return the same day some years on, as OpenFisca's rules count it; 29 February becomes 1 March."""
    days = days.astype("datetime64[D]")
    month = days.astype("datetime64[M]")
    return (month + 12 * np.asarray(number)).astype("datetime64[D]") + (days - month.astype("datetime64[D]"))
