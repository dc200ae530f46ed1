"""Every numbered rule of the semantics, on statutes made to break the plausible other reading."""

from __future__ import annotations

from datetime import date

import pytest

from compliance.decision.assume import shipped
from compliance.decision.contract import to_json
from compliance.decision.explain import headline
from compliance.decision.holds import Hold
from compliance.law.conditions import facts_in
from compliance.law.dates import read_edtf
from compliance.law.scopes import ScopeShape
from compliance.law.shape import Reader
from compliance.law.yaml import read_text
from desk import TODAY, ask, base, floor, researched, span

TEN = floor("ten", "10 years after study_date")


def test_rule_1_a_partial_date_is_a_range_and_a_written_unknown_is_everything(tmp_path):
    law = base(tmp_path, "XA\n" + TEN)
    assert span(ask(law, study_date="2020")) == "2030-01-01/2030-12-31"
    assert span(ask(law, study_date="../2020-03-01")) == "?/2030-03-01"
    assert span(ask(law, study_date="unknown")) == "?/2036-11-24"


def test_rule_2_a_death_after_as_of_counts_as_never_and_a_later_service_as_the_whole_span(tmp_path):
    law = base(tmp_path, "XA\n" + TEN + "\n" + floor("dead", "30 years after study_date", "{deceased: true}"))
    assert span(ask(law, death_date="2027-01-01")) == "2030-03-01"
    moving = base(tmp_path, "XA\n" + floor("last", "10 years after last_service_date"))
    assert span(ask(moving, last_service_date="2028-01-01")) == "2030-03-01/2036-11-24"
    assert not ask(moving, last_service_date="2028-01-01").problems
    assert ask(law, study_date="2027-01-01").problems


def test_rule_3_birth_is_at_most_ten_months_after_the_study_and_contradictions_decide_nothing(tmp_path):
    law = base(tmp_path, "XA\n" + floor("child", "until age 20"))
    assert span(ask(law, birth_date=...)) == "?/2041-01-01"
    wrong = ask(law, birth_date="2021-02-01")
    assert wrong.disposition == "undetermined" and wrong.problems and span(wrong) == "?/?"
    assert not ask(law, birth_date="1950-01-01", death_date="2019-01-01").problems  # post-mortem CT


def test_rule_4_norms_of_the_wider_type_apply_and_the_wider_type_leaves_the_narrower_open(tmp_path):
    law = base(tmp_path, "XA\n" + floor("wide", "5 years after study_date", "{facility_type: [hospital]}") + "\n"
               + floor("narrow", "9 years after study_date", "{facility_type: [critical_access_hospital]}"))
    assert span(ask(law, facility_type="critical_access_hospital")) == "2029-03-01"
    assert span(ask(law, facility_type="hospital")) == "2025-03-01/2029-03-01"


def test_rule_4_several_keepers_are_judged_alone_and_the_latest_governs(tmp_path):
    law = base(tmp_path, "XA\n" + TEN, "XB\n" + floor("three", "3 years after study_date"))
    keepers = [{"jurisdiction": "XB"}, {"jurisdiction": "XA", "facility_type": "clinic"}]
    both = ask(law, place="XB", keepers=keepers)
    assert span(both) == "2030-03-01" and len(to_json(both)["keepers"]) == 2


def test_rule_5_a_code_with_places_below_means_somewhere_in_it(tmp_path):
    law = base(tmp_path, "XA\n" + TEN, "XA-N\n" + floor("north", "20 years after study_date"))
    assert span(ask(law, place="XA")) == "2030-03-01/2040-03-01"
    assert span(ask(law, place="XA-N")) == "2040-03-01"
    assert span(ask(law, place="XA-S")) == "2030-03-01"
    assert span(ask(law, jurisdiction=["XA", "XA-S"])) == "2030-03-01"


def test_rule_6_a_pet_mr_is_not_freed_by_the_rule_for_pet(tmp_path):
    law = base(tmp_path, "XA\n" + floor("pet", "1 year after study_date", "{modality: [PT]}"))
    assert span(ask(law, modality="PT")) == "2021-03-01"
    assert span(ask(law, modality=["PT", "MR"])) == "2021-03-01/?"


