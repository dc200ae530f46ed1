"""Which facts of a question contradict each other, without deciding it."""

from __future__ import annotations

from collections.abc import Sequence

from compliance.decision.assume import AssumptionSet, assume
from compliance.decision.question import Question
from compliance.law.knowledge import KnowledgeBase
from compliance.law.situation import BadData, situate


def contradictions(
    question: Question, knowledge: KnowledgeBase, as_of: int, assumptions: Sequence[AssumptionSet]
) -> tuple[BadData, ...]:
    """Return what `Decision.problems` would say (rules 3, 8 of laws/README.md)."""
    found: dict[BadData, None] = {}
    for own in question.by_keeper():
        filled, _ = assume(own, assumptions, as_of)
        found.update(dict.fromkeys(situate(filled, knowledge.vocabulary, as_of).problems))
    return tuple(found)
