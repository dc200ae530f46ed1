"""What pages say of law in words: names of facts and ranges of days as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from compliance.law.knowledge import load
from compliance.service.reference import marked
from compliance.service.web.timelines import versions
from compliance.service.web.words import plain
from service.serving import LAWS


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("7 years after last_service_date", "7 years after last service date"),
        ("study_date is 2020-03-01/..", "study date is 2020-03-01 or later"),
        ("study_date is ../1985-07", "study date is 1985-07 or earlier"),
        ("birth_date: 2010-01-01/2010-12-31", "birth date: 2010-01-01/2010-12-31"),
    ],
)
def test_names_and_ranges_are_words(written: str, said: str) -> None:
    assert plain(written, load(LAWS).vocabulary) == said


def test_the_picture_of_versions_names_facts_as_its_list_does() -> None:
    base = load(Path(__file__).parents[2] / "laws")
    drawn = versions(base.index["US-TX/22-tac-163-2#records"], 739_944, base.vocabulary)
    assert "last service date" in drawn and "last_service_date" not in drawn


def test_the_reference_shows_code_as_code_and_escapes_the_rest() -> None:
    assert marked("`X` < `Y`") == "<code>X</code> &lt; <code>Y</code>"
