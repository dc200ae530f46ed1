"""The regions by which the law base is written out: every place belongs to exactly one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from compliance.law.jurisdictions import Jurisdictions

ELSEWHERE = "elsewhere"
_NAMED = {
    "us": ("United States", "US"),
    "canada": ("Canada", "CA"),
    "latin-america": ("Latin America", "AR BR CL CO CR EC MX PE UY"),
    "europe": ("Europe", "EU GB CH NO IS LI UA TR RU RS"),
    "oceania": ("Australia and New Zealand", "AU NZ"),
    "asia": ("Asia", "JP KR CN TW HK MO SG MY TH VN ID PH IN PK BD LK"),
    "middle-east-africa": ("Middle East and Africa", "IL AE SA QA KW EG ZA NG KE GH MA"),
}


class Region(NamedTuple):
    """A region: its short name, its title, and its places, wider ones before those within them."""

    name: str
    title: str
    places: tuple[str, ...]


def regions(places: Jurisdictions) -> Iterator[Region]:
    """Yield every region that has a place on file; what is in none of them lies elsewhere."""
    left = dict.fromkeys(code for code, place in places.places.items() if not place.within)
    for name, (title, codes) in _NAMED.items():
        yield from _region(places, name, title, [code for code in codes.split() if code in left])
        for code in codes.split():
            left.pop(code, None)
    yield from _region(places, ELSEWHERE, "Elsewhere", list(left))


def _region(places: Jurisdictions, name: str, title: str, wide: list[str]) -> Iterator[Region]:
    found = tuple(code for one in wide for code in (one, *places.below(one)))
    if found:
        yield Region(name, title, found)
