"""The pages as served: calculator, comparison, search, law desk, audits, waivers, holds; who may do what; the ledger."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from small import write_small
from starlette.testclient import TestClient

from compliance.cli.main import cli
from compliance.law.knowledge import load
from compliance.service.api import create_app
from compliance.service.keys import entries, make
from compliance.service.settings import Settings
from service.serving import CHILD, LAWS, client_of

FACTS = {**CHILD, "as_of": "2026-11-24", "assume": "none"}
ACT = (LAWS / "XA" / "medical-images-act.yaml").read_text()


def words(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text.partition("<main")[2]))


def acts(store) -> list[str]:
    """What people did by pages, as the ledger has it."""
    found = [json.loads(line)["act"] for line in entries(store, 0)]
    return [act for act in found if act != "laws.noted" and not act.startswith("client.")]


def test_the_front_page_and_every_nav_link_are_served(api):
    page = api.get("/")
    assert page.status_code == 200 and page.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self'" in page.headers["content-security-policy"]
    for target in set(re.findall(r'<nav aria-label="Pages">.*?</nav>', page.text, re.S)[0].split('href="')[1:]):
        assert api.get("/" + target.partition('"')[0]).status_code == 200
    for name in ("site.css", "site.js", "htmx.min.js"):
        assert api.get(f"/static/{name}").status_code == 200


@pytest.mark.parametrize("path", ["/places/ZZ.html", "/places/..%2f..%2fpyproject.toml", "/laws/../../etc/passwd", "/laws/XA/%2e%2e/facts.yaml", "/static/..%2fbase.html", "/maps/world.html"])
def test_no_page_no_file_beyond(api, path):
    answer = api.get(path)
    assert answer.status_code == 404 and "Traceback" not in answer.text and "root:" not in answer.text


HTML = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("GET", "/a/b/c", 404), ("GET", "/places/a/b.html", 404), ("PUT", "/holds.html", 405)],
)
def test_a_browser_is_told_by_a_page_what_is_not_there(api, method, path, status):
    answer = api.request(method, path, headers=HTML)
    assert answer.status_code == status and answer.headers["content-type"].startswith("text/html")
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    sheet = re.search(r'<link rel="stylesheet" href="([^"]+)"', answer.text)[1]
    assert "//" not in sheet and sheet == "../" * path.lstrip("/").count("/") + "static/site.css"
    other = api.request(method, path)
    assert other.status_code == status and other.headers["content-type"] == "application/problem+json"


def test_programs_are_answered_as_programs(api):
    assert api.get("/v1/nothing", headers=HTML).headers["content-type"] == "application/problem+json"


def test_what_the_gate_refuses_a_browser_is_a_page_too(store):
    make(store, "somebody", ("read",))
    with client_of(store) as client:
        answer = client.get("/places/XA.html", headers=HTML)
        assert answer.status_code == 401 and "Basic" in answer.headers["www-authenticate"]
        assert "Say who you are" in words(answer.text) and answer.headers["x-request-id"]
        assert "Nothing was written" in client.post("/holds.html", headers={**HTML, "origin": "https://evil.example"}).text


def test_a_fault_under_a_page_is_a_page_that_shows_nothing(api, monkeypatch):
    def broken(*_: object) -> None:
        raise RuntimeError("SECRET")

    monkeypatch.setattr("compliance.service.pages.Pages.compare_page", broken)
    answer = api.get("/compare.html", headers=HTML)
    assert answer.status_code == 500 and "A fault of the service" in words(answer.text) and "SECRET" not in answer.text


def test_the_calculator_says_the_day_the_tree_and_what_is_missing(api):
    found = words(api.post("/calculator.html", data=FACTS).text)
    assert "Must be kept through 2029-02-10" in found and "1 year after age of majority" in found and "governs" in found
    less = {name: value for name, value in FACTS.items() if name != "birth_date"}
    found = words(api.post("/calculator.html", data=less).text)
    assert "What is missing, and what it would change" in found and "born on or before" in found
    alone = api.post("/calculator.html", data=FACTS, headers={"X-Fragment": "answer"}).text
    assert "<html" not in alone and "Timeline of the study" in alone


def test_the_calculator_says_what_it_cannot_read_and_escapes_it(api):
    answer = api.post("/calculator.html", data={**FACTS, "study_date": "<script>x</script>", "fact_of_mine": "1"})
    assert answer.status_code == 422 and "<script>x" not in answer.text and "is no date" in answer.text and "unknown fact" in answer.text
    assert api.post("/calculator.html", data={**FACTS, "assume": "boldly"}).status_code == 422
    assert api.post("/calculator.html", json=FACTS).status_code == 415


def test_two_days_of_one_place_are_compared(api):
    found = words(api.get("/compare.html", params={"a": "XA", "b": "XA", "on_a": "2006-01-01", "on_b": "2026-11-24"}).text)
    assert "law of 2006-01-01" in found and "law of 2026-11-24" in found
    assert "22 years after end of year of study date" not in found.partition("law of 2026-11-24")[0]
    assert "22 years after end of year of study date" in found.partition("law of 2026-11-24")[2]
    assert "no law on file" in api.get("/compare.html", params={"a": "QQ", "b": "XA"}).text
    assert api.get("/compare.html", params={"a": "XA", "on_a": "yesterday"}).status_code == 400
    assert api.get("/compare.html", params={"a": "XA", "on_a": "0001-01-01"}).status_code == 400


def test_search_on_the_server(api):
    assert "Xanadu: child&#39;s CT in a hospital" in api.get("/search.html", params={"q": "xanadu child ct"}).text
    assert "<script>" not in api.get("/search.html", params={"q": '"><script>alert(1)</script>'}).text.partition("<main")[2]


def test_the_law_desk_checks_runs_cases_and_previews(api):
    form = {"id": "XA/medical-images-act", "text": ACT}
    assert "In order" in words(api.post("/desk.html", data=form).text)
    shorter = ACT.replace("7 years after discharge_date", "3 years after discharge_date")
    assert shorter != ACT
    found = words(api.post("/desk.html", data={**form, "text": shorter}).text)
    assert "Not in order" in found and "the case says" in found and "EARLIER" in found
    broken = words(api.post("/desk.html", data={**form, "text": ACT.replace("kind: floor", "kind: flor", 1)}).text)
    assert "floor" in broken and re.search(r"line \d+, column \d+", broken)
    assert "not well-formed" in api.post("/desk.html", data={**form, "text": "a: [b"}).text
    bomb = "a: &a [x]\nb: [" + "*a," * 1000 + "]"
    assert "anchors and aliases" in api.post("/desk.html", data={**form, "text": bomb}).text


def test_the_law_desk_hands_the_file_over_and_never_writes(api):
    answer = api.post("/desk.html", data={"id": "XA/medical-images-act", "text": "mine: 1\n<script>", "do": "download"})
    assert answer.headers["content-disposition"] == 'attachment; filename="medical-images-act.yaml"'
    assert answer.headers["content-type"].startswith("text/plain") and answer.headers["x-content-type-options"] == "nosniff"
    assert (LAWS / "XA" / "medical-images-act.yaml").read_text() == ACT
    assert api.post("/desk.html", data={"id": "../../etc/passwd", "text": "x"}).status_code == 422
    assert "title in the original language" in api.get("/desk.html", params={"id": "XA/new-act"}).text


def test_a_second_person_signs_for_a_law_file(api, store):
    page = api.get("/desk.html", params={"id": "XA/medical-images-act"}).text
    digest = re.search(r'name="digest" value="([^"]+)"', page)[1]
    sent = {"statute": "XA/medical-images-act", "digest": digest, "role": "second reader", "note": "<b>read</b>"}
    assert api.post("/desk/sign", data=sent, follow_redirects=False).status_code == 303
    page = api.get("/desk.html", params={"id": "XA/medical-images-act"}).text
    assert "second reader" in page and "for this text" in page and "<b>read</b>" not in page
    assert "has signed" in api.post("/desk/sign", data=sent).text
    assert "Read it again" in api.post("/desk/sign", data={**sent, "digest": "sha256:" + "0" * 64}).text.replace("read it again", "Read it again")
    assert acts(store) == ["law.signed"]


def test_who_saw_the_text_is_no_second_person(store):
    by = load(LAWS, use_compiled=False).statute("XA/medical-images-act").norms[0].verification.by
    make(store, "boss", ("admin",))
    key = {"authorization": "Bearer " + make(store, by, ("audit",))}
    with client_of(store) as client:
        page = client.get("/desk.html", params={"id": "XA/medical-images-act"}, headers=key).text
        digest = re.search(r'name="digest" value="([^"]+)"', page)[1]
        sent = {"statute": "XA/medical-images-act", "digest": digest, "role": "second reader"}
        answer = client.post("/desk/sign", data=sent, headers=key)
        assert answer.status_code == 409 and "a second person signs" in answer.text


def test_holds_by_form_reach_decisions_and_end_by_a_recorded_release(api, store):
    form = {"id": "m-1", "scope": "modality: CT\nstudy_date: 2012-01-01/2012-12-31", "issued_by": "Legal", "matter": "Roe"}
    later = {**FACTS, "as_of": "2099-01-01"}  # a hold counts from the day it is entered until that of its release
    assert api.post("/holds.html", data=form, follow_redirects=False).status_code == 303
    assert "modality: CT" in words(api.get("/holds.html").text)
    assert "Held: a hold is in force" in api.post("/calculator.html", data=later).text
    refused = api.post("/holds.html", data=form)
    assert refused.status_code == 409 and "Nothing was written" in refused.text
    assert api.post("/holds.html", data={**form, "id": "m-2", "scope": "colour: red"}).status_code == 422
    assert api.post("/holds.html", data={**form, "id": "m-2", "scope": "nonsense"}).status_code == 422
    assert api.post("/holds/release", data={"id": "m-1", "released_by": "Legal", "why": "settled"}, follow_redirects=False).status_code == 303
    assert "Held" not in api.post("/calculator.html", data=later).text
    assert acts(store) == ["hold.created", "hold.released"]


def test_keys_reach_what_their_scope_says(store):
    reader = {"authorization": "Bearer " + make(store, "reader", ("read",))}
    auditor = {"authorization": "Bearer " + make(store, "auditor", ("audit",))}
    with client_of(store) as client:
        assert client.get("/").status_code == 401
        assert "Basic" in client.get("/").headers["www-authenticate"]
        assert client.get("/", headers=reader).status_code == 200
        refused = client.get("/audits/index.html", headers=reader)
        assert refused.status_code == 403 and "scope audit" in refused.text and refused.headers["content-type"].startswith("text/html")
        hold = {"id": "m-1", "scope": "modality: CT", "issued_by": "x"}
        assert client.post("/holds.html", headers=auditor, data=hold).status_code == 403
        assert "New hold" not in client.get("/holds.html", headers=auditor).text
        assert client.get("/audits/findings.html", headers=auditor).status_code == 200
        assert client.post("/desk/sign", headers=reader, data={}).status_code == 403
        elsewhere = {**auditor, "origin": "https://evil.example"}
        assert client.post("/audits/waivers.html", headers=elsewhere, data={"code": "conflict"}).status_code == 403
    assert acts(store) == []


@pytest.fixture
def desk(tmp_path: Path, store):
    """An audit of the small archive, registered; the service knows its profile and inventory."""
    folder = write_small(tmp_path)
    command = ["audit", str(folder / "inv.parquet"), "--profile", str(folder / "profile.yaml"), "--laws", str(folder / "laws"), "--as-of", "2026-11-24", "-o", str(folder / "out"), "--quiet"]
    assert CliRunner().invoke(cli, command, standalone_mode=False).exception is None
    laws = load(folder / "laws", use_compiled=False)
    settings = Settings(rate=0, laws=folder / "laws", profile=folder / "profile.yaml", inventory=folder / "inv.parquet")
    with TestClient(create_app(settings, laws, store), client=("127.0.0.1", 50000)) as client:
        summary = json.dumps(json.loads((folder / "out/summary.json").read_text()))
        lines = (folder / "out/findings.jsonl").read_text()
        answer = client.post("/v1/audits", content=f"{summary}\n{lines}", headers={"content-type": "application/x-ndjson"})
        assert answer.status_code == 201, answer.text
        yield client


def test_an_auditor_reads_findings_and_answers_for_one(desk, store):
    runs = words(desk.get("/audits/index.html").text)
    assert "Test" in runs and "57.14 %" in runs and "1 kept-too-long" in runs
    every, late = (words(desk.get("/audits/findings.html", params=q).text) for q in ({}, {"code": "kept-too-long"}))
    assert "hold-unmatched" in every and "Must" not in late and "apparently kept too long" in late
    assert "hold M-2 matches nothing" not in late.partition("shown")[2]
    print_ = re.search(r'name="fingerprint" value="([0-9a-f]+)"', desk.get("/audits/findings.html", params={"code": "kept-too-long"}).text)[1]
    form = {"fingerprint": print_, "reason": "moved to the city's archive", "owner": "Records office", "until": "2027-06-30"}
    assert desk.post("/audits/waivers.html", data=form, follow_redirects=False).status_code == 303
    page = words(desk.get("/audits/findings.html", params={"code": "kept-too-long"}).text)
    assert "waived" in page and "Records office" in page and "Answer for it" not in page
    assert desk.post("/audits/waivers.html", data={**form, "until": "soon"}).status_code == 422
    found = desk.get("/audits/waivers.html").text
    id = re.search(r'name="id" value="([0-9a-f]+)"', found)[1]
    assert desk.post("/audits/waivers/withdraw", data={"id": id, "why": "found again"}, follow_redirects=False).status_code == 303
    assert "withdrawn" in desk.get("/audits/waivers.html").text
    assert acts(store) == ["audit.registered", "waiver.created", "waiver.withdrawn"]


def test_a_summary_is_hostile_input(api):
    odd = {"as_of": "2026-11-24", "profile": "<script>x", "inventory": "sha256:" + "0" * 64, "laws": {"version": "1", "digest": "sha256:" + "1" * 64},
           "dispositions": [{"studies": "many"}, 7], "determined_percent": "<b>", "findings": {"conflict": [], "<i>": 2}, "reconciliation": {}}  # fmt: skip
    finding = {"fingerprint": "0" * 24, "level": "error", "code": "conflict", "message": "<img src=x onerror=alert(1)>", "study": '"><script>', "norm": "x#<b>"}
    answer = api.post("/v1/audits", content=f"{json.dumps(odd)}\n{json.dumps(finding)}", headers={"content-type": "application/x-ndjson"})
    assert answer.status_code == 201, answer.text
    for path in ("/audits/index.html", "/audits/findings.html", '/audits/study.html?study="><script>'):
        page = api.get(path)
        main = page.text.partition("<main")[2].partition("</main")[0]
        assert page.status_code == 200 and "<script" not in main and "<img" not in main and "<b>" not in main


def test_the_timeline_of_a_study_of_the_archive(desk):
    text = desk.get("/audits/study.html", params={"study": "1.1"}).text
    assert "Must be gone: it had to be destroyed by 2022-01-01" in text and "Timeline of the study" in text
    assert "kept-too-long" in text
    assert "Held: a hold is in force" in desk.get("/audits/study.html", params={"study": "1.6"}).text
    assert "not in the inventory" in desk.get("/audits/study.html", params={"study": "9.9.9"}).text
    assert desk.get("/audits/study.html").status_code == 400


def test_without_an_inventory_the_page_of_a_study_says_so(api):
    assert "needs the archive" in api.get("/audits/study.html", params={"study": "1.1"}).text


def test_own_policies_are_shown_as_such(tmp_path, store):
    folder = write_small(tmp_path)
    policy = """title: House rule
citation: Board, 2024-01-01
force: policy
owner: Records office
approved_by: {name: Board, role: board, on: 2024-01-01}
norms:
  - id: all
    kind: floor
    citation: House rule 1
    says: Everything is kept twelve years.
    versions: [{from: 2024-01-01, period: 12 years after study_date}]
    verification: {status: unverified}
"""
    (folder / "house.yaml").write_text(policy)
    profile = folder / "profile.yaml"
    profile.write_text(profile.read_text() + "policies: [house.yaml]\n")
    settings = Settings(rate=0, laws=folder / "laws", profile=profile)
    with TestClient(create_app(settings, load(folder / "laws", use_compiled=False), store), client=("127.0.0.1", 50000)) as client:
        found = client.get("/search.html", params={"q": "house rule"}).text
        link = re.search(r'href="(laws/[^"#]+)', found)[1]
        page = client.get("/" + link)
        assert page.status_code == 200 and "own policies" in page.text and "Everything is kept twelve years" in page.text
        assert "Everything" in client.get("/" + link).text and client.get("/places/XA.html").status_code == 200


def test_pages_say_the_day_they_are_of(api):
    assert f"as of {date.today().isoformat()}" in api.get("/places/XA.html").text
