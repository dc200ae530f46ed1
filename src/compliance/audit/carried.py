"""The evaluator as another engine carries it: batches of studies with what is known of their patients in, results out.

It travels as bytes (profile, law base, day, waivers) and needs neither DuckDB nor the law files where it runs.
"""

from __future__ import annotations

import json
import pickle
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

import pyarrow as pa

from compliance.audit.evaluate import DECISIONS
from compliance.audit.facts import PATIENT
from compliance.audit.findings import SCHEMA as FINDINGS
from compliance.audit.judging import Judging
from compliance.audit.profile import Profile
from compliance.audit.waivers import Waiver

MARK = "known_"  # before the names of what is known of the patient, beside the columns of the study
RESULTS = pa.schema([("decision", pa.struct(DECISIONS)), ("finding", pa.struct(FINDINGS)), ("tally", pa.string())])
"""One row is a decision, a finding, or the tally of all that one task saw."""


@dataclass(frozen=True)
class Carried:
    """All that evaluating needs."""

    profile: Profile
    as_of: date
    waivers: tuple[Waiver, ...]

    def pack(self) -> bytes:
        """Return this as bytes; what can be derived again does not travel."""
        lean = replace(self.profile, knowledge=replace(self.profile.knowledge, cache={}))
        return zlib.compress(pickle.dumps(replace(self, profile=lean), pickle.HIGHEST_PROTOCOL), 1)

    def results(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the decisions and findings of the batches, and at last their tally, as `RESULTS`."""
        judging = Judging(self.profile, self.as_of, self.waivers)
        for batch in batches:
            decided, found = judging.judge(*_apart(batch))
            yield from _rows("decision", decided)
            yield from _rows("finding", found)
        yield from _rows("tally", pa.array([json.dumps(judging.tally().as_json())]))


@lru_cache(maxsize=1)
def unpack(packed: bytes) -> Carried:
    """Return what `pack` made; a process does so once."""
    found = pickle.loads(zlib.decompress(packed))
    assert isinstance(found, Carried)
    return found


def _apart(batch: pa.RecordBatch) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """Return the studies and what is known of their patients."""
    own = [name for name in batch.schema.names if not name.startswith(MARK)]
    known = pa.RecordBatch.from_arrays(
        [batch.column(MARK + field.name).cast(field.type) for field in PATIENT], schema=PATIENT
    )
    return batch.select(own), known


def _rows(kind: str, of: pa.Table | pa.Array) -> Iterator[pa.RecordBatch]:
    if not len(of):
        return
    whole = of.to_struct_array().combine_chunks() if isinstance(of, pa.Table) else of
    whole = pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole
    columns = [whole.cast(field.type) if field.name == kind else pa.nulls(len(whole), field.type) for field in RESULTS]
    yield pa.RecordBatch.from_arrays(columns, schema=RESULTS)
