"""The pages as a screen reader is told them: Chromium's accessibility tree (a reader itself cannot be run in tests)."""

from __future__ import annotations

import itertools
import re

import pytest

from service.browsing import chromium, page_of
from service.serving import serving

pytestmark = pytest.mark.xdist_group("browser")
CASE = "#jurisdiction=XA&facility_type=hospital&record=image&modality=CT&birth_date=2010-02-10&study_date=2012-05-01&as_of=2026-11-24&assume=practical"
READ = ("index.html", "places/XA.html", "places/index.html", "compare.html?a=XA&b=XA", "calculator.html" + CASE, "audits/index.html",
        "holds.html", "search.html?q=images", "laws/XA/medical-images-act.html", "desk.html?id=XA/medical-images-act")  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    with chromium() as one:
        yield one


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    with serving(f"sqlite:///{tmp_path_factory.mktemp('reader') / 'store.db'}") as process:
        yield process.url + "/"


def told(page) -> str:
    return page.locator("body").aria_snapshot()


def headings(told: str) -> list[int]:
    return [int(level) for level in re.findall(r"- heading .*\[level=(\d)\]", told)]


@pytest.mark.parametrize("path", READ)
@pytest.mark.parametrize("size", ["desk", "phone"])
def test_headings_come_in_order_and_tables_are_named(browser, live, path, size):
    with page_of(browser, size) as page:
        page.goto(live + path, wait_until="networkidle")
        tree = told(page)
        levels = headings(tree)
        assert levels.count(1) == 1 and levels[0] == 1
        assert all(below <= above + 1 for above, below in itertools.pairwise(levels)), levels
        assert [line.strip() for line in re.findall(r"^ *- table:.*$", tree, re.M)] == []
        assert "main:" in tree and "- banner:" in tree and "- contentinfo:" in tree


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_the_page_of_a_place_is_read_with_its_rows_and_their_heads(browser, live, size):
    with page_of(browser, size) as page:
        page.goto(live + "places/XA.html")
        tree = told(page)
        assert re.search(r'table "Common cases: what must be kept for how long.*, for a study made on', tree)
        assert '- columnheader "kept by"' in tree
        assert '- rowheader "A child\'s CT (five years old)"' in tree
        order = [tree.index(f'- heading "{name}" [level=2]') for name in ("Common cases", "Norms", "What was searched, found and not found")]
        assert order == sorted(order)
        assert re.search(r'- cell ".*verified last seen on 20\d\d', tree)


def test_the_result_of_the_calculator_is_announced_in_two_sentences(browser, live):
    with page_of(browser) as page:
        page.goto(live + "calculator.html" + CASE)
        said = page.get_by_role("status")
        page.get_by_role("heading", name="Answer", exact=True).wait_for()
        text = said.inner_text()
        assert text.startswith("Must be kept through 2029-02-10. Earliest lawful purge date: 2029-02-11.") and len(text) < 1500
        tree = page.locator("#answer").aria_snapshot()
        assert '- heading "How it was worked out" [level=3]' in tree and '- img "Timeline of the study' in tree


def test_what_cannot_be_read_is_announced(browser, live):
    page = browser.new_page()  # its console tells of the status 422
    page.goto(live + "calculator.html" + CASE.replace("2012-05-01", "someday"))
    page.locator("#answer [data-problems]").wait_for()
    text = page.get_by_role("status").inner_text()
    assert "These facts cannot be read" in text and "study_date" in text
    page.close()


def test_the_map_has_a_text_that_says_the_same(browser, live):
    with page_of(browser) as page:
        page.goto(live + "index.html")
        tree = told(page)
        title = "\"An adult's CT in a hospital: how long it must be kept, the world\"".replace("'", "''")
        assert f"- 'group {title}'" in tree and f"- 'table {title}'" in tree
        assert re.search(r"- strong: ['\"]?In words:", tree)
        assert '- list "Key of the map"' in tree


def test_a_table_that_is_wider_than_the_phone_casts_a_shadow(browser, live):
    with page_of(browser, "phone") as page:
        page.goto(live + "places/index.html")
        hidden, shadow = page.locator(".scroll").first.evaluate("e => [e.scrollWidth - e.clientWidth, getComputedStyle(e).backgroundAttachment]")
        assert hidden > 20 and shadow == "local, local, scroll, scroll"
