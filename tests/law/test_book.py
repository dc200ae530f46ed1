"""The law of a region as a page: it says what the law files say, and no more."""

from __future__ import annotations

from pathlib import Path

from compliance.law.book import book, pages
from compliance.law.knowledge import load
from compliance.law.regions import regions
from desk import base, floor

ROOT = Path(__file__).parents[2]


def test_the_pages_are_fresh() -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs/laws").glob("*.md")}
    assert written == dict(pages(load())), "run `make book`"


def test_every_place_is_on_one_page() -> None:
    places = load().jurisdictions
    assert sorted(code for region in regions(places) for code in region.places) == sorted(places.places)


def test_a_norm_is_a_row_with_its_words_its_period_and_how_well_it_was_seen(tmp_path: Path) -> None:
    page = book(base(tmp_path, "XA\n" + floor("ten", "10 years after study_date", "{modality: [CT]}")), ["XA"], "Xa")
    (row,) = [line for line in page.splitlines() if "ten: keep" in line]
    assert "10 years after study_date" in row and "CT" in row and "verified" in row
    assert "1 places, 1 norms, 0 cases" in page


def test_a_bar_in_a_citation_ends_no_cell_and_what_nobody_researched_is_named(tmp_path: Path) -> None:
    law = floor("ten", "10 years after study_date").replace("citation: ", "citation: a|b ")
    page = book(base(tmp_path, "XA\n" + law), ["XA", "XC"], "Xa")
    assert "a\\|b" in page and "Nobody has researched this place yet" in page