def test_rule_6_followers_and_reports_are_no_parts_while_an_image_remains(tmp_path):
    law = base(tmp_path, "XA\n" + floor("ct", "1 year after study_date", "{modality: [CT]}"))
    assert span(ask(law, modality=["CT", "SEG", "SR", "KO"])) == "2021-03-01"
    assert span(ask(law, modality=["SEG", "SR"])) == "?/?"


def test_rule_6_unknown_pairing_takes_the_hull_of_body_parts_for_each_modality(tmp_path):
    law = base(tmp_path, "XA\n" + TEN + "\n" + floor("breast", "20 years after study_date", "{modality: [CT], body_part: [BREAST]}"))
    assert span(ask(law, modality="CT", body_part=["BREAST", "CHEST"])) == "2040-03-01"
    assert span(ask(law, modality=["CT", "MR"], body_part=["BREAST", "CHEST"])) == "2030-03-01/2040-03-01"


def test_rule_7_a_duplicate_is_free_only_while_another_copy_surely_remains(tmp_path):
    law = base(tmp_path, "XA\n" + TEN)
    assert ask(law, copy="duplicate", copies_left="some").disposition == "may_purge"
    assert span(ask(law, copy="duplicate", copies_left="none")) == "2030-03-01"
    assert span(ask(law, copy="duplicate")) == "2020-03-01/2030-03-01"
    assert span(ask(law, copy="derived")) == "?/?"
    assert span(ask(law, copy="unknown")) == "?/?"


def test_rule_8_deceased_and_death_date_say_the_same_thing(tmp_path):
    law = base(tmp_path, "XA\n" + TEN + "\n" + floor("dead", "30 years after study_date", "{deceased: true}"))
    assert span(ask(law, death_date="happened")) == "2050-03-01"
    assert span(ask(law, deceased=False)) == "2030-03-01"
    assert ask(law, deceased=False, death_date="2021-01-01").problems
    assert span(ask(law)) == "2030-03-01/2050-03-01"


def test_rule_9_kleene_any_of_and_not(tmp_path):
    law = base(tmp_path, "XA\n" + floor("any", "10 years after study_date", "[{modality: [MG]}, {inpatient: true}]") + "\n"
               + floor("not", "20 years after study_date", "{modality: {not: [CT, MG]}}"))
    assert span(ask(law, modality="CT", inpatient=True)) == "2030-03-01"
    assert span(ask(law, modality="MG")) == "2030-03-01"
    assert span(ask(law, modality="CT")) == "?/?"
    assert span(ask(law, modality="US", inpatient=False)) == "2040-03-01"


def test_rule_10_ages_before_and_from_and_events_that_are_never(tmp_path):
    law = base(tmp_path, "XA\n" + TEN + "\n" + floor("young", "40 years after study_date", "{age: {under: 18, at: study_date}}") + "\n"
               + floor("early-death", "50 years after study_date", "{death_date: {before: 1 year after study_date}}"))
    assert span(ask(law, birth_date="2002-03-02", deceased=False)) == "2060-03-01"
    assert span(ask(law, birth_date="2002-03-01", deceased=False)) == "2030-03-01"
    assert span(ask(law, birth_date="1950-01-01", death_date="2021-02-28")) == "2070-03-01"
    assert span(ask(law, birth_date="1950-01-01", death_date="2021-03-01")) == "2030-03-01"


def test_rule_10_a_birthday_of_29_february_is_two_days_in_a_scope(tmp_path):
    law = base(tmp_path, "XA\n" + floor("one", "10 years after study_date") + "\n" + floor("minor", "20 years after study_date", "{age: {under: 18, at: study_date}}"))
    assert span(ask(law, study_date="2022-02-28", birth_date="2004-02-29")) == "2032-02-28/2042-02-28"


@pytest.mark.parametrize(("born", "full"), [("1970-05-01", "1990-01-01"), ("1969-01-01", "1990-01-01"), ("1968-12-31", "1989-12-31"), ("1980-05-01", "1998-05-01")])
def test_rule_11_majority_under_the_law_of_that_day(tmp_path, born, full):
    law = base(tmp_path, "XA\n" + floor("until", "until age of majority"))
    assert span(ask(law, place="XA-N", birth_date=born, study_date="1985-01-01")) == full


