"""One decision over HTTP against the same bytes from a bare ASGI function under the same server, one worker each, and the
decisions a second of 1,000 questions in one request against 1,000 single ones.

Eight connections, one request outstanding on each. `asked again`: the same question (the service remembers answers);
`new`: every question is another study that was never asked. Lists are new, too.
"""

from __future__ import annotations

import json
import os
import random
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import pyarrow as pa

ROUNDS, MANY, CONNECTIONS = 5, 1000, 8
LAWS = Path(__file__).parents[1] / "tests/laws"
BARE = """
import sys
from pathlib import Path
body = Path(sys.argv[2]).read_bytes()
head = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]}
async def app(scope, receive, send):
    if scope["type"] == "http":
        while (await receive()).get("more_body"):
            pass
        await send(head)
        await send({"type": "http.response.body", "body": body})
    else:
        await receive(); await send({"type": "lifespan.startup.complete"}); await receive(); await send({"type": "lifespan.shutdown.complete"})
import uvicorn
uvicorn.run(app, port=int(sys.argv[1]), access_log=False, log_level="warning", server_header=False, proxy_headers=False, timeout_keep_alive=300)
"""


def questions(seed: int = 5) -> list[dict[str, object]]:
    draw = random.Random(seed)
    common = {"jurisdiction": "XA", "facility_type": "hospital", "record": "image"}

    def day(first: int, last: int) -> str:
        return f"{draw.randint(first, last)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}"

    return [
        {"id": n, "as_of": "2026-11-24", "facts": {**common, "modality": draw.choice(["CT", "MR", "CR", "US"]), "birth_date": day(1930, 2007), "study_date": (study := day(2008, 2025)), "discharge_date": study}}
        for n in range(MANY)
    ]  # fmt: skip


def request(path: str, body: object) -> bytes:
    data = json.dumps(body).encode()
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data


def arrow(asked: list[dict[str, object]]) -> bytes:
    rows = [{"id": one["id"], **{name: date.fromisoformat(word) if name.endswith("_date") else word for name, word in one["facts"].items()}} for one in asked]
    table = pa.Table.from_pylist(rows)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    data = sink.getvalue().to_pybytes()
    return f"POST /v1/decisions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/vnd.apache.arrow.stream\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data


def port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Server:
    """A server process and connections to it."""

    def __init__(self, port: int, command: list[str], **env: str) -> None:
        self.process = subprocess.Popen(command, env={**os.environ, **env}, stderr=subprocess.DEVNULL)
        self.port = port
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)

    def one(self, data: bytes) -> bytes:
        """Return the body of the answer to one request."""
        with socket.create_connection(("127.0.0.1", self.port)) as line:
            line.sendall(data)
            return whole(line)

    def all(self, requests: list[bytes]) -> float:
        """Send requests over all connections; return the seconds until the last answer."""
        lines = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(min(CONNECTIONS, len(requests)))]
        waiting = iter(requests)
        with selectors.DefaultSelector() as ready:
            begun = time.perf_counter()
            for line in lines:
                line.sendall(next(waiting))
                ready.register(line, selectors.EVENT_READ)
            left = len(requests)
            while left:
                for key, _ in ready.select():
                    whole(key.fileobj)
                    left -= 1
                    if (following := next(waiting, None)) is not None:
                        key.fileobj.sendall(following)
            took = time.perf_counter() - begun
        for line in lines:
            line.close()
        return took

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def whole(line: socket.socket) -> bytes:
    """Read one answer, of a known length or in chunks."""
    have = line.recv(1 << 18)
    assert have.startswith(b"HTTP/1.1 200"), have[:300]
    end = have.index(b"\r\n\r\n") + 4
    at = have.find(b"content-length: ", 0, end)
    while at < 0 and not have.endswith(b"0\r\n\r\n"):
        have += line.recv(1 << 18)
    size = end + int(have[at + 16 : have.index(b"\r", at)]) if at >= 0 else 0
    while len(have) < size:
        have += line.recv(1 << 18)
    return have[end:]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        here = port()
        command = [sys.executable, "-m", "compliance.cli", "serve", "--port", str(here), "--laws", str(LAWS), "--database", f"sqlite:///{folder}/x.db"]
        ours = Server(here, command, COMPLIANCE_RATE="0")
        told = [measure(ours, Path(folder), detail) for detail in ("brief", "full")]
        ours.stop()
    print("; ".join(told))


def measure(ours: Server, folder: Path, detail: str) -> str:
    path, sample = f"/v1/decisions?detail={detail}", questions()[0]
    (folder / detail).write_bytes(ours.one(request(path, sample)))
    there = port()
    theirs = Server(there, [sys.executable, "-c", BARE, str(there), str(folder / detail)])
    rows = []
    for number in range(ROUNDS + 1):
        new = [request(path, one) for one in questions(100 + number)]
        again, bare, fresh = ours.all([request(path, sample)] * 3 * MANY), theirs.all(new * 3), ours.all(new)
        listed = ours.all([request(path, questions(200 + number))])
        columns = ours.all([arrow(questions(200 + number))])
        if number:
            rows.append((bare / again, bare / 3 / fresh, fresh / listed, fresh / columns))
    theirs.stop()
    again, new, listed, columns = (statistics.median(column) for column in zip(*rows, strict=True))
    return (
        f"{detail}: asked again {again:.2f}, new {new:.2f} of bare ASGI (goal 0.6); 1,000 in one request {listed:.1f} times the decisions "
        f"a second as JSON, {columns:.1f} times as Arrow (goal 20)"
    )


if __name__ == "__main__":
    main()
