"""A batch of an inventory judged: decided, looked through for findings, waived and counted, whatever engine brings it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa

from compliance.audit.detect import Detector
from compliance.audit.evaluate import BatchEvaluator, decisions
from compliance.audit.findings import table_of
from compliance.audit.profile import Profile
from compliance.audit.tally import Tally, count
from compliance.audit.waivers import Waiver, Waiving


@dataclass
class Judging:
    """Judges batches under one profile on one day; what it has seen is counted."""

    profile: Profile
    as_of: date
    waivers: tuple[Waiver, ...]
    _tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        self._detector = Detector(BatchEvaluator(self.profile, self.as_of))
        self._waiving = Waiving(self.waivers, self.as_of.toordinal())

    def judge(self, batch: pa.RecordBatch, known: pa.RecordBatch) -> tuple[pa.Table, pa.Table]:
        """Return the decisions and the findings of a batch; `known` is what the inventory knows of its patients."""
        one = self._detector.work.evaluate(batch, known)
        findings = self._waiving.apply(self._detector.findings(one))
        self._tally.add(count(one, findings, self.as_of.toordinal()))
        return decisions(one), table_of(findings)

    def tally(self) -> Tally:
        """Return what was counted so far, with the waivers that were used."""
        whole = Tally()
        whole.add(self._tally)
        whole.waived(self._waiving)
        return whole
