"""Dates and ages as they stand in headers and tables, dirt included -> ranges of days.

DICOM DA is YYYYMMDD (PS3.5 6.2); ACR-NEMA wrote YYYY.MM.DD. AS is three digits and D, W, M or Y. What cannot be read is
a problem, never a guess: `90` without a unit says nothing, `N-A` says nothing.
"""

from __future__ import annotations

import calendar
import re
from datetime import date

from dateutil.relativedelta import relativedelta

from compliance.law.dates import LAST, OPEN, DateRange, end_of_month

_DAY = re.compile(r"(\d{4})[-./]?(?:(\d{2})[-./]?(?:(\d{2}))?)?(?:[T ]?\d\d.*)?")
_AGE = re.compile(r"(\d{1,3})\s*([DWMYdwmy])")
EARLIEST_YEAR = 1850
OLDEST = 130


def read_date(text: str | None) -> tuple[DateRange | None, str]:
    """Return the range of a date and what is wrong with it; (None, "") where nothing is given.

    `19970424`, `1997.04.24`, `1997-04`, `1997`, date-times, and DICOM range matching `19970101-19971231`.
    """
    text = (text or "").strip().strip("\0")
    if not text:
        return None, ""
    first, dash, last = text.partition("-") if re.fullmatch(r"\d{8}-\d{8}", text) else (text, "", "")
    one = _one(first)
    two = _one(last) if dash else one
    if one is None or two is None or two.latest < one.earliest:
        return None, f"date {text[:20]!r} cannot be read"
    return DateRange(one.earliest, two.latest), ""


def _one(text: str) -> DateRange | None:
    match = _DAY.fullmatch(text)
    if not match or not EARLIEST_YEAR <= int(match[1]) <= 9998:
        return None
    year, month, day = int(match[1]), int(match[2] or 0), int(match[3] or 0)
    try:
        if day:
            only = date(year, month, day).toordinal()
            return DateRange(only, only)
        if month:
            first = date(year, month, 1).toordinal()
            return DateRange(first, end_of_month(first))
        return DateRange(date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal())
    except ValueError:
        return None


def read_age(text: str | None, study: DateRange | None) -> tuple[DateRange | None, str]:
    """Return the range of birth dates for an age at the study, and what is wrong with it.

    Age 45 on day D: born after D - 46 years and on or before D - 45 years. The true day is always inside.
    """
    text = (text or "").strip().strip("\0")
    if not text:
        return None, ""
    match = _AGE.fullmatch(text)
    if not match or (match[2] in "yY" and int(match[1]) > OLDEST):
        return None, f"age {text[:12]!r} cannot be read"
    if study is None or study.earliest == OPEN or study.latest >= LAST:
        return None, ""
    count, unit = int(match[1]), match[2].upper()
    low = _back(study.earliest, count + 1, unit)
    high = _back(study.latest, count, unit)
    slack = 3 if unit == "M" else 0  # months end on different days
    return DateRange(max(low + 1 - slack, OPEN + 1), high + slack), ""


def _back(day: int, count: int, unit: str) -> int:
    if unit in "DW":
        return day - count * (7 if unit == "W" else 1)
    this = date.fromordinal(day)
    months = count * (12 if unit == "Y" else 1)
    if this.year - months // 12 <= 1:
        return OPEN + 1
    then = this - relativedelta(months=months)
    # born on 29 February: in other years the birthday may be counted on the 28th already
    leap = (this.month, this.day) == (2, 28) and calendar.isleap(then.year) and unit == "Y"
    return then.toordinal() + (1 if leap else 0)


def birth_range(birth: DateRange | None, age: DateRange | None) -> tuple[DateRange | None, str]:
    """Join a birth date and an age: where they contradict each other, the hull and a problem."""
    if birth is None or age is None:
        return birth or age, ""
    both = birth.intersect(age)
    if both is not None:
        return both, ""
    return birth.hull(age), "birth date and age contradict each other"
