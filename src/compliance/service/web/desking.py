"""The pages of the law desk: edit, check, hand in, sign."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from compliance.service import desk, handing, laws
from compliance.service.pages import Pages
from compliance.service.problems import Refusal
from compliance.service.serving import caller, serving
from compliance.service.web import desk as law_desk
from compliance.service.web.forms import POLICY, body_of, form_of, html, with_json, with_query
from compliance.service.writing import Done, commit, digest

_LONGEST_WHY = 4000


async def law(request: Request, pages: Pages) -> Response:
    """The desk, with a law file where one is named."""
    name = request.query_params.get("id", "")[:150]
    return html(await _desk(request, pages, name, None, None))


async def check(request: Request, pages: Pages) -> Response:
    """Check an edited file, or hand it over as a download."""
    given = await form_of(request)
    name, text, read = given.get("id", ""), given.get("text", ""), given.get("read", "")
    if not law_desk.is_name(name):
        raise Refusal(
            "invalid", "The id of a law file is PLACE/name, as US-TX/22-tac-163-2: small letters, digits, dots, dashes"
        )
    if given.get("do") == "download":
        headers = {
            "content-disposition": f'attachment; filename="{name.rpartition("/")[2]}.yaml"',
            "content-security-policy": POLICY,
        }
        return Response(text, 200, headers, "text/plain")
    if given.get("do") == "commit":
        return await _committed(request, name, text, read, given.get("why", ""))
    found = await run_in_threadpool(law_desk.checked, text, name, pages.base, pages.as_of)
    return html(await _desk(request, pages, name, text, found, read))


async def _committed(request: Request, name: str, text: str, read: str, why: str) -> Response:
    """Commit a checked law file; the commit and its entry in the ledger stand or fall together."""
    service, who = serving(request), caller(request)
    folder = service.settings.law_desk
    if folder is None:
        raise Refusal("conflict", "This service commits nothing: it was started without --law-desk")
    if not who.may("admin"):
        raise Refusal("forbidden", "This needs a key of scope admin")
    if not why.strip():
        raise Refusal("invalid", "Say what was changed and why: it stands in the commit")
    await run_in_threadpool(law_desk.need_sound, text, name, folder, service.today())
    if len(why) > _LONGEST_WHY:
        raise Refusal("invalid", f"The reason is too long. Allowed: {_LONGEST_WHY:,} characters")
    made = list[handing.Committed]()  # a transaction run again after a broken connection commits no second time

    def work(session: Session, _: str, at: str) -> Done:
        if not made:
            made.append(handing.commit(folder, name, text, read, who.name, why))
        said = {"commit": made[0].id, "digest": made[0].digest, "author": who.name, "signed_off_by": who.name}
        return Done(said, "law.committed", name, {**said, "why": digest(why)})

    await commit(request, name, f"{name}\n{text}".encode(), work)
    return RedirectResponse(f"/desk.html?id={name}", 303)


async def _desk(
    request: Request, pages: Pages, name: str, text: str | None, found: law_desk.Checked | None, read: str = ""
) -> str:
    base, who, folder = pages.base, caller(request), serving(request).settings.law_desk
    there = name in base.files or (folder is not None and law_desk.is_name(name))
    on_file = pages.law_text(name) if there else None
    last = await run_in_threadpool(handing.last_commit, folder, name) if folder and on_file is not None else ""
    if text is None:
        text = on_file or law_desk.blank(name, pages.as_of)
    signed: list[Any] = []
    current = ""
    if name in base.files:
        current = laws.digest_of(base, name)
        signed = body_of(await laws.sign_offs(with_query(request, statute=name)))
    return pages.render(
        "desk.html", "desk.html", id=name, text=text, found=found, on_file=on_file is not None, changed=text != on_file,
        digest=current, signed=signed, who=who, authors=law_desk.authors(base, name), names=sorted(base.files),
        commits=folder is not None, last=last, read=read or handing.digest_of(on_file or ""),
    )  # fmt: skip


async def sign(request: Request, pages: Pages) -> Response:
    """Sign for the file as served, as a second person."""
    given = await form_of(request)
    body = {name: given.get(name, "") for name in ("statute", "digest", "role", "note")}
    await desk.sign(with_json(request, body))
    return RedirectResponse(f"/desk.html?id={body['statute']}", 303)
