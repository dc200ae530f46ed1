"""POST /v1/guard: may this study, series or instance be deleted now? Yes on `ready` alone; what an archive's guard asks.

Law, holds and facts are those of this moment, the assumptions those of the organisation: a caller chooses neither. Any
answer but 200 with `allowed: true` means no. Deleting as a duplicate, or because it was moved or merged, asks about the
copy that goes (rule 7 of laws/README.md): free while another of equal quality remains, never under a hold.
"""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from compliance.decision import explain
from compliance.decision.decide import Decision, decide
from compliance.errors import FactError
from compliance.service import decisions, wire
from compliance.service.contract import JSON, Operation
from compliance.service.laws import state
from compliance.service.problems import of_error
from compliance.service.serving import Service, answer, asked, body_of, decoded, serving

_COPIES = ("duplicate", "moved", "merged")


def facts_of(question: wire.Guard) -> dict[str, Any]:
    """Return the facts that follow from the reason and the copies left, on top of those given."""
    found = {**question.facts, "copies_left": "some" if question.copies_left else "none"}
    if question.reason in _COPIES and found.get("copy", "original") == "original":
        found["copy"] = "duplicate"
    if question.reason == "wrong_patient":
        found["rejected"] = "wrong_patient"
    if question.reason == "rejected" and found.get("rejected", "no") == "no":
        found["rejected"] = "quality"
    return found


async def guard(request: Request) -> Response:
    """Answer yes or no."""
    asked(request)
    question = decoded(await body_of(request), wire.Guard)
    return answer(await run_in_threadpool(verdict, question, serving(request)))


def verdict(question: wire.Guard, service: Service) -> wire.Verdict:
    """Decide on today's law and the holds as they stand now; raises Refusal, StoreError."""
    day, holds = service.today(), service.holds(anew=True)
    try:
        decision = decide(facts_of(question), service.knowledge, day, service.sets(), holds)
    except FactError as error:
        raise of_error(error) from None
    return wire.Verdict(
        allowed=decision.ready, because=_because(decision, question), citation=_citation(decision) or _of_original(question, service),
        disposition=decision.disposition, as_of=day.isoformat(),  # type: ignore[arg-type]
        earliest_purge_date=decision.earliest_purge_date.isoformat() if decision.earliest_purge_date else None,
        holds=[wire.Named(hold.id) for hold in decision.holds],
        open_duties=sorted({duty.norm.id for duty in decision.duties if duty.blocks}), laws=state(service.knowledge), id=question.id,
    )  # fmt: skip


def _citation(decision: Decision) -> str:
    """Cite what the answer rests on: holds, open duties, or the norms that govern."""
    if decision.holds:
        return "; ".join(f"hold {hold.id}" for hold in decision.holds)
    blocking = [duty.norm for duty in decision.duties if duty.blocks]
    if decision.disposition in ("may_purge", "must_purge") and blocking:
        return "; ".join(dict.fromkeys(f"{norm.citation} ({norm.id})" for norm in blocking))
    norms = decision.norms
    return "; ".join(f"{norms[name].looked.norm.citation} ({name})" for name in decision.governing if name in norms)


def _because(decision: Decision, question: wire.Guard) -> str:
    words = " ".join(explain.headline(decision))
    if decision.ready and question.reason in _COPIES:
        return f"{words} Floors ask for one copy: {question.copies_left} of equal quality remain."
    return words


def _of_original(question: wire.Guard, service: Service) -> str:
    """Cite what the copy that stays is kept under, where the one that goes is bound by nothing."""
    facts = {**facts_of(question), "copy": "original"}
    decision = decide(facts, service.knowledge, service.today(), service.sets(), ())
    cited = _citation(decision)
    return f"the copy that stays is kept under {cited}" if cited else "no norm on file"


OPERATIONS = (
    Operation(
        method="POST", path="/v1/guard", handler=guard, scope="read", summary="Whether it may be deleted now",
        says="`allowed` is true on `ready` alone. Anything but 200 with `allowed: true` means no.", takes={JSON: wire.Guard},
        gives={200: {JSON: wire.Verdict}}, example={"facts": decisions.EXAMPLE["facts"], "reason": "retention", "copies_left": 0},
    ),
)  # fmt: skip
