"""Statutes and norms in words, for people who do not read YAML."""

from __future__ import annotations

from collections.abc import Iterator

from compliance.law.scopes import Scope
from compliance.law.statutes import Norm, Statute, Version


def statute_text(statute: Statute) -> str:
    """Return a statute with all its norms."""
    title = f"{statute.title} ({statute.title_en})" if statute.title_en else statute.title
    head = [title, f"  {statute.citation}, {statute.jurisdiction}, {statute.force}", f"  {statute.url}"]
    if statute.note:
        head.append(f"  {statute.note}")
    return "\n".join([*head, "", *(norm_text(norm) + "\n" for norm in statute.norms)]).rstrip()


def norm_text(norm: Norm) -> str:
    """Return a norm: what it says, whom it reaches, its versions, what was seen of it."""
    return "\n".join(_lines(norm))


def _lines(norm: Norm) -> Iterator[str]:
    seen = norm.verification
    yield f"{norm.id}  [{norm.kind}, {norm.force}]"
    yield f"  {norm.citation}: {norm.says}"
    if norm.images == "construed":
        yield "  reaches images only by reading the word records"
    if norm.scope.any_of:
        yield f"  where {scope_text(norm.scope)}"
    for version in norm.versions:
        yield f"  from {version.since}: {version_text(version)}"
    for word, items in (("displaces", norm.overrides), ("formerly", norm.formerly)):
        if items:
            yield f"  {word} {', '.join(items)}"
    if norm.sanction:
        yield f"  sanction: {norm.sanction}"
    yield f"  {seen.status}{f' on {seen.on}' if seen.on else ''}{f' by {seen.by}' if seen.by else ''}: {' '.join(seen.source)}"
    if seen.note:
        yield f"  seen: {seen.note}"
    if norm.note:
        yield f"  note: {norm.note}"


def scope_text(scope: Scope) -> str:
    """Return a scope in words."""
    return "; or ".join(" and ".join(map(str, conjunction)) for conjunction in scope.any_of)


def version_text(version: Version) -> str:
    """Return what one version says."""
    if version.repealed:
        return "repealed"
    parts = [str(version.period)] if version.period is not None else []
    if version.duty:
        parts.insert(
            0, " ".join(filter(None, (version.duty, version.what, f"to {version.who}" if version.who else "")))
        )
    if version.lead:
        parts.append(f"{version.lead} before the purge")
    if version.max_ratio is not None:
        parts.append(f"at most {version.max_ratio:g} to 1")
    if version.scope.any_of:
        parts.append(f"for records where {scope_text(version.scope)}")
    return ", ".join(parts)
