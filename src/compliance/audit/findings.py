"""Findings and their levels: each speaks of an apparent breach, or of doubt, on the facts stated."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from compliance.archive.inventory import EPOCH
from compliance.audit.evaluate import Judged, Verdict
from compliance.law.dates import LAST, NEVER, OPEN, DateRange, write_day
from compliance.law.knowledge import KnowledgeBase

LEVELS = {
    "purged-early": "error", "purged-under-hold": "error", "purge-doubtful": "warning", "scheduled-early": "error",
    "lossy-unlawful": "error", "kept-too-long": "error", "part-kept-too-long": "warning", "conflict": "error",
    "hold-unmatched": "error", "undetermined": "warning", "bad-data": "warning", "law-unverified": "warning",
    "law-stale": "warning", "duty-open": "warning", "waiver-expired": "warning", "waiver-dead": "warning",
}  # fmt: skip
RANK = {"error": 0, "warning": 1}


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One finding; `study` is the Study Instance UID, empty where it is about no study."""

    level: str
    code: str
    site: str
    study: str
    record: str
    norm: str
    citation: str
    message: str
    bytes: int = 0
    waived: str = ""

    @property
    def fingerprint(self) -> str:
        """Stable across runs: code, study, record class, governing norm."""
        return hashlib.sha256("\0".join((self.code, self.study, self.record, self.norm)).encode()).hexdigest()[:24]

    def sort_key(self) -> tuple[int, str, str, str, str, str]:
        """Errors first, then by code, site, study."""
        return (RANK[self.level], self.code, self.site, self.study, self.record, self.norm)


@dataclass(frozen=True)
class Finder:
    """Makes the findings of judged studies."""

    knowledge: KnowledgeBase
    as_of: int

    def make(self, code: str, judged: Judged, message: str, norm: str = "", record: str = "") -> Finding:
        """Return one finding about a study."""
        known = self.knowledge.index.get(norm)
        site = judged.site.id if judged.site else ""
        citation = known.citation if known else ""
        return Finding(
            LEVELS[code],
            code,
            site,
            str(judged.row["study_uid"]),
            record,
            norm,
            citation,
            message,
            int(judged.row.get("bytes") or 0),
        )

    def about(self, judged: Judged) -> Iterator[Finding]:
        """Yield the findings about one study that is in the archive."""
        verdict, row = judged.verdict, judged.row
        if problems := "; ".join(filter(None, (row.get("problems"), *judged.wrong))):
            yield self.make("bad-data", judged, problems)
        if verdict is None:
            yield self.make(
                "undetermined", judged, "no site of the profile matches: nobody says whose law binds the keeper"
            )
            return
        if verdict.problems:
            yield self.make("bad-data", judged, "facts contradict each other: " + "; ".join(verdict.problems))
        yield from self._disposition(judged, verdict)
        yield from self._schedule(judged, verdict)
        yield from self._lossy(judged, verdict)
        known = self.knowledge.index.get(verdict.governing)
        if known is not None and not known.sure:
            yield self.make(
                "law-unverified", judged, "the norm that decides was not verified by anybody", verdict.governing
            )

    def _disposition(self, judged: Judged, verdict: Verdict) -> Iterator[Finding]:
        part = next((p for p in verdict.parts if p.disposition == verdict.disposition), None)
        record, norm = (part.record, part.governing) if part else ("", verdict.governing)
        if verdict.disposition == "conflict":
            message = f"floor against ceiling: keep through {write_day(verdict.retain.earliest)}, destroy by {_day(verdict.destroy_by)}"
            yield self.make("conflict", judged, message, norm, record)
        elif verdict.disposition == "undetermined" and not verdict.problems:
            yield self.make("undetermined", judged, _undetermined(verdict), norm, record)
        elif verdict.disposition == "must_purge":
            yield self.make(
                "kept-too-long",
                judged,
                f"apparently kept too long: it had to be destroyed by {_day(verdict.destroy_by)}",
                norm,
                record,
            )
        for other in verdict.parts if verdict.disposition not in ("must_purge", "held") else ():
            if other.disposition == "must_purge":
                message = f"the {other.record} had to be destroyed by {_day(other.destroy_by)}, another part must stay"
                yield self.make("part-kept-too-long", judged, message, other.governing, other.record)
        if verdict.disposition in ("may_purge", "must_purge") and not verdict.ready:
            yield self.make(
                "duty-open",
                judged,
                "may go only after: " + ", ".join(verdict.open_duties),
                verdict.open_duties[0],
                record,
            )

    def _schedule(self, judged: Judged, verdict: Verdict) -> Iterator[Finding]:
        expiry = judged.row.get("archive_expiry")
        if expiry is None or verdict.problems or verdict.binding.earliest == OPEN:
            return
        if expiry + EPOCH <= verdict.binding.earliest:
            message = f"the archive would purge it on {write_day(expiry + EPOCH)}, it must be kept through {until(verdict.binding)}"
            yield self.make("scheduled-early", judged, message, verdict.governing)

    def _lossy(self, judged: Judged, verdict: Verdict) -> Iterator[Finding]:
        """Only sure, binding law; compressed at acquisition and compressed later cannot be told apart by the study row."""
        if not judged.row.get("lossy") or verdict.lossy_binding is None:
            return
        ratio = judged.row.get("lossy_ratio_max")
        if self.as_of <= verdict.lossy_binding.earliest:
            yield self.make(
                "lossy-unlawful",
                judged,
                f"apparently lossy: the law asks for the original through {until(verdict.lossy_binding)}",
            )
        elif ratio is not None and verdict.max_ratio is not None and ratio > verdict.max_ratio:
            yield self.make(
                "lossy-unlawful",
                judged,
                f"apparently compressed {ratio:g} to 1, at most {verdict.max_ratio:g} to 1 is allowed",
            )


def _undetermined(verdict: Verdict) -> str:
    if verdict.missing:
        return "not known: " + ", ".join(verdict.missing)
    return "no verified binding norm surely applies"


def _day(day: int | None) -> str:
    return "no day" if day is None else write_day(day)


def until(value: DateRange) -> str:
    """Return the early end for people."""
    return "for ever" if value.earliest >= LAST or value.earliest == NEVER else write_day(value.earliest)


def about_law(knowledge: KnowledgeBase, used: set[str], stale: set[str]) -> Iterator[Finding]:
    """Yield a finding for every norm that decided something and was not looked at for long."""
    for name in sorted(used & stale):
        norm = knowledge.index[name]
        message = f"last seen {norm.verification.on or 'never'}: look whether it still stands"
        yield Finding(LEVELS["law-stale"], "law-stale", "", "", "", name, norm.citation, message)


def unmatched_holds(holds: Any, matched: set[str], as_of: int) -> Iterator[Finding]:
    """Yield a finding for every hold in force that matches nothing in the archive."""
    for hold in holds:
        if hold.in_force(as_of) and hold.id not in matched:
            yield Finding(
                LEVELS["hold-unmatched"],
                "hold-unmatched",
                "",
                "",
                "",
                f"hold:{hold.id}",
                "",
                f"hold {hold.id} matches nothing in the archive",
            )
