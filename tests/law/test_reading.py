"""Strict reading: every fault at its place, what is allowed, a guess, all at once."""

from __future__ import annotations

import ast
from datetime import date
from pathlib import Path

import pytest

from compliance.decision.cases import check
from compliance.errors import LawError
from compliance.law.knowledge import load
from compliance.law.register import at_stake
from compliance.law.schemas import schemas
from compliance.law.yaml import read_text
from desk import PLACES, floor

ROOT = Path(__file__).parents[2]
HEAD = 'jurisdiction: "XA"\ntitle: T\ncitation: C\nurl: https://law.example\nforce: binding\nnorms:\n'
GOOD = "\n".join("  " + line for line in floor("a", "10 years after study_date", "{record: [image]}").splitlines()) + "\n"
CASE = "cases:\n  - {name: c, as_of: 2026-11-24, given: {study_date: 2020-03-01}, retain_through: 2030-03-01}\n"


def run(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / "jurisdictions.yaml").write_text(PLACES)
    (tmp_path / "XA").mkdir(exist_ok=True)
    (tmp_path / "XA" / "act.yaml").write_text(text)
    return [str(p) for p in check(tmp_path, date(2026, 11, 24)).problems if p.level == "error"]


def test_a_sound_file_passes(tmp_path):
    assert run(tmp_path, HEAD + GOOD + CASE) == []


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 3000 + "x", "a: !!python/object:os.system x", "", "a: [", b"\xff\xfea: b", "x" * 2_100_000])
def test_hostile_yaml_is_refused(text):
    with pytest.raises(LawError):
        read_text(text, "x.yaml")


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


ROOMS = {"errors": 0, "law": 1, "decision": 2, "archive": 2, "audit": 3, "report": 4, "service": 5, "client": 6, "cli": 7}


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
