"""POST /v1/explain: the decision for people, as text, Markdown or HTML."""

from __future__ import annotations

import jinja2
from starlette.requests import Request
from starlette.responses import Response

from compliance.decision import explain
from compliance.decision.decide import decide
from compliance.decision.missing import what_would_change
from compliance.errors import FactError
from compliance.report.html import templates
from compliance.service import contract, decisions
from compliance.service.contract import JSON, Operation
from compliance.service.problems import Refusal, of_error
from compliance.service.serving import asked, assumed, body_of, decoded, serving
from compliance.service.web.grounds import answer_lines, assumed_line, bearing
from compliance.service.wire import Ask

FORMS = ("text/plain", "text/html", "text/markdown")


def _chosen(accept: str) -> str:
    """Return the form asked for: the first of the list that is named, text where anything will do."""
    wanted = [part.partition(";")[0].strip().lower() for part in accept.split(",") if part.strip()]
    for one in wanted or ["*/*"]:
        if one in FORMS:
            return one
        if one in ("*/*", "text/*"):
            return FORMS[0]
    raise Refusal("not-acceptable", f"Allowed: {', '.join(FORMS)}")


async def explained(request: Request) -> Response:
    """Explain the decision."""
    service = serving(request)
    form = _chosen(request.headers.get("accept", ""))
    names = assumed(asked(request, "assume"))
    question = decoded(await body_of(request), Ask)
    sets, holds = service.sets(names), await service.holds_now()
    try:
        day = decisions.day_of(question, service.today())
        decision = decide(question.facts, service.knowledge, day, sets, holds)
    except FactError as error:
        raise of_error(error) from None
    missing = what_would_change(decision, service.knowledge, sets, holds)
    if form == "text/html":
        given = question.facts
        deciding = bearing(
            decision, lambda fact: decide({**given, fact: "unknown"}, service.knowledge, day, sets, holds)
        )
        page = jinja2.Environment(loader=jinja2.FileSystemLoader(templates()), autoescape=True, trim_blocks=True)
        text = page.get_template("explanation.html").render(
            answer=answer_lines(decision), bearing=[assumed_line(one) for one in deciding],
            sections=explain.sections(decision, missing)[1:], day=day.isoformat(), disposition=decision.disposition,
        )  # fmt: skip
        policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
        return Response(text, 200, {"content-security-policy": policy}, "text/html")
    write = explain.markdown if form == "text/markdown" else explain.text
    return Response(write(decision, missing), 200, media_type=form)


OPERATIONS = (
    Operation(
        method="POST", path="/v1/explain", handler=explained, scope="read", summary="The decision with its grounds, for people",
        says="The form follows `Accept`: text/plain, text/html, text/markdown.", takes={JSON: Ask}, refuses=(406,),
        gives={200: dict.fromkeys(FORMS)}, params=(contract.ASSUME,), example=decisions.EXAMPLE,
    ),
)  # fmt: skip
