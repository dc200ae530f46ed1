"""Strict reading: every fault at its place, what is allowed, a guess, all at once."""

from __future__ import annotations

import ast
from datetime import date
from pathlib import Path

import pytest

from compliance.decision.cases import check
from compliance.errors import LawError
from compliance.law.dates import add, read_edtf, write_day
from compliance.law.knowledge import load
from compliance.law.register import at_stake
from compliance.law.schemas import schemas
from compliance.law.yaml import read_text
from desk import PLACES, floor

ROOT = Path(__file__).parents[2]
HEAD = 'jurisdiction: "XA"\ntitle: T\ncitation: C\nurl: https://law.example\nforce: binding\nnorms:\n'
GOOD = "\n".join("  " + line for line in floor("a", "10 years after study_date", "{record: [image]}").splitlines()) + "\n"
CASE = "cases:\n  - {name: c, as_of: 2026-11-24, given: {study_date: 2020-03-01}, retain_through: 2030-03-01}\n"

BROKEN = {
    "unknown key": (GOOD.replace("says:", "sayz:"), "Did you mean 'says'?"),
    "missing key": (GOOD.replace("    says: a\n", ""), "'says' is missing"),
    "unknown kind": (GOOD.replace("kind: floor", "kind: flor"), "Did you mean 'floor'?"),
    "unknown fact": (GOOD.replace("{record: [image]}", "{modalty: [CT]}"), "Did you mean 'modality'?"),
    "unknown value": (GOOD.replace("[image]", "[imgae]"), "Did you mean 'image'?"),
    "no period": (GOOD.replace("10 years after study_date", "ten years"), "is no period"),
    "unknown event": (GOOD.replace("after study_date", "after studydate"), "Did you mean 'study_date'?"),
    "none inside": (GOOD.replace("10 years after study_date", "{latest: [none, 1 year after study_date]}"), "stands alone"),
    "bad date": (GOOD.replace("2000-01-01", "2000-13-01"), "no day of the calendar"),
    "duplicate key": (GOOD.replace("    says: a\n", "    says: a\n    says: b\n"), "stands here twice"),
    "duplicate id": (GOOD + GOOD, "used twice"),
    "unknown override": (GOOD.replace("    says: a\n", "    says: a\n    overrides: [b]\n"), "not on file"),
    "circle": (GOOD.replace("    says: a\n", "    says: a\n    overrides: [a]\n"), "overrides itself"),
    "retention_end in a floor": (GOOD.replace("after study_date", "after retention_end"), "belongs to ceilings"),
    "ratio in a floor": (GOOD.replace("after study_date}", "after study_date, max_ratio: 10}"), "belongs to norms of kind lossy"),
    "duty without duty": (GOOD.replace("kind: floor", "kind: duty"), "needs the key 'duty'"),
    "none unverified": (GOOD.replace("10 years after study_date", "none").replace("status: verified", "status: secondary"), "needs status verified"),
    "empty list": (GOOD.replace("[image]", "[]"), "matches nothing"),
    "bad age": (GOOD.replace("{record: [image]}", "{age: {under: x, at: study_date}}"), "is no age"),
    "unquoted NO": (GOOD.replace("{record: [image]}", "{patient_residence: [NO]}"), "in quotes"),
    "seen tomorrow": (GOOD.replace("on: 2026-11-24", "on: 2027-01-01"), "still to come"),
    "no case": (GOOD, "no case reaches"),
    "wrong case": (GOOD + CASE.replace("2030", "2031"), "the case says 2031-03-01"),
    "anchor": (GOOD.replace("[image]", "&x [image]").replace("verification: {", "note: *x\n    verification: {"), "anchors"),
}


def run(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / "jurisdictions.yaml").write_text(PLACES)
    (tmp_path / "XA").mkdir(exist_ok=True)
    (tmp_path / "XA" / "act.yaml").write_text(text)
    return [str(p) for p in check(tmp_path, date(2026, 11, 24)).problems if p.level == "error"]


