"""The law of a region as a page: it says what the law files say, and no more."""

from __future__ import annotations

from pathlib import Path

from compliance.decision.cases import check
from compliance.law.book import book, pages
from compliance.law.knowledge import load
from compliance.law.regions import regions
from compliance.law.register import majorities
from compliance.service.web.places import majority
from desk import TODAY, base, floor

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


def test_an_age_of_majority_is_shown_with_how_well_it_was_seen(tmp_path: Path) -> None:
    places = """
XA: {name: Xa, majority: [{from: ../2026-11-24, age: 18, verification: unverified, note: the act was not seen}]}
XB: {name: Xb, majority: [{from: 2001-01-01, age: 18, citation: Code art. 2, verification: secondary, source: "https://x.example"}]}
XC: {name: Xc, majority: [{from: ../1990-01-01, age: 21}]}
"""
    law = base(tmp_path, "XA\n" + floor("grown", "1 year after age of majority"), places=places)
    page = book(law, ["XA", "XB", "XC"], "Xa")
    assert "Full age: 18, nothing is counted from it (from memory, not checked: the act was not seen)." in page
    assert "Full age: 18 (from 2001-01-01, Code art. 2, seen in one secondary source)." in page
    assert "Full age: 21 (from ../1990-01-01)." in page
    assert majorities(law) == {"from memory": 1, "one secondary source": 1, "seen": 1}
    assert majority(law.jurisdictions.places["XA"]) == ["18 years (nothing is counted from it, from memory, not checked: the act was not seen)"]


def test_the_check_warns_once_a_place_of_norms_that_count_from_an_age_from_memory(tmp_path: Path) -> None:
    places = """
XA: {name: Xa}
XA-N: {name: North, within: XA, majority: [{from: ../2026-11-24, age: 18, verification: unverified}]}
XA-S: {name: South, within: XA, majority: [{from: ../1990-01-01, age: 18}]}
XB: {name: Xb, majority: [{from: ../2026-11-24, age: 18, verification: unverified}]}
"""
    under = floor("child", "9 years after study_date", "{age: {under: majority, at: study_date}}")
    counting = floor("grown", "1 year after age of majority") + "\n" + under + "\n" + floor("ten", "10 years after study_date")
    base(tmp_path, "XA\n" + counting, "XB\n" + floor("ten", "10 years after study_date"), places=places)
    told = [problem for problem in check(tmp_path, TODAY).problems if "full age is from memory" in problem.message]
    assert [problem.path for problem in told] == ["XA-N.majority"] and told[0].level == "warning"
    assert "XA/act-1#child, XA/act-1#grown" in told[0].message and "#ten" not in told[0].message
