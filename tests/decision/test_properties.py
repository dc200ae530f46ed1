"""Ignorance never permits purging: properties on invented statutes and on the shipped law."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.decision.decide import decide
from compliance.law.dates import NEVER
from compliance.law.knowledge import load
from compliance.law.periods import PeriodShape, write
from compliance.law.shape import Reader
from compliance.law.yaml import Node
from desk import base, floor

CALM = settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

dates = st.dates(date(1990, 1, 1), date(2026, 11, 24)).map(date.isoformat)
events = st.sampled_from(["study_date", "discharge_date", "last_service_date", "age of majority", "age 21", "end of year of study_date", "death_date"])
periods = st.builds(lambda n, u, e: f"{n} {u}s after {e}", st.integers(2, 12), st.sampled_from(["year", "month"]), events)
nested = st.one_of(periods, st.sampled_from(["permanent", "unknown"]), st.builds(lambda a, b, h: f"{{{h}: [{a}, {b}]}}", periods, periods, st.sampled_from(["latest", "earliest"])))
scopes = st.sampled_from(["", "{deceased: true}", "{inpatient: false}", "{modality: [CT]}", "{age: {under: majority, at: study_date}}", "{study_date: 2010-01-01/..}", "{facility_type: [critical_access_hospital]}"])


@st.composite
def laws(draw):
    norms = []
    for number in range(draw(st.integers(1, 4))):
        more = {}
        if number and draw(st.booleans()):
            more["overrides"] = f"[n{number - 1}]"
        if draw(st.integers(0, 5)) == 0:
            more["force"] = draw(st.sampled_from(["guidance", "policy"]))
        since = draw(st.sampled_from(["2000-01-01", '"2026"', "2015-06-01"]))
        norms.append(floor(f"n{number}", draw(nested), draw(scopes), draw(st.sampled_from(["verified", "secondary", "unverified"])), since=since, **more))
    if draw(st.booleans()):
        norms.append(floor("c", "1 year after retention_end", kind="ceiling"))
    return "XA-N\n" + "\n".join(norms)


@st.composite
def facts(draw):
    study = draw(st.dates(date(2000, 1, 1), date(2026, 1, 1)))
    found = {"jurisdiction": "XA-N", "record": "image", "facility_type": "hospital", "modality": draw(st.sampled_from(["CT", "MR"])), "study_date": study.isoformat()}
    found["birth_date"] = draw(st.dates(date(1930, 1, 1), study)).isoformat()
    found["discharge_date"] = draw(st.dates(study, date(2026, 11, 24))).isoformat()
    found["last_service_date"] = draw(st.dates(study, date(2026, 11, 24))).isoformat()
    found["inpatient"] = draw(st.booleans())
    found["death_date"] = draw(st.one_of(st.just("never"), st.dates(study, date(2026, 11, 24)).map(date.isoformat)))
    return found


def blur(found, names):
    blurred = dict(found)
    for name in names:
        value = blurred[name]
        blurred[name] = value[:4] if isinstance(value, str) and value[:1].isdigit() and len(names) % 2 else "unknown"
    return blurred


def assert_wider(known, hidden):
    assert hidden.retain.earliest <= known.retain.earliest
    assert hidden.retain.latest >= known.retain.latest
    assert hidden.binding.earliest <= known.binding.earliest
    assert hidden.binding.latest >= known.binding.latest
    assert (hidden.destroy_by or NEVER) >= (known.destroy_by or NEVER)
    assert known.ready or not hidden.ready


@CALM
@given(laws(), facts(), st.sets(st.sampled_from(["birth_date", "discharge_date", "last_service_date", "inpatient", "death_date", "study_date", "modality", "facility_type"]), min_size=1))
def test_rule_35_hiding_or_blurring_any_fact_only_widens(text, found, names):
    with tempfile.TemporaryDirectory() as folder:
        law = base(Path(folder), text)
        today = date(2026, 11, 24)
        known = decide(found, law, today)
        if not known.problems:
            assert_wider(known, decide(blur(found, sorted(names)), law, today))


@CALM
@given(laws(), facts(), periods)
def test_rule_35_a_further_floor_never_shortens_and_a_ceiling_never_lengthens(text, found, period):
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two, tempfile.TemporaryDirectory() as three:
        before = decide(found, base(Path(one), text), date(2026, 11, 24))
        after = decide(found, base(Path(two), text + "\n" + floor("more", period)), date(2026, 11, 24))
        if before.keepers[0].classes[0].fold.covered and not before.problems:
            assert after.retain.earliest >= before.retain.earliest and after.retain.latest >= before.retain.latest
        capped = decide(found, base(Path(three), text + "\n" + floor("cap", period, kind="ceiling")), date(2026, 11, 24))
        assert capped.retain == before.retain


@CALM
@given(nested)
def test_a_period_reads_back_as_it_was_written(text):
    words = load(Path("tests/laws"), use_compiled=False).vocabulary
    read = lambda node: PeriodShape(words).read(node, Reader("x"))  # noqa: E731
    from compliance.law.yaml import read_text

    period = read(read_text(text, "x"))
    assert period is not None and read(Node.wrap(write(period))) == period


def _cases():
    law = load(use_compiled=False)
    return law, [(statute, case) for statute in law.statutes() for case in statute.cases]


def test_rule_35_holds_on_the_shipped_law():
    law, cases = _cases()
    assert len(cases) > 300
    for statute, case in cases:
        alone = law.cache.setdefault(("alone", statute.id), law.only([statute.id]))
        given_ = {"record": "image", **case.given, "jurisdiction": statute.jurisdiction}
        day = date.fromordinal(case.as_of)
        known = decide(given_, alone, day)
        if known.problems:
            continue
        for name in case.given:
            if name not in ("record", "copy", "duties_done"):
                assert_wider(known, decide({**given_, name: "unknown"}, alone, day))


@pytest.mark.parametrize("order", [1, -1])
def test_load_order_does_not_matter(tmp_path, order):
    texts = ["XA\n" + floor("a", "10 years after study_date"), "XA\n" + floor("b", "5 years after study_date", overrides='["XA/act-1#a"]')]
    law = base(tmp_path, *texts)
    law.files = dict(list(law.files.items())[::order])
    law.built.clear()
    found = decide({"jurisdiction": "XA-N", "record": "image", "facility_type": "hospital", "study_date": "2020-03-01"}, law, date(2026, 11, 24))
    assert date.fromordinal(found.retain.latest) == date(2025, 3, 1)
