"""The gate before every route: name, caller, rate, size and pace of the body, headers, log, metrics.

Pure ASGI. Nothing of a request's query, body or path is logged: the route's template stands for the path.
"""

from __future__ import annotations

import time
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import count

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from compliance.service.access import HERE, NOBODY, Caller, no_caller
from compliance.service.head import Head, read_head
from compliance.service.journal import Journal, fault
from compliance.service.metrics import Metrics
from compliance.service.problems import Refusal
from compliance.service.protocol import LATE, cycle_of, write_whole
from compliance.service.serving import Service
from compliance.service.settings import is_loopback
from compliance.service.store import StoreError

OPEN_PATHS = frozenset({"/healthz", "/readyz"})
_OF_PROGRAMS = ("/v1/", "/healthz", "/readyz", "/metrics", "/openapi.json")  # never answered by pages
STREAMS = ("application/x-ndjson", "application/vnd.apache.arrow.stream")
_GONE = 499  # as in the logs of nginx: the caller went away before the answer
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
_OF_DOCUMENTS = (b"referrer-policy", b"cross-origin-opener-policy")
_HOT = [
    (b"content-type", b"application/json"),
    *(pair for pair in _HEADERS if pair[0] not in _OF_DOCUMENTS),
    _POLICY,
    _NO_STORE,
]
_HOT_LINES = b"".join(b"%s: %s\r\n" % pair for pair in _HOT)


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


class BrokenOff(ConnectionAbortedError):
    """An answer that was begun cannot be ended: the server closes the connection, so that no part is taken for the whole."""


Page = Callable[[Service, str, str, Refusal], Response]  # a refusal as a page: method and path asked for
Hot = Callable[[Service, Metrics, bytes, bytes], Awaitable[bytes]]  # query string and JSON body in, JSON out


class Gate:
    """Stands around the whole application; JSON for the `hot` routes is answered without going through it."""

    def __init__(
        self, app: ASGIApp, service: Service, metrics: Metrics, hot: Mapping[tuple[str, str], Hot], page: Page
    ) -> None:
        self.app, self.service, self.metrics, self.hot, self.page = app, service, metrics, hot, page
        self.names, self.journal = frozenset(service.settings.names), Journal()
        self.buckets = Buckets(service.settings.rate)
        self.open = Buckets(service.settings.rate)
        self.strangers = Buckets(min(service.settings.rate, 120))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it; whatever fails below is answered here and never shown."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        passage = _Passage(self, scope, receive, send)
        try:
            await self._admit(passage)
            hot = self.hot.get((scope["method"], scope["path"]))
            if hot is None or passage.head.media_type != "application/json":
                await self.app(scope, passage.receive, passage.send)
            else:
                passage.route = scope["path"]
                await self._directly(passage, hot)
        except Exception as error:
            await passage.fail(error)
        finally:
            passage.close()

    async def _directly(self, passage: _Passage, hot: Hot) -> None:
        if not passage.caller.may("read"):
            raise Refusal("forbidden", "This needs a key of scope read")
        body = await passage.body()
        answer = await hot(self.service, self.metrics, passage.scope["query_string"], body)
        passage.status, passage.written = 200, len(answer)
        cycle, length, id = cycle_of(passage.raw_send), b"%d" % len(answer), passage.id.encode()
        if cycle is not None:
            lines = b"%scontent-length: %s\r\nx-request-id: %s\r\n" % (_HOT_LINES, length, id)
            await write_whole(cycle, lines, answer)
            return
        headers = [*_HOT, (b"content-length", length), (b"x-request-id", id)]
        await passage.raw_send({"type": "http.response.start", "status": 200, "headers": headers})
        await passage.raw_send({"type": "http.response.body", "body": answer})

    async def _admit(self, passage: _Passage) -> None:
        scope = passage.scope
        head = passage.head = read_head(tuple(scope["headers"]))
        if self.names and head.name not in self.names:
            raise Refusal("misdirected", "Set COMPLIANCE_HOSTS to the names by which the service is called")
        if head.foreign and scope["method"] not in _SAFE:  # no CORS is granted anywhere
            raise Refusal("forbidden", "A page of another site may not write here")
        passage.caller = self._remembered(scope, head) or await self._caller(scope, head)
        scope["caller"] = passage.caller
        if passage.caller is NOBODY:
            self.open.take(_address(scope))  # who asks without a key takes nothing from others who do
        else:
            self.buckets.take(passage.caller.name)
        settings = self.service.settings
        passage.limit = settings.stream_limit if head.media_type in STREAMS else settings.body_limit
        if head.length > passage.limit:
            raise Refusal("too-large", f"Allowed: {passage.limit:,} bytes")

    def _remembered(self, scope: Scope, head: Head) -> Caller | None:
        """Return the caller where neither store nor issuer need be asked."""
        access = self.service.access
        if head.authorization is not None:
            return access.remembered(head.authorization)
        if scope["path"] in OPEN_PATHS:
            return NOBODY
        return HERE if head.alone and access.is_fresh() and access.opened and is_loopback(_address(scope)) else None

    async def _caller(self, scope: Scope, head: Head) -> Caller:
        access = self.service.access
        if head.authorization is not None:
            self.strangers.take(_address(scope))
            return await run_in_threadpool(access.known, head.authorization)
        if head.alone and is_loopback(_address(scope)) and await run_in_threadpool(access.open_here):
            return HERE
        raise no_caller("A key is needed here.")


