"""Decide a batch of an inventory: studies in, their sites and decisions out. A pure function, which any engine can carry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from compliance.audit.facts import Group, Sites, groups, sites_of
from compliance.audit.profile import Profile
from compliance.decision.answers import Answers, days, dictionary
from compliance.decision.columns import Evaluator
from compliance.decision.decide import ORDER, Decision, decide
from compliance.decision.question import Question
from compliance.law.dates import LAST, NEVER

DECISIONS = pa.schema([
    ("row", pa.int64()), ("study_uid", pa.string()), ("site", pa.string()), ("disposition", pa.string()), ("ready", pa.bool_()),
    ("retain_earliest", pa.date32()), ("retain_latest", pa.date32()), ("binding_earliest", pa.date32()), ("binding_latest", pa.date32()),
    ("permanent", pa.bool_()), ("earliest_purge_date", pa.date32()), ("destroy_by", pa.date32()), ("governing", pa.string()),
    ("missing", pa.string()), ("bytes", pa.int64()),
])  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """Rows of a batch with the same keepers, and what was decided of them."""

    group: Group
    answers: Answers


@dataclass(frozen=True)
class Evaluated:
    """A batch, the sites of its rows, what its inventory knows, and the decisions."""

    batch: pa.RecordBatch
    sites: Sites
    known: pa.RecordBatch | None
    judged: Sequence[Judged]


@dataclass
class BatchEvaluator:
    """Evaluates batches under one profile on one day."""

    profile: Profile
    as_of: date
    _sites: dict[tuple[object, ...], int] = field(default_factory=dict)

    def evaluate(self, batch: pa.RecordBatch, known: pa.RecordBatch | None = None) -> Evaluated:
        """Decide every study of a batch that has a site."""
        profile = self.profile
        work = Evaluator(profile.knowledge, self.as_of.toordinal(), profile.assumptions, profile.holds)
        sites = sites_of(batch, profile, self._sites)
        judged = [
            Judged(group, work.answers(group.table, group.keepers)) for group in groups(batch, known, sites, profile)
        ]
        return Evaluated(batch, sites, known, judged)

    def question(self, group: Group, row: int) -> Question:
        """Return what was asked about one row of a group."""
        return Question(group.table.question(row), tuple(dict(keeper) for keeper in group.keepers))

    def decide(self, question: Question) -> Decision:
        """Return the full decision of a question, for what is shown."""
        return decide(question, self.profile.knowledge, self.as_of, self.profile.assumptions, self.profile.holds)


def decisions(found: Evaluated) -> pa.Table:
    """Return the decisions in the order of the batch."""
    n = found.batch.num_rows

    def gather(of: Any, empty: Any, kind: Any) -> NDArray[Any]:
        whole = np.full(n, empty, kind)
        for judged in found.judged:
            whole[judged.group.rows] = of(judged.answers)
        return whole

    lo, hi = gather(lambda a: a.lo, 0, np.int32), gather(lambda a: a.hi, LAST, np.int32)
    none = lo == 0
    destroy = gather(lambda a: a.destroy_by, NEVER, np.int32)
    undetermined = ORDER.index("undetermined")
    disposition = gather(lambda a: a.disposition, undetermined, np.int8)
    ends = {
        "retain_earliest": days(lo, none), "retain_latest": days(hi, none),
        "binding_earliest": days(lo, none),
        "binding_latest": days(gather(lambda a: a.bound_hi, LAST, np.int32), none),
        "earliest_purge_date": days(hi + 1, hi >= LAST), "destroy_by": days(destroy, destroy == NEVER),
    }  # fmt: skip
    columns = {
        "row": found.batch.column("row"), "study_uid": found.batch.column("study_uid"), "site": found.sites.ids(),
        "disposition": dictionary(disposition, ORDER), "ready": pa.array(gather(lambda a: a.ready, False, np.bool_)), **ends,
        "permanent": pa.array(gather(lambda a: a.permanent, False, np.bool_)),
        "governing": _text(found, n, lambda a: (a.governing, a.names)),
        "missing": _text(found, n, lambda a: a.missing_words()), "bytes": sizes(found.batch),
    }  # fmt: skip
    return pa.table({field.name: columns[field.name].cast(field.type) for field in DECISIONS}, DECISIONS)


def sizes(batch: pa.RecordBatch) -> pa.Array:
    """Return the bytes of each study, 0 where they are not known."""
    if "bytes" not in batch.schema.names:
        return pa.array(np.zeros(batch.num_rows, np.int64))
    return batch.column("bytes").fill_null(0).cast(pa.int64())


def _text(found: Evaluated, n: int, of: Any) -> pa.Array:
    """Return a text by row from codes and words by group."""
    codes, words = np.zeros(n, np.int64), [""]
    for judged in found.judged:
        own, names = of(judged.answers)
        codes[judged.group.rows] = np.asarray(own) + len(words)
        words += names
    return dictionary(codes, words)
