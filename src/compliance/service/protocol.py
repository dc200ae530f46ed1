"""HTTP for callers that are slow or endless: uvicorn's own protocol, with a limit on how long and how large a head may be,
on how long a body may stop, and on how long an answer is not read.

uvicorn waits for a caller as long as the caller likes, and takes any size of a head (its limits are those of h11). It reads
on while requests wait for their turn, takes trailers for headers, and loses the body of a request that offers to go over to
another protocol (Java's client does so for HTTP/2), so that a body would be read as the next request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sized
from typing import Any, cast

import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

LARGEST_HEAD = 64 << 10
_PAUSE = 1.0
LATE = "compliance.late"  # stands in the scope of a request whose body stopped


class Together:
    """A transport that sends the head of an answer with the first piece of its body, as ASGI asks for (HTTP connection scope,
    Response Start): uvicorn writes each by itself, and a call of the system costs as much as a remembered answer.
    """

    __slots__ = ("_head", "_transport", "is_closing", "write_now")

    def __init__(self, transport: Any) -> None:
        self._transport, self._head = transport, b""
        self.is_closing, self.write_now = transport.is_closing, transport.write

    def write(self, data: bytes) -> None:
        """Write; the head of an answer waits for what follows."""
        if self._head:
            self.write_now(self._head + data)
            self._head = b""
        elif data.startswith(b"HTTP/1.1 ") and data[9:12] != b"100":
            self._head = data
        else:
            self.write_now(data)

    def flush(self) -> None:
        """Write a head that still waits."""
        if self._head:
            self.write_now(self._head)
            self._head = b""

    def close(self) -> None:
        """Close after what was written."""
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def cycle_of(send: Any) -> RequestResponseCycle | None:
    """Return uvicorn's own end of an answer from the `send` of an application, None where another protocol serves."""
    cycle = getattr(send, "__self__", None)
    together = isinstance(getattr(cycle, "transport", None), Together)
    return cycle if together and isinstance(cycle, RequestResponseCycle) else None


async def write_whole(cycle: RequestResponseCycle, lines: bytes, body: bytes) -> None:
    """Write an answer of status 200 that is at hand: `lines` are its headers as sent, `Content-Length` among them.

    What `send` does with a start and a body of known length, in one step: it looks at every header of every answer anew.
    """
    if cycle.flow.write_paused and not cycle.disconnected:
        await cycle.flow.drain()
    if cycle.disconnected:
        return
    cycle.response_started, cycle.waiting_for_100_continue = True, False
    own = [b"%s: %s\r\n" % pair for pair in cycle.default_headers]
    if not cycle.keep_alive:
        own.append(b"connection: close\r\n")
    cast(Together, cycle.transport).write_now(b"".join((STATUS_LINE[200], *own, lines, b"\r\n", body)))
    cycle.response_complete = True
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()


class Flow(FlowControl):
    """Reads no more of a caller while requests of his wait for their turn."""

    def __init__(self, transport: Any, waiting: Sized) -> None:
        super().__init__(transport)
        self._waiting = waiting

    def resume_reading(self) -> None:
        """Read again, unless a request waits."""
        if self.read_paused and not self._waiting:
            super().resume_reading()


class Protocol(HttpToolsProtocol):
    """One connection, with one timer that looks every second how long the caller has been waited for.

    `idle_seconds` is set by `running`.
    """

    idle_seconds = 30

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self.flow = Flow(transport, self.pipeline)
        self.transport = cast(asyncio.Transport, Together(transport))
        self._unread: asyncio.TimerHandle | None = None
        self._size, self._in_head, self._is_new = 0, True, True
        self._now, self._since_begin = 0, 0  # bytes of the last piece, and of all pieces since the message began
        self._since: float | None = self.loop.time()  # None: nothing is waited for
        self._timer = self.loop.call_later(_PAUSE, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._timer.cancel()
        self._read_again()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A head begins."""
        if self._since is None:
            self._since = self.loop.time()
        self._size, self._in_head, self._is_new, self._since_begin = 0, True, True, self._now
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is there. What trailers say goes nowhere (RFC 9110, section 6.5.1)."""
        if self._since_begin > LARGEST_HEAD and self._length() > LARGEST_HEAD:
            raise ValueError("the head is too large")
        if self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            return
        self._in_head = False
        super().on_headers_complete()
        self.headers = []

    def _length(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._size, self._is_new = 0, True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """All of it is there."""
        if self._in_head:
            return
        self._since = None
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Take data; a head must end in its time and size, a body must go on, and what is neither must end, too."""
        self._unset_keepalive_if_required()
        self._is_new, self._now, self._since_begin = False, len(data), self._since_begin + len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self._refuse()
            return
        if self._since is None:
            return
        if not self._in_head:
            self._since = self.loop.time()
        if not self._is_new:
            self._size += len(data)
        if self._size > LARGEST_HEAD:
            self.transport.close()

    def _feed(self, data: bytes) -> None:
        """Parse; another protocol that is offered is not taken up (RFC 9110, section 7.8)."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            rest, method = data[offer.args[0] :], self.parser.get_method()
            if method == b"CONNECT":
                raise httptools.HttpParserError("no tunnel is dug here") from None
            first = b"%s %s HTTP/%s" % (method, self.url, self.parser.get_http_version().encode())
            lines = [b"%s: %s" % pair for pair in self.headers if pair[0] != b"upgrade"]
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
            self._feed(b"\r\n".join([first, *lines, b"", rest]))

    def _refuse(self) -> None:
        """What came is no HTTP: close, after what is owed to the requests before it."""
        newest = self.cycle
        if newest is not None and not newest.more_body and not newest.response_complete:
            newest.keep_alive = False
            self.flow.pause_reading()
        elif self.pipeline or (newest is not None and newest.response_started and not newest.response_complete):
            self.transport.close()
        else:
            self.send_400_response("Invalid HTTP request received.")

    def on_response_complete(self) -> None:
        """An answer without a body is written, too."""
        self.transport.flush()  # type: ignore[attr-defined]
        super().on_response_complete()
        if self.flow.read_paused and not self.transport.is_closing():
            self.flow.resume_reading()

    def pause_writing(self) -> None:
        """The caller does not read: what is in its way is dropped after a while, and those who wait to write are freed."""
        self._unread = self.loop.call_later(self.idle_seconds, self.transport.abort)
        super().pause_writing()

    def resume_writing(self) -> None:
        """The caller reads again."""
        self._read_again()
        super().resume_writing()

    def _read_again(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
        self._unread = None

    def _look(self) -> None:
        """Close a connection whose head is late; tell the request whose body is. While nothing is read, nobody is late."""
        now = self.loop.time()
        if self._since is not None and self.flow.read_paused:
            self._since = now
        if self._since is not None and now - self._since >= self.idle_seconds:
            if self._in_head or self.cycle.response_complete:
                self.transport.close()
                return
            self.scope[LATE] = True  # type: ignore[literal-required]
            self.cycle.message_event.set()
        self._timer = self.loop.call_later(_PAUSE, self._look)
