"""Ignorance never permits purging (rule 35 of laws/README.md): on invented statutes with every feature, and on the shipped law.

The examples are the same on every run; `EXAMPLES=5000 pytest tests/decision/test_properties.py` hunts with fresh ones.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from invented import build, frame, holds, ladders, norms, periods, rungs, statutes, studies

from compliance.decision.cases import answer
from compliance.decision.contract import to_json
from compliance.decision.decide import Decision, decide
from compliance.law.case import Case
from compliance.law.dates import NEVER, read_edtf
from compliance.law.knowledge import KnowledgeBase, load
from compliance.law.periods import PeriodShape, write
from compliance.law.shape import Reader
from compliance.law.statutes import Statute
from compliance.law.yaml import Node
from desk import TODAY

HUNT = os.environ.get("EXAMPLES")
CALM = settings(max_examples=int(HUNT or 150), deadline=None, derandomize=not HUNT, suppress_health_check=list(HealthCheck))
GOES = ("may_purge", "must_purge")


def assert_vaguer(known: Decision, vague: Decision) -> None:
    """What follows from less knowledge holds back at least as much, and accuses of nothing more."""
    assert not vague.problems
    for one, other in ((known.retain, vague.retain), (known.binding, vague.binding)):
        assert one.within(other), f"{one} -> {other}"
    assert (vague.destroy_by or NEVER) >= (known.destroy_by or NEVER)
    assert {hold.id for hold in known.holds} <= {hold.id for hold in vague.holds}
    assert known.ready or not vague.ready
    assert known.disposition in GOES or vague.disposition not in GOES
    assert known.disposition in ("conflict", "held") or vague.disposition != "conflict"


@CALM
@given(statutes(), studies(), st.data())
def test_rule_35_hiding_or_blurring_several_facts_only_widens(law: Any, study: Any, data: Any) -> None:
    clear, blurred = data.draw(rungs(study))
    base = build(law)
    for matters in ((), holds()):
        known = decide(clear, base, TODAY, (), matters)
        if not known.problems:
            assert_vaguer(known, decide(blurred, base, TODAY, (), matters))


@CALM
@given(statutes(), studies())
def test_rule_35_hiding_or_blurring_one_fact_step_by_step_only_widens(law: Any, study: Any) -> None:
    base = build(law)
    for ladder in ladders(study):
        answers = [decide(facts, base, TODAY) for facts in ladder]
        if not answers[0].problems:
            for known, vague in pairwise(answers):
                assert_vaguer(known, vague)


@CALM
@given(statutes(), studies(), st.data())
def test_rule_35_a_further_sure_floor_never_shortens_and_a_ceiling_never_lengthens(law: Any, study: Any, data: Any) -> None:
    facts = {name: words[0] for name, words in study.items()}
    floor, ceiling = data.draw(norms("more", [], "floor")), data.draw(norms("cap", [], "ceiling"))
    floor |= {"force": "binding", "verification": {"status": "verified"}}
    before = decide(facts, build(law), TODAY)
    longer = decide(facts, build({**law, "XA": [*law.get("XA", []), floor]}), TODAY)
    capped = decide(facts, build({**law, "XA": [*law.get("XA", []), ceiling]}), TODAY)
    if all(part.result.fold.covered for part in before.parts):
        assert longer.retain.earliest >= before.retain.earliest and longer.retain.latest >= before.retain.latest
        assert longer.binding.earliest >= before.binding.earliest and longer.binding.latest >= before.binding.latest
    assert (capped.retain, capped.binding) == (before.retain, before.binding)
    assert (capped.destroy_by or NEVER) <= (before.destroy_by or NEVER)


@CALM
@given(statutes(), st.lists(studies(), min_size=2, max_size=6))
def test_what_was_decided_before_changes_no_decision(law: Any, drawn: Any) -> None:
    """The plans that a law base remembers are of words and of the day alone."""
    used = build(law)
    for study in [*drawn, *drawn]:
        for facts in ({name: words[0] for name, words in study.items()}, {name: words[-1] for name, words in study.items()}):
            for day in (TODAY, date(2015, 6, 30)):
                warm, cold = (to_json(decide(facts, one, day)) for one in (used, build(law)))
                assert warm == cold


@CALM
@given(statutes(), studies())
def test_rule_35_the_order_of_files_and_facts_does_not_matter(law: Any, study: Any) -> None:
    facts = {name: words[0] for name, words in study.items()}
    one = decide(facts, build(law), TODAY)
    other = decide(dict(reversed(facts.items())), build({place: law[place] for place in reversed(law)}), TODAY)
    assert (one.retain, one.binding, one.destroy_by, one.disposition, one.ready, one.governing, one.lossy) == (
        other.retain, other.binding, other.destroy_by, other.disposition, other.ready, other.governing, other.lossy)


@CALM
@given(periods)
def test_rule_35_a_period_reads_back_as_it_was_written(tree: Any) -> None:
    shape = PeriodShape(frame().vocabulary)
    period = shape.read(Node.wrap(tree), Reader("x"))
    assert period is not None and shape.read(Node.wrap(write(period)), Reader("x")) == period


@CALM
@given(st.dates(date(2001, 1, 1), date(2090, 1, 1)), st.sampled_from([1, 5, 30]))
def test_rule_35_the_day_before_and_the_day_of_from_pick_different_versions(start: date, years: int) -> None:
    old, new = "40 years after study_date", f"{years} years after study_date"
    versions = [{"from": start.isoformat(), "period": new}, {"from": "2000-01-01", "period": old}]
    norm = {"id": "a", "kind": "floor", "citation": "§", "says": "a", "versions": versions, "verification": {"status": "verified"}}
    facts = {"jurisdiction": "XA-N", "facility_type": "hospital", "record": "image", "study_date": "2000-05-05"}
    day_of = decide(facts, build({"XA": [norm]}), start)
    day_before = decide(facts, build({"XA": [norm]}), start - timedelta(1))
    assert day_of.retain == read_edtf(f"{2000 + years}-05-05") and day_before.retain == read_edtf("2040-05-05")
    assert day_before.next_change is not None and day_before.next_change.on == start.toordinal()
    assert day_of.next_change is None


# -- the shipped law


@lru_cache(maxsize=1)
def shipped() -> KnowledgeBase:
    return load(use_compiled=False)


def cases() -> list[tuple[Statute, Case]]:
    return [(statute, case) for statute in shipped().statutes() for case in statute.cases]


def vaguer(name: str, value: Any) -> Iterator[Any]:
    """Absent (a copy: `unknown`), unknown; of a day: its year, all days before it, all days after it."""
    yield "unknown"
    kind = shipped().vocabulary.facts[name]
    if name != "copy":
        yield None
    if kind.type == "date" and str(value)[:4].isdigit() and "/" not in str(value):
        day = str(value)
        yield day[:4]
        yield f"../{day}"
        yield f"{day}/.."
    if name == "facility_type" and kind.values[value].within:
        yield kind.values[value].within


@pytest.mark.parametrize("lineage", [False, True], ids=["the file alone", "the whole lineage"])
def test_rule_35_holds_for_the_cases_of_the_shipped_law(lineage: bool) -> None:
    """Every fact is hidden and blurred: in every case, or in every third with all the law of the place and its gaps."""
    assert len(cases()) > 300
    asked = 0
    for statute, case in cases()[:: 3 if lineage else 1]:
        law = shipped() if lineage else shipped().cache.setdefault(("alone", statute.id), shipped().only([statute.id]))
        known = answer(case, statute, law)
        if known.problems:
            continue
        for name, value in case.given.items():
            for word in vaguer(name, value):
                if name == "record" and word is None:
                    continue  # absent, a case is about images
                given = {**case.given, name: word}
                assert_vaguer(known, decide({"record": "image", **given, "jurisdiction": statute.jurisdiction}, law, date.fromordinal(case.as_of)))
                asked += 1
    assert asked > 1000
