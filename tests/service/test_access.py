"""Who may call: this machine without configuration, keys by scope, tokens of an issuer; every refusal says what to do."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from compliance.errors import UsageError
from compliance.service import access, keys
from compliance.service.head import read_head
from service.serving import CHILD, client_of

HOLD = {"id": "m1", "scope": {"modality": ["CT"]}, "issued_by": "Legal", "issued": "2026-01-01"}


def _bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def test_without_configuration_this_machine_needs_no_key(api):
    assert api.get("/v1/facts").status_code == 200


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "via", "x-real-ip", "x-forwarded-proto"])
def test_what_a_proxy_passes_on_is_not_this_machine(api, header):
    assert api.get("/v1/facts", headers={header: "203.0.113.9"}).status_code == 401


def test_others_need_a_key(store):
    with client_of(store, host="203.0.113.9") as client:
        refused = client.get("/v1/facts")
        assert refused.status_code == 401
        assert "Bearer" in refused.headers["www-authenticate"]
        assert refused.json()["detail"].endswith("(compliance keys new)")
        assert client.get("/healthz").status_code == 200


def test_once_there_is_a_key_it_is_needed_here_too(store):
    keys.make(store, "pacs", ["read"])
    with client_of(store) as client:
        assert client.get("/v1/facts").status_code == 401


@pytest.mark.parametrize(
    ("scope", "reads", "audits", "holds", "administers"),
    [("read", 200, 403, 403, 403), ("audit", 200, 200, 403, 403), ("hold", 200, 403, 201, 403), ("admin", 200, 200, 201, 200)],
)
def test_a_key_reaches_as_far_as_its_scope(store, scope, reads, audits, holds, administers):
    key = keys.make(store, "somebody", [scope])
    with client_of(store) as client:
        client.headers.update(_bearer(key))
        assert client.get("/v1/facts").status_code == reads
        assert client.get("/v1/findings").status_code == audits
        assert client.post("/v1/holds", json=HOLD).status_code == holds
        assert client.get("/v1/ledger").status_code == administers


def test_a_browser_may_send_the_key_as_a_password(store):
    key = keys.make(store, "somebody", ["read"])
    with client_of(store) as client:
        assert client.get("/v1/facts", auth=("anything", key)).status_code == 200


def test_a_key_is_shown_once_and_kept_as_a_hash(store):
    admin = keys.make(store, "root", ["admin"])
    with client_of(store) as client:
        client.headers.update(_bearer(admin))
        made = client.post("/v1/clients", json={"name": "pacs", "scopes": ["read"]}, headers={"idempotency-key": "k"})
        again = client.post("/v1/clients", json={"name": "pacs", "scopes": ["read"]}, headers={"idempotency-key": "k"})
        key = made.json()["key"]
        assert "key" not in again.json() and again.headers["idempotency-replayed"] == "true"
        assert key not in client.get("/v1/clients").text + client.get("/v1/ledger").text
        assert key.encode() not in Path(store.engine.url.database).read_bytes()


def test_a_revoked_key_is_refused(store):
    admin, key = keys.make(store, "root", ["admin"]), keys.make(store, "pacs", ["read"])
    with client_of(store) as client:
        assert client.get("/v1/facts", headers=_bearer(key)).status_code == 200
        id = next(one["id"] for one in client.get("/v1/clients", headers=_bearer(admin)).json() if one["name"] == "pacs")
        assert client.delete(f"/v1/clients/{id}", headers=_bearer(admin)).status_code == 200
        assert client.get("/v1/facts", headers=_bearer(key)).status_code == 401


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ick_nothing", "Basic !!!", "Digest x", "Bearer a.b.c", "Bearer " + "x" * 5000])
def test_what_is_no_key_is_refused(store, value):
    with client_of(store, host="203.0.113.9") as client:
        assert client.get("/v1/facts", headers={"authorization": value}).status_code in (401, 431)


def test_a_page_of_another_site_may_not_write(api):
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}):
        assert api.post("/v1/holds", json=HOLD, headers=headers).status_code == 403
    assert api.post("/v1/holds", content=json.dumps(HOLD), headers={"content-type": "text/plain"}).status_code == 415
    assert api.post("/v1/holds", json=HOLD, headers={"origin": "http://testserver"}).status_code == 201


def test_the_service_answers_to_its_own_name_alone(api):
    assert api.get("/v1/facts", headers={"host": "evil.example"}).status_code == 421


def test_a_caller_that_asks_too_often_waits(store):
    with client_of(store, rate=5) as client:
        answers = [client.get("/v1/purge-date?jurisdiction=XA") for _ in range(7)]
        assert [one.status_code for one in answers] == [200] * 5 + [429] * 2
        assert int(answers[-1].headers["retry-after"]) >= 1


def test_a_body_beyond_the_limit_is_refused(store):
    with client_of(store, body_limit=1000) as client:
        assert client.post("/v1/decisions", json={"facts": CHILD, "id": "x" * 2000}).status_code == 413

        def pieces():
            yield from [b" " * 600] * 3

        assert client.post("/v1/decisions", content=pieces(), headers={"content-type": "application/json"}).status_code == 413


def test_every_answer_has_the_headers_that_keep_browsers_safe(api):
    for path in ("/healthz", "/v1/facts", "/nothing"):
        headers = api.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-request-id"]


def _part(raw: object) -> str:
    """Return a part of a token that is put together by hand, since PyJWT signs no forgeries."""
    data = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class _Issuer:
    """An OpenID provider: configuration and key set over HTTP."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(issuer.key.public_key()))
                found = {"keys": [{**jwk, "kid": "1", "use": "sig", "alg": "RS256"}], "jwks_uri": issuer.url + "/jwks"}
                body = json.dumps(found).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def token(self, key=None, algorithm="RS256", **claims) -> str:
        whole = {"iss": self.url, "aud": "compliance", "sub": "anna", "exp": time.time() + 60, "scope": "openid compliance:audit", **claims}
        return jwt.encode({k: v for k, v in whole.items() if v is not None}, key or self.key, algorithm, headers={"kid": "1"})


