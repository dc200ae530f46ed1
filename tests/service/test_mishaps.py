"""What goes wrong around the service: callers that go away, receivers that fail; nobody else is the worse for it."""

from __future__ import annotations

import asyncio
import json
import threading
import time

import pytest
from sqlalchemy import select, update

from compliance.service import tables, webhooks
from compliance.service.store import StoreError
from service.serving import Receiver, client_of

HOLD = {"id": "m1", "scope": {"modality": ["CT"]}, "issued_by": "Legal", "issued": "2026-01-01"}


def _gone(app, method: str, path: str, kind: str) -> None:
    """A caller that begins to send a body and goes away."""
    pieces = iter([{"type": "http.request", "body": b"\xff\xff\xff\xff" if "arrow" in kind else b'{"facts"', "more_body": True}])
    headers = [(b"host", b"testserver"), (b"content-type", kind.encode()), (b"content-length", b"1000")]
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers, "client": ("127.0.0.1", 1), "server": ("testserver", 80), "scheme": "http", "root_path": "", "http_version": "1.1"}

    async def receive():
        return next(pieces, {"type": "http.disconnect"})

    async def send(message):
        raise AssertionError("nobody is there")

    async def run():
        await app(scope, receive, send)
        app.gate.journal.flush()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/decisions", "application/json"), ("/v1/holds", "application/json"), ("/v1/decisions", "application/x-ndjson"),
        ("/v1/decisions", "application/vnd.apache.arrow.stream"), ("/calculator.html", "application/x-www-form-urlencoded"),
    ],
)  # fmt: skip
def test_a_caller_that_goes_away_is_a_quiet_line(api, caplog, path, kind):
    caplog.set_level("INFO", "compliance.service")
    _gone(api.app, "POST", path, kind)
    (line,) = [json.loads(record.message) for record in caplog.records if record.name == "compliance.service"]
    assert (line["route"], line["status"]) == (path, 499)


def test_a_webhook_that_cannot_be_signed_for_does_not_stop_the_others(store):
    with client_of(store, webhook_private=True) as api, Receiver() as receiver:
        for _ in range(2):
            api.post("/v1/webhooks", json={"url": f"http://127.0.0.1:{receiver.server.server_port}/", "events": ["hold.created"]})
        first = store.read(lambda session: session.execute(select(tables.Webhooks.id).limit(1)).scalar_one())
        store.write(lambda session: session.execute(update(tables.Webhooks).where(tables.Webhooks.id == first).values(secret="whsec_a")))
        api.post("/v1/holds", json=HOLD)
        for _ in range(100):
            if receiver.got:
                break
            webhooks.deliver(store, True)
            time.sleep(0.1)
        assert len(receiver.got) == 1


def test_the_delivery_of_webhooks_outlives_whatever_goes_wrong(store, monkeypatch, caplog):
    tried = threading.Event()
    wrong = iter([RuntimeError("SECRET"), MemoryError(), StoreError("away")])

    def deliver(*_: object) -> int:
        if (error := next(wrong, None)) is not None:
            raise error
        tried.set()
        return 0

    monkeypatch.setattr(webhooks, "deliver", deliver)
    monkeypatch.setattr("compliance.service.api._PAUSE", 0.01)
    with client_of(store):
        assert tried.wait(20)
    said = "\n".join(record.message for record in caplog.records if record.name == "compliance.service")
    assert "RuntimeError" in said and "MemoryError" in said and "not at hand" in said and "SECRET" not in said


TWICE = b'{"id": "q", "facts": {"jurisdiction": "XA", "modality": "CT", "modality": "MR"}}'


def test_a_key_that_stands_twice_is_refused(api):
    json_, lines = {"content-type": "application/json"}, {"content-type": "application/x-ndjson"}
    for path in ("/v1/decisions", "/v1/decisions?detail=brief", "/v1/explain"):
        refused = api.post(path, content=TWICE, headers=json_)
        assert refused.status_code == 422 and "'modality' stands twice" in refused.json()["detail"]
    guard = b'{"reason": "request", "copies_left": 0, "copies_left": 1, "facts": {}}'
    assert "'copies_left' stands twice" in api.post("/v1/guard", content=guard, headers=json_).text
    assert "stands twice" in api.post("/v1/decisions", content=TWICE.replace(b"{", b'{"as_of": "2026-11-24", "as_of": "2026-11-25", ', 1), headers=json_).text
    good = TWICE.replace(b'"modality": "CT", ', b"")
    first, second, third = api.post("/v1/decisions", content=TWICE + b"\n" + good + b'\n[{"a": 1, "a": 2}]', headers=lines).text.splitlines()
    assert "stands twice" in json.loads(third)["error"]["detail"] and json.loads(first)["id"] == "q" and "stands twice" in json.loads(first)["error"]["detail"]
    assert json.loads(second)["disposition"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"id": "urn:a:b", "facts": {"jurisdiction": "XA", "site": "a: b"}}', b'{"facts": {"jurisdiction": "XA", "keepers": [{"facility_type": "hospital"}, {"facility_type": "clinic"}]}}',
        b' {"facts" : {"jurisdiction" : ["XA"]}, "id": "a\\":b"}', b'{"facts": {"duties_done": {"XA/a#b": "2020-01-01"}, "jurisdiction": "XA"}}',
    ],
)  # fmt: skip
def test_colons_in_texts_and_keys_of_several_objects_are_no_harm(api, body):
    assert api.post("/v1/decisions", content=body, headers={"content-type": "application/json"}).status_code == 200
