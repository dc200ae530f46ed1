"""Rules 28 to 34 of laws/README.md: what authors of law are told, how a case is judged, and the shape of the answer."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from compliance.decision.cases import check
from compliance.decision.contract import to_json
from compliance.decision.explain import headline
from compliance.decision.missing import what_would_change
from compliance.law.knowledge import place_on_file
from desk import PLACES, ask, base, floor

TODAY = date(2026, 11, 24)
TEN = floor("ten", "10 years after study_date", "{record: [image]}")
LATEST = "{latest: [6 years after discharge_date, 6 years after death_date]}"


def told(folder: Path, norms: str, cases: str = "", level: str = "error") -> list[str]:
    """Check one file of XA; return its problems of a level."""
    base(folder, "XA\n" + norms, places=PLACES)
    file = folder / "XA" / "act-1.yaml"
    file.write_text(file.read_text() + (f"cases:\n{cases}\n" if cases else ""))
    return [str(problem) for problem in check(file, TODAY).problems if problem.level == level]


def case(given: str, expected: str, more: str = "") -> str:
    return f"  - {{name: it, as_of: 2026-11-24, given: {{{given}}}, {expected}{more}}}"


def test_rule_29_latest_over_a_death_that_may_never_come_keeps_the_living_for_ever_and_is_warned_of(tmp_path):
    warned = told(tmp_path, floor("a", LATEST), level="warning")
    assert any("latest over death_date, which may never come, keeps the image for ever" in line for line in warned)
    for more in ({"open": "true"}, {}):
        scope = "" if more else "{deceased: true}"
        assert not any("which may never come" in line for line in told(tmp_path, floor("a", LATEST, scope, **more), level="warning"))
    living = ask(base(tmp_path, "XA\n" + floor("a", LATEST)), deceased=False, discharge_date="2020-03-02")
    assert to_json(living)["retain_through"]["open"]


def test_rule_30_a_rule_split_by_age_is_warned_of_and_frees_nothing_while_the_birth_is_unknown(tmp_path):
    adult = floor("adult", "5 years after study_date", "{age: {from: 18, at: study_date}}")
    minor = floor("minor", "25 years after study_date", "{age: {under: 18, at: study_date}}")
    assert any("split one rule by age" in line for line in told(tmp_path, adult + "\n" + minor, level="warning"))
    assert ask(base(tmp_path, "XA\n" + adult + "\n" + minor)).disposition == "undetermined"
    better = base(tmp_path, "XA\n" + floor("all", "5 years after study_date") + "\n" + minor)
    assert ask(better, as_of=date(2024, 1, 1)).disposition == "retain"


def test_rule_31_the_duty_ends_on_transfer_but_never_for_a_transfer_to_come(tmp_path):
    law = base(tmp_path, "XA\n" + floor("a", "{earliest: [10 years after study_date, until transfer_date]}"))
    assert ask(law, transfer_date="2024-05-01").disposition == "may_purge"
    assert ask(law, transfer_date="2027-05-01").disposition == "retain"
    assert ask(law).disposition == "undetermined"


@pytest.mark.parametrize(("kind", "period", "words"), [
    ("floor", "1 day after retention_end", "retention_end belongs to ceilings and duties"), ("lossy", "1 day after retention_end", "retention_end belongs to ceilings and duties"),
    ("floor", "1 day after purge_date", "purge_date belongs to duties"), ("ceiling", "1 day after purge_date", "purge_date belongs to duties")])
def test_rule_31_the_end_of_retention_and_the_purge_have_their_places(tmp_path, kind, period, words):
    assert any(words in line for line in told(tmp_path, floor("a", period, kind=kind)))


def test_rule_32_construed_changes_the_wording_never_the_date(tmp_path):
    dates = {how: ask(base(tmp_path, "XA\n" + floor("a", "10 years after study_date", images=how))).retain for how in ("express", "construed")}
    assert dates["express"] == dates["construed"]


def test_rule_33_a_case_is_judged_by_its_file_alone_without_gaps_and_with_the_lineage_where_it_says_so(tmp_path):
    places = "XA: {name: Xa}\nXA-N: {name: North, within: XA}"  # nobody researched anything
    base(tmp_path, "XA\n" + floor("wide", "30 years after study_date"), "XA-N\n" + TEN, places=places)
    file = tmp_path / "XA-N" / "act-2.yaml"
    study = "study_date: 2020-03-01"
    text = file.read_text() + "cases:\n"
    file.write_text(text + case(study, "retain_through: 2030-03-01, by: ten") + "\n" + case(study, "retain_through: 2050-03-01", ", with: lineage") + "\n")
    assert [str(p) for p in check(file, TODAY).problems if p.level == "error"] == []
    file.write_text(text + case(study, "retain_through: 2050-03-01") + "\n")
    assert check(file, TODAY).failed


@pytest.mark.parametrize(("given", "expected"), [
    ("study_date: 2020-03-01", "earliest_purge_date: 2030-03-02"), ("study_date: 2020-03-01", "disposition: retain"), ("study_date: 2020-03-01", "by: ten"),
    ("study_date: 2020-03-01", "destroy_by: none"), ("study_date: 2010-03-01", "ready: true"), ("study_date: 2020-03-01", "lossy: {status: no_norm}"),
    ("study_date: '2020'", "retain_through: 2030-01-01/2030-12-31"), ("study_date: 2020-03-01, record: report", "retain_through: unknown"),
    ("study_date: 2020-03-01", "binding_retain_through: 2030-03-01"), ("study_date: 2020-03-01", "duties: []")])
def test_rule_33_a_case_says_what_it_expects_and_is_told_where_it_errs(tmp_path, given, expected):
    reach = case("study_date: 2020-03-01", "disposition: retain")
    assert told(tmp_path, TEN, reach + "\n" + case(given, expected)) == []
    key, _, _ = expected.partition(":")
    wrong = {"retain_through": "permanent", "binding_retain_through": "never", "earliest_purge_date": "none", "disposition": "held", "by": "eleven", "destroy_by": "2031-01-01",
             "ready": "false", "lossy": "{status: forbidden}", "duties": "[tell]"}[key]
    (line,) = told(tmp_path, TEN, reach + "\n" + case(given, f"{key}: {wrong}"))
    assert f"{key} is " in line and "the case says" in line


def test_rule_33_only_guidance_has_no_early_end(tmp_path):
    guidance = floor("g", "7 years after study_date", "{record: [image]}", force="guidance")
    base(tmp_path, "XB\n" + guidance)
    file = tmp_path / "XB" / "act-1.yaml"
    file.write_text(file.read_text() + "cases:\n" + case("study_date: 2020-01-15, facility_type: clinic", "retain_through: ../2027-01-15") + "\n")
    assert [str(p) for p in check(file, TODAY).problems if p.level == "error"] == []


# -- the answer in JSON

RANGES = ("retain_through", "binding_retain_through")


def answers(folder: Path) -> dict[str, dict]:
    law = base(folder, "XA\n" + floor("a", "10 years after discharge_date", "{modality: [CT]}") + "\n" + floor("b", "permanent", "{modality: [MR]}") + "\n"
               + floor("o", "5 years after next_mammogram_date", "{modality: [MG]}", open="true"), "XB\n" + floor("g", "5 years after study_date", force="guidance"))
    asked = {
        "exact": ask(law, modality="CT", discharge_date="2020-03-01"), "hidden": ask(law, modality="CT"), "permanent": ask(law, modality="MR"),
        "open": ask(law, modality="MG", next_mammogram_date="never"), "uncovered": ask(law, modality="US"), "guidance": ask(law, place="XB"),
        "nowhere": ask(law, place="ZZ"), "no place": ask(law, jurisdiction=...), "contradiction": ask(law, modality="CT", birth_date="2030-01-01"),
        "two": ask(law, modality="CT", keepers=[{"jurisdiction": "XA-N"}, {"jurisdiction": "XB"}]),
    }
    return {name: to_json(one, what_would_change(one, law), id=name) for name, one in asked.items()}


def test_rule_34_every_null_end_has_a_reason_and_never_is_the_last_day(tmp_path):
    for name, answer in answers(tmp_path).items():
        assert json.loads(json.dumps(answer)) == answer and answer["id"] == name
        for one in [answer[key] for key in RANGES] + [part["retain_through"] for part in answer["parts"]]:
            assert (None in (one["earliest"], one["latest"])) == bool(one.get("reason")), (name, one)
            assert one["earliest"] is None or one["latest"] is None or one["earliest"] <= one["latest"]
        assert (answer["earliest_purge_date"] is None) == (answer["retain_through"]["latest"] is None)
        assert answer["valid_on"] == answer["as_of"] == "2026-11-24"


def test_rule_34_open_and_permanent_are_told_apart(tmp_path):
    found = answers(tmp_path)
    for name, is_open, permanent in (("permanent", False, True), ("open", True, False), ("uncovered", False, False), ("exact", False, False)):
        assert (found[name]["retain_through"]["open"], found[name]["permanent"]) == (is_open, permanent), name
    assert found["open"]["retain_through"]["earliest"] == found["permanent"]["retain_through"]["earliest"] == "9999-12-31"
    assert found["uncovered"]["retain_through"]["earliest"] is None


def test_rule_34_contradictions_and_unknown_places_are_problems_not_errors(tmp_path):
    found = answers(tmp_path)
    assert [p["code"] for p in found["contradiction"]["problems"]] == ["bad-data"] and found["contradiction"]["disposition"] == "undetermined"
    assert [p["code"] for p in found["nowhere"]["problems"]] == ["no-law"] and [p["code"] for p in found["no place"]["problems"]] == ["no-place"]
    assert found["two"]["problems"] == [] and [k["jurisdiction"] for k in found["two"]["keepers"]] == ["XA-N", "XB"]


def test_rule_34_an_unknown_part_of_a_country_is_told_with_the_parts_on_file_not_with_a_like_code_elsewhere(tmp_path):
    said = place_on_file(base(tmp_path, "XA\n" + TEN), "XA-Z")
    assert "a part of XA. Parts on file: XA-N" in said and "Did you mean" not in said


def test_rule_34_a_place_asked_for_by_name_or_in_small_letters_is_told_with_its_code_and_one_full_stop(tmp_path):
    law = base(tmp_path, "XA\n" + TEN)
    assert place_on_file(law, "North").endswith("Did you mean 'XA-N'?") and place_on_file(law, "xa").endswith("Did you mean 'XA'?")
    for place in ("North", "Nowhere", "XC"):
        assert not headline(ask(law, place=place))[0].endswith(("..", "?."))


def test_rule_34_an_answer_that_hangs_on_guidance_says_so_and_not_that_a_fact_is_missing(tmp_path):
    advice, binding = floor("advice", "10 years after study_date", force="guidance"), floor("law", "10 years after birth_date")
    law = base(tmp_path, "XB\n" + advice, "XA\n" + binding)
    assert "only guidance asks for it" in headline(ask(law, place="XB"))[0]
    assert "facts that are not known" in headline(ask(law, birth_date="2010/2019"))[0]


def test_rule_34_a_set_is_taken_as_a_scalar_or_a_list_and_null_is_absent(tmp_path):
    law = base(tmp_path, "XA\n" + TEN)
    assert ask(law, modality="CT").retain == ask(law, modality=["CT"]).retain == ask(law, modality=["CT"], birth_date=None).retain


def test_rule_34_a_missing_fact_says_what_each_value_would_make_of_the_date(tmp_path):
    assert answers(tmp_path)["hidden"]["missing"][0]["fact"] == "discharge_date"
    assert answers(tmp_path)["exact"]["missing"] == []

