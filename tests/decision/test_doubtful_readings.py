"""Where the engine could be read, or written, the plausible other way: one test for each, by rule."""

from __future__ import annotations

from datetime import date

import pytest

from compliance.decision.assume import AssumptionSet, compile_set
from compliance.decision.contract import to_json
from compliance.decision.holds import Hold
from compliance.law.scopes import ScopeShape
from compliance.law.shape import Reader
from compliance.law.vocabulary import Assumption
from compliance.law.yaml import Node
from desk import ask, base, floor, researched, span

TEN = floor("ten", "10 years after study_date")


def hold(words: dict, **more) -> Hold:
    vocabulary = more.pop("vocabulary")
    return Hold(id="H", scope=ScopeShape(vocabulary).read(Node.wrap(words), Reader("x")), **more)


def test_rule_6_an_unknown_modality_leaves_the_pairing_unknown_too(tmp_path):
    """Of two body parts one shows the breast; which modality it was made with, nobody says: hiding the modality cannot make it surer."""
    law = base(tmp_path, "XA\n" + TEN + "\n" + floor("breast", "20 years after study_date", "{body_part: [BREAST]}"))
    known = ask(law, modality=["CT", "MR"], body_part=["BREAST", "CHEST"])
    hidden = ask(law, body_part=["BREAST", "CHEST"])
    assert hidden.retain.earliest <= known.retain.earliest and hidden.retain.latest >= known.retain.latest


def test_rule_6_an_unknown_modality_brings_no_ceiling_forward(tmp_path):
    law = base(tmp_path, "XA\n" + TEN + "\n" + floor("burn", "11 years after study_date", "{body_part: [BREAST]}", kind="ceiling"))
    assert ask(law, modality=["CT", "MR"], body_part=["BREAST", "CHEST"]).destroy_by is None
    assert ask(law, body_part=["BREAST", "CHEST"]).destroy_by is None


def test_rule_7_a_copy_that_may_be_a_duplicate_is_perhaps_free(tmp_path):
    law = base(tmp_path, "XA\n" + TEN)
    assert span(ask(law, copy={"not": ["derived", "deidentified"]}, copies_left="some")) == "2020-03-01/2030-03-01"
    assert span(ask(law, copy={"not": ["derived", "deidentified", "duplicate"]}, copies_left="some")) == "2030-03-01"
    assert span(ask(law, copy={"not": ["derived", "deidentified"]}, copies_left="none")) == "2030-03-01"


def test_rule_7_a_norm_that_names_one_kind_of_copy_reaches_an_unknown_copy_only_perhaps(tmp_path):
    either = floor("a", "3 years after study_date", "[{copy: [derived]}, {modality: [CT]}]")
    law = base(tmp_path, "XA\n" + either)
    assert span(ask(law, copy="deidentified", modality="CT")) == "?/?"
    assert span(ask(law, copy="unknown", modality="CT")) == "?/?"
    assert span(ask(law, copy="derived", modality="CT")) == "2023-03-01"


def test_rule_9_other_codes_of_an_open_set_stay_possible(tmp_path):
    law = base(tmp_path, "XA\n" + floor("one", "1 year after study_date"))
    private = hold({"modality": ["ZZ"]}, vocabulary=law.vocabulary)
    assert ask(law, modality="ZZ", holds=[private]).disposition == "held"
    assert ask(law, modality={"not": ["CT"]}, holds=[private]).disposition == "held"


def test_rule_15_a_gap_for_the_wider_type_leaves_the_researched_narrower_one_alone(tmp_path):
    places = "XA: {name: Xa, researched: {critical_access_hospital: {status: found, on: 2026-11-24}}}"
    law = base(tmp_path, "XA\n" + TEN, places=places)
    assert span(ask(law, facility_type="critical_access_hospital")) == "2030-03-01"
    assert span(ask(law, facility_type="hospital")) == "2030-03-01/?"
    assert span(ask(law, facility_type=...)) == "2030-03-01/?"


