"""The shipped law: every file passes its check, and every place and norm can be asked about."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import pytest

from compliance.decision.cases import Checked, check
from compliance.decision.decide import decide
from compliance.law.knowledge import load
from compliance.law.sources import shipped

TODAY = date(2026, 11, 24)
FILES = sorted(path.relative_to(shipped()).as_posix() for path in shipped().glob("*/*.yaml"))


@lru_cache(maxsize=1)
def whole() -> Checked:
    return check(shipped(), TODAY)


@pytest.mark.parametrize("name", FILES)
def test_a_law_file_passes_its_check(name):
    assert [str(problem) for problem in whole().problems if problem.level == "error" and problem.file == name] == []


def test_the_tables_pass_their_check():
    assert [str(problem) for problem in whole().problems if problem.level == "error" and "/" not in problem.file] == []
    assert whole().files == len(FILES)


def test_every_place_answers_and_a_study_nobody_knows_anything_of_is_never_freed():
    law = load(use_compiled=False)
    for code in law.jurisdictions.places:
        found = decide({"jurisdiction": code}, law, TODAY)
        assert found.disposition in ("undetermined", "retain") and not found.ready and not found.problems, code


def test_no_norm_covers_on_the_word_of_nobody():
    """Evidence that is sure says who saw it, when and where."""
    for norm in load(use_compiled=False).index.values():
        seen = norm.verification
        assert not norm.sure or (seen.on and seen.source), norm.id


def test_places_of_a_compiled_base_are_those_of_the_files() -> None:
    load()
    built, read = load().jurisdictions, load(use_compiled=False).jurisdictions
    assert dict(built.places) == dict(read.places)
    assert all(built.below(code) == read.below(code) and built.lineage(code) == read.lineage(code) for code in read.places)
    assert "US-CA" in built.places and "XX" not in built.places and "jurisdictions.yaml" not in built.places