@pytest.fixture(scope="module")
def issuer():
    made = _Issuer()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def trusting(store, issuer):
    with client_of(store, host="203.0.113.9", oidc_issuer=issuer.url, oidc_audience="compliance") as client:
        yield client


def test_a_token_of_the_issuer_is_taken_with_its_scopes(trusting, issuer):
    headers = _bearer(issuer.token())
    assert trusting.get("/v1/findings", headers=headers).status_code == 200
    assert trusting.get("/v1/ledger", headers=headers).status_code == 403


def test_what_is_written_names_who_the_token_names(trusting, issuer):
    headers = _bearer(issuer.token(scope="compliance:admin"))
    assert trusting.post("/v1/holds", json=HOLD, headers=headers).status_code == 201
    assert trusting.get("/v1/ledger", headers=headers).json()["items"][-1]["actor"] == "oidc:anna"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"}, {"iss": "https://another.example"}, {"exp": time.time() - 100}, {"exp": None}, {"sub": None},
        {"aud": None}, {"nbf": time.time() + 1000},
    ],
)  # fmt: skip
def test_a_token_for_others_or_of_others_is_refused(trusting, issuer, claims):
    assert trusting.get("/v1/facts", headers=_bearer(issuer.token(**claims))).status_code == 401


def test_forged_tokens_are_refused(trusting, issuer):
    another = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    good = issuer.token()
    head, body, mark = good.split(".")
    none = jwt.encode({"iss": issuer.url, "aud": "compliance", "sub": "anna", "exp": datetime.now(UTC) + timedelta(hours=1)}, None, "none", headers={"kid": "1"})
    public = jwt.algorithms.RSAAlgorithm.to_jwk(issuer.key.public_key()).encode()
    signed = f"{_part({'alg': 'HS256', 'kid': '1', 'typ': 'JWT'})}.{body}"
    mixed = f"{signed}.{_part(hmac.new(public, signed.encode(), hashlib.sha256).digest())}"
    for forged in (issuer.token(key=another), none, mixed, f"{head}.{body}.{mark[:-4]}AAAA", f"{head}.{body}.", good + "x"):
        assert trusting.get("/v1/facts", headers=_bearer(forged)).status_code == 401


