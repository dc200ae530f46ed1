"""Date ranges and calendar arithmetic.

A day is its proleptic Gregorian ordinal (`datetime.date.toordinal`), so a range is two small integers and a comparison
is one instruction. Two days are markers: `OPEN` (0001-01-01, no first day can be given) and `NEVER` (9999-12-31, it has
not happened); arithmetic leaves both where they are, and a result beyond the year 9998 is `NEVER`.
Ranges are written in EDTF (ISO 8601-2): `2010-05-17`, `2010-05`, `2010`, `../2010-05-17`, `2007-01-01/..`.
"""

from __future__ import annotations

import calendar
import contextlib
import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Literal, NamedTuple

OPEN = date.min.toordinal()
NEVER = date.max.toordinal()
EPOCH = date(1970, 1, 1).toordinal()  # Arrow, Parquet and NumPy count days from there
LAST = NEVER - 1  # the last day that is a day: an open end `..` stops before `never`

Rounding = Literal["next", "previous"]
Unit = Literal["day", "week", "month", "year"]


made = tuple.__new__  # of a NamedTuple, at once: its own `__new__` is Python code


class DateRange(NamedTuple):
    """Every day from `earliest` through `latest`, as ordinals; `NEVER` may be the one or the other end."""

    earliest: int
    latest: int

    @property
    def exact(self) -> bool:
        """One day only (or surely never)."""
        return self.earliest == self.latest

    def within(self, other: DateRange) -> bool:
        """Every day of this range lies in `other`."""
        return other.earliest <= self.earliest and self.latest <= other.latest

    def overlaps(self, other: DateRange) -> bool:
        """Some day lies in both ranges."""
        return self.earliest <= other.latest and other.earliest <= self.latest

    def intersect(self, other: DateRange) -> DateRange | None:
        """The days in both ranges, None where there is none."""
        low, high = max(self.earliest, other.earliest), min(self.latest, other.latest)
        return DateRange(low, high) if low <= high else None

    def hull(self, other: DateRange) -> DateRange:
        """The smallest range that holds both."""
        return DateRange(min(self.earliest, other.earliest), max(self.latest, other.latest))

    def later(self, other: DateRange) -> DateRange:
        """Each end is the later of both."""
        low, high = self
        first, last = other
        if low >= first and high >= last:
            return self
        return other if first >= low and last >= high else DateRange(max(low, first), max(high, last))

    def earlier(self, other: DateRange) -> DateRange:
        """Each end is the earlier of both."""
        low, high = self
        first, last = other
        if low <= first and high <= last:
            return self
        return other if first <= low and last <= high else DateRange(min(low, first), min(high, last))

    def __str__(self) -> str:
        return write_edtf(self)


EVERYTHING = DateRange(OPEN, NEVER)
NEVER_RANGE = DateRange(NEVER, NEVER)


_DAY = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")


@lru_cache(maxsize=65536)
def read_edtf(text: str) -> DateRange:
    """Read `2010-05-17`, `2010-05`, `2010`, `A/B`, `../A`, `A/..`, `never` or `unknown`.

    Raises ValueError with a sentence for people when it is none of them, or no day of the calendar.
    """
    text = text.strip()
    if text == "never":
        return NEVER_RANGE
    if text == "unknown":
        return EVERYTHING
    if len(text) == 10 and text[4] == text[7] == "-":  # as nearly all are written
        with contextlib.suppress(ValueError):
            only = date.fromisoformat(text).toordinal()
            return DateRange(only, only)
    first, slash, last = text.partition("/")
    if not slash:
        return _read_day(first)
    if first == last == "..":
        return DateRange(OPEN, LAST)
    low = OPEN if first == ".." else _read_day(first).earliest
    high = LAST if last == ".." else NEVER if last == "never" else _read_day(last).latest
    if low > high:
        raise ValueError(f"{text!r} ends before it begins")
    return DateRange(low, high)


def _read_day(text: str) -> DateRange:
    match = _DAY.fullmatch(text)
    if not match:
        raise ValueError(
            f"{text!r} is no date. Allowed: 2010-05-17, 2010-05, 2010, ../2010-05-17, 2007-01-01/.., never, unknown"
        )
    year, month, day = int(match[1]), match[2], match[3]
    try:
        if day:
            only = date(year, int(month), int(day)).toordinal()
            return DateRange(only, only)
        first = date(year, int(month or 1), 1)
        return DateRange(
            first.toordinal(), end_of_month(first.toordinal()) if month else date(year, 12, 31).toordinal()
        )
    except ValueError:
        raise ValueError(f"{text!r} is no day of the calendar") from None


@lru_cache(maxsize=65536)
def write_day(day: int) -> str:
    """Return the ISO date of an ordinal, `never` for `NEVER`."""
    return "never" if day == NEVER else date.fromordinal(day).isoformat()


def write_edtf(value: DateRange) -> str:
    """Write a range so that `read_edtf` reads it back."""
    if value == EVERYTHING:
        return "unknown"
    if value.exact:
        return write_day(value.earliest)
    low = ".." if value.earliest == OPEN else write_day(value.earliest)
    high = ".." if value.latest == LAST else write_day(value.latest)
    return f"{low}/{high}"


def end_of_year(day: int) -> int:
    """Return 31 December of the day's year."""
    return day if day in (OPEN, NEVER) else date(date.fromordinal(day).year, 12, 31).toordinal()


def end_of_month(day: int) -> int:
    """Return the last day of the day's month."""
    if day in (OPEN, NEVER):
        return day
    this = date.fromordinal(day)
    return day - this.day + calendar.monthrange(this.year, this.month)[1]


@lru_cache(maxsize=65536)
def add(day: int, count: int, unit: Unit, rounding: Rounding) -> int:
    """Return the day `count` units later.

    Where that day does not exist (29 February, the 31st) `next` takes the first of the following month, `previous` the
    last of the month; dateutil rounds down only, which is the wrong side for a floor. Beyond the calendar: `NEVER`.
    """
    if day in (OPEN, NEVER):
        return day
    if unit in ("day", "week"):
        later = day + count * (7 if unit == "week" else 1)
        return later if later < NEVER else NEVER
    this = date.fromordinal(day)
    months = this.year * 12 + this.month - 1 + count * (12 if unit == "year" else 1)
    year, month = divmod(months, 12)
    if year > 9999:
        return NEVER
    if this.day <= 28 or this.day <= calendar.monthrange(year, month + 1)[1]:
        return date(year, month + 1, this.day).toordinal()
    last = end_of_month(date(year, month + 1, 28).toordinal())
    return last if rounding == "previous" else last + 1


@lru_cache(maxsize=512)
def step(count: int, unit: Unit, rounding: Rounding) -> Callable[[int], DateRange]:
    """Return what takes a day to the one `count` units later, as a range of that day alone."""

    @lru_cache(maxsize=4096)
    def stepped(day: int) -> DateRange:
        later = add(day, count, unit, rounding)
        return DateRange(later, later)

    return stepped
