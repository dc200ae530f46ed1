"""What the summary of an audit counts, in studies and bytes; tallies of batches add up to that of the whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compliance.audit.evaluate import Evaluated, Judged, sizes
from compliance.audit.findings import Finding
from compliance.audit.waivers import Waiving
from compliance.decision.answers import CONFLICT, HELD, MUST_PURGE, UNDETERMINED
from compliance.decision.batch import Mask, numbers
from compliance.decision.decide import ORDER
from compliance.law.dates import EPOCH, LAST

TWO_YEARS = 730


@dataclass
class Count:
    """Studies and bytes by a key."""

    studies: Counter[str] = field(default_factory=Counter)
    bytes: Counter[str] = field(default_factory=Counter)

    def add(self, key: str, studies: int, size: int) -> None:
        """Count some studies."""
        if studies:
            self.studies[key] += studies
            self.bytes[key] += size

    def rows(self) -> list[dict[str, Any]]:
        """Return rows by bytes, largest first."""
        keys = sorted(self.studies, key=lambda key: (-self.bytes[key], key))
        return [{"key": key, "studies": self.studies[key], "bytes": self.bytes[key]} for key in keys]


@dataclass
class Tally:
    """Everything a summary counts."""

    dispositions: Count = field(default_factory=Count)
    by_site: Count = field(default_factory=Count)
    by_place: Count = field(default_factory=Count)
    by_year: Count = field(default_factory=Count)
    missing: Count = field(default_factory=Count)
    blocked: Count = field(default_factory=Count)
    ready: Count = field(default_factory=Count)
    breach: Count = field(default_factory=Count)
    assumed: Counter[str] = field(default_factory=Counter)  # "fact|set"
    applied: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    reconciliation: Counter[str] = field(default_factory=Counter)
    waivers_used: Counter[str] = field(default_factory=Counter)  # by number
    waivers_expired: Counter[str] = field(default_factory=Counter)
    only_priors: int = 0

    def add(self, other: Tally) -> None:
        """Add what another tally counted."""
        for one in fields(self):
            mine, more = getattr(self, one.name), getattr(other, one.name)
            if isinstance(mine, Count):
                mine.studies.update(more.studies)
                mine.bytes.update(more.bytes)
            elif isinstance(mine, Counter):
                mine.update(more)
            else:
                setattr(self, one.name, mine + more)

    def waived(self, waiving: Waiving) -> None:
        """Note which waivers were at work."""
        self.waivers_used.update({str(number): 1 for number in waiving.used})
        self.waivers_expired.update({str(number): 1 for number in waiving.expired})

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        found: dict[str, Any] = {}
        for one in fields(self):
            value = getattr(self, one.name)
            found[one.name] = [dict(value.studies), dict(value.bytes)] if isinstance(value, Count) else value
        return found

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> Tally:
        """Read what `as_json` wrote."""
        made = cls()
        for name, value in tree.items():
            if isinstance(value, list):
                setattr(made, name, Count(Counter(value[0]), Counter(value[1])))
            else:
                setattr(made, name, Counter(value) if isinstance(value, dict) else value)
        return made

    @property
    def determined(self) -> float:
        """Percent of the studies that could be judged."""
        total = sum(self.dispositions.studies.values())
        return 100.0 if not total else 100.0 * (total - self.dispositions.studies["undetermined"]) / total


def count(found: Evaluated, findings: Iterable[Finding], as_of: int) -> Tally:
    """Count one batch."""
    tally, volume = Tally(), sizes(found.batch).to_numpy()
    nobody = found.sites.codes < 0
    studies, size = int(nobody.sum()), int(volume[nobody].sum())
    tally.dispositions.add("undetermined", studies, size)
    tally.blocked.add("no site of the profile matches", studies, size)
    tally.reconciliation["no site matched"] += studies
    for judged in found.judged:
        _group(tally, found, judged, volume[judged.group.rows], as_of)
    _breaches(tally, findings)
    return tally


def _breaches(tally: Tally, findings: Iterable[Finding]) -> None:
    seen: dict[str, int] = {}
    for finding in findings:
        if finding.level == "error" and finding.study:
            seen[finding.study] = finding.bytes
    tally.breach.add("apparent breach", len(seen), sum(seen.values()))


def _group(tally: Tally, found: Evaluated, judged: Judged, volume: NDArray[np.int64], as_of: int) -> None:
    answers = judged.answers
    wrong = np.broadcast_to(answers.wrong, (answers.n,))
    tally.reconciliation["bad data"] += int(wrong.sum())
    tally.reconciliation["judged"] += answers.n - int(wrong.sum())
    places = answers.places
    for code, where in places.items():
        tally.by_place.add(code, int(where.sum()), int(volume[where].sum()))
    for number, name in enumerate(ORDER):
        where = answers.disposition == number
        tally.dispositions.add(name, int(where.sum()), int(volume[where].sum()))
        for site in np.unique(found.sites.codes[judged.group.rows][where]) if where.any() else ():
            own = where & (found.sites.codes[judged.group.rows] == site)
            tally.by_site.add(f"{found.sites.sites[site].id}: {name}", int(own.sum()), int(volume[own].sum()))
    for marks, counter in ((answers.applied, tally.applied), (answers.holds, tally.held)):
        counter.update({name: int(where.sum()) for name, where in marks.items()})
    tally.assumed.update({f"{fact}|{name}": int(where.sum()) for (fact, name), where in answers.assumed.items()})
    _blocked(tally, judged, wrong, volume)
    _purgeable(tally, found, judged, volume, as_of)
    _years(tally, judged, wrong, volume, as_of)


def _blocked(tally: Tally, judged: Judged, wrong: Mask, volume: NDArray[np.int64]) -> None:
    answers = judged.answers
    for number, reason in ((HELD, "a hold"), (CONFLICT, "a conflict of norms"), (3, "its period runs")):
        where = answers.disposition == number
        tally.blocked.add(reason, int(where.sum()), int(volume[where].sum()))
    unsure = answers.disposition == UNDETERMINED
    tally.blocked.add("facts contradict each other", int((unsure & wrong).sum()), int(volume[unsure & wrong].sum()))
    for fact, lacks in answers.missing.items():
        where = lacks & unsure & ~wrong
        tally.missing.add(fact, int(where.sum()), int(volume[where].sum()))
    codes, words = answers.missing_words()
    for number, names in enumerate(words):
        where = (codes == number) & unsure & ~wrong
        few = ", ".join(names.split(", ")[:3])
        tally.blocked.add(
            f"not known: {few}" if names else "no law covers it", int(where.sum()), int(volume[where].sum())
        )


def _purgeable(tally: Tally, found: Evaluated, judged: Judged, volume: NDArray[np.int64], as_of: int) -> None:
    answers, at = judged.answers, judged.group.rows
    goes, ready = answers.disposition >= MUST_PURGE, answers.ready
    for key, where in (("ready", goes & ready), ("a duty comes first", goes & ~ready)):
        tally.ready.add(key, int(where.sum()), int(volume[where].sum()))
    if found.known is not None and goes.any():
        last, none = numbers(found.known.column("last_first"))
        studies = found.known.column("studies").fill_null(0).to_numpy()
        study, absent = numbers(found.batch.column("study_date"))
        prior = ~none & ~absent & (studies == 2) & (last >= as_of - TWO_YEARS) & (study + EPOCH < last)
        tally.only_priors += int((np.broadcast_to(prior, last.shape)[at] & goes).sum())


def _years(tally: Tally, judged: Judged, wrong: Mask, volume: NDArray[np.int64], as_of: int) -> None:
    answers = judged.answers
    where = (answers.hi < LAST) & ~wrong & (answers.disposition != HELD)  # a hold ends by no date
    first = np.maximum(answers.hi[where] + 1, as_of)
    days, number = np.unique(first, return_inverse=True)
    for year, studies, size in _by_year(days, np.bincount(number), np.bincount(number, volume[where])):
        tally.by_year.add(year, studies, size)


def _by_year(days: NDArray[Any], studies: NDArray[Any], size: NDArray[Any]) -> Iterator[tuple[str, int, int]]:
    for day, many, volume in zip(days.tolist(), studies.tolist(), size.tolist(), strict=True):
        yield str(date.fromordinal(day).year), many, int(volume)
