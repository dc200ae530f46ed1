"""The parts of a study that are judged alone (rule 6 of laws/README.md)."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from compliance.law.conditions import Listed
from compliance.law.vocabulary import Members, Value, Vocabulary


def _holds(fact: str, word: str) -> Listed:
    words = frozenset((word,))
    return Listed(fact, words, words, words)


FREE = (_holds("copy", "duplicate"), _holds("copies_left", "some"))  # both: a duplicate that need not be kept


class Words(Protocol):
    """What is known of the sets of a study."""

    def value(self, fact: str) -> Value | None:
        """Return what is known of a fact, None where nothing is."""
        ...


class Modality(NamedTuple):
    """One modality with the body parts it may show; `pairs_known`: each of these pairs occurs."""

    code: str | None
    body_parts: tuple[str | None, ...]
    pairs_known: bool


def record_classes(situation: Words) -> tuple[str | None, ...]:
    """Return the record classes asked about; (None,) where none is known."""
    value = situation.value("record")
    return tuple(sorted(value.must)) if isinstance(value, Members) and value.must else (None,)


def modalities(situation: Words, vocabulary: Vocabulary) -> tuple[Modality, ...]:
    """Return the modality parts, each with its body parts.

    Objects that follow images, structured reports and documents are no parts while another modality is left.
    """
    codes = _codes(situation, vocabulary)
    value = situation.value("body_part")
    bodies = tuple(sorted(value.must)) if isinstance(value, Members) and value.must else (None,)
    known = len(bodies) == 1 or (len(codes) == 1 and codes[0] is not None)
    return tuple(Modality(code, bodies, known) for code in codes)


def _codes(situation: Words, vocabulary: Vocabulary) -> tuple[str | None, ...]:
    value = situation.value("modality")
    if not isinstance(value, Members) or not value.must:
        return (None,)
    types = vocabulary.facts["modality"].values
    reports = {code for code in value.must if code in types and types[code].record}
    followers = {code for code in value.must if code in types and types[code].follows}
    left = (value.must - reports - followers) or (value.must - reports) or value.must
    return tuple(sorted(left))
