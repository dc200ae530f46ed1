"""What people answer for with their name: waivers of findings, approvals, signatures under law files."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from compliance.law.knowledge import KnowledgeBase
from compliance.service import laws, tables, wire
from compliance.service.contract import IDEMPOTENCY, JSON, Operation, Param, ref
from compliance.service.problems import Refusal
from compliance.service.serving import answer, asked, caller, listed, serving
from compliance.service.writing import Done, digest, write


def _waiver(row: tables.Waivers) -> wire.Waiver:
    return wire.Waiver(
        row.id, row.fingerprint, row.match, row.reason, row.owner, row.until, row.added_by, row.added, row.withdrawn
    )


async def waivers(request: Request) -> Response:
    """List waivers."""
    return await listed(request, tables.Waivers, _waiver)


async def waive(request: Request) -> Response:
    """Waive findings until a day."""
    who = caller(request).name

    def work(session: Session, new: wire.NewWaiver, at: str) -> Done:
        if bool(new.fingerprint) == bool(new.match):
            raise Refusal("invalid", "A waiver needs a fingerprint or a match, one of the two")
        row = tables.Waivers(
            id=uuid.uuid4().hex, fingerprint=new.fingerprint, match=dict(new.match), reason=new.reason, owner=new.owner,
            until=new.until, added_by=who, added=at,
        )  # fmt: skip
        session.add(row)
        said = {"owner": new.owner, "until": new.until, "fingerprint": new.fingerprint, "match": digest(new.match)}
        return Done(_waiver(row), "waiver.created", row.id, said, row=row)

    return await write(request, wire.NewWaiver, work)


async def withdraw(request: Request) -> Response:
    """Withdraw a waiver."""
    id, who = request.path_params["id"], caller(request).name

    def work(session: Session, end: wire.Release, at: str) -> Done:
        row = session.get(tables.Waivers, id)
        if row is None:
            raise Refusal("not-found", "No waiver has this id (GET /v1/waivers)")
        if row.withdrawn:
            raise Refusal("conflict", f"The waiver was withdrawn on {row.withdrawn[:10]}")
        row.withdrawn, row.withdrawn_by = at, who
        said = {"by": end.released_by, "why": digest(end.why)}
        return Done(_waiver(row), "waiver.withdrawn", id, said, status=200, row=row)

    return await write(request, wire.Release, work)


def _approval(row: tables.Approvals) -> wire.Approval:
    return wire.Approval(row.id, row.subject, row.digest, row.by, row.role, row.note, row.added)


async def approvals(request: Request) -> Response:
    """List approvals."""
    subject = asked(request, "subject").get("subject")
    wanted = select(tables.Approvals).order_by(tables.Approvals.added)
    if subject is not None:
        wanted = wanted.where(tables.Approvals.subject == subject)
    rows = await run_in_threadpool(serving(request).store.read, lambda s: list(s.execute(wanted).scalars()))
    return answer([_approval(row) for row in rows])


async def approve(request: Request) -> Response:
    """Approve a thing in one state, as who calls."""
    who = caller(request).name

    def work(session: Session, new: wire.NewApproval, at: str) -> Done:
        same = {"subject": new.subject, "digest": new.digest, "by": who, "role": new.role}
        if session.execute(select(tables.Approvals).filter_by(**same)).first():
            raise Refusal("conflict", f"{who} has approved this as {new.role}")
        row = tables.Approvals(id=uuid.uuid4().hex, note=new.note, added=at, **same)
        session.add(row)
        said = {"digest": new.digest, "role": new.role, "id": row.id}
        return Done(_approval(row), "approved", new.subject, said, row=row)

    return await write(request, wire.NewApproval, work)


def seen_by(base: KnowledgeBase, name: str) -> frozenset[str]:
    """Return who is named in a law file as having seen the text, in small letters."""
    return frozenset(norm.verification.by.casefold() for norm in base.statute(name).norms if norm.verification.by)


async def sign(request: Request) -> Response:
    """Sign for one state of a law file, as who calls; the digest must be that of the file served."""
    service, who = serving(request), caller(request).name

    def work(session: Session, new: wire.NewSignOff, at: str) -> Done:
        if new.statute not in service.knowledge.files:
            raise Refusal("not-found", "No law file has this id (GET /v1/laws)")
        current = laws.digest_of(service.knowledge, new.statute)
        if new.digest != current:
            raise Refusal("conflict", f"The file is now {current}: read it again before you sign")
        if who.casefold() in seen_by(service.knowledge, new.statute):
            raise Refusal("conflict", f"{who} is named in the file as having seen the text: a second person signs")
        same = {"statute": new.statute, "digest": new.digest, "by": who}
        if session.execute(select(tables.SignOffs).filter_by(**same)).first():
            raise Refusal("conflict", f"{who} has signed for this state")
        row = tables.SignOffs(id=uuid.uuid4().hex, role=new.role, note=new.note, added=at, **same)
        session.add(row)
        shown = wire.SignOff(row.id, row.statute, row.digest, row.by, row.role, row.note, row.added, True)
        said = {"digest": new.digest, "role": new.role, "id": row.id}
        return Done(shown, "law.signed", new.statute, said, row=row)

    return await write(request, wire.NewSignOff, work)


def _list(name: str) -> dict[str, object]:
    return {"type": "array", "items": ref(name)}


OPERATIONS = (
    Operation(method="GET", path="/v1/waivers", handler=waivers, scope="audit", summary="Waivers", gives={200: {JSON: _list("Waiver")}}),
    Operation(
        method="POST", path="/v1/waivers", handler=waive, scope="audit", summary="Answer for findings until a day",
        takes={JSON: wire.NewWaiver}, gives={201: {JSON: wire.Waiver}}, params=(IDEMPOTENCY,),
        example={"reason": "records moved to the city archive", "owner": "Records office", "until": "2027-06-30", "match": {"site": "north"}},
    ),
    Operation(
        method="POST", path="/v1/waivers/{id}/withdraw", handler=withdraw, scope="audit", summary="Withdraw a waiver",
        takes={JSON: wire.Release}, gives={200: {JSON: wire.Waiver}}, refuses=(404, 409),
        params=(Param("id", "of the waiver", {"type": "string", "pattern": "^[0-9a-f]{32}$"}, "path"), IDEMPOTENCY),
    ),
    Operation(
        method="GET", path="/v1/approvals", handler=approvals, scope="audit", summary="Approvals",
        gives={200: {JSON: _list("Approval")}}, params=(Param("subject", "of this thing"),),
    ),
    Operation(
        method="POST", path="/v1/approvals", handler=approve, scope="audit", summary="Approve a thing in one state",
        takes={JSON: wire.NewApproval}, gives={201: {JSON: wire.Approval}}, params=(IDEMPOTENCY,), refuses=(409,),
    ),
    Operation(
        method="POST", path="/v1/sign-offs", handler=sign, scope="audit", summary="Sign for one state of a law file",
        takes={JSON: wire.NewSignOff}, gives={201: {JSON: wire.SignOff}}, params=(IDEMPOTENCY,), refuses=(404, 409),
    ),
)  # fmt: skip
