"""Maps as SVG: places coloured by an answer, each a link; the table beside says the same in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from markupsafe import Markup, escape

from compliance.report.html import templates

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


def drawn(name: str, answer: Callable[[str], tuple[str, str]], href: Callable[[str], str], title: str) -> Markup:
    """Return a map.

    `answer` gives class and words for a code, `href` the page of a place (empty: none). The links take no tab stop: the
    table beside the map has the same links in the order of the alphabet.
    """
    one = shapes()[name]
    parts = [
        Markup('<svg class="map" viewBox="-6 -6 {w:g} {h:g}" role="group" aria-label="{t}">').format(
            w=one["width"] + 12, h=one["height"] + 12, t=title
        ),
        PATTERN.format(id="hatch"),
    ]
    ordered = sorted(one["places"], key=lambda place: bool(place["small"]))  # dots lie on top
    parts += [_place(place, answer, href) for place in ordered]
    return Markup("").join([*parts, Markup("</svg>")])


def _place(place: Mapping[str, Any], answer: Callable[[str], tuple[str, str]], href: Callable[[str], str]) -> Markup:
    code, name = place["code"], place["name"]
    css, words = answer(code)
    x, y = place["at"]
    inner = Markup('<path fill-rule="evenodd" d="{}"/>').format(place["d"]) if place["d"] else Markup("")
    if place["small"]:
        inner += Markup('<circle cx="{}" cy="{}" r="{}"/>').format(x, y, 4 if place["d"] else 5)
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
