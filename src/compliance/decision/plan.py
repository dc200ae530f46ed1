"""What hangs on words and on the day of the question alone, made once for all studies that share them: the parts of a
study (rule 6 of laws/README.md), the norms that words do not rule out, and whether guidance may stand for law (rule 15).

An archive has millions of studies and some hundred combinations of words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from compliance.decision.apply import NormSet, Sifted, changes, norm_set, sift
from compliance.decision.parts import FREE, modalities, record_classes
from compliance.law.conditions import Truth
from compliance.law.dates import DateRange
from compliance.law.knowledge import KnowledgeBase
from compliance.law.memo import Memo
from compliance.law.situation import Situation
from compliance.law.statutes import KINDS
from compliance.law.vocabulary import Members, Value

MOST_PLANS = 1024  # of a code
MOST_BOOKS = 1024
_ENGINE = ("record", "modality", "body_part", "facility_type", "copy", "copies_left")


class Pair(NamedTuple):
    """One record class, modality and body part (None: which is not known), with the norms of each kind."""

    members: dict[str, Members]  # what the sets of the study are narrowed to, where they hold more
    sifted: dict[str, Sifted]

    def at(self, study: Situation, retention_end: DateRange | None = None) -> Situation:
        """Return the situation of the study narrowed to this pair."""
        here = study.part(self.members) if self.members else study
        return here if retention_end is None else here.with_day("retention_end", retention_end)


class Imaged(NamedTuple):
    """One modality with its body parts; `pairs_known`: each of these pairs occurs."""

    pairs_known: bool
    pairs: tuple[Pair, ...]


class Class(NamedTuple):
    """One record class."""

    record: str | None
    imaged: tuple[Imaged, ...]


class Plan(NamedTuple):
    """How the studies of one code are judged that share their words."""

    covers: bool
    free: Truth  # a duplicate, while another copy of equal quality of the same keeper surely remains
    kinds: frozenset[str]  # those of which words do not rule out every norm
    classes: tuple[Class, ...]
    changes: Mapping[str, int]  # norm id -> the day of its next enacted change


class Book(NamedTuple):
    """The plans of one code, by the day of the question and the words of the facts that its norms ask about."""

    code: str
    chosen: NormSet
    asked: tuple[str, ...]
    plans: Memo[tuple[int | Value | None, ...], Plan]


def book(knowledge: KnowledgeBase, code: str) -> Book:
    """Return the plans of a code."""
    books: Memo[str, Book] = knowledge.cache.setdefault("plans", Memo(MOST_BOOKS))
    found = books.get(code)
    if found is None:
        chosen = norm_set(knowledge, code)
        found = books[code] = Book(code, chosen, tuple(sorted({*_ENGINE, *chosen.words})), Memo(MOST_PLANS))
    return found


def plan(knowledge: KnowledgeBase, book: Book, situation: Situation) -> Plan:
    """Return the plan for a situation, from those made before where there is one."""
    words = (situation.as_of, *situation.words(book.asked))
    found = book.plans.get(words)
    if found is None:
        found = book.plans[words] = _make(knowledge, book.chosen, situation)
    return found


def _make(knowledge: KnowledgeBase, chosen: NormSet, situation: Situation) -> Plan:
    covers = knowledge.nothing_found(chosen.code, situation.value("facility_type"))
    shown = modalities(situation, knowledge.vocabulary)
    free = min(condition.truth(situation) for condition in FREE)

    def pair(**words: str | None) -> Pair:
        whole = {
            fact: Members(frozenset((word,)), frozenset((word,))) for fact, word in words.items() if word is not None
        }
        members = {fact: one for fact, one in whole.items() if situation.value(fact) != one}
        here = situation.part(members)
        return Pair(members, {kind: sift(chosen, here, kind) for kind in KINDS})

    def imaged(record: str | None) -> Iterator[Imaged]:
        for one in shown:
            pairs = (pair(record=record, modality=one.code, body_part=body) for body in one.body_parts)
            yield Imaged(one.pairs_known, tuple(pairs))

    classes = tuple(Class(record, tuple(imaged(record))) for record in record_classes(situation))
    pairs = [pair for one in classes for imaged in one.imaged for pair in imaged.pairs]
    kinds = frozenset(kind for kind in KINDS if any(pair.sifted[kind].candidates for pair in pairs))
    return Plan(covers, free, kinds, classes, changes(chosen, situation.as_of))
