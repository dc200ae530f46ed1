"""The resources: what they answer, what they refuse, and what they write down."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from datetime import date

import pyarrow as pa
import pytest

from compliance.service import webhooks
from compliance.service.serving import Answers
from compliance.service.store import Store
from service.serving import CHILD, JSON, OLD, Receiver, client_of, xa

HOLD = {"id": "m1", "scope": {"modality": ["CT"]}, "issued_by": "Legal", "issued": "2026-01-01"}


def _guard(api, facts=OLD, reason="retention", copies_left=0):
    answer = api.post("/v1/guard", json={"facts": facts, "reason": reason, "copies_left": copies_left})
    assert answer.status_code == 200
    return answer.json()


def test_full_and_brief_say_the_same_one_by_one_and_in_a_list(api):
    questions = [{"id": n, "as_of": "2026-11-24", "facts": {**CHILD, "birth_date": f"{1940 + n}-02-10"}} for n in range(80)]
    questions[3]["facts"] = {"keepers": [{"jurisdiction": "XA", "facility_type": "hospital"}], "study_date": "2012"}
    questions[4]["facts"] = {"jurisdiction": "XA", "study_date": "2027-01-01"}
    full = api.post("/v1/decisions", json=questions).json()
    listed = api.post("/v1/decisions?detail=brief", json=questions).json()
    single = [_spaced(api, one) for one in questions]
    assert listed == single
    for whole, short in zip(full, listed, strict=True):
        for name in ("id", "disposition", "ready", "earliest_purge_date", "destroy_by", "permanent"):
            assert whole[name] == short[name]
        assert {k: v for k, v in whole["retain_through"].items() if k != "reason"} == short["retain_through"]
        assert [one["fact"] for one in whole["missing"]] == short["missing"]


def _spaced(api, question):
    """Ask in other bytes than a list does, so that nothing remembered answers."""
    return api.post("/v1/decisions?detail=brief", content=json.dumps(question, indent=1), headers=JSON).json()


@pytest.mark.parametrize("detail", ["brief", "full"])
def test_what_was_asked_before_is_answered_the_same_until_a_hold_comes(api, detail):
    questions = [{"id": n, "as_of": "2026-11-24", "facts": {**CHILD, "study_date": f"20{n:02}-05-01"}} for n in range(10, 20)]

    def asked(some):
        return api.post(f"/v1/decisions?detail={detail}", json=some).json()

    half = asked(questions[::2])
    alone = [asked(one) for one in questions]
    assert asked(questions) == alone == asked(questions)
    assert alone[::2] == half
    api.post("/v1/holds", json=HOLD)
    assert {one["disposition"] for one in asked(questions)} == {"held"}


def test_answers_are_remembered_in_bounds_however_often_one_is_kept():
    answers = Answers(largest=100)
    for _ in range(1000):
        answers.keep((b"", b"first"), b"x" * 15)
    answers.keep((b"", b"other"), b"x" * 15)
    assert len(answers) == 2
    for number in range(1000):
        answers.keep((b"", b"%05d" % number), b"x" * 15)
    assert list(answers) == [(b"", b"%05d" % number) for number in range(995, 1000)]
    answers.keep((b"", b"large"), b"x" * 500)
    assert not answers
    answers.keep((b"", b"small"), b"x")
    assert answers.get((b"", b"small")) == b"x"


def test_a_fault_in_a_list_is_named_by_its_place_whatever_was_answered_before(api):
    good = {"facts": CHILD}
    api.post("/v1/decisions", json=[good, good])
    refused = api.post("/v1/decisions", json=[good, {"facts": {"birth_dat": "2010"}}, good])
    assert refused.json()["errors"][0]["path"] == "1.birth_dat"
    twice = b'[{"facts":{"record":"image"}},{"facts":{"modality":"CT","modality":"MR"}}]'
    assert "question 1: the key 'modality' stands twice" in api.post("/v1/decisions", content=twice, headers=JSON).json()["detail"]
    assert "question 1:" in api.post("/v1/decisions", json=[good, {"fact": CHILD}]).json()["detail"]


def test_a_list_is_answered_whole_or_not_at_all(api):
    refused = api.post("/v1/decisions", json=[{"facts": CHILD}, {"facts": {"birth_dat": "2010"}}])
    assert refused.status_code == 422
    assert refused.json()["errors"] == [{"path": "1.birth_dat", "message": "unknown fact. Did you mean 'birth_date'?"}]
    assert refused.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("fact", ["study_uid=1.2.3", "patient_key=x", "accession=A1", "birth_date=2010-02-10", "death_date=2020-01", "duties_done=x"])
def test_facts_of_a_person_are_refused_in_an_address(api, fact):
    refused = api.get(f"/v1/purge-date?jurisdiction=XA&{fact}")
    assert refused.status_code == 422
    assert "POST /v1/decisions" in refused.json()["detail"]


def test_an_address_is_never_logged(api, caplog):
    caplog.set_level("INFO", logger="compliance.service")
    api.get("/v1/purge-date?jurisdiction=XA&birth_date=1933-03-03&patient_key=SECRETKEY")
    api.post("/v1/decisions", json={"id": "SECRETKEY", "facts": {**CHILD, "patient_key": "SECRETKEY", "birth_date": "1933-13-03"}})
    api.get("/v1/holds/SECRETKEY")
    api.app.gate.journal.flush()
    lines = [json.loads(line) for record in caplog.records if record.name == "compliance.service" for line in record.getMessage().splitlines()]
    assert {line["route"] for line in lines} >= {"/v1/purge-date", "/v1/decisions"}
    assert "SECRETKEY" not in json.dumps(lines) and "1933" not in json.dumps(lines)


def test_the_law_base_is_the_entity_tag(api):
    first = api.get("/v1/laws")
    assert xa().digest.removeprefix("sha256:")[:32] in first.headers["etag"]
    again = api.get("/v1/laws", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_law_on_a_day_and_whole(api):
    def versions(query: str) -> list[str]:
        norms = api.get(f"/v1/laws/XA/medical-images-act{query}").json()["norms"]
        return [version["since"] for norm in norms if norm["id"].endswith("#general") for version in norm["versions"]]

    assert versions("") == ["2007-01-01", "../1985-07-01"]
    assert versions("?as_of=2006-12-31") == ["../1985-07-01"]
    assert versions("?as_of=2007-01-01") == ["2007-01-01", "../1985-07-01"]
    assert api.get("/v1/laws/XA/nothing").status_code == 404
    assert api.get("/v1/laws/..%2f..%2fetc%2fpasswd").status_code == 404


def test_the_guard_says_yes_on_ready_alone(api):
    assert not _guard(api, CHILD)["allowed"]
    no = _guard(api)
    assert (no["allowed"], no["disposition"], no["open_duties"]) == (False, "must_purge", ["XA/medical-images-act#notice"])
    assert no["citation"].startswith("XA Code § 12")
    told = {**OLD, "duties_done": {"XA/medical-images-act#notice": "2020-01-01"}}
    yes = _guard(api, told)
    assert yes["allowed"] and "XA Code § 10(1)" in yes["citation"]


def test_the_guard_lets_a_duplicate_go_while_a_copy_remains_and_no_hold_is_in_force(api):
    assert not _guard(api, CHILD, "duplicate", 0)["allowed"]
    yes = _guard(api, CHILD, "duplicate", 1)
    assert yes["allowed"] and "XA Code § 10(1)" in yes["citation"]
    api.post("/v1/holds", json=HOLD)
    no = _guard(api, CHILD, "duplicate", 1)
    assert (no["allowed"], no["citation"]) == (False, "hold m1")


def test_ignorance_never_permits(api):
    assert not _guard(api, {})["allowed"]
    assert not _guard(api, {"jurisdiction": "XA"}, "request")["allowed"]


def test_a_caller_chooses_neither_day_nor_assumptions_of_the_guard(api):
    body = {"facts": OLD, "reason": "retention", "copies_left": 0}
    assert api.post("/v1/guard?assume=practical", json=body).status_code == 400
    assert api.post("/v1/guard", json={**body, "as_of": "2090-01-01"}).status_code == 422


def test_a_hold_holds_from_its_creation_to_its_release(api):
    assert api.post("/v1/holds", json=HOLD).status_code == 201
    held = api.post("/v1/decisions", json={"facts": OLD | {"modality": "CT"}}).json()
    assert (held["disposition"], held["holds"]) == ("held", [{"id": "m1"}])
    assert api.post("/v1/holds", json=HOLD).status_code == 409
    released = api.post("/v1/holds/m1/release", json={"released_by": "Legal", "why": "settled"})
    assert released.json()["released"]
    assert api.post("/v1/holds/m1/release", json={"released_by": "Legal", "why": "settled"}).status_code == 409
    assert api.post("/v1/decisions", json={"facts": OLD | {"modality": "CT"}}).json()["disposition"] == "must_purge"
    acts = [one["act"] for one in api.get("/v1/ledger").json()["items"]]
    assert acts == ["laws.noted", "hold.created", "hold.released"]


def test_a_hold_whose_scope_cannot_be_read_is_refused_with_every_fault(api):
    refused = api.post("/v1/holds", json={**HOLD, "scope": {"modalty": ["CT"], "study_date": "yesterday"}})
    assert refused.status_code == 422
    assert [one["path"] for one in refused.json()["errors"]] == ["modalty", "study_date"]


def test_the_ledger_holds_no_facts_of_patients(api):
    api.post("/v1/holds", json={**HOLD, "scope": {"patient_key": ["SECRETKEY"]}, "matter": "SECRETKEY"})
    assert "SECRETKEY" not in api.get("/v1/ledger").text


PROFILE = """
name: A hospital
sites:
  - id: main
    match: {institution: "*"}
    keepers: [{jurisdiction: XA, facility_type: hospital}]
