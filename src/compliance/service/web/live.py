"""The pages as the service serves them: the same as the static site, and those that need a server.

Reading needs the scope `read`, findings and waivers `audit`, holds `hold`; the gate in front knows the caller and refuses
writes from pages of other sites.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from compliance.audit.findings import LEVELS
from compliance.decision.decide import Decision, decide
from compliance.decision.missing import what_would_change
from compliance.errors import ComplianceError, FactError
from compliance.law.knowledge import place_on_file
from compliance.law.sources import shipped
from compliance.service import audits, desk, holds
from compliance.service.pages import STATIC, Pages
from compliance.service.problems import Refusal
from compliance.service.serving import Service, caller, day_of, serving
from compliance.service.web import decisions, desking
from compliance.service.web.forms import POLICY, body_of, facts_of, form_of, html, scope_of, with_json, with_query
from compliance.service.web.grounds import bearing
from compliance.service.web.questions import KEEPERS, QUESTIONS, Answers
from compliance.service.web.runs import shown

Handler = Callable[[Request, Pages], Awaitable[Response]]


@dataclass
class Rendered:
    """The pages of today; renewed when the day changes."""

    pages: Pages | None = None
    kept: dict[str, bytes] = field(default_factory=dict)

    def of(self, service: Service) -> Pages:
        """Return the pages of today."""
        today = service.today()
        if self.pages is None or self.pages.as_of != today or self.pages.base is not service.knowledge:
            self.pages, self.kept = Pages(service.knowledge, today, service.settings.laws or shipped(), live=True), {}
        return self.pages

    def read(self, pages: Pages, path: str) -> bytes:
        """Return a page; those of a day are made once. Raises KeyError."""
        if path not in self.kept:
            self.kept[path] = pages.read(path)
        return self.kept[path]

    def refused(self, service: Service, method: str, path: str, refusal: Refusal) -> Response:
        """Say a refusal as a page."""
        text = self.of(service).render("refused.html", _named(path), problem=refusal.problem(), method=method)
        return html(text, refusal.status, refusal.headers)


def mount(app: FastAPI) -> Rendered:
    """Add the pages to the service; return what renders them."""
    rendered = Rendered()
    for path in ("/", "/index.html", "/maps/{page}", "/places/{page}", "/laws/{page:path}"):
        app.add_api_route(path, _guarded("read", _static(rendered), rendered), methods=["GET"], include_in_schema=False)
    for name in STATIC:
        app.add_api_route(
            f"/static/{name}", _guarded("read", _static(rendered), rendered), methods=["GET"], include_in_schema=False
        )
    for method, path, scope, handler in ROUTES:
        app.add_api_route(path, _guarded(scope, handler, rendered), methods=[method], include_in_schema=False)
    return rendered


def _guarded(scope: str, handler: Handler, rendered: Rendered) -> Callable[[Request], Awaitable[Response]]:
    """Let a caller of the scope in; what is refused is said as a page."""

    async def route(request: Request) -> Response:
        service = serving(request)
        try:
            if not caller(request).may(scope):
                raise Refusal("forbidden", f"This needs a key of scope {scope}")
            return await handler(request, rendered.of(service))
        except Refusal as refusal:
            return rendered.refused(service, request.method, request.url.path, refusal)

    return route


def _page(request: Request) -> str:
    return _named(request.url.path)


def _named(path: str) -> str:
    return path.lstrip("/") or "index.html"


def _static(rendered: Rendered) -> Handler:
    async def page(request: Request, pages: Pages) -> Response:
        path = _page(request)
        try:
            content = await run_in_threadpool(rendered.read, pages, path)
        except KeyError:
            raise Refusal("not-found", "No such page; the places on file are listed under Places") from None
        kind = pages.type_of(path)
        headers = {"content-security-policy": POLICY, "cache-control": "private, max-age=300"}
        return Response(content, 200, headers, kind)

    return page


# comparison, calculator, search ------------------------------------------------------------------------------------------


async def compare(request: Request, pages: Pages) -> Response:
    """Two places, each with its day."""
    query = dict(request.query_params)
    if not query:
        return html(pages.compare_page())
    chosen = {name: query.get(name, "")[:40] for name in ("a", "b", "on_a", "on_b")}
    try:
        sides = tuple(
            [
                await run_in_threadpool(_side, pages, one, chosen[one], chosen[f"on_{one}"])
                for one in ("a", "b")
                if chosen[one]
            ]
        )
    except Refusal as refusal:
        return html(pages.compare_page((), refusal.detail, chosen), refusal.status)
    return html(pages.compare_page(sides, "", {name: value for name, value in chosen.items() if value}))


def _side(pages: Pages, which: str, code: str, on: str) -> dict[str, Any]:
    base = pages.base
    if wrong := place_on_file(base, code):
        raise Refusal("bad-request", wrong)
    day = day_of(on or None, pages.as_of)
    answers = pages.answers if day == pages.as_of else Answers(base, day)
    rows = [
        (question, [answers.of(code, question.name, keeper) for keeper in KEEPERS]) for question in QUESTIONS.values()
    ]
    norms = [
        (norm, version)
        for statute in base.statutes(code)
        for norm in statute.norms
        if (version := next((one for one in norm.versions if one.since.latest <= day.toordinal()), None))
    ]
    return {
        "which": {"a": "left", "b": "right"}[which],
        "place": base.jurisdictions.places[code],
        "on": day.isoformat(),
        "answers": rows,
        "norms": norms,
    }


async def calculator(request: Request, pages: Pages) -> Response:
    """The empty form."""
    return html(pages.calculator_page())


async def calculate(request: Request, pages: Pages) -> Response:
    """Decide on the facts of the form; nothing is kept. `X-Fragment` asks for the answer alone."""
    given = await form_of(request)
    alone = request.headers.get("x-fragment") == "answer"
    try:
        answer = await run_in_threadpool(_answer, request, pages, given)
    except FactError as error:
        problems = [f"{one.path}: {one.message}" if one.path else one.message for one in error.problems] or [str(error)]
    except Refusal as refusal:
        problems = [refusal.detail]
    else:
        if alone:
            return html(pages.render("decision.html", "calculator.html", answer=answer))
        return html(pages.calculator_page(answer, given))
    if alone:
        return html(pages.render("problems.html", "calculator.html", problems=problems), 422)
    return html(pages.calculator_page(None, given, problems), 422)


def _answer(request: Request, pages: Pages, given: Mapping[str, str]) -> dict[str, Any]:
    service, types = serving(request), {name: fact.type for name, fact in pages.base.vocabulary.facts.items()}
    assume = given.get("assume", "none")
    sets = service.sets([] if assume == "none" else [assume])
    day = day_of(given.get("as_of"), service.today())
    facts = facts_of({name: value for name, value in given.items() if name not in ("as_of", "assume")}, types)
    register = service.holds()

    def again(**other: str) -> Decision:
        return decide({**facts, **other}, pages.base, day, sets, register)

    decision = again()
    missing = what_would_change(decision, pages.base, sets, register)
    return decisions.view(decision, missing, bearing(decision, lambda fact: again(**{fact: "unknown"})))


async def search(request: Request, pages: Pages) -> Response:
    """What holds every word."""
    query = request.query_params.get("q", "")[:200]
    return html(await run_in_threadpool(pages.search_page, query, True))


# audits -----------------------------------------------------------------------------------------------------------------


async def runs(request: Request, pages: Pages) -> Response:
    """The audits that were registered."""
    found = body_of(await audits.audits(with_query(request, cursor=request.query_params.get("cursor", ""))))
    rows = [shown(run) for run in found["items"]]
    return html(
        pages.render("audits.html", "audits/index.html", rows=rows, following=found["next"], who=caller(request))
    )


async def findings(request: Request, pages: Pages) -> Response:
    """Findings with filters; a waiver can be written under each."""
    asked = {name: request.query_params.get(name, "")[:200] for name in (*audits.FILTERS, "cursor")}
    found = body_of(await audits.findings(with_query(request, **asked)))
    waivers = body_of(await desk.waivers(with_query(request)))
    waived = {one["fingerprint"]: one for one in waivers if one["fingerprint"] and not one["withdrawn"]}
    return html(
        pages.render(
            "findings.html", "audits/findings.html", found=found, asked=asked, waived=waived, levels=LEVELS,
            who=caller(request), filters=audits.FILTERS,
        )
    )  # fmt: skip


async def study(request: Request, pages: Pages) -> Response:
    """One study: its findings over all audits, the holds in force, and its timeline."""
    uid = request.query_params.get("study", "")[:128]
    if not uid:
        raise Refusal("bad-request", "Which study? audits/study.html?study=UID")
    found = body_of(await audits.findings(with_query(request, study=uid)))
    register = body_of(await holds.holds(with_query(request, state="in_force")))
    answer, why = await run_in_threadpool(_studied, request, uid)
    return html(
        pages.render(
            "study.html", "audits/study.html", uid=uid, found=found, holds=register, who=caller(request), answer=answer, why=why
        )
    )  # fmt: skip


def _studied(request: Request, uid: str) -> tuple[dict[str, Any] | None, str]:
    """Return the decision on a study of the archive's inventory, or why there is none."""
    service = serving(request)
    if service.settings.inventory is None or service.profile is None:
        return (
            None,
            "A timeline needs the archive's inventory and profile: compliance serve --inventory FILE --profile FILE",
        )
    from compliance.archive.inventory import open_inventory  # engines of tables, which no other page needs
    from compliance.audit.explained import decided

    profile = replace(service.profile, holds=service.holds())
    try:
        decision = decided(open_inventory(service.settings.inventory), profile, service.today(), uid)
    except ComplianceError as error:
        return None, f"The inventory cannot be asked: {error.args[0]}"
    if decision is None:
        return None, "The study is not in the inventory of this service."
    missing = what_would_change(decision, profile.knowledge, profile.assumptions, profile.holds)
    return decisions.view(decision, missing), ""