def test_rule_11_no_majority_on_file_is_unknown_never_18(tmp_path):
    law = base(tmp_path, "XB\n" + floor("until", "until age of majority"))
    assert span(ask(law, place="XB", birth_date="1980-01-01")) == "?/?"


REMEMBERED = "XB: {name: Xb, researched: " + researched() + ", majority: [{from: ../2026-11-24, age: 18, verification: unverified}]}"


def test_rule_11_an_age_from_memory_frees_nothing(tmp_path):
    law = base(tmp_path, "XB\n" + floor("until", "until age of majority") + "\n" + floor("three", "3 years after study_date"), places=REMEMBERED)
    assert span(ask(law, place="XB", birth_date="1980-01-01")) == "2023-03-01/?"
    assert ask(law, place="XB", birth_date="1980-01-01").disposition == "undetermined"


VERSIONS = """XA
- id: two
  kind: floor
  citation: § 2
  says: two versions
  versions:
    - {from: 2020-01-01, scope: {study_date: 2020-01-01/..}, period: 2 years after study_date}
    - {from: 2010-01-01, period: 9 years after study_date}
  verification: {status: verified, on: 2026-11-24, by: X, source: "https://x.example"}
"""


def test_rule_12_the_first_version_in_force_whose_scope_holds_and_the_hull_in_doubt(tmp_path):
    law = base(tmp_path, VERSIONS)
    assert span(ask(law, study_date="2020-03-01")) == "2022-03-01"
    assert span(ask(law, study_date="2019-12-31")) == "2028-12-31"
    assert span(ask(law, study_date="2019-12-31/2020-01-01")) == "2021-12-31/2029-01-01"
    assert ask(law, study_date="2009-01-01", as_of=date(2009, 12, 31)).disposition == "undetermined"
    assert span(ask(law, study_date="2020-03-01", as_of=date(2020, 3, 1))) == "2022-03-01"


def test_rule_12_a_perhaps_repealed_norm_covers_no_more(tmp_path):
    text = VERSIONS.replace("{from: 2020-01-01, scope: {study_date: 2020-01-01/..}, period: 2 years after study_date}", '{from: "2026", repealed: true}')
    law = base(tmp_path, text)
    assert span(ask(law)) == "?/?"
    assert span(ask(law, as_of=date(2025, 12, 31))) == "2029-03-01"


def test_rule_13_chains_of_overrides_with_doubt_at_the_top(tmp_path):
    chain = (floor("a", "10 years after study_date") + "\n" + floor("b", "2 years after study_date", overrides="[a]") + "\n"
             + floor("c", "5 years after study_date", "{accident: true}", overrides="[b]"))
    law = base(tmp_path, "XA\n" + chain)
    assert span(ask(law, accident=False)) == "2022-03-01"
    assert span(ask(law, accident=True)) == "2030-03-01"  # b is off, a revives
    assert span(ask(law)) == "2022-03-01/2030-03-01"


def test_rule_13_an_unverified_overrider_counts_as_maybe_and_a_narrower_place_needs_yields(tmp_path):
    law = base(tmp_path, "XA\n" + TEN + "\n" + floor("short", "1 year after study_date", status="unverified", overrides="[ten]"))
    assert span(ask(law)) == "2021-03-01/2030-03-01"
    narrow = base(tmp_path, "XA\n" + TEN, "XA-N\n" + floor("short", "1 year after study_date", overrides='["XA/act-1#ten"]'))
    assert span(ask(narrow, place="XA-N")) == "2030-03-01"
    yielding = base(tmp_path, "XA\n" + floor("ten", "10 years after study_date", **{"yields": "within"}), "XA-N\n" + floor("short", "1 year after study_date", overrides='["XA/act-1#ten"]'))
    assert span(ask(yielding, place="XA-N")) == "2021-03-01"


def test_rule_14_none_frees_and_unknown_is_everything(tmp_path):
    assert ask(base(tmp_path, "XA\n" + floor("no", "none"))).disposition == "may_purge"
    assert span(ask(base(tmp_path, "XA\n" + floor("no", "unknown")))) == "?/?"