def test_rule_15_federal_bodies_pass_a_states_gap_but_not_the_countrys(tmp_path):
    places = f"XA: {{name: Xa, researched: {researched()}}}\nXA-Q: {{name: Q, within: XA}}"
    law = base(tmp_path, "XA\n" + TEN, places=places)
    assert span(ask(law, place="XA-Q", ownership="federal")) == "2030-03-01"
    assert span(ask(law, place="XA-Q", ownership="private")) == "2030-03-01/?"
    assert span(ask(law, place="XA-Q")) == "2030-03-01/?"


def test_rule_19_an_open_end_is_no_day_to_destroy_by(tmp_path):
    law = base(tmp_path, "XA\n" + TEN + "\n" + floor("gone", "until next_mammogram_date", kind="ceiling"))
    assert ask(law, next_mammogram_date="2024-01-01/..").destroy_by is None


def test_rule_21_a_duty_done_at_some_time_is_done_but_its_lead_may_still_run(tmp_path):
    duty = floor("tell", "duty: notify, who: patient, lead: 1 month", kind="duty")
    law = base(tmp_path, "XA\n" + floor("one", "1 year after study_date") + "\n" + duty)
    assert not ask(law, duties_done={"XA/act-1#tell": "happened"}).ready
    assert not ask(law, duties_done={"XA/act-1#tell": "unknown"}).ready
    assert ask(law, duties_done={"XA/act-1#tell": "2026-10-24"}).ready


def test_rule_3_contradictory_facts_leave_no_date_in_any_part(tmp_path):
    law = base(tmp_path, "XA\n" + TEN + "\n" + floor("gone", "11 years after study_date", kind="ceiling") + "\n" + floor("c", "2 years after study_date", kind="lossy"))
    answer = to_json(ask(law, birth_date="2025-01-01"))
    assert [p["code"] for p in answer["problems"]] == ["bad-data"]
    for one in (answer, *answer["parts"]):
        assert one["disposition"] == "undetermined" and one["destroy_by"] is None
        assert one["retain_through"]["earliest"] is None and one["retain_through"]["latest"] is None
        assert one["retain_through"]["reason"] == "the facts contradict each other"
    assert answer["lossy"]["status"] == "undetermined"


def test_rule_4_the_answer_of_each_keeper_folds_its_own_classes(tmp_path):
    """The image stays longest, but of the report nobody knows: the keeper is undetermined, not retain."""
    report = floor("rep", "5 years after study_date", "{record: [report]}") + "\n" + floor("more", "9 years after study_date", "{record: [report], inpatient: true}")
    law = base(tmp_path, "XA\n" + floor("img", "50 years after study_date", "{record: [image]}") + "\n" + report, "XB\n" + TEN)
    whole = ask(law, place="XB", keepers=[{"jurisdiction": "XA-N", "record": ["image", "report"]}, {"jurisdiction": "XB"}])
    assert [one["disposition"] for one in to_json(whole)["keepers"]] == ["undetermined", "retain"]


def test_rule_4_a_keeper_with_a_permanent_class_is_not_open(tmp_path):
    """Both classes end at `never`: one because the law says for ever."""
    law = base(tmp_path, "XA\n" + floor("img", "5 years after next_mammogram_date", "{record: [image]}") + "\n" + floor("rep", "permanent", "{record: [report]}"), "XB\n" + TEN)
    answer = to_json(ask(law, place="XB", next_mammogram_date="never", keepers=[{"jurisdiction": "XA-N", "record": ["image", "report"]}, {"jurisdiction": "XB"}]))
    assert answer["permanent"] and not answer["retain_through"]["open"] and not answer["keepers"][0]["retain_through"]["open"]


def test_rule_26_what_is_assumed_for_each_keeper_is_printed(tmp_path):
    law = base(tmp_path, "XA\n" + floor("d", "10 years after discharge_date"))
    entry = Assumption("discharge_date", Node.wrap("received_date"), "as received")
    chosen: AssumptionSet = compile_set("own", [entry], law.vocabulary, Reader("own"))
    found = ask(law, sets=[chosen], keepers=[{"received_date": "2020-04-01"}, {"received_date": "2021-05-01"}])
    assert sorted(one.value for one in found.assumed) == ["received_date (2020-04-01)", "received_date (2021-05-01)"]


