"""Past deletions, judged under the law in force on the day of deletion, on what the inventory knew on that day."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from compliance.archive.deletions import Deletion, read_deletions
from compliance.archive.inventory import Inventory
from compliance.audit.facts import Group, Sites, groups
from compliance.audit.findings import LEVELS, Finding, until
from compliance.audit.patients import of_studies
from compliance.audit.profile import Profile
from compliance.decision.decide import Decision, decide
from compliance.decision.missing import missing_facts
from compliance.decision.question import Question
from compliance.errors import FactError
from compliance.law.dates import OPEN

Studies = dict[str, tuple[pa.RecordBatch, pa.RecordBatch]]


@dataclass(frozen=True)
class DeletionAudit:
    """Judges a deletion log; facts come from the inventory by study UID, or from the log's further columns.

    `look` gives an inventory that holds the studies of some UIDs and the others of their patients.
    """

    profile: Profile
    look: Callable[[Sequence[str]], Inventory]

    def findings(self, log: Path) -> list[Finding]:
        """Return the findings about a log."""
        made, by_day = list[Finding](), dict[date, list[Deletion]]()
        for entry in read_deletions(log):
            if isinstance(entry, tuple):
                message = f"deletion log line {entry[0]}: {entry[1]}"
                made.append(Finding(LEVELS["bad-data"], "bad-data", "", "", "", f"log:{entry[0]}", "", message))
            else:
                by_day.setdefault(entry.deleted_on, []).append(entry)
        inventory = self.look([gone.study_uid for entries in by_day.values() for gone in entries])
        for day, entries in sorted(by_day.items()):
            uids = [gone.study_uid for gone in entries]
            studies = of_studies(inventory, self.profile, day.toordinal(), uids)
            for gone in entries:
                made += self._judge(gone, studies)
        return made

    def _judge(self, gone: Deletion, studies: Studies) -> Iterator[Finding]:
        nothing = pa.RecordBatch.from_pydict({"row": [-1], "study_uid": [gone.study_uid]})
        batch, known = studies.get(gone.study_uid, (nothing, None))
        row: dict[str, Any] = {**batch.to_pylist()[0], **gone.facts}
        number = next((n for n, site in enumerate(self.profile.sites) if site.matches(row)), -1)
        about = _About(self.profile, gone, self.profile.sites[number].id if number >= 0 else "", row.get("bytes") or 0)
        if number < 0:
            yield about.make("purge-doubtful", f"deleted on {gone.deleted_on}: no site of the profile matches")
            return
        group = next(groups(batch, known, Sites(np.array([number]), self.profile.sites), self.profile))
        if unread := "; ".join(reason for one in group.table.unreadable.values() for reason in one.by_row().values()):
            yield about.make("bad-data", unread)
        try:
            question = self._question(gone, group)
        except FactError as error:
            faults = "; ".join(f"{p.path}: {p.message}" for p in error.problems)
            yield about.make("bad-data", f"deletion log line {gone.line}: {faults}")
            return
        profile = self.profile
        yield from about.verdict(
            decide(question, profile.knowledge, gone.deleted_on, profile.assumptions, profile.holds)
        )

    def _question(self, gone: Deletion, group: Group) -> Question:
        vocabulary = self.profile.knowledge.vocabulary
        given = {key: value for key, value in gone.facts.items() if vocabulary.type_of(key)}
        facts = {**group.table.question(0), **vocabulary.read(given)}
        return Question(facts, tuple(dict(keeper) for keeper in group.keepers))


@dataclass(frozen=True)
class _About:
    """Makes the findings about one deletion."""

    profile: Profile
    gone: Deletion
    site: str
    bytes: int

    def make(self, code: str, message: str, norm: str = "") -> Finding:
        known = self.profile.knowledge.index.get(norm)
        citation = known.citation if known else ""
        return Finding(LEVELS[code], code, self.site, self.gone.study_uid, "", norm, citation, message, int(self.bytes))

    def verdict(self, decision: Decision) -> Iterator[Finding]:
        """`purged-early` needs that no copy is left and that the binding early end is beyond doubt."""
        gone = self.gone
        day, why = gone.deleted_on.toordinal(), f"deleted on {gone.deleted_on} ({gone.reason})"
        if decision.holds and gone.copies_left != "some":
            names = ", ".join(hold.id for hold in decision.holds)
            yield self.make("purged-under-hold", f"{why} while hold {names} was in force")
        elif decision.problems:
            yield self.make("purge-doubtful", f"{why}: the facts contradict each other")
        elif decision.binding.earliest != OPEN and day <= decision.binding.earliest:
            message = f"{why}, apparently to be kept through {until(decision.binding)}{_left(gone)}"
            certain = gone.copies_left == "none" and gone.reason in ("retention", "request")
            norm = decision.governing[0] if decision.governing else ""
            yield self.make("purged-early" if certain else "purge-doubtful", message, norm)
        elif day <= decision.retain.latest and gone.copies_left != "some":
            unknown = ", ".join(missing_facts(decision)) or "the norm"
            yield self.make("purge-doubtful", f"{why}: might have been kept longer (not known: {unknown})")


def _left(gone: Deletion) -> str:
    if gone.copies_left == "none":
        return "" if gone.reason in ("retention", "request") else f"; the reason {gone.reason} may excuse it"
    return "; whether a copy is left is not known" if gone.copies_left != "some" else "; a copy is said to be left"
