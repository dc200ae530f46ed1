"""Audits and their findings in the store: registered by upload, read page by page."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from typing import IO, Any

import msgspec
from sqlalchemy import desc, insert, select
from sqlmodel import Session, col
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from compliance.audit.findings import LEVELS
from compliance.service import cursors, tables, wire
from compliance.service.contract import CURSOR, IDEMPOTENCY, JSON, LIMIT, Operation, Param
from compliance.service.problems import Refusal, on_file
from compliance.service.serving import answer, asked, need_type, serving
from compliance.service.writing import Done, commit

LINES = "application/x-ndjson"
_CHUNK = 2000
FILTERS = ("audit", "code", "level", "site", "study", "norm", "fingerprint")


class Summary(msgspec.Struct):
    """What is read of an audit's summary.json; all of it is kept."""

    as_of: wire.Day
    profile: str
    inventory: str
    laws: wire.Laws
    reconciliation: dict[str, Any] = {}


class Line(msgspec.Struct):
    """A line of findings.jsonl."""

    fingerprint: str
    level: str
    code: str
    message: str
    site: str = ""
    study: str = ""
    record: str = ""
    norm: str = ""
    citation: str = ""
    bytes: int = 0
    waived: str = ""


async def register(request: Request) -> Response:
    """Take an audit: its summary.json on one line, then the lines of its findings.jsonl."""
    need_type(request, LINES)
    with tempfile.TemporaryFile() as file:
        whole = hashlib.sha256()
        async for piece in request.stream():
            whole.update(piece)
            await run_in_threadpool(file.write, piece)
        number = whole.hexdigest()[:24]
        return await commit(request, number, number.encode(), lambda session, id, at: store(session, file, id, at))


def store(session: Session, file: IO[bytes], id: str, at: str) -> Done:
    """Write an audit down in the running transaction; the same one again changes nothing."""
    file.seek(0)
    first = file.readline()
    about = _summary(first)
    old = session.get(tables.Audits, id)
    if old is not None:
        return Done(_audit(old), "audit.again", id, {}, status=200)
    if session.get(tables.Inventories, about.inventory) is None:
        studies = about.reconciliation.get("studies", 0)
        known = tables.Inventories(
            digest=about.inventory, name=about.profile, studies=studies if isinstance(studies, int) else 0, added=at
        )
        session.add(known)
        session.flush()
    row = tables.Audits(
        id=id, inventory=about.inventory, profile=about.profile, as_of=about.as_of, law_version=about.laws.version,
        law_digest=about.laws.digest, summary=msgspec.json.decode(first), added=at,
    )  # fmt: skip
    session.add(row)
    session.flush()
    for chunk in _chunks(file, id):
        session.execute(insert(tables.Findings), chunk)
        row.findings += len(chunk)
    body = {"inventory": about.inventory, "laws": about.laws.digest, "findings": row.findings}
    return Done(_audit(row), "audit.registered", id, body)


def _summary(line: bytes) -> Summary:
    try:
        return msgspec.json.decode(line, type=Summary)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refusal("invalid", f"line 1 is no summary of an audit: {error}") from None


def _chunks(file: IO[bytes], id: str) -> Iterator[list[dict[str, Any]]]:
    decoder, chunk = msgspec.json.Decoder(Line), list[dict[str, Any]]()
    for number, line in enumerate(file, 2):
        if not line.strip():
            continue
        try:
            found = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Refusal("invalid", f"line {number} is no finding: {error}") from None
        if LEVELS.get(found.code) is None or found.level not in ("error", "warning"):
            raise Refusal("invalid", f"line {number}: no finding {found.code[:40]!r} of level {found.level[:40]!r}")
        chunk.append({"audit": id, **msgspec.structs.asdict(found)})
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _audit(row: tables.Audits) -> wire.Audit:
    laws = wire.Laws(row.law_version, row.law_digest)
    return wire.Audit(row.id, row.inventory, row.profile, row.as_of, laws, row.findings, row.summary, row.added)


async def audits(request: Request) -> Response:
    """List audits, the newest first."""
    service, query = serving(request), asked(request, "cursor", "limit")
    before, limit = cursors.text_cursor(query), cursors.limit(query)

    def find(session: Session) -> list[tables.Audits]:
        wanted = select(tables.Audits).order_by(desc(tables.Audits.added), tables.Audits.id).limit(limit + 1)
        if before:
            at, _, id = before.partition(" ")
            later = (tables.Audits.added == at) & (tables.Audits.id > id)
            wanted = wanted.where((tables.Audits.added < at) | later)
        return list(session.execute(wanted).scalars())

    rows = await run_in_threadpool(service.store.read, find)
    last = rows[limit - 1] if len(rows) > limit else None
    following = cursors.write_text(f"{last.added} {last.id}") if last else None
    return answer(wire.Audits([_audit(row) for row in rows[:limit]], following))


async def audit(request: Request) -> Response:
    """Show one audit."""
    service, id = serving(request), request.path_params["id"]
    asked(request)
    row = on_file(
        await run_in_threadpool(service.store.read, lambda session: session.get(tables.Audits, id)),
        "audit",
        "/v1/audits",
    )
    return answer(_audit(row))


async def findings(request: Request) -> Response:
    """List findings in the order in which they came."""
    service, query = serving(request), asked(request, *FILTERS, "cursor", "limit")
    after, limit = cursors.number_cursor(query), cursors.limit(query)

    def find(session: Session) -> list[tables.Findings]:
        wanted = select(tables.Findings).order_by(tables.Findings.number).limit(limit + 1)
        if after is not None:
            wanted = wanted.where(col(tables.Findings.number) > after)
        for name in FILTERS:
            if name in query:
                wanted = wanted.where(getattr(tables.Findings, name) == query[name])
        return list(session.execute(wanted).scalars())

    rows = await run_in_threadpool(service.store.read, find)
    items = [wire.Finding(**row.model_dump()) for row in rows[:limit]]
    following = cursors.write_text(str(items[-1].number)) if len(rows) > limit else None
    return answer(wire.Findings(items, following))


OPERATIONS = (
    Operation(
        method="POST", path="/v1/audits", handler=register, scope="audit", summary="Register an audit",
        says="The first line is the audit's summary.json, the others are the lines of its findings.jsonl.",
        takes={LINES: None}, gives={200: {JSON: wire.Audit}, 201: {JSON: wire.Audit}}, params=(IDEMPOTENCY,),
    ),
    Operation(
        method="GET", path="/v1/audits", handler=audits, scope="audit", summary="Audits, the newest first",
        gives={200: {JSON: wire.Audits}}, params=(CURSOR, LIMIT),
    ),
    Operation(
        method="GET", path="/v1/audits/{id}", handler=audit, scope="audit", summary="One audit", refuses=(404,),
        gives={200: {JSON: wire.Audit}}, params=(Param("id", "of the audit", {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"}, "path"),),
    ),
    Operation(
        method="GET", path="/v1/findings", handler=findings, scope="audit", summary="Findings",
        gives={200: {JSON: wire.Findings}},
        params=(*(Param(name, f"of this {name}") for name in FILTERS), CURSOR, LIMIT),
    ),
)  # fmt: skip
