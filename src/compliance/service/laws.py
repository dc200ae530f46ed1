"""GET /v1/laws, /v1/laws/{id}, /v1/jurisdictions, /v1/facts: the law base as data; law files by their signatures."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from compliance.law.conditions import NO
from compliance.law.dates import write_edtf
from compliance.law.knowledge import KnowledgeBase
from compliance.law.scopes import Scope
from compliance.law.statutes import Norm, Statute, Version
from compliance.service import cursors, tables, wire
from compliance.service.contract import AS_OF, CURSOR, JSON, LIMIT, Operation, Param
from compliance.service.problems import Refusal, on_file
from compliance.service.purge_date import identifiable, tagged
from compliance.service.serving import asked, day_of, serving


def state(knowledge: KnowledgeBase) -> wire.Laws:
    """Return version and digest of the law base."""
    return wire.Laws(knowledge.version, knowledge.digest)


def digest_of(knowledge: KnowledgeBase, name: str) -> str:
    """Return the digest of one law file's content, which a signature is for; an own policy's is of its norms."""
    found = knowledge.cache.setdefault("service.digests", {})
    if name not in found:
        content: Any = knowledge.files[name].data() if name in knowledge.files else repr(knowledge.statute(name))
        if name in knowledge.cases:  # set apart in a compiled build, a part of the file all the same
            content = {**content, "cases": knowledge.cases[name].data()}
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        found[name] = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    digest: str = found[name]
    return digest


async def laws(request: Request) -> Response:
    """List law files."""
    service, query = serving(request), asked(request, "jurisdiction", "cursor", "limit")
    base, place = service.knowledge, query.get("jurisdiction")
    if place is not None and place not in base.jurisdictions.places:
        raise Refusal("not-found", f"No place {place[:20]!r} is on file")
    after, limit = cursors.text_cursor(query), cursors.limit(query)
    names = sorted(name for name in {*base.files, *base.built} if place is None or name.partition("/")[0] == place)
    page = [name for name in names if name > after][: limit + 1]
    items = [_line(base.statute(name)) for name in page[:limit]]
    following = cursors.write_text(page[limit - 1]) if len(page) > limit else None
    return tagged(request, service, wire.Statutes(items, following, state(base)))


def _line(one: Statute) -> wire.StatuteLine:
    return wire.StatuteLine(one.id, one.jurisdiction, one.title, one.citation, one.force, len(one.norms))


async def law(request: Request) -> Response:
    """Show one law file, all versions or those in force on a day; an old id leads to the new one."""
    service, query = serving(request), asked(request, "as_of")
    base, name = service.knowledge, request.path_params["id"]
    found = _find(base, name)
    day = day_of(query["as_of"], service.today()) if "as_of" in query else None
    return tagged(request, service, statute_text(base, found, day), day.isoformat() if day else "")


def _find(base: KnowledgeBase, name: str) -> Statute:
    if name in base.files or name in base.built:
        return base.statute(name)
    old = on_file(next((one for one in base.statutes() if name in one.formerly), None), "law file", "/v1/laws")
    return old


def statute_text(base: KnowledgeBase, one: Statute, day: date | None = None) -> wire.Statute:
    """Return a law file as data; on a day only the versions that are, or may be, in force."""
    norms = [text for norm in one.norms if (text := norm_text(norm, day)).versions]
    return wire.Statute(
        one.id,
        one.jurisdiction,
        one.title,
        one.title_en,
        one.citation,
        one.force,
        one.url,
        digest_of(base, one.id),
        norms,
    )


def norm_text(norm: Norm, day: date | None = None) -> wire.NormText:
    """Return a norm as data."""
    seen = norm.verification
    versions = norm.versions
    if day is not None:
        past, kept = day.toordinal(), list[Version]()
        for version in versions:  # newest first: what stands before the first unconditional one in force is no more
            if version.in_force(past) != NO:
                kept.append(version)
                if version.since.latest <= past and not version.scope.any_of:
                    break
        versions = tuple(kept)
    return wire.NormText(
        norm.id, norm.kind, norm.force, norm.citation, norm.says, norm.images, scope_words(norm.scope), list(norm.overrides),
        [_version(version) for version in versions],
        wire.VerificationText(seen.status, write_edtf(seen.on) if seen.on else None, seen.by, list(seen.source), seen.note),
        norm.url,
    )  # fmt: skip


def scope_words(scope: Scope) -> list[list[str]]:
    """Return a scope as sentences: any of several lists, all of each."""
    return [[str(condition) for condition in conjunction] for conjunction in scope.any_of]


def _version(one: Version) -> wire.VersionText:
    period = "" if one.period is None else str(one.period)
    return wire.VersionText(
        write_edtf(one.since), period, scope_words(one.scope), one.repealed, one.duty, one.who, one.what, one.lead,
        one.max_ratio, one.note,
    )  # fmt: skip


async def jurisdictions(request: Request) -> Response:
    """List the places."""
    service = serving(request)
    asked(request)
    base = service.knowledge
    items = []
    for place in base.jurisdictions.places.values():
        majority = [
            wire.MajorityText(write_edtf(rule.since), rule.age, rule.citation, rule.verification or "verified")
            for rule in place.majority
        ]
        researched = [
            wire.ResearchText(kind, one.status, write_edtf(one.on) if one.on else None, one.searched)
            for kind, one in place.researched.items()
        ]
        number = sum(1 for name in base.files if name.partition("/")[0] == place.code)
        items.append(wire.Jurisdiction(place.code, place.name, place.within, majority, researched, number))
    return tagged(request, service, wire.Jurisdictions(items, state(base)))


async def facts(request: Request) -> Response:
    """List the vocabulary."""
    service = serving(request)
    asked(request)
    items = [
        wire.FactText(
            one.name, one.type, one.says, one.source, list(one.values), one.open, one.tense, identifiable(one)
        )
        for one in service.knowledge.vocabulary.facts.values()
    ]
    return tagged(request, service, wire.Facts(items, state(service.knowledge)))


async def sign_offs(request: Request) -> Response:
    """List the signatures under a law file."""
    service, name = serving(request), asked(request, "statute").get("statute")

    def find(session: Session) -> list[tables.SignOffs]:
        wanted = select(tables.SignOffs).order_by(tables.SignOffs.added)
        return list(
            session.execute(wanted if name is None else wanted.where(tables.SignOffs.statute == name)).scalars()
        )

    from starlette.concurrency import run_in_threadpool

    from compliance.service.serving import answer

    return answer([_signed(row, service.knowledge) for row in await run_in_threadpool(service.store.read, find)])


def _signed(row: tables.SignOffs, base: KnowledgeBase) -> wire.SignOff:
    current = row.statute in base.files and digest_of(base, row.statute) == row.digest
    return wire.SignOff(row.id, row.statute, row.digest, row.by, row.role, row.note, row.added, current)


_TAG = {"ETag": "the law base"}
_STATUTE = {"type": "string", "pattern": "^[A-Za-z0-9/._-]{1,150}$"}
OPERATIONS = (
    Operation(
        method="GET", path="/v1/laws", handler=laws, scope="read", summary="Law files", gives={200: {JSON: wire.Statutes}, 304: {}},
        params=(Param("jurisdiction", "of this place"), CURSOR, LIMIT), refuses=(404,), headers=_TAG,
    ),
    Operation(
        method="GET", path="/v1/laws/{id:path}", handler=law, scope="read", summary="One law file",
        says="Without `as_of`, all versions of each norm.", gives={200: {JSON: wire.Statute}, 304: {}}, refuses=(404,), headers=_TAG,
        params=(Param("id", "such as US-CA/22-ccr-70751", _STATUTE, "path"), AS_OF),
    ),
    Operation(
        method="GET", path="/v1/jurisdictions", handler=jurisdictions, scope="read", summary="Places, their ages of majority, what was researched",
        gives={200: {JSON: wire.Jurisdictions}, 304: {}}, headers=_TAG,
    ),
    Operation(
        method="GET", path="/v1/facts", handler=facts, scope="read", summary="The vocabulary of facts",
        gives={200: {JSON: wire.Facts}, 304: {}}, headers=_TAG,
    ),
    Operation(
        method="GET", path="/v1/sign-offs", handler=sign_offs, scope="read", summary="Signatures under law files",
        says="`current`: the file has not changed since.", gives={200: {JSON: {"type": "array", "items": {"$ref": "#/components/schemas/SignOff"}}}},
        params=(Param("statute", "of this law file"),),
    ),
)  # fmt: skip