_PROCESS, _NUMBER = uuid.uuid4().hex[:16], count(1)


class Catch:
    """Stands right around the routes, so that the framework answers no fault in a form of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand what fails to the passage."""
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            if scope["type"] != "http":
                raise
            await scope["passage"].fail(error)


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


class _Passage:
    """One request on its way through the gate."""

    def __init__(self, gate: Gate, scope: Scope, receive: Receive, send: Send) -> None:
        self.gate, self.scope, self._receive, self.raw_send = gate, scope, receive, send
        self.id, self.caller = f"{_PROCESS}{next(_NUMBER):016x}", NOBODY
        self.begun, self.status, self.read, self.written, self.limit = time.perf_counter(), 0, 0, 0, 0
        self.whole, self.route = False, ""
        self.head: Head
        scope["passage"] = self

    async def receive(self) -> Message:
        """Pass on a piece of the body, if it comes in time and in size."""
        if self.whole:
            return await self._receive()
        message = await self._receive()
        if LATE in self.scope and not message.get("body") and message.get("more_body"):
            raise Refusal("too-slow", "The next piece of the body did not arrive in time")
        self.read += len(message.get("body", b""))
        self.whole = not message.get("more_body", False)
        if self.read > self.limit:
            raise Refusal("too-large", f"Allowed: {self.limit:,} bytes")
        return message

    async def body(self) -> bytes:
        """Return the whole body; raises ClientDisconnect where the caller went away."""
        pieces = []
        while not self.whole:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            pieces.append(message.get("body", b""))
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def send(self, message: Message) -> None:
        """Pass on a piece of the answer, with the headers that every answer has."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            _complete(message, self.id)
        else:
            self.written += len(message.get("body", b""))
        await self.raw_send(message)

    async def fail(self, error: Exception) -> None:
        """Answer for what went wrong: refusals as they are, a fault by its place in the log (never by its message)."""
        if isinstance(error, Refusal):
            await self.refuse(error)
        elif isinstance(error, ClientDisconnect):
            self.status = self.status or _GONE  # nobody is there to answer; the line in the log says so
        elif isinstance(error, BrokenOff):
            raise error
        elif isinstance(error, StoreError):
            await self.refuse(Refusal("store-away", str(error), headers={"Retry-After": "5"}))
        else:
            fault(self.id, error)
            await self.refuse(Refusal("fault", "The fault is in the log under this instance"))

    async def refuse(self, refusal: Refusal) -> None:
        """Answer with problem details, if nothing was answered yet; else break off."""
        if self.status:
            raise BrokenOff from None
        if not self.whole:
            refusal.headers["Connection"] = "close"
        await self._said(refusal)(self.scope, self._receive, self.send)

    def _said(self, refusal: Refusal) -> Response:
        """Return problem details, or a page to a browser that asks for one."""
        path = self.scope["path"]
        if b"text/html" in dict(self.scope["headers"]).get(b"accept", b"") and not path.startswith(_OF_PROGRAMS):
            return self.gate.page(self.gate.service, self.scope["method"], path, refusal)
        return refusal.response(f"urn:uuid:{uuid.UUID(self.id)}")

    def close(self) -> None:
        """Count and log, and let go of the scope, so that no collection of garbage need find the two."""
        self.scope.pop("passage")
        took = time.perf_counter() - self.begun
        route = self.route or getattr(self.scope.get("route"), "path", "other").replace(":path", "")
        self.gate.metrics.count(self.scope["method"], route, self.status, took)
        self.gate.journal.add(
            self.id,
            self.scope["method"],
            route,
            self.status,
            took * 1000,
            self.caller.name,
            self.read,
            self.written,
        )


def _complete(message: Message, id: str) -> None:
    headers = message["headers"] = list(message["headers"])
    have = [name for name, _ in headers]
    headers += _HEADERS
    headers.append((b"x-request-id", id.encode()))
    headers += [pair for pair in (_POLICY, _NO_STORE) if pair[0] not in have]
