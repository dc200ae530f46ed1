"""Is it alive, is it ready, what did it do, what is its contract."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from compliance.service.contract import JSON, Operation
from compliance.service.problems import Refusal
from compliance.service.serving import answer, serving

_STATUS = {"type": "object", "required": ["status"], "properties": {"status": {"type": "string"}}}


async def healthz(request: Request) -> Response:
    """Answer at once, whatever the store does."""
    return answer({"status": "ok"})


async def readyz(request: Request) -> Response:
    """Answer whether decisions can be given: the store is at hand and every hold can be read. Raises Refusal."""
    service = serving(request)
    if not await run_in_threadpool(service.store.alive):
        raise Refusal("store-away", "The database does not answer", headers={"Retry-After": "5"})
    await run_in_threadpool(service.holds, True)
    return answer({"status": "ready", "laws": service.knowledge.digest})


async def metrics(request: Request) -> Response:
    """Show what was counted."""
    text = generate_latest(request.app.state.metrics.registry)
    return Response(text, headers={"content-type": CONTENT_TYPE_LATEST})


async def openapi(request: Request) -> Response:
    """Show the contract."""
    return answer(request.app.openapi())


OPERATIONS = (
    Operation(method="GET", path="/healthz", handler=healthz, scope="", summary="The process answers", gives={200: {JSON: _STATUS}}),
    Operation(method="GET", path="/readyz", handler=readyz, scope="", summary="Decisions can be given", gives={200: {JSON: _STATUS}}),
    Operation(method="GET", path="/metrics", handler=metrics, scope="read", summary="Counters for Prometheus", gives={200: {"text/plain": None}}),
    Operation(method="GET", path="/openapi.json", handler=openapi, scope="read", summary="This document", gives={200: {JSON: {"type": "object"}}}),
)  # fmt: skip
