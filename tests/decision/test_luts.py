"""The tables say of every day what the calendar of single days says."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.decision import luts
from compliance.law import dates
from compliance.law.dates import LAST, NEVER, OPEN, DateRange
from compliance.law.jurisdictions import Majority, full_age


def look_up(table: luts.Table, days: luts.Days) -> luts.Days:
    return table.take(luts.places(days))


SOME = np.array([OPEN, NEVER, *range(date(1995, 1, 1).toordinal(), date(2009, 1, 1).toordinal()), *range(luts.FIRST, luts.END, 97)], np.int32)


@pytest.mark.parametrize("rounding", ["next", "previous"])
@pytest.mark.parametrize(("count", "unit"), [(1, "day"), (2, "week"), (1, "month"), (18, "month"), (1, "year"), (7, "year"), (100, "year")])
def test_a_table_adds_as_the_calendar_does(count: int, unit: Any, rounding: Any) -> None:
    said = look_up(luts.added(count, unit, rounding), SOME)
    assert said.tolist() == [dates.add(int(day), count, unit, rounding) for day in SOME]


@pytest.mark.parametrize(("what", "of"), [("year", dates.end_of_year), ("month", dates.end_of_month)])
def test_a_table_finds_the_end_of_year_and_month(what: str, of: Any) -> None:
    assert look_up(luts.added(0, "day", "next", what), SOME).tolist() == [of(int(day)) for day in SOME]
    later = look_up(luts.added(3, "year", "previous", what), SOME)
    assert later.tolist() == [dates.add(of(int(day)), 3, "year", "previous") for day in SOME]


def test_a_table_of_majority_follows_a_change_of_age() -> None:
    japan = (Majority(since=DateRange(*[date(2022, 4, 1).toordinal()] * 2), age=18), Majority(since=DateRange(OPEN, OPEN), age=20))
    for late in (False, True):
        said = look_up(luts.majorities((japan,), late, "next", "", 0, "day"), SOME)
        assert said.tolist() == [full_age(japan, int(day), "next") for day in SOME]


def test_several_tables_of_majority_give_the_first_and_the_last_day_and_none_gives_no_day() -> None:
    young, old = ((Majority(since=DateRange(OPEN, OPEN), age=age),) for age in (18, 21))
    born = np.array([date(2010, 5, 5).toordinal()], np.int32)
    first, last = (int(look_up(luts.majorities((young, old), late, "next", "", 0, "day"), born)[0]) for late in (False, True))
    assert (date.fromordinal(first), date.fromordinal(last)) == (date(2028, 5, 5), date(2031, 5, 5))
    assert look_up(luts.majorities(((),), False, "next", "", 5, "year"), born)[0] == OPEN
    assert look_up(luts.majorities(((),), True, "next", "", 5, "year"), born)[0] == NEVER


@given(st.lists(st.integers(OPEN, NEVER), min_size=1, max_size=50), st.integers(1, 9000), st.sampled_from(["day", "week", "month", "year"]), st.sampled_from(["next", "previous"]))
def test_the_arithmetic_of_columns_is_that_of_days(days: list[int], count: int, unit: Any, rounding: Any) -> None:
    assert luts.add(np.array(days, np.int32), count, unit, rounding).tolist() == [dates.add(day, count, unit, rounding) for day in days]


def test_days_that_no_table_holds_are_found_and_markers_are_none() -> None:
    days = np.array([OPEN, NEVER, LAST, luts.FIRST - 1, luts.FIRST, luts.END, luts.END + 1], np.int32)
    assert luts.outside(days).tolist() == [False, False, False, True, False, False, True]
