"""Calendar arithmetic over columns of days: one lookup table a chain of steps, one gather a column.

A table maps every day from 1850 through 2399 (and the markers `OPEN` and `NEVER`) to the day the chain leads to; it is
made by the vector arithmetic below, which a test holds equal to `law.dates`. Days outside are for the evaluator of
single studies (`outside` finds them).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compliance.law.dates import EPOCH, LAST, NEVER, OPEN, Rounding, Unit
from compliance.law.jurisdictions import Majority

Days = NDArray[np.int32]

FIRST = date(1850, 1, 1).toordinal()
END = date(2399, 12, 31).toordinal()
_BASE = FIRST - 1  # below the first day stands OPEN, above the last one NEVER
_SIZE = END - FIRST + 3
_MONTH_COUNT = (9999 - 1970 + 1) * 12

Table = NDArray[np.int32]


def _domain() -> Days:
    days = np.arange(_BASE, _BASE + _SIZE, dtype=np.int32)
    days[0], days[-1] = OPEN, NEVER
    return days


def places(days: Days) -> NDArray[np.intp]:
    """Return where the tables have these days."""
    if len(days) and (days.min() < _BASE or days.max() >= _BASE + _SIZE):
        days = np.clip(days, _BASE, _BASE + _SIZE - 1)
    found: NDArray[np.intp] = np.subtract(days, _BASE, dtype=np.intp)
    return found


def outside(days: Days) -> NDArray[np.bool_]:
    """Return which days no table holds: before 1850 or after 2399, and no marker."""
    if len(days) and days.min() >= FIRST and days.max() <= END:
        return np.zeros(1, np.bool_)
    odd: NDArray[np.bool_] = (days < FIRST) & (days != OPEN) | (days > END) & (days < LAST)
    return odd


def _marked(days: Days, found: NDArray[np.int64]) -> Days:
    """Leave the markers where they are; beyond the calendar is never."""
    found = np.where((days == OPEN) | (days == NEVER), days, np.minimum(found, NEVER))
    return found.astype(np.int32)


def add(days: Days, count: int, unit: Unit, rounding: Rounding) -> Days:
    """Return `law.dates.add` of every day."""
    if unit in ("day", "week"):
        return _marked(days, days.astype(np.int64) + count * (7 if unit == "week" else 1))
    day = (days.astype(np.int64) - EPOCH).astype("M8[D]")
    month = day.astype("M8[M]")
    of_month = (day - month.astype("M8[D]")).astype(np.int64)
    later = month.astype(np.int64) + count * (12 if unit == "year" else 1)
    start = later.astype("M8[M]").astype("M8[D]").astype(np.int64) + EPOCH
    length = (later + 1).astype("M8[M]").astype("M8[D]").astype(np.int64) + EPOCH - start
    missing = length - 1 if rounding == "previous" else length
    found = start + np.where(of_month < length, of_month, missing)
    return _marked(days, np.where(later >= _MONTH_COUNT, NEVER, found))


def end_of(days: Days, what: str) -> Days:
    """Return the last day of every day's `year` or `month`."""
    unit = "Y" if what == "year" else "M"
    span = (days.astype(np.int64) - EPOCH).astype("M8[D]").astype(f"M8[{unit}]")
    return _marked(days, (span.astype(np.int64) + 1).astype(f"M8[{unit}]").astype("M8[D]").astype(np.int64) + EPOCH - 1)


@lru_cache(maxsize=512)
def added(count: int, unit: Unit, rounding: Rounding, end: str = "") -> Table:
    """Return the table of `count` units after (the end of the year or month of) a day."""
    days = end_of(_domain(), end) if end else _domain()
    return add(days, count, unit, rounding) if count else days


@lru_cache(maxsize=512)
def birthdays(age: int, rounding: Rounding, end: str, count: int, unit: Unit) -> Table:
    """Return the table from birth to `count` units after (the end of the year of) the birthday."""
    return _then(add(_domain(), age, "year", rounding), end, count, unit, rounding)


@lru_cache(maxsize=512)
def majorities(
    tables: tuple[tuple[Majority, ...], ...], late: bool, rounding: Rounding, end: str, count: int, unit: Unit
) -> Table:
    """Return the table from birth to `count` units after (the end of the year of) full age.

    Several `tables` (places inside a wider one): the earliest or, for the late end, the latest of them; an empty one
    knows nothing.
    """
    found = [_full_age(table, rounding, NEVER if late else OPEN) for table in tables]
    pick: Callable[[Sequence[Any]], Any] = np.maximum.reduce if late else np.minimum.reduce
    return _then(pick(found), end, count, unit, rounding)


def _then(days: Days, end: str, count: int, unit: Unit, rounding: Rounding) -> Table:
    days = end_of(days, end) if end else days
    return add(days, count, unit, rounding) if count else days


def _full_age(table: tuple[Majority, ...], rounding: Rounding, nothing: int) -> Days:
    """Return `law.jurisdictions.full_age` of every day."""
    born = _domain()
    if not table:
        return np.full(_SIZE, nothing, np.int32)
    until, found = NEVER, np.full(_SIZE, NEVER, np.int32)
    for rule in table:
        since = OPEN if rule.since.earliest == OPEN else rule.since.latest
        day = np.maximum(add(born, rule.age, "year", rounding), since)
        found = np.where(day < until, day, found)
        until = since
    return np.where((born == OPEN) | (born == NEVER), born, found).astype(np.int32)
