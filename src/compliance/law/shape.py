"""Shapes: one declaration reads a node strictly, words its messages and writes its JSON Schema.

A shape's `read(node, reader)` returns the Python value and adds every fault to the reader's list instead of raising, so
that one reading shows them all: `file:line:column: path: what is wrong. What is allowed. Did you mean ...?`
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from compliance.errors import LawError, Problem, guess, listed
from compliance.law.yaml import Node


class Reader:
    """Where a reading stands: file name, path of keys, and the faults found so far."""

    __slots__ = ("_above", "_key", "file", "problems")

    def __init__(self, file: str, problems: list[Problem] | None = None) -> None:
        self.file = file
        self.problems: list[Problem] = [] if problems is None else problems
        self._above: Reader | None = None
        self._key: str | int = ""

    def at(self, key: str | int) -> Reader:
        """Return the reader one key further down; it shares the list of faults."""
        below = Reader(self.file, self.problems)
        below._above, below._key = self, key
        return below

    @property
    def path(self) -> tuple[str, ...]:
        """The keys that lead here."""
        return (*self._above.path, str(self._key)) if self._above else ()

    def fault(self, node: Node, message: str, place: tuple[int, int] | None = None, level: str = "error") -> None:
        """Note a fault at the node, or at another place of the file."""
        line, column = place or (node.line, node.column)
        self.problems.append(Problem(self.file, line, column, ".".join(self.path), message, level))

    def check(self, what: str) -> None:
        """Raise LawError with all faults that are errors, sorted by place."""
        errors = sorted({p for p in self.problems if p.level == "error"})
        if errors:
            raise LawError(what, errors)


class Again(Reader):
    """Reads what was read strictly before: nothing can be at fault, so no place is kept."""

    __slots__ = ()

    def at(self, key: str | int) -> Reader:
        """Return itself."""
        return self


class Shape:
    """What a value may look like."""

    def read(self, node: Node, reader: Reader) -> Any:
        """Return the value, None after a fault."""
        raise AssertionError("every shape reads")

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the value as an editor's YAML reader sees it."""
        return {}


@dataclass(eq=False, repr=False)
class Text(Shape):
    """Any text; `allowed` names the words it may be, `parse` reads it further (ValueError = a fault)."""

    allowed: tuple[str, ...] = ()
    parse: Callable[[str], Any] | None = None
    says: str = "text"
    empty: bool = False

    def read(self, node: Node, reader: Reader) -> Any:
        """Return the text or what `parse` makes of it."""
        if not isinstance(node.value, str):
            return reader.fault(
                node, f"must be {self.says}, not a {'list' if isinstance(node.value, list) else 'mapping'}"
            )
        text = node.value
        if not text.strip() and not self.empty:
            return reader.fault(node, f"is empty, must be {self.says}")
        if self.allowed and text not in self.allowed:
            return reader.fault(
                node, f"{text!r} is not allowed. Allowed: {listed(self.allowed, 30)}.{guess(text, self.allowed)}"
            )
        if self.parse is None:
            return text
        try:
            return self.parse(text)
        except ValueError as error:
            return reader.fault(node, f"{error}")

    def schema(self) -> dict[str, Any]:
        """Return an enumeration, or any scalar: editors read bare numbers, booleans and dates as such."""
        return {"enum": list(self.allowed)} if self.allowed else {"type": ["string", "number", "boolean"]}


def boolean() -> Text:
    """`true` or `false`."""
    return _Boolean(allowed=("true", "false"), parse=lambda text: text == "true", says="true or false")


class _Boolean(Text):
    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(eq=False, repr=False)