def test_rule_26_a_condition_that_is_unknown_does_not_fire_and_the_order_decides(tmp_path):
    law = base(tmp_path, "XA\n" + floor("d", "10 years after discharge_date"))
    when = Assumption("discharge_date", Node.wrap("study_date"), "out-patients leave at once", Node.wrap({"inpatient": "false"}))
    else_ = Assumption("discharge_date", Node.wrap("2021-01-01"), "a guess")
    chosen = compile_set("own", [when, else_], law.vocabulary, Reader("own"))
    assert span(ask(law, sets=[chosen], inpatient=False)) == "2030-03-01"
    assert span(ask(law, sets=[chosen])) == "2031-01-01"
    assert span(ask(law, sets=[chosen], discharge_date="unknown")) == "?/?"
    assert ask(law, sets=[chosen], discharge_date="2020-03-02").assumed == ()


def test_rule_12_a_floor_surely_in_scope_of_one_of_two_possible_versions_is_sure(tmp_path):
    text = """XA
    - id: two
      kind: floor
      citation: § 2
      says: two versions
      versions:
        - {from: 2020-01-01, scope: {inpatient: true}, period: 20 years after study_date}
        - {from: 2010-01-01, period: 9 years after study_date}
        - {from: ../2000-01-01, period: 50 years after study_date}
      verification: {status: verified}
    """
    law = base(tmp_path, text)
    assert span(ask(law)) == "2029-03-01/2040-03-01"
    assert span(ask(law, study_date="1990-03-01", as_of=date(1999, 12, 31))) == "?/?"
    assert span(ask(law, study_date="1990-03-01", as_of=date(2009, 12, 31))) == "2040-03-01"


def test_rule_13_places_that_do_not_lie_within_each_other_never_override(tmp_path):
    places = f"XA: {{name: A, researched: {researched()}}}\nXB: {{name: B, researched: {researched()}}}"
    law = base(tmp_path, "XA\n" + floor("ten", "10 years after study_date", **{"yields": "within"}), "XB\n" + floor("b", "1 year after study_date", overrides='["XA/act-1#ten"]'), places=places)
    assert span(ask(law, jurisdiction=["XA", "XB"])) == "2030-03-01"


def test_rule_13_a_weaker_force_never_displaces_a_stronger_one_but_a_stronger_displaces_a_weaker(tmp_path):
    law = base(tmp_path, "XA\n" + TEN + "\n" + floor("own", "1 year after study_date", force="policy", overrides="[ten]"))
    assert span(ask(law)) == "2030-03-01"
    law = base(tmp_path, "XA\n" + floor("own", "30 years after study_date", force="policy") + "\n" + floor("ten", "10 years after study_date", overrides="[own]"))
    assert span(ask(law)) == "2030-03-01"


def test_rule_13_a_repealed_norm_overrides_nothing(tmp_path):
    text = TEN + """
- id: short
  kind: floor
  citation: § 2
  says: short
  overrides: [ten]
  versions: [{from: 2025-01-01, repealed: true}, {from: 2000-01-01, period: 1 year after study_date}]
  verification: {status: verified}"""
    law = base(tmp_path, "XA\n" + text)
    assert span(ask(law)) == "2030-03-01"
    assert span(ask(law, as_of=date(2024, 12, 31))) == "2021-03-01"


def test_rule_16_guidance_covers_nobody_where_a_place_of_the_lineage_was_not_researched(tmp_path):
    """A federal keeper passes the state's gap, but nobody has said that the state has no binding law."""
    places = f"XB: {{name: B, researched: {researched('nothing_found')}}}\nXB-Q: {{name: Q, within: XB}}"
    law = base(tmp_path, "XB\n" + floor("good", "3 years after study_date", force="guidance"), places=places)
    assert span(ask(law, place="XB-Q", ownership="federal")) == "?/?"


def test_rule_21_a_duty_done_tomorrow_is_not_done(tmp_path):
    law = base(tmp_path, "XA\n" + floor("one", "1 year after study_date") + "\n" + floor("ask", "duty: consent", kind="duty"))
    assert not ask(law, duties_done={"XA/act-1#ask": "2026-11-25"}).ready
    assert ask(law, duties_done={"XA/act-1#ask": "2026-11-24"}).ready


