"""What a day rests on is told beside it: guidance alone, assumptions that decide."""

from __future__ import annotations

import re
from datetime import date

import pytest
from starlette.testclient import TestClient

from compliance.law.knowledge import load
from compliance.service.api import create_app
from compliance.service.pages import Pages
from compliance.service.settings import Settings

FORM = {
    "facility_type": "hospital", "record": "image", "modality": "CT", "birth_date": "1970-01-01", "study_date": "2020-05-01",
    "discharge_date": "2020-05-01", "as_of": "2026-11-24", "assume": "practical",
}  # fmt: skip


@pytest.fixture
def shipped(store):
    with TestClient(create_app(Settings(rate=0), load(), store), client=("127.0.0.1", 50000)) as client:
        yield client


def _explained(client, facts) -> str:
    body = {"as_of": "2026-11-24", "facts": {name: value for name, value in facts.items() if name not in ("as_of", "assume")}}
    return client.post("/v1/explain?assume=practical", json=body, headers={"accept": "text/html"}).text


def test_the_assumption_that_decides_stands_beside_the_day(shipped):
    berlin = {**FORM, "jurisdiction": "DE-BE"}
    for text in (shipped.post("/calculator.html", data=berlin).text, _explained(shipped, {**berlin, "jurisdiction": ["DE-BE"]})):
        beside = text.partition("2030-05-02")[2].partition("How it was")[0].partition("Governing")[0]
        assert "Assumed, and deciding" in beside and "inpatient = false (practical): most studies" in beside
        assert "emancipated" not in beside
    known = shipped.post("/calculator.html", data={**berlin, "inpatient": "true"}).text
    assert "2050-05-02" in known and "inpatient = " not in known
    bavaria = shipped.post("/calculator.html", data={**FORM, "jurisdiction": "DE-BY"}).text
    assert "inpatient = " not in bavaria.partition("How it was")[0]


def test_a_day_of_guidance_alone_is_not_called_lawful(shipped):
    england = {**FORM, "jurisdiction": "GB-ENG"}
    for text in (shipped.post("/calculator.html", data=england).text, _explained(shipped, {**england, "jurisdiction": ["GB-ENG"]})):
        assert "Earliest purge date by guidance alone; binding law is not known: 2050-05-02." in text
        assert "Earliest lawful purge date" not in text


def test_maps_and_tables_say_it_too():
    pages = Pages(load(), date(2026, 11, 24))
    assert re.search(r"years, by guidance alone; binding law is not known", pages.read("places/GB-ENG.html").decode())
    assert re.search(r"Ireland: [\d.]+ years, by guidance alone", pages.read("index.html").decode())
    assert "guidance alone" not in pages.read("places/US-TX.html").decode().partition('id="norms"')[0]
