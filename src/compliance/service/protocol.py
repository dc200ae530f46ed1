"""HTTP for callers that are slow or endless: uvicorn's own protocol, with a limit on how long and how large a head may be,
on how long a body may stop, and on how long an answer is not read.

uvicorn waits for a caller as long as the caller likes, and takes any size of a head (its limits are those of h11).
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 64 << 10
LATE = "compliance.late"  # stands in the scope of a request whose body stopped


class Together:
    """A transport that sends the head of an answer with the first piece of its body, as ASGI asks for (HTTP connection scope,
    Response Start): uvicorn writes each by itself, and a call of the system costs as much as a remembered answer.
    """

    __slots__ = ("_head", "_transport")

    def __init__(self, transport: Any) -> None:
        self._transport, self._head = transport, b""

    def write(self, data: bytes) -> None:
        """Write; the head of an answer waits for what follows."""
        if self._head:
            self._transport.write(self._head + data)
            self._head = b""
        elif data.startswith(b"HTTP/1.1 ") and data[9:12] != b"100":
            self._head = data
        else:
            self._transport.write(data)

    def flush(self) -> None:
        """Write a head that still waits."""
        if self._head:
            self._transport.write(self._head)
            self._head = b""

    def close(self) -> None:
        """Close after what was written."""
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Protocol(HttpToolsProtocol):
    """One connection, with one timer that looks now and then how long the caller has been waited for.

    `idle_seconds` is set by `running`.
    """

    idle_seconds = 30

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self.transport = cast(asyncio.Transport, Together(transport))
        self._unread: asyncio.TimerHandle | None = None
        self._size, self._in_head = 0, True
        self._since: float | None = self.loop.time()  # None: nothing is waited for
        self._timer = self.loop.call_later(self.idle_seconds, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._timer.cancel()
        self._read_again()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A head begins."""
        if self._since is None:
            self._since = self.loop.time()
        self._size, self._in_head = 0, True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """All of it is there."""
        self._since = None
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Take data; a head must end in its time and size, a body must go on."""
        super().data_received(data)
        if self._since is None:
            return
        if not self._in_head:
            self._since = self.loop.time()
            return
        self._size += len(data)
        if self._size > LARGEST_HEAD:
            self.transport.close()

    def on_response_complete(self) -> None:
        """An answer without a body is written, too."""
        self.transport.flush()  # type: ignore[attr-defined]
        super().on_response_complete()

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
        """Close a connection whose head is late; tell the request whose body is."""
        now = self.loop.time()
        left = self.idle_seconds if self._since is None else self._since + self.idle_seconds - now
        if left <= 0 and self._in_head:
            self.transport.close()
            return
        if left <= 0 and not self.flow.read_paused:
            self.scope[LATE] = True  # type: ignore[literal-required]
            self.cycle.message_event.set()
        self._timer = self.loop.call_later(left if left > 0 else self.idle_seconds, self._look)
