"""The only reader of YAML: every scalar stays text, every node keeps its line and column, surprises are refused.

PyYAML's C parser composes the node graph with the base loader, so that `NO`, `ON`, `2010` and dates stay text.
Refused with their place: duplicate keys, anchors and aliases, tags, several documents, nesting deeper than 40, files
beyond 2 MB. `Node.data()` gives plain Python values back; `Node.wrap` makes nodes from plain values (no places).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.errors import LawError, Problem

if TYPE_CHECKING:
    import yaml

Plain = str | list["Plain"] | dict[str, "Plain"]

MAX_BYTES = 2_000_000
MAX_DEPTH = 40
_TAGS = {"tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map", "!", None}


class Node:
    """A scalar (`value` is text), a list (of nodes) or a mapping (of nodes) at a line and column (from 1; 0 = nowhere)."""

    __slots__ = ("bare", "column", "keys", "line", "value")

    def __init__(self, value: str | list[Node] | dict[str, Node], line: int = 0, column: int = 0) -> None:
        self.value = value
        self.line = line
        self.column = column
        self.bare = False  # a scalar written without quotes
        self.keys: dict[str, tuple[int, int]] = {}  # where each key of a mapping stands

    def data(self) -> Plain:
        """Return the plain values below this node."""
        if isinstance(self.value, dict):
            return {key: node.data() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.data() for node in self.value]
        return self.value

    @classmethod
    def wrap(cls, data: Plain) -> Node:
        """Make nodes from plain values; such nodes have no place."""
        wrap = cls.wrap
        if isinstance(data, str):
            return cls(data)
        if isinstance(data, dict):
            return cls({key: cls(value) if isinstance(value, str) else wrap(value) for key, value in data.items()})
        return cls([cls(value) if isinstance(value, str) else wrap(value) for value in data])

    def walk(self) -> Iterator[Node]:
        """Yield this node and every node below it."""
        yield self
        below = (
            self.value.values() if isinstance(self.value, dict) else self.value if isinstance(self.value, list) else ()
        )
        for node in below:
            yield from node.walk()


def read_file(path: Path, name: str | None = None) -> Node:
    """Read one YAML file; raises LawError with every problem found, `name` standing for the path in messages."""
    name = name or str(path)
    try:
        return read_text(path.read_bytes(), name)
    except OSError as error:
        raise LawError(f"{name} cannot be read: {error.strerror or error}") from None


def read_text(text: bytes | str, name: str) -> Node:
    """Read YAML text; raises LawError with every problem found, each with its line and column in `name`."""
    raw = text.encode() if isinstance(text, str) else text
    if len(raw) > MAX_BYTES:
        raise LawError(
            f"{name} cannot be read",
            [Problem(name, 0, 0, "", f"the file has {len(raw):,} bytes, allowed are {MAX_BYTES:,}")],
        )
    try:
        decoded = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise LawError(
            f"{name} cannot be read", [Problem(name, line, 1, "", "this line is not UTF-8. Save the file as UTF-8.")]
        ) from None
    problems = _too_deep(decoded, name)
    if problems:
        raise LawError(f"{name} cannot be read", problems)
    import yaml  # a compiled law base goes without

    try:
        root = yaml.compose(decoded, Loader=_loader())
    except yaml.YAMLError as error:
        raise LawError(f"{name} cannot be read", [_syntax(error, name)]) from None
    if root is None:
        raise LawError(f"{name} cannot be read", [Problem(name, 1, 1, "", "the file is empty")])
    node = _convert(root, name, problems, set())
    if problems:
        raise LawError(f"{name} cannot be read", problems)
    return node


@lru_cache(maxsize=1)
def _loader() -> Any:
    """Return the reader: PyYAML's in C where it is, with tags resolved at once, since none has a meaning here."""
    import yaml

    if not hasattr(yaml, "CBaseLoader"):
        return yaml.BaseLoader

    class Untagged(yaml.CBaseLoader):
        def resolve(self, kind: Any, value: Any, implicit: Any) -> None:
            return None

        def descend_resolver(self, *_: Any) -> None:
            pass

        def ascend_resolver(self) -> None:
            pass

    return Untagged


def _too_deep(text: str, name: str) -> list[Problem]:
    """Flow nesting is counted before parsing: the C composer recurses without a bound of its own."""
    depth = 0
    for number, line in enumerate(text.split("\n"), 1):
        if "[" in line or "{" in line:
            depth = max(0, depth)
            for character in line:
                depth += character in "[{"
                depth -= character in "]}"
                if depth > MAX_DEPTH * 4:
                    return [Problem(name, number, 1, "", f"nested deeper than {MAX_DEPTH} levels")]
        elif "]" in line or "}" in line:
            depth -= line.count("]") + line.count("}")
        if len(line) - len(line.lstrip(" -")) > MAX_DEPTH * 16:
            return [Problem(name, number, 1, "", f"nested deeper than {MAX_DEPTH} levels")]
    return []


def _syntax(error: yaml.YAMLError, name: str) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    what = getattr(error, "problem", None) or str(error)
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    return Problem(name, line, column, "", f"not well-formed YAML: {what}")


def _convert(node: Any, name: str, problems: list[Problem], seen: set[int], depth: int = 0) -> Node:
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    if id(node) in seen:
        problems.append(Problem(name, line, column, "", "anchors and aliases are not allowed. Write the value out."))
        return Node("", line, column)
    seen.add(id(node))
    if node.tag not in _TAGS:
        problems.append(Problem(name, line, column, "", f"the tag {node.tag} is not allowed. Write plain values."))
    if depth > MAX_DEPTH:
        problems.append(Problem(name, line, column, "", f"nested deeper than {MAX_DEPTH} levels"))
        return Node("", line, column)
    if node.id == "scalar":
        scalar = Node(node.value, line, column)
        scalar.bare = not node.style
        return scalar
    if node.id == "sequence":
        return Node([_convert(item, name, problems, seen, depth + 1) for item in node.value], line, column)
    return _mapping(node, name, problems, seen, depth)


def _mapping(node: Any, name: str, problems: list[Problem], seen: set[int], depth: int) -> Node:
    found: dict[str, Node] = {}
    result = Node(found, node.start_mark.line + 1, node.start_mark.column + 1)
    for key, value in node.value:
        line, column = key.start_mark.line + 1, key.start_mark.column + 1
        if key.id != "scalar":
            problems.append(Problem(name, line, column, "", "a key must be a word"))
        elif key.value in found:
            problems.append(
                Problem(name, line, column, key.value, f"the key {key.value!r} stands here twice. Keep one.")
            )
        else:
            found[key.value] = _convert(value, name, problems, seen, depth + 1)
            result.keys[key.value] = (line, column)
    return result
