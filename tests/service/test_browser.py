"""The pages in a real Chromium: accessibility, both schemes, phone and desk, with and without scripts, a lawyer's errand."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from click.testing import CliRunner
from small import write_small

from compliance.cli.main import cli
from compliance.law.knowledge import load
from compliance.law.sources import shipped
from compliance.service.pages import Pages
from compliance.service.web.site import write_site
from service.browsing import chromium, faults, hosted, page_of, sideways
from service.serving import LAWS, serving

pytestmark = pytest.mark.xdist_group("browser")
SITE = ("index.html", "maps/US-child-ct.html", "maps/DE-mammogram.html", "places/index.html", "places/US-TX.html", "places/EU.html",
        "laws/US-TX/22-tac-163-2.html", "search.html?q=texas", "compare.html?a=US-TX&b=US-WA", "calculator.html")  # fmt: skip
SERVED = ("index.html", "compare.html?a=XA&b=XA&on_b=2006-01-01", "search.html?q=images", "audits/index.html", "audits/findings.html",
          "audits/waivers.html", "holds.html", "desk.html?id=XA/medical-images-act",
          "calculator.html#jurisdiction=XA&facility_type=hospital&modality=CT&study_date=2012-05-01&as_of=2026-11-24")  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    with chromium() as one:
        yield one


@pytest.fixture(scope="module")
def folder(browser, tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("hosted") / "site"
    write_site(made, Pages(load(), date(2026, 11, 24), shipped()))
    return made


@pytest.fixture(scope="module")
def site(folder):
    with hosted(folder) as (url, asked):
        yield url, asked


@pytest.fixture(scope="module")
def live(browser, tmp_path_factory):
    with serving(f"sqlite:///{tmp_path_factory.mktemp('live') / 'store.db'}") as process:
        yield process.url + "/"


@pytest.mark.parametrize("path", SITE)
def test_the_static_site_is_accessible_in_both_schemes_on_phone_and_desk(browser, site, path):
    for size, scheme in (("phone", "dark"), ("desk", "light")):
        with page_of(browser, size, scheme) as page:
            page.goto(site[0] + path, wait_until="networkidle")
            assert faults(page) == []
            assert sideways(page) == 0


@pytest.mark.parametrize("path", SERVED)
def test_the_pages_served_are_accessible_in_both_schemes_on_phone_and_desk(browser, live, path):
    for size, scheme in (("phone", "light"), ("desk", "dark")):
        with page_of(browser, size, scheme) as page:
            page.goto(live + path, wait_until="networkidle")
            assert faults(page) == []
            assert sideways(page) == 0


def test_the_report_of_an_audit_is_accessible_in_both_schemes_on_phone_and_desk(browser, tmp_path):
    desk = write_small(tmp_path)
    arguments = ["--profile", desk / "profile.yaml", "--laws", desk / "laws", "--as-of", "2026-11-24", "--fail-on", "never", "--quiet", "-o", desk / "out"]
    done = CliRunner().invoke(cli, ["audit", str(desk / "inv.parquet"), *map(str, arguments)], standalone_mode=False)
    assert done.exception is None, done.exception
    for size, scheme in (("phone", "dark"), ("desk", "light")):
        with page_of(browser, size, scheme) as page:
            page.goto((desk / "out" / "report.html").as_uri())
            assert faults(page) == []
            assert sideways(page) == 0


def test_a_lawyers_errand_by_keyboard_takes_under_a_minute(browser, site):
    with page_of(browser) as page:
        page.goto(site[0])
        begun = time.perf_counter()
        page.get_by_role("searchbox", name="Search the law").fill("texas child ct")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Texas: child's CT in a hospital").focus()
        page.keyboard.press("Enter")
        row = page.locator("tr#child-ct")
        row.wait_for()
        text = row.inner_text()
        assert "15 years" in text and "last seen on 2026-" in text and " by " in text
        assert row.is_visible() and page.evaluate("document.querySelector('tr#child-ct').getBoundingClientRect().top < innerHeight")
        assert time.perf_counter() - begun < 60


def test_a_click_on_the_map_opens_the_place(browser, site):
    with page_of(browser) as page:
        page.goto(site[0] + "maps/US-adult-ct.html")
        page.locator("svg.map a[aria-label^='Texas']").click()
        assert page.get_by_role("heading", level=1).inner_text().startswith("Texas")


def test_reading_needs_no_scripts(browser, site, live):
    with page_of(browser, scripts=False) as page:
        page.goto(site[0])
        page.get_by_role("link", name="Places", exact=True).click()
        page.get_by_role("link", name="Texas").click()
        assert "15 years" in page.locator("tr#child-ct").inner_text()
        page.goto(live + "calculator.html")
        page.locator("#f-jurisdiction").select_option("XA")
        for name, value in (("facility_type", "hospital"),):
            page.locator(f"#f-{name}").select_option(value)
        for name, value in (("modality", "CT"), ("study_date", "2012-05-01"), ("discharge_date", "2012-05-03"), ("birth_date", "2010-02-10")):
            page.locator(f"#f-{name}").fill(value)
        page.get_by_role("button", name="Compute").click()
        assert "2029-02-10" in page.locator("#answer").inner_text()
        page.goto(live + "search.html?q=xanadu")
        assert "Xanadu" in page.locator("#found").inner_text()


def test_pages_work_as_files(browser, folder):
    with page_of(browser) as page:
        page.goto((folder / "search.html").as_uri() + "?q=22+CCR+70751")
        page.locator("#found a").first.click()
        assert "70751" in page.get_by_role("heading", level=1).inner_text() + page.locator("main").inner_text()
        background = page.evaluate("getComputedStyle(document.querySelector('article.norm')).borderLeftWidth")
        assert background == "4px"


def test_filters_of_places_and_norms(browser, site):
    with page_of(browser) as page:
        page.goto(site[0] + "places/index.html")
        page.get_by_label("Filter by name or code").fill("us-t")
        shown = page.locator("#places tbody tr:visible")
        assert {row.split("\t")[1] for row in shown.all_inner_texts()} == {"US-TN", "US-TX"}
        assert "2 of" in page.locator("#filter-count").inner_text()
        page.goto(site[0] + "places/US-TX.html")
        page.get_by_label("Filter the norms").fill("dental")
        visible = page.locator("article.norm:visible").all_inner_texts()
        assert visible and all("dental" in text.lower() or "dentist" in text.lower() for text in visible)


def test_two_places_side_by_side_on_the_static_site(browser, site):
    with page_of(browser) as page:
        page.goto(site[0] + "compare.html")
        page.locator("#a").select_option("US-WA")
        page.locator("#b").select_option("US-WA")
        page.locator("#on_b").fill("2024-01-01")
        page.get_by_role("button", name="Compare").click()
        page.locator(".side").nth(1).wait_for()
        now, then = page.locator(".side").nth(0).inner_text(), page.locator(".side").nth(1).inner_text()
        assert "Washington" in now and now.partition("Norms in force")[2] != then.partition("Norms in force")[2]
        assert "on_b=2024-01-01" in page.url


def test_the_link_of_the_calculator_carries_facts_that_no_server_sees(browser, live):
    with page_of(browser) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(live + "calculator.html")
        page.locator("#f-jurisdiction").select_option("XA")
        page.locator("#f-facility_type").select_option("hospital")
        for name, value in (("modality", "CT"), ("study_date", "2012-05-01"), ("discharge_date", "2012-05-03"), ("birth_date", "2010-02-10")):
            page.locator(f"#f-{name}").fill(value)
        page.get_by_role("button", name="Compute").click()
        page.locator("ul.tree").wait_for()
        link = page.url
        assert "2029-02-10" in page.locator("#answer").inner_text() and "birth_date=2010-02-10" in link.partition("#")[2]
        assert not any("2010-02-10" in url.partition("#")[0] for url in asked)
    with page_of(browser) as page:
        page.goto(link)
        page.locator("ul.tree").wait_for()
        assert page.locator("#f-birth_date").input_value() == "2010-02-10"
        assert "2029-02-10" in page.locator("#answer").inner_text()
        page.emulate_media(media="print")
        assert page.locator("#calculator").is_visible() and not page.locator("body > header").is_visible()


def test_a_static_site_writes_the_command(browser, folder):
    with page_of(browser) as page:
        page.goto((folder / "calculator.html").as_uri() + "#jurisdiction=US-TX&modality=CT&birth_date=2019")
        command = page.locator("#command").inner_text()
        assert "--jurisdiction US-TX" in command and "--birth-date 2019" in command and "--assume practical" in command


def test_a_static_site_may_ask_a_service_under_the_same_host(browser, live, tmp_path):
    host, made = "http://law.test", tmp_path / "site"
    write_site(made, Pages(load(LAWS, use_compiled=False), date(2026, 11, 24), LAWS, api=host))

    def proxy(route) -> None:
        """What a web server does in front of both."""
        path = urlsplit(route.request.url).path
        if not path.startswith("/v1/"):
            kind = "text/css" if path.endswith("css") else "text/javascript" if path.endswith("js") else "text/html"
            return route.fulfill(body=(made / path.lstrip("/")).read_text(), content_type=kind)
        asked = {name: route.request.headers[name] for name in ("content-type", "accept")}
        answer = httpx.post(live.rstrip("/") + route.request.url.removeprefix(host), content=route.request.post_data, headers=asked)
        return route.fulfill(status=answer.status_code, body=answer.text, content_type=answer.headers["content-type"])

    with page_of(browser) as page:
        page.route(host + "/**", proxy)
        page.goto(host + "/calculator.html#jurisdiction=XA&facility_type=hospital&modality=CT,MR&study_date=2012-05-01&discharge_date=2012-05-03&birth_date=2010-02-10&assume=practical&as_of=2026-11-24")
        page.get_by_text("Must be kept through 2029-02-10").first.wait_for()


def test_the_law_desk_checks_while_one_writes(browser, live):
    with page_of(browser) as page:
        page.goto(live + "desk.html?id=XA/medical-images-act")
        text = page.locator("#text").input_value()
        page.locator("#text").fill(text.replace("7 years after discharge_date", "3 years after discharge_date"))
        page.get_by_text("Not in order").wait_for()
        assert "EARLIER" in page.locator("#checked").inner_text()
        assert page.locator("#text").input_value() != text
        page.locator("#text").fill(text)
        page.get_by_text("In order", exact=True).wait_for()
        with page.expect_download() as download:
            page.get_by_role("button", name="Download").click()
        assert download.value.suggested_filename == "medical-images-act.yaml"
        assert Path(download.value.path()).read_text() == text


def test_a_hold_by_form(browser, live):
    with page_of(browser) as page:
        page.goto(live + "holds.html")
        page.get_by_label("matter id").fill("m-browser")
        page.get_by_label("scope, one FACT").fill("modality: NM")
        page.get_by_label("issued by").fill("Legal")
        page.get_by_role("button", name="Put in force").click()
        assert "in force" in page.locator("article", has_text="m-browser").inner_text()
