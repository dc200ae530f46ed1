"""What is asked: facts of one study and the keepers that owe a duty for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from compliance.errors import FactError, Problem
from compliance.law.dates import made
from compliance.law.vocabulary import Value, Vocabulary

MOST_KEEPERS = 50


class Question(NamedTuple):
    """Facts as read, and the facts of each keeper where there are several (each on top of the common ones)."""

    facts: dict[str, Value]
    keepers: tuple[dict[str, Value], ...] = ()

    def by_keeper(self) -> list[dict[str, Value]]:
        """Return the facts of each keeper, one at least."""
        return [{**self.facts, **own} for own in self.keepers] if self.keepers else [self.facts]


def ask(given: Mapping[str, Any], vocabulary: Vocabulary) -> Question:
    """Read facts as they stand in JSON; `keepers` lists mappings of further facts.

    Raises FactError with every fault.
    """
    if type(given) is not dict and not isinstance(given, Mapping):
        raise FactError("facts must be a mapping of fact to value")
    if "keepers" not in given:
        return made(Question, (vocabulary.read(given), ()))
    common = {name: value for name, value in given.items() if name != "keepers"}
    keepers, problems = [], list[Problem]()
    raw = [] if given.get("keepers") is None else given["keepers"]
    if not isinstance(raw, Sequence) or isinstance(raw, str) or len(raw) > MOST_KEEPERS:
        problems.append(
            Problem("facts", 0, 0, "keepers", f"must be a list of at most {MOST_KEEPERS} mappings of facts")
        )
        raw = []
    facts = _read(common, vocabulary, "", problems)
    for number, own in enumerate(raw):
        if isinstance(own, Mapping):
            keepers.append(_read(own, vocabulary, f"keepers.{number}.", problems))
        else:
            problems.append(Problem("facts", 0, 0, f"keepers.{number}", "must be a mapping of facts"))
    if problems:
        raise FactError("These facts cannot be read", problems)
    return Question(facts, tuple(keepers))


def _read(given: Mapping[str, Any], vocabulary: Vocabulary, path: str, problems: list[Problem]) -> dict[str, Value]:
    try:
        return vocabulary.read(given)
    except FactError as error:
        problems += [Problem(p.file, 0, 0, path + p.path, p.message) for p in error.problems]
        return {}
