"""HTTP as callers really send it: one after the other without waiting, broken off, with odd or huge heads."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from starlette.testclient import TestClient

from compliance.service.head import _remembered
from service.serving import CHILD, Process, client_of, serving

HOST = b"Host: localhost\r\n"
ALIVE = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
BODY = json.dumps({"facts": CHILD}).encode()
HTTP2 = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA\r\n"
IDLE = 2


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    folder = tmp_path_factory.mktemp("protocol")
    with serving(f"sqlite:///{folder / 'x.db'}", env={"COMPLIANCE_IDLE_SECONDS": str(IDLE)}) as one:
        yield one


def question(body: bytes = BODY, more: bytes = b"") -> bytes:
    head = b"POST /v1/decisions?detail=brief HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
    return head + more + b"Content-Length: %d\r\n\r\n" % len(body) + body


def connected(process: Process) -> socket.socket:
    return socket.create_connection(("127.0.0.1", process.port), timeout=1.5)


def told(process: Process, *pieces: bytes) -> tuple[list[int], bytes]:
    """Send pieces; return the statuses answered until the service is silent or closes, and all that was said."""
    with connected(process) as one:
        said = b""
        try:
            for piece in pieces:
                one.sendall(piece)
                time.sleep(0.1)
            while more := one.recv(1 << 16):
                said += more
        except OSError:
            pass
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d\d\d) ", said)], said


def test_a_large_body_and_the_beginning_of_the_next_head_may_come_together(process):
    padded = BODY[:-1] + b" " * 100_000 + b"}"
    assert told(process, question(padded) + ALIVE[:20], ALIVE[20:])[0] == [200, 200]
    assert told(process, ALIVE * 1500 + ALIVE[:20], ALIVE[20:])[0] == [200] * 1501


@pytest.mark.parametrize("more", [b"X: " + b"y" * 70_000, b"\r\n".join([b"X: y"] * 30_000)])
def test_a_head_that_is_too_large_is_refused_at_whatever_pace_it_comes(process, more):
    head = ALIVE[:-2] + more + b"\r\n\r\n"
    assert 200 not in told(process, head)[0]
    assert 200 not in told(process, head[:50_000], head[50_000:100_000], head[100_000:])[0]
    assert 200 not in told(process, head[:60_000], head[60_000:])[0]
    assert 200 not in told(process, question() + head[:30_000], head[30_000:90_000], head[90_000:])[0][1:]


def test_an_offer_of_another_protocol_is_passed_over_and_the_body_read(process):
    """Java's client makes it with every request until it is told to speak HTTP/1.1."""
    assert told(process, question(more=HTTP2) + ALIVE)[0] == [200, 200]
    head, _, body = question(more=HTTP2).partition(b"\r\n\r\n")
    assert told(process, head + b"\r\n\r\n", body, question(more=HTTP2) + ALIVE)[0] == [200, 200, 200]
    smuggled = question(ALIVE, HTTP2)
    assert told(process, smuggled[: -len(ALIVE)], ALIVE)[0] == [400]
    assert told(process, b"CONNECT localhost:1 HTTP/1.1\r\n" + HOST + b"\r\n" + ALIVE)[0] == [400]


