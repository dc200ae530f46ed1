"""Columns of an inventory are read as the facts they stand for."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest
from invented import build, frame

from compliance.decision.batch import read
from compliance.decision.columns import Evaluator
from compliance.law.dates import LAST, NEVER, OPEN, DateRange
from compliance.law.vocabulary import UNKNOWN, Members

DAY = date(2012, 5, 1)
TODAY = date(2026, 11, 24).toordinal()


def table(**columns: object) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(columns)


def test_a_date_is_its_first_day_and_a_span() -> None:
    last = LAST - DAY.toordinal()
    batch = table(
        birth_date=pa.array([DAY, DAY, DAY, DAY, None, date(1, 1, 1), date.max], pa.date32()),
        birth_date_span=pa.array([None, 0, 364, last, None, NEVER - OPEN, None], pa.int32()),
    )
    facts = [read(batch, frame().vocabulary).question(row).get("birth_date") for row in range(7)]
    first = DAY.toordinal()
    assert facts == [DateRange(first, first), DateRange(first, first), DateRange(first, first + 364), DateRange(first, LAST), None, UNKNOWN, DateRange(NEVER, NEVER)]


def test_a_set_is_its_members_joined_as_in_dicom_and_a_null_is_absent() -> None:
    batch = table(modality=pa.array(["CT\\SR", "MR", None, "", "unknown"]).dictionary_encode(), inpatient=pa.array([True, False, None, True, True]))
    read_facts = read(batch, frame().vocabulary)
    both = frozenset({"CT", "SR"})
    assert [read_facts.question(row).get("modality") for row in range(5)] == [Members(both, both), Members(frozenset({"MR"}), frozenset({"MR"})), None, None, UNKNOWN]
    assert [read_facts.question(row).get("inpatient") for row in range(3)] == [True, False, None]


def test_a_value_that_is_no_value_of_its_fact_is_unknown_and_told() -> None:
    batch = table(facility_type=pa.array(["hospital", "hopsital"]), study_date=pa.array([DAY, DAY], pa.date32()))
    facts = read(batch, frame().vocabulary)
    assert facts.question(1)["facility_type"] is UNKNOWN
    (row, reason), = facts.unreadable["facility_type"].by_row().items()
    assert row == 1 and "Did you mean 'hospital'" in reason


def test_a_slice_of_a_batch_reads_its_own_rows() -> None:
    batch = table(study_date=pa.array([DAY, None, date(2020, 1, 1)], pa.date32()), modality=pa.array(["CT", "MR", "US"]).dictionary_encode())
    facts = read(batch.slice(1, 2), frame().vocabulary)
    assert facts.question(0) == {"modality": Members(frozenset({"MR"}), frozenset({"MR"}))}
    assert facts.question(1)["study_date"] == DateRange(*[date(2020, 1, 1).toordinal()] * 2)


@pytest.mark.parametrize("day", [date(1700, 1, 1), date(2399, 12, 31), date(2400, 1, 1), date(5000, 6, 6)])
def test_days_that_no_table_holds_are_decided_one_by_one(day: date) -> None:
    norm = {"id": "a", "kind": "floor", "citation": "§", "says": "a", "versions": [{"from": "2000-01-01", "period": {"latest": ["10 years after study_date", "2 years after birth_date"]}}], "verification": {"status": "verified"}}
    batch = table(
        jurisdiction=["XA-N"] * 2, facility_type=["hospital"] * 2, ownership=["private"] * 2, record=["image"] * 2,
        study_date=pa.array([day, DAY], pa.date32()), birth_date=pa.array([day, DAY], pa.date32()),
    )  # fmt: skip
    found = Evaluator(build({"XA": [norm]}), TODAY).decide(batch).to_pylist()
    assert found[0]["retain_latest"] == (date(day.year + 10, day.month, day.day) if day.year < 2026 else date.max)
    assert found[1]["retain_latest"] == date(2022, 5, 1)


@pytest.mark.parametrize("days", [-719_200, 2_932_897, 2**31 - 1, -(2**31)])
def test_a_day_outside_the_calendar_is_unknown_and_told(days: int) -> None:
    dates = pa.array([days, None, 18_000], pa.int32()).cast(pa.date32())
    batch = table(jurisdiction=["XA-N"] * 3, study_date=pa.array([DAY] * 3, pa.date32()), birth_date=dates)
    facts = read(batch, frame().vocabulary)
    assert facts.question(0)["birth_date"] is UNKNOWN
    assert "birth_date" not in facts.question(1)
    (row, reason), = facts.unreadable["birth_date"].by_row().items()
    assert row == 0 and "9999-12-31" in reason
    assert Evaluator(frame(), TODAY).decide(batch).num_rows == 3


def test_no_row_gives_no_answer() -> None:
    batch = table(jurisdiction=pa.array([], pa.string()), study_date=pa.array([], pa.date32()))
    assert Evaluator(frame(), TODAY).decide(batch).num_rows == 0


def test_a_dictionary_of_nulls_holds_nothing_and_ends_no_process() -> None:
    nulls = pa.DictionaryArray.from_arrays(pa.array([0, None], pa.int32()), pa.nulls(1))
    facts = read(table(modality=nulls), frame().vocabulary)
    assert [facts.question(row).get("modality") for row in range(2)] == [None, None]