def test_rule_15_a_place_nobody_researched_frees_nothing(tmp_path):
    law = base(tmp_path, "XC\n" + TEN)
    assert span(ask(law, place="XC")) == "2030-03-01/?"


def test_rule_16_guidance_covers_only_where_binding_law_is_nothing_found(tmp_path):
    guidance = floor("good", "3 years after study_date", force="guidance")
    law = base(tmp_path, "XB\n" + guidance, "XA\n" + guidance)
    assert span(ask(law, place="XB")) == "?/2023-03-01" and ask(law, place="XB").disposition == "may_purge"
    assert span(ask(law, place="XA-N")) == "?/?"
    assert span(ask(base(tmp_path, "XB\n" + floor("m", "3 years after study_date", status="unverified")), place="XB")) == "?/?"


def test_rule_17_the_early_end_takes_the_earliest_of_a_floor_and_its_possible_overriders(tmp_path):
    law = base(tmp_path, "XA\n" + TEN + "\n" + floor("acc", "4 years after study_date", "{accident: true}", overrides="[ten]"))
    assert span(ask(law)) == "2024-03-01/2030-03-01"
    assert ask(law).governing == ("XA/act-1#ten",)


def test_rule_18_binding_law_alone_is_folded_apart(tmp_path):
    law = base(tmp_path, "XA\n" + TEN + "\n" + floor("own", "15 years after study_date", force="policy"))
    found = ask(law)
    assert span(found) == "2030-03-01/2035-03-01" and found.binding.exact


def test_rule_19_only_sure_binding_ceilings_that_surely_apply_count(tmp_path):
    ceiling = floor("gone", "1 day after retention_end", kind="ceiling")
    law = base(tmp_path, "XA\n" + TEN + "\n" + ceiling + "\n" + floor("soon", "2 years after study_date", kind="ceiling", status="unverified"))
    assert to_json(ask(law))["destroy_by"] == "2030-03-02"
    assert to_json(ask(law, study_date="2016"))["destroy_by"] == "2027-01-01"
    assert ask(law, study_date="2010-01-01").disposition == "must_purge"


def test_rule_20_a_hold_that_may_match_holds_and_never_ends_by_date(tmp_path):
    law = base(tmp_path, "XA\n" + floor("one", "1 year after study_date"))
    scope = ScopeShape(law.vocabulary).read(read_text("{patient_key: [P1], modality: [SEG]}", "x"), Reader("x"))
    hold = Hold(id="H", scope=scope, review_by=read_edtf("2021-01-01"))
    assert "patient_key" in {f for c in scope.conditions() for f in facts_in(c)}
    assert ask(law, holds=[hold], patient_key="P1", modality=["CT", "SEG"]).disposition == "held"
    held = ask(law, holds=[hold], modality=["CT", "SEG"])
    assert held.disposition == "held" and headline(held)[1].startswith("Without the hold: earliest lawful purge date: ")
    assert ask(law, holds=[hold], patient_key="P2", modality="SEG").disposition == "may_purge"
    assert ask(law, holds=[Hold(id="H", scope=scope, released=read_edtf("2026-01-01"))], patient_key="P1", modality="SEG").disposition == "may_purge"


def test_rule_21_conflict_and_ready(tmp_path):
    law = base(tmp_path, "XA\n" + TEN + "\n" + floor("gone", "2 years after study_date", kind="ceiling"))
    assert ask(law).disposition == "conflict" and ask(law, as_of=date(2022, 3, 1)).disposition == "retain"
    duty = floor("tell", "duty: notify, who: patient, lead: 30 days", kind="duty", status="unverified")
    open_ = base(tmp_path, "XA\n" + floor("one", "1 year after study_date") + "\n" + duty)
    assert not ask(open_).ready
    assert not ask(open_, duties_done={"XA/act-1#tell": "2026-10-26"}).ready
    assert ask(open_, duties_done={"XA/act-1#tell": "2026-10-25"}).ready


