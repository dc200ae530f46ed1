"""Maps as SVG: places coloured by an answer, each a link; the table beside says the same in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from markupsafe import Markup, escape

from compliance.report.html import templates

COLUMNS, TILE = 8, (112, 60)
PATTERN = Markup(
    '<defs><pattern id="{id}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6" class="hatch-ground"/><rect width="2.5" height="6" class="hatch-line"/></pattern></defs>'
)


@lru_cache(maxsize=1)
def shapes() -> Mapping[str, Any]:
    """Return the outlines by map (`tools/shapes.py`)."""
    found = json.loads((templates() / "web" / "shapes.json").read_text())
    assert isinstance(found, dict)
    return found


def drawn(name: str, answer: Callable[[str], tuple[str, str]], href: Callable[[str], str], title: str, inside: Mapping[str, str]) -> Markup:
    """Return a map, a grid of labelled tiles (`inside`, by name) where no outlines are at hand.

    `answer` gives class and words for a code, `href` the page of a place (empty: none). The links take no tab stop: the
    table beside the map has the same links in the order of the alphabet.
    """
    one = shapes().get(name) or tiles(inside)
    parts = [
        Markup('<svg class="map" viewBox="-6 -6 {w:g} {h:g}" role="group" aria-label="{t}">').format(
            w=one["width"] + 12, h=one["height"] + 12, t=title
        ),
        PATTERN.format(id="hatch"),
    ]
    ordered = sorted(one["places"], key=lambda place: bool(place["small"]))  # dots lie on top
    parts += [_place(place, answer, href, inside.get(place["code"], place["name"])) for place in ordered]
    return Markup("").join([*parts, Markup("</svg>")])


def tiles(inside: Mapping[str, str]) -> Mapping[str, Any]:
    """Return places as tiles in the order of their names."""
    wide, high = TILE
    drawn = []
    for number, (code, name) in enumerate(sorted(inside.items(), key=lambda one: one[1])):
        x, y = number % COLUMNS * (wide + 8), number // COLUMNS * (high + 8)
        box = f"M{x} {y}h{wide}v{high}h-{wide}z"
        drawn.append({"code": code, "name": name, "d": box, "at": [x + wide / 2, y + high / 2], "small": False, "label": code})
    across = min(COLUMNS, len(drawn))
    return {"width": across * (wide + 8), "height": -(-len(drawn) // COLUMNS) * (high + 8), "places": drawn}


def _place(
    place: Mapping[str, Any], answer: Callable[[str], tuple[str, str]], href: Callable[[str], str], name: str
) -> Markup:
    code = place["code"]
    css, words = answer(code)
    x, y = place["at"]
    inner = Markup('<path fill-rule="evenodd" d="{}"/>').format(place["d"]) if place["d"] else Markup("")
    if place["small"]:
        inner += Markup('<circle cx="{}" cy="{}" r="{}"/>').format(x, y, 4 if place["d"] else 5)
    if "label" in place:
        inner += Markup('<text x="{}" y="{}" class="tile">{}</text>').format(x, y + 6, place["label"])
    label = Markup("<title>{}</title>").format(f"{name}: {words}")
    target = href(code)
    if not target:
        return Markup('<g class="{}">{}{}</g>').format(css, label, inner)
    return Markup('<a href="{}" class="{}" tabindex="-1" aria-label="{}">{}{}</a>').format(
        target, css, f"{name}: {words}", label, inner
    )


def swatch(css: str) -> Markup:
    """Return a small square in the colour of a class, for the key and the tables."""
    return Markup('<svg class="swatch" viewBox="0 0 14 14" aria-hidden="true"><rect width="14" height="14" class="{}"/></svg>').format(
        escape(css)
    )
