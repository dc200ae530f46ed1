"""GET /v1/purge-date: facts that name nobody, in the address. What identifies a person goes by POST.

Refused: identities (study, patient, accession, device) and days of a patient's life. Their year may be given (45 CFR
164.514(b)(2)(i)(C) takes years for no identifiers), so may the day of the study, which thousands share.
"""

from __future__ import annotations

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from compliance.decision.contract import to_json
from compliance.decision.decide import decide
from compliance.decision.missing import what_would_change
from compliance.errors import FactError, guess
from compliance.law.vocabulary import FactType, Vocabulary
from compliance.service.contract import AS_OF, ASSUME, JSON, Operation, Param
from compliance.service.problems import Refusal, of_error
from compliance.service.serving import Service, answer, assumed, day_of, serving
from compliance.service.wire import Decision
from compliance.service.writing import digest

IMPERSONAL = frozenset(
    {"study_date", "marketing_approval_date", "trial_end_date", "trial_discontinued_date", "practice_closed_date"}
)
_YEARS = re.compile(r"never|happened|unknown|(\.\.|\d{4})(/(\.\.|\d{4}))?", re.ASCII)
_ELSEWHERE = "Send it in the body of POST /v1/decisions: addresses are kept by browsers, proxies and logs"


def identifiable(kind: FactType) -> bool:
    """Tell whether the fact may name a person."""
    return kind.type in ("text", "days") or (kind.type == "date" and kind.name not in IMPERSONAL)


def _read(name: str, values: list[str], vocabulary: Vocabulary) -> Any:
    kind = vocabulary.type_of(name)
    if kind is None:
        raise Refusal("bad-request", f"no fact {name[:40]!r}.{guess(name[:40], vocabulary.facts)} (GET /v1/facts)")
    if kind.type in ("text", "days"):
        raise Refusal("identifiable", f"{name} names a person or a study. {_ELSEWHERE}")
    if kind.type == "date" and name not in IMPERSONAL and not (len(values) == 1 and _YEARS.fullmatch(values[0])):
        raise Refusal("identifiable", f"{name}: here a year at most, such as 2010 or 2008/2010. {_ELSEWHERE}")
    if kind.type in ("set", "places"):
        return [word for value in values for word in value.split(",") if word] if values != ["unknown"] else "unknown"
    if len(values) > 1:
        raise Refusal("bad-request", f"{name} is given {len(values)} times")
    return values[0]


async def purge_date(request: Request) -> Response:
    """Decide on anonymous facts."""
    service, given = serving(request), dict[str, list[str]]()
    for name, value in request.query_params.multi_items():
        given.setdefault(name, []).append(value)
    day = day_of(_one("as_of", given), service.today())
    chosen = _one("assume", given)
    names = assumed({} if chosen is None else {"assume": chosen})
    facts = {name: _read(name, values, service.knowledge.vocabulary) for name, values in given.items()}
    sets, holds = service.sets(names), await service.holds_now()
    try:
        decision = decide(facts, service.knowledge, day, sets, holds)
    except FactError as error:
        raise of_error(error) from None
    found = to_json(decision, what_would_change(decision, service.knowledge, sets, holds))
    return tagged(request, service, found, digest(found)[7:23])


def _one(name: str, given: dict[str, list[str]]) -> str | None:
    values = given.pop(name, [])
    if len(values) > 1:
        raise Refusal("bad-request", f"{name} is given {len(values)} times")
    return values[0] if values else None


def tagged(request: Request, service: Service, found: Any, more: str = "") -> Response:
    """Return an answer under an entity tag (the law's digest and what else it depends on), or 304."""
    tag = f'{service.etag[:-1]}{"-" + more if more else ""}"'
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    headers = {"etag": tag, "cache-control": "private, no-cache"}
    if tag in known or "*" in known:
        return Response(None, 304, headers)
    return answer(found, 200, etag=tag, cache_control="private, no-cache")


def operations(vocabulary: Vocabulary) -> tuple[Operation, ...]:
    """Return the operation, with the anonymous facts of the vocabulary as parameters."""
    params = [
        Param(kind.name, kind.says, _schema(kind))
        for kind in vocabulary.facts.values()
        if kind.type not in ("text", "days")
    ]
    return (
        Operation(
            method="GET", path="/v1/purge-date", handler=purge_date, scope="read", refuses=(422,),
            summary="The same for anonymous facts",
            says="Facts of a person are refused: dates of a patient's life by the year alone. Query strings are never logged.",
            gives={200: {JSON: Decision}, 304: {}}, params=(AS_OF, ASSUME, *params), headers={"ETag": "the law base, and what else the answer depends on"},
        ),
    )  # fmt: skip


def _schema(kind: FactType) -> dict[str, Any]:
    words = [*kind.values, "unknown"]
    if kind.type == "boolean":
        return {"type": "string", "enum": ["true", "false", "unknown"]}
    if kind.type == "choice":
        return {"type": "string", "enum": words}
    if kind.type == "date":
        return {"type": "string"}
    return {"type": "string", "description": "words joined by commas"}
