"""Services for tests: an application over a store, a process of `compliance serve`, a PostgreSQL server of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from compliance.law.knowledge import KnowledgeBase, load
from compliance.service.api import create_app
from compliance.service.settings import Settings
from compliance.service.store import Store

LAWS = Path(__file__).parents[1] / "laws"
JSON = {"content-type": "application/json"}
CHILD = {
    "jurisdiction": "XA", "facility_type": "hospital", "record": "image", "modality": "CT",
    "birth_date": "2010-02-10", "study_date": "2012-05-01", "discharge_date": "2012-05-03",
}  # fmt: skip
OLD = {**CHILD, "birth_date": "1950-02-10", "modality": ["MR"]}


def xa() -> KnowledgeBase:
    return load(LAWS, use_compiled=False)


def client_of(store: Store, host: str = "127.0.0.1", **settings) -> TestClient:
    app = create_app(Settings(**{"rate": 0, **settings}), xa(), store)
    return TestClient(app, client=(host, 50000), raise_server_exceptions=False)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Receiver:
    """A receiver of webhooks that refuses the first; what it got, headers and body."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(500 if len(receiver.got) == 1 else 204)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


class Process:
    """One process of `compliance serve`."""

    def __init__(self, database: str, *more: str, env: dict[str, str] | None = None, log: Path | None = None) -> None:
        self.port, self.url = free_port(), ""
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "compliance.cli", "serve", "--port", str(self.port), "--database", database, "--laws", str(LAWS), *more]
        with (log or Path(os.devnull)).open("wb") as out:
            self.process = subprocess.Popen(command, env={**os.environ, "COMPLIANCE_RATE": "0", **(env or {})}, stdout=out, stderr=out)
        self._wait()

    def _wait(self) -> None:
        for _ in range(300):
            try:
                if httpx.get(self.url + "/readyz", timeout=2).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            assert self.process.poll() is None, "the service has stopped"
            time.sleep(0.1)
        raise AssertionError("the service is not ready")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


@contextmanager
def serving(database: str, *more: str, **kind) -> Iterator[Process]:
    process = Process(database, *more, **kind)
    try:
        yield process
    finally:
        if process.process.poll() is None:
            process.stop()


def postgres_folder() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


class Postgres:
    """The Debian server on a folder and port of its own; it refuses root, so root runs it as `postgres`."""

    def __init__(self) -> None:
        self.bin, self.folder, self.port = postgres_folder(), Path(tempfile.mkdtemp(prefix="postgres-")), free_port()
        self.user = "postgres" if os.getuid() == 0 else None
        if self.user:  # pytest's own folders are closed to others
            shutil.chown(self.folder, "postgres")
        self._run("initdb", "-D", str(self.folder), "-U", "tester", "-A", "trust", "--no-sync")
        self.start()

    @property
    def url(self) -> str:
        return f"postgresql://tester@127.0.0.1:{self.port}/postgres"

    def _run(self, name: str, *more: str) -> None:
        subprocess.run([str(self.bin / name), *more], check=True, user=self.user, cwd="/", stdout=subprocess.DEVNULL)

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c max_connections=300"
        self._run("pg_ctl", "-D", str(self.folder), "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self, how: str = "fast") -> None:
        self._run("pg_ctl", "-D", str(self.folder), "-w", "-m", how, "stop")

    def remove(self) -> None:
        self.stop("immediate")
        shutil.rmtree(self.folder)

    def database(self, name: str) -> str:
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url.removesuffix("postgres") + name


def need_postgres() -> None:
    if postgres_folder() is None:
        assert not os.environ.get("REQUIRE_SERVICES"), "PostgreSQL is not installed (Debian: apt install postgresql)"
        pytest.skip("PostgreSQL is not installed (Debian: apt install postgresql)")
