"""Explanations of the studies that are shown: their decisions are made again, in full."""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa

from compliance.audit.evaluate import BatchEvaluator
from compliance.audit.facts import groups, sites_of
from compliance.audit.patients import of_studies
from compliance.audit.run import Audit, Order
from compliance.decision.explain import text
from compliance.decision.missing import what_would_change


def explain(audit: Audit, order: Order, studies: Collection[str]) -> dict[str, str]:
    """Return the explanation of each of these studies as text, by Study Instance UID."""
    if not studies:
        return {}
    uids, work = sorted(studies), BatchEvaluator(order.profile, order.as_of)
    rows = of_studies(audit.look(uids), order.profile, order.as_of.toordinal(), uids).values()
    batches, known = (_one(pa.Table.from_batches(batches)) for batches in zip(*rows, strict=True))
    return _texts(work, batches, known)


def _one(table: pa.Table) -> pa.RecordBatch:
    return table.combine_chunks().to_batches()[0]


def _texts(work: BatchEvaluator, batch: pa.RecordBatch, known: pa.RecordBatch) -> dict[str, str]:
    profile, found = work.profile, dict[str, str]()
    uids = batch.column("study_uid").to_pylist()
    for group in groups(batch, known, sites_of(batch, profile, {}), profile):
        for at, row in enumerate(group.rows.tolist()):
            decision = work.decide(work.question(group, at))
            missing = what_would_change(decision, profile.knowledge, profile.assumptions, profile.holds)
            found[uids[row]] = text(decision, missing)
    return found
