"""JSON in which a key stands twice: the readers of JSON keep the last, so that a fact vanishes unseen. Here it is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from compliance.errors import FactError


def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of these pairs (`object_pairs_hook` of json); raises FactError where a key stands twice."""
    made = dict(found)
    if len(made) != len(found):
        names = [name for name, _ in found]
        twice = next(name for name in names if names.count(name) > 1)
        raise FactError(f"the key {twice[:100]!r} stands twice in one object: which of the two is meant?")
    return made


def need_once(body: bytes, decode: Callable[[bytes], Any]) -> None:
    """Raise FactError where a key stands twice in JSON; what is no JSON is left to others to refuse.

    Each key has one colon behind it. Where a body has as many colons as `decode` finds keys, none was dropped, and nothing
    more need be looked at; only where texts hold colons too, the body is read once more, pair by pair.
    """
    try:
        if body.count(b":") != _keys(decode(body)):
            json.loads(body, object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return


def _keys(value: Any) -> int:
    if type(value) is dict:
        return len(value) + sum(_keys(one) for one in value.values() if type(one) is dict or type(one) is list)
    if type(value) is list:
        return sum(_keys(one) for one in value if type(one) is dict or type(one) is list)
    return 0
