"""/v1/holds: one register of the profile's holds and the store's; each step is written in the ledger."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from compliance.decision.holds import Hold
from compliance.errors import LawError
from compliance.law.dates import write_edtf
from compliance.law.matching import never_matched
from compliance.service import tables, wire
from compliance.service.contract import IDEMPOTENCY, JSON, Operation, Param, ref
from compliance.service.laws import scope_words
from compliance.service.problems import Refusal, of_error
from compliance.service.serving import Service, answer, asked, caller, hold_of, read_scope, serving
from compliance.service.store import StoreError
from compliance.service.writing import Done, digest, write


def of_row(row: tables.Holds, privileged: bool) -> wire.Hold:
    """Return a hold of the store; `matter` is for those who keep holds."""
    return wire.Hold(
        row.id, row.scope, row.issued_by, row.issued, row.review_by or None, row.released or None, row.released_by,
        row.trigger, "store", row.matter if privileged else "",
    )  # fmt: skip


def _of_profile(one: Hold, privileged: bool) -> wire.Hold:
    days = [write_edtf(day) if day else None for day in (one.issued, one.review_by, one.released)]
    return wire.Hold(
        one.id, scope_words(one.scope), one.issued_by, days[0], days[1], days[2], one.released_by, one.trigger, "profile",
        one.matter if privileged else "",
    )  # fmt: skip


async def holds(request: Request) -> Response:
    """List the register."""
    service, query = serving(request), asked(request, "state")
    state = query.get("state", "all")
    if state not in ("all", "in_force", "released"):
        raise Refusal("bad-request", f"state={state[:20]!r} is not allowed. Allowed: all, in_force, released")
    privileged = caller(request).may("hold")
    rows = await run_in_threadpool(service.store.read, _rows)
    own = service.profile.holds if service.profile else ()
    found = [*(_of_profile(one, privileged) for one in own), *(of_row(row, privileged) for row in rows)]
    return answer([one for one in found if state == "all" or (one.released is None) == (state == "in_force")])


def _rows(session: Session) -> list[tables.Holds]:
    return list(session.execute(select(tables.Holds).order_by(tables.Holds.added)).scalars())


async def create(request: Request) -> Response:
    """Put a hold in force."""
    service, who = serving(request), caller(request).name
    own = {one.id for one in service.profile.holds} if service.profile else set()

    def work(session: Session, new: wire.NewHold, at: str) -> Done:
        if new.id in own or session.get(tables.Holds, new.id) is not None:
            raise Refusal("conflict", f"A hold {new.id} is on file; ids are never used again")
        _check(new.scope, service)
        issued = new.issued if isinstance(new.issued, str) else service.today().isoformat()
        row = tables.Holds(
            id=new.id, scope=new.scope, matter=new.matter, issued_by=new.issued_by, trigger=new.trigger, issued=issued,
            review_by=new.review_by if isinstance(new.review_by, str) else "", added_by=who, added=at,
        )  # fmt: skip
        try:
            hold_of(row, service.knowledge)  # one that cannot be read would stop every decision, even when released
        except StoreError:
            raise Refusal("invalid", "issued or review_by is no day. Allowed: a day such as 2026-11-24") from None
        session.add(row)
        said = {"scope": digest(new.scope), "issued": issued, "issued_by": new.issued_by}
        event = ("hold.created", {"id": new.id, "issued": issued})
        return Done(of_row(row, True), "hold.created", new.id, said, event=event, row=row)

    return await _then_forget(service, await write(request, wire.NewHold, work))


def _check(scope: Any, service: Service) -> None:
    try:
        found = read_scope(scope, service.knowledge)
    except LawError as error:
        raise of_error(error, "invalid") from None
    sites = [site.id for site in service.profile.sites] if service.profile else None
    if wrong := list(never_matched(found, service.knowledge, sites)):
        raise of_error(LawError("The hold would match nothing", wrong), "invalid")


async def release(request: Request) -> Response:
    """Release a hold; what a profile holds is released there."""
    service, id, who = serving(request), request.path_params["id"], caller(request).name
    if service.profile and any(one.id == id for one in service.profile.holds):
        raise Refusal("conflict", f"Hold {id} stands in the profile: release it there")

    def work(session: Session, end: wire.Release, at: str) -> Done:
        row = session.get(tables.Holds, id)
        if row is None:
            raise Refusal("not-found", "No hold has this id (GET /v1/holds)")
        if row.released:
            raise Refusal("conflict", f"Hold {id} was released on {row.released}")
        row.released, row.released_by, row.released_why = service.today().isoformat(), end.released_by, end.why
        said = {"released_by": end.released_by, "why": digest(end.why), "added_by": row.added_by, "by": who}
        event = ("hold.released", {"id": id, "released": row.released})
        return Done(of_row(row, True), "hold.released", id, said, status=200, event=event, row=row)

    return await _then_forget(service, await write(request, wire.Release, work))


async def _then_forget(service: Service, response: Response) -> Response:
    service.forget_holds()
    return response


_ID = Param("id", "matter id", {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,100}$"}, "path")
OPERATIONS = (
    Operation(
        method="GET", path="/v1/holds", handler=holds, scope="read", summary="The register of holds",
        says="`matter` is shown to keys of scope hold.", gives={200: {JSON: {"type": "array", "items": ref("Hold")}}},
        params=(Param("state", "in force or released", {"type": "string", "enum": ["all", "in_force", "released"]}),),
    ),
    Operation(
        method="POST", path="/v1/holds", handler=create, scope="hold", summary="Put a hold in force", takes={JSON: wire.NewHold},
        gives={201: {JSON: wire.Hold}}, params=(IDEMPOTENCY,), refuses=(409,),
        example={"id": "matter-7", "scope": {"modality": ["CT"]}, "issued_by": "Legal"},
    ),
    Operation(
        method="POST", path="/v1/holds/{id}/release", handler=release, scope="hold", summary="Release a hold",
        takes={JSON: wire.Release}, gives={200: {JSON: wire.Hold}}, params=(_ID, IDEMPOTENCY), refuses=(404, 409),
        example={"released_by": "Legal", "why": "the matter was settled"},
    ),
)  # fmt: skip
