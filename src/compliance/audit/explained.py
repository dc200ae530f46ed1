"""Explanations of the studies that are shown: their decisions are made again, in full."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import pyarrow as pa

from compliance.archive.inventory import Inventory
from compliance.audit.evaluate import BatchEvaluator
from compliance.audit.facts import groups, sites_of
from compliance.audit.patients import of_studies
from compliance.audit.profile import Profile
from compliance.audit.run import Audit, Order
from compliance.decision.decide import Decision
from compliance.decision.explain import text
from compliance.decision.missing import what_would_change


def explain(audit: Audit, order: Order, studies: Collection[str]) -> dict[str, str]:
    """Return the explanation of each of these studies as text, by Study Instance UID."""
    if not studies:
        return {}
    uids, work = sorted(studies), BatchEvaluator(order.profile, order.as_of)
    rows = of_studies(audit.look(uids), order.profile, order.as_of.toordinal(), uids).values()
    if not rows:  # findings of deletions alone: what was deleted is in no inventory
        return {}
    batches, known = (_one(pa.Table.from_batches(batches)) for batches in zip(*rows, strict=True))
    profile = order.profile
    return {
        uid: text(made, what_would_change(made, profile.knowledge, profile.assumptions, profile.holds))
        for uid, made in _decisions(work, batches, known).items()
    }


def decided(inventory: Inventory, profile: Profile, as_of: date, study: str) -> Decision | None:
    """Return the decision on one study of an inventory by its Study Instance UID, None where it is not in it."""
    rows = of_studies(inventory, profile, as_of.toordinal(), [study])
    return _decisions(BatchEvaluator(profile, as_of), *rows[study]).get(study) if study in rows else None


def _one(table: pa.Table) -> pa.RecordBatch:
    return table.combine_chunks().to_batches()[0]


def _decisions(work: BatchEvaluator, batch: pa.RecordBatch, known: pa.RecordBatch) -> dict[str, Decision]:
    profile, found = work.profile, dict[str, Decision]()
    uids = batch.column("study_uid").to_pylist()
    for group in groups(batch, known, sites_of(batch, profile, {}), profile):
        for at, row in enumerate(group.rows.tolist()):
            found[uids[row]] = work.decide(work.question(group, at))
    return found
