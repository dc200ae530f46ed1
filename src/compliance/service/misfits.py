"""What is said of a JSON body of the wrong shape: msgspec names the place and the fault, this adds what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import inspect

from compliance.errors import guess, listed

_PLACE = re.compile(r" - at `(?:key in )?\$(.*)`$")
_FAULT = re.compile(r"^(?:Invalid enum value '(?P<value>.*?)'|Object contains unknown field `(?P<field>.*?)`)")


def told(message: str, kind: object) -> str:
    """Return msgspec's message about a body that should be a `kind`, with the words allowed at its place and a guess."""
    place, fault = _PLACE.search(message), _FAULT.match(message)
    if fault is None:
        return message
    types = [inspect.type_info(kind)]
    for name in re.findall(r"\.([^.\[\]]+)|\[(?:\d+|\.\.\.)\]", place[1] if place else ""):
        types = [below for one in types for below in _below(one, name)]
    value, field = fault["value"], fault["field"]
    words = [
        word for one in types for alone in _alone(one) for word in (_fields(alone) if value is None else _values(alone))
    ]
    return f"{message}. Allowed: {listed(set(words), 40)}.{guess(value or field or '', words)}" if words else message


def _alone(one: inspect.Type) -> Iterator[inspect.Type]:
    for each in one.types if isinstance(one, inspect.UnionType) else (one,):
        yield each.type if isinstance(each, inspect.Metadata) else each


def _below(one: inspect.Type, name: str) -> Iterator[inspect.Type]:
    """Yield what may stand at a field, or at an item of a list where no field is named."""
    for each in _alone(one):
        if isinstance(each, inspect.StructType) and name:
            yield from (field.type for field in each.fields if field.encode_name == name)
        elif isinstance(each, inspect.ListType) and not name:
            yield each.item_type


def _fields(one: inspect.Type) -> list[str]:
    return [field.encode_name for field in one.fields] if isinstance(one, inspect.StructType) else []


def _values(one: inspect.Type) -> list[str]:
    return [str(value) for value in one.values] if isinstance(one, inspect.LiteralType) else []
