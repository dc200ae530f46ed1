"""HTTP for callers that are slow or endless: uvicorn's own protocol, with a limit on how long and how large a head may be,
and on how long an answer is not read.

uvicorn waits for the end of a head as long as the caller likes, and takes any size of it (its limits are those of h11).
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 64 << 10


class Protocol(HttpToolsProtocol):
    """One connection. `idle_seconds` is set by `running`."""

    idle_seconds = 30

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first head."""
        self._head: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._size = 0
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._arrived()
        self._read_again()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A further head begins."""
        if self._head is None:
            self._wait()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._arrived()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Take data; a head that does not end within its limit closes the connection."""
        if self._head is not None:
            self._size += len(data)
        super().data_received(data)
        if self._head is not None and self._size > LARGEST_HEAD:
            self.transport.close()

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

    def _wait(self) -> None:
        self._head = self.loop.call_later(self.idle_seconds, self.transport.close)

    def _arrived(self) -> None:
        if self._head is not None:
            self._head.cancel()
        self._head, self._size = None, 0