def test_a_token_without_a_scope_of_ours_reaches_nothing(trusting, issuer):
    assert trusting.get("/v1/facts", headers=_bearer(issuer.token(scope="openid"))).status_code == 403


def test_two_subjects_are_never_one_actor(trusting, issuer):
    one, other = "x" * 254 + "a", "x" * 254 + "b"
    for number, sub in enumerate((one, other)):
        headers = _bearer(issuer.token(scope="compliance:admin", sub=sub))
        assert trusting.post("/v1/holds", json={**HOLD, "id": f"m{number}"}, headers=headers).status_code == 201
    actors = [item["actor"] for item in trusting.get("/v1/ledger", headers=headers).json()["items"]]
    assert actors[-2:] == [f"oidc:{one}", f"oidc:{other}"]
    for wrong in ("x" * 256, "", "a\0b", "é"):
        refused = trusting.get("/v1/facts", headers=_bearer(issuer.token(sub=wrong)))
        assert refused.status_code == 401 and "255" in refused.json()["detail"]


@pytest.mark.parametrize("name", ["host", "content-type", "origin", "authorization"])
def test_a_header_given_twice_is_refused(api, name):
    twice = [("content-type", "application/json"), (name, "testserver"), (name, "application/x-ndjson")]
    answer = api.post("/v1/guard", content=b"{}", headers=twice)
    assert answer.status_code == 400 and "once" in answer.json()["detail"]


@pytest.mark.parametrize(("said", "length"), [(b"17", 17), (b"0" * 40 + b"5", 5), (b"18446744073709551615", 2**64 - 1), (b"9" * 5000, 10**20 - 1), (b"x", 0), (b"", 0)])
def test_a_length_is_read_whatever_its_digits(said, length):
    assert read_head(((b"content-length", said),)).length == length


def test_a_token_that_is_none_is_refused_whatever_stands_in_it(trusting):
    heads = [b'{"alg":"RS256","kid":"1","x":' + b"[" * 20_000, b'{"alg":"RS256","kid":' + b"9" * 10_000 + b"}", b"{}", b"[]", b"null", b"\xff"]
    heads += [json.dumps({"alg": alg, "kid": kid}).encode() for alg in (["RS256"], {}, None, 1, "RS256") for kid in ({}, [], None, 1, "x" * 9000)]
    for head in heads:
        for token in (f"{_part(head)}.{_part(b'{}')}.{_part(b'x')}", _part(head), f"{_part(head)}..", f"{_part(head)}.{_part(head)}.{_part(head)}.x"):
            assert trusting.get("/v1/facts", headers=_bearer(token)).status_code in (401, 429)


@pytest.mark.parametrize("name", ["oidc:anna", "shell:root", "this machine", "nobody", "", " ", "a\nb", "\x1b[31m", "a\u202eb", "x" * 101])
def test_no_client_bears_the_name_of_another_kind_of_caller_or_what_cannot_be_read(store, api, name):
    with pytest.raises(UsageError, match=r"not allowed|take another"):
        keys.make(store, name, ["read"])
    assert api.post("/v1/clients", json={"name": name, "scopes": ["read"]}).status_code == 422


def test_strangers_behind_the_same_address_lock_nobody_out(store, monkeypatch):
    monkeypatch.setattr(access, "_REMEMBERED", 0.0)
    key = _bearer(keys.make(store, "pacs", ["read"]))
    with client_of(store, host="203.0.113.9", rate=60) as client:
        assert client.get("/v1/facts", headers=key).status_code == 200
        tried = [client.get("/v1/facts", headers=_bearer(f"ick_{n}")).status_code for n in range(70)]
        assert tried[0] == 401 and tried[-1] == 429
        assert client.get("/v1/facts", headers=key).status_code == 200
        keys.revoke(store, "pacs")
        assert [client.get("/v1/facts", headers=key).status_code for _ in range(2)] == [401, 429]
