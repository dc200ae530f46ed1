"""Explanations of the studies that are shown: their decisions are made again, in full."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compliance.audit.evaluate import BatchEvaluator
from compliance.audit.facts import groups, sites_of
from compliance.audit.patients import Known
from compliance.audit.run import ROWS, Audit, Order
from compliance.decision.explain import text
from compliance.decision.missing import what_would_change


def explain(audit: Audit, order: Order, studies: Collection[str]) -> dict[str, str]:
    """Return the explanation of each of these studies as text, by Study Instance UID."""
    work, known, found = BatchEvaluator(order.profile, order.as_of), Known(audit.known), dict[str, str]()
    wanted, start = pa.array(sorted(studies), pa.string()), 0
    for batch in order.inventory.batches(ROWS) if studies else ():
        rows = np.flatnonzero(pc.is_in(batch.column("study_uid"), wanted).to_numpy(zero_copy_only=False))
        if len(rows):
            known_rows = known.rows(start, batch.num_rows)
            some, theirs = batch.take(pa.array(rows)), known_rows.take(pa.array(rows))
            found.update(_texts(work, some, theirs))
        start += batch.num_rows
    return found


def _texts(work: BatchEvaluator, batch: pa.RecordBatch, known: pa.RecordBatch) -> dict[str, str]:
    profile, found = work.profile, dict[str, str]()
    uids = batch.column("study_uid").to_pylist()
    for group in groups(batch, known, sites_of(batch, profile, {}), profile):
        for at, row in enumerate(group.rows.tolist()):
            decision = work.decide(work.question(group, at))
            missing = what_would_change(decision, profile.knowledge, profile.assumptions, profile.holds)
            found[uids[row]] = text(decision, missing)
    return found
