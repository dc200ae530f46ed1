"""The gate before every route: name, caller, rate, size and pace of the body, headers, log, metrics.

Pure ASGI. Nothing of a request's query, body or path is logged: the route's template stands for the path.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import OrderedDict
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from compliance.service.access import HERE, Caller, no_caller
from compliance.service.problems import Refusal
from compliance.service.serving import Service
from compliance.service.settings import is_loopback
from compliance.service.store import StoreError

LOG = logging.getLogger("compliance.service")
OPEN_PATHS = frozenset({"/healthz", "/readyz"})
STREAMS = ("application/x-ndjson", "application/vnd.apache.arrow.stream")
_SAFE = ("GET", "HEAD", "OPTIONS")
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_NO_STORE = (b"cache-control", b"no-store")


class Metrics:
    """What is counted, for Prometheus."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self.requests = Counter("compliance_requests", "Requests answered", labels, registry=self.registry)
        self.seconds = Histogram("compliance_request_seconds", "Time to answer", ("route",), registry=self.registry)
        self.decisions = Counter("compliance_decisions", "Decisions given", registry=self.registry)


@dataclass
class Buckets:
    """Token buckets by caller: `rate` a minute, all of it at once at most."""

    rate: int
    _level: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def take(self, name: str) -> None:
        """Take one; raises Refusal where none is left."""
        if not self.rate:
            return
        now = time.monotonic()
        level, at = self._level.pop(name, (float(self.rate), now))
        level = min(self.rate, level + (now - at) * self.rate / 60)
        self._level[name] = (max(level - 1, 0.0), now)
        if len(self._level) > 10_000:
            self._level.popitem(last=False)
        if level < 1:
            wait = str(int((1 - level) * 60 / self.rate) + 1)
            raise Refusal("too-many", f"Allowed: {self.rate} requests a minute", headers={"Retry-After": wait})


class Gate:
    """The middleware."""

    def __init__(self, app: ASGIApp, service: Service, metrics: Metrics) -> None:
        self.app, self.service, self.metrics = app, service, metrics
        self.buckets = Buckets(service.settings.rate)
        self.strangers = Buckets(min(service.settings.rate, 120))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it; whatever fails below is answered here and never shown."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        passage = _Passage(self, scope, receive, send)
        try:
            await self._admit(passage)
            await self.app(scope, passage.receive, passage.send)
        except Refusal as refusal:
            await passage.refuse(refusal)
        except StoreError as error:
            await passage.refuse(Refusal("store-away", str(error), headers={"Retry-After": "5"}))
        except Exception as error:
            last = error.__traceback__
            while last and last.tb_next:
                last = last.tb_next
            where = f"{last.tb_frame.f_code.co_filename}:{last.tb_lineno}" if last else ""
            LOG.error(msgspec.json.encode({"id": passage.id, "fault": type(error).__name__, "where": where}).decode())
            await passage.refuse(Refusal("fault", "The fault is in the log under this instance"))
        finally:
            passage.close()

    async def _admit(self, passage: _Passage) -> None:
        scope, headers = passage.scope, passage.headers
        names = self.service.settings.names
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if names and host.rpartition(":")[0].rstrip(":") not in names and host not in names:
            raise Refusal("misdirected", "Set COMPLIANCE_HOSTS to the names by which the service is called")
        if scope["method"] not in _SAFE:
            _same_site(headers, host)
        scope["caller"] = passage.caller = await self._caller(scope, headers)
        self.buckets.take(passage.caller.name)
        passage.limit = self.service.settings.body_limit
        if headers.get(b"content-type", b"").partition(b";")[0].strip().decode("latin-1").lower() in STREAMS:
            passage.limit = self.service.settings.stream_limit
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > passage.limit:
            raise Refusal("too-large", f"Allowed: {passage.limit:,} bytes")

    async def _caller(self, scope: Scope, headers: dict[bytes, bytes]) -> Caller:
        access = self.service.access
        if (given := headers.get(b"authorization")) is not None:
            text = given.decode("latin-1")
            if (found := access.remembered(text)) is not None:
                return found
            self.strangers.take(_address(scope))
            return await run_in_threadpool(access.known, text)
        if scope["path"] in OPEN_PATHS:
            return Caller("anyone", frozenset())
        proxied = b"forwarded" in headers or b"x-forwarded-for" in headers
        if not proxied and is_loopback(_address(scope)) and await self._open_here():
            return HERE
        raise no_caller("A key is needed here.")

    async def _open_here(self) -> bool:
        access = self.service.access
        return access.opened if access.is_fresh() else await run_in_threadpool(access.open_here)


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _same_site(headers: dict[bytes, bytes], host: str) -> None:
    """A page of another site must not write through a browser on this machine (no CORS is granted anywhere)."""
    origin = headers.get(b"origin")
    cross = headers.get(b"sec-fetch-site") in (b"cross-site", b"same-site")
    if cross or (origin is not None and urlsplit(origin.decode("latin-1")).netloc.lower() != host):
        raise Refusal("forbidden", "A page of another site may not write here")


class _Passage:
    """One request on its way through the gate."""

    def __init__(self, gate: Gate, scope: Scope, receive: Receive, send: Send) -> None:
        self.gate, self.scope, self._receive, self._send = gate, scope, receive, send
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.id, self.caller = uuid.uuid4().hex, Caller("unknown", frozenset())
        self.begun, self.status, self.read, self.written, self.limit = time.perf_counter(), 0, 0, 0, 0
        self.whole = False
        scope["request_id"] = self.id

    async def receive(self) -> Message:
        """Pass on a piece of the body, if it comes in time and in size."""
        if self.whole:
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), self.gate.service.settings.idle_seconds)
        except TimeoutError:
            raise Refusal("too-slow", "The next piece of the body did not arrive in time") from None
        self.read += len(message.get("body", b""))
        self.whole = not message.get("more_body", False)
        if self.read > self.limit:
            raise Refusal("too-large", f"Allowed: {self.limit:,} bytes")
        return message

    async def send(self, message: Message) -> None:
        """Pass on a piece of the answer, with the headers that every answer has."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            _complete(message, self.id)
        else:
            self.written += len(message.get("body", b""))
        await self._send(message)

    async def refuse(self, refusal: Refusal) -> None:
        """Answer with problem details, if nothing was answered yet; else break off."""
        if self.status:
            raise ConnectionAbortedError("broken off") from None
        if not self.whole:
            refusal.headers["Connection"] = "close"
        await refusal.response(f"urn:uuid:{uuid.UUID(self.id)}")(self.scope, self._receive, self.send)

    def close(self) -> None:
        """Count and log."""
        took = time.perf_counter() - self.begun
        route = getattr(self.scope.get("route"), "path", "other").replace(":path", "")
        self.gate.metrics.requests.labels(self.scope["method"], route, self.status).inc()
        self.gate.metrics.seconds.labels(route).observe(took)
        if LOG.isEnabledFor(logging.INFO):
            said: MutableMapping[str, Any] = {
                "id": self.id, "method": self.scope["method"], "route": route, "status": self.status,
                "ms": round(took * 1000, 2), "caller": self.caller.name, "in": self.read, "out": self.written,
            }  # fmt: skip
            LOG.info(msgspec.json.encode(said).decode())


def _complete(message: Message, id: str) -> None:
    headers = message["headers"] = list(message["headers"])
    have = {name for name, _ in headers}
    headers += _HEADERS
    headers.append((b"x-request-id", id.encode()))
    headers += [pair for pair in (_POLICY, _NO_STORE) if pair[0] not in have]