holds:
  - {id: profile-1, issued_by: Legal, scope: {modality: [MR]}}
"""


def test_the_profile_and_the_store_are_one_register(store, tmp_path):
    (tmp_path / "profile.yaml").write_text(PROFILE)
    with client_of(store, profile=tmp_path / "profile.yaml") as api:
        api.post("/v1/holds", json=HOLD)
        assert [(one["id"], one["register"]) for one in api.get("/v1/holds").json()] == [("profile-1", "profile"), ("m1", "store")]
        assert _guard(api, OLD)["citation"] == "hold profile-1"
        assert api.post("/v1/holds", json={**HOLD, "id": "profile-1"}).status_code == 409
        assert api.post("/v1/holds/profile-1/release", json={"released_by": "x", "why": "y"}).status_code == 409


def test_the_same_key_and_request_do_it_once(api):
    headers = {"idempotency-key": "one"}
    waiver = {"reason": "moved", "owner": "Records", "until": "2030-01-01", "match": {"site": "north"}}
    first, second = (api.post("/v1/waivers", json=waiver, headers=headers) for _ in range(2))
    assert first.json() == second.json() and second.headers["idempotency-replayed"] == "true"
    assert len(api.get("/v1/waivers").json()) == 1
    assert api.post("/v1/waivers", json={**waiver, "owner": "x"}, headers=headers).status_code == 422


def test_a_signature_is_for_the_file_as_it_stands(api):
    digest = api.get("/v1/laws/XA/medical-images-act").json()["digest"]
    signed = {"statute": "XA/medical-images-act", "digest": digest, "role": "Counsel"}
    assert api.post("/v1/sign-offs", json={**signed, "digest": "sha256:" + "0" * 64}).status_code == 409
    assert api.post("/v1/sign-offs", json=signed).json()["current"]
    assert [one["role"] for one in api.get("/v1/sign-offs?statute=XA/medical-images-act").json()] == ["Counsel"]


def _audit(many: int) -> bytes:
    summary = {"as_of": "2026-11-24", "profile": "A", "inventory": "sha256:1", "laws": {"version": "1", "digest": "d"}, "reconciliation": {}}
    finding = {"level": "warning", "code": "undetermined", "site": "north", "message": "x"}
    lines = [summary, *({**finding, "fingerprint": f"{n:024x}", "study": f"1.2.{n}"} for n in range(many))]
    return b"\n".join(json.dumps(line).encode() for line in lines)


def test_an_audit_is_registered_once_and_read_page_by_page(api):
    headers = {"content-type": "application/x-ndjson"}
    assert api.post("/v1/audits", content=_audit(2500), headers=headers).status_code == 201
    assert api.post("/v1/audits", content=_audit(2500), headers=headers).status_code == 200
    (audit,) = api.get("/v1/audits").json()["items"]
    assert audit["findings"] == 2500
    seen, cursor = [], ""
    while cursor is not None:
        page = api.get(f"/v1/findings?audit={audit['id']}&limit=1000" + (f"&cursor={cursor}" if cursor else "")).json()
        seen += [one["study"] for one in page["items"]]
        cursor = page["next"]
    assert seen == [f"1.2.{n}" for n in range(2500)]
    assert [one["study"] for one in api.get("/v1/findings?study=1.2.7").json()["items"]] == ["1.2.7"]


@pytest.mark.parametrize("body", [b"", b"{}", b"nonsense", _audit(1) + b"\n{\"code\": \"invented\"}"])
def test_what_is_no_audit_leaves_nothing(api, body):
    assert api.post("/v1/audits", content=body, headers={"content-type": "application/x-ndjson"}).status_code == 422
    assert api.get("/v1/audits").json()["items"] == []


def test_a_webhook_is_signed_and_sent_until_it_is_taken(store, monkeypatch):
    monkeypatch.setattr(webhooks, "_later", lambda attempts: "2000-01-01T00:00:00Z")
    with client_of(store, webhook_private=True) as api, Receiver() as receiver:
        url = f"http://127.0.0.1:{receiver.server.server_port}/hook"
        made = api.post("/v1/webhooks", json={"url": url, "events": ["hold.created"]}).json()
        api.post("/v1/holds", json=HOLD)
        for _ in range(3):
            webhooks.deliver(store, True)
        assert len(receiver.got) >= 2
        headers, body = receiver.got[-1]
        assert json.loads(body)["type"] == "hold.created" and json.loads(body)["data"]["id"] == "m1"
        key = base64.b64decode(made["secret"].removeprefix("whsec_"))
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        assert headers["webhook-signature"] == "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert {one[0]["webhook-id"] for one in receiver.got} == {headers["webhook-id"]}


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/", "https://localhost/", "https://10.0.0.1/", "https://192.168.1.1/", "https://169.254.169.254/latest",
        "https://[::1]/", "https://[::127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://[fec0::1]/", "https://[2002:a00:1::]/",
        "https://[::ffff:10.0.0.1]/", "https://[fd00::1]/", "https://0.0.0.0/", "https://2130706433/", "http://1.1.1.1/",
        "https://user@1.1.1.1/", "https://224.0.0.1/", "https://100.64.0.1/", "https:///x", "https://1.1.1.1:99999/",
    ],
)  # fmt: skip
def test_a_webhook_never_leads_inside(api, url):
    assert api.post("/v1/webhooks", json={"url": url, "events": ["hold.created"]}).status_code == 422
    with pytest.raises(webhooks.Unreachable):
        webhooks.address(url, False)


def test_an_address_that_cannot_be_called_keeps_no_other_webhook_waiting(store, monkeypatch):
    with client_of(store, webhook_private=True) as api, Receiver() as receiver:
        url = f"http://127.0.0.1:{receiver.server.server_port}/hook"
        for one in (url + "\u0001", "http://127.0.0.1:1/\u00e9", url):
            assert api.post("/v1/webhooks", json={"url": one, "events": ["hold.created"]}).status_code == 201
        monkeypatch.setattr(webhooks, "_later", lambda attempts: "2000-01-01T00:00:00Z")
        api.post("/v1/holds", json=HOLD)
        webhooks.deliver(store, True)
        assert receiver.got


@pytest.mark.parametrize("day", ["1900-02-29", "2100-02-29", "2026-02-29", "2026-04-31", "2026-11-24\n", "0900-01-01"])
@pytest.mark.parametrize("field", ["issued", "review_by"])
def test_a_hold_of_a_day_that_is_none_is_refused_and_stops_no_decision(api, day, field):
    assert api.post("/v1/holds", json={**HOLD, field: day}).status_code == 422
    assert api.post("/v1/decisions", json={"facts": CHILD}).status_code == 200


def test_the_day_of_the_contract_is_the_calendars():
    from calendar import isleap
    from typing import get_args

    from compliance.service.wire.requests import Day

    pattern = get_args(Day)[1].pattern
    assert all(bool(re.search(pattern, f"{year}-02-29")) == isleap(year) for year in range(1000, 3000))


@pytest.mark.parametrize("key", ["P1", "P1 ", " P1", "P1\0", "", " ", "unknown ", "unknown", None])
def test_padding_or_a_blank_identity_leads_past_no_hold(api, key):
    assert _guard(api, {**OLD, "patient_key": "P1"}, "duplicate", 1)["allowed"]
    assert api.post("/v1/holds", json={**HOLD, "scope": {"patient_key": ["P1 "]}}).status_code == 201
    raw = json.dumps({"facts": {**OLD, "patient_key": key}, "reason": "duplicate", "copies_left": 1})
    answer = api.post("/v1/guard", content=raw, headers=JSON)
    assert answer.status_code == 422 if key == "P1\0" else answer.json()["holds"] == [{"id": "m1"}]
    batch = pa.RecordBatch.from_pydict({name: [value] for name, value in [*OLD.items(), ("patient_key", key)] if not isinstance(value, list) and not name.endswith("_date")})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    found = api.post("/v1/decisions", content=sink.getvalue().to_pybytes(), headers={"content-type": "application/vnd.apache.arrow.stream"})
    assert pa.ipc.open_stream(found.content).read_all().column("held").to_pylist() == [True]


def test_a_hold_on_a_blank_identity_is_refused(api):
    assert api.post("/v1/holds", json={**HOLD, "scope": {"study_uid": [" "]}}).status_code == 422


def test_a_change_of_the_law_is_told(tmp_path):
    from compliance.law.knowledge import load
    from compliance.service import news
    from compliance.service.serving import Service
    from compliance.service.settings import Settings

    store = Store(f"sqlite:///{tmp_path / 'x.db'}").open()
    laws = tmp_path / "laws"
    for name in ("XA/medical-images-act.yaml", "jurisdictions.yaml"):
        (laws / name).parent.mkdir(parents=True, exist_ok=True)
        (laws / name).write_bytes((client_of.__globals__["LAWS"] / name).read_bytes())
    assert news.tell(Service(Settings(), load(laws), store)) == ()
    assert news.tell(Service(Settings(), load(laws), store)) == ()
    act = laws / "XA/medical-images-act.yaml"
    act.write_text(act.read_text().replace("7 years after discharge_date", "8 years after discharge_date"))
    assert news.tell(Service(Settings(), load(laws), store)) == ("XA/medical-images-act",)
    store.close()


HOSTILE = ["'; DROP TABLE holds; --", "<script>alert(1)</script>", "../../etc/passwd", "${jndi:ldap://x}", "{{7*7}}", "\x00", "\ud800", "A" * 5000, "🙂" * 50, "%s%n"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_any_field_is_stored_as_text_or_refused(api, text):
    quoted = json.dumps(text)
    bodies = {
        "/v1/holds": '{"id": T, "scope": {"study_uid": [T]}, "issued_by": T, "matter": T}'.replace('"id": T', '"id": "m9"'),
        "/v1/holds/m1/release": '{"released_by": T, "why": T}',
        "/v1/waivers": '{"reason": T, "owner": T, "until": "2030-01-01", "match": {"site": T}}',
        "/v1/decisions": '{"id": T, "facts": {"study_uid": T, "modality": [T], "birth_date": T}}',
        "/v1/explain": '{"id": T, "facts": {"jurisdiction": [T], "study_uid": T}}',
        "/v1/guard": '{"id": T, "facts": {"jurisdiction": [T]}, "reason": "retention", "copies_left": 0}',
        "/v1/clients": '{"name": T, "scopes": ["read"]}',
    }
    for path, body in bodies.items():
        answer = api.post(path, content=body.replace("T", quoted).encode("utf-8", "surrogatepass"), headers={**JSON, "accept": "text/html, */*"})
        assert answer.status_code < 500, (path, answer.text)
        assert "<script>" not in answer.text or "json" in answer.headers["content-type"]
        if path == "/v1/clients" and answer.status_code == 201:
            raise AssertionError("a hostile name became a client")


def test_deep_and_large_json_is_refused(api):
    for body in ("[" * 100_000, '{"facts": ' * 10_000, '{"facts": {"modality": [' + '"CT",' * 200_000 + '"CT"]}}', "9" * 100_000):
        assert api.post("/v1/decisions", content=body, headers=JSON).status_code in (200, 400, 422)


def test_metrics_count_routes_and_name_nobody(api):
    api.post("/v1/decisions", json={"facts": CHILD})
    text = api.get("/metrics").text
    assert 'compliance_requests_total{method="POST",route="/v1/decisions",status="200"} 1.0' in text
    assert "2010-02-10" not in text


def test_the_day_asked_about_must_be_one(api):
    for day in ("2026-02-30", "yesterday", "", 20261124):
        assert api.post("/v1/decisions", json={"facts": CHILD, "as_of": day}).status_code == 422
    assert api.post("/v1/decisions", json={"facts": CHILD}).json()["as_of"] == date.today().isoformat()


def test_answers_are_remembered_in_bounds_however_long_their_queries_are():
    answers = Answers(largest=1000)
    for number in range(100):
        answers.keep((b"&" * 400, b"%05d" % number), b"x")
    assert len(answers) == 2


def test_a_hold_written_while_holds_are_read_frees_nothing(store):
    """Forgetting the holds between two looks at them must never look like a register without holds."""
    with client_of(store) as client:
        client.post("/v1/holds", json=HOLD)
        service = client.app.state.service
        held = service.holds(anew=True)
        assert len(held) == 1

        class Same(tuple):
            def __eq__(self, other):
                service.forget_holds()
                return tuple.__eq__(self, other)

            __hash__ = tuple.__hash__

        service._holds = (0.0, Same(held))
        assert len(service.holds(anew=True)) == 1
        assert len(service.holds()) == 1


def test_another_profile_is_another_entity_tag(store, tmp_path):
    """Policies of a profile stand among the laws; a cache must not keep them when the service starts with others."""
    tags = set()
    for name in ("A hospital", "Another hospital"):
        (tmp_path / "profile.yaml").write_text(PROFILE.replace("A hospital", name))
        with client_of(store, profile=tmp_path / "profile.yaml") as api:
            tags.add(api.get("/v1/laws").headers["etag"])
    with client_of(store) as api:
        tags.add(api.get("/v1/laws").headers["etag"])
    assert len(tags) == 3


def test_a_law_file_has_one_digest_whether_it_was_compiled_or_not(tmp_path, monkeypatch):
    """Signatures are for it: they must hold over a start."""
    from compliance.law.knowledge import load
    from compliance.service.laws import digest_of

    monkeypatch.setenv("COMPLIANCE_CACHE", str(tmp_path))
    laws = client_of.__globals__["LAWS"]
    bases = [load(laws, use_compiled=False), load(laws), load(laws)]
    for name in bases[0].files:
        assert len({digest_of(base, name) for base in bases}) == 1