def test_rule_17_18_guidance_lengthens_the_late_end_and_accuses_nobody(tmp_path):
    law = base(tmp_path, "XA\n" + TEN + "\n" + floor("good", "15 years after study_date", force="guidance"))
    found = ask(law)
    assert span(found) == "2030-03-01/2035-03-01" and found.governing[0] == "XA/act-1#good"
    assert to_json(found)["binding_retain_through"] == {"earliest": "2030-03-01", "latest": "2030-03-01", "open": False}


@pytest.mark.parametrize("force", ["policy", "contract", "guidance"])
def test_rule_18_ceilings_that_do_not_bind_are_reported_and_not_acted_on(tmp_path, force):
    law = base(tmp_path, "XA\n" + floor("one", "1 year after study_date") + "\n" + floor("burn", "2 years after study_date", kind="ceiling", force=force))
    found = ask(law)
    assert found.destroy_by is None and found.disposition == "may_purge" and "XA/act-1#burn" in found.norms


def test_rule_19_the_earliest_ceiling_counts_and_policies_do_not_move_retention_end(tmp_path):
    text = TEN + "\n" + floor("own", "15 years after study_date", force="policy") + "\n" + floor("gone", "1 day after retention_end", kind="ceiling") + "\n" + floor("late", "20 years after study_date", kind="ceiling")
    assert to_json(ask(base(tmp_path, "XA\n" + text)))["destroy_by"] == "2030-03-02"


def test_rule_20_a_hold_reaches_every_copy_and_class_until_it_is_released(tmp_path):
    law = base(tmp_path, "XA\n" + floor("one", "1 year after study_date") + "\n" + floor("gone", "2 years after study_date", kind="ceiling"))
    one = hold({"patient_key": ["P"]}, vocabulary=law.vocabulary)
    for copy in ("duplicate", "derived", "backup"):
        found = ask(law, holds=[one], patient_key="P", copy=copy, copies_left="some", record=["image", "report"])
        assert {part.disposition for part in found.parts} == {"held"} and not found.ready
    shown = to_json(ask(law, holds=[one], patient_key="P"))
    assert shown["destroy_by"] == "2022-03-01" and shown["disposition"] == "held"


def test_rule_25_the_31st_goes_the_way_of_29_february(tmp_path):
    law = base(tmp_path, "XA\n" + floor("f", "1 month after study_date") + "\n" + floor("c", "1 month after study_date", kind="ceiling"), "XA-S\n" + floor("s", "1 month after study_date"))
    north = ask(law, place="XA-N", study_date="2021-01-31")
    assert span(north) == "2021-03-01" and to_json(north)["destroy_by"] == "2021-02-28"
    ends = {n["id"]: n["retain_through"]["latest"] for n in to_json(ask(law, place="XA-S", study_date="2021-01-31"))["norms"] if n["kind"] == "floor"}
    assert ends["XA-S/act-2#s"] == "2021-02-28" and ends["XA/act-1#f"] == "2021-03-01"


def test_rule_25_until_age_is_through_the_birthday_and_beyond_9999_is_never(tmp_path):
    law = base(tmp_path, "XA\n" + floor("f", "until age 18"))
    assert span(ask(law, birth_date="2010-02-28")) == "2028-02-28"
    assert span(ask(law, birth_date="2008-02-29", place="XA-N")) == "2026-03-01"
    far = to_json(ask(base(tmp_path, "XA\n" + floor("f", "8000 years after study_date"))))
    assert far["retain_through"]["earliest"] == "9999-12-31" and far["retain_through"]["latest"] is None


def test_rule_28_written_unknown_is_never_filled_even_through_the_other_name_of_death(tmp_path):
    law = base(tmp_path, "XA\n" + TEN + "\n" + floor("dead", "30 years after study_date", "{deceased: true}"))
    never = compile_set("own", [Assumption("death_date", Node.wrap("never"), "rare")], law.vocabulary, Reader("own"))
    assert span(ask(law, sets=[never])) == "2030-03-01"
    assert span(ask(law, sets=[never], death_date="unknown")) == "2030-03-01/2050-03-01"
    assert span(ask(law, sets=[never], deceased="unknown")) == "2030-03-01/2050-03-01"
