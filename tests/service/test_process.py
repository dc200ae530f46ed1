"""The service as a process: streams with back-pressure, slow callers, many callers, the typed client, the examples."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path

import httpx
import pyarrow as pa
import pytest

from compliance.client import ApiError, Client
from compliance.decision.columns import Evaluator
from compliance.errors import UsageError
from compliance.law.knowledge import load
from compliance.service import wire
from service.serving import CHILD, LAWS, OLD, Process, serving

ARROW = {"content-type": "application/vnd.apache.arrow.stream"}
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    folder = tmp_path_factory.mktemp("service")
    with serving(f"sqlite:///{folder / 'x.db'}", env={"COMPLIANCE_IDLE_SECONDS": "2"}) as one:
        yield one


@pytest.fixture
def client(process: Process) -> Iterator[Client]:
    with Client(process.url) as one:
        yield one


def _batch(rows: int, first: int = 0) -> pa.RecordBatch:
    days = pa.array([date(2000 + n % 20, 1 + n % 12, 1 + n % 28) for n in range(rows)], pa.date32())
    same = {"jurisdiction": "XA", "facility_type": "hospital", "record": "image", "modality": "CT"}
    columns = {name: pa.array([word] * rows).dictionary_encode() for name, word in same.items()}
    columns |= {"id": pa.array(range(first, first + rows)), "study_date": days, "birth_date": pa.array([date(1950, 1, 1)] * rows, pa.date32())}
    return pa.RecordBatch.from_arrays(list(columns.values()), list(columns))


def _stream(batches) -> Iterator[bytes]:
    sink = pa.BufferOutputStream()
    writer = None
    for batch in batches:
        if writer is None:
            sink = pa.BufferOutputStream()
            writer = pa.ipc.new_stream(sink, batch.schema)
        writer.write_batch(batch)
    writer.close()
    whole = sink.getvalue().to_pybytes()
    for at in range(0, len(whole), 50_000):
        yield whole[at : at + 50_000]


def test_an_arrow_stream_says_what_the_evaluator_says(process):
    batches = [_batch(3000, 0), _batch(17, 3000)]
    answer = httpx.post(f"{process.url}/v1/decisions", content=_stream(batches), headers=ARROW, timeout=60)
    assert answer.status_code == 200
    found = pa.ipc.open_stream(answer.content).read_all()
    assert found.column("id").to_pylist() == list(range(3017))
    expected = Evaluator(load(LAWS, use_compiled=False), date.today().toordinal()).decide(batches[0])
    for name in expected.schema.names:
        assert found.column(name).to_pylist()[:3000] == expected.column(name).to_pylist()


@pytest.mark.parametrize("body", [b"", b"nonsense", b"\xff\xff\xff\xff\xff\xff\xff\x7f" + b"x" * 100, b"\x00" * 1000])
def test_what_is_no_arrow_is_refused(process, body):
    assert httpx.post(f"{process.url}/v1/decisions", content=body, headers=ARROW).status_code == 422


def test_a_column_that_is_no_fact_is_refused(process):
    batch = pa.RecordBatch.from_pydict({"birth_dat": ["x"]})
    refused = httpx.post(f"{process.url}/v1/decisions", content=_stream([batch]), headers=ARROW)
    assert refused.json()["errors"] == [{"path": "birth_dat", "message": "unknown fact. Did you mean 'birth_date'?"}]


ODD = {
    "text for a date": {"study_date": pa.array(["2012-05-01"])},
    "numbers for words": {"modality": pa.array([5])},
    "a list": {"jurisdiction": pa.array([["XA"]])},
    "a struct": {"jurisdiction": pa.array([{"a": 1}])},
    "a moment": {"study_date": pa.array([datetime(2012, 5, 1)])},
    "nothing": {"jurisdiction": pa.nulls(1)},
    "a billion rows of nothing": {"jurisdiction": pa.nulls(10**9)},
    "bytes": {"jurisdiction": pa.array([b"\xff"])},
    "a map": {"duties_done": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64()))},
    "floats": {"birth_date": pa.array([1.5])},
    "a fraction of a date": {"birth_date": pa.array([2**40])},
    "no rows": {"jurisdiction": pa.array([], pa.string())},
    "large text": {"jurisdiction": pa.array(["XA"], pa.large_string())},
    "a view": {"jurisdiction": pa.array(["XA"], pa.string_view())},
    "a dictionary of nothing": {"jurisdiction": pa.DictionaryArray.from_arrays(pa.array([0, None], pa.int32()), pa.nulls(1))},
    "an id of parts": {"id": pa.array([{"a": 1}]), "jurisdiction": ["XA"]},
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_odd_columns_are_read_or_refused(process, name):
    batch = pa.RecordBatch.from_pydict(ODD[name])
    answer = httpx.post(f"{process.url}/v1/decisions", content=_stream([batch]), headers=ARROW, timeout=60)
    assert answer.status_code in (200, 422), answer.text
    assert process.process.poll() is None


@pytest.mark.parametrize("method", ["zstd", "lz4"])
def test_a_stream_that_may_unfold_without_bound_is_refused(process, method):
    batch = pa.RecordBatch.from_pydict({"jurisdiction": pa.array(["x" * 10_000_000])})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(compression=method)) as writer:
        writer.write_batch(batch)
    answer = httpx.post(f"{process.url}/v1/decisions", content=sink.getvalue().to_pybytes(), headers=ARROW, timeout=60)
    assert answer.status_code == 422 and "without compression" in answer.text


def test_an_arrow_stream_that_breaks_off_is_not_taken_for_the_whole(process):
    whole = b"".join(_stream([_batch(3000), _batch(3000)]))
    with pytest.raises((httpx.HTTPError, pa.ArrowException)):
        answer = httpx.post(f"{process.url}/v1/decisions", content=whole[: len(whole) * 3 // 4], headers=ARROW)
        assert answer.status_code == 200 or answer.raise_for_status()
        pa.ipc.open_stream(answer.content).read_all()


def test_a_long_stream_is_answered_while_it_is_sent_in_little_memory(process):
    line = json.dumps({"as_of": "2026-11-24", "facts": CHILD}).encode() + b"\n"
    sent, answered = 0, 0

    def lines() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(60):
            sent += 200
            yield line * 200

    def memory() -> int:
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{process.process.pid}/status").read_text()).group(1))

    before, behind = memory(), 0
    headers = {"content-type": "application/x-ndjson"}
    with httpx.stream("POST", f"{process.url}/v1/decisions?detail=brief", content=lines(), headers=headers, timeout=60) as answer:
        for _ in answer.iter_lines():
            answered += 1
            behind = max(behind, sent - answered)
    assert answered == 12_000 and behind < 12_000
    assert memory() - before < 60_000


def test_a_caller_that_sends_slowly_is_let_go(process):
    host, port = process.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as one:
        one.sendall(b"POST /v1/decisions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
        begun = time.monotonic()
        one.settimeout(20)
        answer = one.recv(4096)
    assert b" 408 " in answer and time.monotonic() - begun < 10


@pytest.mark.parametrize("head", [b"GET /healthz HTTP/1.1\r\nHost: local", b"", b"GET /healthz HTTP/1.1\r\n" + b"X: y\r\n" * 20_000])
def test_a_head_that_does_not_end_is_let_go(process, head):
    host, port = process.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as one:
        begun = time.monotonic()
        one.sendall(head)
        with contextlib.suppress(ConnectionResetError):
            assert one.recv(4096) == b""
        assert time.monotonic() - begun < 10


def test_head_and_body_of_an_answer_come_together(process):
    host, port = process.url.removeprefix("http://").split(":")
    body = json.dumps({"facts": CHILD}).encode()
    head = f"POST /v1/decisions?detail=brief HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    with socket.create_connection((host, int(port)), timeout=20) as one:
        for _ in range(3):  # on one connection
            one.sendall(head.encode() + b"\r\n" + body)
            answer = one.recv(1 << 16)
            assert answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"}")
        one.sendall(head.encode() + b"Expect: 100-continue\r\nConnection: close\r\n\r\n")
        assert one.recv(1 << 16) == b"HTTP/1.1 100 Continue\r\n\r\n"
        one.sendall(body)
        assert b"".join(iter(lambda: one.recv(1 << 16), b"")).endswith(b"}")
    with socket.create_connection((host, int(port)), timeout=20) as one:
        one.sendall(b"HEAD /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: one.recv(1 << 16), b""))
        assert answer.startswith(b"HTTP/1.1 ") and answer.endswith(b"\r\n\r\n")


def test_a_caller_that_does_not_read_is_let_go(process):
    host, port = process.url.removeprefix("http://").split(":")
    line = json.dumps({"facts": CHILD}).encode() + b"\n"
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.settimeout(3)
        one.connect((host, int(port)))
        one.sendall(b"POST /v1/decisions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nContent-Length: 900000000\r\n\r\n")
        begun, gone = time.monotonic(), False
        while time.monotonic() - begun < 40 and not gone:
            try:
                one.sendall(line * 100)
            except TimeoutError:
                continue
            except OSError:
                gone = True
    assert gone
    assert httpx.get(process.url + "/healthz").status_code == 200


def test_two_hundred_callers_at_once(process):
    with ThreadPoolExecutor(200) as pool, httpx.Client(base_url=process.url, timeout=60, limits=httpx.Limits(max_connections=200)) as http:
        answers = list(pool.map(lambda n: http.post("/v1/decisions", json={"id": n, "facts": CHILD}), range(600)))
    assert [one.json()["id"] for one in answers] == list(range(600))


def test_the_client_decides(client):
    one = client.decide(OLD, date(2026, 11, 24))
    assert (one.disposition, one.norms[0].governs, one.laws.version) == ("must_purge", True, load(LAWS, use_compiled=False).version)
    many = client.decide_many([{"id": n, "facts": CHILD} for n in range(30)])
    assert [brief.id for brief in many] == list(range(30))
    streamed = list(client.decide_stream({"id": n, "facts": CHILD if n else {"x": 1}} for n in range(30)))
    assert isinstance(streamed[0], wire.Unanswered) and [brief.id for brief in streamed[1:]] == list(range(1, 30))
    assert "Earliest lawful purge date: 2029-02-11" in client.explain(CHILD, date(2026, 11, 24))


def test_the_client_reads_the_law_base(client):
    assert [one.id for one in client.laws()] == ["XA/medical-images-act"]
    assert client.law("XA/medical-images-act").norms[0].verification.status == "verified"
    assert [one.code for one in client.jurisdictions()] == ["XA"]
    assert {one.name: one.identifiable for one in client.facts()}["birth_date"]


def test_the_client_holds_and_guards(client):
    client.hold("m7", {"modality": ["CT"]}, "Legal")
    assert client.guard(CHILD, "duplicate", copies_left=1).citation == "hold m7"
    client.release("m7", "Legal", "settled")
    assert client.guard(CHILD, "duplicate", copies_left=1).allowed
    assert [one.id for one in client.holds("released")] == ["m7"]


def test_a_refusal_is_an_error_that_says_why(client):
    with pytest.raises(ApiError, match="Did you mean 'birth_date'") as refused:
        client.decide({"birth_dat": "2010"})
    assert refused.value.status == 422


def test_a_service_that_is_not_there_is_an_error_for_people():
    with pytest.raises(UsageError, match="cannot be reached"), Client("http://127.0.0.1:9") as one:
        one.decide(CHILD)


def test_an_audit_written_by_the_program_is_registered(client, tmp_path):
    summary = {"as_of": "2026-11-24", "profile": "A", "inventory": "sha256:9", "laws": {"version": "1", "digest": "d"}}
    (tmp_path / "summary.json").write_text(json.dumps(summary, indent=1))
    row = {"fingerprint": "0" * 24, "level": "error", "code": "conflict", "message": "x", "study": "1.2"}
    (tmp_path / "findings.jsonl").write_text(json.dumps(row) + "\n")
    audit = client.register_audit(tmp_path)
    assert [one.study for one in client.findings(audit=audit.id, level="error")] == ["1.2"]
    assert audit.id in [one.id for one in client.audits()]


@pytest.mark.parametrize("name", ["curl.sh", "guard.py"])
def test_the_examples_run(process, name):
    command = ["bash"] if name.endswith(".sh") else [sys.executable]
    done = subprocess.run(
        [*command, str(ROOT / "examples/api" / name)], env={**os.environ, "COMPLIANCE_URL": process.url}, capture_output=True, text=True, timeout=120
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    assert "earliest_purge_date" in done.stdout or "kept" in done.stdout


def test_bound_to_the_world_it_wants_a_key_first(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "compliance.cli", "serve", "--host", "0.0.0.0", "--database", f"sqlite:///{tmp_path / 'x.db'}"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "http://" not in done.stderr
    assert "make a key first" in done.stderr and "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_said_without_a_traceback(process, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "compliance.cli", "serve", "--port", str(process.port), "--database", f"sqlite:///{tmp_path / 'x.db'}"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "address already in use" in done.stderr and "Traceback" not in done.stderr


def test_schemathesis_finds_nothing(tmp_path):
    """The whole contract: examples, borders of every schema, random requests that fit and that do not."""
    database = f"sqlite:///{tmp_path / 'x.db'}"
    made = subprocess.run(
        [sys.executable, "-m", "compliance.cli", "keys", "new", "tester", "--scope", "admin", "--database", database],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    log = tmp_path / "log"
    with serving(database, log=log) as process:
        done = subprocess.run(
            [
                str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(Path(__file__).parent / "schemathesis.toml"),
                "run", f"{process.url}/openapi.json", "-H", f"Authorization: Bearer {made.stdout.strip()}",
                "-n", os.environ.get("SCHEMATHESIS_EXAMPLES", "8"), "--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--request-timeout", "120",
            ],
            capture_output=True, text=True, timeout=900, cwd=tmp_path,
            env={**os.environ, "SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(Path(__file__).parent)},
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-1000:]
    assert "fault" not in log.read_text()
