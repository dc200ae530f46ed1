"""The columnar evaluator says in columns what `decide` says for one study (rule 35 of laws/README.md), in every output."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from invented import build, frame, holds, statutes, studies

from compliance.decision.answers import DECISIONS
from compliance.decision.assume import AssumptionSet, shipped
from compliance.decision.batch import FactTable
from compliance.decision.columns import Evaluator
from compliance.decision.decide import Decision, decide
from compliance.decision.holds import Hold
from compliance.decision.missing import missing_facts
from compliance.law.dates import DateRange
from compliance.law.knowledge import KnowledgeBase
from desk import TODAY, as_table, base, floor, researched

HUNT = os.environ.get("EXAMPLES")
CALM = settings(
    max_examples=int(HUNT or 80), deadline=None, derandomize=not HUNT, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
)
ROWS = 40


def expected(decision: Decision) -> dict[str, Any]:
    """The row that `decide` would write."""
    retain, binding, lossy = decision.retain, decision.binding, decision.lossy
    return {
        "disposition": decision.disposition, "ready": decision.ready, "permanent": decision.permanent,
        "retain_earliest": retain.earliest, "retain_latest": retain.latest,
        "binding_earliest": binding.earliest, "binding_latest": binding.latest,
        "destroy_by": decision.destroy_by, "governing": decision.governing[0] if decision.governing else "",
        "missing": ", ".join(missing_facts(decision)),
        "open_duties": sorted({duty.norm.id for duty in decision.duties if duty.blocks}),
        "next_change": decision.next_change.on if decision.next_change else None,
        "held": bool(decision.holds), "bad_data": bool(decision.problems),
        "lossy": lossy.status, "lossy_from": lossy.allowed_from, "max_ratio": lossy.max_ratio, "lossy_binding": lossy.binding,
    }  # fmt: skip


def said(evaluator: Evaluator, table: FactTable, keepers: Sequence[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
    """The rows that the columnar evaluator writes, as ordinals."""
    answers = evaluator.answers(table, keepers)
    assert evaluator.early_ends(table, keepers).tolist() == answers.lo.tolist()
    shown = answers.table()
    assert shown.schema == DECISIONS
    rows: list[dict[str, Any]] = shown.to_pylist()
    for number, row in enumerate(rows):
        for name in ("retain_earliest", "retain_latest", "binding_earliest", "binding_latest"):
            row.pop(name)
        row |= {
            "retain_earliest": int(answers.lo[number]), "retain_latest": int(answers.hi[number]),
            "binding_earliest": int(answers.lo[number]), "binding_latest": int(answers.bound_hi[number]),
            "lossy_binding": DateRange(int(answers.lossy_lo[number]), int(answers.lossy_hi[number])) if answers.lossy_hi[number] else None,
            "open_duties": sorted(filter(None, row["open_duties"].split(", "))),
        }  # fmt: skip
        for name in ("destroy_by", "next_change", "lossy_from"):
            row[name] = row[name].toordinal() if row[name] else None
        row.pop("earliest_purge_date")
    return rows


def assert_equal(
    base: KnowledgeBase, rows: list[dict[str, Any]], sets: tuple[AssumptionSet, ...] = (), matters: tuple[Hold, ...] = (), keepers: tuple[dict[str, Any], ...] = ()
) -> None:
    table = as_table(rows, base.vocabulary)
    read_keepers = [base.vocabulary.read(keeper) for keeper in keepers]
    found = said(Evaluator(base, TODAY.toordinal(), sets, matters), table, read_keepers)
    for number, row in enumerate(rows):
        facts = {name: value for name, value in row.items() if value is not None}
        if keepers:
            facts["keepers"] = list(keepers)
        wanted = expected(decide(facts, base, TODAY, sets, matters))
        assert found[number] == wanted, f"row {number}: {facts}"


@st.composite
def tables(draw: Any) -> list[dict[str, Any]]:
    """Rows made of a few studies, each fact at any rung of its ladder (a seed draws the rungs: they are too many to draw)."""
    some = draw(st.lists(studies(), min_size=1, max_size=3))
    seed = random.Random(draw(st.integers(0, 2**32)))
    rows = []
    for _ in range(ROWS):
        study, vague = seed.choice(some), seed.random() * 0.6
        rows.append({name: words[seed.randrange(len(words)) if seed.random() < vague else 0] for name, words in study.items()})
    return rows


@CALM
@given(statutes(), tables())
def test_columns_say_what_decide_says_without_assumptions(law: Any, rows: Any) -> None:
    assert_equal(build(law), rows)


@CALM
@given(statutes(), tables(), st.sampled_from(["practical", "cautious"]))
def test_columns_say_what_decide_says_with_assumptions_and_holds(law: Any, rows: Any, name: str) -> None:
    assert_equal(build(law), rows, (shipped(name, frame().vocabulary),), tuple(holds()))


@CALM
@given(statutes(), tables(), studies())
def test_columns_say_what_decide_says_of_several_keepers(law: Any, rows: Any, other: Any) -> None:
    own = ("jurisdiction", "facility_type", "ownership", "duties_done", "last_service_date", "copy", "copies_left")
    keepers = ({name: other[name][0] for name in own}, {"jurisdiction": ["XA-N", "XB"], "facility_type": "clinic"}, {})
    assert_equal(build(law), rows, (), tuple(holds()), keepers)


def test_columns_count_from_no_age_of_majority_that_is_from_memory(tmp_path: Path) -> None:
    memory = "majority: [{from: ../2026-11-24, age: 18, verification: unverified}]"
    places = f"XA: {{name: Xa, researched: {researched()}, majority: [{{from: ../2000-01-01, age: 21}}]}}\n"
    places += f"XA-N: {{name: North, within: XA, researched: {researched()}, {memory}}}\nXA-S: {{name: South, within: XA, researched: {researched()}}}"
    grown = floor("grown", "3 years after age of majority") + "\n" + floor("child", "9 years after study_date", "{age: {under: majority, at: study_date}}")
    law = base(tmp_path, "XA\n" + grown, places=places)
    rows = [{"jurisdiction": place, "facility_type": "hospital", "record": "image", "birth_date": born, "study_date": "2015-01-01"}
            for place in ("XA", "XA-N", "XA-S") for born in ("1950-02-02", "1995-06-01", "2010", None)]  # fmt: skip
    assert_equal(law, rows)
    ends = [str(decide(row, law, TODAY).disposition) for row in rows]
    assert ends[4:8] == ["undetermined"] * 4 and ends[8] == "may_purge"