def test_trailers_are_no_headers(process):
    chunked = question(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked") + b"%x\r\n%b\r\n0\r\n" % (len(BODY), BODY)
    assert told(process, chunked + b"Host: evil.example\r\nAuthorization: Bearer x\r\nX-Forwarded-For: 1.1.1.1\r\n\r\n" + ALIVE)[0] == [200, 200]
    typeless = chunked.replace(b"Content-Type: application/json\r\n", b"")
    assert told(process, typeless + b"Content-Type: application/json\r\n\r\n")[0] == [415]
    assert told(process, chunked, *[b"X: y\r\n" * 20_000] * 4, b"\r\n")[0] == []


def test_what_is_no_http_takes_nothing_from_the_answers_owed_before_it(process):
    assert told(process, question() + b"\x00\x01\r\n\r\n")[0] == [200]
    assert told(process, ALIVE * 3 + b"\x00\x01\r\n\r\n")[0] == [200] * 3
    assert told(process, b"\x00\x01\r\n\r\n")[0] == [400]


def test_a_body_that_never_ends_holds_no_connection_once_it_was_answered(process):
    with connected(process) as one:
        one.sendall(ALIVE[:-2] + b"Content-Length: 1000\r\n\r\n")
        assert b" 200 OK" in one.recv(1 << 16)
        one.sendall(b"x")
        one.settimeout(IDLE + 5)
        assert one.recv(1 << 16) == b""


def test_requests_that_wait_are_not_read_without_bound(process):
    def memory() -> int:
        text = Path(f"/proc/{process.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1])

    with connected(process) as one:
        one.setblocking(False)
        before, begun = memory(), time.monotonic()
        while time.monotonic() - begun < 3:
            with contextlib.suppress(BlockingIOError):
                one.send(ALIVE * 10_000)
            try:
                one.recv(1 << 20)
            except BlockingIOError:
                time.sleep(0.001)
        assert memory() - before < 60_000


@pytest.mark.parametrize("headers", [{"origin": "http://["}, {"origin": "http://[::1"}])
def test_an_origin_that_is_no_address_is_another_site(api, headers):
    assert api.get("/v1/facts", headers=headers).status_code == 200
    assert api.post("/v1/decisions", json={"facts": CHILD}, headers=headers).status_code == 403


@pytest.mark.parametrize("secret", [b"\xff\xfe", b"a", b"\xc3\xa9"])
def test_a_basic_authorization_that_cannot_be_read_is_refused(api, secret):
    assert api.get("/v1/facts", headers=[(b"authorization", b"Basic " + secret)]).status_code == 401


def test_strangers_cannot_fill_the_memory_with_heads(store):
    with client_of(store, host="203.0.113.9") as client:
        before = _remembered.cache_info().misses
        client.get("/healthz", headers=[("x", "y")] * 2000)
        client.get("/healthz", headers={"x": "y" * 60_000})
        assert _remembered.cache_info().misses == before


def test_strangers_who_ask_whether_it_is_alive_take_nothing_from_each_other(store):
    with client_of(store, host="203.0.113.9", rate=5) as one:
        other = TestClient(one.app, client=("203.0.113.10", 50000))
        assert [one.get("/healthz").status_code for _ in range(6)] == [200] * 5 + [429]
        assert other.get("/healthz").status_code == 200


def test_an_answer_written_whole_is_the_one_that_any_other_server_would_send(process, api):
    def lines(head: bytes) -> dict[str, str]:
        found = dict(line.split(": ", 1) for line in head.decode().lower().split("\r\n")[1:])
        return {name: word for name, word in found.items() if name not in ("date", "x-request-id")}

    plain = api.post("/v1/decisions?detail=brief", content=BODY, headers={"Content-Type": "application/json"})
    for more, ends in ((b"", {}), (b"Connection: close\r\n", {"connection": "close"})):
        statuses, said = told(process, question(more=more))
        head, _, body = said.partition(b"\r\n\r\n")
        assert (statuses, body) == ([200], plain.content)
        assert lines(head) == {**{name: word.lower() for name, word in plain.headers.items() if name != "x-request-id"}, **ends}
    statuses, said = told(process, question().replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert statuses == [200] and said.endswith(plain.content) and b"connection: close\r\n" in said
    assert told(process, question(more=b"Expect: 100-continue\r\n"))[0] == [100, 200]
    assert told(process, question() * 50)[0] == [200] * 50


def test_under_uvicorns_own_protocol_the_service_answers_the_same(api):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(api.app, port=port, http="httptools", log_level="error", lifespan="off"))
    runner = threading.Thread(target=server.run)
    runner.start()
    try:
        while not server.started:
            time.sleep(0.01)
        with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
            line.sendall(question(more=b"Connection: close\r\n"))
            said = b"".join(iter(lambda: line.recv(1 << 16), b""))
    finally:
        server.should_exit = True
        runner.join(10)
    plain = api.post("/v1/decisions?detail=brief", content=BODY, headers={"Content-Type": "application/json"})
    assert said.startswith(b"HTTP/1.1 200 ") and said.endswith(plain.content)
