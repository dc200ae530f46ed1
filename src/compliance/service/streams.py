"""Streams: a thread reads what arrives and writes answers; it waits for both ends, so memory stays small (back-pressure).

The first answer is begun when the first piece is decided; what cannot be read before that is refused as ever, later the
connection is broken off, so that nobody takes a part for the whole (an Arrow stream then lacks its end).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import anyio
import anyio.from_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from compliance.service.problems import Refusal
from compliance.service.serving import ENCODER, Service, need_once
from compliance.service.wire import Unanswered

if TYPE_CHECKING:
    import pyarrow as pa

MOST_STREAMS = 8
LONGEST_LINE = 1 << 20
LARGEST_PIECE = 64 << 20
MOST_ROWS = 1 << 20
_BLOCK = 1 << 16


class _Stream(Response):
    """An answer that is written while the request is read."""

    media_type = ""
    work: Callable[[Ends], None]

    def __init__(self, request: Request) -> None:
        self.request = request
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limiter = _limiter(self.request.app)
        try:
            limiter.acquire_on_behalf_of_nowait(self)
        except anyio.WouldBlock:
            raise Refusal("full", f"Allowed: {MOST_STREAMS} at once", headers={"Retry-After": "5"}) from None
        try:
            ends = Ends(receive, send, self.media_type)
            await anyio.to_thread.run_sync(self.work, ends, limiter=_threads(self.request.app))
        finally:
            limiter.release_on_behalf_of(self)


def _limiter(app: Any) -> anyio.CapacityLimiter:
    return _kept(app, "stream_limiter")


def _threads(app: Any) -> anyio.CapacityLimiter:
    return _kept(app, "stream_threads")


def _kept(app: Any, name: str) -> anyio.CapacityLimiter:
    if not hasattr(app.state, name):
        setattr(app.state, name, anyio.CapacityLimiter(MOST_STREAMS))
    found: anyio.CapacityLimiter = getattr(app.state, name)
    return found


class Ends:
    """Both ends of the connection, for a thread: what arrives, and what is sent."""

    def __init__(self, receive: Receive, send: Send, media_type: str) -> None:
        self._receive, self._send, self._media_type = receive, send, media_type
        self._ended = self._begun = False
        self._waiting: list[bytes] = []
        self._size = 0
        self.closed = False

    def pieces(self) -> Iterator[bytes]:
        """Yield the body as it arrives; raises ClientDisconnect where the caller went away."""
        while not self._ended:
            message: Message = anyio.from_thread.run(self._take)
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            self._ended = not message.get("more_body", False)
            if body := message.get("body", b""):
                yield body

    async def _take(self) -> Message:
        return await self._receive()

    async def _give(self, message: Message) -> None:
        await self._send(message)

    def write(self, data: Any) -> int:
        """Take a piece of the answer; sent when there is enough of it."""
        piece = bytes(data)
        self._waiting.append(piece)
        self._size += len(piece)
        if self._size >= _BLOCK:
            self.flush()
        return len(piece)

    def flush(self, more: bool = True) -> None:
        """Send what is waiting."""
        if not self._begun:
            headers = [(b"content-type", self._media_type.encode())]
            anyio.from_thread.run(self._give, {"type": "http.response.start", "status": 200, "headers": headers})
            self._begun = True
        body = b"".join(self._waiting)
        self._waiting, self._size = [], 0
        anyio.from_thread.run(self._give, {"type": "http.response.body", "body": body, "more_body": more})


class Lines(_Stream):
    """Lines of JSON in, lines of JSON out, in order."""

    media_type = "application/x-ndjson"

    def __init__(self, request: Request, one: Callable[[bytes], bytes]) -> None:
        super().__init__(request)
        self._one = one

    def work(self, ends: Ends) -> None:
        """Answer line by line; what is answered is sent at the latest when the next piece must be waited for."""
        rest = b""
        for piece in ends.pieces():
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                self._answer(line, ends)
            if len(rest) > LONGEST_LINE:
                raise Refusal("too-large", f"Allowed: {LONGEST_LINE:,} bytes a line")
            if lines:
                ends.flush()
        self._answer(rest, ends)
        ends.flush(more=False)

    def _answer(self, line: bytes, ends: Ends) -> None:
        if line.strip():
            try:
                need_once(line)
                ends.write(self._one(line))
            except Refusal as refusal:
                ends.write(ENCODER.encode(Unanswered(_id(line), refusal.problem())) + b"\n")
            self.request.app.state.metrics.decided()


def _id(line: bytes) -> Any:
    """Return the id of a line of JSON that cannot be answered."""
    found = json.loads(line)
    id = found.get("id") if isinstance(found, dict) else None
    return id if isinstance(id, str | int) else None


class Arrow(_Stream):
    """Record batches of facts in, record batches of decisions out (`answers.DECISIONS`, and the column `id`)."""

    media_type = "application/vnd.apache.arrow.stream"

    def __init__(self, request: Request, service: Service, names: Sequence[str]) -> None:
        super().__init__(request)
        self._service, self._names = service, names

    def work(self, ends: Ends) -> None:
        """Decide batch by batch."""
        import pyarrow as pa

        from compliance.audit.spelling import spelled
        from compliance.service.bulk import evaluator_of
        from compliance.service.messages import Pieces, messages

        service = self._service
        evaluator = evaluator_of(service.knowledge, service.today(), service.sets(self._names), service.holds())
        source = Pieces(messages(ends.pieces(), LARGEST_PIECE))
        try:
            reader = pa.ipc.open_stream(pa.PythonFile(source, mode="r"))
            _check(reader.schema, service)
            writer = None
            for batch in reader:
                if batch.num_rows > MOST_ROWS:  # columns without buffers cost the sender nothing
                    raise ValueError(f"a batch of more than {MOST_ROWS:,} rows. Send smaller batches")
                batch.validate(full=True)
                facts = spelled(batch, service.knowledge.vocabulary)
                decided = _with_id(batch, evaluator.decide(facts))
                if writer is None:
                    writer = pa.ipc.new_stream(pa.PythonFile(ends, mode="w"), decided.schema)
                writer.write_batch(decided)
                ends.flush()
                self.request.app.state.metrics.decided(batch.num_rows)
        except (pa.ArrowException, OSError, ValueError, TypeError) as error:
            raise Refusal("invalid", f"This Arrow stream cannot be read: {str(error)[:200]}") from None
        if writer is None:
            raise Refusal("invalid", "The Arrow stream holds no batch")
        writer.close()
        ends.flush(more=False)


def _check(schema: pa.Schema, service: Service) -> None:
    facts = service.knowledge.vocabulary.facts
    known = {"id", *facts, *(f"{name}_span" for name, kind in facts.items() if kind.type == "date")}
    if wrong := sorted(set(schema.names) - known):
        from compliance.errors import guess

        raise Refusal(
            "bad-facts",
            "Some columns are no facts",
            [{"path": name[:100], "message": f"unknown fact.{guess(name, known)}"} for name in wrong[:100]],
        )
    if len(set(schema.names)) != len(schema.names):
        raise Refusal("bad-facts", "A column occurs twice")
    sets = {"id", *(name for name, kind in facts.items() if kind.type in ("set", "places"))}
    if wrong := [
        field.name for field in schema if not (_plain(field.type) or (field.name in sets and _list(field.type)))
    ]:
        raise Refusal(
            "bad-facts",
            "Some columns are of a type that is not read here",
            [
                {
                    "path": name,
                    "message": "allowed are texts, dictionaries of texts, lists of texts, booleans, numbers, days",
                }
                for name in wrong
            ],
        )


def _plain(kind: pa.DataType) -> bool:
    """Tell whether a column is of a type that holds facts; some others (a dictionary of nulls) end the process in pyarrow."""
    from pyarrow import types

    if types.is_dictionary(kind):
        inside = kind.value_type
        return bool(types.is_string(inside) or types.is_large_string(inside) or types.is_boolean(inside))
    tests = (
        types.is_null, types.is_boolean, types.is_integer, types.is_floating, types.is_string, types.is_large_string,
        types.is_string_view, types.is_binary, types.is_large_binary, types.is_date, types.is_timestamp,
    )  # fmt: skip
    return any(test(kind) for test in tests)


def _list(kind: pa.DataType) -> bool:
    """Tell whether a column is one of lists of texts: sets, the empty one among them."""
    from pyarrow import types

    return bool((types.is_list(kind) or types.is_large_list(kind)) and types.is_string(kind.value_type))


def _with_id(asked: pa.RecordBatch, decided: pa.RecordBatch) -> pa.RecordBatch:
    import pyarrow as pa

    if "id" not in asked.schema.names:
        return decided
    names = ["id", *decided.schema.names]
    return pa.RecordBatch.from_arrays([asked.column("id"), *decided.columns], names)
