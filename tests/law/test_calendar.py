"""Dates, periods and majority: the arithmetic under every answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.errors import LawError
from compliance.law.dates import (
    LAST,
    NEVER,
    OPEN,
    DateRange,
    add,
    end_of_month,
    end_of_year,
    read_edtf,
    write_day,
    write_edtf,
)
from compliance.law.jurisdictions import read_jurisdictions
from compliance.law.knowledge import load
from compliance.law.periods import FLOOR, PeriodShape, is_permanent, read_line, write
from compliance.law.shape import Reader
from compliance.law.yaml import Node, read_text

WORDS = load().vocabulary


@pytest.mark.parametrize(("text", "first", "last"), [
    ("2010-05-17", "2010-05-17", "2010-05-17"), ("2012-02", "2012-02-01", "2012-02-29"), ("2010", "2010-01-01", "2010-12-31"),
    ("2010/2012-02", "2010-01-01", "2012-02-29"), ("2010-05/2010-05", "2010-05-01", "2010-05-31")])
def test_a_partial_date_is_every_day_in_it(text, first, last):
    assert read_edtf(text) == DateRange(read_edtf(first).earliest, read_edtf(last).earliest)


def test_an_open_end_stops_before_never():
    assert read_edtf("2010-05-17/..").latest == LAST == NEVER - 1
    assert read_edtf("../2010").earliest == OPEN
    assert read_edtf("../..") == DateRange(OPEN, LAST) and read_edtf("unknown") == DateRange(OPEN, NEVER)
    assert read_edtf("2010-05-17/never").latest == NEVER


@pytest.mark.parametrize("text", ["2010-02-30", "2010-13", "10-05-17", "2010-5-17", "17.05.2010", "2011/2010", "", "2010-05-17T10:00", "someday", "2010~", "0000"])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(ValueError):
        read_edtf(text)


days = st.integers(OPEN, NEVER)


@given(st.tuples(days, days).map(sorted))
def test_a_range_reads_back_as_it_was_written(ends):
    assert read_edtf(write_edtf(DateRange(*ends))) == DateRange(*ends)


units = st.sampled_from(["day", "week", "month", "year"])


@given(days, days, st.integers(0, 200), units, st.sampled_from(["next", "previous"]))
def test_a_later_start_never_ends_earlier(one, other, count, unit, rounding):
    first, second = sorted((one, other))
    assert add(first, count, unit, rounding) <= add(second, count, unit, rounding)
    assert add(first, count, unit, "previous") <= add(first, count, unit, "next")
    assert end_of_year(first) <= end_of_year(second) and end_of_month(first) <= end_of_month(second)


@pytest.mark.parametrize(("day", "count", "unit", "up", "down"), [
    ("2020-02-29", 1, "year", "2021-03-01", "2021-02-28"), ("2020-02-29", 4, "year", "2024-02-29", "2024-02-29"),
    ("2096-02-29", 4, "year", "2100-03-01", "2100-02-28"), ("2021-01-31", 1, "month", "2021-03-01", "2021-02-28"),
    ("2021-08-31", 1, "month", "2021-10-01", "2021-09-30"), ("2021-01-30", 1, "month", "2021-03-01", "2021-02-28"),
    ("2021-12-31", 2, "month", "2022-03-01", "2022-02-28"), ("2021-12-31", 2, "week", "2022-01-14", "2022-01-14"),
    ("9999-01-01", 1, "year", "never", "never"), ("9998-12-31", 12, "month", "never", "never")])
def test_a_day_that_does_not_exist_is_the_next_or_the_last_one(day, count, unit, up, down):
    start = read_edtf(day).earliest
    assert (write_day(add(start, count, unit, "next")), write_day(add(start, count, unit, "previous"))) == (up, down)


@pytest.mark.parametrize("text", [
    "5 years after study_date", "1 year after age of majority", "6 months after end of month of last_entry_date", "until age 18", "until end of year of age 25 of child",
    "30 days after discharge_date", "2 weeks after report_date", "until transfer_date"])
def test_a_line_is_written_as_it_was_read(text):
    assert str(read_line(text, WORDS)) == text


@pytest.mark.parametrize(("text", "words"), [
    ("5 years after studydate", "Did you mean 'study_date'?"), ("5 years", "5 years"), ("five years after study_date", "five"), ("5 yrs after study_date", "yrs"),
    ("-5 years after study_date", "-5"), ("5 years after modality", "modality"), ("5 years after retention_end", "retention_end"),
    ("5 years before study_date", "before"), ("until age", "age"), ("5 years after end of week of study_date", "week")])
def test_what_is_no_line_is_refused_in_words(text, words):
    with pytest.raises(ValueError, match=words.replace("?", r"\?")):
        read_line(text, WORDS)


def _period(text: str):
    reader = Reader("x")
    found = PeriodShape(WORDS).read(read_text(text, "x"), reader)
    return found, [problem.message for problem in reader.problems]


def test_permanent_is_what_the_law_says_and_not_an_event_that_never_came():
    assert is_permanent(_period("permanent")[0])
    assert is_permanent(_period("{latest: [permanent, 1 year after study_date]}")[0])
    assert not is_permanent(_period("{earliest: [permanent, 1 year after study_date]}")[0])
    assert not is_permanent(_period("5 years after death_date")[0])


def test_a_nested_period_shows_every_fault_at_once():
    found, messages = _period("{latest: [none, 1 year after x, {earliest: [permanent]}]}")
    assert found is None and len(messages) == 3


def test_a_written_period_is_the_same_period():
    found, _ = _period("{latest: [5 years after study_date, {earliest: [permanent, until age 18]}]}")
    assert PeriodShape(WORDS).read(Node.wrap(write(found)), Reader("x")) == found


# -- majority


def _places(text: str):
    return read_jurisdictions(read_text(text, "jurisdictions.yaml"), "jurisdictions.yaml", WORDS)


JAPAN = "JP: {name: Japan, majority: [{from: 2022-04-01, age: 18}, {from: ../2022-03-31, age: 20}]}"


@pytest.mark.parametrize(("born", "full_age"), [
    ("2002-03-31", "2022-03-31"), ("2002-04-01", "2022-04-01"), ("2002-04-02", "2022-04-01"), ("2003-09-09", "2022-04-01"), ("2004-04-01", "2022-04-01"),
    ("2004-04-02", "2022-04-02"), ("2005-01-01", "2023-01-01"), ("1980-02-29", "2000-02-29")])
def test_majority_lowered_from_20_to_18(born, full_age):
    assert write_edtf(_places(JAPAN).majority_range("JP", read_edtf(born), FLOOR)) == full_age


def test_majority_is_inherited_and_of_a_country_the_hull_of_its_states():
    country = _places("US: {name: US}\nUS-AL: {name: Alabama, within: US, majority: [{from: ../1990-01-01, age: 19}]}\nUS-CA: {name: California, within: US, majority: [{from: ../1990-01-01, age: 18}]}\n"
                      "US-CA-X: {name: Town, within: US-CA}")
    born = read_edtf("2000-05-05")
    assert write_edtf(country.majority_range("US-CA-X", born, FLOOR)) == "2018-05-05"
    assert write_edtf(country.majority_range("US", born, FLOOR)) == "2018-05-05/2019-05-05"
    open_state = _places("US: {name: US}\nUS-AL: {name: Alabama, within: US, majority: [{from: ../1990-01-01, age: 19}]}\nUS-WY: {name: Wyoming, within: US}")
    assert write_edtf(open_state.majority_range("US", born, FLOOR)) == "unknown"


MEMORY = "XA: {name: A, majority: [{from: ../2026-11-24, age: 18, verification: unverified}]}"


def test_an_age_from_memory_is_on_file_for_readers_and_counts_as_none():
    places, born = _places(MEMORY + "\nXA-N: {name: North, within: XA}"), read_edtf("2000-05-05")
    assert [(rule.age, rule.seen) for rule in places.places["XA"].majority] == [(18, "from memory, not checked")]
    assert places.majority_tables("XA") == places.majority_tables("XA-N") == ((),)
    assert write_edtf(places.majority_range("XA", born, FLOOR)) == write_edtf(places.majority_range("XA-N", born, FLOOR)) == "unknown"


def test_a_place_with_an_age_from_memory_takes_no_age_of_the_wider_place():
    places = _places("XB: {name: B, majority: [{from: ../1990-01-01, age: 21}]}\nXB-N: {name: N, within: XB, majority: [{from: ../1990-01-01, age: 18, verification: unverified}]}\n"
                     "XB-S: {name: S, within: XB}")
    assert places.majority_tables("XB-N") == ((),) and places.majority_tables("XB-S")[0][0].age == 21
    assert () in places.majority_tables("XB")


def test_one_age_from_memory_makes_the_whole_table_unknown():
    places = _places("XA: {name: A, majority: [{from: 2010-01-01, age: 18, source: 'https://x.example'}, {from: ../2009-12-31, age: 21, verification: unverified}]}")
    assert places.majority_tables("XA") == ((),)


@pytest.mark.parametrize("word", ["verified", "secondary"])
def test_an_age_that_was_seen_is_counted_from(word):
    places = _places(f"XA: {{name: A, majority: [{{from: ../1990-01-01, age: 18, verification: {word}, source: 'https://x.example'}}]}}")
    assert write_edtf(places.majority_range("XA", read_edtf("2000-05-05"), FLOOR)) == "2018-05-05"


@pytest.mark.parametrize(("text", "words"), [
    ("XA: {name: A, majority: [{from: 1990-01-01, age: 18, verification: unverifid}]}", "Allowed: secondary, unverified, verified. Did you mean 'unverified'?"),
    ("XA: {name: A, majority: [{from: 1990-01-01, age: 18, verification: secondary}]}", "names no source"),
    ("XA: {name: A, within: XB}", "within 'XB', which is not on file"), ("XA: {name: A, within: XB}\nXB: {name: B, within: XA}", "lies within itself"),
    ("XA: {name: A, majority: [{from: 1990-01-01, age: 18}, {from: 2000-01-01, age: 21}]}", "newest first"), ("XA: {name: A, majority: [{from: 1990-01-01, age: x}]}", "is no age of majority"),
    ("XA: {name: A, leap_day: up}", "Allowed: next, previous"), ("XA: {name: A, researched: {hospitl: {status: found, on: 2026-11-24}}}", "Did you mean 'hospital'?"),
    ("XA: {name: A, researched: {hospital: {status: fond, on: 2026-11-24}}}", "Did you mean 'found'?"), ("XA: {within: XA}", "'name' is missing")])
def test_a_broken_table_of_places_is_told(text, words):
    with pytest.raises(LawError) as caught:
        _places(text)
    assert words in str(caught.value) and all(problem.line > 0 for problem in caught.value.problems)


