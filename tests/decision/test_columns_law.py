"""Both evaluators agree on the shipped law: on every case its files carry, and on drawn studies of every place."""

from __future__ import annotations

import os
import random
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import pytest
from test_columns import expected, said

from compliance.decision.assume import shipped
from compliance.decision.columns import Evaluator
from compliance.decision.decide import decide
from compliance.law.knowledge import KnowledgeBase, load
from desk import TODAY, as_table

ROWS = int(os.environ.get("EXAMPLES", "6"))  # a place and set of assumptions


@lru_cache(maxsize=1)
def base() -> KnowledgeBase:
    return load(use_compiled=False)


def assert_same(rows: list[dict[str, Any]], as_of: date, name: str) -> None:
    sets = (shipped(name, base().vocabulary),) if name else ()
    found = said(Evaluator(base(), as_of.toordinal(), sets), as_table(rows, base().vocabulary, as_of))
    for number, row in enumerate(rows):
        assert found[number] == expected(decide(row, base(), as_of, sets)), f"{name}: {row}"


@pytest.mark.parametrize("name", ["", "practical", "cautious"])
def test_on_every_case_of_the_law_files(name: str) -> None:
    by_day: dict[int, list[dict[str, Any]]] = {}
    for statute in base().statutes():
        for case in statute.cases:
            given = {key: value for key, value in case.given.items() if value is not None and key != "keepers"}
            by_day.setdefault(case.as_of, []).append({"jurisdiction": statute.jurisdiction, "record": "image", **given})
    assert sum(map(len, by_day.values())) > 700
    for day, rows in by_day.items():
        assert_same(rows, date.fromordinal(day), name)


def drawn(place: str, seed: random.Random) -> dict[str, Any]:
    """A study of a place: most facts known, some vague, some absent."""
    facts: dict[str, Any] = {"jurisdiction": place}
    for kind in base().vocabulary.facts.values():
        if kind.type == "boolean" and seed.random() < 0.4:
            facts[kind.name] = seed.choice([True, False])
        elif kind.type == "choice" and seed.random() < (0.9 if kind.name == "facility_type" else 0.3):
            facts[kind.name] = seed.choice(list(kind.values))
        elif kind.type == "set" and kind.values and seed.random() < 0.5:
            facts[kind.name] = seed.sample(list(kind.values), min(len(kind.values), seed.choice([1, 1, 1, 2, 3])))
    day = TODAY - timedelta(seed.randrange(1, 15_000))
    facts["study_date"] = seed.choice([day.isoformat(), f"{day.year}", "2012-02-29"])
    facts["birth_date"] = seed.choice([(day - timedelta(seed.randrange(0, 36_000))).isoformat(), str(day.year - seed.randrange(1, 90)), "1996-02-29"])
    for kind in base().vocabulary.facts.values():
        if kind.type == "date" and kind.name not in facts and seed.random() < 0.4:
            later = day + timedelta(seed.randrange(0, 6_000))
            facts[kind.name] = seed.choice([later.isoformat(), "never", f"{later.year}", f"{day}/..", "unknown"])
    return facts


@pytest.mark.parametrize("name", ["", "practical", "cautious"])
def test_on_drawn_studies_of_every_place(name: str) -> None:
    seed = random.Random(f"{name}{os.environ.get('EXAMPLES', '')}")
    rows = [drawn(place, seed) for place in base().jurisdictions.places for _ in range(ROWS)]
    assert_same(rows, TODAY, name)
