"""Waivers (a finding somebody answers for, until a day) and baselines (only what is new)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from compliance.audit.findings import LEVELS, Finding
from compliance.errors import LawError, ProfileError, guess, listed
from compliance.law.dates import DateRange, read_edtf
from compliance.law.shape import Key, ListOf, MapOf, Reader, Record, Text
from compliance.law.yaml import read_file

FIELDS = ("code", "site", "study", "record", "norm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """Which findings are waived (one fingerprint, or all that match), why, by whom, until when."""

    reason: str
    owner: str
    until: DateRange
    fingerprint: str = ""
    match: Mapping[str, str] = field(default_factory=dict)

    def covers(self, finding: Finding) -> bool:
        """The finding is the one named, or matches every pattern."""
        if self.fingerprint:
            return finding.fingerprint == self.fingerprint
        return bool(self.match) and all(
            fnmatchcase(str(getattr(finding, key)), pattern) for key, pattern in self.match.items()
        )


def _field(word: str) -> str | None:
    return None if word in FIELDS else f"no field of a finding. Allowed: {listed(FIELDS)}.{guess(word, FIELDS)}"


_FILE = Record({
    "waivers": Key(ListOf(Record({
        "fingerprint": Key(Text(), says="of one finding"),
        "match": Key(MapOf(Text(), _field), says="code, site, study, record, norm: patterns"),
        "reason": Key(Text(), True),
        "owner": Key(Text(), True),
        "until": Key(Text(parse=read_edtf), True, "the last day it counts"),
    }, Waiver)), True),
})  # fmt: skip


def read_waivers(path: Path) -> tuple[Waiver, ...]:
    """Read waivers.yaml; raises ProfileError with every fault."""
    reader = Reader(path.name)
    try:
        found = _FILE.read(read_file(path, path.name), reader)
        reader.check(f"{path} cannot be read")
    except LawError as error:
        raise ProfileError(str(error.args[0]), error.problems) from None
    waivers: tuple[Waiver, ...] = found["waivers"]
    for number, waiver in enumerate(waivers, 1):
        if bool(waiver.fingerprint) == bool(waiver.match):
            raise ProfileError(f"{path}: waiver {number} needs a fingerprint or a match, one of the two")
    return waivers


@dataclass
class Waiving:
    """Waivers at work on a day: which were used, which have run out."""

    waivers: tuple[Waiver, ...]
    as_of: int
    used: set[int] = field(default_factory=set)
    expired: set[int] = field(default_factory=set)

    def apply(self, findings: Iterable[Finding]) -> list[Finding]:
        """Mark what is waived."""
        return [self._marked(finding) for finding in findings] if self.waivers else list(findings)

    def _marked(self, finding: Finding) -> Finding:
        for number, waiver in enumerate(self.waivers):
            if waiver.covers(finding):
                if waiver.until.latest < self.as_of:
                    self.expired.add(number)
                    continue
                self.used.add(number)
                return finding._replace(waived=f"{waiver.reason} ({waiver.owner}, until {waiver.until})")
        return finding

    def about_waivers(self) -> Iterator[Finding]:
        """Yield a finding for every waiver that has run out or matches nothing (dead)."""
        for number, waiver in enumerate(self.waivers):
            what = waiver.fingerprint or ", ".join(f"{key} {value}" for key, value in sorted(waiver.match.items()))
            if number in self.expired:
                yield _about("waiver-expired", what, f"the waiver of {waiver.owner} ran out on {waiver.until}")
            elif number not in self.used:
                yield _about("waiver-dead", what, f"the waiver of {waiver.owner} matches no finding")


def _about(code: str, what: str, message: str) -> Finding:
    return Finding(LEVELS[code], code, "", "", "", f"waiver:{what}", "", message)


def read_baseline(path: Path) -> frozenset[str]:
    """Return the fingerprints of an earlier run's findings.jsonl."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        found = frozenset(json.loads(line)["fingerprint"] for line in lines if line.strip())
        if not all(isinstance(one, str) for one in found):
            raise ValueError("a fingerprint is no text")
        return found
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ProfileError(f"{path} is no findings.jsonl: {error}") from None