async def waivers(request: Request, pages: Pages) -> Response:
    """All waivers."""
    found = body_of(await desk.waivers(with_query(request)))
    return html(pages.render("waivers.html", "audits/waivers.html", found=found, who=caller(request), problem=""))


async def waive(request: Request, pages: Pages) -> Response:
    """Write a waiver; the operation of the API does it, with its ledger entry."""
    given = await form_of(request)
    body: dict[str, Any] = {name: given.get(name, "") for name in ("reason", "owner", "until")}
    if "fingerprint" in given:
        body["fingerprint"] = given["fingerprint"]
    else:
        body["match"] = {name: given[name] for name in ("code", "site", "study", "record", "norm") if name in given}
    await desk.waive(with_json(request, body))
    return RedirectResponse("/audits/waivers.html", 303)


async def withdraw(request: Request, pages: Pages) -> Response:
    """Withdraw a waiver."""
    given = await form_of(request)
    body = {"released_by": caller(request).name, "why": given.get("why", "")}
    await desk.withdraw(with_json(request, body, id=given.get("id", "")))
    return RedirectResponse("/audits/waivers.html", 303)


# holds ------------------------------------------------------------------------------------------------------------------


async def register(request: Request, pages: Pages) -> Response:
    """The register of holds."""
    found = sorted(body_of(await holds.holds(with_query(request))), key=lambda one: bool(one["released"]))
    return html(pages.render("holds.html", "holds.html", found=found, who=caller(request)))


