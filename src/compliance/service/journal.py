"""The log of requests: one JSON object a line, written together some times a second, since writing each costs more than
answering. A process that is killed loses a tenth of a second of it; what must not be lost stands in the ledger.
"""

from __future__ import annotations

import asyncio
import logging

import msgspec

LOG = logging.getLogger("compliance.service")
_PAUSE = 0.1


class Line(msgspec.Struct, rename={"read": "in", "written": "out"}):
    """One request; `ms`: how long it took."""

    id: str
    method: str
    route: str
    status: int
    ms: float
    caller: str
    read: int
    written: int


_ENCODE = msgspec.json.Encoder().encode


class Journal:
    """Lines on their way to the log."""

    def __init__(self) -> None:
        self._lines = list[Line]()

    def add(
        self, id: str, method: str, route: str, status: int, ms: float, caller: str, read: int, written: int
    ) -> None:
        """Take one line."""
        if not self._lines:
            asyncio.get_running_loop().call_later(_PAUSE, self.flush)
        self._lines.append(Line(id, method, route, status, ms, caller, read, written))

    def flush(self) -> None:
        """Write what is waiting."""
        lines, self._lines = self._lines, []
        for line in lines:
            line.ms = round(line.ms, 2)
        if lines and LOG.isEnabledFor(logging.INFO):
            LOG.info(b"\n".join(map(_ENCODE, lines)).decode())


def fault(id: str, error: Exception) -> None:
    """Log a fault by its kind and place, never by its message, which may hold facts."""
    last = error.__traceback__
    while last and last.tb_next:
        last = last.tb_next
    where = f"{last.tb_frame.f_code.co_filename}:{last.tb_lineno}" if last else ""
    LOG.error(msgspec.json.encode({"id": id, "fault": type(error).__name__, "where": where}).decode())
