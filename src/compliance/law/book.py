"""The law of a region as one readable page of Markdown: a table a place, with sources and verification status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from compliance.law.conditions import Listed
from compliance.law.dates import write_edtf
from compliance.law.jurisdictions import UNVERIFIED, Majority, Place
from compliance.law.knowledge import KnowledgeBase
from compliance.law.regions import regions
from compliance.law.statutes import Norm, Statute, Version

KINDS = {"floor": "keep", "ceiling": "destroy", "lossy": "compression", "duty": "duty"}


def pages(base: KnowledgeBase) -> Iterator[tuple[str, str]]:
    """Yield a page a region: the name of its file, and what it says."""
    for region in regions(base.jurisdictions):
        yield f"{region.name}.md", book(base, region.places, f"Retention law for medical images: {region.title}")


def book(base: KnowledgeBase, places: Iterable[str], title: str) -> str:
    """Return the page; it changes only when the law base does."""
    codes = list(places)
    norms = [norm for code in codes for statute in base.statutes(code) for norm in statute.norms]
    lines = [
        f"# {title}",
        "",
        "Generated from the law files by `compliance laws book`; correct the law files, not this page. Not legal advice.",
        "",
        *_counts(base, codes, norms),
    ]
    for code in codes:
        lines += _place(base, base.jurisdictions.places[code])
    return "\n".join(lines) + "\n"


def _counts(base: KnowledgeBase, codes: list[str], norms: list[Norm]) -> Iterator[str]:
    status = Counter(norm.verification.status for norm in norms)
    cases = sum(len(statute.cases) for code in codes for statute in base.statutes(code))
    yield f"{len(codes)} places, {len(norms)} norms, {cases} cases."
    yield ""
    yield "| verification | norms | what it means |"
    yield "|---|---:|---|"
    meanings = {
        "reviewed": "a second person read the text",
        "verified": "the operative words were seen",
        "secondary": "seen quoted or in a table",
        "unverified": "from memory: holds images back, frees nothing, accuses nobody",
    }
    for word, meaning in meanings.items():
        yield f"| {word} | {status[word]} | {meaning} |"
    yield ""


def _place(base: KnowledgeBase, place: Place) -> Iterator[str]:
    yield f"## {place.name} ({place.code})"
    yield ""
    if place.majority:
        yield f"Full age: {'; '.join(map(_age, place.majority))}."
        yield ""
    statutes = list(base.statutes(place.code))
    if statutes:
        yield "| norm | what it says | whom and what it reaches | period | seen |"
        yield "|---|---|---|---|---|"
        for statute in statutes:
            for norm in statute.norms:
                yield _norm(norm, statute)
        yield ""
    yield from _research(base, place)
    if place.note:
        yield _cell(place.note)
        yield ""


def _age(rule: Majority) -> str:
    evidence = _cell(f"{rule.seen}: {rule.note}") if rule.seen and rule.note else rule.seen
    if rule.verification == UNVERIFIED:
        return f"{rule.age}, nothing is counted from it ({evidence})"
    words = [f"from {write_edtf(rule.since)}", _cell(rule.citation), evidence]
    return f"{rule.age} ({', '.join(filter(None, words))})"


def _norm(norm: Norm, statute: Statute) -> str:
    force = "" if norm.force == "binding" else f", {norm.force}"
    name = f"{_cell(norm.citation)}<br><sub>{norm.id.partition('#')[2]}: {KINDS[norm.kind]}{force}</sub>"
    if norm.url.startswith("http"):
        name = (
            f"[{_cell(norm.citation)}]({norm.url})<br><sub>{norm.id.partition('#')[2]}: {KINDS[norm.kind]}{force}</sub>"
        )
    periods = "<br>".join(_version(version) for version in norm.versions)
    seen = norm.verification
    links = " ".join(f"[{n}]({link})" for n, link in enumerate(seen.source, 1) if link.startswith("http"))
    return f"| {name} | {_cell(norm.says)} | {_reach(norm)} | {periods} | {seen.status} {links} |"


def _version(version: Version) -> str:
    since = write_edtf(version.since)
    if version.repealed:
        return f"from {since}: repealed"
    what = " ".join(filter(None, (version.duty, version.what, version.lead))) if version.duty else str(version.period)
    ratio = f", at most {version.max_ratio:g} to 1" if version.max_ratio else ""
    return f"{_cell(what)}{ratio} <sub>from {since}</sub>"


def _reach(norm: Norm) -> str:
    """The facility types, records and modalities a norm names, and how many further conditions it has."""
    parts = []
    for conjunction in norm.scope.any_of:
        named = [
            ", ".join(sorted(c.values)).replace("_", " ")
            for c in conjunction
            if isinstance(c, Listed) and c.fact in ("facility_type", "record", "modality", "body_part")
        ]
        more = [
            str(c)
            for c in conjunction
            if not (isinstance(c, Listed) and c.fact in ("facility_type", "record", "modality", "body_part"))
            and "ownership" not in str(c)
        ]
        parts.append("; ".join([*named, *more]))
    return _cell("<br>or ".join(parts))


def _research(base: KnowledgeBase, place: Place) -> Iterator[str]:
    nothing: dict[str, list[str]] = {}
    for kind, found in place.researched.items():
        if found.status == "nothing_found":
            day = f" ({write_edtf(found.on)})" if found.on else ""
            nothing.setdefault(f"nothing binding found{day}. {_cell(found.searched)}", []).append(kind)
    for words, kinds in nothing.items():
        yield f"- {_types(kinds)}: {words}"
    types = base.vocabulary.facts["facility_type"].values
    missing = [kind for kind in types if base.jurisdictions.research(place.code, kind, base.vocabulary) is None]
    if len(missing) == len(types):
        yield "- Nobody has researched this place yet: nothing is freed there."
    elif missing:
        yield f"- not researched, so nothing is freed there: {_types(missing)}"
    if nothing or missing:
        yield ""


def _types(kinds: list[str]) -> str:
    return ", ".join(kind.replace("_", " ") for kind in kinds)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
