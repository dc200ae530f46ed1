"""Law in words for readers of pages: periods, scopes, links, badges. Nothing here is markup."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from compliance.law.dates import LAST, OPEN, DateRange, write_edtf
from compliance.law.statutes import Norm, Verification, Version
from compliance.law.vocabulary import Vocabulary
from compliance.law.writing import scope_text, version_text

KINDS = {
    "floor": "keep at least",
    "ceiling": "destroy by",
    "lossy": "limit on lossy compression",
    "duty": "duty around a purge",
}
STATUSES = {
    "reviewed": "reviewed: a second person read the text",
    "verified": "verified: the operative words were seen",
    "secondary": "secondary: seen quoted or in a table",
    "unverified": "unverified: from memory; holds images back, frees nothing, accuses nobody",
}
_DAY = r"\d{4}(?:-\d\d){0,2}"
MARKS = {"reviewed": "✓✓", "verified": "✓", "secondary": "~", "unverified": "?"}


def plain(text: str, vocabulary: Vocabulary) -> str:
    """Return a text with the names of facts and the ranges of days as words.

    `last_service_date` -> `last service date`; `is 2020-03-01/..` -> `is 2020-03-01 or later`.
    """

    def spaced(found: re.Match[str]) -> str:
        return found.group().replace("_", " ")

    text = re.sub(rf"\bis ({_DAY})/\.\.", r"is \1 or later", re.sub(rf"\bis \.\./({_DAY})", r"is \1 or earlier", text))
    return re.sub(r"\b[a-z]+(?:_[a-z]+)+\b", spaced, text) if "_" in text else text


def link(url: str) -> str:
    """Return an address that may stand in a link, empty where it may not (only http and https may)."""
    parts = urlsplit(url.strip()) if url else None
    return url.strip() if parts and parts.scheme in ("http", "https") and parts.netloc else ""


def scope_words(norm: Norm, vocabulary: Vocabulary) -> str:
    """Return whom and what a norm reaches."""
    return plain(scope_text(norm.scope), vocabulary) or "everything"


def version_words(version: Version, vocabulary: Vocabulary) -> str:
    """Return what one version of a norm says."""
    return plain(version_text(version), vocabulary)


def since_words(version: Version) -> str:
    """Return from when a version is in force."""
    if version.since.earliest == OPEN:
        return (
            f"on or before {write_edtf(version.since).removeprefix('../')}" if version.since.latest < LAST else "always"
        )
    return write_edtf(version.since)


def seen_words(seen: Verification) -> str:
    """Return who looked at the text, and when."""
    when = f" on {seen.on}" if seen.on else ""
    who = f" by {seen.by}" if seen.by else ""
    return f"last seen{when}{who}" if when or who else "nobody has looked at the text yet"


def years_between(start: int, through: int) -> str:
    """Return a span for people: `7 years`, `6.5 years`; `through` is the last day."""
    from compliance.law.dates import add

    years = max(0, round((through - start) / 365.2425))
    if years and add(start, years, "year", "next") == through:
        return f"{years} year{'' if years == 1 else 's'}"
    return f"{(through - start) / 365.2425:.1f} years"


def range_words(value: DateRange, start: int, permanent: bool) -> str:
    """Return how long after a day something must be kept."""
    if permanent:
        return "for ever"
    if value.earliest > LAST:
        return "no end: the clock has not started"
    if value.latest >= LAST:
        return (
            "no period can be given"
            if value.earliest <= start
            else f"at least {years_between(start, value.earliest)}; no end can be given"
        )
    if value.exact:
        return years_between(start, value.latest)
    if value.earliest <= start:
        unknown = ", depending on what is not known" if value.earliest > OPEN else ""
        return f"at most {years_between(start, value.latest)}{unknown}"
    low = years_between(start, value.earliest).removesuffix(" years").removesuffix(" year")
    return f"{low} to {years_between(start, value.latest)}, depending on what is not known"
