"""What was found out once, kept within bounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

K = TypeVar("K")
V = TypeVar("V")


def _one(_: Any) -> int:
    return 1


class Memo(dict[K, V]):
    """Answers by what they hang on. Where there is room for no more than `most` (each of a `size`), all are forgotten.

    It travels to other processes empty: what it holds can be found out again.
    """

    def __init__(self, most: int, size: Callable[[V], int] = _one) -> None:
        super().__init__()
        self.most, self.size, self._room = most, size, most

    def __setitem__(self, key: K, value: V) -> None:
        """Remember an answer."""
        size = self.size(value)
        if size > self._room:
            self.clear()
            self._room = self.most
        self._room -= size
        super().__setitem__(key, value)

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave the answers behind."""
        return type(self), (self.most, self.size)