def test_a_sound_file_passes(tmp_path):
    assert run(tmp_path, HEAD + GOOD + CASE) == []


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_told_with_place_fault_and_guess(tmp_path, name):
    text, words = BROKEN[name]
    problems = run(tmp_path, HEAD + text + ("" if "cases:" in text or name == "no case" else CASE))
    assert any(words in line for line in problems), problems
    assert all(line.startswith("XA/act.yaml:") for line in problems)
    located = [line for line in problems if words in line and line.split(":")[1].isdigit() and int(line.split(":")[1]) > 0]
    assert located or name == "circle"


def test_all_problems_come_at_once(tmp_path):
    text = HEAD + GOOD.replace("says: a", "sayz: a").replace("kind: floor", "kind: flor").replace("[image]", "[imgae]")
    assert len(run(tmp_path, text)) >= 4


def test_scalars_stay_text():
    assert read_text("a: NO\nb: 2010-01-01\nc: ON\nd: 010\n", "x").data() == {"a": "NO", "b": "2010-01-01", "c": "ON", "d": "010"}


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 3000 + "x", "a: !!python/object:os.system x", "", "a: [", b"\xff\xfea: b", "x" * 2_100_000])
def test_hostile_yaml_is_refused(text):
    with pytest.raises(LawError):
        read_text(text, "x.yaml")


@pytest.mark.parametrize(("day", "years", "rounding", "want"), [("2020-02-29", 1, "next", "2021-03-01"), ("2020-02-29", 1, "previous", "2021-02-28"), ("2020-02-29", 4, "next", "2024-02-29")])
def test_29_february(day, years, rounding, want):
    assert write_day(add(read_edtf(day).earliest, years, "year", rounding)) == want


def test_every_shipped_law_file_passes_its_check():
    found = check(None, date(2026, 11, 24))
    assert [str(p) for p in found.problems if p.level == "error"] == []
    assert found.cases > 300


def test_the_fictional_country_shows_every_feature():
    assert not check(ROOT / "tests/laws", date(2026, 11, 24)).failed


def test_the_schemas_for_editors_are_fresh():
    for name, text in schemas(load(use_compiled=False).vocabulary).items():
        assert (ROOT / "laws" / name).read_text() == text, f"run `compliance laws schema` ({name})"


def test_a_stale_or_damaged_build_is_ignored(tmp_path, monkeypatch):
    monkeypatch.setenv("COMPLIANCE_CACHE", str(tmp_path / "cache"))
    first = load(ROOT / "tests/laws")
    (build,) = (tmp_path / "cache").glob("laws-*.json")
    assert load(ROOT / "tests/laws").digest == first.digest
    build.write_bytes(build.read_bytes().replace(b"7 years", b"1 years"))
    assert "7 years" in str(load(ROOT / "tests/laws").statute("XA/medical-images-act").norms[0].versions[0].period)


ROOMS = {"errors": 0, "law": 1, "decision": 2, "archive": 2, "audit": 3, "report": 4, "service": 5, "cli": 6}


def test_imports_point_one_way():
    for path in (ROOT / "src/compliance").rglob("*.py"):
        room = path.relative_to(ROOT / "src/compliance").parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("compliance."):
                other = node.module.split(".")[1]
                assert other == room or ROOMS[other] < ROOMS[room], f"{path}: {node.module}"


def test_no_file_is_too_long_to_read():
    for path in (ROOT / "src/compliance").rglob("*.py"):
        assert path.read_text().count("\n") <= 400, path
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno - node.lineno <= 50, f"{path}: {node.name}"


def test_rule_26_each_practical_assumption_names_the_places_that_hang_on_it():
    base = load(use_compiled=False)
    found = at_stake(base)
    assert set(found) == {a.fact for a in base.vocabulary.assumptions("practical")}
    assert {"US-TX", "NL", "FR"} <= set(found["last_service_date"]) | set(found["last_entry_date"]) | set(found["last_discharge_date"])
    assert "US" in found["next_mammogram_date"] and "DE" not in found["next_mammogram_date"]
