"""Broken law files, one mistake each: told at its place, with what is allowed, a guess, and all at once."""

from __future__ import annotations

import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from compliance.decision.cases import check
from compliance.errors import Problem
from desk import PLACES

TODAY = date(2026, 11, 24)
BROKEN = sorted((Path(__file__).parent / "broken").glob("*.yaml"))
LINE = re.compile(r"XA/act\.yaml:(\d+):(\d+): .+")


def problems(folder: Path, *files: Path) -> list[Problem]:
    """Check the files as one small base, each the act of the country XA (the further ones `act-1`, `act-2` ...)."""
    (folder / "jurisdictions.yaml").write_text(PLACES)
    (folder / "XA").mkdir()
    for number, file in enumerate(files):
        shutil.copy(file, folder / "XA" / f"act{f'-{number}' if number else ''}.yaml")
    return [problem for problem in check(folder, TODAY).problems if problem.level == "error"]


def expected(file: Path) -> list[str]:
    """The words of the first line; `...` stands for anything between."""
    return file.read_text().partition("\n")[0].removeprefix("# expect: ").split(" ... ")


def told(found: list[Problem], words: list[str]) -> list[str]:
    return [str(one) for one in found if all(word.removeprefix("... ").removesuffix(" ...") in str(one) for word in words)]


def test_there_are_broken_files_of_every_kind():
    assert len(BROKEN) >= 50


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_a_broken_file_is_told_at_its_place(tmp_path, file):
    found = problems(tmp_path, file)
    lines = told(found, expected(file))
    assert lines, "\n".join(map(str, found))
    placed = LINE.fullmatch(lines[0].partition("\n")[0])
    assert placed and int(placed[1]) > 1, lines
    assert int(placed[1]) <= file.read_text().count("\n") and int(placed[2]) >= 1


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_one_mistake_is_not_told_many_times(tmp_path, file):
    assert len(problems(tmp_path, file)) <= 3


def test_the_problems_of_all_files_come_at_once(tmp_path):
    chosen = [file for file in BROKEN if file.stem in ("unknown-key", "unknown-event", "no-such-day", "tag", "duplicate-key", "empty-list")]
    found = problems(tmp_path, *chosen)
    assert len(chosen) == 6 and len({problem.file for problem in found}) == 6


def test_the_problems_of_one_file_come_at_once(tmp_path):
    text = (Path(__file__).parent / "broken" / "unknown-key.yaml").read_text()
    file = tmp_path / "many.yaml"
    file.write_text(text.replace("kind: floor", "kind: flor").replace("[image]", "[imgae]").replace("10 years after study_date", "ten years"))
    (tmp_path / "base").mkdir()
    found = [str(problem) for problem in problems(tmp_path / "base", file)]
    for words in ("Did you mean 'says'?", "Did you mean 'floor'?", "Did you mean 'image'?", "ten years", "'says' is missing"):
        assert any(words in line for line in found), (words, found)


def test_the_place_is_that_of_the_wrong_word(tmp_path):
    found = problems(tmp_path, next(file for file in BROKEN if file.stem == "unknown-value"))
    assert [(one.line, one.column, one.path) for one in found if "imgae" in one.message] == [(12, 22, "norms.0.scope.record.0")]
