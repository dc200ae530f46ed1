"""One decision does little anew: what it keeps, skips or puts off says the same as doing all of it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from invented import frame

from compliance.decision import decide as deciding
from compliance.decision import plan
from compliance.decision.assume import Assumed, AssumptionSet, Entry, assume, shipped
from compliance.decision.contract import to_json
from compliance.decision.decide import decide
from compliance.errors import FactError
from compliance.law import dates, vocabulary
from compliance.law.conditions import YES, Flag
from compliance.law.dates import EVERYTHING, LAST, NEVER, NEVER_RANGE, OPEN, DateRange, read_edtf
from compliance.law.periods import EITHER, evaluate, read_line
from compliance.law.scopes import Scope
from compliance.law.situation import situate
from compliance.law.vocabulary import HAPPENED, UNKNOWN, FactType, Vocabulary
from desk import TODAY, ask, base, floor, span

AS_OF = TODAY.toordinal()
CALM = settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

# -- tense and bounds: only what is given and what may contradict is reckoned at once, the rest when it is asked for

_NAMES = ("study_date", "birth_date", "b", "c", "d")
_TENSES = ["fixed", "once", "moving", "moving_or_never"]
_lines = st.sampled_from(["{}", "10 months after {}", "1 year after {}", "2 days after end of year of {}"])
_days = st.dates(date(2019, 1, 1), date(2028, 12, 31)).map(lambda day: DateRange(day.toordinal(), day.toordinal()))
_ranges = st.tuples(_days, _days).map(lambda two: two[0].hull(two[1]))
_values = st.none() | _days | _ranges | st.sampled_from([
    NEVER_RANGE, HAPPENED, EVERYTHING, DateRange(OPEN, AS_OF), DateRange(AS_OF, NEVER), DateRange(OPEN, LAST), read_edtf("2024-02-29"), DateRange(AS_OF, AS_OF),
])  # fmt: skip


@st.composite
def vocabularies(draw: Any) -> Vocabulary:
    """A study, a birth and three dates more, each perhaps bounded by those before it."""
    kinds = {"study_date": FactType("study_date", "date")}
    for name in _NAMES[1:]:
        bound = st.none() | st.builds(str.format, _lines, st.sampled_from(list(kinds)))
        if "birth_date" in kinds:
            bound |= st.just("1 year after age 2")
        kinds[name] = FactType(name, "date", tense=draw(st.sampled_from(_TENSES)), not_before=draw(bound), not_after=draw(bound))
    return Vocabulary(kinds)


def all_at_once(facts: dict[str, DateRange], words: Vocabulary) -> tuple[dict[str, DateRange], list[str]]:
    """Rules 2 and 3 of laws/README.md, every date of the file in turn, given or absent."""
    days, wrong = dict[str, DateRange](), list[str]()
    given = facts.get("study_date", EVERYTHING)
    past = DateRange(OPEN, AS_OF)
    study = past if given == HAPPENED else given.intersect(past)
    if study is None:
        wrong.append("study_date")
    study = study or past

    class Known:
        def day(self, fact: str) -> DateRange:
            return days[fact]

    for name, kind in words.facts.items():
        day = study if name == "study_date" else _tensed(kind.tense, facts.get(name, EVERYTHING), study)
        for text, before in ((kind.not_before, True), (kind.not_after, False)):
            if text:
                limit = evaluate(read_line(text if " " in text else f"until {text}", words), Known(), EITHER)  # type: ignore[arg-type]
                left = day.intersect(DateRange(limit.earliest, NEVER) if before else DateRange(OPEN, limit.latest))
                wrong += [] if left else [name]
                day = left or day
        days[name] = day
    return days, wrong


def _tensed(tense: str, day: DateRange, study: DateRange) -> DateRange:
    if day == HAPPENED:
        return DateRange(OPEN, AS_OF)
    if tense == "once":
        return NEVER_RANGE if day.earliest > AS_OF else DateRange(day.earliest, NEVER) if day.latest > AS_OF else day
    if tense == "moving":
        return DateRange(study.earliest, AS_OF) if day.latest > AS_OF else day
    if tense == "moving_or_never":
        return day if day == NEVER_RANGE or day.latest <= AS_OF else EVERYTHING
    return day if day.earliest == NEVER else DateRange(day.earliest, min(day.latest, LAST))


@CALM
@given(vocabularies(), st.fixed_dictionaries(dict.fromkeys(_NAMES, _values)), st.permutations(_NAMES))
def test_rules_2_and_3_every_date_is_what_it_would_be_if_all_were_reckoned_at_once(words: Vocabulary, drawn: Any, order: list[str]) -> None:
    facts = {name: drawn[name] for name in order if drawn[name] is not None}
    days, wrong = all_at_once(facts, words)
    found = situate(facts, words, AS_OF)
    assert [problem.fact for problem in found.problems] == wrong
    assert {name: found.day(name) for name in order} == days


@pytest.mark.parametrize(("tense", "bound", "facts", "contradicts"), [
    ("fixed", {"not_before": "birth_date"}, {"birth_date": NEVER_RANGE}, True),
    ("fixed", {"not_before": "birth_date"}, {"birth_date": read_edtf("2025-01-01")}, False),
    ("moving", {"not_before": "birth_date"}, {"birth_date": NEVER_RANGE}, True),
    ("moving", {"not_after": "1 day after birth_date"}, {"birth_date": read_edtf("2020-01-01"), "study_date": read_edtf("2021-01-01")}, True),
    ("moving", {"not_before": "study_date"}, {"study_date": read_edtf("2021-01-01")}, False),
    ("once", {"not_before": "birth_date"}, {"birth_date": NEVER_RANGE}, False),
    ("once", {"not_before": "birth_date", "not_after": "study_date"}, {"birth_date": read_edtf("2022-01-01"), "study_date": read_edtf("2021-01-01")}, True),
])  # fmt: skip
def test_rule_3_a_date_that_is_not_given_may_contradict_its_bounds(tense, bound, facts, contradicts):
    kinds = [FactType("study_date", "date"), FactType("birth_date", "date"), FactType("last", "date", tense=tense, **bound)]
    words = Vocabulary({kind.name: kind for kind in kinds})
    assert [problem.fact for problem in situate(facts, words, AS_OF).problems] == ["last"] * contradicts == all_at_once(facts, words)[1]


def test_rule_3_a_birth_before_the_study_is_bounded_by_nothing_and_one_after_it_still_is(tmp_path):
    law = base(tmp_path, "XA\n" + floor("child", "until age 20"))
    assert span(ask(law, birth_date="2020-03-01")) == "2040-03-01"
    assert span(ask(law, birth_date="2020-03-02/2021-06-30")) == "2040-03-02/2041-01-01"
    assert ask(law, birth_date="2021-01-02").problems and not ask(law, birth_date="2021-01-01").problems


def test_rule_8_deceased_follows_from_the_death_whenever_it_is_asked(tmp_path):
    law = base(tmp_path, "XA\n" + floor("any", "1 year after study_date"))
    for death, deceased in (("2021-05-01", True), ("happened", True), ("never", False), ("2027-01-01", False), ("unknown", None), ("2021-01-01/never", None)):
        assert ask(law, death_date=death).keepers[0].situation.value("deceased") is deceased
    assert ask(law, deceased=True).keepers[0].situation.day("death_date") == DateRange(OPEN, AS_OF)


# -- assumptions: constants that hang on nothing are taken together


@CALM
@given(st.data())
def test_rule_26_assumptions_are_taken_as_if_one_by_one_in_their_order(data: Any) -> None:
    words = frame().vocabulary
    death = Entry("death_date", NEVER_RANGE, "", Scope(((Flag("deceased", False),),)), Assumed("death_date", "never", "own", "w"))
    site = [Entry("site", word, other, Scope(), Assumed("site", "s", "own", "w")) for word, other in ((UNKNOWN, ""), (None, "station"), ("there", ""), ("here", ""))]
    own = AssumptionSet("own", tuple(data.draw(st.permutations([death, *site, site[2]]))))
    sets = data.draw(st.lists(st.sampled_from([own, shipped("practical", words), shipped("cautious", words)]), min_size=1, max_size=3))
    whole: dict[str, Any] = {
        "study_date": "2012-05-01", "discharge_date": "2012-05", "death_date": "never", "deceased": False, "facility_type": "critical_access_hospital",
        "modality": "MG", "inpatient": True, "patient_last_study": "2014-01-01", "last_service_date": "unknown", "station": "st", "payer": "unknown", "jurisdiction": "JP",
    }  # fmt: skip
    facts = words.read({name: whole[name] for name in data.draw(st.lists(st.sampled_from(sorted(whole)), unique=True))})
    filled, used = dict(facts), list[str]()
    if "death_date" not in facts and "deceased" in facts:
        filled["death_date"] = NEVER_RANGE
    for fact, constant, other, when, _ in (entry for one in sets for entry in one.entries):
        value = filled.get(other) if other else constant
        holds = when.truth(situate({k: v for k, v in filled.items() if k != "study_date"}, words, AS_OF)) == YES
        if fact not in filled and holds and value is not None and value is not UNKNOWN:
            filled[fact] = value
            used.append(fact)
    for _ in range(2):
        found, told = assume(facts, sets, AS_OF)
        assert (found, [one.fact for one in told]) == (filled, used)


# -- the calendar: one look-up takes a day to a later one


@pytest.mark.parametrize("text", ["2024-02-29", "2023-02-28", "2023-08-31", "2024-12-31", "0001-01-01", "9999-12-31", "9998-12-30"])
@pytest.mark.parametrize("unit", ["day", "week", "month", "year"])
def test_a_step_is_an_addition(text, unit):
    day = date.fromisoformat(text).toordinal()
    for count in (1, 6, 18, 4000):
        for rounding in ("next", "previous"):
            later = dates.add(day, count, unit, rounding)
            assert dates.step(count, unit, rounding)(day) == (later, later)


def test_rule_25_a_floor_takes_the_next_day_a_ceiling_the_last_and_a_place_its_own(tmp_path):
    tail = "\n" + floor("gone", "1 year after study_date", kind="ceiling")
    law = base(tmp_path, "XA\n" + floor("one", "1 year after study_date") + tail, "XA-S\n" + floor("south", "1 year after study_date"))
    assert span(ask(law, study_date="2024-02-29")) == "2025-03-01"
    assert ask(law, study_date="2024-02-29").destroy_by == date(2025, 2, 28).toordinal()
    assert ask(law, place="XA-S", study_date="2024-02-29").norms["XA-S/act-2#south"].looked.range == read_edtf("2025-02-28")
    assert span(ask(law, study_date="2024-02-28/2024-02-29")) == "2025-02-28/2025-03-01"


def test_rule_10_a_day_that_does_not_exist_is_two_days_in_a_scope(tmp_path):
    law = base(tmp_path, "XA\n" + floor("ten", "10 years after study_date") + "\n" + floor("dead", "50 years after study_date", "{death_date: {before: 1 year after study_date}}"))
    spans = [span(ask(law, study_date="2024-02-29", death_date=day)) for day in ("2025-02-27", "2025-02-28", "2025-03-01")]
    assert spans == ["2074-03-01", "2034-03-01/2074-03-01", "2034-03-01"]


def test_rule_11_full_age_is_kept_apart_by_place_by_birth_and_by_side(tmp_path):
    law = base(tmp_path, "XA\n" + floor("until", "until age of majority") + "\n" + floor("gone", "until age of majority", kind="ceiling"))
    for _ in range(2):
        assert span(ask(law, birth_date="2004-02-29")) == "2022-03-01"
        assert ask(law, birth_date="2004-02-29").destroy_by == date(2022, 2, 28).toordinal()
        assert span(ask(law, birth_date="2004-02-28/2004-03-02")) == "2022-02-28/2022-03-02"
        assert span(ask(law, place="XA-N", birth_date="2004-02-28")) == "2022-02-28"


def test_the_latest_and_the_earliest_are_taken_of_both_ends_apart():
    early, late, wide = DateRange(5, 9), DateRange(7, 8), DateRange(6, 6)
    assert early.later(late) == late.later(early) == (7, 9) and early.earlier(late) == late.earlier(early) == (5, 8)
    assert early.later(wide) == (6, 9) and wide.later(late) is late and late.later(wide) is late
    assert wide.earlier(late) is wide and late.earlier(wide) is wide


# -- words are read once


def test_a_text_is_read_as_the_fact_that_it_stands_for(tmp_path):
    words = base(tmp_path, "XA\n" + floor("any", "1 year after study_date")).vocabulary
    for _ in range(2):
        read = words.read({"deceased": "true", "site": "true", "modality": "2010", "study_date": "2010", "jurisdiction": None})
        assert read["deceased"] is True and read["site"] == "true" and read["modality"].must == {"2010"}
        assert read["study_date"] == read_edtf("2010") and "jurisdiction" not in read
        assert words.read({"deceased": True, "study_date": 2011, "modality": ["CT", "MR"]})["study_date"] == read_edtf("2011")
        with pytest.raises(FactError) as told:
            words.read({"deceased": "2010", "study_date": "true", "study": "2010", "record": "image"})
        assert [problem.path for problem in told.value.problems] == ["deceased", "study_date", "study"]


def test_no_memory_grows_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(vocabulary, "MOST_WORDS", 3)
    monkeypatch.setattr(plan, "MOST_PLANS", 1)
    monkeypatch.setattr(plan, "MOST_BOOKS", 1)
    monkeypatch.setattr(deciding, "MOST_PLACES", 1)
    law = base(tmp_path, "XA\n" + floor("ct", "1 year after study_date", "{modality: [CT]}"))
    for number in range(9):
        for place in ("XA", "XB", f"Q{number}"):
            facts = {"jurisdiction": place, "facility_type": "hospital", "modality": ["CT", "MR"][number % 2], "site": f"s{number}", "study_date": f"201{number}-03-01"}
            fresh = base(tmp_path)
            assert to_json(decide(facts, law, TODAY)) == to_json(decide(facts, fresh, TODAY))
    law.vocabulary.read({"body_part": "X" * 200})
    assert len(law.vocabulary._read) <= 3 and not any(name == "site" for name, _ in law.vocabulary._read) and all(len(text) <= vocabulary.LONGEST_WORD for _, text in law.vocabulary._read)
    assert len(law.cache["plans"]) == len(law.cache["where"]) == 1 and all(len(book.plans) <= 1 for book in law.cache["plans"].values())


# -- what hangs on words alone stands in the plan


def test_the_day_of_the_question_and_the_copy_that_is_left_have_plans_of_their_own(tmp_path):
    law = base(tmp_path, "XA\n" + floor("new", "9 years after study_date", since="2026-01-01"))
    for _ in range(2):
        assert span(ask(law)) == "2029-03-01" and span(ask(law, as_of=date(2025, 12, 31))) == "?/?"
        assert span(ask(law, copy="duplicate", copies_left="some")) == "2020-03-01"
        assert span(ask(law, copy="duplicate", copies_left="none")) == "2029-03-01"
        assert span(ask(law, copy="duplicate")) == "2020-03-01/2029-03-01"


def test_rule_17_of_norms_with_the_same_end_the_narrowest_place_governs_then_the_first_id(tmp_path):
    two = "\n".join(floor(name, "10 years after study_date") for name in ("b", "a"))
    law = base(tmp_path, "XA\n" + two, "XA-N\n" + floor("z", "10 years after study_date"))
    assert ask(law, place="XA-S").governing == ("XA/act-1#a",) and ask(law, place="XA-N").governing == ("XA-N/act-2#z",)


def test_norms_that_it_took_no_look_to_judge_are_told_all_the_same(tmp_path):
    duty = floor("tell", "{duty: notify}", "{modality: [MR]}", kind="duty").replace("{from: 2000-01-01, {duty: notify}}", "{from: 2000-01-01, duty: notify}")
    law = base(tmp_path, "XA\n" + floor("ten", "10 years after study_date") + "\n" + floor("lossy", "1 year after study_date", "{modality: [US]}", kind="lossy") + "\n" + duty)
    decision = ask(law, modality="CT")
    assert not decision.keepers[0].plan.kinds & {"lossy", "duty"} and not decision.duties and decision.lossy.status == "no_norm"
    told = {one["id"]: (one["applies"], one["why"]) for one in to_json(decision)["norms"]}
    assert told["XA/act-1#tell"] == ("no", "not so: modality is MR") and told["XA/act-1#lossy"] == ("no", "not so: modality is US")
    both = ask(law, modality=["CT", "MR"])
    assert [one.norm.id for one in both.duties] == ["XA/act-1#tell"] and both.keepers[0].plan.kinds == {"floor", "duty"}
