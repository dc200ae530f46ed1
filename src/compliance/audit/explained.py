"""Explanations of the studies that are shown: their decisions are made again, in full."""

from __future__ import annotations

from collections.abc import Collection

from compliance.audit.evaluate import Evaluator
from compliance.audit.run import Audit, Order
from compliance.decision.explain import text
from compliance.decision.missing import what_would_change


def explain(audit: Audit, order: Order, studies: Collection[str]) -> dict[str, str]:
    """Return the explanation of each of these studies as text, by Study Instance UID."""
    profile, found = order.profile, dict[str, str]()
    work = Evaluator(profile, order.as_of, order.inventory.column_names(), audit.known)
    for batch in order.inventory.batches() if studies else ():
        uids = batch.column("study_uid").to_pylist()
        for at in (number for number, uid in enumerate(uids) if uid in studies):
            judged = next(work.evaluate(batch.slice(at, 1)))
            if judged.question is not None:
                decision = work.decide(judged.question)
                missing = what_would_change(decision, profile.knowledge, profile.assumptions, profile.holds)
                found[uids[at]] = text(decision, missing)
    return found