async def hold(request: Request, pages: Pages) -> Response:
    """Put a hold in force."""
    given = await form_of(request)
    body: dict[str, Any] = {
        name: given[name] for name in ("id", "issued_by", "issued", "matter", "review_by", "trigger") if name in given
    }
    await holds.create(with_json(request, {**body, "scope": scope_of(given.get("scope", ""))}))
    return RedirectResponse("/holds.html", 303)


async def release(request: Request, pages: Pages) -> Response:
    """Release a hold."""
    given = await form_of(request)
    body = {"released_by": given.get("released_by", ""), "why": given.get("why", "")}
    await holds.release(with_json(request, body, id=given.get("id", "")))
    return RedirectResponse("/holds.html", 303)


ROUTES: tuple[tuple[str, str, str, Handler], ...] = (
    ("GET", "/compare.html", "read", compare),
    ("GET", "/calculator.html", "read", calculator),
    ("POST", "/calculator.html", "read", calculate),
    ("GET", "/search.html", "read", search),
    ("GET", "/audits/index.html", "audit", runs),
    ("GET", "/audits/findings.html", "audit", findings),
    ("GET", "/audits/study.html", "audit", study),
    ("GET", "/audits/waivers.html", "audit", waivers),
    ("POST", "/audits/waivers.html", "audit", waive),
    ("POST", "/audits/waivers/withdraw", "audit", withdraw),
    ("GET", "/holds.html", "read", register),
    ("POST", "/holds.html", "hold", hold),
    ("POST", "/holds/release", "hold", release),
    ("GET", "/desk.html", "read", desking.law),
    ("POST", "/desk.html", "read", desking.check),
    ("POST", "/desk/sign", "audit", desking.sign),
)