def test_rule_22_the_next_enacted_change(tmp_path):
    law = base(tmp_path, VERSIONS.replace("from: 2020-01-01, scope", "from: 2027-07-01, scope"))
    assert to_json(ask(law))["next_change"] == {"norm": "XA/act-1#two", "on": "2027-07-01"}


@pytest.mark.parametrize(("period", "status", "word"), [
    ("2 years after study_date, max_ratio: 10", "verified", "allowed_from"), ("permanent", "verified", "forbidden"),
    ("2 years after study_date, max_ratio: 10", "unverified", "undetermined")])
def test_rule_23_lossy_status(tmp_path, period, status, word):
    law = base(tmp_path, "XA\n" + TEN + "\n" + floor("c", period, kind="lossy", status=status))
    assert ask(law).lossy.status == word
    assert ask(base(tmp_path, "XA\n" + TEN)).lossy.status == "no_norm"


def test_rule_24_duties_that_may_apply_are_listed(tmp_path):
    law = base(tmp_path, "XA\n" + TEN + "\n" + floor("keep", "duty: keep, what: abstract, period: 25 years after purge_date", "{inpatient: true}", kind="duty"))
    assert to_json(ask(law))["duties"][0]["applies"] == "maybe"
    assert to_json(ask(law, inpatient=False))["duties"] == []


def test_rule_25_floors_round_up_ceilings_down_unless_the_place_rules_otherwise(tmp_path):
    law = base(tmp_path, "XA\n" + floor("f", "1 year after study_date") + "\n" + floor("c", "1 year after study_date", kind="ceiling"),
               "XA-S\n" + floor("g", "1 year after study_date"))
    both = ask(law, place="XA-N", study_date="2020-02-29")
    assert span(both) == "2021-03-01" and to_json(both)["destroy_by"] == "2021-02-28"
    south = to_json(ask(law, place="XA-S", study_date="2020-02-29"))
    ends = {n["id"]: n["retain_through"]["latest"] for n in south["norms"] if "retain_through" in n}
    assert ends == {"XA/act-1#f": "2021-03-01", "XA-S/act-2#g": "2021-02-28"}
    months = base(tmp_path, "XA\n" + floor("m", "6 months after end of month of study_date"))
    assert span(ask(months, place="XA-N", study_date="2020-03-10")) == "2020-10-01"


def test_rule_26_assumptions_fill_only_absent_facts_and_are_printed(tmp_path):
    law = base(tmp_path, "XA\n" + floor("d", "10 years after discharge_date"))
    practical = [shipped("practical", law.vocabulary)]
    assert span(ask(law, sets=practical)) == "2030-03-01"
    assert span(ask(law, sets=practical, discharge_date="unknown")) == "?/?"
    assert span(ask(law, sets=practical, inpatient=True)) == "?/?"
    assert {"discharge_date", "inpatient"} <= {a.fact for a in ask(law, sets=practical).assumed}


def test_rule_27_only_an_assumption_makes_the_last_study_the_last_service(tmp_path):
    law = base(tmp_path, "XA\n" + floor("l", "10 years after last_service_date"))
    assert span(ask(law, patient_last_study="2024-05-05")) == "2030-03-01/2036-11-24"
    assert span(ask(law, patient_last_study="2024-05-05", sets=[shipped("practical", law.vocabulary)])) == "2034-05-05"


def test_rule_34_every_null_has_a_reason(tmp_path):
    answer = to_json(ask(base(tmp_path, "XA\n" + floor("p", "permanent"))))
    assert answer["permanent"] and answer["retain_through"]["latest"] is None and answer["retain_through"]["reason"]
    open_ = to_json(ask(base(tmp_path, "XA\n" + floor("o", "5 years after death_date", open="true")), deceased=False))
    assert open_["retain_through"]["open"] and open_["retain_through"]["earliest"] == "9999-12-31" and not open_["permanent"]
    assert to_json(ask(base(tmp_path, "XA\n" + TEN), place="ZZ"))["problems"]


def test_as_of_is_always_an_argument(tmp_path):
    law = base(tmp_path, "XA\n" + TEN, places=f"XA: {{name: Xa, researched: {researched()}}}")
    assert ask(law, as_of=TODAY).disposition == "retain"
