"""The static site of the law base that ships, and of hostile law: links, escaping, contents."""

from __future__ import annotations

import re
import time
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from click.testing import CliRunner

from compliance.cli.main import cli
from compliance.errors import UsageError
from compliance.law.knowledge import load
from compliance.service.pages import Pages
from compliance.service.web.maps import shapes
from compliance.service.web.questions import QUESTIONS
from compliance.service.web.site import write_site
from service.serving import LAWS

DAY = date(2026, 11, 24)


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        for name, value in attributes:
            self.attributes.append((name, value or ""))
            if name in ("href", "src", "action"):
                self.links.append(value)
            if name == "id":
                self.ids.append(value)


def parsed(text: str) -> Links:
    found = Links()
    found.feed(text)
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "out"
    begun = time.perf_counter()
    result = CliRunner().invoke(cli, ["site", str(folder), "--as-of", "2026-11-24"], standalone_mode=False)
    assert result.exception is None, result.exception
    assert time.perf_counter() - begun < 120
    return folder


def test_every_link_inside_leads_somewhere_and_no_id_stands_twice(site):
    pages = {path: parsed(path.read_text()) for path in site.rglob("*.html")}
    assert len(pages) > 300
    broken = []
    for path, page in pages.items():
        assert len(page.ids) == len(set(page.ids)), path
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or not (parts.path or parts.fragment):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file() or (target in pages and parts.fragment and "=" not in parts.fragment and unquote(parts.fragment) not in pages[target].ids):
                broken.append((str(path.relative_to(site)), link))
    assert broken == []


def test_pages_load_nothing_from_elsewhere(site):
    for path in site.rglob("*.html"):
        text = path.read_text()
        assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=\"(https?:)?//", text), path
        assert "default-src 'none'" in text and " style=" not in text and " onclick" not in text


def test_a_lawyer_finds_what_texas_asks_for_a_childs_ct_and_who_checked_it_when(site):
    base = load()
    found = Pages(base, DAY).index.find("texas child ct")
    assert found[0].url == "places/US-TX.html#child-ct" and found[0].detail == "15 years"
    assert all("US-TX" in one.url for one in found)
    text = (site / "places/US-TX.html").read_text()
    row = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text[text.index('id="child-ct"') :].partition("</tr>")[0]))
    assert "hospital" in row and "15 years" in row and "2041-11-24" in row and "Tex. Health &amp; Safety Code § 241.103" in row
    norm = base.index["US-TX/hsc-241-103#records"]
    assert f"last seen on {norm.verification.on} by {norm.verification.by}" in row


def test_search_finds_citations_and_folds_accents():
    index = Pages(load(), DAY).index
    assert "US-CA/22-ccr-70751" in index.find("22 CCR 70751")[0].url
    assert any(one.url.startswith("laws/FR/") for one in index.find("france csp r1112-7"))
    assert index.find("  ") == [] and index.find("quite impossible words") == []
    assert [one.url for one in index.find("Québec")] == [one.url for one in index.find("quebec")]


def test_maps_draw_every_place_on_file(site):
    base = load()
    countries = Pages(base, DAY).countries
    assert {"US", "CA", "AU", "DE"} <= set(countries)
    for country in countries:
        inside = set(base.jurisdictions.below(country))
        if country in shapes():
            assert inside <= {place["code"] for place in shapes()[country]["places"]}
        for question in QUESTIONS:
            text = (site / f"maps/{country}-{question}.html").read_text()
            assert all(f'href="../places/{code}.html"' in text for code in inside)
    world = {place["code"] for place in shapes()["world"]["places"]}
    top = {code for code, place in base.jurisdictions.places.items() if place.within in (None, "EU")} - {"EU", "AQ"}  # the map ends north of the Antarctic
    assert top <= world


def test_a_page_of_a_place_shows_versions_searches_and_cases(site):
    text = (site / "places/US-WA.html").read_text()
    assert "Versions of " in text and "cases: dated examples" in text
    text = (site / "places/EU.html").read_text()
    assert "looked, no binding norm found" in text and "not researched" not in text.partition("researched")[0]


def test_the_same_law_gives_the_same_bytes_and_old_pages_go(tmp_path):
    pages = Pages(load(LAWS, use_compiled=False), DAY, LAWS)
    folder = tmp_path / "site"
    write_site(folder, pages)
    first = {path.name: path.read_bytes() for path in folder.rglob("*.html")}
    (folder / "places" / "ZZ.html").write_text("a place that is no longer on file")
    write_site(folder, Pages(load(LAWS, use_compiled=False), DAY, LAWS))
    assert {path.name: path.read_bytes() for path in folder.rglob("*.html")} == first


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds other files"):
        write_site(tmp_path, Pages(load(LAWS, use_compiled=False), DAY))
    assert (tmp_path / "thesis.txt").read_text() == "mine"


HOSTILE = """\
jurisdiction: "XA"
title: "<script>alert(1)</script>{{ 7 * 7 }}"
citation: "\\"><img src=x onerror=alert(1)>"
url: "javascript:alert(1)"
force: binding
note: "</title></script><svg onload=alert(1)>"
norms:
  - id: records
    kind: floor
    citation: "<b>§ 1</b>"
    says: "'\\"><script>alert(2)</script> && {% raw %}"
    scope: {facility_type: [hospital]}
    versions: [{from: 2000-01-01, period: 5 years after study_date, note: "<i>"}]
    verification: {status: verified, on: 2026-11-24, by: "<u>me</u>", source: ["javascript:alert(3)", "https://law.example/\\"onmouseover=alert(4)"], note: "<!--"}
cases:
  - {name: "</td><script>", as_of: 2026-11-24, given: {facility_type: hospital, study_date: 2020-01-01}, retain_through: 2025-01-01, by: records}
"""


def test_law_text_is_hostile_input(tmp_path):
    folder = tmp_path / "laws"
    (folder / "XA").mkdir(parents=True)
    (folder / "XA" / "act.yaml").write_text(HOSTILE)
    for name in ("facts.yaml", "jurisdictions.yaml", "VERSION"):
        if (LAWS / name).is_file():
            (folder / name).write_text((LAWS / name).read_text())
    pages = Pages(load(folder, use_compiled=False), DAY, folder)
    for path in pages.paths():
        text = pages.read(path).decode()
        if path.endswith(".html"):
            found = parsed(text)
            assert found.elements.count("script") == text.count('static/site.js" defer') + text.count('search-index.js" defer')
            assert not {"img", "b", "u", "i"} & set(found.elements), path
            assert not [one for one in found.attributes if one[0].startswith("on")], path
            assert not [link for link in found.links if link and link.lower().startswith("javascript")], path
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7 * 7 }}" in pages.read("laws/XA/act.html").decode()


def test_an_address_that_is_none_is_refused(tmp_path):
    result = CliRunner().invoke(cli, ["site", str(tmp_path / "out"), "--api", "javascript:alert(1)"], standalone_mode=False)
    assert isinstance(result.exception, UsageError) and not (tmp_path / "out").exists()
