"""The purge-date API: `create_app(settings, knowledge, store)` puts the resources together, one module each.

`app.state.service` holds what every route needs; routes read it by `serving(request)`. Routes mounted by others stand
behind the same gate: whoever reaches them may at least `read`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from compliance import __version__
from compliance.law.knowledge import KnowledgeBase
from compliance.law.vocabulary import Vocabulary
from compliance.service import (
    admin,
    audits,
    contract,
    decisions,
    desk,
    explain,
    fhir,
    guard,
    health,
    holds,
    laws,
    news,
    purge_date,
    reference,
    webhooks,
    writing,
)  # fmt: skip
from compliance.service.contract import Operation
from compliance.service.gate import Catch, Gate
from compliance.service.journal import LOG, fault
from compliance.service.metrics import Metrics
from compliance.service.problems import Refusal
from compliance.service.serving import Service
from compliance.service.settings import Settings
from compliance.service.store import Store, StoreError

_RESOURCES = (decisions, explain, guard, laws, audits, holds, desk, fhir, admin, health, reference)
_TURNS = 1800
_PAUSE = 2.0  # seconds between two looks for events to send


def operations(vocabulary: Vocabulary) -> tuple[Operation, ...]:
    """Return every operation of the API."""
    return (*(one for resource in _RESOURCES for one in resource.OPERATIONS), *purge_date.operations(vocabulary))


class App(FastAPI):
    """FastAPI with the gate around all of it, what the framework itself puts around its routes included."""

    gate: Gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the gate decide."""
        scope["app"] = self
        await self.gate(scope, receive, send)

    async def behind_the_gate(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what the gate let through."""
        await super().__call__(scope, receive, send)


def create_app(settings: Settings, knowledge: KnowledgeBase, store: Store) -> FastAPI:
    """Return the whole service as an ASGI application; the store must be open."""
    service, metrics = Service(settings, knowledge, store), Metrics()
    app = App(
        title="imaging-compliance", version=__version__, openapi_url=None, docs_url=None, redoc_url=None,
        redirect_slashes=False, lifespan=_lifespan,
    )  # fmt: skip
    app.state.service, app.state.metrics = service, metrics
    table = operations(service.knowledge.vocabulary)
    for operation in sorted(table, key=lambda one: ":path" in one.path):
        app.add_api_route(operation.path, operation.__call__, methods=[operation.method], include_in_schema=False)
    from compliance.service.web import live  # the pages know the operations, which this module joins

    pages = live.mount(app)
    document = contract.openapi(table, service.knowledge.vocabulary)
    app.openapi = lambda: document  # type: ignore[method-assign]
    app.add_exception_handler(HTTPException, _refused)
    app.add_middleware(Catch)
    app.gate = Gate(app.behind_the_gate, service, metrics, {("POST", "/v1/decisions"): decisions.hot}, pages.refused)
    return app


async def _refused(request: Request, error: Any) -> Response:
    """What the router refuses, in the form of every other refusal."""
    known = {
        404: ("not-found", "No page and no operation has this address; /openapi.json lists the operations"),
        405: ("method", "See the header Allow"),
    }
    kind, detail = known.get(error.status_code, ("bad-request", str(error.detail)))
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_methods(request))
    raise Refusal(kind, detail, headers=headers)


def _methods(request: Request) -> list[str]:
    """Return every method of a path (each stands in a route of its own)."""
    found = [route for route in request.app.routes if route.matches(request.scope)[0] != Match.NONE]
    return sorted({method for route in found for method in getattr(route, "methods", None) or ()})


@asynccontextmanager
async def _lifespan(app: App) -> AsyncIterator[None]:
    service: Service = app.state.service
    await run_in_threadpool(news.tell, service)
    task = asyncio.create_task(_deliver(service))
    try:
        yield
    finally:
        task.cancel()
        app.gate.journal.flush()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _deliver(service: Service) -> None:
    """Send events as long as the service runs, and drop old replies once an hour; whatever fails is tried again."""
    for turn in itertools.count(1):
        if turn % _TURNS == 0:
            await _tried(service.store.write, writing.forget_replies)
        await _tried(webhooks.deliver, service.store, service.settings.webhook_private)
        await asyncio.sleep(_PAUSE)


async def _tried(work: Callable[..., Any], *given: Any) -> None:
    """Do a piece of the work behind the requests; what goes wrong is logged and never ends the loop around it."""
    try:
        await run_in_threadpool(work, *given)
    except StoreError:
        LOG.log(logging.WARNING, '{"webhooks":"the store is not at hand"}')
    except Exception as error:
        fault("webhooks", error)
