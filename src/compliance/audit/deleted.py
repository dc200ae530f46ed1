"""Past deletions, judged under the law in force on the day of deletion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compliance.archive.deletions import Deletion, read_deletions
from compliance.audit.evaluate import Evaluator, Judged, Verdict
from compliance.audit.findings import LEVELS, Finder, Finding, until
from compliance.audit.profile import Profile
from compliance.decision.question import Question
from compliance.errors import FactError
from compliance.law.dates import OPEN


@dataclass(frozen=True)
class DeletionAudit:
    """Judges a deletion log; facts come from inventory rows by study UID, or from the log's further columns."""

    profile: Profile
    column_names: list[str]
    rows: Mapping[str, Mapping[str, Any]]

    def findings(self, log: Path) -> Iterator[Finding]:
        """Yield the findings about a log."""
        for entry in read_deletions(log):
            if isinstance(entry, tuple):
                line, wrong = entry
                yield Finding(
                    LEVELS["bad-data"], "bad-data", "", "", "", f"log:{line}", "", f"deletion log line {line}: {wrong}"
                )
            else:
                yield from self._judge(entry)

    def _judge(self, gone: Deletion) -> Iterator[Finding]:
        work = Evaluator(self.profile, gone.deleted_on, self.column_names)
        row = {"row": -1, "study_uid": gone.study_uid, **self.rows.get(gone.study_uid, {})}
        row.update(
            {key: value for key, value in gone.facts.items() if self.profile.knowledge.vocabulary.type_of(key) is None}
        )
        site = self.profile.site_of(row)
        finder = Finder(self.profile.knowledge, gone.deleted_on.toordinal())
        judged = Judged(row, site)
        if site is None:
            yield finder.make("purge-doubtful", judged, f"deleted on {gone.deleted_on}: no site of the profile matches")
            return
        question, wrong = work.question(row, site)
        if wrong:
            yield finder.make("bad-data", judged, "; ".join(wrong))
        try:
            given = {key: value for key, value in gone.facts.items() if self.profile.knowledge.vocabulary.type_of(key)}
            question = Question({**question.facts, **self.profile.knowledge.vocabulary.read(given)}, question.keepers)
        except FactError as error:
            faults = "; ".join(f"{p.path}: {p.message}" for p in error.problems)
            yield finder.make("bad-data", judged, f"deletion log line {gone.line}: {faults}")
            return
        yield from self._verdict(gone, work.verdict(question, site), judged, finder)

    def _verdict(self, gone: Deletion, verdict: Verdict, judged: Judged, finder: Finder) -> Iterator[Finding]:
        """`purged-early` needs that no copy is left and that the binding early end is beyond doubt."""
        day, why = gone.deleted_on.toordinal(), f"deleted on {gone.deleted_on} ({gone.reason})"
        if verdict.holds and gone.copies_left != "some":
            yield finder.make("purged-under-hold", judged, f"{why} while hold {', '.join(verdict.holds)} was in force")
        elif verdict.problems:
            yield finder.make("purge-doubtful", judged, f"{why}: the facts contradict each other")
        elif verdict.binding.earliest != OPEN and day <= verdict.binding.earliest:
            message = f"{why}, apparently to be kept through {until(verdict.binding)}"
            certain = gone.copies_left == "none" and gone.reason in ("retention", "request")
            yield finder.make(
                "purged-early" if certain else "purge-doubtful", judged, message + _left(gone), verdict.governing
            )
        elif day <= verdict.retain.latest and gone.copies_left != "some":
            yield finder.make(
                "purge-doubtful",
                judged,
                f"{why}: might have been kept longer (not known: {', '.join(verdict.missing) or 'the norm'})",
            )


def _left(gone: Deletion) -> str:
    if gone.copies_left == "none":
        return "" if gone.reason in ("retention", "request") else f"; the reason {gone.reason} may excuse it"
    return "; whether a copy is left is not known" if gone.copies_left != "some" else "; a copy is said to be left"
