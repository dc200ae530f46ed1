"""POST /v1/decisions: one question, a list, a stream of lines, a stream of Arrow batches."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from compliance.decision.contract import to_json
from compliance.decision.decide import decide
from compliance.decision.holds import Hold
from compliance.decision.missing import what_would_change
from compliance.decision.question import Question
from compliance.errors import FactError
from compliance.service import bulk, contract, streams
from compliance.service.contract import JSON, Operation, Param
from compliance.service.metrics import Metrics
from compliance.service.problems import Refusal, of_error
from compliance.service.serving import (
    ENCODER,
    Answers,
    Service,
    assumed,
    decoded,
    need_once,
    need_type,
    parameters,
    serving,
)
from compliance.service.wire import Ask, Brief, Unanswered

LINES, ARROW = "application/x-ndjson", "application/vnd.apache.arrow.stream"
MOST = 10_000
_MANY = 16  # a list longer than this is decided beside the event loop
_ONE, _PIECES = msgspec.json.Decoder(Ask), msgspec.json.Decoder(list[msgspec.Raw])


def day_of(question: Ask, today: date) -> date:
    """Return the day asked about; raises Refusal."""
    if not isinstance(question.as_of, str):
        return today
    try:
        return date.fromisoformat(question.as_of)
    except ValueError:
        raise Refusal("invalid", f"as_of {question.as_of!r} is no day. Allowed: a day such as 2026-11-24") from None


class Choice(NamedTuple):
    """How it is decided and told."""

    names: tuple[str, ...]
    brief: bool


@lru_cache(maxsize=64)
def choice(query: bytes) -> Choice:
    """Read a query string; raises Refusal."""
    given = parameters(query, "assume", "detail")
    detail = given.get("detail", "full")
    if detail not in ("full", "brief"):
        raise Refusal("bad-request", f"detail={detail[:40]!r} is not allowed. Allowed: full, brief")
    return Choice(assumed(given), detail == "brief")


def one(question: Ask, service: Service, chosen: Choice, holds: tuple[Hold, ...]) -> Any:
    """Decide one question; raises FactError, Refusal."""
    sets, day = service.sets(chosen.names), day_of(question, service.today())
    decision = decide(question.facts, service.knowledge, day, sets, holds)
    if chosen.brief:
        return bulk.brief(decision, question.id)
    return {"id": question.id, **to_json(decision, what_would_change(decision, service.knowledge, sets, holds))}


async def decisions(request: Request) -> Response:
    """Decide what the body asks."""
    service = serving(request)
    kind = need_type(request, JSON, LINES, ARROW)
    chosen = choice(request.scope["query_string"])
    holds = await service.holds_now()
    if kind == LINES:
        return streams.Lines(request, lambda line: _line(line, service, chosen))
    if kind == ARROW:
        return streams.Arrow(request, service, chosen.names)
    metrics = request.app.state.metrics
    return Response(
        await decided(service, metrics, chosen, request.scope["query_string"], await request.body(), holds),
        media_type=JSON,
    )


async def hot(service: Service, metrics: Metrics, query: bytes, body: bytes) -> bytes:
    """Answer a JSON body straight from the gate, past the framework; raises Refusal."""
    return await decided(service, metrics, choice(query), query, body, await service.holds_now())


async def decided(
    service: Service, metrics: Metrics, chosen: Choice, query: bytes, body: bytes, holds: tuple[Hold, ...]
) -> bytes:
    """Answer one question or a list; raises Refusal."""
    answers = service.remembered.under(service.today(), holds)
    known = answers.get((query, body))
    if known is not None:
        metrics.decided()
        return known
    if body.lstrip()[:1] == b"[":
        asked = [bytes(one) for one in _decoded(_PIECES, body)]
        if len(asked) > MOST:
            raise Refusal("invalid", f"Allowed: {MOST:,} questions in a list; send more as a stream ({LINES}, {ARROW})")
        metrics.decided(len(asked))
        if len(asked) > _MANY:
            return await run_in_threadpool(_many, asked, service, chosen, query, holds, answers)
        return _many(asked, service, chosen, query, holds, answers)
    need_once(body)
    try:
        answer = ENCODER.encode(one(_decoded(_ONE, body), service, chosen, holds))
    except FactError as error:
        raise of_error(error) from None
    metrics.decided()
    answers.keep((query, body), answer)
    return answer


def _decoded(decoder: Any, body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return decoded(body, decoder.type)


def _many(
    asked: list[bytes], service: Service, chosen: Choice, query: bytes, holds: tuple[Hold, ...], answers: Answers
) -> bytes:
    """Answer a list; what was answered before, alone or in a list, is not decided again."""
    told = [answers.get((query, question)) for question in asked]
    new = [number for number, answer in enumerate(told) if answer is None]
    questions = [_decoded_at(number, asked[number]) for number in new]
    read, wrong = bulk.read([question.facts for question in questions], service.knowledge.vocabulary, new)
    if wrong:
        raise Refusal("bad-facts", "Nothing was decided: some questions cannot be read", wrong[:100])
    if chosen.brief:
        made = _briefs(questions, read, service, chosen, holds)
    else:
        made = [one(question, service, chosen, holds) for question in questions]
    for number, answer in zip(new, made, strict=True):
        told[number] = encoded = ENCODER.encode(answer)
        answers.keep((query, asked[number]), encoded)
    return b"[" + b",".join(answer for answer in told if answer is not None) + b"]"


def _decoded_at(number: int, question: bytes) -> Ask:
    try:
        need_once(question)
        found: Ask = _decoded(_ONE, question)
        return found
    except Refusal as refusal:
        raise Refusal(refusal.kind, f"question {number}: {refusal.detail}", refusal.errors) from None


def _briefs(
    questions: list[Ask], read: list[Question], service: Service, chosen: Choice, holds: tuple[Hold, ...]
) -> list[Brief]:
    today = service.today()
    by_day: dict[date, list[int]] = {}
    for number, question in enumerate(questions):
        by_day.setdefault(day_of(question, today), []).append(number)
    found: dict[int, Brief] = {}
    for day, numbers in by_day.items():
        evaluator = bulk.evaluator_of(service.knowledge, day, service.sets(chosen.names), holds)
        made = bulk.briefs([read[n] for n in numbers], [questions[n].id for n in numbers], evaluator)
        found.update(zip(numbers, made, strict=True))
    return [found[number] for number in range(len(questions))]


def _line(line: bytes, service: Service, chosen: Choice) -> bytes:
    """Answer one line; one that cannot be read gives an error in its place."""
    id = None
    try:
        question = _decoded(_ONE, line)
        id = question.id
        found: Any = one(question, service, chosen, service.holds())
    except FactError as error:
        found = Unanswered(id, of_error(error).problem())
    except Refusal as refusal:
        found = Unanswered(id, refusal.problem())
    return ENCODER.encode(found) + b"\n"


EXAMPLE = {
    "id": "1",
    "as_of": "2026-11-24",
    "facts": {
        "jurisdiction": "US-CA", "facility_type": "hospital", "record": "image", "modality": "CT",
        "birth_date": "2010-02-10", "study_date": "2012-05-01", "discharge_date": "2012-05-03",
    },
}  # fmt: skip
_ANSWER = {"anyOf": [contract.ref("Decision"), contract.ref("Brief")]}
OPERATIONS = (
    Operation(
        method="POST", path="/v1/decisions", handler=decisions, scope="read",
        summary="From which day may a study lawfully be purged, and why",
        says="One question (an object), a list, a stream of lines (a line that cannot be read gives `{id, error}` in its "
        "place), or an Arrow stream whose columns are facts as in the inventory (`X`, `X_span`; a column `id` is given back). "
        "A list is answered whole or not at all. Streams are answered while they are read.",
        takes={JSON: {"anyOf": [contract.ref("Ask"), {"type": "array", "items": contract.ref("Ask"), "maxItems": MOST}]}, LINES: None, ARROW: None},
        gives={200: {JSON: {"anyOf": [_ANSWER, {"type": "array", "items": _ANSWER}]}, LINES: None, ARROW: None}},
        params=(contract.ASSUME, Param("detail", "`brief` leaves the grounds out", {"type": "string", "enum": ["full", "brief"]})),
        example=EXAMPLE,
    ),
)  # fmt: skip
