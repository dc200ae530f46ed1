"""The parts of a study that are judged alone (SEMANTICS 6)."""

from __future__ import annotations

from dataclasses import dataclass

from compliance.law.situation import Situation
from compliance.law.vocabulary import Members, Vocabulary


@dataclass(frozen=True, slots=True)
class Modality:
    """One modality with the body parts it may show; `pairs_known`: each of these pairs occurs."""

    code: str | None
    body_parts: tuple[str | None, ...]
    pairs_known: bool


def record_classes(situation: Situation) -> tuple[str | None, ...]:
    """Return the record classes asked about; (None,) where none is known."""
    value = situation.value("record")
    return tuple(sorted(value.must)) if isinstance(value, Members) and value.must else (None,)


def modalities(situation: Situation, vocabulary: Vocabulary) -> tuple[Modality, ...]:
    """Return the modality parts, each with its body parts.

    Objects that follow images, structured reports and documents are no parts while another modality is left.
    """
    codes = _codes(situation, vocabulary)
    value = situation.value("body_part")
    bodies = tuple(sorted(value.must)) if isinstance(value, Members) and value.must else (None,)
    known = len(bodies) == 1 or (len(codes) == 1 and codes[0] is not None)
    return tuple(Modality(code, bodies, known) for code in codes)


def _codes(situation: Situation, vocabulary: Vocabulary) -> tuple[str | None, ...]:
    value = situation.value("modality")
    if not isinstance(value, Members) or not value.must:
        return (None,)
    types = vocabulary.facts["modality"].values
    reports = {code for code in value.must if code in types and types[code].record}
    followers = {code for code in value.must if code in types and types[code].follows}
    left = (value.must - reports - followers) or (value.must - reports) or value.must
    return tuple(sorted(left))
