"""POST /v1/decisions: one question, a list, a stream of lines, a stream of Arrow batches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from compliance.decision.contract import to_json
from compliance.decision.decide import decide
from compliance.decision.missing import what_would_change
from compliance.decision.question import Question, ask
from compliance.errors import FactError
from compliance.service import bulk, contract, streams
from compliance.service.contract import JSON, Operation, Param
from compliance.service.problems import Refusal, of_error
from compliance.service.serving import ENCODER, Service, answer, asked, assumed, decoded, need_type, serving
from compliance.service.wire import Ask, Brief, Unanswered

LINES, ARROW = "application/x-ndjson", "application/vnd.apache.arrow.stream"
MOST = 10_000
_MANY = 16  # a list longer than this is decided beside the event loop
_ONE, _LIST = msgspec.json.Decoder(Ask), msgspec.json.Decoder(list[Ask])


def day_of(question: Ask, today: date) -> date:
    """Return the day asked about; raises Refusal."""
    if not isinstance(question.as_of, str):
        return today
    try:
        return date.fromisoformat(question.as_of)
    except ValueError:
        raise Refusal("invalid", f"as_of {question.as_of!r} is no day. Allowed: a day such as 2026-11-24") from None


def whole(question: Ask, service: Service, names: Sequence[str]) -> dict[str, Any]:
    """Return the decision with its grounds; raises FactError, Refusal."""
    sets, holds = service.sets(names), service.holds()
    day = day_of(question, service.today())
    decision = decide(question.facts, service.knowledge, day, sets, holds)
    missing = what_would_change(decision, service.knowledge, sets, holds)
    return {"id": question.id, **to_json(decision, missing)}


def short(question: Ask, service: Service, names: Sequence[str]) -> Brief:
    """Return the decision without its grounds; raises FactError, Refusal."""
    day = day_of(question, service.today())
    decision = decide(question.facts, service.knowledge, day, service.sets(names), service.holds())
    return bulk.brief(decision, question.id)


async def decisions(request: Request) -> Response:
    """Decide what the body asks."""
    service = serving(request)
    kind = need_type(request, JSON, LINES, ARROW)
    query = asked(request, "assume", "detail")
    names = assumed(query)
    detail = query.get("detail", "full")
    if detail not in ("full", "brief"):
        raise Refusal("bad-request", f"detail={detail[:40]!r} is not allowed. Allowed: full, brief")
    if kind == LINES:
        return streams.Lines(request, lambda line: _line(line, service, names, detail))
    if kind == ARROW:
        return streams.Arrow(request, service, names)
    body = await request.body()
    try:
        if body.lstrip()[:1] == b"[":
            questions = _decoded(_LIST, body)
            work = run_in_threadpool if len(questions) > _MANY else _here
            return await work(_many, questions, service, names, detail, request)
        question = _decoded(_ONE, body)
        found: Any = whole(question, service, names) if detail == "full" else short(question, service, names)
    except FactError as error:
        raise of_error(error) from None
    _count(request, 1)
    return answer(found)


def _decoded(decoder: Any, body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return decoded(body, decoder.type)


async def _here(work: Any, *given: Any) -> Any:
    return work(*given)


def _count(request: Request, many: int) -> None:
    request.app.state.metrics.decisions.inc(many)


def _many(questions: list[Ask], service: Service, names: Sequence[str], detail: str, request: Request) -> Response:
    if len(questions) > MOST:
        raise Refusal("invalid", f"Allowed: {MOST:,} questions in a list; send more as a stream ({LINES}, {ARROW})")
    read = _read(questions, service)
    found: list[Any]
    if detail == "full":
        found = [whole(question, service, names) for question in questions]
    else:
        found = _briefs(questions, read, service, names)
    _count(request, len(questions))
    return answer(found)


def _read(questions: list[Ask], service: Service) -> list[Question]:
    """Read all facts first, so that one refusal names every fault of the list."""
    read, wrong = list[Question](), list[dict[str, str]]()
    for number, question in enumerate(questions):
        try:
            read.append(ask(question.facts, service.knowledge.vocabulary))
        except FactError as error:
            wrong += [{"path": f"{number}.{p.path}", "message": p.message} for p in error.problems]
            wrong += [] if error.problems else [{"path": str(number), "message": str(error.args[0])}]
    if wrong:
        raise Refusal("bad-facts", "Nothing was decided: some questions cannot be read", wrong[:100])
    return read


def _briefs(questions: list[Ask], read: list[Question], service: Service, names: Sequence[str]) -> list[Brief]:
    today = service.today()
    by_day: dict[date, list[int]] = {}
    for number, question in enumerate(questions):
        by_day.setdefault(day_of(question, today), []).append(number)
    found: dict[int, Brief] = {}
    for day, numbers in by_day.items():
        evaluator = bulk.evaluator_of(service.knowledge, day, service.sets(names), service.holds())
        made = bulk.briefs([read[n] for n in numbers], [questions[n].id for n in numbers], evaluator)
        found.update(zip(numbers, made, strict=True))
    return [found[number] for number in range(len(questions))]


def _line(line: bytes, service: Service, names: Sequence[str], detail: str) -> bytes:
    """Answer one line; one that cannot be read gives an error in its place."""
    id = None
    try:
        question = _decoded(_ONE, line)
        id = question.id
        found: Any = whole(question, service, names) if detail == "full" else short(question, service, names)
    except FactError as error:
        found = Unanswered(id, of_error(error).problem())
    except Refusal as refusal:
        found = Unanswered(id, refusal.problem())
    return ENCODER.encode(found) + b"\n"


EXAMPLE = {
    "id": "1",
    "as_of": "2026-11-24",
    "facts": {
        "jurisdiction": "XA", "facility_type": "hospital", "record": "image", "modality": "CT",
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