class ListOf(Shape):
    """A list of one shape; `single` also takes one bare value; `least` items at least."""

    item: Shape
    single: bool = False
    least: int = 0

    def read(self, node: Node, reader: Reader) -> Any:
        """Return a tuple of the values that could be read."""
        if self.single and not isinstance(node.value, list):
            value = self.item.read(node, reader)
            return () if value is None else (value,)
        if not isinstance(node.value, list):
            return reader.fault(node, "must be a list")
        if len(node.value) < self.least:
            reader.fault(node, f"must have at least {self.least} item{'s' if self.least > 1 else ''}")
        values = [self.item.read(item, reader.at(number)) for number, item in enumerate(node.value)]
        return tuple(value for value in values if value is not None)

    def schema(self) -> dict[str, Any]:
        """Return an array, or one item where that is allowed."""
        array = {"type": "array", "items": self.item.schema(), **({"minItems": self.least} if self.least else {})}
        return {"anyOf": [self.item.schema(), array]} if self.single else array


@dataclass(eq=False, repr=False)
class MapOf(Shape):
    """A mapping with free keys (checked by `key`) and one shape of values."""

    value: Shape
    key: Callable[[str], str | None] = lambda word: None  # returns what is wrong with a key

    def read(self, node: Node, reader: Reader) -> Any:
        """Return a dict of the values that could be read."""
        if not isinstance(node.value, dict):
            return reader.fault(node, "must be a mapping (key: value)")
        found = {}
        for word, item in node.value.items():
            wrong = self.key(word)
            if wrong:
                reader.at(word).fault(item, wrong, node.keys.get(word))
            else:
                value = self.value.read(item, reader.at(word))
                if value is not None:
                    found[word] = value
        return found

    def schema(self) -> dict[str, Any]:
        """Return an object with free keys."""
        return {"type": "object", "additionalProperties": self.value.schema()}


class Key(NamedTuple):
    """One key of a record: its shape, whether it must be there, what it is for."""

    shape: Shape
    required: bool = False
    says: str = ""


@dataclass(eq=False, repr=False)
class Record(Shape):
    """A mapping with known keys; `make` builds the value from them, unknown and missing keys are faults."""

    keys: Mapping[str, Key]
    make: Callable[..., Any] = dict
    what: str = "a mapping"

    def read(self, node: Node, reader: Reader) -> Any:
        """Return `make(**values)`, None where a required key is missing or could not be read."""
        if not isinstance(node.value, dict):
            return reader.fault(node, f"must be {self.what} with the keys {listed(self.keys, 30)}")
        for word in node.value:
            if word not in self.keys:
                reader.at(word).fault(
                    node, f"unknown key. Allowed: {listed(self.keys, 30)}.{guess(word, self.keys)}", node.keys.get(word)
                )
        values, whole = {}, True
        below = node.value
        for word, (shape, required, says) in self.keys.items():
            if word in below:
                value = shape.read(below[word], reader.at(word))
                if value is not None:
                    values[word] = value
                elif required:
                    whole = False
            elif required:
                reader.fault(node, f"the key {word!r} is missing{': ' + says if says else ''}")
                whole = False
        return self.make(**values) if whole else None

    def schema(self) -> dict[str, Any]:
        """Return an object that knows its keys and their help texts."""
        properties = {
            word: {**key.shape.schema(), **({"description": key.says} if key.says else {})}
            for word, key in self.keys.items()
        }
        required = [word for word, key in self.keys.items() if key.required]
        return {
            "type": "object",
            "properties": properties,
            "additionalProperties": False,
            **({"required": required} if required else {}),
        }


@dataclass(eq=False, repr=False)
class OneOf(Shape):
    """The first of several shapes whose test on the node holds; else a fault."""

    options: tuple[tuple[Callable[[Node], bool], Shape], ...]
    says: str

    def read(self, node: Node, reader: Reader) -> Any:
        """Return what the matching shape reads."""
        for test, shape in self.options:
            if test(node):
                return shape.read(node, reader)
        return reader.fault(node, f"must be {self.says}")

    def schema(self) -> dict[str, Any]:
        """Return all options."""
        return {"anyOf": [shape.schema() for _, shape in self.options]}


def is_text(node: Node) -> bool:
    """The node is a scalar."""
    return isinstance(node.value, str)


def is_map(node: Node, keys: Iterable[str] = ()) -> bool:
    """The node is a mapping (that has one of the keys, where some are named)."""
    return isinstance(node.value, dict) and (not (wanted := set(keys)) or bool(wanted & node.value.keys()))
